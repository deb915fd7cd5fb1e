#!/usr/bin/env bash
# safetensors 0.8.0 saves a transposed NumPy array in the order of its memory: the shape is right, the values are not.
#
# Input: a kernel of 3 by 3 in the order of Keras, (height, width, in, out), transposed to that of PyTorch and ONNX,
# (out, in, height, width); the same with its memory in Fortran's order; and a crop of columns; by save_file and by
# save. Guess: what is loaded equals what was saved, as with numpy.savez; or an error.
# Seen: all three come back with the same shape and type and other values, without error or warning. A copy by
# numpy.ascontiguousarray comes back right, and so do rows of an array. 0.7.0 saves all of them right. The docstring
# says that "tensors need to be contiguous and dense", and that of Fortran's order is. Issue 825 of
# safetensors/safetensors has Fortran's order, open since August 2026.
# Why it matters: turning the axes is the step between two frameworks, and scikit-learn's PCA gives Fortran's order.
# The file passes every check of names, shapes and types, and the network reads at random. Save
# numpy.ascontiguousarray(array), and compare after loading.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$folder/before" \
  safetensors==0.7.0
cat > "$folder/show.py" << 'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from safetensors.numpy import load, load_file, save, save_file

path, wrong = sys.argv[1:]
kernel = np.arange(3 * 3 * 2 * 4, dtype=np.float32).reshape(3, 3, 2, 4)  # height, width, in, out
moved = kernel.transpose(3, 2, 0, 1)
arrays = {
    "as made": kernel,
    "rows": kernel[1:],
    "transposed, copied": np.ascontiguousarray(moved),
    "transposed": moved,
    "Fortran's order": np.asfortranarray(kernel),
    "crop": kernel.reshape(9, 8)[:, 2:6],
}
as_found = True
for name, array in arrays.items():
    save_file({"kernel": array}, path)
    loaded = load_file(path)["kernel"]
    same = np.array_equal(loaded, array)
    print(f"{name}: shape {loaded.shape}, {(loaded != array).mean():.0%} of the values differ")
    as_found &= loaded.shape == array.shape and loaded.dtype == array.dtype
    as_found &= np.array_equal(load(save({"kernel": array}))["kernel"], loaded)
    as_found &= same != (wrong == "wrong" and name in list(arrays)[3:])
print("safetensors", version("safetensors"))
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder/kernel.safetensors" wrong
PYTHONPATH="$folder/before" "$folder/venv/bin/python" "$folder/show.py" "$folder/kernel.safetensors" right
