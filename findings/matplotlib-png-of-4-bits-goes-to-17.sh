#!/usr/bin/env bash
# matplotlib 3.11.2 reads the white of a grey PNG of 4 bits as 17, and that of one of 2 bits as 85, instead of 1.
#
# Input: a drawn 42 in four greys, saved by Pillow as a PNG of 8 bits; the same picture after oxipng, which keeps all
# pixels and makes the file smaller; and PNG of 1, 4, 8 and 16 bits with the same pixels as far as they can hold them.
# Guess: plt.imread gives the same array for all. Its documentation says that PNG images are floats from 0 to 1.
# Seen: oxipng stores the picture in 2 bits, and then white is 85.0 and the darkest grey but black is 28.3. With 4 bits
# they are 17.0 and 5.67. PNG of 1, 8 and 16 bits and of a palette go from 0 to 1. Pillow gives the pixels of all as 0
# to 255; matplotlib divides those of 4 bits by 15 and those of 2 bits by 3. Nothing warns. plt.imshow stretches what
# it shows, so the picture looks right. No issue was found.
# Why it matters: a network that was trained on 0 to 1 gets an input that is 17 or 85 times too bright. A threshold of
# 0.5 turns each grey but black into paper, so grey digits vanish. It happens after a program made the files smaller:
# oxipng chooses the bits by the greys that a picture has. Open PNG with Pillow.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  matplotlib==3.11.2 pillow==13.0.0 numpy==2.4.6 pypng==0.20220715.0 pyoxipng==9.1.1
cat > "$folder/show.py" << 'PYTHON'
import sys
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import oxipng
import png
from PIL import Image, ImageDraw, ImageFont

print("matplotlib", matplotlib.__version__)
folder = Path(sys.argv[1])
picture = Image.new("L", (80, 60), 255)
draw = ImageDraw.Draw(picture)
draw.fontmode = "1"  # no smoothing: paper and three inks
for x, text, level in ((5, "4", 85), (30, "2", 170), (55, "1", 0)):
    draw.text((x, 5), text, level, ImageFont.load_default(size=40))
pixels = np.asarray(picture)
picture.save(folder / "8 bits.png")
(folder / "oxipng.png").write_bytes(oxipng.optimize_from_memory((folder / "8 bits.png").read_bytes()))
picture.convert("P").save(folder / "palette.png")
for bits in (1, 4, 16):
    with open(folder / f"{bits} bits.png", "wb") as file:
        levels = (pixels > 127) if bits == 1 else pixels / 255 * (2**bits - 1)
        png.Writer(80, 60, greyscale=True, bitdepth=bits).write(file, levels.astype(int).tolist())

found = {}
for name in ("1 bits", "8 bits", "16 bits", "palette", "4 bits", "oxipng"):
    path = folder / f"{name}.png"
    array = plt.imread(path)
    grey = array if array.ndim == 2 else array[..., 0]
    found[name] = [round(float(level), 2) for level in np.unique(grey)]
    paper = [round(100 * float((values > 0.5).mean())) for values in (grey, pixels / 255)]
    with Image.open(path) as opened:
        levels = np.unique(np.asarray(opened)).tolist() if opened.mode != "P" else "indices"
    print(f"{name}, stored in {path.read_bytes()[24]}: {found[name]}, {paper[0]}% of it over 0.5, {paper[1]}% of the",
          f"picture; in Pillow {levels}")
right, wrong = [0, 0.33, 0.67, 1], {"4 bits": [0, 5.67, 11.33, 17], "oxipng": [0, 28.33, 56.67, 85]}
as_found = all(found[name] == right for name in ("8 bits", "16 bits", "palette")) and found["1 bits"] == [0, 1]
as_found &= all(found[name] == levels for name, levels in wrong.items())
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
