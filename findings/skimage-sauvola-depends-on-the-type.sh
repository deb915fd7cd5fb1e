#!/usr/bin/env bash
# scikit-image 0.26.0: threshold_sauvola finds other ink in a picture as floats than in the same picture as uint8.
#
# Input: drawn digits of grey level 150 on paper of 200 with a little noise, as uint8, as floats by img_as_float, as
# floats from 0 to 255, and as uint16 with the same numbers. Guess: one mask, up to rounding, as threshold_otsu and
# threshold_niblack give; floats from 0 to 255 are as good as uint8, since the formula has no absolute level.
# Seen: it has one, R, by default half of the type's range, and the range of floats is taken as -1 to 1. So R is half of
# the picture's range for uint8 and all of it for the same picture in floats: a fifth of the ink is lost. Floats from 0
# to 255, R still 1, are ink everywhere; uint16 loses nearly half. With r=0.5 the floats give the mask of uint8 to the
# pixel. The docstring says "half of the image dtype range", and nothing of what that is for floats. No issue was found.
# Why it matters: Sauvola is the usual first step for documents, and most functions of scikit-image return floats: a
# blur before it changes the strokes that a digit network sees more than the blur does. Name r, half of white less
# black.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-image==0.26.0 numpy==2.4.6 scipy==1.17.1 pillow==13.0.0
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
import skimage
from PIL import Image, ImageDraw, ImageFont
from skimage.filters import threshold_niblack, threshold_otsu, threshold_sauvola

drawn = Image.new("L", (240, 60), 200)
ImageDraw.Draw(drawn).text((10, 5), "0123456789", 150, ImageFont.load_default(size=40))
noise = np.random.default_rng(0).normal(0, 4, (60, 240))
grey = np.clip(np.asarray(drawn) + noise, 0, 255).astype(np.uint8)
floats = skimage.img_as_float(grey)
forms = {"uint8": grey, "0 to 1": floats, "0 to 255": floats * 255, "uint16": grey.astype(np.uint16)}
print("scikit-image", skimage.__version__)
ink, others = {}, {}
for name, picture in forms.items():
    ink[name] = int((picture < threshold_sauvola(picture, 25)).sum())
    others[name] = [int((picture < find(picture)).sum()) for find in (threshold_otsu, threshold_niblack)]
    print(f"{name}: Sauvola {ink[name]} pixels of ink, Otsu and Niblack {others[name]}")
equal = ((floats < threshold_sauvola(floats, 25, r=0.5)) == (grey < threshold_sauvola(grey, 25, r=127.5))).all()
print("with r named, floats and uint8 are equal:", bool(equal))
as_found = equal and 1400 < ink["uint8"] < 1650 and 1100 < ink["0 to 1"] < 1350
as_found &= ink["0 to 255"] == grey.size and ink["uint16"] < 1000
as_found &= max(others["uint8"][0], others["0 to 1"][0]) < 1.1 * min(others["uint8"][0], others["0 to 1"][0])
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
