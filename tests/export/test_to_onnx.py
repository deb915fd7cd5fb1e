import numpy as np
import onnx
import onnxruntime
import pytest

from digitocr.export.fuse import fuse
from digitocr.export.to_onnx import to_onnx

PLAIN = {"Reshape", "Conv", "Relu", "AveragePool", "MaxPool", "MatMul", "Add"}


def run(path, images, session_options=None):
    session = onnxruntime.InferenceSession(str(path), session_options)
    return session.run(None, {"image": images})[0]


def kinds(model):
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize("experiment", [1, 2, 3, 4])
def test_float_file_is_the_network_and_nothing_is_left_over(experiment, make_network, images, tmp_path):
    network = fuse(make_network(experiment))
    to_onnx(network, tmp_path / "n.onnx")
    model = onnx.load(str(tmp_path / "n.onnx"))
    onnx.checker.check_model(model, full_check=True)
    assert set(kinds(model)) <= PLAIN
    for side, name, shape in (
        (model.graph.input, "image", ["N", 28, 28, 1]),
        (model.graph.output, "logits", ["N", 10]),
    ):
        assert [value.name for value in side] == [name]
        dims = side[0].type.tensor_type.shape.dim
        assert [dim.dim_param or dim.dim_value for dim in dims] == shape
    for count in (1, 7):
        difference = run(tmp_path / "n.onnx", images[:count]) - np.asarray(network(images[:count]))
        assert np.abs(difference).max() < 1e-4


def test_same_network_gives_the_same_bytes(make_network, tmp_path):
    for name in ("a.onnx", "b.onnx"):
        to_onnx(fuse(make_network(4)), tmp_path / name)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_a_network_as_trained_is_taken_too(make_network, images, tmp_path):
    network = make_network(4)
    to_onnx(network, tmp_path / "n.onnx")
    assert np.abs(run(tmp_path / "n.onnx", images) - np.asarray(network(images))).max() < 1e-5


@pytest.mark.parametrize("experiment", [1, 2, 3, 4])
def test_int8_file_runs_in_int8_from_end_to_end(experiment, make_network, images, tmp_path):
    network = fuse(make_network(experiment))
    to_onnx(network, tmp_path / "n.onnx", images)
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 4  # it warns that such a file is for this machine alone
    logits = run(tmp_path / "n.onnx", images, options)
    exact = np.asarray(network(images))
    assert np.abs(logits - exact).max() < 0.1 * np.abs(exact).max()
    shuffles = {"Reshape", "Flatten", "Transpose"}
    computing = set(kinds(onnx.load(str(tmp_path / "optimized.onnx")))) - shuffles
    assert computing <= {"QuantizeLinear", "QLinearConv", "NhwcMaxPool", "QLinearAveragePool", "QGemm"}
    assert {"QLinearConv", "QGemm"} <= computing


def test_int8_weights_keep_to_seven_bits_by_channel(make_network, images, tmp_path):
    to_onnx(fuse(make_network(4)), tmp_path / "n.onnx", images)
    weights = [onnx.numpy_helper.to_array(t) for t in onnx.load(str(tmp_path / "n.onnx")).graph.initializer]
    kernels = [weight for weight in weights if weight.dtype == np.int8 and weight.ndim > 1]
    assert len(kernels) == 8
    assert max(np.abs(kernel.astype(int)).max() for kernel in kernels) == 64
    largest = [
        np.abs(kernel.astype(int)).reshape(len(kernel), -1).max(axis=1) for kernel in kernels if kernel.ndim == 4
    ]
    assert all((channels == 64).all() for channels in largest)
