#!/usr/bin/env bash
# Pillow 13.0.0 makes noise of a 16-bit scan that is turned by a few degrees, and pastes other levels than it is given.
#
# Input: a valid grey PNG of 16 bits, all pixels 20000, which opens in mode I;16.
# Guess: rotate with bilinear or bicubic interpolation gives 20000 inside, or refuses the mode, as blur and invert do.
# Seen: no error. Inside a page turned by rotate(3), all is 20000 with NEAREST, and 32 to 77 with BILINEAR and BICUBIC:
# only single bytes of the pixels are interpolated. transform does the same, resize is right. After paste(5, box) the
# pixels are 1285, as both bytes are 5, and after paste(256, box) they are 0; ImageDraw.rectangle is right. A float
# picture of 20000 becomes 255 by convert("I;16"), one of mode I stays 20000. Turned in mode I, the scan is right.
# Why it matters: scanners and astronomical or thermal cameras write 16 bits. A page is turned level before it is read,
# with an interpolation that keeps strokes, and what is read then is noise: the digits are gone, and nothing says so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0 numpy==2.4.6
cat > "$folder/try.py" << 'PYTHON'
import io

import numpy as np
from PIL import Image, ImageDraw

file = io.BytesIO()
Image.fromarray(np.full((60, 80), 20000, np.uint16)).save(file, "PNG")
scan = Image.open(file)
print("mode", scan.mode)
half = (1, 0, 0.5, 0, 1, 0.5)
for name in ("NEAREST", "BILINEAR", "BICUBIC"):
    way = Image.Resampling[name]
    made = {
        "rotate": scan.rotate(3, way),
        "transform": scan.transform(scan.size, Image.Transform.AFFINE, half, way),
        "resize": scan.resize((40, 30), way),
        "rotate in mode I": scan.convert("I").rotate(3, way),
    }
    for what, picture in made.items():
        inside = np.asarray(picture)[10:20, 10:30]
        print(f"{what} {name}: {inside.min()} to {inside.max()}")
for level in (5, 256):
    pasted, drawn = scan.copy(), scan.copy()
    pasted.paste(level, (0, 0, 9, 9))
    ImageDraw.Draw(drawn).rectangle((0, 0, 9, 9), fill=level)
    print(f"paste {level}: {pasted.getpixel((0, 0))}; rectangle: {drawn.getpixel((0, 0))}")
print("float of 20000 to I;16:", Image.new("F", (9, 9), 20000).convert("I;16").getpixel((0, 0)))
print("I of 20000 to I;16:", Image.new("I", (9, 9), 20000).convert("I;16").getpixel((0, 0)))
PYTHON
"$folder/venv/bin/python" -W error "$folder/try.py" | tee "$folder/out.txt"
for what in rotate transform; do
  for way in BILINEAR BICUBIC; do
    grep -Eq "^$what $way: [0-9]{1,2} to [0-9]{1,2}$" "$folder/out.txt" || { echo "the behaviour has changed"; exit 1; }
  done
done
for line in "rotate NEAREST: 20000 to 20000" "resize BICUBIC: 20000 to 20000" "rotate in mode I BICUBIC: 20000 to 20000" \
  "paste 5: 1285; rectangle: 5" "paste 256: 0; rectangle: 256" "float of 20000 to I;16: 255"; do
  grep -Fqx "$line" "$folder/out.txt" || { echo "the behaviour has changed"; exit 1; }
done
