"""A Keras network -> an ONNX file: input `image` (N, 28, 28, 1) float32, output `logits` (N, classes) float32, N free.

    to_onnx(fuse(network), Path("digitocr-float32.onnx"))
    to_onnx(fuse(network), Path("digitocr-int8.onnx"), calibration)

A file with a batch-norm-free network holds Reshape, Conv, Relu, poolings, MatMul and Add and nothing else: the weights
of the first dense layer are put into the order that ONNX's channels-first layout has, so nothing need be transposed.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from digitocr.runtime.preprocessing import Tensors
from digitocr.train.quiet import silenced

OPSET = 17
WEIGHT_LIMIT = 64  # 7-bit weights: see quantized
_BATCH = 50  # images


def to_onnx(network: keras.Model, path: Path, calibration: Tensors | None = None) -> None:
    """Writes the network in float32 or, with calibration images (N, 28, 28, 1) float32 in [0, 1], in int8.

    network: fused or as trained (its softmax is then inside, and the output still named `logits`).
    Raises OSError where the path cannot be written.
    """
    import onnx

    with silenced():
        model = _converted(_channels_first(network))
        if calibration is not None:
            model = quantized(model, calibration)
        onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def _channels_first(network: keras.Model) -> keras.Model:
    """The same function, flattened channels first: the converter cancels the permutation against its own."""
    image = tensor = keras.Input(network.input_shape[1:], name="image")
    shape: tuple[int, ...] | None = None  # (H, W, C) of what was flattened
    for layer in network.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        if isinstance(layer, keras.layers.Flatten):
            shape = tuple(tensor.shape[1:])
            tensor = keras.layers.Permute((3, 1, 2), name="channels_first")(tensor)
            tensor = keras.layers.Reshape((int(np.prod(shape)),), name="flatten")(tensor)
        elif isinstance(layer, keras.layers.Dense) and shape is not None:
            kernel, *bias = layer.get_weights()
            kernel = kernel.reshape(*shape, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
            dense = keras.layers.Dense.from_config(layer.get_config())
            tensor = dense(tensor)
            dense.set_weights([kernel, *bias])
            shape = None
        else:
            tensor = layer(tensor)
    return keras.Model(image, tensor, name="channels_first")


def _converted(network: keras.Model) -> Any:
    """tf2onnx's from_keras does not know Keras 3; its from_function does. The only place that touches tf2onnx."""
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, name="image")]
    function = tf.function(lambda image: {"logits": network(image, training=False)})
    model, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=OPSET)
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    _rename(model.graph)
    return model


def _rename(graph: Any) -> None:
    """conv_1, relu_1, conv_1.1 for its weights: short, and the same in every process, so the file's bytes are too."""
    names = {"image": "image", "logits": "logits"}
    count: Counter[str] = Counter()
    for node in graph.node:
        kind = node.op_type.lower()
        count[kind] += 1
        node.name = f"{kind}_{count[kind]}"
        node.input[:] = [names.setdefault(name, f"{node.name}.{place}") for place, name in enumerate(node.input)]
        node.output[:] = [names.setdefault(name, node.name) for name in node.output]
    for weights in graph.initializer:
        weights.name = names[weights.name]
    graph.initializer.sort(key=lambda weights: weights.name)
    graph.doc_string = ""
    del graph.value_info[:]


def quantized(model: Any, calibration: Tensors) -> Any:
    """Static int8 in QDQ form, which ONNX Runtime fuses whole into QLinearConv and QGemm.

    A scale for each output channel; ranges of activations by minimum and maximum, as clipping them at percentiles
    helped no network for certain; the last layer gives float32, which saves a rounding and costs nothing.
    reduce_range keeps the weights to 7 bits: a processor with AVX2 and without VNNI adds pairs of products in 16 bits,
    and with 8-bit weights they overflow there (logits wrong by .76 instead of .13 in an emulated one). With 7 bits the
    answers are the same on every processor, and so is what the parity gate said of them.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime ships no types
        batches: Iterator[Tensors] = iter([calibration[at : at + _BATCH] for at in range(0, len(calibration), _BATCH)])

        def get_next(self) -> dict[str, Tensors] | None:
            batch = next(self.batches, None)
            return None if batch is None else {"image": batch}

    with tempfile.TemporaryDirectory() as folder:
        given, prepared, written = (Path(folder, f"{name}.onnx") for name in ("given", "prepared", "written"))
        given.write_bytes(model.SerializeToString())
        quant_pre_process(str(given), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(written),
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm"]},
        )
        return onnx.load(str(written))
