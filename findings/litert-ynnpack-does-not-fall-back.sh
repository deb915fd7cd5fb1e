#!/usr/bin/env bash
# ai-edge-litert 2.3.0: CpuOptions(enable_ynnpack=True) raises, though its documentation says it falls back to XNNPACK.
#
# Input: a TFLite file of one dense layer, compiled for the CPU with enable_ynnpack=True by the wheel, which is built
# without YNNPACK. Guess: it runs with XNNPACK, for the docstring of CpuOptions says "Builds without YNNPACK support fall
# back to XNNPACK".
# Seen: CompiledModel.from_buffer raises a RuntimeError that does not name the option. With the default, False, it runs.
# Why it matters: a program that sets the option for boards whose build has YNNPACK does not start on others.
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
from ai_edge_litert.cpu_options import CpuOptions
from ai_edge_litert.hardware_accelerator import HardwareAccelerator
from ai_edge_litert.options import Options


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


promised = "fall back to XNNPACK" in " ".join((CpuOptions.__doc__ or "").split())
print("the docstring promises a fallback:", promised)
found = []
for wanted in (False, True):
    options = Options(hardware_accelerators=HardwareAccelerator.CPU, cpu_options=CpuOptions(enable_ynnpack=wanted))
    try:
        CompiledModel.from_buffer(dense(), options=options)
        found.append("runs")
    except RuntimeError as error:
        found.append("RuntimeError")
        print(error)
    print(f"enable_ynnpack={wanted}: {found[-1]}")
if not promised or found != ["runs", "RuntimeError"]:
    print("the behaviour has changed")
    sys.exit(1)
PYTHON
"$folder/venv/bin/python" "$folder/show.py" 2> "$folder/stderr" || { grep -v INFO "$folder/stderr"; exit 1; }
