#!/usr/bin/env bash
# opencv-python 5.0.0.93 reads a grey Sun raster that it wrote itself as a black picture.
#
# Input: a drawn 42, black on white, that cv2.imwrite saves as .ras, and as .pgm, .bmp and .png as controls. The same
# picture as a Sun raster with a palette of greys, and one of 1 bit, where a 1 is ink.
# Guess: imread gives the picture that was saved, whatever the flag. Pillow reads it so.
# Seen: with IMREAD_GRAYSCALE, IMREAD_UNCHANGED, IMREAD_ANYDEPTH and IMREAD_ANYCOLOR, each pixel of the .ras is 0. The
# size and the type are right, and nothing warns. With IMREAD_COLOR, and from the other formats, it is right. Of 1 bit,
# grey is black too, and colour is a negative. With a palette all are right. In the source the grey levels are looked up
# in a table, which is filled only if the file has a palette. OpenCV 4.13 and 4.14 are the same. Pull request 29146 of
# opencv/opencv, merged in May 2026, has the black picture; the tests had left this format out.
# Why it matters: older sets of digits and letters are kept in this format. A reader of digits opens pictures as grey,
# while a look at one with the default flags shows that all is well. Read with IMREAD_COLOR, or with Pillow.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import struct
import sys

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

folder = sys.argv[1]
drawn = Image.new("1", (61, 40), 1)
ImageDraw.Draw(drawn).text((5, 2), "42", 0, ImageFont.load_default(size=30))
page = np.asarray(drawn).astype(np.uint8) * 255


def raster(rows: list[bytes], bits: int, palette: bytes = b"") -> bytes:
    """A Sun raster without compression, whose lines are of even length."""
    data = b"".join(row + b"\0" * (len(row) % 2) for row in rows)
    header = (0x59A66A95, page.shape[1], page.shape[0], bits, len(data), 1, 1 if palette else 0, len(palette))
    return struct.pack(">8I", *header) + palette + data


def what(picture: np.ndarray) -> str:
    picture = picture if picture.ndim == 2 else picture[:, :, 0]
    names = {"right": page, "black": np.zeros_like(page), "negative": 255 - page}
    return next((name for name, wanted in names.items() if np.array_equal(picture, wanted)), "something else")


files = {}
for ending in ("ras", "pgm", "bmp", "png"):
    files[f"written.{ending}"] = cv2.imencode(f".{ending}", page)[1].tobytes()
files["palette.ras"] = raster([row.tobytes() for row in page], 8, bytes(range(256)) * 3)
files["bit.ras"] = raster([np.packbits(row == 0).tobytes() for row in page], 1)
flags = ("GRAYSCALE", "UNCHANGED", "ANYDEPTH", "ANYCOLOR", "COLOR")
others = {"written.ras": ["black"] * 4 + ["right"], "bit.ras": ["black"] * 4 + ["negative"]}
print("OpenCV", cv2.__version__)
same = True
for name, data in files.items():
    path = f"{folder}/{name}"
    with open(path, "wb") as file:
        file.write(data)
    found = [what(cv2.imread(path, getattr(cv2, f"IMREAD_{flag}"))) for flag in flags]
    with Image.open(path) as picture:
        pillow = what(np.asarray(picture.convert("L")))
    print(f"{name}: {', '.join(f'{flag} {seen}' for flag, seen in zip(flags, found, strict=True))}; Pillow {pillow}")
    same &= pillow == "right" and found == others.get(name, ["right"] * 5)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
