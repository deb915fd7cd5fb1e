#!/usr/bin/env bash
# tract 0.23.9 runs an LSTM, GRU or RNN with direction "reverse" forward, and OpenCV 5.0.0 a GRU.
#
# Input: ONNX files of one node each, LSTM, GRU and RNN of opset 14, with direction forward, reverse and bidirectional,
# and seven steps. Guess: "reverse" is from right to left, as onnxruntime 1.32.0 computes it, or is refused.
# Seen: in tract, all three give for "reverse" what they give for "forward", to rounding; in OpenCV the GRU does, while
# its LSTM is right, and RNN is refused. "bidirectional" is right in both. No error or warning. For tract and OpenCV no
# issue was found; onnx's reference evaluator had the same until pull request 7935 of onnx/onnx.
# Why it matters: a recognizer of lines that reads from right to left, or from both sides by two nodes, gives other
# digits at the start of a number, where the reverse part knows most. Export one bidirectional node, or turn the steps
# round before and after by a Slice with step -1; compare with onnxruntime.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.32.0 tract==0.23.9 opencv-python-headless==5.0.0.93 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import importlib.metadata
import pathlib
import sys

import cv2
import numpy as np
import onnx
import onnxruntime
import tract
from onnx import TensorProto, helper, numpy_helper

print("tract", importlib.metadata.version("tract"), "OpenCV", cv2.__version__)
file = pathlib.Path(sys.argv[1]) / "model.onnx"
steps, inputs, hidden = 7, 3, 4
columns = np.random.default_rng(0).normal(size=(steps, 1, inputs)).astype(np.float32)


def run(operator: str, gates: int, direction: str) -> dict[str, np.ndarray]:
    """The output at each step by each program that takes the file; the weights of forward and reverse are the same."""
    random = np.random.default_rng(1)
    count = 2 if direction == "bidirectional" else 1
    values = {
        "w": random.normal(size=(count, gates * hidden, inputs)).astype(np.float32),
        "r": random.normal(size=(count, gates * hidden, hidden)).astype(np.float32),
        "b": random.normal(size=(count, 2 * gates * hidden)).astype(np.float32),
    }
    node = helper.make_node(operator, ["x", "w", "r", "b"], ["y", "h"], hidden_size=hidden, direction=direction)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, columns.shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, (steps, count, 1, hidden))
    h = helper.make_tensor_value_info("h", TensorProto.FLOAT, (count, 1, hidden))
    constants = [numpy_helper.from_array(value, name) for name, value in values.items()]
    graph = helper.make_graph([node], operator, [x], [y, h], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, file)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    compiled = tract.onnx().load(str(file)).into_model().into_runnable()
    found = {"onnxruntime": session.run(None, {"x": columns})[0], "tract": compiled.run([columns])[0].to_numpy()}
    if operator != "RNN":
        net = cv2.dnn.readNetFromONNX(str(file))
        net.setInput(columns, "x")
        found["OpenCV"] = net.forward(["y", "h"])[0]
    return {name: output.reshape(steps, count, hidden) for name, output in found.items()}


as_found = True
for operator, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
    forward = run(operator, gates, "forward")["onnxruntime"]
    for direction in ("forward", "reverse", "bidirectional"):
        outputs = run(operator, gates, direction)
        right = outputs.pop("onnxruntime")
        for name, output in outputs.items():
            away = float(np.abs(output - right).max())
            ignored = direction == "reverse" and bool(np.abs(output - forward).max() < 1e-4)
            print(f"{operator} {direction}, {name}: away by {away:.3f}" + (", the same as forward" if ignored else ""))
            expected = direction == "reverse" and (name == "tract" or operator == "GRU")
            as_found &= ignored == expected and (away > 0.1) == expected
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder" 2> >(grep -v WARN >&2)
