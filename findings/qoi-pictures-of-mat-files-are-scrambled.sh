#!/usr/bin/env bash
# qoi 0.8.0 scrambles a picture that scipy.io.loadmat returns, and its check for the order of memory says nothing.
#
# Input: a valid RGB picture of uint8 saved in a .mat file and loaded by scipy 1.17.1, whose arrays are in Fortran
# order, as those of the house numbers of SVHN.
# Guess: qoi.encode keeps the pixels, or refuses the array, as it does with every other array that is not C-contiguous:
# "array should be C-contiguous".
# Seen: the crop of a picture and a mirrored one are refused, and the array of the .mat file is not: its bytes are
# taken in the order of memory, with the right width and height. Decoded, nearly all pixels differ. Pillow saves the
# same array right, and numpy.ascontiguousarray before qoi.encode helps.
# Why it matters: QOI is taken for its speed where thousands of crops are stored. The file opens in every viewer with
# the right size, and a network learns from noise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check qoi==0.8.0 scipy==1.17.1 numpy==2.4.6 pillow==13.0.0
cat > "$folder/try.py" << 'PYTHON'
import io

import numpy as np
import qoi
from PIL import Image
from scipy.io import loadmat, savemat

shades = np.arange(32 * 48 * 3).reshape(32, 48, 3) % 251
file = io.BytesIO()
savemat(file, {"X": shades.astype(np.uint8)})
file.seek(0)
loaded = loadmat(file)["X"]
print("loaded as it was:", np.array_equal(loaded, shades), "in Fortran order:", loaded.flags.f_contiguous)
for name, picture in {"loaded": loaded, "copied": np.ascontiguousarray(loaded), "mirrored": loaded[:, ::-1]}.items():
    try:
        back = qoi.decode(qoi.encode(picture))
        print(f"{name}: shape {back.shape}, {np.mean(back == picture):.0%} of the values are right")
    except ValueError as error:
        print(f"{name}: {error}")
png = io.BytesIO()
Image.fromarray(loaded).save(png, "PNG")
print("Pillow:", np.array_equal(np.asarray(Image.open(png)), loaded))
PYTHON
"$folder/venv/bin/python" -W error "$folder/try.py" | tee "$folder/out.txt"
cat > "$folder/seen.txt" << 'TEXT'
loaded as it was: True in Fortran order: True
loaded: shape (32, 48, 3), 0% of the values are right
copied: shape (32, 48, 3), 100% of the values are right
mirrored: array should be C-contiguous (see numpy.ascontiguousarray)
Pillow: True
TEXT
diff "$folder/seen.txt" "$folder/out.txt" || { echo "the behaviour has changed"; exit 1; }
