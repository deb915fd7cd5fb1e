"""A trained Keras network -> the same function in fewer, cheaper layers, ending in logits.

    fused = fuse(network)      # experiment 4: 13 layers become 9; softmax(fused(x)) is network(x), to 1e-5

In the paper's networks ReLU stands between convolution and batch norm, so no converter folds the batch norm away. But
batch norm followed by average pooling is one linear map for each channel: a depthwise convolution of the pool's size
and stride, weight gamma / sqrt(variance + epsilon) / pixels, bias beta - mean * gamma / sqrt(variance + epsilon). It
is exact, borders included. Before max pooling the same map is a depthwise convolution of size 1; it moves behind the
pooling, where a quarter of the pixels is left, unless it reverses the order of a channel's values.
"""

from collections import Counter
from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import ModelError

Weights: TypeAlias = npt.NDArray[np.float32]

INPUT_SHAPE = (28, 28, 1)  # height, width, channels
_KINDS = ("Conv2D", "BatchNormalization", "AveragePooling2D", "MaxPooling2D", "Flatten", "Dense", "Dropout")


def fuse(network: keras.Sequential) -> keras.Model:
    """The network, (N, 28, 28, 1) in [0, 1] -> (N, classes) probabilities, as a new one that gives logits. All float32.

    The input is named `image`, each layer after its kind and its place; dropout and softmax are gone.
    Takes Sequential networks of the layers that the paper's four are made of, the last one a Dense.
    Raises ModelError for any other.
    """
    layers = _checked(network)
    image = tensor = keras.Input(INPUT_SHAPE, name="image")
    count: Counter[str] = Counter()

    def append(layer: keras.layers.Layer, weights: list[Weights], **changes: Any) -> None:
        nonlocal tensor
        kind = type(layer)
        count[kind.__name__] += 1
        name = f"{kind.__name__.lower()}_{count[kind.__name__]}"
        copy = kind.from_config({**layer.get_config(), "name": name, "dtype": "float32", **changes})
        tensor = copy(tensor)
        copy.set_weights(weights)

    while layers:
        layer = layers.pop(0)
        if not isinstance(layer, keras.layers.BatchNormalization):
            append(layer, layer.get_weights(), **({} if layers else {"activation": "linear"}))
            continue
        scale, shift = _affine(layer)
        pooling = layers[0]
        if isinstance(pooling, keras.layers.AveragePooling2D) and pooling.padding == "valid":
            layers.pop(0)
            append(*_depthwise(scale, shift, pooling.pool_size, pooling.strides))
        elif isinstance(pooling, keras.layers.MaxPooling2D) and (scale >= 0).all():
            append(layers.pop(0), [])
            append(*_depthwise(scale, shift))
        else:
            append(*_depthwise(scale, shift))
    return keras.Model(image, tensor, name="fused")


def _checked(network: keras.Sequential) -> list[keras.layers.Layer]:
    """The layers that act at inference, in order. Raises ModelError for a network that cannot be exported."""
    if not isinstance(network, keras.Sequential):
        raise ModelError(f"the network is a {type(network).__name__}; only a keras.Sequential can be exported")
    if network.input_shape != (None, *INPUT_SHAPE):
        raise ModelError(f"the network takes {network.input_shape}; only (None, 28, 28, 1) can be exported")
    for layer in network.layers:
        if type(layer).__name__ not in _KINDS:
            raise ModelError(f"layer {layer.name} is a {type(layer).__name__}; export knows {', '.join(_KINDS)}")
        if getattr(layer, "data_format", "channels_last") != "channels_last":
            raise ModelError(f"layer {layer.name} has its channels first; export knows channels_last")
        if not getattr(layer, "use_bias", True):
            raise ModelError(f"layer {layer.name} has no bias; export knows layers with one")
        if isinstance(layer, keras.layers.BatchNormalization):
            axes = len(layer.input.shape)
            if axes != 4 or layer.axis not in (3, -1):
                raise ModelError(
                    f"layer {layer.name} normalises axis {layer.axis} of {axes}; export knows the last of 4"
                )
    layers = [layer for layer in network.layers if not isinstance(layer, keras.layers.Dropout)]
    if not layers or not isinstance(layers[-1], keras.layers.Dense):
        raise ModelError("the network's last layer is not a Dense; only a classifier can be exported")
    for layer in layers:
        activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
        known = ("linear", "softmax") if layer is layers[-1] else ("linear", "relu")
        if activation not in known:
            raise ModelError(f"layer {layer.name} has activation {activation}; export knows {' or '.join(known)} there")
    return layers


def _affine(norm: keras.layers.BatchNormalization) -> tuple[Weights, Weights]:
    """Batch norm at inference is scale * x + shift; both (C,) float32."""
    mean, variance = np.asarray(norm.moving_mean, np.float64), np.asarray(norm.moving_variance, np.float64)
    gamma = np.asarray(norm.gamma, np.float64) if norm.scale else np.ones_like(mean)
    beta = np.asarray(norm.beta, np.float64) if norm.center else np.zeros_like(mean)
    scale = gamma / np.sqrt(variance + norm.epsilon)
    return scale.astype(np.float32), (beta - mean * scale).astype(np.float32)


def _depthwise(
    scale: Weights, shift: Weights, size: tuple[int, int] = (1, 1), strides: tuple[int, int] = (1, 1)
) -> tuple[keras.layers.Layer, list[Weights]]:
    """The mean over windows of that size, times scale plus shift, (C,) each, as a layer and its weights."""
    kernel = np.broadcast_to(scale[:, None] / np.float32(size[0] * size[1]), (*size, len(scale), 1))
    return keras.layers.DepthwiseConv2D(size, strides=strides), [kernel, shift]
