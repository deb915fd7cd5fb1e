#!/usr/bin/env bash
# keras 3.15.1 with the backend openvino 2026.4.1: rgb_to_grayscale of a picture of whole numbers is black.
#
# Input: four pixels, white, light grey, black and red, of type uint8, as pictures are read from files;
# keras.ops.image.rgb_to_grayscale, and the layer RandomGrayscale with a factor of 1. Guess: 254 or 255, 199 or 200, 0 and
# 76 as with the backend jax.
# Seen: 0 for all four; with int16, int32, int64 and uint16 too: the weights 0.2989, 0.587 and 0.114 are made of the
# type of the picture, and are 0. float32 and float16 are right. With jax all types are right, at most 1 below. The shape
# and the type are as wanted. No error or warning. The documentation of the function gives no types. No issue was found.
# Why it matters: this backend is made for running what was trained with another one. A reader that takes coloured
# photographs sees a black page, and answers with the digit that its network gives for black. Convert to float32 first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  keras==3.15.1 openvino==2026.4.1 jax==0.10.2 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import keras
import numpy as np
from keras import ops

backend = keras.backend.backend()
print("keras", keras.__version__, "with", backend)
pixels = np.array([[[255, 255, 255], [200, 200, 200], [0, 0, 0], [255, 0, 0]]])
right = [255, 200, 0, 76.2]
as_found = True
for kind in ("uint8", "uint16", "int16", "int32", "int64", "float16", "float32"):
    grey = ops.convert_to_numpy(ops.image.rgb_to_grayscale(pixels.astype(kind)))
    print(f"{kind}: {grey.ravel()}, {grey.dtype}")
    black = backend == "openvino" and not kind.startswith("float")
    as_found &= not grey.any() if black else np.abs(grey.ravel() - right).max() < 1.01
    as_found &= grey.shape == (1, 4, 1) and (grey.dtype == kind or kind == "int64")
layer = keras.layers.RandomGrayscale(factor=1.0)
grey = ops.convert_to_numpy(layer(pixels.astype("uint8")[None], training=True))[0, 0, :, 0]
print(f"RandomGrayscale of uint8: {grey}")
as_found &= not grey.any() if backend == "openvino" else np.abs(grey - np.array(right)).max() < 1.01
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
for backend in jax openvino; do
  KERAS_BACKEND=$backend "$folder/venv/bin/python" "$folder/show.py"
done
