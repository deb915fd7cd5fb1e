#!/usr/bin/env bash
# opencv-python 5.0.0.93 turns a min-is-white TIFF of 8 bits to black on white, and one of 16 bits only with some flags.
#
# Input: one page, dark ink on white paper, as TIFF with PhotometricInterpretation 0 (min is white), in 1, 8 and 16 bits.
# Guess: imread gives the ink darker than the paper for each, whichever flag chooses channels and depth.
# Seen: IMREAD_GRAYSCALE and IMREAD_COLOR do. IMREAD_UNCHANGED and IMREAD_ANYDEPTH do for 1 and 8 bits, and give the
# negative for 16 bits. Pillow 13.0.0 does the same: right in 1 and 8 bits, negative in 16 (mode I;16), without a word.
# Upstream: OpenCV keeps 16 bits "unchanged" since its issue 9550; that the same flag turns 8 bits is not said, and no
# issue of Pillow's was found.
# Why it matters: scanners of film write min-is-white. Whoever reads 16 bits for their contrast gets white ink on black, and
# a program that is told to expect dark ink reads nothing, or the holes of 0, 6, 8 and 9. Look at tag 262 before reading.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import io
import struct
import sys

import cv2
import numpy as np
from PIL import Image

INK, PAPER = 0, 7  # columns of a page of eight pixels


def tiff(bits):
    """A page of 8x8 pixels, ink in the left half, uncompressed, min is white: ink is the largest value."""
    stored = np.zeros((8, 8), np.uint16)
    stored[:, :4] = 2**bits - 1
    pixels = np.packbits(stored.astype(bool), axis=1).tobytes() if bits == 1 else stored.astype(f"<u{bits // 8}").tobytes()
    tags = {256: 8, 257: 8, 258: bits, 259: 1, 262: 0, 273: 8, 277: 1, 278: 8, 279: len(pixels)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return struct.pack("<2sHI", b"II", 42, 8 + len(pixels)) + pixels + directory


found = {}
flags = {"GRAYSCALE": cv2.IMREAD_GRAYSCALE, "COLOR": cv2.IMREAD_COLOR, "UNCHANGED": cv2.IMREAD_UNCHANGED}
flags |= {"ANYDEPTH": cv2.IMREAD_ANYDEPTH}
for bits in (1, 8, 16):
    pages = {name: cv2.imdecode(np.frombuffer(tiff(bits), np.uint8), flag) for name, flag in flags.items()}
    pages["Pillow"] = np.asarray(Image.open(io.BytesIO(tiff(bits)))).astype(int)
    for name, page in pages.items():
        found[bits, name] = bool(np.max(page[4, INK]) < np.max(page[4, PAPER]))
        ink, paper = np.max(page[4, INK]), np.max(page[4, PAPER])
        print(f"{bits} bits, {name}: ink {ink}, paper {paper}, {'right' if found[bits, name] else 'a negative'}")
negatives = [key for key, right in found.items() if not right]
sys.exit(0 if negatives == [(16, "UNCHANGED"), (16, "ANYDEPTH"), (16, "Pillow")] else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
