#!/usr/bin/env bash
# rapidocr 3.10.0 keeps the switches of one call (use_det, use_cls, use_rec) for all later calls of the same engine.
#
# Input: a drawn picture of two lines of print, which RapidOCR reads without an error.
# Guess: engine(picture, use_det=False) skips detection for this call only, as an argument of a call does elsewhere.
# Seen: engine(picture) reads both lines. After one engine(picture, use_det=False), the same engine(picture) gives
# something else, since detection stays off. engine(picture, use_det=True) brings both lines back.
# Why it matters: a program that reads a single crop without detection, and then pages with the same engine, loses nearly
# all text of the pages without an error, and is many times faster: comparisons of accuracy and of speed are both wrong.
# Whoever uses a switch has to name all of them in each call.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rapidocr==3.10.0 onnxruntime==1.23.2 pillow==12.0.0
cat > "$folder/read.py" << 'PYTHON'
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rapidocr import RapidOCR

page = Image.new("RGB", (640, 320), "white")
for place, text in enumerate(("4071 2958", "360 15")):
    ImageDraw.Draw(page).text((60, 40 + 130 * place), text, "black", ImageFont.load_default(size=70))
picture = np.asarray(page)
engine = RapidOCR(params={"Global.log_level": "critical"})
first = engine(picture).txts
engine(picture, use_det=False)
later = engine(picture).txts
named = engine(picture, use_det=True, use_cls=True, use_rec=True).txts
print("first:", first)
print("after a call with use_det=False:", later)
print("with all switches named:", named)
assert first is not None and len(first) == 2, "the picture is read in two lines"
assert later != first, "the switch holds for one call only: the behaviour has changed"
assert named == first
PYTHON
"$folder/venv/bin/python" "$folder/read.py"
echo "as described: a switch of one call is kept for the next"
