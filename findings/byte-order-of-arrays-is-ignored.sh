#!/usr/bin/env bash
# onnxruntime 1.32.0, ai-edge-litert 2.3.0 and opencv-python 5.0.0.93 read an array in the other byte order as noise.
#
# Input: a TIFF of 16 bits in big-endian order, which the format allows, opened by Pillow 13.0.0, whose array is of
# type >u2; and a float32 picture of type >f4, as files in FITS, IDX and netCDF hold it. Guess: NumPy keeps the order
# in the type, so it is honoured, or refused as a type that is not known.
# Seen: NumPy and Pillow compute with them as with any other, onnx's reference runtime too. onnxruntime's session.run
# and OrtValue, LiteRT's set_tensor and OpenCV's functions take the bytes as they lie and swap none: 256 is 1 and 1000
# is 59395; 1.0 is 4.6e-41, so that a picture becomes all but black. No error. The result of a computation, as of
# picture / 65535, is in the machine's order again, so that one line more or less decides. Documentation or issues
# that mention it were not found.
# Why it matters: bright and dark pixels are mixed at random in the one case, and no ink is left in the other, and the
# network answers. Reading the same file by another package hides it. array.astype(array.dtype.newbyteorder("=")) puts
# it right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnxruntime==1.32.0 onnx==1.23.2 ai-edge-litert==2.3.0 opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import io
import struct
import sys

import cv2
import flatbuffers
import numpy as np
import onnxruntime
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from PIL import Image

SIZE = 4  # pixels of the picture


def tiff(pixels):
    """A big-endian TIFF of one row of 16-bit grey pixels."""
    tags = [(256, len(pixels)), (257, 1), (258, 16), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1)]
    tags.append((279, 2 * len(pixels)))
    strip = struct.pack(f">{len(pixels)}H", *pixels)
    entries = b"".join(struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in tags)
    return struct.pack(">2sHI", b"MM", 42, 8 + len(strip)) + strip + struct.pack(">H", len(tags)) + entries + bytes(4)


def onnx_file():
    """An ONNX file that gives back its input: (4,) float32."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [SIZE]) for name in ("image", "out")]
    graph = helper.make_graph([helper.make_node("Identity", ["image"], ["out"])], "one", ends[:1], ends[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def tflite_file():
    """A TFLite file that gives back its input but for negative numbers: (4,) float32."""
    model, graph, code, layer = schema.ModelT(), schema.SubGraphT(), schema.OperatorCodeT(), schema.OperatorT()
    model.version, model.subgraphs, model.operatorCodes, model.buffers = 3, [graph], [code], [schema.BufferT()]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RELU
    code.version = 1
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [], [0], [1], [layer]
    layer.opcodeIndex, layer.inputs, layer.outputs = 0, [0], [1]
    for name in ("image", "out"):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, [SIZE], schema.TensorType.FLOAT32, 0
        graph.tensors.append(tensor)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


model = onnx_file()
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
interpreter = Interpreter(model_content=tflite_file())
interpreter.allocate_tensors()


def litert(picture):
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def nearest(picture):
    return cv2.resize(picture, (SIZE, 1), interpolation=cv2.INTER_NEAREST)


scan = np.asarray(Image.open(io.BytesIO(tiff([1, 256, 1000, 65535]))))
print("Pillow gives the type", scan.dtype.str, "with", scan.ravel().tolist())
swapped = nearest(scan).ravel().tolist()
print("OpenCV resize:", swapped, "converted before:", nearest(scan.astype(np.uint16)).ravel().tolist())
as_found = scan.dtype.str == ">u2" and scan.ravel().tolist() == [1, 256, 1000, 65535]
as_found &= swapped == [256, 1, 59395, 65535] and (nearest(scan.astype(np.uint16)) == scan).all()

picture = np.array([0.25, 0.5, 0.75, 1], ">f4")
readers = {
    "onnxruntime session.run": lambda given: session.run(None, {"image": given})[0],
    "onnxruntime OrtValue": lambda given: onnxruntime.OrtValue.ortvalue_from_numpy(given).numpy(),
    "LiteRT set_tensor": litert,
    "OpenCV resize": lambda given: nearest(given[None])[0],
    "onnx reference": lambda given: ReferenceEvaluator(model).run(None, {"image": given})[0],
}
for name, read in readers.items():
    given, native = read(picture), read(picture.astype(np.float32))
    print(f"{name}: {given.tolist()}; converted before: {native.tolist()}")
    as_found &= np.array_equal(native, picture)
    as_found &= np.array_equal(given, picture) if name == "onnx reference" else bool((abs(given) < 1e-38).all())
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" 2> "$folder/stderr" || { grep -v INFO "$folder/stderr"; exit 1; }
