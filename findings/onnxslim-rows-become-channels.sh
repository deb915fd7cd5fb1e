#!/usr/bin/env bash
# onnxslim 0.1.98: a factor for each row or column becomes one for each channel, if there are as many channels.
#
# Input: an ONNX file of a Conv with 28 channels over a picture of 28x28, and a Mul by a constant: one factor for each
# column, shape (28,), for each row, (28, 1) or (1, 1, 28, 1), or for each channel, (28, 1, 1), as a window or a lamp's
# falloff is corrected. Guess: what onnxslim.slim returns gives the same result: "less operators, but same accuracy".
# Seen: for rows and columns the Mul is merged into the weights and the bias of the Conv, so that each channel, instead
# of each row or column, is scaled: off by more than half of the largest value. It looks at the number of values in the
# constant, not at their axis. Per channel it is right. With 27 channels nothing is merged, and neither with the
# constant as the first input of Mul. Nothing is said unless model_check=True is given. No issue was found.
# Why it matters: small networks for digits have 28 and 32 channels, and pictures of 28 and 32 pixels. Compare before
# and after with onnxruntime, as its own check does, or write such a constant as the first input.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnxslim==0.1.98 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import importlib.metadata
import sys

import numpy as np
import onnx
import onnxruntime
import onnxslim
from onnx import TensorProto, helper, numpy_helper

print("onnxslim", importlib.metadata.version("onnxslim"))
random = np.random.default_rng(0)
picture = random.normal(size=(1, 1, 28, 28)).astype(np.float32)


def away(shape: tuple[int, ...], channels: int = 28, operands: tuple[str, str] = ("c", "k")) -> tuple[float, list[str]]:
    """How far the result is from the one before, by the largest value, and the operators that are left."""
    values = {
        "w": random.normal(size=(channels, 1, 3, 3)).astype(np.float32),
        "b": random.normal(size=channels).astype(np.float32),
        "k": random.uniform(0.2, 2, shape).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Mul", operands, ["y"]),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, picture.shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, channels, 28, 28])
    constants = [numpy_helper.from_array(value, name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "scaled", [x], [y], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    before = run(model)
    slim = onnxslim.slim(model)
    return float(np.abs(run(slim) - before).max() / np.abs(before).max()), [node.op_type for node in slim.graph.node]


def run(model: onnx.ModelProto) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": picture})[0]


found = {
    "columns (28,)": away((28,)),
    "rows (28, 1)": away((28, 1)),
    "rows (1, 1, 28, 1)": away((1, 1, 28, 1)),
    "channels (28, 1, 1)": away((28, 1, 1)),
    "columns, 27 channels": away((28,), channels=27),
    "columns, constant first": away((28,), operands=("k", "c")),
}
for name, (distance, operators) in found.items():
    print(f"{name}: {' and '.join(operators)}, away by {distance:.2f} of the largest value")
wrong = ("columns (28,)", "rows (28, 1)", "rows (1, 1, 28, 1)")
as_found = all(found[name][0] > 0.2 and found[name][1] == ["Conv"] for name in wrong)
as_found &= all(distance < 1e-4 for name, (distance, _) in found.items() if name not in wrong)
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
