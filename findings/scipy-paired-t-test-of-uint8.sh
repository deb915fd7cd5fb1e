#!/usr/bin/env bash
# scipy 1.17.1: the paired t-test of two networks finds a difference that is none if right and wrong are of type uint8.
#
# Input: for 1000 digits whether each of two networks reads them right, 1 or 0. The first reads 950 right, the second 940:
# 20 digits that the other misses against 10. Guess: ttest_rel gives one p-value, whatever the type of the array.
# Seen: int64 and float give p = 0.068 and an interval of the difference from -0.001 to 0.021. uint8 gives p = 0.0014 and
# an interval from 0.995 to 4.145, for a difference of two shares, which cannot be above 1: 0 minus 1 is 255 before it
# becomes a float. With the networks exchanged, t is positive too. tmean adds up pixels of uint8 modulo 256, with limits
# and without: the mean of a digit of scikit-learn is 0.59 instead of 4.59. wilcoxon and ttest_ind are right for uint8, and
# so is ttest_1samp of the difference of floats; ttest_rel of bool raises. No warning. The documentation of ttest_rel names
# no types. No issue was found.
# Why it matters: a mask of right answers is small as uint8, and labels of MNIST are of this type. A network looks
# significantly better than another where chance would do. Convert to float before, and look at the interval.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scipy==1.17.1 scikit-learn==1.9.1 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
import scipy
from scipy import stats
from sklearn.datasets import load_digits

print("scipy", scipy.__version__)
first, second = np.zeros((2, 1000), int)
first[:950] = 1
second[:930] = second[950:960] = 1
found = {}
for kind in (np.uint8, np.int64, np.float64):
    one, other = first.astype(kind), second.astype(kind)
    paired, exchanged = stats.ttest_rel(one, other), stats.ttest_rel(other, one)
    low, high = paired.confidence_interval()
    others = stats.wilcoxon(one, other).pvalue, stats.ttest_ind(one, other).pvalue
    found[kind] = paired.pvalue, low, high, exchanged.statistic, *others
    print(
        f"{kind.__name__}: p {paired.pvalue:.4f}, interval {low:.3f} to {high:.3f}, t {paired.statistic:.2f}, "
        f"exchanged {exchanged.statistic:.2f}; wilcoxon {others[0]:.3f}, ttest_ind {others[1]:.3f}"
    )
right = stats.ttest_1samp(first.astype(float) - second, 0).pvalue
print(f"ttest_1samp of the difference: p {right:.4f}")
as_found = np.allclose(found[np.int64], found[np.float64]) and np.isclose(found[np.int64][0], right)
as_found &= np.allclose(found[np.int64][:3], [0.0679, -0.0007, 0.0207], atol=1e-4) and found[np.int64][3] < 0
as_found &= np.allclose(found[np.uint8][:3], [0.0014, 0.9949, 4.1451], atol=1e-4) and found[np.uint8][3] > 0
as_found &= np.allclose(found[np.uint8][4:], found[np.int64][4:])
picture = load_digits().images[0].astype(np.uint8)
means = [float(mean) for mean in (picture.mean(), stats.tmean(picture), stats.tmean(picture.astype(float)))]
print(f"mean of a digit of uint8: numpy {means[0]:.2f}, tmean {means[1]:.2f}, tmean of floats {means[2]:.2f}")
as_found &= np.allclose(means, [4.59375, 0.59375, 4.59375]) and stats.tmean(picture, limits=(0, 255)) == means[1]
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" -W error "$folder/show.py"
