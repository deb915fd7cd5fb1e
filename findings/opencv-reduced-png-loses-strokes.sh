#!/usr/bin/env bash
# opencv-python 5.0.0.93: IMREAD_REDUCED_GRAYSCALE_4 and _8 lose thin strokes of a PNG, and keep those of the same JPEG.
#
# Input: a zero drawn with lines of one pixel, black on white, 257x257 pixels, at eight places, as PNG, TIFF, BMP, WebP and
# JPEG. Guess: a pixel of the reduced picture is about the mean of the pixels behind it, so that the zero becomes light grey.
# Seen: as JPEG it does; its decoder scales. The others are decoded whole and resized with bilinear interpolation, which
# looks at two of four or of eight pixels of a row. By eighths the zero is gone, every pixel white, at five of eight
# places; by fourths at two. Sizes differ as well: 257 pixels become 33 as JPEG and 32 else.
# The documentation of the flags says "reduced 1/8" and no more, and the issues have no word of it.
# Why it matters: the flags are how large scans are read fast. Hairlines, dot matrix and light print vanish or not by where
# they lie, from PNG and TIFF only, and boxes scaled back from a JPEG do not fit. Decode whole and resize with INTER_AREA.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import cv2
import numpy as np


def zero(shift):
    page = np.full((257, 257), 255, np.uint8)
    cv2.rectangle(page, (80 + shift, 40 + shift), (144 + shift, 200 + shift), 0, 1)
    return page


lost, sizes = {}, {}
for name, flag, step in (("by 4", cv2.IMREAD_REDUCED_GRAYSCALE_4, 4), ("by 8", cv2.IMREAD_REDUCED_GRAYSCALE_8, 8)):
    for kind in (".png", ".tif", ".bmp", ".webp", ".jpg"):
        pictures = [cv2.imdecode(cv2.imencode(kind, zero(shift))[1], flag) for shift in range(8)]
        lost[name, kind] = sum(bool((picture > 250).all()) for picture in pictures)
        sizes[name, kind] = pictures[0].shape[0]
        print(f"{name}, {kind}: {sizes[name, kind]} pixels high, the zero is gone in {lost[name, kind]} of 8 pictures")
    means = [cv2.resize(zero(shift), (257 // step, 257 // step), interpolation=cv2.INTER_AREA) for shift in range(8)]
    assert all(picture.min() < 250 for picture in means), "INTER_AREA keeps it"
others = (".png", ".tif", ".bmp", ".webp")
as_found = all(lost["by 4", kind] == 2 and lost["by 8", kind] == 5 and sizes["by 8", kind] == 32 for kind in others)
as_found &= lost["by 4", ".jpg"] == lost["by 8", ".jpg"] == 0 and sizes["by 8", ".jpg"] == 33
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
