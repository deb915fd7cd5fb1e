#!/usr/bin/env bash
# ncnn 1.0.20261020: ncnn.Mat(array) reads a cropped, mirrored or transposed NumPy array as if it were contiguous.
#
# Input: a float32 page of 3 rows and 4 columns, and views of it: a crop, a mirror image, the transpose. Guess: Mat
# holds what the array holds, as with OpenCV, PyTorch or onnxruntime, or it refuses, as Mat does for types that it does
# not know.
# Seen: it takes the view's shape and the memory in a row from its first element. A crop of two columns is filled with
# pixels beside the crop. A mirrored view goes on behind the row it starts at, past the end of the page for the last
# row. No error; np.array(mat) shows it. np.ascontiguousarray(view) cures it. A whole contiguous array is right. Neither
# the README of ncnn's Python package nor an issue that mentions it was found.
# Why it matters: a digit is a crop of a page, page[y:y+28, x:x+28], and EMNIST's digits are transposed. The network
# gets sheared pixels of the neighbourhood and answers with a digit all the same. Tests with whole pictures do not show
# it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ncnn==1.0.20261020 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import ncnn
import numpy as np

print("ncnn", ncnn.__version__)
memory = np.arange(64, dtype=np.float32)
page = memory[:12].reshape(3, 4)
views = {"whole": page, "rows": page[1:], "crop": page[1:, 1:3], "transpose": page.T, "mirror": page[:, ::-1]}
same = {}
for name, view in views.items():
    held = np.array(ncnn.Mat(view))
    same[name] = np.array_equal(held, view)
    assert np.array_equal(np.array(ncnn.Mat(np.ascontiguousarray(view))), view)
    print(f"{name}: given {view.tolist()}, held {held.tolist()}")
as_found = same == {"whole": True, "rows": True, "crop": False, "transpose": False, "mirror": False}
crop = np.array(ncnn.Mat(page[1:, 1:3])).tolist()
sys.exit(0 if as_found and crop == [[5, 6], [7, 8]] else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
