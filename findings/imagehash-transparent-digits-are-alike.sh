#!/usr/bin/env bash
# ImageHash 4.3.2: all black digits on a transparent background have one hash, so each is a duplicate of each.
#
# Input: the ten digits, drawn in black on a transparent picture of mode RGBA or LA, as drawing programs and pages save
# ink or a signature. Guess: the hash is that of what one sees, dark strokes on a light page, or an error.
# Seen: average_hash, phash, dhash, whash and crop_resistant_hash are 0 for each of the ten digits: the picture is
# converted to grey without its transparency, where ink and paper are both 0. On a white background they give nine or ten
# hashes. The package dhash 1.4 puts such a picture on white by itself, and gives ten. No warning. Neither the page of the
# package nor its docstrings name transparency; issue 122 of JohannesBuchner/imagehash, open, asks for it in colorhash.
# Why it matters: a search for duplicates keeps one of ten digits, and one for similar pictures finds every one. Paste
# the picture on white first, and count how often the hash 0000000000000000 occurs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  ImageHash==4.3.2 dhash==1.4 pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys
import warnings
from importlib.metadata import version

import dhash
import imagehash
from PIL import Image, ImageDraw, ImageFont

warnings.filterwarnings("error")
warnings.filterwarnings("ignore", "Image.Image.getdata is deprecated", DeprecationWarning)  # dhash uses it
print("ImageHash", version("ImageHash"))
font = ImageFont.load_default(40)


def digit(text: str, mode: str) -> Image.Image:
    """A black digit on a transparent background."""
    picture = Image.new(mode, (48, 64), (0,) * len(mode))
    ImageDraw.Draw(picture).text((10, 8), text, font=font, fill=(*(0,) * (len(mode) - 1), 255))
    return picture


def on_white(picture: Image.Image) -> Image.Image:
    """What one sees on white paper."""
    paper = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(paper, picture.convert("RGBA")).convert("L")


as_found = True
names = ("average_hash", "phash", "dhash", "whash", "crop_resistant_hash")
for mode in ("RGBA", "LA"):
    digits = [digit(text, mode) for text in "0123456789"]
    as_found &= len({on_white(picture).tobytes() for picture in digits}) == 10
    for name in names:
        hashed = getattr(imagehash, name)
        seen = {str(hashed(picture)) for picture in digits}
        white = {str(hashed(on_white(picture))) for picture in digits}
        print(f"{mode}, {name}: {len(seen)} hash of ten digits, {', '.join(seen)}; on white {len(white)}")
        as_found &= seen == {"0" * 16} and len(white) > 8
    others = {dhash.dhash_int(picture) for picture in digits}
    print(f"{mode}, package dhash: {len(others)} hashes")
    as_found &= len(others) == 10
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
