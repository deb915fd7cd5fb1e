import keras
import numpy as np
import onnxruntime
import pytest

from digitocr.export.classifier import load
from digitocr.export.fuse import fuse
from digitocr.export.quantize import ONNX_WEIGHT_LIMIT, correct_biases, quantize_onnx
from digitocr.export.to_onnx import to_onnx
from digitocr.runtime.preprocessing import scale
from digitocr.train.data import hold_out


@pytest.fixture(scope="module")
def fused(source):
    return fuse(load(source))


def probabilities(path, images):
    return np.asarray(keras.ops.softmax(onnxruntime.InferenceSession(str(path)).run(None, {"image": images})[0]))


def test_int8_probabilities_come_nearer_to_the_exact_ones(fused, mnist, tmp_path):
    training, held = hold_out(mnist.train_labels)
    calibration, images = scale(mnist.train_images[training[:600]]), scale(mnist.train_images[held[:1000]])
    to_onnx(fused, tmp_path / "plain.onnx", calibration)
    to_onnx(correct_biases(fused, calibration, ONNX_WEIGHT_LIMIT), tmp_path / "corrected.onnx", calibration)
    exact = np.asarray(keras.ops.softmax(fused.predict(images, verbose=0)))
    plain, corrected = (
        np.abs(probabilities(tmp_path / name, images) - exact) for name in ("plain.onnx", "corrected.onnx")
    )
    print("RATIO", corrected.mean() / plain.mean())
    assert corrected.mean() < 0.85 * plain.mean()


def test_only_biases_change_and_only_in_the_copy(make_network, images):
    network = fuse(make_network(4))
    before = network.get_weights()
    after = correct_biases(network, images, 127).get_weights()
    for old, same, new in zip(before, network.get_weights(), after, strict=True):
        assert np.array_equal(old, same)
        assert np.array_equal(old, new) == (old.ndim > 1)


def test_nothing_is_corrected_where_nothing_is_rounded():
    image = keras.Input((28, 28, 1), name="image")
    network = keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(image)))
    network.layers[-1].set_weights([np.full((784, 2), 1.0), np.array([3.0, 4.0])])
    dark = np.zeros((5, 28, 28, 1), np.float32)
    assert np.array_equal(correct_biases(network, dark, 127).get_weights()[1], [3.0, 4.0])


def test_a_percentile_cuts_rare_values_off_the_ranges():
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    node = helper.make_node("Conv", ["image", "kernel"], ["out"])
    shape = ["N", 1, 8, 8]
    kernel = numpy_helper.from_array(np.ones((1, 1, 1, 1), np.float32), "kernel")
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, shape)],
        [kernel],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    images = np.random.default_rng(0).random((100, 1, 8, 8), np.float32)
    images[0, 0, 0, 0] = 50

    def step(percentile):
        made = quantize_onnx(model, images, percentile)
        scales = {one.name: onnx.numpy_helper.to_array(one) for one in made.graph.initializer}
        (name,) = {
            one.input[1] for one in made.graph.node if one.op_type == "QuantizeLinear" and one.input[0] == "image"
        }
        return float(scales[name])

    assert step(None) == pytest.approx(50 / 255, rel=1e-3)
    assert step(99.9) == pytest.approx(1 / 255, rel=0.1)
