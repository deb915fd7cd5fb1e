#!/usr/bin/env bash
# opencv-python 5.0.0.93 (and 4.12.0.88): min, max and bitwise_and with a number count it for the blue channel only.
#
# Input: a valid colour picture, all channels 240, and the number 200; the same as a grey picture.
# Guess: cv2.min(picture, 200) limits all channels to 200, as cv2.add, subtract and absdiff with a number treat all
# channels, and as cv2.min does with one channel.
# Seen: it gives (200, 0, 0): the other channels are limited to 0, so white paper becomes dark blue. bitwise_and clears
# them. A tuple of one number is the reverse: min and bitwise_and take it for all channels, and add, subtract and
# absdiff for blue alone. Of three numbers, each function takes one for each channel.
# Why it matters: highlights of a display are cut off so before it is read. The same line is right for a grey picture,
# and makes a colour picture one whose grey is a tenth as bright, without an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/try.py" << 'PYTHON'
import cv2
import numpy as np

colour, grey = np.full((4, 5, 3), 240, np.uint8), np.full((4, 5), 240, np.uint8)
for name in "min", "max", "bitwise_and", "add", "subtract", "absdiff":
    function = getattr(cv2, name)
    seen = [function(colour, value)[0, 0].tolist() for value in (200, (200,), (200, 200, 200))]
    print(f"{name}: a number {seen[0]}, a tuple of one {seen[1]}, of three {seen[2]}, grey {function(grey, 200)[0, 0]}")
print("grey of the minimum:", cv2.cvtColor(cv2.min(colour, 200), cv2.COLOR_BGR2GRAY)[0, 0])
PYTHON
cat > "$folder/seen.txt" << 'TEXT'
min: a number [200, 0, 0], a tuple of one [200, 200, 200], of three [200, 200, 200], grey 200
max: a number [240, 240, 240], a tuple of one [240, 240, 240], of three [240, 240, 240], grey 240
bitwise_and: a number [192, 0, 0], a tuple of one [192, 192, 192], of three [192, 192, 192], grey 192
add: a number [255, 255, 255], a tuple of one [255, 240, 240], of three [255, 255, 255], grey 255
subtract: a number [40, 40, 40], a tuple of one [40, 240, 240], of three [40, 40, 40], grey 40
absdiff: a number [40, 40, 40], a tuple of one [40, 240, 240], of three [40, 40, 40], grey 40
grey of the minimum: 23
TEXT
for version in 5.0.0.93 4.12.0.88; do
  python3 -m venv "$folder/venv-$version"
  "$folder/venv-$version/bin/pip" install --quiet --disable-pip-version-check "opencv-python-headless==$version"
  "$folder/venv-$version/bin/python" "$folder/try.py" | tee "$folder/out.txt"
  diff "$folder/seen.txt" "$folder/out.txt" || { echo "the behaviour has changed"; exit 1; }
done
