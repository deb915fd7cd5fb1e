import numpy as np
import onnx
import onnxruntime
import pytest

from digitocr.export import detector, recognizer
from digitocr.export.graph_to_onnx import graph_to_onnx
from digitocr.train.quiet import silenced

with silenced():
    import keras

    from digitocr.train.detector.network import build_detector
    from digitocr.train.recognizer.network import build_recognizer


def written(model, images):
    """The outputs of the model for (N, H, W, C) images, side by side and with channels last."""
    session = onnxruntime.InferenceSession(model.SerializeToString())
    outputs = session.run(None, {"image": np.ascontiguousarray(images.transpose(0, 3, 1, 2))})
    return np.concatenate(outputs, 1).transpose(0, 2, 3, 1)


@pytest.mark.parametrize(
    ("build", "outputs", "shapes", "kinds", "sides"),
    [
        (
            build_detector,
            detector.OUTPUTS,
            [(64, 64, 3), (24, 136, 3), (128, 40, 3)],
            {"Conv", "Relu", "Add", "Resize", "Concat"},
            [["8*h", "8*w"], ["2*h", "2*w"], ["2*h", "2*w"]],
        ),
        (
            build_recognizer,
            recognizer.OUTPUTS,
            [(32, 8, 2), (32, 72, 2), (32, 328, 2)],
            {"Conv", "Relu", "Add"},
            [[32, "4*w"], [1, "1*w"]],
        ),
    ],
)
def test_the_written_graph_is_the_network_without_its_batch_norms(build, outputs, shapes, kinds, sides, random_norms):
    network = random_norms(build)
    model = graph_to_onnx(network, outputs)
    onnx.checker.check_model(model, full_check=True)
    assert {node.op_type for node in model.graph.node} == kinds
    ends = [*model.graph.input, *model.graph.output]
    assert [end.name for end in ends] == ["image", *outputs]
    named = [[side.dim_param or side.dim_value for side in end.type.tensor_type.shape.dim[2:]] for end in ends]
    assert named == sides
    for number, shape in enumerate(shapes):
        images = np.random.default_rng(number).uniform(-1, 1, (2, *shape)).astype(np.float32)
        exact = np.asarray(network(images))
        channels = [channel for part in outputs.values() for channel in range(part.start, part.stop)]
        np.testing.assert_allclose(written(model, images), exact[..., channels], atol=2e-4)


@pytest.mark.parametrize("kernel", [(3, 3), (4, 1), (1, 5)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (4, 4)])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_kernels_strides_and_padding_of_every_form(kernel, stride, padding):
    keras.utils.set_random_seed(0)
    image = keras.Input((16, None, 2))
    x = keras.layers.DepthwiseConv2D(kernel, strides=stride, padding=padding)(image)
    network = keras.Model(image, keras.layers.Conv2D(3, 1)(x))
    images = np.random.default_rng(0).normal(0, 1, (1, 16, 24, 2)).astype(np.float32)
    model = graph_to_onnx(network, {"first": slice(0, 1), "others": slice(1, 3)})
    np.testing.assert_allclose(written(model, images), np.asarray(network(images)), atol=1e-5)


def test_dilated_kernels_in_one_direction():
    keras.utils.set_random_seed(0)
    image = keras.Input((8, None, 2))
    x = keras.layers.DepthwiseConv2D((1, 5), dilation_rate=(1, 4), padding="same", use_bias=False)(image)
    x = keras.layers.BatchNormalization()(x)
    network = keras.Model(image, keras.layers.Conv2D(3, 1)(x))
    images = np.random.default_rng(0).normal(0, 1, (1, 8, 40, 2)).astype(np.float32)
    model = graph_to_onnx(network, {"all": slice(0, 3)})
    np.testing.assert_allclose(written(model, images), np.asarray(network(images)), atol=1e-5)
