#!/usr/bin/env bash
# onnx 1.23.2: the version converter to opset 11 or more moves what an older Upsample or Resize makes larger.
#
# Input: ONNX files of opset 9 with an Upsample, and of opset 10 with a Resize, linear by 2 and nearest by 1.6, over a
# row with one pixel of ink, which onnx.version_converter.convert_version turns into opset 13. Guess: the same results
# in onnxruntime, or an error, as there is for operators that cannot be converted.
# Seen: with linear the ink of 0.5, 1, 0.5 becomes 0.25, 0.75, 0.75, 0.25: it moves by half a pixel and is paler. With
# nearest a pixel more is ink. The new Resize is left without a coordinate_transformation_mode, whose default is
# another rule than that of the older opsets; with "asymmetric" and a nearest_mode of "floor" in the converted file
# the results are the old ones. Nearest by 2 is right. Hardmax of (1, 10, 2, 2) has a single one before and 20 after,
# while Softmax is right. Neither the checker nor a warning tells. Issue 8480 of onnx/onnx, open since September 2026,
# is about Resize; for Hardmax none was found.
# Why it matters: an older detector of text or digits, converted since a quantizer or a runtime wants a newer opset,
# has its maps half a pixel beside the strokes. Compare the results before and after.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper, version_converter

row = np.zeros((1, 1, 1, 5), np.float32)
row[..., 2] = 1  # one pixel of ink
onnxruntime.set_default_logger_severity(3)


def run(model, given):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": given})[0]


def compared(opset, operator, given, scales=None, **attributes):
    """The results of the file, of the converted one, and of that with the old rule written into it."""
    constants = [] if scales is None else [numpy_helper.from_array(np.array(scales, np.float32), "scales")]
    node = helper.make_node(operator, ["x", *(one.name for one in constants)], ["y"], **attributes)
    shape = given.shape if scales is None else [int(size * scale) for size, scale in zip(given.shape, scales)]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, given.shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    graph = helper.make_graph([node], "enlarge", [x], [y], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    new = version_converter.convert_version(model, 13)
    onnx.checker.check_model(new, full_check=True)
    results = [run(model, given), run(new, given)]
    for node in new.graph.node:
        if node.op_type == "Resize":
            rule = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
            node.attribute.extend(helper.make_attribute(*pair) for pair in rule.items())
    return [*results, run(new, given)]


print("onnx", onnx.__version__)
as_found = True
for name, opset, operator, scale, mode in (
    ("Upsample linear by 2", 9, "Upsample", 2, "linear"),
    ("Resize linear by 2", 10, "Resize", 2, "linear"),
    ("Upsample nearest by 1.6", 9, "Upsample", 1.6, "nearest"),
    ("Resize nearest by 1.6", 10, "Resize", 1.6, "nearest"),
    ("Resize nearest by 2", 10, "Resize", 2, "nearest"),
):
    old, new, told = compared(opset, operator, row, [1, 1, 1, scale], mode=mode)
    print(f"{name}: opset {opset} {old.ravel()}, opset 13 {new.ravel()}")
    as_found &= np.array_equal(old, new) == (name == "Resize nearest by 2") and np.array_equal(old, told)
    if mode == "linear":
        as_found &= old.max() == 1 and np.allclose(new.ravel()[3:7], [0.25, 0.75, 0.75, 0.25])
scores = np.random.default_rng(0).standard_normal((1, 10, 2, 2)).astype(np.float32)
for operator in ("Hardmax", "Softmax"):
    old, new, _ = compared(9, operator, scores)
    print(f"{operator} of (1, 10, 2, 2): ones in opset 9 {(old == 1).sum()}, in opset 13 {(new == 1).sum()}")
    as_found &= np.allclose(old, new, atol=1e-6) == (operator == "Softmax")
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
