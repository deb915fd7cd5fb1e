#!/usr/bin/env bash
# scikit-learn 1.9.1: max_error of uint8 is 255 for readings that are off by 1, and median_absolute_error is wrong too.
#
# Input: hands of a dial from 0 to 9 and what was read of them, once by a reader that is off by 1 now and then and once
# by one that is mostly 1 too low; a grey picture and the same one with noise. All as arrays of uint8, the type of the
# labels of MNIST and of pixels, and as int64. Guess: the same errors for both types, as mean_absolute_error,
# mean_squared_error and r2_score give them.
# Seen: max_error is 255 instead of 1 for the dial and 255 instead of 3 for the picture. The median_absolute_error of
# the reader that is too low is 255 instead of 1. The one takes the truth less the reading, the other the reading less
# the truth, so that a difference of -1 is 255, and other values come out if the two are swapped. Nothing warns. The
# other seven metrics that were tried are right: they convert to floats first. Issue 28827 of
# scikit-learn/scikit-learn, closed, has mean_squared_error, which is right now; none was found for these two.
# Why it matters: the largest error is what one looks at to see whether a reader is safe to use, and the median is what
# one takes so that a few bad pictures do not count. Convert to int or float first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
import sklearn
from sklearn import metrics

print("scikit-learn", sklearn.__version__)
random = np.random.default_rng(0)
truth = random.integers(1, 9, 200)
reading = truth + random.choice([-1, 0, 1], 200)
low = truth - random.choice([0, 1], 200, p=[0.2, 0.8])
picture = random.integers(20, 230, (28, 28)).ravel()
noisy = picture + random.integers(-3, 4, 784)
names = ["max_error", "median_absolute_error", "mean_absolute_error", "mean_squared_error", "root_mean_squared_error",
         "r2_score", "explained_variance_score", "mean_pinball_loss", "d2_absolute_error_score"]
wrong, found = set(), {}
for title, first, second in (("dial", truth, reading), ("too low", truth, low), ("picture", picture, noisy)):
    for name in names:
        metric = getattr(metrics, name)
        values = [float(metric(one.astype(kind), other.astype(kind))) for kind in (np.int64, np.uint8)
                  for one, other in ((first, second), (second, first))]
        found[title, name] = values
        if not np.allclose(values[:2], values[2:]):
            wrong.add((title, name))
        print(f"{title}, {name}: {values[0]:.4g} of int64, {values[2]:.4g} of uint8; swapped {values[1]:.4g} of int64,"
              f" {values[3]:.4g} of uint8")
as_found = {name for _, name in wrong} == set(names[:2])
as_found &= found["dial", "max_error"] == [1, 1, 255, 255] and found["picture", "max_error"] == [3, 3, 255, 255]
as_found &= found["too low", "median_absolute_error"] == [1, 1, 255, 1]
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
