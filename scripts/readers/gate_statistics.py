"""Works out with scipy what wsmlab's gate works out by itself; reads questions as JSON from a file, prints the answers."""

import json
import math
import sys

import numpy
from scipy import stats

with open(sys.argv[1], encoding="utf-8") as file:
    asked = json.load(file)

answers = {
    "tails": [stats.t.sf(t, df) for t, df in asked["tails"]],
    "quantiles": [stats.t.isf(p, df) for p, df in asked["quantiles"]],
    "effects": [],
}
for rounds in asked["rounds"]:
    # log y = mu(round) + tau [new] + noise, by ordinary least squares.
    rows, values = [], []
    for index, runs in enumerate(rounds):
        for arm, value in enumerate(runs):
            row = [0.0] * (len(rounds) + 1)
            row[index] = 1.0
            row[-1] = 1.0 if arm == 1 else 0.0
            rows.append(row)
            values.append(math.log(value))
    design = numpy.array(rows)
    observed = numpy.array(values)
    solution, _, _, _ = numpy.linalg.lstsq(design, observed, rcond=None)
    rest = observed - design @ solution
    degrees = len(values) - design.shape[1]
    variance = rest @ rest / degrees
    error = math.sqrt(variance * numpy.linalg.inv(design.T @ design)[-1, -1])
    answers["effects"].append([solution[-1], error, degrees])
print(json.dumps(answers))
