#!/usr/bin/env bash
# scikit-learn 1.9.1: weighted kappa counts places in the list of labels, not values: 0.97 instead of 0.00.
#
# Input: two people who read the same 200 thermometers in tenths of a degree, as integers of 200 to 229. In one set the
# second is off by 1 at times, in the other he writes three readings with a zero too many. Dials of 0 to 12, as integers
# and as text. cohen_kappa_score with weights="linear" and "quadratic". As controls kappa from its definition with the
# differences of the values, irrCAC, and cohen_kappa_score with all integers between as labels.
# Guess: the same kappa from all of them: quadratic weights are the squares of differences, so readings that are ten
# times too large leave no agreement. Text as labels is an error, or is ordered as numbers.
# Seen: the first set is right. With the zeros too many the quadratic kappa is 0.97 instead of 0.00, and the linear one
# 0.975 instead of 0.258: in the list of labels that occur, 2080 stands behind 229, so they are as near as 228 and 229.
# The dials have 0.99, and as text 0.92, since "10" stands between "1" and "2". There is no warning. The code makes
# weights of 0, 1, 2 and so on, and the docstring only names them. With all integers between as labels it is right. No
# issue was found.
# Why it matters: two people who label meters are judged by this number, and a factor of ten is the worst mistake. The
# number depends on which readings happen to occur. Give labels=range(least, largest + 1), or use irrCAC.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  scikit-learn==1.9.1 irrCAC==0.4.4 scipy==1.12.0 numpy==1.26.4 pandas==2.3.3
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
import pandas as pd
import sklearn
from irrCAC.raw import CAC
from sklearn.metrics import cohen_kappa_score


def defined(first, second, power):
    """1 less the disagreement that is observed, as a share of the one that is expected."""
    first, second = first.astype(float), second.astype(float)
    return 1 - np.mean(abs(first - second)**power) / np.mean(abs(first[:, None] - second)**power)


print("scikit-learn", sklearn.__version__)
random = np.random.default_rng(0)
readings = random.integers(200, 230, 200)
near = readings + (random.random(200) < 0.2)
far = readings.copy()
far[[20, 90, 160]] *= 10
dials = random.integers(0, 13, 200)
other = np.minimum(dials + (random.random(200) < 0.2), 12)
same = True
wanted = {
    "off by 1 at times": (readings, near, True), "three with a zero too many": (readings, far, False),
    "dials": (dials, other, True), "dials as text": (dials.astype(str), other.astype(str), False),
}
for name, (first, second, right) in wanted.items():
    for power, weights in enumerate(("linear", "quadratic"), 1):
        found = cohen_kappa_score(first, second, weights=weights)
        numbers = first.astype(int), second.astype(int)
        true = defined(*numbers, power)
        both = np.concatenate(numbers)
        listed = cohen_kappa_score(*numbers, weights=weights, labels=range(both.min(), both.max() + 1))
        table = pd.DataFrame(dict(zip("ab", numbers)))
        coefficient = CAC(table, weights=weights).conger()["est"]["coefficient_value"]
        print(f"{name}, {weights}: {found:.3f}; by the definition {true:.3f},",
              f"with all integers as labels {listed:.3f}, irrCAC {coefficient:.3f}")
        same &= abs(listed - true) < 1e-9 and abs(coefficient - true) < 1e-3
        same &= (abs(found - true) < 0.01) == right
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
