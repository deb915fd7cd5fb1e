#!/usr/bin/env bash
# scipy 1.17.1: spatial.distance.euclidean, cityblock and cosine are wrong for uint8 pictures, sqeuclidean and cdist
# right.
#
# Input: two drawn digits as uint8, a 1 and a 7 of 28x28, flattened. Guess: they all convert to float64, or they all do
# not: euclidean is the root of sqeuclidean, and cosine of two different pictures is not 0.
# Seen: sqeuclidean, correlation and cdist convert; euclidean, minkowski, cityblock and cosine work in uint8.
# euclidean(a, b) is neither the root of sqeuclidean(a, b) nor euclidean(b, a), cityblock takes a difference of -1 as
# 255, and cosine is 0, that of equal pictures. Only cosine lets NumPy warn. Issue 9961 of scipy/scipy, open since 2019;
# the documentation names no type.
# Why it matters: the nearest picture, near-repeats between training and test, and how much a crop moved are judged by
# these functions on just such arrays. Two pictures that differ by 1 everywhere come out as nearly the furthest apart
# that there are. Convert first, or use cdist.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6 pillow==13.0.0
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
import scipy
from PIL import Image, ImageDraw, ImageFont
from scipy.spatial import distance


def drawn(text):
    """A digit of 28x28, light on dark, flattened, as uint8."""
    picture = Image.new("L", (28, 28))
    ImageDraw.Draw(picture).text((14, 14), text, 255, ImageFont.load_default(size=26), anchor="mm")
    return np.asarray(picture).ravel()


print("scipy", scipy.__version__)
one, seven = drawn("1"), drawn("7")
right, wrong = {}, {}
for name in ("euclidean", "minkowski", "cityblock", "chebyshev", "cosine", "sqeuclidean", "correlation"):
    measure = getattr(distance, name)
    given, converted = float(measure(one, seven)), float(measure(one.astype(float), seven.astype(float)))
    print(f"{name}: {given:.3f} of uint8, {float(measure(seven, one)):.3f} the other way round, {converted:.3f} of floats")
    (right if np.isclose(given, converted) else wrong)[name] = given
both = distance.cdist(one[None], seven[None])[0, 0], distance.euclidean(one.astype(float), seven.astype(float))
grey, lighter = np.full(784, 100, np.uint8), np.full(784, 101, np.uint8)
near = [float(distance.cityblock(first, second)) for first, second in ((lighter, grey), (grey, lighter))]
print(f"784 pixels that differ by 1: cityblock {near[0]:.0f}, and {near[1]:.0f} the other way round")
as_found = {"sqeuclidean", "correlation"} <= set(right) and {"euclidean", "minkowski", "cityblock", "cosine"} <= set(wrong)
as_found &= bool(np.isclose(*both)) and near == [784, 784 * 255]
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/show.py"
