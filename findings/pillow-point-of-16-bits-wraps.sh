#!/usr/bin/env bash
# Pillow 13.0.0: a scan of 16 bits made brighter by point(lambda level: level * 1.4) has nearly black paper.
#
# Input: greys of 8000 to 50000 as I;16, from an array of uint16 and from a PNG of 16 bits, with point and a function
# that scales and adds. As controls the same levels as I, and those divided by 250 as L.
# Guess: what is above the largest level becomes the largest, as in L, where 200 * 1.4 is 255.
# Seen: 50000 * 1.4 is 4464 and 8000 * 1.4 is 11200, so paper is darker than ink. 50000 * 2 is 34464, and 50000 + 20000
# is 4464. 8000 - 20000 is 53536 on a PC. L gives 255 and 0 where it is out of range, and I gives 70000 and -12000.
# Nothing warns. In the source the result is put into 16 bits as it is, while a table for L is cut to 0 to 255. The
# documentation says that the function is called for each possible level, and nothing about the range of its results.
# Pull request 6112 of python-pillow/Pillow made conversion from I to I;16 cut; none about point was found.
# Why it matters: contrast is raised before digits are read. White parts become black, and in the dark pictures of a
# test all is right. Convert to I, use point, and then convert to I;16, which cuts.
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
from PIL import Image

levels = np.array([[8000, 20000, 30000, 40000, 50000]])
data = io.BytesIO()
Image.fromarray(levels.astype(np.uint16)).save(data, "PNG")
pictures = {
    "I;16": Image.fromarray(levels.astype(np.uint16)),
    "I;16 of a PNG": Image.open(data),
    "I": Image.fromarray(levels.astype(np.int32)),
    "L": Image.fromarray((levels // 250).astype(np.uint8)),
}
print("Pillow", PIL.__version__)
same = True


def after(picture: Image.Image, function) -> list[int]:
    return np.asarray(picture.point(function))[0].tolist()


for text, function, short, long, byte in (
    ("level * 1.2", lambda level: level * 1.2, [9600, 24000, 36000, 48000, 60000], [9600, 24000, 36000, 48000, 60000],
     [38, 96, 144, 192, 240]),
    ("level * 1.4", lambda level: level * 1.4, [11200, 28000, 42000, 56000, 4464], [11200, 28000, 42000, 56000, 70000],
     [45, 112, 168, 224, 255]),
    ("level * 2", lambda level: level * 2, [16000, 40000, 60000, 14464, 34464], [16000, 40000, 60000, 80000, 100000],
     [64, 160, 240, 255, 255]),
    ("level * 1 + 20000", lambda level: level * 1 + 20000, [28000, 40000, 50000, 60000, 4464],
     [28000, 40000, 50000, 60000, 70000], [255] * 5),
):
    found = {name: after(picture, function) for name, picture in pictures.items()}
    print(f"{text}: {found}")
    same &= found["I;16"] == found["I;16 of a PNG"] == short and found["I"] == long and found["L"] == byte
darker = {name: after(picture, lambda level: level * 1 - 20000) for name, picture in pictures.items()}
print("level * 1 - 20000:", darker)
same &= darker["I"][0] == -12000 and darker["L"] == [0] * 5
cut = pictures["I;16"].convert("I").point(lambda level: level * 1.4).convert("I;16")
print("level * 1.4 as I, and back:", np.asarray(cut)[0].tolist())
same &= np.asarray(cut)[0].tolist() == [11200, 28000, 42000, 56000, 65535]
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
