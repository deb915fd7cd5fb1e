"""The first convolution over squares of pixels: the same values as over pixels, and the same tables for C."""

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from digitocr.export.c_tables import c_tables
from digitocr.export.quantize import quantize_onnx
from digitocr.export.space_to_depth import over_pixels, over_squares, space_to_depth
from digitocr.runtime.models import shipped_model


def quantized(kernel=3, strides=2, pads=(0, 0, 1, 1), planes=3):
    """A convolution of `planes` channels to 5, with a Relu behind it, quantized."""
    rng = np.random.default_rng(0)
    numbers = {"kernel": rng.normal(0, 1, (5, planes, kernel, kernel)), "bias": rng.normal(0, 1, 5)}
    nodes = [
        helper.make_node("Conv", ["image", "kernel", "bias"], ["sums"], strides=[strides] * 2, pads=pads, group=1),
        helper.make_node("Relu", ["sums"], ["out"]),
    ]
    for node in nodes:
        node.name = node.op_type
    nodes[0].attribute.append(helper.make_attribute("kernel_shape", [kernel] * 2))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", planes, "2*h", "2*w"])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["N", 5, "h", "w"])
    weights = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in numbers.items()]
    graph = helper.make_graph(nodes, "one", [image], [out], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    made = quantize_onnx(model, rng.uniform(-1, 3, (20, planes, 8, 10)).astype(np.float32))
    del made.graph.value_info[:]
    return made


def copied(model):
    return onnx.load_model_from_string(model.SerializeToString())


def output(model, image):
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"image": image})[0]


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_a_kernel_over_squares_holds_that_over_pixels(channels, planes, seed):
    kernel = np.random.default_rng(seed).integers(-64, 65, (channels, planes, 3, 3), np.int8)
    squares = over_squares(kernel)
    assert squares.shape == (channels, 4 * planes, 2, 2)
    assert np.abs(squares.astype(int)).sum() == np.abs(kernel.astype(int)).sum()
    np.testing.assert_array_equal(over_pixels(squares), kernel)


@pytest.mark.parametrize("sides", [(2, 2), (8, 10), (26, 4)])
@pytest.mark.parametrize("planes", [1, 2, 3])
def test_every_value_is_the_same(planes, sides):
    before = quantized(planes=planes)
    after = space_to_depth(copied(before))
    onnx.checker.check_model(after, full_check=True)
    assert [node.op_type for node in after.graph.node].count("SpaceToDepth") == 1
    image = np.random.default_rng(1).uniform(-2, 4, (2, planes, *sides)).astype(np.float32)
    np.testing.assert_array_equal(output(after, image), output(before, image))
    assert c_tables(after, "n").source == c_tables(before, "n").source


@pytest.mark.parametrize("shape", [{"kernel": 5}, {"strides": 1}, {"pads": (1, 1, 1, 1)}, {"pads": (0, 0, 0, 0)}])
def test_another_first_convolution_stays_as_it_is(shape):
    before = quantized(**shape)
    assert space_to_depth(copied(before)) == before


def test_so_does_the_classifier():
    before = onnx.load(str(shipped_model("digitocr-int8.onnx")))
    assert space_to_depth(copied(before)) == before


@pytest.mark.parametrize("name", ["digitocr", "detector", "recognizer"])
def test_no_shipped_network_has_a_convolution_that_onnxruntime_1_24_computes_wrongly(name):
    # with AMX: findings/onnxruntime-1.24-int8-convolution-wrong-on-amx.sh
    graph = onnx.load(str(shipped_model(f"{name}-int8.onnx"))).graph
    sources = {node.output[0]: node.input[0] for node in graph.node if node.input}
    shapes = {one.name: list(one.dims) for one in graph.initializer}
    kernels = [shapes[sources[node.input[1]]] for node in graph.node if node.op_type == "Conv"]
    assert len(kernels) > 3
    for channels, *weights in kernels:
        is_depthwise = weights[0] == 1 and channels > 16
        assert is_depthwise or channels <= 16 or channels % 16 == 0 or np.prod(weights) % 4 == 0


@pytest.mark.parametrize("name", ["detector", "recognizer"])
def test_the_shipped_networks_have_it(name):
    model = onnx.load(str(shipped_model(f"{name}-int8.onnx")))
    assert [node.op_type for node in model.graph.node].count("SpaceToDepth") == 1
    assert space_to_depth(copied(model)) == model
