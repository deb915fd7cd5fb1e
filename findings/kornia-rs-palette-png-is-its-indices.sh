#!/usr/bin/env bash
# kornia-rs 0.2.0: a palette PNG is read as one channel of its indices, so that black on white is a negative or black.
#
# Input: a drawn 42, black on white, as PNG of 8 bits: grey, and with a palette that begins with white, and with one of
# 32 greys, as PNG optimizers and pngquant write them. Guess: three channels of the colours, as OpenCV gives them, or
# the grey of a palette of greys; or an error, as it raises for palettes of 1, 2 and 4 bits. The documentation of
# read_image names "8-bit, 16-bit (Mono, RGB, RGBA)".
# Seen: read_image and read_image_png_u8 give an array of height, width and 1, the form of a grey picture, that holds
# the numbers of the colours. With white first, the paper is 0. With 32 greys no pixel is above 31. A palette whose
# entry n is the grey n is right by chance. Mode "rgb" refuses the file. Nothing warns. No issue that mentions it was
# found.
# Why it matters: one optimized file among many feeds a network a negative, or a black field. Convert such files, or
# read PNG with Pillow and convert("L").
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kornia_rs==0.2.0 numpy==2.4.6 pillow==13.0.0 opencv-python-headless==5.0.0.93
cat > "$folder/show.py" << 'PYTHON'
import sys
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
from kornia_rs import io
from PIL import Image, ImageDraw, ImageFont

print("kornia-rs", version("kornia_rs"))
folder = Path(sys.argv[1])
drawn = Image.new("L", (80, 60), 255)
ImageDraw.Draw(drawn).text((10, 5), "42", 0, ImageFont.load_default(size=45))
grey = np.asarray(drawn)
few = np.round(grey / 255 * 31).astype(np.uint8)
forms = {
    "grey": (grey, None),
    "white first": (255 - grey, range(255, -1, -1)),
    "32 greys": (few, [round(n * 255 / 31) for n in range(32)]),
}
found = {}
for name, (values, greys) in forms.items():
    picture = Image.fromarray(values)
    if greys is not None:
        picture.putpalette([level for level in greys for _ in range(3)])
    path = str(folder / f"{name}.png")
    picture.save(path)
    read = np.asarray(io.read_image(path))
    assert read.shape == (60, 80, 1)
    assert (read == np.asarray(io.read_image_png_u8(path, "mono"))).all()
    right = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    as_values = bool((read[..., 0] == values).all())
    found[name] = (int(read[0, 0, 0]), int(read.min()), int(read.max()), as_values, int(right[0, 0]))
    print(f"{name}: paper {found[name][0]}, from {found[name][1]} to {found[name][2]}; OpenCV paper {found[name][4]}")
    print(f"    the values are {'the indices' if greys else 'the greys'}: {as_values}")
wanted = {"grey": (255, 0, 255, True, 255), "white first": (0, 0, 255, True, 255), "32 greys": (31, 0, 31, True, 255)}
try:
    io.read_image_png_u8(str(folder / "32 greys.png"), "rgb")
    refused = False
except Exception as error:
    refused = True
    print(f"mode rgb: {error}")
sys.exit(0 if found == wanted and refused else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
