"""Prints what scipy says of two samples, a and b, as JSON.

Reads {"a": [...], "b": [...], "paired": bool} from the file that is named.
"""

import json
import math
import sys

import numpy
from scipy import stats

with open(sys.argv[1], encoding="utf-8") as file:
    given = json.load(file)
a, b = numpy.array(given["a"]), numpy.array(given["b"])
paired = given["paired"]


def ratio(x, y, axis=-1):
    return numpy.median(y, axis=axis) / numpy.median(x, axis=axis)


boot = stats.bootstrap(
    (a, b), ratio, paired=paired, vectorized=True, n_resamples=20000, method="percentile", rng=numpy.random.default_rng(1)
).confidence_interval
if paired:
    logs = numpy.log(b / a)
    student = stats.t.interval(0.95, len(logs) - 1, loc=numpy.mean(logs), scale=stats.sem(logs))
else:
    interval = stats.ttest_ind(numpy.log(b), numpy.log(a), equal_var=False).confidence_interval(0.95)
    student = (interval.low, interval.high)
print(
    json.dumps(
        {
            "ratio": float(ratio(a, b)),
            "bootstrap": [float(boot.low), float(boot.high)],
            "student": [math.exp(student[0]), math.exp(student[1])],
        }
    )
)
