#!/usr/bin/env bash
# onnxruntime 1.21 to 1.24, on Intel processors with AMX: an int8 convolution whose kernel holds no multiple of 4 weights a
# channel gives wrong numbers, without an error.
#
# Input: QDQ models of one convolution, 3x3 over 1 to 4 channels, 20 channels out, run with all optimizations and with none.
# Guess: both differ by a step of the output's scale at most, in every version, as processors differ in speed only.
# Seen: in 1.24.1 the outputs are right for 4 channels (36 weights) and off by over 100 steps for 1, 2 and 3 (9, 18 and 27);
# 1.20.1 and 1.25.0 are right. With 16 or 32 channels out all are right. onnxruntime's pull request 27671 (March 2026) mended
# its AMX kernel for 32 rows. Intel's servers have AMX since 2023, and few desks do.
# Why it matters: the first layer of a network for grey pictures has 9, 18 or 25 weights a channel. The same file reads well
# on the desk and badly on a server. Take 1.25 or newer, or let SpaceToDepth make the kernel a multiple of 4.
set -euo pipefail
if ! grep -q amx_int8 /proc/cpuinfo; then
    echo "this processor has no AMX, on which alone it can be seen"
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(0)


def model(channels, count):
    """A quantized convolution of 3x3 pixels; its output has a step of 0.1."""
    constants = {
        "step": np.float32(1 / 255),
        "zero": np.uint8(0),
        "weights": rng.integers(-64, 65, (count, channels, 3, 3), np.int8),
        "weight_steps": np.full(count, 0.01, np.float32),
        "out_step": np.float32(0.1),
        "out_zero": np.uint8(128),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["image", "step", "zero"], ["bytes"]),
        helper.make_node("DequantizeLinear", ["bytes", "step", "zero"], ["given"]),
        helper.make_node("DequantizeLinear", ["weights", "weight_steps"], ["kernel"], axis=0),
        helper.make_node("Conv", ["given", "kernel"], ["sums"], kernel_shape=[3, 3]),
        helper.make_node("QuantizeLinear", ["sums", "out_step", "out_zero"], ["sum_bytes"]),
        helper.make_node("DequantizeLinear", ["sum_bytes", "out_step", "out_zero"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "one",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, channels, 34, 82])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, count, 32, 80])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def difference(channels, count):
    """The largest difference of an output between all optimizations and none, in steps."""
    image, content, outputs = rng.random((1, channels, 34, 82), np.float32), model(channels, count), []
    for level in (onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL, onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        outputs.append(session.run(None, {"image": image})[0])
    return round(float(np.abs(outputs[0] - outputs[1]).max()) / 0.1)


seen = {(channels, count): difference(channels, count) for channels in (1, 2, 3, 4) for count in (16, 20, 32)}
for (channels, count), steps in seen.items():
    print(f"onnxruntime {onnxruntime.__version__}: {9 * channels} weights, {count} channels: {steps} steps apart")
is_wrong = {case for case, steps in seen.items() if steps > 1}
assert is_wrong == ({(1, 20), (2, 20), (3, 20)} if sys.argv[1] == "wrong" else set()), is_wrong
PYTHON
for version in 1.20.1=right 1.24.1=wrong 1.25.0=right; do
    python3 -m venv "$folder/${version%=*}"
    "$folder/${version%=*}/bin/pip" install --quiet --disable-pip-version-check "onnxruntime==${version%=*}" onnx==1.17.0 numpy==2.2.6
    "$folder/${version%=*}/bin/python" "$folder/show.py" "${version#*=}"
done
