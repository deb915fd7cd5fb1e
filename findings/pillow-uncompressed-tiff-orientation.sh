#!/usr/bin/env bash
# pillow 13.0.0 scrambles an uncompressed TIFF stored on its side if it is opened by path; by file object it is right.
#
# Input: a valid TIFF of 90x60 grey pixels, uncompressed, one strip, with orientation 5, 6, 7 or 8 (tag 274), written by
# Pillow. Guess: Image.open(path) and Image.open(file object) give the same picture.
# Seen: both say 60x90, the size as shown. After load() the one opened by path has 90x60 pixels, sheared into stripes,
# without a warning; the one opened by file object has the right 60x90. Pillow maps the file into memory by the size as
# shown instead of the size as stored, and then turns what it got. Compressed files and orientations 1 to 4 are right.
# Why it matters: scanners write uncompressed TIFFs and mark a page that lay sideways by this tag. Digits in the
# scrambled picture are lost, or others are read, and no check of the file, its mode or its grey levels notices.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0
cat > "$folder/show.py" << 'PYTHON'
import io
import sys
from pathlib import Path

from PIL import Image, ImageDraw

ORIENTATION = 274

page = Image.new("L", (90, 60), 220)
ImageDraw.Draw(page).rectangle((12, 8, 16, 40), 30)
ImageDraw.Draw(page).rectangle((12, 36, 40, 40), 30)

scrambled = []
for compression in ("raw", "tiff_lzw"):
    for orientation in range(1, 9):
        path = Path(sys.argv[1]) / "scan.tif"
        page.save(path, tiffinfo={ORIENTATION: orientation}, compression=compression)
        by_path = Image.open(path)
        by_bytes = Image.open(io.BytesIO(path.read_bytes()))
        by_path.load()
        by_bytes.load()
        differs = by_path.size != by_bytes.size or by_path.tobytes() != by_bytes.tobytes()
        seen = f"by path {by_path.size}, by file object {by_bytes.size}"
        print(f"{compression}, orientation {orientation}: {seen}, {'other' if differs else 'the same'} pixels")
        if differs:
            scrambled.append((compression, orientation))
as_found = scrambled == [("raw", 5), ("raw", 6), ("raw", 7), ("raw", 8)]
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
