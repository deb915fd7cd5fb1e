#!/usr/bin/env bash
# opencv-python 5.0.0.93: stackBlur of bright pictures of 16 bits gives levels that are nowhere in the picture.
#
# Input: flat pictures of one level, as uint8, float32, uint16 and int16, and square kernels of 3 to 101 pixels. Thermal
# and industrial cameras give 16 bits. The documentation has CV_16U and CV_16S among the types, and any odd size.
# Guess: a flat picture that is blurred is the same picture, but for rounding, as with GaussianBlur and blur.
# Seen: uint8 and float32 are right. Of uint16, paper of 50000 is 38661 with a kernel of 5 pixels, 37075 with 7 and
# 36284 with 9. It is right with 3, and with 11 to 29. It is 17232 with 31, and 875 with 51. White of 65535 is 34 with
# 25. Of int16, -20000 is -17659 with 5, and 12768 with 31. Levels of 20000 in uint16 are right up to 41. In the source,
# small kernels add the pixels on both sides in 16 bits, where a sum ends at 65535. In large ones, the product of sum
# and factor wraps at 32 bits. A few columns at the end of a line, where no vectors are used, are right. Nothing warns.
# OpenCV 4.13.0.92 is the same. No issue that mentions it was found.
# Why it matters: bright paper becomes darker than the blurred ink on it, or black, and a negative temperature becomes a
# positive one. Dark pictures are right, so tests with them pass. Use GaussianBlur, or stackBlur of float32.
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
SIZES = (3, 5, 7, 9, 11, 15, 21, 25, 29, 31, 41, 51, 101)
same = True


def blurred(level: float, kind: type, way=cv2.stackBlur) -> dict[int, float]:
    """The level that most pixels of a flat picture have when it is blurred, by size of the kernel."""
    flat = np.full((240, 320), level, kind)
    options = (0,) if way is cv2.GaussianBlur else ()
    return {size: int(np.median(way(flat, (size, size), *options))) for size in SIZES}


for kind, level, wrong in (
    (np.uint8, 250, {}),
    (np.float32, 50000, {}),
    (np.uint16, 20000, {51: 3626, 101: 3658}),
    (np.uint16, 50000, {5: 38661, 7: 37075, 9: 36284, 31: 17232, 41: 17363, 51: 875, 101: 954}),
    (np.uint16, 65535, {5: 43860, 7: 40959, 9: 39397, 25: 34, 29: 162, 31: 32767, 41: 171, 51: 34, 101: 138}),
    (np.int16, -20000, {5: -17659, 7: -17288, 9: -17141, 31: 12768, 41: 12715, 51: -3627, 101: 437}),
):
    found = blurred(level, kind)
    off = {size: value for size, value in found.items() if abs(value - level) > 0.005 * abs(level)}
    print(f"{kind.__name__} {level}: right with {[size for size in SIZES if size not in off]}, other levels {off}")
    same &= off == wrong
for way in (cv2.GaussianBlur, cv2.blur):
    right = set(blurred(50000, np.uint16, way).values()) == {50000}
    print(f"{way.__name__} of uint16 50000 right with all sizes: {right}")
    same &= right
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
