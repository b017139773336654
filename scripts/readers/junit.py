"""Reads JUnit XML with junitparser and prints what it found as JSON: junit.py FILE"""
import json
import sys

import junitparser

KINDS = {junitparser.Failure: "failure", junitparser.Error: "error", junitparser.Skipped: "skipped"}


def case(test):
    """A test case: its names, its place, and what became of it."""
    return {
        "name": test.name, "class": test.classname, "time": test.time,
        "file": test._elem.get("file"), "line": test._elem.get("line"),
        "results": [{"kind": KINDS[type(entry)], "message": entry.message} for entry in test.result],
    }


def counts(suite):
    return {"tests": suite.tests, "failures": suite.failures, "errors": suite.errors, "skipped": suite.skipped}


document = junitparser.JUnitXml.fromfile(sys.argv[1])
suites = []
for suite in document:
    told = counts(suite)
    time = suite.time
    suite.update_statistics()
    suites.append({
        "name": suite.name, "time": time, "timestamp": suite.timestamp, "told": told, "counted": counts(suite),
        "countedTime": suite.time, "properties": {entry.name: entry.value for entry in suite.properties()},
        "cases": [case(test) for test in suite],
    })
json.dump({"told": counts(document), "suites": suites}, sys.stdout)
