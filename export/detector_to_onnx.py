"""The detection network -> an ONNX model, written node by node: batch norm fused, class channels left out.

Input `image` (N, 3, H, W) float32 of runtime.detector.detector_input, H and W multiples of 8. Outputs `centres`
(N, 1, H/4, W/4) and `boxes` (N, 4, H/4, W/4) float32, for runtime.detector.decoded. In this network batch norm follows
the convolution directly, so it is folded into the convolution's weights.
"""

from typing import Any

import keras
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from digitocr.export.to_onnx import OPSET
from digitocr.runtime.detector import PLANES
from digitocr.train.detector.network import HEAT_CHANNELS, OFFSET_CHANNELS, SIZE_CHANNELS
from digitocr.train.synthesis.strokes import Floats

OUTPUTS = {  # two tensors, so that int8 gives each its scale
    "centres": HEAT_CHANNELS,
    "boxes": slice(OFFSET_CHANNELS.start, SIZE_CHANNELS.stop),
}
DECODED_CHANNELS = SIZE_CHANNELS.stop  # of the network's output, those that the runtime decodes
IR_VERSION = 9  # of ONNX; onnxruntime 1.18 reads it


def detector_to_onnx(network: keras.Model) -> Any:
    """The detection network as an onnx.ModelProto, float32, channels first."""
    nodes: list[Any] = []
    weights: list[Any] = []
    tensors: dict[str, str] = {}  # Keras layer -> ONNX tensor that holds its output
    for layer in network.layers:
        name = layer.name
        # Keras has no public way from a layer to the layers before and after it.
        sources = [tensors[node.operation.name] for node in layer._inbound_nodes[0].parent_nodes]
        tensors[name] = name
        if isinstance(layer, keras.layers.InputLayer):
            tensors[name] = "image"
        elif isinstance(layer, keras.layers.BatchNormalization):
            tensors[name] = sources[0]  # it is in the convolution's weights
        elif isinstance(layer, keras.layers.Conv2D):
            parts = OUTPUTS if layer is network.layers[-1] else {name: slice(None)}
            kernel, bias = _fused(layer)
            for part, channels in parts.items():
                kernel_part = np.ascontiguousarray(kernel[..., channels].transpose(3, 2, 0, 1))
                weights.append(numpy_helper.from_array(kernel_part, f"{part}.weight"))
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
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", PLANES, "H", "W"])
    outputs = [
        helper.make_tensor_value_info(part, TensorProto.FLOAT, ["N", channels.stop - channels.start, "rows", "columns"])
        for part, channels in OUTPUTS.items()
    ]
    graph = helper.make_graph(nodes, "detector", [image], outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _convolution(layer: keras.layers.Conv2D, source: str, name: str) -> Any:
    """The Conv node. Padding is Keras's "same" for even sides: an odd pixel goes behind."""
    stride, dilation, size = layer.strides[0], layer.dilation_rate[0], layer.kernel_size[0]
    padding = max((size - 1) * dilation + 1 - stride, 0)
    before, after = padding // 2, padding - padding // 2
    return helper.make_node(
        "Conv",
        [source, f"{name}.weight", f"{name}.bias"],
        [name],
        name=name,
        kernel_shape=[size, size],
        strides=[stride, stride],
        dilations=[dilation, dilation],
        pads=[before, before, after, after],
    )


def _fused(layer: keras.layers.Conv2D) -> tuple[Floats, Floats]:
    """The kernel and bias of a convolution and the batch norm that follows it, if one does."""
    kernel = np.asarray(layer.kernel, np.float64)
    bias = np.asarray(layer.bias, np.float64) if layer.use_bias else np.zeros(kernel.shape[-1])
    followers = [node.operation for node in layer._outbound_nodes]
    if followers and isinstance(followers[0], keras.layers.BatchNormalization):
        norm = followers[0]
        scale = np.asarray(norm.gamma, np.float64) / np.sqrt(
            np.asarray(norm.moving_variance, np.float64) + norm.epsilon
        )
        kernel = kernel * scale
        bias = np.asarray(norm.beta, np.float64) + (bias - np.asarray(norm.moving_mean, np.float64)) * scale
    return kernel.astype(np.float32), bias.astype(np.float32)
