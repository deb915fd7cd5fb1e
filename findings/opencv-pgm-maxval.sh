#!/usr/bin/env bash
# opencv-python 5.0.0.93 reads a PGM picture by IMREAD_GRAYSCALE as nearly black where its largest value is not 255.
#
# Input: one picture of black, grey and white as binary PGM (P5) and as text PGM (P2), with the largest value 15, 255 or
# 1023, as 4-bit displays, usual files and 10-bit cameras have it. Guess: IMREAD_GRAYSCALE, whose documentation promises 8
# bits, gives black as 0 and white as 255 for all six.
# Seen: with 1023 white is 3, since the upper of two bytes is kept, whatever the file says its largest value is. With 15 it
# is 15 in the binary form and 255 in the text form, which alone is scaled. No warning. Pillow 13.0.0 scales all six.
# OpenCV's documentation and issues do not mention it (Pillow had the same, its issues 5008 and 5403, until 9.1).
# Why it matters: PGM is what camera tools and microcontrollers write, as it needs no library. A 10-bit picture keeps four
# grey levels: thin digits are gone, and no stretching brings them back. Read it with IMREAD_UNCHANGED and scale it by
# the file's largest value, or read it with Pillow.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import io
import sys

import cv2
import numpy as np
from PIL import Image

found = {}
for most in (15, 255, 1023):
    values = np.array([0, most // 2, most])
    binary = f"P5 3 1 {most}\n".encode() + values.astype(">u2" if most > 255 else np.uint8).tobytes()
    text = f"P2 3 1 {most}\n{' '.join(map(str, values))}\n".encode()
    for form, content in (("P5", binary), ("P2", text)):
        found[form, most] = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)[0].tolist()
        image = Image.open(io.BytesIO(content))
        white = np.asarray(image)[0, -1] / (255 if image.mode == "L" else 65535)
        print(f"{form} with largest value {most}: OpenCV {found[form, most]}, Pillow has white at {white:.2f}")
        assert white == 1
binary = [found["P5", most] for most in (15, 255, 1023)] == [[0, 7, 15], [0, 127, 255], [0, 1, 3]]
text = [found["P2", most] for most in (15, 255, 1023)] == [[0, 119, 255], [0, 127, 255], [0, 1, 3]]
sys.exit(0 if binary and text else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
