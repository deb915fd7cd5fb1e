#!/usr/bin/env bash
# usearch 2.26.6 takes uint8 pictures for packed bits, even in an index of u8: the nearest digit is a random one.
#
# Input: drawn digits of 16x16 with noise, moved by up to one pixel, as uint8, and the same numbers as float32; 300 of
# them in an index with squared Euclidean distance, and the nearest one of 100 others. Guess: the same neighbours,
# since whole numbers are exact in float32; an index of dtype="u8" stores uint8 pictures as they are.
# Seen: with float32 the neighbour is the same digit for nearly all. With uint8 it is for few, in an index of f32 as
# of u8, and also in search(..., exact=True): the first 32 bytes of a picture are read as its 256 pixels, a bit for
# each. No error, though 256 bytes are far more than 256 bits; index.get(key) gives zeros and ones. With dtype="u8"
# named in add() and in search() too it is right. Issue 595 of unum-cloud/USearch, open since April 2025, has it for
# an index without a type; the docstrings of add() and search() do not mention it.
# Why it matters: pictures are uint8. Near-repeats between training and test digits are not found, and a reader by
# nearest neighbours is little better than chance, which looks like a weak method. Convert to float32, or name the
# type each time.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  usearch==2.26.6 pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
import usearch
from PIL import Image, ImageDraw, ImageFont
from usearch.index import Index, search

KNOWN = 300  # digits in the index
random = np.random.default_rng(0)
font = ImageFont.load_default(size=16)


def drawn(digit):
    """A digit of 16x16, light on dark, with noise, flattened, as uint8."""
    page = Image.new("L", (16, 16))
    ImageDraw.Draw(page).text(8 + random.integers(-1, 2, 2), str(digit), 200, font, anchor="mm")
    return np.clip(np.asarray(page) + random.normal(20, 10, (16, 16)), 0, 255).astype(np.uint8).ravel()


digits = np.arange(400) % 10
pictures = np.array([drawn(digit) for digit in digits])
floats = pictures.astype(np.float32)


def right(keys):
    """The share of the others whose nearest picture is the same digit."""
    return round(float((digits[keys.ravel()] == digits[KNOWN:]).mean()), 2)


def by_index(kind, given, **named):
    index = Index(ndim=256, metric="l2sq", dtype=kind)
    index.add(np.arange(KNOWN), given[:KNOWN], **named)
    print(f"  pixels of picture 3: {given[3][:8].astype(int)}, stored: {index.get(3)[:8].astype(int)}")
    return right(index.search(given[KNOWN:], 1, **named).keys)


print("usearch", usearch.__version__)
found = {
    "float32 in f32": by_index("f32", floats),
    "uint8 in f32": by_index("f32", pictures),
    "uint8 in u8": by_index("u8", pictures),
    "uint8 in u8, type named": by_index("u8", pictures, dtype="u8"),
    "float32, exact": right(search(floats[:KNOWN], floats[KNOWN:], 1, "l2sq", exact=True).keys),
    "uint8, exact": right(search(pictures[:KNOWN], pictures[KNOWN:], 1, "l2sq", exact=True).keys),
}
for name, share in found.items():
    print(f"{name}: {share:.0%} right")
good = [found[name] for name in ("float32 in f32", "uint8 in u8, type named", "float32, exact")]
bad = [found[name] for name in ("uint8 in f32", "uint8 in u8", "uint8, exact")]
sys.exit(0 if min(good) > 0.95 and max(bad) < 0.5 else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
