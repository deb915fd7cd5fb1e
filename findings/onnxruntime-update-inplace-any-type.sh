#!/usr/bin/env bash
# onnxruntime 1.32.0: OrtValue.update_inplace takes an array of another type, and the network runs on its bytes.
#
# Input: an OrtValue of eight float32 numbers that is bound to a session's input, and eight float64 numbers, numpy's default.
# Guess: update_inplace converts them, or raises, as session.run and session.run_with_ort_values do for the wrong type.
# Seen: the first half of the float64 numbers' bytes is copied over the float32 numbers: 1.0 becomes 0.0 and 1.875, in
# turn. It compares the number of elements, not the type, and refuses an array of another length. The documentation says
# that "the numpy contents are copied over".
# Why it matters: this is the way to feed camera frames without allocating for each (IOBinding, CUDA graphs). frame / 255 is
# float64, so a missing astype gives answers of noise instead of the error that session.run gives.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [8]) for name in ("image", "out")]
graph = helper.make_graph([helper.make_node("Identity", ["image"], ["out"])], "one", ends[:1], ends[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
value = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(8, np.float32), "cpu", 0)
binding = session.io_binding()
binding.bind_ortvalue_input("image", value)
binding.bind_output("out", "cpu")
frame = np.full(8, 255, np.uint8) / 255


def answer(given):
    value.update_inplace(given)
    session.run_with_iobinding(binding)
    return binding.copy_outputs_to_cpu()[0].tolist()


def refused(call):
    try:
        call()
    except Exception as error:  # onnxruntime's errors have no common class but Exception
        return type(error).__name__
    return "no"


right, wrong = answer(frame.astype(np.float32)), answer(frame)
print("float32:", right)
print(f"{frame.dtype}:", wrong)
by_run = refused(lambda: session.run(None, {"image": frame}))
by_length = refused(lambda: value.update_inplace(frame[:4]))
print(f"session.run refuses float64: {by_run}; update_inplace refuses four numbers: {by_length}")
as_found = right == [1.0] * 8 and wrong == [0.0, 1.875] * 4 and "no" not in (by_run, by_length)
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
