#!/usr/bin/env bash
# Pillow 12.0.0: ImageFont.getbbox and ImageDraw.textbbox give no box around the ink, neither across nor down.
#
# Input: the font that Pillow brings, size 100, and the characters 1, - and '.
# Guess: getbbox("1") is the box of the pixels that ImageDraw.text draws; the documentation calls it the bounding box.
# Seen: it is the union of the ink, of the pen's way from 0 to the advance, and of the base line. The box of a 1 is about
# twice as wide as its ink, and that of a hyphen five times as high. font.getmask2(text) is as wide as the box. Only the
# drawn pixels show the ink.
# Why it matters: whoever draws characters to train a detector, and takes getbbox for their boxes, teaches it boxes that
# are too wide for a 1 and too high for signs; gaps between digits measured with it vanish.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pillow==12.0.0 numpy==2.3.5
cat > "$folder/boxes.py" << 'PYTHON'
import numpy as np
from PIL import Image, ImageDraw, ImageFont

font = ImageFont.load_default(size=100)
for text in ("1", "-", "'"):
    canvas = Image.new("L", (400, 400))
    ImageDraw.Draw(canvas).text((150, 150), text, 255, font)
    rows, columns = np.nonzero(np.asarray(canvas))
    ink = int(columns.max() - columns.min() + 1), int(rows.max() - rows.min() + 1)
    left, top, right, bottom = font.getbbox(text)
    box = right - left, bottom - top
    print(f"{text}: ink {ink}, getbbox {box}")
    if text == "1":
        assert box[0] > 1.5 * ink[0], "getbbox is as wide as the ink: the behaviour has changed"
    else:
        assert box[1] > 1.2 * ink[1], "getbbox is as high as the ink: the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/boxes.py"
echo "as described: the box is not that of the ink"
