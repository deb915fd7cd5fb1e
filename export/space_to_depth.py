"""The first convolution of a quantized ONNX model over 2x2 pixels at once: the same sums in less time.

    faster = space_to_depth(quantize_onnx(model, calibration))

A first layer of few channels at stride 2 takes far longer in ONNX Runtime than its multiply-accumulates do elsewhere.
SpaceToDepth makes the pixels of each square of 2x2 the channels of one. The 3x3 kernel at stride 2 is a 2x2 kernel at
stride 1 then, with zeros where it reaches further than 3x3 (C. Ying et al., "Image Classification at Supercomputer
Scale", 2018). Sums of integers do not depend on their order, so every byte behind is the same.
"""

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import helper, numpy_helper

SQUARE = 2  # pixels of a square's side, and the stride of the convolution
KERNEL = 3  # rows and columns of its kernel
CONVOLUTION = {
    "kernel_shape": [KERNEL] * 2,
    "strides": [SQUARE] * 2,
    "pads": [0, 0, 1, 1],
    "dilations": [1, 1],
    "group": 1,
}
OVER_SQUARES = {"kernel_shape": [SQUARE] * 2, "strides": [1, 1], "pads": [0, 0, 1, 1]}

Weights = npt.NDArray[np.int8]


def space_to_depth(model: Any) -> Any:
    """An onnx.ModelProto of `quantize_onnx` whose first convolution is one over squares; the given one is changed.

    Its sides must be even, as those of the detector and the recognizer are. A model that does not begin with a 3x3
    convolution at stride 2 is returned as it is.
    """
    graph = model.graph
    (convolution,) = [node for node in graph.node if node.op_type == "Conv"][:1]
    attributes = {"dilations": [1, 1], "group": 1}  # where they are not said
    attributes |= {entry.name: helper.get_attribute_value(entry) for entry in convolution.attribute}
    makers = {node.output[0]: node for node in graph.node}
    pixels = makers[convolution.input[0]]  # DequantizeLinear of the picture
    quantize = makers.get(pixels.input[0])
    is_other = any(attributes.get(name) != value for name, value in CONVOLUTION.items())
    if is_other or quantize is None or quantize.input[0] != graph.input[0].name:
        return model
    # of float32: older versions of ONNX Runtime have no SpaceToDepth of bytes
    squares = helper.make_node("SpaceToDepth", [quantize.input[0]], ["squares"], name="squares", blocksize=SQUARE)
    quantize.input[0] = squares.output[0]
    graph.node.insert(list(graph.node).index(quantize), squares)
    (kernel,) = (entry for entry in graph.initializer if entry.name == makers[convolution.input[1]].input[0])
    kernel.CopyFrom(numpy_helper.from_array(over_squares(numpy_helper.to_array(kernel)), kernel.name))
    kept = [entry for entry in convolution.attribute if entry.name not in OVER_SQUARES]
    del convolution.attribute[:]
    convolution.attribute.extend([*kept, *(helper.make_attribute(*entry) for entry in OVER_SQUARES.items())])
    return model


def over_squares(kernel: Weights) -> Weights:
    """(n, c, 3, 3) -> (n, 4 * c, 2, 2): the kernel that gives the same sums over squares of 2x2 pixels."""
    channels, planes = kernel.shape[:2]
    made = np.zeros((channels, SQUARE, SQUARE, planes, SQUARE, SQUARE), kernel.dtype)
    for row, column in product(range(KERNEL), repeat=2):
        made[:, row % SQUARE, column % SQUARE, :, row // SQUARE, column // SQUARE] = kernel[:, :, row, column]
    return made.reshape(channels, -1, SQUARE, SQUARE)


def over_pixels(kernel: Weights) -> Weights:
    """(n, 4 * c, 2, 2) -> (n, c, 3, 3): what `over_squares` was given."""
    channels = len(kernel)
    parts = kernel.reshape(channels, SQUARE, SQUARE, -1, SQUARE, SQUARE)
    made = parts.transpose(0, 3, 4, 1, 5, 2).reshape(channels, -1, SQUARE**2, SQUARE**2)
    return np.asarray(made[:, :, :KERNEL, :KERNEL])
