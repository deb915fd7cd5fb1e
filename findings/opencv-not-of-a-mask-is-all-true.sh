#!/usr/bin/env bash
# OpenCV 5.0.0: bitwise_not of a NumPy mask of type bool is True everywhere.
#
# Input: a bool mask of ink, 32 of 384 pixels. OpenCV 4 raises for bool arrays; 5 has a type for them, and countNonZero,
# bitwise_and, bitwise_xor, copyTo and compare are right with it. Guess: bitwise_not inverts the mask, as NumPy's ~ and
# as OpenCV itself does with 0 and 255.
# Seen: it returns a bool array of the bytes 254 and 255, which count as True in all 384 pixels; taking pixels with it
# takes all of them. No error or warning, where resize, dilate and threshold raise for bool. Its documentation says that
# it inverts every bit, and has no word of bool. Issue 25890 of opencv/opencv, open since 2024, lists what the type
# lacks, and does not have it. The PNG of such a mask is of 0 and 1, so black: that is issue 29365, closed in 2026 by a
# change that is not in this release.
# Why it matters: code that worked around the error of OpenCV 4 with uint8 is made simpler, and runs. "All but the ink"
# becomes the whole picture, so the brightness of the paper includes the digits, and filling the paper erases them.
# Invert with ~.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import cv2
import numpy as np

print("OpenCV", cv2.__version__)
mask = np.zeros((16, 24), bool)
mask[4:12, 6:10] = True
grey = np.where(mask, 20, 220).astype(np.uint8)
paper = cv2.bitwise_not(mask)
saved = cv2.imdecode(cv2.imencode(".png", mask)[1], cv2.IMREAD_UNCHANGED)
of_bytes = cv2.bitwise_not(mask.astype(np.uint8) * 255)
print(f"mask: {np.count_nonzero(mask)} of {mask.size} True, countNonZero {cv2.countNonZero(mask)}")
print(f"~mask: {np.count_nonzero(~mask)} True; bitwise_not of 0 and 255: {np.count_nonzero(of_bytes)} not 0")
print(f"bitwise_not(mask): {paper.dtype}, {np.count_nonzero(paper)} True, as bytes {np.unique(paper.view(np.uint8))}")
print(f"pixels of paper: {grey[~mask].size} with ~, {grey[paper].size} with bitwise_not, least {grey[paper].min()}")
print(f"the mask as PNG: values {np.unique(saved)} of {saved.dtype}")
right = cv2.countNonZero(mask) == 32 and np.count_nonzero(of_bytes) == 352
right &= bool(np.array_equal(cv2.bitwise_and(mask, mask), mask))
as_found = paper.dtype == bool and np.count_nonzero(paper) == grey[paper].size == 384 and saved.max() == 1
sys.exit(0 if right and as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
