"""Reads CSV with Python's csv and prints the rows as JSON: table.py FILE"""
import csv
import json
import sys

with open(sys.argv[1], encoding="utf-8", newline="") as file:
    rows = list(csv.reader(file, strict=True))
if any(len(row) != len(rows[0]) for row in rows):
    sys.exit("the rows are not equally long")
json.dump([dict(zip(rows[0], row)) for row in rows[1:]], sys.stdout)
