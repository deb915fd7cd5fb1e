#!/usr/bin/env bash
# onnxruntime 1.32.0: an int8 model converted to .ort with --optimization_style Runtime runs in float32, without a word.
#
# Input: a QDQ model of one convolution. onnxruntime.tools.convert_onnx_models_to_ort writes it in the styles Fixed and
# Runtime. Guess: both run in int8 like the .onnx file, since the style Runtime saves its optimizations in the file "to be
# applied at runtime".
# Seen: the .onnx file and the style Fixed run QLinearConv; the style Runtime dequantizes and runs Conv in float32. What it
# saved is not applied unless a session entry asks for it, session.enable_saved_runtime_optimizations, which is off.
# Why it matters: a quantized digit network is five times slower on a device than its .onnx file on the desk, and answers
# are nearly the same, so nobody notices. Convert with --optimization_style Fixed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6 sympy==1.14.0
cat > "$folder/show.py" << 'PYTHON'
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

folder = Path(sys.argv[1])
picture = np.random.default_rng(0).random((1, 1, 8, 8), np.float32)


class Reader(CalibrationDataReader):
    given = iter([{"image": picture}])

    def get_next(self):
        return next(self.given, None)


weights = np.random.default_rng(1).normal(size=(4, 1, 3, 3)).astype(np.float32)
graph = helper.make_graph(
    [helper.make_node("Conv", ["image", "weights"], ["out"])],
    "one",
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 8, 8])],
    [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 4, 6, 6])],
    [numpy_helper.from_array(weights, "weights")],
)
opset = [helper.make_opsetid("", 17)]
onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), folder / "float.onnx")
quantize_static(folder / "float.onnx", folder / "int8.onnx", Reader(), quant_format=QuantFormat.QDQ)
for style in ("Fixed", "Runtime"):
    (folder / style).mkdir()
    tool = [sys.executable, "-m", "onnxruntime.tools.convert_onnx_models_to_ort", str(folder / "int8.onnx")]
    command = [*tool, "--output_dir", str(folder / style), "--optimization_style", style]
    subprocess.run(command, check=True, capture_output=True)


def kernels(path):
    """The kinds of the nodes that ran, by ONNX Runtime's own profile."""
    options = onnxruntime.SessionOptions()
    options.enable_profiling, options.profile_file_prefix = True, str(folder / "profile")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    session.run(None, {"image": picture})
    events = json.loads(Path(session.end_profiling()).read_text())
    return {event["args"]["op_name"] for event in events if "op_name" in event.get("args", {})}


(fixed,), (runtime,) = (list((folder / style).glob("*.ort")) for style in ("Fixed", "Runtime"))
found = {"int8.onnx": kernels(folder / "int8.onnx"), "Fixed": kernels(fixed), "Runtime": kernels(runtime)}
for name, kinds in found.items():
    print(f"{name}: {', '.join(sorted(kinds))}")
int8 = [name for name, kinds in found.items() if "QLinearConv" in kinds]
if int8 != ["int8.onnx", "Fixed"] or "Conv" not in found["Runtime"]:
    print("the behaviour has changed")
    sys.exit(1)
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder" 2> "$folder/stderr" || { tail -n 3 "$folder/stderr"; exit 1; }
