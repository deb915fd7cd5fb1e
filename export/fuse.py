"""A trained Keras network -> the same function in fewer, cheaper layers, 28x28 grey levels to logits.

    fused = fuse(network)             # experiment 4: 13 layers become 9; softmax(fused(x)) is network(x), to 1e-5
    fused = fuse(network, interface)  # of one that takes other pictures: made of 28x28 pixels inside

In the paper's networks ReLU stands between convolution and batch norm, so no converter folds the batch norm away. But
batch norm followed by average pooling is one linear map for each channel: a depthwise convolution of the pool's size
and stride, weight gamma / sqrt(variance + epsilon) / pixels, bias beta - mean * gamma / sqrt(variance + epsilon). It
is exact, borders included. Before max pooling the same map is a depthwise convolution of size 1; it moves behind the
pooling, where a quarter of the pixels is left, unless it reverses the order of a channel's values. Batch norm that
follows a convolution or a dense layer directly goes into its weights, and a ReLU behind these into its activation.
Layers of other kinds, and those whose output is used twice, stay as they are.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import ModelError
from digitocr.train.evaluation.interface import Interface

Weights: TypeAlias = npt.NDArray[np.float32]

INPUT_SHAPE = (28, 28, 1)  # height, width, channels
CLASSES = (10, 11)  # the digits, or the digits and "no digit"
LINEAR = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)  # weights: kernel and bias
IDLE = (  # at inference
    keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
    keras.layers.GaussianNoise,
    keras.layers.GaussianDropout,
    keras.layers.ActivityRegularization,
)


def fuse(network: keras.Model, interface: Interface | None = None) -> keras.Model:
    """The network as a new one, (N, 28, 28, 1) in [0, 1] -> (N, classes) logits. All float32.

    The input is named `image`, each layer after its kind and its place; dropout and a last softmax are gone.

    Args:
        network: A Sequential or functional network with one input and one output.
        interface: What it takes; None: (N, 28, 28, 1) in [0, 1].

    Raises:
        ModelError: It is no such network, or ends in something else than logits or a softmax.
    """
    plan = _Plan(_checked(network, interface))
    image = keras.Input(INPUT_SHAPE, name="image")
    copies: dict[str, keras.layers.Layer] = {}  # one of a layer that is called several times
    count: Counter[str] = Counter()
    made: dict[str, Any] = {}  # the last output of each layer

    def named(layer: keras.layers.Layer, **changes: Any) -> keras.layers.Layer:
        kind = type(layer)
        if isinstance(layer, keras.Model):
            return keras.models.clone_model(layer)
        count[kind.__name__] += 1
        name = f"{kind.__name__.lower()}_{count[kind.__name__]}"
        return kind.from_config({**layer.get_config(), "name": name, "dtype": "float32", **changes})

    def applied(tensor: Any, layer: keras.layers.Layer, weights: list[Weights]) -> Any:
        copy = named(layer)
        result = copy(tensor)
        copy.set_weights(weights)
        return result

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        name = layer.name
        if name in plan.gone:
            result = args[0]
        elif not isinstance(layer, keras.layers.Layer):  # an operation of keras.ops, which has no weights
            result = layer(*args, **kwargs)
        elif name in plan.norm_before:
            scale, shift = _affine(plan.layers[plan.norm_before[name]])
            if isinstance(layer, keras.layers.AveragePooling2D):
                result = applied(args[0], *_depthwise(scale, shift, layer.pool_size, layer.strides))
            else:
                result = applied(applied(args[0], layer, []), *_depthwise(scale, shift))
        elif name in plan.lone_norms:
            result = applied(args[0], *_depthwise(*_affine(layer)))
        else:
            copy = copies.get(name) or copies.setdefault(name, named(layer, **plan.changes(layer)))
            result = copy(*args, **kwargs)
            copy.set_weights(plan.weights(layer))
        made[name] = result
        return result

    start = _taken(image, interface) if interface else image
    keras.models.clone_model(plan.model, input_tensors=start, clone_function=lambda layer: layer, call_function=call)
    logits = made[plan.last]
    if len(logits.shape) != 2:
        logits = keras.layers.Flatten(name="flat")(logits)
    return keras.Model(image, logits, name="fused")


def sources_of(model: keras.Model) -> dict[str, list[str]]:
    """Of each layer of a functional model those whose outputs it is given, in order; one may be named twice."""

    def tensors(part: Any) -> Iterator[str]:
        if isinstance(part, dict) and part.get("class_name") == "__keras_tensor__":
            yield part["config"]["keras_history"][0]
        elif isinstance(part, dict | list | tuple):
            for inner in part.values() if isinstance(part, dict) else part:
                yield from tensors(inner)

    return {layer["name"]: list(tensors(layer["inbound_nodes"])) for layer in model.get_config()["layers"]}


def is_chain(model: keras.Model) -> bool:
    """Whether each layer of a functional model is given the output of the layer before it, and of no other."""
    names = [layer.name for layer in model.layers]
    return list(sources_of(model).values()) == [[], *([name] for name in names[:-1])]


class _Plan:
    """What becomes of each layer.

    Attributes:
        model: The network as a functional model with one input and one output.
        layers: Its layers and operations by name.
        last: The name of the one whose output is the network's.
        gone: Names of those that do nothing at inference, or are part of another one in the fused network.
        norm_before: Batch norms by the name of the pooling that they become one layer with.
        lone_norms: Batch norms that become a depthwise convolution of size 1.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.layers = {layer.name: layer for layer in model.operations}
        sources = sources_of(model)
        self.last = model.get_config()["output_layers"][0]
        if isinstance(self.last, list):
            self.last = self.last[0]
        self.gone = {name for name, layer in self.layers.items() if isinstance(layer, IDLE)}
        self.norm_before: dict[str, str] = {}
        self._norms: dict[str, str] = {}  # by the layer whose weights they go into
        self._relus: set[str] = set()  # layers that a ReLU goes into
        self._users: dict[str, list[str]] = {name: [] for name in self.layers}
        for name, given in sources.items():
            for source in given:
                self._users[source].append(name)
        self._calls = Counter({name: len(given) for name, given in sources.items()})
        self._take_softmax_away(sources)
        for name, layer in self.layers.items():
            if isinstance(layer, LINEAR) and self._calls[name] == 1:
                self._extend(name)
        norms = [name for name, layer in self.layers.items() if _is_of_planes(layer) and name not in self.gone]
        self.lone_norms = {name for name in norms if self._calls[name] == 1 and not self._joins_pooling(name)}

    def changes(self, layer: keras.layers.Layer) -> dict[str, Any]:
        """What differs in the settings of a layer."""
        changes: dict[str, Any] = {}
        if isinstance(layer, LINEAR):
            changes["use_bias"] = True
            if layer.name in self._relus:
                changes["activation"] = "relu"
        if layer.name == self.last and hasattr(layer, "activation"):
            changes["activation"] = "linear"
        return changes

    def weights(self, layer: keras.layers.Layer) -> list[Weights]:
        """The weights of a layer, with those of the batch norm that goes into it."""
        if not isinstance(layer, LINEAR):
            return list(layer.get_weights())
        kernel, *rest = layer.get_weights()
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        channels = kernel.shape[2] * kernel.shape[3] if depthwise else kernel.shape[-1]
        bias = rest[0] if rest else np.zeros(channels, np.float32)
        if layer.name in self._norms:
            scale, shift = _affine(self.layers[self._norms[layer.name]])
            kernel = kernel * (scale.reshape(kernel.shape[2:]) if depthwise else scale)
            bias = bias * scale + shift
        return [kernel, bias]

    def _take_softmax_away(self, sources: dict[str, list[str]]) -> None:
        """Lets the network end before its softmax. Raises ModelError where it ends in another function."""

        def activation() -> tuple[Any, str]:
            while self.last in self.gone:
                (self.last,) = sources[self.last]
            layer = self.layers[self.last]
            return layer, getattr(getattr(layer, "activation", None), "__name__", "linear")

        layer, name = activation()
        known = ["linear", "softmax"]
        if type(layer).__name__ == "Softmax" or (isinstance(layer, keras.layers.Activation) and name == "softmax"):
            self.gone.add(layer.name)
            layer, name = activation()
            known = ["linear"]
        if name not in known:
            raise ModelError(f"layer {layer.name} ends the network with {name}; export knows logits and softmax")

    def _only_user(self, name: str) -> str | None:
        """The layer that alone is given the output of another one, and no other output; idle ones are passed over."""
        users = self._users[name]
        if name == self.last or len(users) != 1 or self._calls[users[0]] != 1:
            return None
        return self._only_user(users[0]) if isinstance(self.layers[users[0]], IDLE) else users[0]

    def _extend(self, name: str) -> None:
        """Lets a batch norm and a ReLU go into a layer."""
        layer = self.layers[name]
        if layer.activation is not keras.activations.linear or name == self.last:
            return
        user = self._only_user(name)
        if user and _is_last_axis(self.layers[user]):
            self._norms[name] = user
            self.gone.add(user)
            user = self._only_user(user)
        if user and user != self.last and _is_relu(self.layers[user]):
            self._relus.add(name)
            self.gone.add(user)

    def _joins_pooling(self, name: str) -> bool:
        """Whether a batch norm becomes one layer with the pooling behind it, which is then noted."""
        user = self._only_user(name)
        pooling: Any = self.layers.get(user) if user else None
        average = isinstance(pooling, keras.layers.AveragePooling2D) and pooling.padding == "valid"
        rising = isinstance(pooling, keras.layers.MaxPooling2D) and (_affine(self.layers[name])[0] >= 0).all()
        if user is None or not (average or rising) or pooling.data_format != "channels_last":
            return False
        self.norm_before[user] = name
        self.gone.add(name)
        return True


def _checked(network: keras.Model, interface: Interface | None) -> keras.Model:
    """The network as a functional model of one input and one output. Raises ModelError."""
    ends = [getattr(network, name, None) or [] for name in ("inputs", "outputs")]
    if [len(end) for end in ends] != [1, 1]:
        raise ModelError(
            f"the network is a {type(network).__name__} of {len(ends[0])} inputs and {len(ends[1])} outputs; "
            "export knows Sequential and functional networks with one of each"
        )
    (given,), (result,) = ends
    if interface is None and tuple(given.shape) != (None, *INPUT_SHAPE):
        raise ModelError(f"the network takes {given.shape}, not (None, 28, 28, 1)")
    if result.shape[-1] not in CLASSES or any(side != 1 for side in result.shape[1:-1]):
        raise ModelError(f"the network gives {result.shape}, not 10 or 11 classes; only a classifier can be exported")
    return keras.Model(given, result)


def _taken(image: Any, interface: Interface) -> Any:
    """What the network takes, made of (N, 28, 28, 1) pictures. Raises ModelError."""
    height, width = interface.size
    side = INPUT_SHAPE[0]
    tensor = image
    if interface.fit == "padded":
        borders = [((one - side) // 2, one - side - (one - side) // 2) for one in (height, width)]
        tensor = keras.layers.ZeroPadding2D(tuple(borders), name="padded")(tensor)
    elif interface.fit == "resized":
        if min(height, width) < side:
            raise ModelError(f"the network takes {width}x{height} pixels; only {side}x{side} and more can be exported")
        tensor = keras.layers.Resizing(height, width, interpolation="bilinear", name="resized")(tensor)
    gain, offset = interface.per_channel()
    if interface.channels > 1 or (gain, offset) != ((1.0,), (0.0,)):
        levels = keras.layers.Conv2D(interface.channels, 1, name="levels")
        tensor = levels(tensor)
        levels.set_weights([np.array(gain, np.float32)[None, None, None], np.array(offset, np.float32)])
    if interface.layout == "channels first":
        tensor = keras.layers.Permute((3, 1, 2), name="channels_first_input")(tensor)
    elif interface.layout == "no channels":
        tensor = keras.layers.Reshape((height, width), name="no_channels")(tensor)
    elif interface.layout == "pixels in a row":
        tensor = keras.layers.Reshape((height * width,), name="row")(tensor)
    return tensor


def _is_last_axis(layer: Any) -> bool:
    """Whether it is a batch norm of the last axis."""
    return isinstance(layer, keras.layers.BatchNormalization) and layer.axis in (-1, len(layer.input.shape) - 1)


def _is_of_planes(layer: Any) -> bool:
    """Whether it is a batch norm of the channels of pictures, channels last."""
    return _is_last_axis(layer) and len(layer.input.shape) == 4


def _is_relu(layer: Any) -> bool:
    if isinstance(layer, keras.layers.Activation):
        return layer.activation is keras.activations.relu
    plain = isinstance(layer, keras.layers.ReLU)
    return plain and layer.max_value is None and not layer.negative_slope and not layer.threshold


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
