"""A Keras network -> a TFLite file: input `image` (1, 28, 28, 1), output `logits` (1, classes), one image a call.

    to_tflite(fuse(network), Path("digitocr-float32.tflite"))
    to_tflite(fuse(network), Path("digitocr-int8.tflite"), "int8", calibration)

The file has only builtin operators. TensorFlow Lite for Microcontrollers has all of those in int8 files. Input and
output of an int8 file are int8: a pixel of value v, 0 to 255, is exactly v - 128. Programs that refuse that get uint8,
where it is v, or float32, and three channels, whose mean is the grey level. The batch of 1 may be resized.
"""

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from digitocr.runtime.errors import OutputError
from digitocr.runtime.preprocessing import Tensors
from digitocr.train.quiet import silenced

BELOW_BEST = 9.0  # logits under the lowest best one; such a class is e**9 times less likely than the answer
_LOWEST = {schema.TensorType.INT8: -128, schema.TensorType.UINT8: 0}  # the smallest integer of a type
ABOVE_SECOND = 5.0  # logits over the highest runner-up; such a class is e**5 times as likely as the runner-up


IO = ("int8", "uint8", "float")  # types of input and output of an int8 file
CHANNELS = (1, 3)  # of the input: grey, or colours


def to_tflite(
    network: keras.Model,
    path: Path,
    quantize: str = "none",
    calibration: Tensors | None = None,
    io: str = "int8",
    channels: int = 1,
) -> None:
    """Writes the network to `path`.

    Args:
        network: The result of fuse, or a network as trained: its softmax is then in the file, and the output is still
            named `logits`.
        path: The file; OSError is raised if it cannot be written.
        quantize: "none", "float16" or "dynamic" (int8 weights), with float32 input and output; or "int8".
        calibration: For "int8", (N, 28, 28, 1) float32 in [0, 1], which contains the values 0 and 1.
        io: For "int8", one of IO.
        channels: One of CHANNELS.
    """
    with silenced():
        content = _converted(network, quantize, calibration, io, channels)
        model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    graph = model.subgraphs[0]
    image, logits = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    image.name, logits.name = b"image", b"logits"  # the converter names tensors after its own functions
    _free_batch(model)
    last = network.layers[-1]  # a dense layer alone may have other steps behind it than before it
    if quantize == "int8" and isinstance(last, keras.layers.Dense) and last.activation is keras.activations.linear:
        _narrow(model, np.asarray(network.predict(calibration, verbose=0)))
    path.write_bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _converted(network: keras.Model, quantize: str, calibration: Tensors | None, io: str, channels: int) -> bytes:
    import tensorflow as tf

    # The converter's other constructors leave Keras's variables out of the file, whose answers are then arbitrary.
    image = grey = keras.Input(batch_shape=(1, *network.input_shape[1:3], channels), name="image")
    if channels > 1:  # equal weights, which int8 has exactly, so that a grey picture keeps its levels
        mean = keras.initializers.Constant(1 / channels)
        grey = keras.layers.Conv2D(1, 1, use_bias=False, kernel_initializer=mean, name="grey")(image)
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, {"logits": network(grey)}, name="one"))
    if quantize != "none":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if quantize == "int8":
        assert calibration is not None
        given = calibration.repeat(channels, axis=3)
        converter.representative_dataset = lambda: ([given[at : at + 1]] for at in range(len(given)))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        kind = {"int8": tf.int8, "uint8": tf.uint8, "float": tf.float32}[io]
        converter.inference_input_type = converter.inference_output_type = kind
    return convert(converter)


def convert(converter: Any) -> bytes:
    """What a converter makes of a Keras network. Raises OutputError where it cannot write its temporary files."""
    try:
        content: bytes = converter.convert()
    except TypeError as error:  # it hides why the network was not saved, and tries a way that Keras 3 does not have
        raise OutputError(
            f"{tempfile.gettempdir()}: TensorFlow cannot save the network there to convert it; free space, or name "
            "another folder by TMPDIR"
        ) from error
    return content


def _free_batch(model: Any) -> None:
    """Makes the targets of Reshape [-1, n] instead of [1, n], so that a program may resize the batch.

    With [1, n] LiteRT and OpenVINO refuse other batches where they are run.

    Args:
        model: An unpacked TFLite model (a ModelT), changed in place.
    """
    graph = model.subgraphs[0]
    for operator in graph.operators:
        if model.operatorCodes[operator.opcodeIndex].builtinCode == schema.BuiltinOperator.RESHAPE:
            target = model.buffers[graph.tensors[operator.inputs[1]].buffer]
            if target.data is None:  # it is computed in the graph, from the batch
                continue
            _, *sides = np.asarray(target.data, np.uint8).view(np.int32)
            target.data = np.array([-1, *sides], np.int32).view(np.uint8)


def _narrow(model: Any, logits: npt.NDArray[np.float32]) -> None:
    """Narrows the output's quantized range to where answers are decided.

    Beyond the range the output saturates. That changes no answer above every runner-up's logit or far below every
    best one's, so the 256 steps become about half as large. docs/decisions/quantization.md says what it gains.

    Args:
        model: An unpacked int8 TFLite model (a ModelT), changed in place.
        logits: (N, classes) of the calibration images.
    """
    ranked = np.sort(logits, axis=1)
    best, second = ranked[:, -1], ranked[:, -2]
    low, high = min(float(best.min()) - BELOW_BEST, 0.0), max(float(second.max()) + ABOVE_SECOND, 0.0)
    scale = (high - low) / 255
    graph = model.subgraphs[0]
    (last,) = (operator for operator in graph.operators if graph.outputs[0] in operator.outputs)
    # a last Quantize to uint8 or Dequantize has an int8 tensor before it, with the same steps
    for place in {graph.outputs[0], last.inputs[0]}:
        tensor = graph.tensors[place]
        lowest = _LOWEST.get(tensor.type)
        if lowest is not None and tuple(tensor.shape) == (1, logits.shape[1]) and scale < tensor.quantization.scale[0]:
            tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [round(lowest - low / scale)]
