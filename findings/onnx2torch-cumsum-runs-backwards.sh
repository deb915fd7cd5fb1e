#!/usr/bin/env bash
# onnx2torch 1.5.15: a CumSum without the attribute reverse adds up from the end, and NonZero gives pairs, not rows.
#
# Input: ONNX files of one CumSum over a mask of the columns of a text line, as the places of digits are numbered inside a
# network, and of one NonZero over a picture of 3x4 with three pixels of ink. Guess: what onnxruntime and ONNX's reference
# evaluator give: 0 1 1 2 2 3 for the mask 0 1 0 1 0 1, and one row of y and one of x.
# Seen: 3 3 2 2 1 1. The default of reverse is 0 in ONNX, and 1 in onnx2torch. The exporter of torch, with dynamo=False,
# writes no reverse for torch.cumsum. With reverse=0 or reverse=1 in the file the sum is right, with exclusive=1 too. NonZero
# has shape (3, 2) instead of (2, 3), as torch.nonzero has it: row 0 is the first pixel, not the y of all. With as many
# pixels of ink as axes even the shape is as wanted. No error or warning. No issue was found.
# Why it matters: digits are numbered from the right, so that 12 becomes 21 or falls out of its places, only in the network
# that is trained further in torch. Write reverse=0 into the file before the conversion, and compare with onnxruntime.
#
# Needs 6 GB for torch in the temporary folder.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx2torch==1.5.15 torch==2.14.1 torchvision==0.29.1 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import importlib.metadata
import sys

import numpy as np
import onnx
import onnx2torch
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

print("onnx2torch", importlib.metadata.version("onnx2torch"))


def run(operator: str, given: np.ndarray, **attributes: int) -> tuple[np.ndarray, np.ndarray]:
    """The results of onnxruntime, which are those of the reference evaluator, and of onnx2torch."""
    axis = [numpy_helper.from_array(np.array(given.ndim - 1), "axis")] if operator == "CumSum" else []
    node = helper.make_node(operator, ["x", *(constant.name for constant in axis)], ["y"], **attributes)
    kind = TensorProto.FLOAT if operator == "CumSum" else TensorProto.INT64
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, given.shape)
    y = helper.make_tensor_value_info("y", kind, given.shape if operator == "CumSum" else [given.ndim, None])
    graph = helper.make_graph([node], "line", [x], [y], axis)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    right = session.run(None, {"x": given})[0]
    assert np.array_equal(right, ReferenceEvaluator(model).run(None, {"x": given})[0])
    return right, onnx2torch.convert(model)(torch.from_numpy(given)).numpy()


mask = np.array([[0, 1, 0, 1, 0, 1]], np.float32)
as_found = True
for attributes in ({}, {"reverse": 0}, {"reverse": 1}, {"exclusive": 1}, {"exclusive": 1, "reverse": 0}):
    right, given = run("CumSum", mask, **attributes)
    print(f"CumSum {attributes}: onnxruntime {right[0].astype(int)}, onnx2torch {given[0].astype(int)}")
    as_found &= np.array_equal(right, given) == ("reverse" in attributes)
    if "reverse" not in attributes:
        as_found &= np.array_equal(given, run("CumSum", mask, reverse=1, **attributes)[0])
for pixels in ([(0, 1), (1, 2), (2, 3)], [(0, 1), (2, 3)]):
    picture = np.zeros((3, 4), np.float32)
    picture[tuple(zip(*pixels, strict=True))] = 1
    right, given = run("NonZero", picture)
    print(f"NonZero: onnxruntime {right.tolist()}, onnx2torch {given.tolist()}")
    as_found &= np.array_equal(right.T, given) and not np.array_equal(right, given)
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" -W error::UserWarning "$folder/show.py"
