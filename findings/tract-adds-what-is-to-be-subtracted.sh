#!/usr/bin/env bash
# tract 0.23.9: a constant minus a convolution is computed as the constant plus the convolution.
#
# Input: an ONNX file of a Conv of 3x3 with several channels and a Sub that takes its result from a constant: one value
# for each channel, as in white paper minus smoothed or mixed colours. Guess: the constant minus the convolution, as
# onnxruntime 1.32.0 gives to rounding.
# Seen: the constant plus the convolution without its bias, minus that bias: the Sub is merged into the bias of the
# convolution, whose weights keep their sign. It is so with constants of shape (3, 1, 1) and (1, 3, 1, 1). Right are
# convolutions of 1x1, those of one channel each, a constant of a single value, and the convolution minus the constant.
# No error or warning; into_model alone does it. No issue was found.
# Why it matters: a network that makes white ink of dark ink sees paper and ink the wrong way round and too bright, and
# still reads something. Multiply by -1 and add instead, or negate the weights before the export, and compare with
# onnxruntime on a few pictures.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.32.0 tract==0.23.9 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import importlib.metadata
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
import tract
from onnx import TensorProto, helper, numpy_helper

print("tract", importlib.metadata.version("tract"))
file = pathlib.Path(sys.argv[1]) / "model.onnx"
random = np.random.default_rng(0)
picture = random.integers(0, 256, (1, 3, 8, 8)).astype(np.float32)
bias = np.array([1, 2, 3], np.float32)


def run(operator: str, shape: tuple[int, ...], operands: str, size: int = 3, group: int = 1) -> list[np.ndarray]:
    """The results of onnxruntime and of tract, and the convolution alone."""
    values = {
        "w": random.uniform(-0.1, 0.2, (3, 3 // group, size, size)).astype(np.float32),
        "b": bias,
        "k": np.full(shape, 255, np.float32),
    }
    conv = helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[size // 2] * 4, group=group)
    nodes = [conv, helper.make_node(operator, list(operands), ["y"])]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, picture.shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, picture.shape)
    c = helper.make_tensor_value_info("c", TensorProto.FLOAT, picture.shape)
    constants = [numpy_helper.from_array(value, name) for name, value in values.items()]
    results = []
    for outputs in ([y], [c]):
        last = 2 if outputs == [y] else 1
        graph = helper.make_graph(nodes[:last], "inverted", [x], outputs, constants[: last + 1])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, file)
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        results.append(session.run(None, {"x": picture})[0])
        compiled = tract.onnx().load(str(file)).into_model().into_runnable()
        results.append(compiled.run([picture])[0].to_numpy())
    return results[:3]


def near(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(one - other).max() < 1e-2)


as_found = True
for name, options, wrong in (
    ("constant (1, 3, 1, 1) minus convolution", ("Sub", (1, 3, 1, 1), "kc"), True),
    ("constant (3, 1, 1) minus convolution", ("Sub", (3, 1, 1), "kc"), True),
    ("constant of one value minus convolution", ("Sub", (), "kc"), False),
    ("constant minus convolution of 1x1", ("Sub", (3, 1, 1), "kc", 1), False),
    ("constant minus convolution of one channel each", ("Sub", (3, 1, 1), "kc", 3, 3), False),
    ("convolution minus constant", ("Sub", (3, 1, 1), "ck"), False),
    ("constant plus convolution", ("Add", (3, 1, 1), "kc"), False),
):
    expected, given, convolution = run(*options)
    print(f"{name}: onnxruntime {expected[0, :, 4, 4].round(1)}, tract {given[0, :, 4, 4].round(1)}")
    if wrong:
        as_found &= near(expected, 255 - convolution)
        as_found &= near(given, 255 + convolution - 2 * bias.reshape(1, 3, 1, 1))
    else:
        as_found &= near(given, expected)
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
