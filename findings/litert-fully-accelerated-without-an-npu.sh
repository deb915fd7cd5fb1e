#!/usr/bin/env bash
# ai-edge-litert 2.3.0: CompiledModel for NPU and CPU says is_fully_accelerated() on a machine that has no NPU.
#
# Input: a TFLite file of one dense layer, compiled for HardwareAccelerator.NPU | CPU on a PC without an NPU. Guess:
# is_fully_accelerated() is False, since the NPU that was asked for computes nothing, or an error, as NPU alone gives.
# Seen: NPU alone raises a RuntimeError; NPU | CPU runs, warns of nothing to the program, and is_fully_accelerated() is
# True, as it is with the CPU alone: XNNPACK counts as an accelerator too.
# Why it matters: a program on a board cannot tell by this call whether its digits are read by the NPU or, many times
# slower, by the CPU because a vendor's library is missing. Measure the time, or compile for the NPU alone and catch the
# error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ai-edge-litert==2.3.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.hardware_accelerator import HardwareAccelerator


def dense():
    """A TFLite file of one dense layer: (1, 4) float32 -> (1, 3)."""
    model, graph, code, layer = schema.ModelT(), schema.SubGraphT(), schema.OperatorCodeT(), schema.OperatorT()
    model.version, model.subgraphs, model.operatorCodes, model.buffers = 3, [graph], [code], [schema.BufferT()]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    code.version = 1
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [], [0], [1], [layer]
    layer.opcodeIndex, layer.inputs, layer.outputs = 0, [0, 2, 3], [1]
    layer.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    layer.builtinOptions = schema.FullyConnectedOptionsT()
    values = {"weights": np.arange(12, dtype=np.float32).reshape(3, 4), "bias": np.zeros(3, np.float32)}
    for name, shape in (("image", [1, 4]), ("logits", [1, 3]), ("weights", [3, 4]), ("bias", [3])):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, shape, schema.TensorType.FLOAT32, 0
        if name in values:
            buffer, tensor.buffer = schema.BufferT(), len(model.buffers)
            buffer.data = np.frombuffer(values[name].tobytes(), np.uint8)
            model.buffers.append(buffer)
        graph.tensors.append(tensor)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


found = {}
for names in ("CPU", "NPU", "NPU CPU"):
    accelerators = HardwareAccelerator(0)
    for name in names.split():
        accelerators |= HardwareAccelerator[name]
    try:
        found[names] = str(CompiledModel.from_buffer(dense(), accelerators).is_fully_accelerated())
    except RuntimeError as error:
        found[names] = "RuntimeError"
        print(f"{names}: {error}")
    print(f"{names}: is_fully_accelerated() is {found[names]}")
as_found = found == {"CPU": "True", "NPU": "RuntimeError", "NPU CPU": "True"}
if not as_found:
    print("the behaviour has changed")
    sys.exit(1)
PYTHON
"$folder/venv/bin/python" "$folder/show.py" 2> "$folder/stderr" || { grep -v INFO "$folder/stderr"; exit 1; }
