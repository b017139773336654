"""Solves non-negative least squares with scipy: a file of problems {"columns", "vector"} in, a list of weights out."""
import json
import sys

import numpy
from scipy.optimize import nnls

with open(sys.argv[1]) as file:
    problems = json.load(file)
answers = [nnls(numpy.array(each["columns"]).T, numpy.array(each["vector"]))[0].tolist() for each in problems]
json.dump(answers, sys.stdout)
