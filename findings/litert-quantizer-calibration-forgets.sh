#!/usr/bin/env bash
# litert-quantizer 0.11.0 calibrates static int8 by a moving average, so the ranges depend on the order of the pictures.
#
# Input: a TFLite file of one dense layer, and eleven calibration pictures: ten whose brightest pixel is 1, one whose
# brightest is 10. Guess: the input's range ends at 10, the largest value seen, in any order, as with TensorFlow's converter
# and with onnxruntime's default.
# Seen: with the bright picture last the range ends at 1.45, with it first at 6.4. The first picture sets the range, and each
# further one moves it by a twentieth of the way. Further pictures wear the range down: after fifty dim ones 1.7 is left.
# The name for it, moving_average_update, stands in the source only: neither the docstring of calibrate() nor the package's
# page says so, and its argument `mode` is about speed. ai-edge-quantizer 0.10.0, as it was called before, has the same rule.
# Why it matters: what exceeds the range is clipped. A digit network calibrated on a folder sorted by class or by scanner
# clips the logits of the classes that came early, and a shuffle of the same pictures gives another file.
# litert_quantizer.calibrator.Calibrator takes qsv_utils.min_max_update instead, which gives 10 in any order.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check litert-quantizer==0.11.0 ai-edge-litert==2.3.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import contextlib
import io
import sys

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from litert_quantizer import calibrator, quantizer, recipe, recipe_manager
from litert_quantizer.utils import qsv_utils


def dense():
    """A TFLite file of one dense layer with a signature: (1, 64) float32 -> (1, 64)."""
    model, graph, code, layer = schema.ModelT(), schema.SubGraphT(), schema.OperatorCodeT(), schema.OperatorT()
    model.version, model.subgraphs, model.operatorCodes, model.buffers = 3, [graph], [code], [schema.BufferT()]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    code.version = 1
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [], [0], [1], [layer]
    layer.opcodeIndex, layer.inputs, layer.outputs = 0, [0, 2, 3], [1]
    layer.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    layer.builtinOptions = schema.FullyConnectedOptionsT()
    values = {"weights": np.eye(64, dtype=np.float32), "bias": np.zeros(64, np.float32)}
    for name, shape in (("image", [1, 64]), ("logits", [1, 64]), ("weights", [64, 64]), ("bias", [64])):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, shape, schema.TensorType.FLOAT32, 0
        if name in values:
            buffer, tensor.buffer = schema.BufferT(), len(model.buffers)
            buffer.data = np.frombuffer(values[name].tobytes(), np.uint8)
            model.buffers.append(buffer)
        graph.tensors.append(tensor)
    signature, given, answered = schema.SignatureDefT(), schema.TensorMapT(), schema.TensorMapT()
    given.name, given.tensorIndex, answered.name, answered.tensorIndex = "image", 0, "logits", 1
    signature.signatureKey, signature.inputs, signature.outputs = "serving_default", [given], [answered]
    signature.subgraphIndex, model.signatureDefs = 0, [signature]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def largest(peaks, keep_extremes=False):
    """The largest input that the int8 file can hold, after calibration on pictures with these brightest pixels."""
    work = quantizer.Quantizer(dense())
    work.load_quantization_recipe(recipe.static_wi8_ai8())
    pictures = {"serving_default": [{"image": np.linspace(0, peak, 64, dtype=np.float32)[None]} for peak in peaks]}
    with contextlib.redirect_stdout(io.StringIO()):
        if keep_extremes:
            recipes = recipe_manager.RecipeManager()
            recipes.load_quantization_recipe(recipe.static_wi8_ai8())
            calibration = calibrator.Calibrator(dense(), qsv_update_func=qsv_utils.min_max_update)
            calibration.calibrate(pictures, recipes)
            ranges = calibration.get_model_qsvs()
        else:
            ranges = work.calibrate(pictures)
        file = work.quantize(ranges).quantized_model
    interpreter = Interpreter(model_content=bytes(file))
    interpreter.allocate_tensors()
    scale, zero = interpreter.get_input_details()[0]["quantization"]
    return (127 - zero) * scale


found = {}
for name, peaks in {"last": [1] * 10 + [10], "first": [10] + [1] * 10, "first of 51": [10] + [1] * 50}.items():
    found[name] = largest(peaks)
    print(f"the bright picture {name}: the range ends at {found[name]:.2f}, the brightest pixel is 10")
    extremes = largest(peaks, keep_extremes=True)
    print(f"  with min_max_update it ends at {extremes:.2f}")
    assert np.isclose(extremes, 10, rtol=0.02), "min_max_update keeps the largest value"
wanted = {"last": 0.95 * 1 + 0.05 * 10, "first": 1 + 9 * 0.95**10, "first of 51": 1 + 9 * 0.95**50}
if not all(np.isclose(found[name], wanted[name], rtol=0.02) for name in wanted):
    print("the behaviour has changed")
    sys.exit(1)
PYTHON
"$folder/venv/bin/python" "$folder/show.py" 2> "$folder/stderr" || { tail -n 3 "$folder/stderr"; exit 1; }
