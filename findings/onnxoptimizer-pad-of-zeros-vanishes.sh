#!/usr/bin/env bash
# onnxoptimizer 0.4.2 merges a border of zeros into a MaxPool, whose own border never wins: edges become negative.
#
# Input: an ONNX file of a Pad of one pixel of zeros and a MaxPool of 3x3, as Keras makes of ZeroPadding2D and
# MaxPooling2D, and a picture between -1 and 0; onnxoptimizer.optimize(model) with its default passes. Guess: the same
# results, as the passes are there to fuse and eliminate.
# Seen: the Pad is gone and MaxPool has pads of 1, which ONNX fills with the lowest number there is. The 0 that was the
# largest value at each edge is now the largest of the picture's own negative ones. Pictures without negative values
# are the same, and so is AveragePool. A border of 1 is not merged. Nothing warns. Issue 269 of onnx/optimizer, open
# since January 2026, and a correction that is not merged yet, 318.
# Why it matters: pictures scaled to -1 to 1, or by mean and deviation, are negative where the paper is, and so are
# layers with a leaky or no activation. The edges of every cell change, by little enough that it is put down to the
# conversion. Give a list of passes without "fuse_pad_into_pool", as the script does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnxoptimizer==0.4.2 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import importlib.metadata
import sys

import numpy as np
import onnx
import onnxoptimizer
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

print("onnxoptimizer", importlib.metadata.version("onnxoptimizer"))
negative = np.random.default_rng(0).uniform(-1, -0.2, (1, 1, 9, 9)).astype(np.float32)
others = [name for name in onnxoptimizer.get_fuse_and_elimination_passes() if name != "fuse_pad_into_pool"]


def edges(pool: str, picture: np.ndarray, border: float = 0, passes: list[str] | None = None):
    """The upper edge before and after, and the operators that are left."""
    pad = helper.make_node("Pad", ["x", "p", "v"], ["padded"])
    nodes = [pad, helper.make_node(pool, ["padded"], ["y"], kernel_shape=[3, 3], strides=[3, 3])]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, picture.shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 3, 3])
    values = {"p": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64), "v": np.float32(border)}
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "padded", [x], [y], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    optimized = onnxoptimizer.optimize(model, passes)
    before, after = ([round(float(value), 2) for value in run(each, picture)[0, 0, 0]] for each in (model, optimized))
    return before, after, [node.op_type for node in optimized.graph.node]


def run(model: onnx.ModelProto, picture: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": picture})[0]


found = {
    "negative picture": edges("MaxPool", negative),
    "positive picture": edges("MaxPool", -negative),
    "AveragePool": edges("AveragePool", negative),
    "border of 1": edges("MaxPool", negative, border=1),
    "without the pass": edges("MaxPool", negative, passes=others),
}
for name, (before, after, operators) in found.items():
    print(f"{name}: {before} before, {after} after, {' and '.join(operators)}")
before, after, operators = found.pop("negative picture")
as_found = before == [0, 0, 0] and max(after) <= -0.2 and operators == ["MaxPool"]
as_found &= all(before == after for before, after, _ in found.values())
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
