"""Reads Prometheus' text format with prometheus_client and prints what it found as JSON: prometheus.py FILE"""
import json
import sys

from prometheus_client.parser import text_string_to_metric_families

with open(sys.argv[1], encoding="utf-8", newline="\n") as file:
    text = file.read()
families = [
    {
        "name": family.name, "kind": family.type, "help": family.documentation,
        "samples": [{"name": s.name, "labels": s.labels, "value": s.value} for s in family.samples],
    }
    for family in text_string_to_metric_families(text)
]
series = [(s["name"], tuple(sorted(s["labels"].items()))) for f in families for s in f["samples"]]
json.dump({"families": families, "repeated": len(series) - len(set(series))}, sys.stdout)
