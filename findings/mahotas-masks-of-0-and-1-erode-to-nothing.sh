#!/usr/bin/env bash
# mahotas 1.4.19 erodes a mask of 0 and 1 to nothing and opens one to 2147483647, if it is of integers instead of bool.
#
# Input: a mask with a block of 5x5 as bool, as uint8 and int32 of 0 and 1, and as uint8 of 0 and 255. Guess: what
# scipy.ndimage gives, whose grey erosion is the smallest and dilation the largest of the neighbours, so that a mask
# gives the same in each type; mahotas documents that bool is binary and everything else grey.
# Seen: bool is right. uint8 of 0 and 1: erode and open give 0 everywhere, and dilate gives 0 and 2. int32 gives -1 and
# 0, then 1 and 2, and open is 2147483647 in 80 of 81 pixels. 0 and 255 keep their shape, at 254. The default element, a
# cross of ones, is added to the picture or subtracted from it, as a hill of height 1. Nothing warns. Issue 29 of
# luispedro/mahotas has it, open since 2013 with the label documentation, which still has only that the smallest value
# of the element is minus infinity; the result of open is not in it.
# Why it matters: masks of ink come as uint8 of 0 and 1 from a comparison or from OpenCV, and erode and open are what
# removes specks and parts touching digits. All digits are gone, or all pixels are ink. Cast masks to bool, and take
# scipy.ndimage for grey pictures.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mahotas==1.4.19 scipy==1.17.1 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import mahotas
import numpy as np
from scipy import ndimage

print("mahotas", mahotas.__version__)
block = np.zeros((9, 9), bool)
block[2:7, 2:7] = True
masks = {
    "bool": block,
    "uint8 of 0 and 1": block.astype(np.uint8),
    "int32 of 0 and 1": block.astype(np.int32),
    "uint8 of 0 and 255": block.astype(np.uint8) * 255,
}
cross = ndimage.generate_binary_structure(2, 1)
ways = {
    "erode": (mahotas.erode, ndimage.grey_erosion),
    "dilate": (mahotas.dilate, ndimage.grey_dilation),
    "open": (mahotas.open, ndimage.grey_opening),
}
found = {}
for way, (with_mahotas, with_scipy) in ways.items():
    for name, mask in masks.items():
        values, counts = np.unique(with_mahotas(mask), return_counts=True)
        found[way, name] = dict(zip(values.tolist(), counts.tolist(), strict=True))
        values, counts = np.unique(with_scipy(mask.astype(np.int32), footprint=cross), return_counts=True)
        wanted = dict(zip(values.tolist(), counts.tolist(), strict=True))
        print(f"{way} of {name}: pixels by value {found[way, name]}, SciPy {wanted}")
as_found = {
    ("erode", "bool"): {False: 72, True: 9},
    ("erode", "uint8 of 0 and 1"): {0: 81},
    ("erode", "int32 of 0 and 1"): {-1: 72, 0: 9},
    ("erode", "uint8 of 0 and 255"): {0: 72, 254: 9},
    ("dilate", "bool"): {False: 36, True: 45},
    ("dilate", "uint8 of 0 and 1"): {0: 36, 2: 45},
    ("dilate", "int32 of 0 and 1"): {1: 36, 2: 45},
    ("open", "bool"): {False: 60, True: 21},
    ("open", "uint8 of 0 and 1"): {0: 81},
    ("open", "int32 of 0 and 1"): {1: 1, 2147483647: 80},
}
sys.exit(0 if all(found[case] == result for case, result in as_found.items()) else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
