#!/usr/bin/env bash
# opencv-python 5.0.0.93 turns a photograph upright from JPEG, PNG and WebP, and leaves it on its side from AVIF.
#
# Input: a picture of 80x48 pixels that a phone held upright stored on its side (orientation 6), written by Pillow 13.0.0
# as JPEG, PNG, WebP and AVIF. Guess: imread turns all four, as its documentation says of orientation.
# Seen: three are 48x80, upright. AVIF is 80x48, on its side, with any flag: it states the turn in a property of its own,
# `irot`, which readers of the format have to apply, and OpenCV turns by EXIF only. The documentation speaks of EXIF and of
# no exception; no issue was found. Pillow tells of the turn in getexif(), and ImageOps.exif_transpose applies it.
# Why it matters: phones and web services convert photographs to AVIF. Numbers on their side are not read, or a 6 is read
# as something else, while the same photograph as JPEG is right, so it looks like a weakness of the network.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import io
import sys

import cv2
import numpy as np
from PIL import Image, ImageOps

ORIENTATION = 274

stored = np.zeros((48, 80, 3), np.uint8)
stored[:, :40] = 255  # upright, turned by a quarter to the right, this is the upper half
tag = Image.Exif()
tag[ORIENTATION] = 6


def seen(picture):
    """The width, the height and which half is bright."""
    grey = np.asarray(picture).reshape(*np.asarray(picture).shape[:2], -1).mean(2)
    rows, columns = grey.shape
    halves = {"upper": grey[: rows // 2], "lower": grey[rows // 2 :], "left": grey[:, : columns // 2]}
    return columns, rows, max(halves, key=lambda name: halves[name].mean())


found = {}
for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
    file = io.BytesIO()
    Image.fromarray(stored).save(file, kind, exif=tag)
    content = np.frombuffer(file.getvalue(), np.uint8)
    found[kind] = [seen(cv2.imdecode(content, flag)) for flag in (cv2.IMREAD_COLOR, cv2.IMREAD_GRAYSCALE)]
    by_pillow = seen(ImageOps.exif_transpose(Image.open(file)).convert("L"))
    print(f"{kind}: OpenCV {found[kind]}, Pillow {by_pillow}; irot in the file: {b'irot' in file.getvalue()}")
    assert by_pillow == (48, 80, "upper")
upright, lying = [(48, 80, "upper")] * 2, [(80, 48, "left")] * 2
as_found = all(found[kind] == upright for kind in ("JPEG", "PNG", "WEBP")) and found["AVIF"] == lying
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
