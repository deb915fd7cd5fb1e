#!/usr/bin/env bash
# onnx 1.23.2's reference evaluator, and tract 0.23.9, run an LSTM or GRU with other activations as if it had none.
#
# Input: LSTM and GRU nodes of opset 22 with activations HardSigmoid and Tanh, and with clip, whose weights are large
# enough to matter, and the same nodes without these attributes. Guess: the evaluator, which is there to define what is
# right, agrees with the formulas of the operator, as onnxruntime 1.32.0 does to rounding.
# Seen: onnxruntime follows the formula of HardSigmoid, written out in NumPy below. The evaluator and tract give the
# same to the last bit with and without the attributes, that is sigmoid and no clip: up to .33 beside the formula. The
# source of the evaluator takes activations, clip and input_forget and never looks at them; RNN is the one of the three
# that uses activations. Neither warns. Issue 2751 of sonos/tract has it, open; for onnx none was found.
# Why it matters: a recognizer of lines is a convolution and an LSTM; HardSigmoid is what Keras trained before 2.3, and
# what one takes for quantized chips. A runtime or a conversion that is checked against the evaluator is called wrong
# where it is right, and tract reads other digits. Check against onnxruntime.
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
from onnx.reference import ReferenceEvaluator

folder = pathlib.Path(sys.argv[1])
print(*(f"{name} {importlib.metadata.version(name)}" for name in ("onnx", "onnxruntime", "tract")))
random = np.random.default_rng(0)
steps, inputs, hidden = 20, 8, 16
columns = random.normal(size=(steps, 1, inputs)).astype(np.float32)
weights = {
    operator: {
        "w": random.normal(size=(1, gates * hidden, inputs)).astype(np.float32),
        "r": random.normal(size=(1, gates * hidden, hidden)).astype(np.float32),
        "b": random.normal(size=(1, 2 * gates * hidden)).astype(np.float32),
    }
    for operator, gates in (("LSTM", 4), ("GRU", 3))
}


def run(operator: str, **attributes) -> dict[str, np.ndarray]:
    node = helper.make_node(operator, ["x", "w", "r", "b"], ["y"], hidden_size=hidden, **attributes)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, columns.shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, (steps, 1, 1, hidden))
    values = [numpy_helper.from_array(value, name) for name, value in weights[operator].items()]
    graph = helper.make_graph([node], operator, [x], [y], values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, folder / "model.onnx")
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    compiled = tract.onnx().load(str(folder / "model.onnx")).into_model().into_runnable()
    return {
        "onnxruntime": session.run(None, {"x": columns})[0].squeeze(),
        "reference": ReferenceEvaluator(model).run(None, {"x": columns})[0].squeeze(),
        "tract": compiled.run([columns])[0].to_numpy().squeeze(),
    }


def lstm(gate) -> np.ndarray:
    w, r, b = (weights["LSTM"][name][0].astype(float) for name in "wrb")
    output, cell, outputs = np.zeros(hidden), np.zeros(hidden), []
    for column in columns[:, 0]:
        i, o, f, c = np.split(w @ column + r @ output + b[: 4 * hidden] + b[4 * hidden :], 4)
        cell = gate(f) * cell + gate(i) * np.tanh(c)
        output = gate(o) * np.tanh(cell)
        outputs.append(output)
    return np.array(outputs)


def hard(value: np.ndarray) -> np.ndarray:
    return np.clip(0.2 * value + 0.5, 0, 1)


formula = lstm(hard)
as_found = True
for operator, names in (("LSTM", ["HardSigmoid", "Tanh", "Tanh"]), ("GRU", ["HardSigmoid", "Tanh"])):
    plain = run(operator)
    as_found &= bool(np.abs(plain["onnxruntime"] - plain["reference"]).max() < 1e-4)
    for attribute, value in (("activations", names), ("clip", 0.5)):
        found = run(operator, **{attribute: value})
        moved = {name: round(float(np.abs(output - plain[name]).max()), 3) for name, output in found.items()}
        print(f"{operator}, {attribute} {value}: largest change by the attribute {moved}")
        as_found &= moved["onnxruntime"] > 0.05 and moved["reference"] == moved["tract"] == 0
        if (operator, attribute) == ("LSTM", "activations"):
            away = {name: round(float(np.abs(output - formula).max()), 5) for name, output in found.items()}
            print(f"LSTM, activations: largest distance from the formula {away}")
            as_found &= away["onnxruntime"] < 1e-4 and min(away["reference"], away["tract"]) > 0.05
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
