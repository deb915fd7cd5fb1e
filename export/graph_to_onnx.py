"""A convolutional Keras network -> an ONNX model, written node by node: batch norm fused, channels first.

    model = graph_to_onnx(network, {"logits": slice(0, 36)})

The detector and the recognizer are written by it. In these networks batch norm follows a convolution directly, so it is
folded into the convolution's weights. "same" padding is that of sides which the strides divide. Sides that are free in
the network stay free, and their names say what divides them: an input of `8*h` rows gives outputs of `2*h`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from digitocr.export.to_onnx import OPSET
from digitocr.train.synthesis.strokes import Floats

CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
IR_VERSION = 9  # of ONNX; onnxruntime 1.18 reads it


def graph_to_onnx(network: keras.Model, outputs: Mapping[str, slice]) -> Any:
    """The network as an onnx.ModelProto, float32.

    Args:
        network: Input (N, H, W, C). Its layers are convolutions, each with a batch norm or without, ReLU, Add,
            Concatenate and UpSampling2D by 2; the last one is a convolution.
        outputs: The model's outputs, and the channels of the network's output that each has.

    Returns:
        Input `image` (N, C, H, W) and the outputs, (N, channels, rows, columns) each.
    """
    nodes: list[Any] = []
    weights: list[Any] = []
    tensors: dict[str, str] = {}  # Keras layer -> ONNX tensor that holds its output
    pixels: dict[str, tuple[int, int]] = {}  # Keras layer -> rows and columns of the image for one of its output
    for layer in network.layers:
        name = layer.name
        # Keras has no public way from a layer to the layers before and after it.
        before = [node.operation.name for node in layer._inbound_nodes[0].parent_nodes]
        sources = [tensors[other] for other in before]
        tensors[name] = name
        pixels[name] = _scaled(layer, pixels[before[0]] if before else (1, 1))
        if isinstance(layer, keras.layers.InputLayer):
            tensors[name] = "image"
        elif isinstance(layer, keras.layers.BatchNormalization):
            tensors[name] = sources[0]  # it is in the convolution's weights
        elif isinstance(layer, CONVOLUTIONS):
            parts = outputs if layer is network.layers[-1] else {name: slice(None)}
            kernel, bias = _fused(layer)
            for part, channels in parts.items():
                weights.append(numpy_helper.from_array(np.ascontiguousarray(kernel[channels]), f"{part}.weight"))
                weights.append(numpy_helper.from_array(bias[channels], f"{part}.bias"))
                nodes.append(_convolution(layer, sources[0], part))
        elif isinstance(layer, keras.layers.UpSampling2D):
            weights.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), f"{name}.scales"))
            nodes.append(
                helper.make_node(
                    "Resize",
                    [sources[0], "", f"{name}.scales"],
                    [name],
                    name=name,
                    mode="nearest",
                    coordinate_transformation_mode="asymmetric",
                    nearest_mode="floor",
                )
            )
        else:
            kind = {"ReLU": "Relu", "Add": "Add", "Concatenate": "Concat"}[type(layer).__name__]
            attributes = {"axis": 1} if kind == "Concat" else {}
            nodes.append(helper.make_node(kind, sources, [name], name=name, **attributes))
    _, *given, planes = network.inputs[0].shape
    _, *got, _ = network.outputs[0].shape
    multiples = [max(sides) for sides in zip(*pixels.values(), strict=True)]
    steps = [multiple // side for multiple, side in zip(multiples, pixels[network.layers[-1].name], strict=True)]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", planes, *_sides(given, multiples)])
    ends = [
        helper.make_tensor_value_info(
            part, TensorProto.FLOAT, ["N", channels.stop - channels.start, *_sides(got, steps)]
        )
        for part, channels in outputs.items()
    ]
    graph = helper.make_graph(nodes, network.name, [image], ends, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _scaled(layer: keras.layers.Layer, pixels: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of the image for one of the layer's output, of those for one of its input."""
    if isinstance(layer, CONVOLUTIONS):
        return pixels[0] * layer.strides[0], pixels[1] * layer.strides[1]
    if isinstance(layer, keras.layers.UpSampling2D):
        return pixels[0] // layer.size[0], pixels[1] // layer.size[1]
    return pixels


def _sides(sides: Sequence[int | None], multiples: Sequence[int]) -> list[int | str]:
    """Rows and columns of a tensor: numbers, or names such as "8*h" of free ones. Some runtimes reckon with them."""
    return [side or f"{multiple}*{name}" for side, multiple, name in zip(sides, multiples, "hw", strict=True)]


def _convolution(layer: keras.layers.Layer, source: str, name: str) -> Any:
    """The Conv node. Keras's "same" padding is that of sides which the stride divides: an odd pixel goes behind."""
    extra = [
        max((size - 1) * dilation + 1 - stride, 0) if layer.padding == "same" else 0
        for size, dilation, stride in zip(layer.kernel_size, layer.dilation_rate, layer.strides, strict=True)
    ]
    return helper.make_node(
        "Conv",
        [source, f"{name}.weight", f"{name}.bias"],
        [name],
        name=name,
        group=layer.kernel.shape[2] if isinstance(layer, keras.layers.DepthwiseConv2D) else 1,
        kernel_shape=list(layer.kernel_size),
        strides=list(layer.strides),
        dilations=list(layer.dilation_rate),
        pads=[pixels // 2 for pixels in extra] + [pixels - pixels // 2 for pixels in extra],
    )


def _fused(layer: keras.layers.Layer) -> tuple[Floats, Floats]:
    """The kernel and bias of a convolution and the batch norm that follows it, if one does.

    The kernel is in ONNX's order: (channels, channels of the input or 1 if it is depthwise, rows, columns).
    """
    order = (2, 3, 0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (3, 2, 0, 1)
    kernel = np.asarray(layer.kernel, np.float64).transpose(order)
    bias = np.asarray(layer.bias, np.float64) if layer.use_bias else np.zeros(len(kernel))
    followers = [node.operation for node in layer._outbound_nodes]
    if followers and isinstance(followers[0], keras.layers.BatchNormalization):
        norm = followers[0]
        scale = np.asarray(norm.gamma, np.float64) / np.sqrt(
            np.asarray(norm.moving_variance, np.float64) + norm.epsilon
        )
        kernel = kernel * scale[:, None, None, None]
        bias = np.asarray(norm.beta, np.float64) + (bias - np.asarray(norm.moving_mean, np.float64)) * scale
    return kernel.astype(np.float32), bias.astype(np.float32)
