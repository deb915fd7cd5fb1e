#!/usr/bin/env bash
# MNN 3.6.1 converts an int8 ONNX file with "Converted Success!", and only the first channel of a convolution is right.
#
# Input: one convolution with four channels in the standard's QDQ form, weights int8 with one scale for the tensor, as
# onnxruntime's quantize_static writes them by default. Guess: MNN gives the numbers of the float32 file, or refuses it.
# Seen: with one scale, channel 0 is right and the three others are zero or whatever lies in memory (1e28 was seen, other
# numbers from run to run): the scale is applied to the first channel only. With the same scale repeated for each channel
# all are right. With uint8 activations, zero point 0, even those are wrong by a constant for each channel, and with int8
# activations, zero point -128, which mean the same, they are right.
# Until 2.8 MNN refused such files (its issue 2548); no issue about wrong answers of one scale was found.
# Why it matters: the default settings of the most used quantizer give a file that MNN accepts and whose answers are noise.
# Quantize per channel with int8 activations, or give MNN the float32 file; compare answers before the file goes to a phone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check MNN==3.6.1 onnx==1.23.2 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys
from pathlib import Path

import _tools  # MNN's converter without its command-line program, which runs pip
import MNN.expr as expr
import MNN.nn as nn
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(0)
picture = random.random((1, 1, 8, 8), np.float32)
weights = random.normal(size=(4, 1, 3, 3)).astype(np.float32)
scale = np.float32(np.abs(weights).max() / 127)
codes = np.rint(weights / scale).astype(np.int8)
patches = np.lib.stride_tricks.sliding_window_view(picture[0, 0], (3, 3))
right = np.einsum("ijkl,okl->oij", patches, codes[:, 0] * scale)


def answers(per_channel, zero):
    """What MNN computes from the QDQ file; `zero` is the activations' zero point, or None to leave them float32."""
    values = {"codes": codes, "scale": np.full(4, scale) if per_channel else scale}
    values["nought"] = np.zeros(4, np.int8) if per_channel else np.int8(0)
    nodes = [helper.make_node("DequantizeLinear", ["codes", "scale", "nought"], ["weights"], axis=0)]
    given = "image"
    if zero is not None:
        values |= {"step": np.float32(1 / 255), "zero": zero}
        nodes.append(helper.make_node("QuantizeLinear", ["image", "step", "zero"], ["bytes"]))
        nodes.append(helper.make_node("DequantizeLinear", ["bytes", "step", "zero"], ["grey"]))
        given = "grey"
    nodes.append(helper.make_node("Conv", [given, "weights"], ["out"]))
    graph = helper.make_graph(
        nodes,
        "one",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 8, 8])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 4, 6, 6])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, "one.onnx")
    Path("one.mnn").unlink(missing_ok=True)
    _tools.mnnconvert("mnnconvert -f ONNX --modelFile one.onnx --MNNModel one.mnn --bizCode one".split())
    network = nn.load_module_from_file("one.mnn", ["image"], ["out"])
    image = expr.const(picture.flatten().tolist(), [1, 1, 8, 8], expr.NCHW)
    return np.array(expr.convert(network.onForward([image])[0], expr.NCHW).read(), np.float32)[0]


found = {}
for name, per_channel, zero in (
    ("one scale, float32 activations", False, None),
    ("a scale for each channel, float32 activations", True, None),
    ("a scale for each channel, int8 activations", True, np.int8(-128)),
    ("a scale for each channel, uint8 activations", True, np.uint8(0)),
    ("one scale, uint8 activations", False, np.uint8(0)),
):
    out = answers(per_channel, zero)
    found[name] = [bool(np.allclose(out[channel], right[channel], atol=0.05)) for channel in range(4)]
    print(f"SEEN {name}: first pixel of each channel {out[:, 0, 0]}, right {right[:, 0, 0]}; channels right: {found[name]}")
one = found["one scale, float32 activations"]
as_found = one[0] and not all(one) and all(found["a scale for each channel, float32 activations"])
as_found &= all(found["a scale for each channel, int8 activations"])
as_found &= not any(found["a scale for each channel, uint8 activations"])
as_found &= not all(found["one scale, uint8 activations"])
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
cd "$folder"
status=0
"$folder/venv/bin/python" "$folder/show.py" > "$folder/stdout" 2> "$folder/stderr" || status=$?
grep -a SEEN "$folder/stdout" | sed 's/^SEEN //' || true
[ "$status" = 0 ] || tail -n 1 "$folder/stderr"
exit "$status"
