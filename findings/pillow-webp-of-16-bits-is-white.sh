#!/usr/bin/env bash
# Pillow 13.0.0 saves a scan of 16 bits as a white page in WebP and AVIF, and as one colour in GIF, without a word.
#
# Input: a drawn 42 of level 8000 on paper of 50000, as I;16 from an array of uint16, as I and as F; and as F of 0 to 1.
# It is saved in each format that takes it, without loss where the format can.
# Guess: a format without such pixels refuses, as JPEG, BMP, TGA and PCX do, or has the levels divided by 257 or so.
# TIFF keeps them, and so does PNG with I;16.
# Seen: WebP, AVIF and GIF take all of these modes. Each pixel of the WebP and of the AVIF is 255, and that of a picture
# of 0 to 1 is 0. The GIF has one colour. Nothing warns, and the size is right. PNG has 8000 and 50000. In the source,
# these three convert a mode that they do not have to RGB or L, which cuts at 255, and the other formats raise an error.
# That conversion cuts is discussed in issue 2228 of python-pillow/Pillow, which is open; none about saving in
# these formats was found. A picture of 8 bits is right in all formats.
# Why it matters: WebP and AVIF are what pictures are converted to for the web, to save room. The scan is deleted, and
# what is left is a white page. A person who has seen that JPEG is refused takes saving without an error for a success.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import io
import sys

import numpy as np
import PIL
from PIL import Image, ImageDraw, ImageFont

drawn = Image.new("1", (80, 50), 1)
ImageDraw.Draw(drawn).text((10, 5), "42", 0, ImageFont.load_default(size=36))
page = np.where(np.asarray(drawn), 50000, 8000).astype(np.uint16)
print("Pillow", PIL.__version__)


def saved(picture: Image.Image, kind: str):
    """The levels that a file has, as greys, or "refused"."""
    data = io.BytesIO()
    options = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100}}.get(kind, {})
    try:
        picture.save(data, kind, **options)
    except (OSError, ValueError):
        return "refused"
    with Image.open(data) as found:
        read = found if found.mode in ("I;16", "I", "F", "L") else found.convert("RGB").convert("L")
        levels = [round(float(level), 3) for level in np.unique(np.asarray(read))]
        return levels if len(levels) < 3 else f"{levels[0]} to {levels[-1]}"


pictures = {
    "I;16": Image.fromarray(page),
    "I": Image.fromarray(page.astype(np.int32)),
    "F": Image.fromarray(page.astype(np.float32)),
    "F of 0 to 1": Image.fromarray((page / 65535).astype(np.float32)),
    "L": Image.fromarray((page // 257).astype(np.uint8)),
}
same = True
for name, picture in pictures.items():
    found = {kind: saved(picture, kind) for kind in ("WEBP", "AVIF", "GIF", "PNG", "TIFF", "JPEG", "BMP", "TGA", "PCX")}
    print(f"{name}, {picture.mode}: {found}")
    if name == "L":
        same &= all(found[kind] == [31, 194] for kind in ("WEBP", "GIF", "PNG", "TIFF", "BMP", "TGA", "PCX"))
        continue
    flat = [0] if name == "F of 0 to 1" else [255]
    same &= found["WEBP"] == found["AVIF"] == flat and len(found["GIF"]) == 1
    same &= all(found[kind] == "refused" for kind in ("JPEG", "BMP", "TGA", "PCX"))
    same &= len(found["TIFF"]) == 2 and found["PNG"] == ([8000, 50000] if name == "I;16" else "refused")
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
