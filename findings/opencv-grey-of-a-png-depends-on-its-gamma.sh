#!/usr/bin/env bash
# opencv-python 5.0.0.93: IMREAD_GRAYSCALE gives other grey levels for a PNG that says that it is sRGB, at equal pixels.
#
# Input: a PNG of red, green and blue, without and with the chunk sRGB, or gAMA of 1/2.2, as Windows, browsers and
# scanners write it. Guess: a chunk that names the usual colour space changes nothing; grey is .299 R + .587 G + .114 B
# as in cvtColor.
# Seen: without a chunk red is 76, green 149, blue 29; with either chunk 147, 200 and 95. libpng, which OpenCV asks for
# the grey levels, weighs the colours in linear light once it knows the gamma. IMREAD_COLOR is the same in all forms,
# and cvtColor of it gives 76. Pillow 13.0.0 gives 76 in all. A grey picture does not change. TensorFlow 2.21.0 does the
# same: tf.io.decode_png(channels=1), so image_dataset_from_directory(color_mode="grayscale"). OpenCV's documentation
# says that the codec's own conversion may differ from cvtColor's, not that it depends on the file.
# Why it matters: blue ink at 95 instead of 29 loses a third of its contrast to white paper. Crops saved by one program
# are other inputs for a network than the same crops saved by another. Read in colour and convert with cvtColor.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import io
import struct
import sys
import zlib

import cv2
import numpy as np
from PIL import Image

COLOURS = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [128, 128, 128]]], np.uint8)
CHUNKS = {"without a chunk": None, "sRGB": (b"sRGB", b"\0"), "gAMA of 1/2.2": (b"gAMA", struct.pack(">I", 45455))}


def png(chunk):
    """The colours as PNG, with the chunk behind its header."""
    stream = io.BytesIO()
    Image.fromarray(COLOURS).save(stream, "PNG")
    content = stream.getvalue()
    if chunk is None:
        return content
    name, data = chunk
    added = struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return content[:33] + added + content[33:]


print("OpenCV", cv2.__version__)
found = {}
for name, chunk in CHUNKS.items():
    content = np.frombuffer(png(chunk), np.uint8)
    found[name] = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE)[0].tolist()
    colour = cv2.imdecode(content, cv2.IMREAD_COLOR)
    converted = cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY)[0].tolist()
    pillow = np.asarray(Image.open(io.BytesIO(content.tobytes())).convert("L"))[0].tolist()
    print(f"{name}: red, green, blue, grey are {found[name]}; cvtColor {converted}; Pillow {pillow}")
    assert (colour[:, :, ::-1] == COLOURS).all()
    assert np.abs(np.subtract(converted, pillow)).max() <= 1
as_found = found["without a chunk"] == [76, 149, 29, 128]
as_found &= found["sRGB"] == found["gAMA of 1/2.2"] == [147, 200, 95, 128]
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
