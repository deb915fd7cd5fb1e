#!/usr/bin/env bash
# Python's statistics, in 3.11.7 and 3.13.0, with numpy 2.4.6: the mean of readings 4, 5, 5 and 7 in an array of
# integers is 5.
#
# Input: valid whole readings in a NumPy array of int64, and the same as a list of Python's int and as float64.
# Guess: statistics.mean gives 5.25 for all, as numpy.mean does, or refuses NumPy's numbers.
# Seen: of int64 it is 5, of type numpy.int64: the exact mean is turned back into the type of the readings, which is
# only left out for Python's own int. variance is 1 instead of 1.583, and the mean of nine answers that are right (1)
# and one that is not (0) is 0. No warning. fmean, median and quantiles are right, and stdev raises. Python's
# documentation names int, float, Decimal and Fraction, and says that other types are not supported.
# Why it matters: statistics is at hand, and accepts arrays without a word. A mean reading lacks its decimals, and an
# accuracy of 0.9 is 0. Take numpy.mean, or statistics.fmean.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6
cat > "$folder/try.py" << 'PYTHON'
import statistics
import sys

import numpy as np

print("Python", ".".join(map(str, sys.version_info[:3])), file=sys.stderr)
readings, answers = [4, 5, 5, 7], [1, 1, 1, 0, 1, 1, 1, 1, 1, 1]
for name, kind in {"list": list, "int64": np.int64, "float64": np.float64}.items():
    given, right = ([one if kind is list else np.array(one, kind)][0] for one in (readings, answers))
    ways = statistics.mean, statistics.fmean, statistics.median, statistics.variance
    seen = [f"{way.__name__} {float(way(given)):.4g}" for way in ways]
    print(name, *seen, "mean of answers", float(statistics.mean(right)))
print("numpy.mean", np.mean(np.array(readings)))
PYTHON
"$folder/venv/bin/python" -W error "$folder/try.py" | tee "$folder/out.txt"
cat > "$folder/seen.txt" << 'TEXT'
list mean 5.25 fmean 5.25 median 5 variance 1.583 mean of answers 0.9
int64 mean 5 fmean 5.25 median 5 variance 1 mean of answers 0.0
float64 mean 5.25 fmean 5.25 median 5 variance 1.583 mean of answers 0.9
numpy.mean 5.25
TEXT
diff "$folder/seen.txt" "$folder/out.txt" || { echo "the behaviour has changed"; exit 1; }
