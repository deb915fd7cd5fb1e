#!/usr/bin/env bash
# opencv-python 5.0.0.93: the integral of a bright grey photograph of 12 megapixels ends below zero.
#
# Input: flat grey pictures of level 230, as uint8, of 6, 12 and 24 megapixels, as telephones and scanners give.
# cv2.integral, with its defaults and with each sdepth. As controls cv2.sumElems, cv2.mean and scikit-image.
# Guess: the last value is the sum of all pixels, in a type that is wide enough, or there is an error.
# Seen: the type is int32. With 6 megapixels all is right. With 12 the sum of 2760000000 is -1534967296, so the mean is
# -127.9, and with 24 the sum of 5520000000 is 1225032704, a mean of 51. The mean of a part is right if its four corners
# are subtracted as int32 and its own sum fits. If they are made int64 or float first, that of the lower half of 12
# megapixels is -485.8. With sdepth=CV_32F the mean of the last 20 x 20 pixels is 230.4, and with CV_64F all is right.
# sumElems, mean and scikit-image's integral_image are right. Nothing warns. Sums wrap above 2147483647, which is 8.4
# megapixels of white. The documentation names the types, and no limit. Issue 20162 of opencv/opencv, open since 2021,
# has a doubt of this kind about a detector that is built on it; none about integral itself was found.
# Why it matters: the brightness of a page, and the means around pixels that thresholds need, come from this table.
# Tests with small or dark pictures pass. Use sdepth=cv2.CV_64F.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  opencv-python-headless==5.0.0.93 scikit-image==0.26.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import cv2
import numpy as np
from skimage.transform import integral_image

print("OpenCV", cv2.__version__)
LEVEL = 230


def mean(table: np.ndarray, top: int, left: int, kind: type | None = None) -> float:
    """The mean from a place to the last pixel, with the corners of the table made this type first."""
    corners = [table[-1, -1], table[top, -1], table[-1, left], table[top, left]]
    with np.errstate(over="ignore"):
        last, above, before, both = corners if kind is None else [kind(corner) for corner in corners]
        total = last - above - before + both
    return float(total) / ((table.shape[0] - 1 - top) * (table.shape[1] - 1 - left))


same = True
for height, width, wanted, halves in (
    (2000, 3000, 1380000000, [230, 230, 230]),
    (3000, 4000, -1534967296, [230, -485.8, -485.8]),
    (4000, 6000, 1225032704, [-127.9, 230, 230]),
):
    page = np.full((height, width), LEVEL, np.uint8)
    total = height * width * LEVEL
    table = cv2.integral(page)
    double, single = cv2.integral(page, sdepth=cv2.CV_64F), cv2.integral(page, sdepth=cv2.CV_32F)
    half = [mean(table, height // 2, 0, kind) for kind in (None, np.int64, np.float64)]
    corner = mean(single, height - 20, width - 20)
    other = int(integral_image(page)[-1, -1])
    print(f"{height * width / 1e6:.0f} megapixels, sum {total}: {table[-1, -1]} of {table.dtype}, mean "
          f"{mean(table, 0, 0):.1f}; CV_64F {double[-1, -1]:.0f}; CV_32F in the corner {corner:.1f}; sumElems "
          f"{cv2.sumElems(page)[0]:.0f}; mean {cv2.mean(page)[0]}; scikit-image {other}")
    print("    mean of the lower half in int32, int64 and float64:", *(f"{value:.1f}" for value in half))
    same &= table.dtype == np.int32 and int(table[-1, -1]) == wanted
    same &= double[-1, -1] == cv2.sumElems(page)[0] == other == total and cv2.mean(page)[0] == LEVEL
    same &= round(corner, 1) == 230.4
    same &= [round(value, 1) for value in half] == halves
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
