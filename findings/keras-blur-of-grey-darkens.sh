#!/usr/bin/env bash
# keras 3.15.1: with the backend jax or torch, gaussian_blur blurs along rows and colours, not columns, and grey darkens.
#
# Input: a white dot on a black picture, grey or in one of three colours, and a thin horizontal and a vertical stroke;
# keras.ops.image.gaussian_blur with its defaults, 3x3 and sigma 1, on the backend jax. data_format is left at its default,
# documented as that of the configuration, channels_last. Guess: the dot becomes a round one, with a sum of 1 as before.
# Seen: the grey dot is 0.124, 0.204, 0.124 in its row, and nothing is above and below: 0.45 is left of its sum. A white
# page is grey, at 0.45. The horizontal stroke stays as thin, with 0.45 of its brightness. In three colours, a green dot
# gets red and blue, and a white page is 0.73, 1 and 0.73: greenish. The columns of the picture are taken for its rows, and
# the colours for its columns. data_format="channels_last" in the call gives the round dot with its whole sum. The layer
# RandomGaussianBlur passes the format and is right, and so is the backend tensorflow; torch 2.14.1 gives the numbers of
# jax. No error or warning. Pull request 23542 of keras-team/keras of August 2026, later than 3.15.1, mends it.
# Why it matters: a pipeline that was right with TensorFlow trains on dark digits with the other backend. Give data_format
# in each call, and blur a white page once: it is white afterwards, but for its border.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check keras==3.15.1 jax==0.10.2 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import keras
import numpy as np
from keras import ops

print("keras", keras.__version__, "with", keras.backend.backend(), keras.config.image_data_format())


def blurred(picture: np.ndarray, **options: str) -> np.ndarray:
    """The picture of shape (height, width, channels) after gaussian_blur."""
    return ops.convert_to_numpy(ops.image.gaussian_blur(picture[None].astype("float32"), **options))[0]


kernel = np.exp(-0.5 * np.array([-1, 0, 1]) ** 2)
kernel /= kernel.sum()
dot = np.zeros((9, 9, 1))
dot[4, 4] = 1
given, told = blurred(dot), blurred(dot, data_format="channels_last")
print(f"a grey dot: {given.sum():.2f} of 1 is left;\n{given[3:6, 3:6, 0].round(3)}")
print(f"with data_format: {told.sum():.2f} is left;\n{told[3:6, 3:6, 0].round(3)}")
as_found = np.allclose(told[3:6, 3:6, 0], np.outer(kernel, kernel), atol=1e-5)
as_found &= np.allclose(given[3:6, 3:6, 0], [[0, 0, 0], kernel * kernel[1], [0, 0, 0]], atol=1e-5)
for name, place in (("horizontal", np.s_[4, :]), ("vertical", np.s_[:, 4])):
    stroke = np.zeros((9, 9, 1))
    stroke[place] = 1
    across = blurred(stroke)[..., 0]
    across = across[:, 4] if name == "horizontal" else across[4]
    print(f"across a {name} stroke: {across[3:6].round(3)}, right is {kernel.round(3)}")
    wanted = [0, kernel[1], 0] if name == "horizontal" else kernel * kernel[1]
    as_found &= np.allclose(across[3:6], wanted, atol=1e-5)
green = np.zeros((9, 9, 3))
green[4, 4, 1] = 1
coloured, page = blurred(green)[4, 4], blurred(np.ones((9, 9, 3)))[4, 4]
grey_page = blurred(np.ones((9, 9, 1)))[4, 4, 0]
print(f"a green dot: {coloured.round(3)}; a white page: {page.round(3)}, and of one channel {grey_page:.3f}")
as_found &= np.allclose(coloured, kernel * kernel[1], atol=1e-5) and np.allclose(page, [0.726, 1, 0.726], atol=1e-3)
as_found &= np.isclose(grey_page, kernel[1], atol=1e-5)
as_found &= np.allclose(blurred(np.ones((9, 9, 3)), data_format="channels_last")[4, 4], 1, atol=1e-5)
layer = keras.layers.RandomGaussianBlur(1.0, 3, 1.0, value_range=(0, 1), seed=0)
by_layer = ops.convert_to_numpy(layer(np.ones((1, 9, 9, 1), "float32"), training=True))[0, 4, 4, 0]
print(f"a white page of one channel by RandomGaussianBlur: {by_layer:.3f}")
as_found &= np.isclose(by_layer, 1, atol=1e-5)
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
KERAS_BACKEND=jax "$folder/venv/bin/python" "$folder/show.py"
