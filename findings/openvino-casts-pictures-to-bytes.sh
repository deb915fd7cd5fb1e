#!/usr/bin/env bash
# openvino 2026.4.1: an input of uint8 takes pictures scaled to 0 to 1, cuts them to whole numbers, and so reads black.
#
# Input: a model whose input is uint8, as one has that scales pictures itself, and NumPy arrays of other types given to
# the compiled model. Guess: an error that names both types, as from its own Tensor, and from ONNX Runtime for such a
# model; or a conversion that keeps the values or raises.
# Seen: float32 of 0 to 0.99 is cut to 0 for each pixel, and only 1.0 itself is 1: the picture is black. 200.7 is 200,
# int32 of 300 wraps to 44, and True is 1: the array is cast as by NumPy's astype, without an error or a warning. The
# documentation of infer mentions it as "up- or down-casting", under share_inputs. An openvino.Tensor of the wrong type
# raises ParameterMismatch. In the other direction, uint8 into an input of float32, nothing is lost, and nothing scaled.
# No issue was found.
# Why it matters: the usual preparation of a picture, divided by 255, makes such a network answer one digit for all, and
# nothing tells why. Compare array.dtype with the type of compiled.inputs first, or pass an openvino.Tensor.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
import openvino
from openvino import opset13

picture = opset13.parameter([1, 4], np.uint8, "picture")
pixels = opset13.convert(picture, "f32")
model = openvino.Model([pixels], [picture], "sees")  # its answer is what it sees
compiled = openvino.compile_model(model, "CPU")
given = {
    "uint8": np.array([[0, 100, 200, 255]], np.uint8),
    "float32, 0 to 1": np.array([[0, 0.4, 0.99, 1]], np.float32),
    "float64, 0 to 255": np.array([[0, 100.5, 200.7, 255]]),
    "int32, of 10 bits": np.array([[0, 100, 300, 1023]], np.int32),
    "bool": np.array([[False, True, True, True]]),
}
wanted = [[0, 100, 200, 255], [0, 0, 0, 1], [0, 100, 200, 255], [0, 100, 44, 255], [0, 1, 1, 1]]
as_found = True
for (name, array), values in zip(given.items(), wanted, strict=True):
    seen = compiled([array])[0][0].tolist()
    print(f"{name} {array[0].tolist()}: the model sees {seen}")
    as_found &= seen == values
try:
    compiled([openvino.Tensor(given["float32, 0 to 1"])])
    as_found = False
except RuntimeError as error:
    print("openvino.Tensor of float32:", str(error).strip().splitlines()[-1])
print("openvino", openvino.__version__)
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
