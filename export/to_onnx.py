"""A Keras network -> an ONNX file: input `image` (N, 28, 28, 1) float32, output `logits` (N, classes) float32, N free.

    to_onnx(fuse(network), Path("digitocr-float32.onnx"))
    to_onnx(fuse(network), Path("digitocr-int8.onnx"), calibration)

The file of a network without batch norm holds Reshape, Conv, Relu, pooling, MatMul and Add nodes only. In a chain of
layers the weights of a dense layer behind Flatten are permuted to the order of ONNX's channels-first layout, so that no
Transpose node is needed.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import keras
import numpy as np

from digitocr.export.fuse import is_chain
from digitocr.export.quantize import quantize_onnx
from digitocr.runtime.preprocessing import Tensors
from digitocr.train.quiet import silenced

OPSET = 17  # of ONNX; all supported versions of ONNX Runtime have it


def to_onnx(network: keras.Model, path: Path, calibration: Tensors | None = None) -> None:
    """Writes the network in float32 or, with calibration images, in int8.

    Args:
        network: Fused, or as trained: its softmax is then in the file, and the output is still named `logits`.
        path: The .onnx file.
        calibration: (N, 28, 28, 1) float32 in [0, 1].

    Raises:
        OSError: The path cannot be written.
    """
    import onnx

    with silenced():
        model = _converted(_channels_first(network))
        if calibration is not None:
            model = quantize_onnx(model, calibration)
        onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def _channels_first(network: keras.Model) -> keras.Model:
    """The same function, flattened channels first. The converter cancels this permutation against its own."""
    if not is_chain(network):
        return network
    image = tensor = keras.Input(network.input_shape[1:], name="image")
    shape: tuple[int, ...] | None = None  # (H, W, C) of the flattened tensor
    for layer, following in zip(network.layers, [*network.layers[1:], None], strict=True):
        if isinstance(layer, keras.layers.InputLayer):
            continue
        if (
            isinstance(layer, keras.layers.Flatten)
            and isinstance(following, keras.layers.Dense)
            and len(tensor.shape) == 4
        ):
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
    """The one place that uses tf2onnx: its from_keras fails on Keras 3, its from_function works."""
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
    """Names nodes conv_1, relu_1 and weights conv_1.1: short, and the same in every process, so that bytes are too."""
    names = {"image": "image", "logits": "logits"}
    count: Counter[str] = Counter()
    for node in graph.node:
        kind = node.op_type.lower()
        count[kind] += 1
        node.name = f"{kind}_{count[kind]}"
        given = enumerate(node.input)  # "" stands for an input that is left out
        node.input[:] = [name and names.setdefault(name, f"{node.name}.{place}") for place, name in given]
        node.output[:] = [names.setdefault(name, node.name) for name in node.output]
    for weights in graph.initializer:
        weights.name = names.get(weights.name, weights.name)
    graph.initializer.sort(key=lambda weights: weights.name)
    graph.doc_string = ""
    del graph.value_info[:]
