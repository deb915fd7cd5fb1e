#!/usr/bin/env bash
# OpenCV 5.0.0: dnn.Image2BlobParams with a scale of 1/255 makes green and blue 0, where blobFromImage scales all three.
#
# Input: a picture of three channels of 200, and the scale 1/255 and mean 127.5 as numbers, given to blobFromImage and,
# for its letterbox and layout, to blobFromImageWithParams by the constructor, by keyword and by attribute. Guess: the
# same blob from both, as scalefactor has the same name, meaning and documentation.
# Seen: the scale of Image2BlobParams is four values, and a number fills the first and leaves 0 for the others: two of
# three channels are 0 in all three ways; with swapRB it is red that is kept. A grey picture is right. A mean as a number
# is taken from the first channel only, in both functions. No error or warning. Issue 23765 of opencv/opencv, open since
# 2023, has the attribute, which then left 1 in the others.
# Why it matters: a network for colour pictures sees black and white paper alike, as shades of one colour, and still
# reads the easy digits, which hides it. Tests with grey pictures pass. Give three values: (1/255,) * 3.
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
colour = np.full((20, 40, 3), 200, np.uint8)
grey = colour[..., 0].copy()
size = (40, 20)
attribute = cv2.dnn.Image2BlobParams()
attribute.scalefactor = 1 / 255
mean = cv2.dnn.Image2BlobParams()
mean.mean = 127.5
params = {
    "constructor": cv2.dnn.Image2BlobParams(1 / 255, size),
    "keyword": cv2.dnn.Image2BlobParams(scalefactor=1 / 255, size=size),
    "attribute": attribute,
    "swapRB": cv2.dnn.Image2BlobParams(scalefactor=1 / 255, size=size, swapRB=True),
    "three values": cv2.dnn.Image2BlobParams(scalefactor=(1 / 255,) * 3, size=size),
    "mean": mean,
}
blobs = {name: cv2.dnn.blobFromImageWithParams(colour, param) for name, param in params.items()}
blobs["grey"] = cv2.dnn.blobFromImageWithParams(grey, attribute)
blobs["blobFromImage"] = cv2.dnn.blobFromImage(colour, 1 / 255)
blobs["blobFromImage, mean"] = cv2.dnn.blobFromImage(colour, mean=127.5)
found = {name: [round(float(value), 3) for value in blob[0, :, 0, 0]] for name, blob in blobs.items()}
for name, values in found.items():
    print(f"{name}: {values}")
scaled = [0.784, 0.784, 0.784]
as_found = found["blobFromImage"] == found["three values"] == scaled and found["grey"] == [0.784]
as_found &= all(found[name] == [0.784, 0, 0] for name in ("constructor", "keyword", "attribute", "swapRB"))
as_found &= found["mean"] == found["blobFromImage, mean"] == [72.5, 200, 200]
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
