"""An int8 ONNX file of `digitocr export` -> the C tables of layers that runtime/c/network.c walks.

    tables = c_tables(onnx.load("digitocr-int8.onnx"), "dg_classifier")
    tables.source    # C99: weights, layers and `const struct dg_network dg_classifier`

The graph is walked, no list of layers is copied: any network of Conv, Gemm, Add, Concat, pooling and enlarging by 2 in
QDQ form becomes a table. Each layer gets what ONNX Runtime computes with: bytes, and one float32 factor a channel.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from onnx import helper, numpy_helper

from digitocr.export.space_to_depth import CONVOLUTION, OVER_SQUARES, SQUARE, over_pixels, over_squares
from digitocr.runtime.errors import ModelError

BLOCK = 16  # channels of a convolution that are computed side by side; DG_BLOCK of digitocr_weights.h
FOUR = 4  # weights of a channel that lie side by side
MAX_WEIGHT = 64  # two products of a weight and a byte fit into 16 bits
MAX_LAYERS = 48  # of a network; DG_MAX_LAYERS
MAX_TAPS = 64  # places of a depthwise kernel or a pooling, rows of any kernel; DG_MAX_TAPS
MAX_STEPS = 2.0**22  # of an output before it is clamped; larger ones are not rounded exactly
FREE_SIDE = 1024  # pixels; taken for a side that is free
MIN_HELD = 8  # layers; one that is held while fewer are computed is not computed again
LINE = 118  # characters of a line of numbers

Array = npt.NDArray[Any]


class Value(NamedTuple):
    """A tensor of bytes in the graph.

    Attributes:
        layer: The number of the layer that it comes from.
        scale: float32; a byte stands for (byte - zero_point) * scale.
        zero_point: 0 to 255.
        shift: log2 of how often its rows and columns are repeated.
        is_flat: Whether a Reshape has made it a row, channels first.
        is_squared: Whether each 2x2 pixels are the channels of one, as `space_to_depth` has them.
    """

    layer: int
    scale: np.float32
    zero_point: int
    shift: int = 0
    is_flat: bool = False
    is_squared: bool = False


class Constant(NamedTuple):
    """A tensor of the file: integers, and the float32 scale of each channel or of all."""

    numbers: Array
    scale: Array


@dataclass(frozen=True)
class Layer:
    """A row of the table; the fields are those of struct dg_layer."""

    kind: str
    inputs: tuple[int, ...] = ()
    shift: tuple[int, ...] = ()
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)  # top, left, bottom, right
    outside: int = 0
    channels_in: int = 0
    channels_out: int = 0
    weights: Array | None = None  # (channels_out, inputs) or, depthwise, (places, channels)
    bias: Array | None = None
    scale: Array | None = None
    zero: Array | None = None
    is_float: bool = False
    maps: tuple[Array | None, ...] = ()
    first: float = 0.0  # this one and the next two: float32
    second: float = 0.0
    constant: float = 0.0


class End(NamedTuple):
    """An output of the network: channels of a layer. Scale 0: the layer gives float32."""

    layer: int
    first_channel: int
    channels: int
    scale: np.float32
    zero_point: int


@dataclass(frozen=True)
class Tables:
    """A network in C.

    Attributes:
        source: C99.
        layers: What is in it.
        ends: Its outputs, in the order of the graph's.
        is_turned: Whether its rows are the columns of the graph, and its columns the rows.
    """

    source: str
    layers: tuple[Layer, ...]
    ends: tuple[End, ...]
    is_turned: bool


def c_tables(model: Any, name: str) -> Tables:
    """The tables of an onnx.ModelProto in QDQ form, as a `const struct dg_network` of that name.

    A network whose input has a fixed height and any width is turned: rows become columns. The C library computes few
    rows at a time, so that its memory does not grow with the width.

    Raises ModelError for a graph with other nodes than quantized files of `digitocr export` have.
    """
    walk = _Walk(model.graph)
    layers, ends = _merged_ends(walk.layers, walk.ends)
    if len(layers) > MAX_LAYERS:
        raise ModelError(f"the network has {len(layers)} layers; the C library takes {MAX_LAYERS}")
    if walk.is_wide:
        layers = [_turned(layer) for layer in layers]
    return Tables(_source(layers, ends, walk.input, name), tuple(layers), tuple(ends), walk.is_wide)


@dataclass
class _Pending:
    """A node whose result is quantized by a later node; `finish(scale, zero_point)` then gives its value."""

    node: Any
    finish: Any
    is_relu: bool = False


@dataclass
class _Walk:
    """Goes through the nodes of a graph and gathers its layers."""

    graph: Any
    layers: list[Layer] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._constants = {entry.name: numpy_helper.to_array(entry) for entry in self.graph.initializer}
        self._values: dict[str, Value | Constant | _Pending] = {}
        self._outputs: dict[str, End] = {}
        (image,) = self.graph.input
        self._image_names = {image.name}
        self._squares = ""  # the picture as space_to_depth leaves it
        dims = [dim.dim_value for dim in image.type.tensor_type.shape.dim]
        self.is_wide = bool(dims[2]) and not dims[3]  # any width, one height
        dims = [dim or FREE_SIDE for dim in dims]
        # a classifier takes (N, rows, columns, 1) and begins with a Reshape; others (N, channels, rows, columns)
        self._shape = (dims[3], dims[1], dims[2]) if dims[3] == 1 else tuple(dims[1:])
        self.sides: list[tuple[int, int]] = []  # rows and columns of each layer
        for node in self.graph.node:
            handler = getattr(self, f"_{node.op_type.lower()}", None)
            if handler is None:
                raise ModelError(f"the graph has a {node.op_type}, which the C library has not")
            handler(node, {entry.name: helper.get_attribute_value(entry) for entry in node.attribute})
        missing = [output.name for output in self.graph.output if output.name not in self._outputs]
        if missing:
            raise ModelError(f"output {missing[0]} is not quantized; export the network as int8")
        self.ends = [self._outputs[output.name] for output in self.graph.output]

    # --- where bytes begin and end ---

    def _quantizelinear(self, node: Any, _attributes: dict[str, Any]) -> None:
        scale, zero_point = self._scale(node)
        source = node.input[0]
        if source in self._image_names:
            self.input = Value(0, scale, zero_point)
            value = self._append(Layer("DG_INPUT", channels_out=self._shape[0]), self._shape[1:], scale, zero_point)
            self._values[node.output[0]] = value._replace(is_squared=source == self._squares)
            return
        pending = self._values[source]
        if isinstance(pending, Value):  # a Reshape between two quantizations that are the same
            self._same(node, pending, scale, zero_point)
            self._values[node.output[0]] = pending
            return
        if not isinstance(pending, _Pending):
            raise ModelError(f"{node.name}: quantizes a constant")
        if pending.is_relu and zero_point != 0:
            raise ModelError(f"{node.name}: a Relu whose smallest byte is {zero_point}, not 0")
        self._values[node.output[0]] = pending.finish(scale, zero_point)

    def _dequantizelinear(self, node: Any, _attributes: dict[str, Any]) -> None:
        source, name = node.input[0], node.output[0]
        if source in self._constants:
            if np.any(self._constants.get(node.input[2], 0) if len(node.input) > 2 else 0):
                raise ModelError(f"{source}: has a zero point; the C library takes symmetric weights")
            self._values[name] = Constant(self._constants[source], self._constants[node.input[1]])
            return
        value = self._values[source]
        self._values[name] = value
        if name in {output.name for output in self.graph.output}:
            assert isinstance(value, Value)
            self._outputs[name] = End(
                value.layer, 0, self.layers[value.layer].channels_out, value.scale, value.zero_point
            )

    def _reshape(self, node: Any, _attributes: dict[str, Any]) -> None:
        if node.input[0] in self._image_names:
            self._image_names.add(node.output[0])  # of one channel, so that the order stays
            return
        self._values[node.output[0]] = self._value(node, 0)._replace(is_flat=True)

    def _spacetodepth(self, node: Any, attributes: dict[str, Any]) -> None:
        if attributes["blocksize"] != SQUARE:
            raise ModelError(f"{node.name}: the C library takes squares of {SQUARE}x{SQUARE} pixels")
        if node.input[0] not in self._image_names:
            raise ModelError(f"{node.name}: the C library takes squares of the picture only")
        self._image_names.add(node.output[0])
        self._squares = node.output[0]

    # --- layers ---

    def _conv(self, node: Any, attributes: dict[str, Any]) -> None:
        is_squared = self._value(node, 0).is_squared
        source = self._over_pixels(node, attributes) if is_squared else self._whole(node, 0)
        weights = self._constant(node, 1)
        if is_squared:
            weights, attributes = weights._replace(numbers=over_pixels(weights.numbers)), CONVOLUTION
        channels = self.layers[source.layer].channels_out
        if attributes.get("auto_pad", b"NOTSET") != b"NOTSET":
            raise ModelError(f"{node.name}: pads by auto_pad; the C library takes pads")
        group = attributes.get("group", 1)
        is_depthwise = group > 1
        if is_depthwise and not (group == channels == len(weights.numbers)):
            raise ModelError(f"{node.name}: has {group} groups; the C library takes 1, or one for each channel")
        numbers = weights.numbers.transpose(0, 2, 3, 1).reshape(
            len(weights.numbers), -1
        )  # ordered rows, columns, channels
        layer = Layer(
            "DG_DEPTHWISE" if is_depthwise else "DG_CONVOLUTION",
            inputs=(source.layer,),
            kernel=tuple(weights.numbers.shape[2:]),
            stride=tuple(attributes.get("strides", (1, 1))),
            dilation=tuple(attributes.get("dilations", (1, 1))),
            pads=tuple(attributes.get("pads", (0, 0, 0, 0))),
        )
        self._values[node.output[0]] = self._summing(node, layer, source, weights._replace(numbers=numbers))

    def _over_pixels(self, node: Any, attributes: dict[str, Any]) -> Value:
        """The input of the convolution that `space_to_depth` was given, if this is what it made."""
        numbers = self._constant(node, 1).numbers
        is_made = all(attributes.get(name) == value for name, value in OVER_SQUARES.items())
        if not is_made or not np.array_equal(over_squares(over_pixels(numbers)), numbers):
            raise ModelError(f"{node.name}: is no convolution of 3x3 pixels over squares of them")
        return self._value(node, 0)._replace(is_squared=False)

    def _gemm(self, node: Any, attributes: dict[str, Any]) -> None:
        source, weights = self._whole(node, 0), self._constant(node, 1)
        if attributes.get("alpha", 1.0) != 1.0 or attributes.get("beta", 1.0) != 1.0 or attributes.get("transA", 0):
            raise ModelError(f"{node.name}: is no plain product")
        numbers = weights.numbers if attributes.get("transB", 0) else weights.numbers.T
        rows, columns = self.sides[source.layer]
        channels = self.layers[source.layer].channels_out
        if numbers.shape[1] != rows * columns * channels:
            raise ModelError(f"{node.name}: takes {numbers.shape[1]} values of {rows}x{columns}x{channels}")
        if source.is_flat:  # channels first in the file
            numbers = numbers.reshape(-1, channels, rows, columns).transpose(0, 2, 3, 1).reshape(len(numbers), -1)
        layer = Layer("DG_CONVOLUTION", inputs=(source.layer,), kernel=(rows, columns))
        pending = self._summing(node, layer, source, weights._replace(numbers=numbers))
        self._values[node.output[0]] = pending
        if node.output[0] in {output.name for output in self.graph.output}:
            value = pending.finish(None, 0)
            self._outputs[node.output[0]] = End(value.layer, 0, self.layers[value.layer].channels_out, np.float32(0), 0)

    def _summing(self, node: Any, layer: Layer, source: Value, weights: Constant) -> _Pending:
        """A convolution or a product; weights (channels, inputs). Without a scale it gives float32."""
        numbers = weights.numbers.astype(np.int64)
        if np.abs(numbers).max() > MAX_WEIGHT:
            raise ModelError(
                f"{node.name}: has a weight over {MAX_WEIGHT}; export the network again, with 7-bit weights"
            )
        bias = self._constant(node, 2).numbers.astype(np.int64)
        most = 255 * np.abs(numbers).sum(1) + np.abs(bias)
        bias = bias - source.zero_point * numbers.sum(1)
        if max(most.max(), np.abs(bias).max()) >= 2**31:
            raise ModelError(f"{node.name}: its sums do not fit into 32 bits")
        factors = (source.scale * np.broadcast_to(weights.scale.astype(np.float32), len(numbers))).astype(np.float32)

        def finish(scale: np.float32 | None, zero_point: int) -> Value:
            scales = factors if scale is None else (factors / scale).astype(np.float32)
            if scale is not None and (most * scales.astype(np.float64)).max() >= MAX_STEPS:
                raise ModelError(f"{node.name}: its largest values are too far beyond its range")
            made = replace(
                layer,
                outside=source.zero_point,
                channels_in=self.layers[source.layer].channels_out,
                channels_out=len(numbers),
                weights=numbers.T if layer.kind == "DG_DEPTHWISE" else numbers,
                bias=bias,
                scale=scales,
                zero=np.full(len(numbers), zero_point),
                is_float=scale is None,
            )
            return self._append(made, self._sides_behind(made), np.float32(scale or 0), zero_point)

        return _Pending(node, finish)

    def _add(self, node: Any, _attributes: dict[str, Any]) -> None:
        a, b = self._whole(node, 0), self._whole(node, 1)

        def finish(scale: np.float32, zero_point: int) -> Value:
            first, second = np.float32(a.scale / scale), np.float32(b.scale / scale)
            shares = np.float32(first * np.float32(a.zero_point)) + np.float32(second * np.float32(b.zero_point))
            layer = Layer(
                "DG_ADD",
                inputs=(a.layer, b.layer),
                channels_in=self.layers[a.layer].channels_out,
                channels_out=self.layers[a.layer].channels_out,
                first=float(first),
                second=float(second),
                constant=float(np.float32(zero_point) - np.float32(shares)),
            )
            return self._append(layer, self.sides[a.layer], scale, zero_point)

        self._values[node.output[0]] = _Pending(node, finish)

    def _concat(self, node: Any, attributes: dict[str, Any]) -> None:
        if attributes.get("axis") != 1 or len(node.input) > 2:
            raise ModelError(f"{node.name}: the C library joins the channels of two tensors")
        parts = [self._value(node, place) for place in range(len(node.input))]
        self._values[node.output[0]] = _Pending(node, lambda scale, zero: self._joined(parts, scale, zero))

    def _joined(self, parts: Sequence[Value], scale: np.float32, zero_point: int) -> Value:
        rows, columns = self.sides[parts[0].layer]
        layer = Layer(
            "DG_CONCATENATE",
            inputs=tuple(part.layer for part in parts),
            shift=tuple(part.shift for part in parts),
            channels_out=sum(self.layers[part.layer].channels_out for part in parts),
            maps=tuple(_map(part, scale, zero_point) for part in parts),
        )
        sides = (rows << parts[0].shift, columns << parts[0].shift)
        return self._append(layer, sides, scale, zero_point)

    def _resize(self, node: Any, attributes: dict[str, Any]) -> None:
        source = self._value(node, 0)
        modes = (
            attributes.get("mode"),
            attributes.get("nearest_mode"),
            attributes.get("coordinate_transformation_mode"),
        )
        if modes != (b"nearest", b"floor", b"asymmetric") or list(self._constants[node.input[2]]) != [1, 1, 2, 2]:
            raise ModelError(f"{node.name}: the C library enlarges by 2, by repeating")
        self._values[node.output[0]] = self._unchanged(node, source._replace(shift=source.shift + 1))

    def _maxpool(self, node: Any, attributes: dict[str, Any]) -> None:
        source = self._whole(node, 0)
        layer = replace(self._pooling(node, attributes, source), kind="DG_MAXIMUM")
        self._values[node.output[0]] = _Pending(
            node,
            lambda scale, zero_point: self._same(
                node, self._append(layer, self._sides_behind(layer), source.scale, source.zero_point), scale, zero_point
            ),
        )

    def _averagepool(self, node: Any, attributes: dict[str, Any]) -> None:
        source = self._whole(node, 0)
        layer = replace(self._pooling(node, attributes, source), kind="DG_AVERAGE", first=float(source.scale))

        def finish(scale: np.float32, zero_point: int) -> Value:
            made = replace(layer, second=float(scale), constant=float(zero_point))
            return self._append(made, self._sides_behind(made), scale, zero_point)

        self._values[node.output[0]] = _Pending(node, finish)

    def _pooling(self, node: Any, attributes: dict[str, Any], source: Value) -> Layer:
        if (
            any(attributes.get("pads", ()))
            or attributes.get("ceil_mode", 0)
            or any(side != 1 for side in attributes.get("dilations", ()))
        ):
            raise ModelError(f"{node.name}: the C library pools without padding")
        channels = self.layers[source.layer].channels_out
        return Layer(
            "",
            inputs=(source.layer,),
            kernel=tuple(attributes["kernel_shape"]),
            stride=tuple(attributes.get("strides", (1, 1))),
            outside=source.zero_point,
            channels_in=channels,
            channels_out=channels,
        )

    def _relu(self, node: Any, _attributes: dict[str, Any]) -> None:
        pending = self._values[node.input[0]]
        if not isinstance(pending, _Pending):
            raise ModelError(f"{node.name}: a Relu that no quantization follows")
        self._values[node.output[0]] = replace(pending, is_relu=True)

    # --- parts of these ---

    def _append(self, layer: Layer, sides: tuple[int, ...], scale: np.float32, zero_point: int) -> Value:
        places = layer.kernel[0] * (1 if layer.kind == "DG_CONVOLUTION" else layer.kernel[1])
        if places > MAX_TAPS:
            raise ModelError(f"a kernel of {layer.kernel} is too large for the C library")
        self.layers.append(layer)
        self.sides.append((sides[0], sides[1]))
        return Value(len(self.layers) - 1, scale, zero_point)

    def _sides_behind(self, layer: Layer) -> tuple[int, int]:
        """Rows and columns of a layer's output."""
        sides = []
        for place, side in enumerate(self.sides[layer.inputs[0]]):
            extent = (layer.kernel[place] - 1) * layer.dilation[place] + 1
            padded = side + layer.pads[place] + layer.pads[place + 2]
            sides.append((padded - extent) // layer.stride[place] + 1)
        return sides[0], sides[1]

    def _unchanged(self, node: Any, value: Value) -> _Pending:
        """The result of a node that only moves bytes: its quantization has to be that of its input."""
        return _Pending(node, lambda scale, zero_point: self._same(node, value, scale, zero_point))

    def _same(self, node: Any, value: Value, scale: np.float32, zero_point: int) -> Value:
        if (value.scale, value.zero_point) != (scale, zero_point):
            raise ModelError(f"{node.name}: changes the scale of what it moves")
        return value

    def _scale(self, node: Any) -> tuple[np.float32, int]:
        scale, zero_point = self._constants[node.input[1]], self._constants[node.input[2]]
        if scale.size != 1 or zero_point.dtype != np.uint8:
            raise ModelError(f"{node.name}: the C library takes uint8 activations of one scale")
        return np.float32(scale.item()), int(zero_point.item())

    def _value(self, node: Any, place: int) -> Value:
        value = self._values.get(node.input[place])
        if not isinstance(value, Value):
            raise ModelError(
                f"{node.name}: takes {node.input[place]}, which is not quantized; export the network as int8"
            )
        return value

    def _whole(self, node: Any, place: int) -> Value:
        """An input as a layer's output, enlarged where it has to be."""
        value = self._value(node, place)
        if value.is_squared:
            raise ModelError(f"{node.name}: only a convolution takes squares of pixels")
        return self._joined([value], value.scale, value.zero_point) if value.shift else value

    def _constant(self, node: Any, place: int) -> Constant:
        constant = self._values[node.input[place]] if place < len(node.input) else None
        if not isinstance(constant, Constant):
            raise ModelError(f"{node.name}: input {place} is no quantized constant")
        return constant


def _map(part: Value, scale: np.float32, zero_point: int) -> Array | None:
    """What each byte of a tensor becomes when it is quantized anew; None if it stays."""
    if (part.scale, part.zero_point) == (scale, zero_point):
        return None
    exact = (np.arange(256) - part.zero_point).astype(np.float32) * part.scale
    return np.asarray(np.clip(np.rint(exact / scale) + zero_point, 0, 255)).astype(np.uint8)


def _merged_ends(layers: list[Layer], ends: list[End]) -> tuple[list[Layer], list[End]]:
    """Two outputs that are 1x1 convolutions of the same layer become one layer, computed in one go."""
    if len(ends) != 2 or any(layers[end.layer].kind != "DG_CONVOLUTION" for end in ends):
        return layers, ends
    first, second = sorted(end.layer for end in ends)
    a, b = layers[first], layers[second]
    same = all(
        getattr(a, name) == getattr(b, name) for name in ("inputs", "kernel", "stride", "dilation", "pads", "is_float")
    )
    if not same or second != len(layers) - 1 or first != second - 1 or a.channels_out + b.channels_out > BLOCK:
        return layers, ends

    def both(name: str) -> Array:
        return np.concatenate([getattr(a, name), getattr(b, name)])

    starts = {first: 0, second: a.channels_out}
    merged = replace(
        a,
        channels_out=a.channels_out + b.channels_out,
        weights=both("weights"),
        bias=both("bias"),
        scale=both("scale"),
        zero=both("zero"),
    )
    return [*layers[:first], merged], [end._replace(layer=first, first_channel=starts[end.layer]) for end in ends]


def _turned(layer: Layer) -> Layer:
    """The layer with rows and columns exchanged."""
    rows, columns = layer.kernel
    top, left, bottom, right = layer.pads
    weights = layer.weights
    if weights is not None and layer.kind == "DG_DEPTHWISE":
        weights = weights.reshape(rows, columns, -1).swapaxes(0, 1).reshape(weights.shape)
    elif weights is not None:
        weights = weights.reshape(len(weights), rows, columns, -1).swapaxes(1, 2).reshape(weights.shape)
    return replace(
        layer,
        kernel=(columns, rows),
        stride=layer.stride[::-1],
        dilation=layer.dilation[::-1],
        pads=(left, top, right, bottom),
        weights=weights,
    )


def _again(layers: list[Layer], ends: list[End]) -> tuple[int, int]:
    """The last of the first layers that can be computed again, and the layer for which; (0, 0) if there are none.

    A layer that is taken twice is held in between. Instead of the one that is held longest, the layers up to it can be
    computed a second time, if each takes only the one before.
    """
    given = {end.layer for end in ends}
    found = (0, 0)
    for number, layer in enumerate(layers):
        for last in layer.inputs:
            is_chain = all(layers[n].inputs == (n - 1,) and n not in given for n in range(1, last + 1))
            fits = len(layers) + last < MAX_LAYERS
            if is_chain and fits and number - last > max(MIN_HELD, found[1] - found[0]):
                found = (last, number)
    return found


# --- C ---


def _source(layers: Sequence[Layer], ends: Sequence[End], image: Value, name: str) -> str:
    zeros = sorted({_zero(layer) for layer in layers if layer.zero is not None})
    parts = [_array("int16_t", f"{name}_zero_{number}", np.array(zero)) for number, zero in enumerate(zeros)]
    rows = []
    for number, layer in enumerate(layers):
        prefix = f"{name}_{number}"
        arrays = {}
        if layer.weights is not None:
            assert layer.bias is not None
            assert layer.scale is not None
            pack = _packed_depthwise if layer.kind == "DG_DEPTHWISE" else _packed
            arrays["weights"] = ("int8_t", pack(layer.weights))
            arrays["bias"] = ("int32_t", _filled(layer.bias))
            arrays["scale"] = ("float", _filled(layer.scale))
        for place, table in enumerate(layer.maps):
            if table is not None:
                arrays[f"map_{place}"] = ("uint8_t", table)
        parts += [_array(kind, f"{prefix}_{what}", numbers) for what, (kind, numbers) in arrays.items()]
        zero = f"{name}_zero_{zeros.index(_zero(layer))}" if layer.zero is not None else "0"
        rows.append(_row(layer, prefix, arrays, zero))
    parts.append(f"static const struct dg_layer {name}_layers[] = {{\n" + ",\n".join(rows) + "\n};\n")
    written = ", ".join(
        f"{{{end.layer}, {end.first_channel}, {end.channels}, {_float(end.scale)}, {end.zero_point}}}" for end in ends
    )
    last, user = _again(list(layers), list(ends))
    parts.append(
        f"const struct dg_network {name} = {{{name}_layers, {len(layers)}, {last}, {user}, {_float(image.scale)}, "
        f"{image.zero_point}, {len(ends)}, {{{written}}}}};\n"
    )
    return "\n".join(parts)


def _zero(layer: Layer) -> tuple[int, ...]:
    """The zero points of a block of channels; all blocks have the same."""
    assert layer.zero is not None
    return tuple(_filled(layer.zero)[:BLOCK].tolist())


def _row(layer: Layer, prefix: str, arrays: dict[str, Any], zero: str) -> str:
    def pointer(what: str) -> str:
        return f"{prefix}_{what}" if what in arrays else "0"

    def pair(values: Iterable[Any]) -> str:
        return "{" + ", ".join(map(str, [*values, 0, 0][:2])) + "}"

    maps = [pointer(f"map_{place}") for place in range(len(layer.maps))]
    fields = [
        layer.kind,
        int(layer.is_float),
        len(layer.inputs),
        pair(layer.inputs),
        pair(layer.shift),
        *layer.kernel,
        *layer.stride,
        *layer.dilation,
        *layer.pads,
        layer.outside,
        layer.channels_in,
        layer.channels_out,
        *(pointer(what) for what in ("weights", "bias", "scale")),
        zero,
        pair(maps),
        *(_float(value) for value in (layer.first, layer.second, layer.constant)),
    ]
    return "    {" + ", ".join(map(str, fields)) + "}"


def _packed(weights: Array) -> Array:
    """(channels, inputs) in blocks of BLOCK channels, FOUR inputs of each side by side; the rest is 0."""
    channels, inputs = weights.shape
    padded = np.zeros((-(-channels // BLOCK) * BLOCK, -(-inputs // FOUR) * FOUR), np.int8)
    padded[:channels, :inputs] = weights
    return padded.reshape(-1, BLOCK, padded.shape[1] // FOUR, FOUR).transpose(0, 2, 1, 3).ravel()


def _packed_depthwise(weights: Array) -> Array:
    """(places, channels) with the channels filled up to a multiple of BLOCK."""
    places, channels = weights.shape
    padded = np.zeros((places, -(-channels // BLOCK) * BLOCK), np.int8)
    padded[:, :channels] = weights
    return padded.ravel()


def _filled(numbers: Array) -> Array:
    """Filled up with zeros to a multiple of BLOCK."""
    return np.concatenate([numbers, np.zeros(-len(numbers) % BLOCK, numbers.dtype)])


def _float(value: Any) -> str:
    """A float32 as C writes it, exactly."""
    return f"{np.format_float_scientific(np.float32(value), unique=True, trim='0')}f"


def _array(kind: str, name: str, numbers: Array) -> str:
    texts = [_float(number) if kind == "float" else str(int(number)) for number in numbers]
    lines, line = [], "   "
    for text in texts:
        if len(line) + len(text) + 2 > LINE:
            lines.append(line)
            line = "   "
        line += f" {text},"
    return f"static const {kind} {name}[] = {{\n" + "\n".join([*lines, line]) + "\n};\n"
