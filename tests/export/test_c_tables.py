"""Tables of layers from ONNX graphs: what becomes of each node, and what is refused."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from digitocr.export.c_tables import BLOCK, FOUR, Tables, c_tables
from digitocr.runtime.errors import ModelError
from digitocr.runtime.models import shipped_model


def shipped(name: str) -> Tables:
    return c_tables(onnx.load(str(shipped_model(f"{name}-int8.onnx"))), "dg_network")


@pytest.fixture(scope="module")
def detector() -> Tables:
    return shipped("detector")


def test_the_shipped_classifier_is_a_chain_of_convolutions_that_ends_in_float() -> None:
    tables = shipped("digitocr")
    kinds = [layer.kind for layer in tables.layers]
    assert kinds == ["DG_INPUT", *["DG_CONVOLUTION", "DG_DEPTHWISE"] * 3, "DG_CONVOLUTION", "DG_CONVOLUTION"]
    assert [layer.is_float for layer in tables.layers] == [False] * 8 + [True]
    assert tables.layers[7].kernel == (3, 3)  # the dense layer sees all of the 3x3x64 before it
    assert tables.ends[0].scale == 0
    assert "dg_network_layers, 9, 0, 0," in tables.source  # nothing is held that could be computed again


def test_outputs_of_one_layer_are_computed_together(detector: Tables) -> None:
    assert [(end.layer, end.first_channel, end.channels) for end in detector.ends] == [(22, 0, 1), (22, 1, 4)]
    assert detector.layers[22].channels_out == 5


def test_joined_channels_of_another_scale_are_mapped_and_enlarged(detector: Tables) -> None:
    (joined,) = (layer for layer in detector.layers if layer.kind == "DG_CONCATENATE")
    assert joined.shift == (1, 0)
    assert joined.maps[1] is None
    assert joined.maps[0] is not None
    assert (np.diff(joined.maps[0].astype(int)) >= 0).all()


def test_the_first_layers_can_be_computed_again_for_the_last_ones(detector: Tables) -> None:
    assert "dg_network_layers, 23, 3, 20," in detector.source
    assert "dg_network_layers, 25, 0, 0," in shipped("recognizer").source


def test_the_source_is_the_same_each_time_and_holds_every_weight() -> None:
    first, second = shipped("recognizer"), shipped("recognizer")
    assert first.source == second.source
    for number, layer in enumerate(first.layers):
        if layer.weights is None:
            continue
        start = first.source.index(f"dg_network_{number}_weights[] = {{")
        text = first.source[start : first.source.index("};", start)]
        values = np.array(text.split("{")[1].replace("\n", " ").strip(" ,").split(","), int)
        assert np.abs(values).sum() == np.abs(layer.weights.astype(int)).sum()
        assert len(values) % (BLOCK if layer.kind == "DG_DEPTHWISE" else BLOCK * FOUR) == 0


def graph(nodes: list[Any], weights: dict[str, Any], channels: int = 4) -> Any:
    """A model of `image` quantized to `a`, the nodes, and `z` dequantized to `out`."""
    ends = {"s": np.float32(0.5), "z0": np.uint8(0), **weights}
    whole = [
        helper.make_node("QuantizeLinear", ["image", "s", "z0"], ["a8"]),
        helper.make_node("DequantizeLinear", ["a8", "s", "z0"], ["a"]),
        *nodes,
        helper.make_node("QuantizeLinear", ["z", "s", "z0"], ["z8"]),
        helper.make_node("DequantizeLinear", ["z8", "s", "z0"], ["out"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", channels, "H", "W"])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["N", channels, "h", "w"])
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in ends.items()]
    return helper.make_model(helper.make_graph(whole, "g", [image], [out], tensors))


def convolution(numbers: Any, **attributes: Any) -> Any:
    weights = {
        "w": np.asarray(numbers, np.int8),
        "ws": np.full(len(numbers), 0.25, np.float32),
        "b": np.arange(len(numbers), dtype=np.int32),
        "bs": np.full(len(numbers), 0.125, np.float32),
    }
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "ws"], ["wd"], axis=0),
        helper.make_node("DequantizeLinear", ["b", "bs"], ["bd"], axis=0),
        helper.make_node("Conv", ["a", "wd", "bd"], ["z"], name="conv", **attributes),
    ]
    return graph(nodes, weights)


def over_squares(model: Any, side: int = 2) -> Any:
    """The model behind a SpaceToDepth."""
    nodes = model.graph.node
    nodes.insert(0, helper.make_node("SpaceToDepth", ["image"], ["squares"], blocksize=side))
    nodes[1].input[0] = "squares"
    return model


def squared(numbers: Any, **attributes: Any) -> Any:
    return over_squares(convolution(numbers, kernel_shape=list(numbers.shape[2:]), strides=[1, 1], **attributes))


def test_a_convolution_has_its_factors_and_its_weights_by_rows_columns_and_channels() -> None:
    numbers = np.arange(4 * 4 * 3 * 2).reshape(4, 4, 3, 2) % 50
    layer = c_tables(convolution(numbers, strides=[2, 1], pads=[1, 0, 1, 1]), "n").layers[1]
    assert (layer.kernel, layer.stride, layer.pads) == ((3, 2), (2, 1), (1, 0, 1, 1))
    assert layer.weights is not None
    np.testing.assert_array_equal(layer.weights, numbers.transpose(0, 2, 3, 1).reshape(4, -1))
    np.testing.assert_array_equal(layer.scale, [0.25] * 4)
    np.testing.assert_array_equal(layer.bias, range(4))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (convolution(np.full((4, 4, 1, 1), 65)), "has a weight over 64"),
        (convolution(np.ones((4, 2, 1, 1)), group=2), "has 2 groups"),
        (convolution(np.ones((4, 4, 1, 1)), auto_pad="SAME_UPPER"), "pads by auto_pad"),
        (graph([helper.make_node("Sigmoid", ["a"], ["z"])], {}), "has a Sigmoid"),
        (graph([helper.make_node("Concat", ["a", "a", "a"], ["z"], axis=1)], {}), "joins the channels of two"),
        (
            graph(
                [helper.make_node("MaxPool", ["a"], ["z"], kernel_shape=[2, 2], pads=[1, 1, 1, 1])],
                {},
            ),
            "pools without padding",
        ),
        (
            graph(
                [helper.make_node("Resize", ["a", "", "k"], ["z"], mode="linear")],
                {"k": np.array([1, 1, 2, 2], np.float32)},
            ),
            "enlarges by 2",
        ),
        (graph([helper.make_node("SpaceToDepth", ["a"], ["z"], blocksize=2)], {}), "squares of the picture only"),
        (over_squares(graph([helper.make_node("Add", ["a", "a"], ["z"])], {}), 3), "takes squares of 2x2"),
        (over_squares(graph([helper.make_node("Add", ["a", "a"], ["z"])], {})), "only a convolution"),
        (squared(np.ones((4, 16, 2, 2)), pads=[0, 0, 1, 1]), "no convolution of 3x3 pixels"),
        (squared(np.zeros((4, 16, 2, 2)), pads=[1, 1, 0, 0]), "no convolution of 3x3 pixels"),
        (squared(np.zeros((4, 16, 1, 1)), pads=[0, 0, 0, 0]), "no convolution of 3x3 pixels"),
    ],
)
def test_a_network_with_other_layers_is_refused(model: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        c_tables(model, "n")


def test_a_float_file_is_refused() -> None:
    with pytest.raises(ModelError, match="which is not quantized"):
        c_tables(onnx.load(str(shipped_model("digitocr-float32.onnx"))), "n")
