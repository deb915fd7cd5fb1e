import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tools import flatbuffer_utils

from digitocr.export.fuse import fuse
from digitocr.export.to_tflite import to_tflite
from digitocr.runtime.classifier import Classifier
from digitocr.runtime.errors import OutputError

# All of them are in TensorFlow Lite for Microcontrollers.
MICRO = {"CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED"}
NAMES = {number: name for name, number in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


def kinds(path):
    model = flatbuffer_utils.read_model(str(path))
    return [NAMES[model.operatorCodes[op.opcodeIndex].builtinCode] for op in model.subgraphs[0].operators]


def run(path, images):
    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    (image,), (logits,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert (image["name"], logits["name"]) == ("image", "logits")
    assert (image["shape"].tolist(), logits["shape"].tolist()) == ([1, 28, 28, 1], [1, 10])
    if image["dtype"] is np.int8:
        assert image["quantization"] == (pytest.approx(1 / 255), -128)
        images = (np.rint(images * 255) - 128).astype(np.int8)
    rows = []
    for picture in images:
        interpreter.set_tensor(image["index"], picture[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(logits["index"])[0])
    step, zero = logits["quantization"] if logits["dtype"] is np.int8 else (1, 0)
    return (np.array(rows, np.float32) - zero) * step, logits


def test_a_full_folder_for_temporary_files_is_no_bug(make_network, tmp_path, monkeypatch):
    from tensorflow.lite.python.lite import TFLiteKerasModelConverterV2

    def full(_):  # what the converter raises where it cannot save the network
        raise TypeError("'NoneType' object is not callable")

    monkeypatch.setattr(TFLiteKerasModelConverterV2, "convert", full)
    with pytest.raises(OutputError, match="cannot save the network there to convert it; free space"):
        to_tflite(fuse(make_network(2)), tmp_path / "m.tflite")
    assert not (tmp_path / "m.tflite").exists()


@pytest.mark.parametrize("experiment", [1, 2, 3, 4])
def test_float_file_is_the_network(experiment, make_network, images, tmp_path):
    network = fuse(make_network(experiment))
    to_tflite(network, tmp_path / "n.tflite")
    assert set(kinds(tmp_path / "n.tflite")) <= MICRO
    assert np.abs(run(tmp_path / "n.tflite", images)[0] - np.asarray(network(images))).max() < 1e-4


@pytest.mark.parametrize(
    ("quantize", "extra", "tolerance"), [("float16", {"DEQUANTIZE"}, 0.005), ("dynamic", set(), 0.1)]
)
def test_smaller_weights_answer_nearly_the_same(quantize, extra, tolerance, make_network, images, tmp_path):
    network = fuse(make_network(4))
    to_tflite(network, tmp_path / "n.tflite", quantize)
    assert set(kinds(tmp_path / "n.tflite")) <= MICRO | extra
    exact = np.asarray(network(images))
    assert np.abs(run(tmp_path / "n.tflite", images)[0] - exact).max() < tolerance * np.abs(exact).max()


@pytest.mark.parametrize("experiment", [1, 2, 3, 4])
def test_int8_file_takes_and_gives_int8(experiment, make_network, images, tmp_path):
    network = fuse(make_network(experiment))
    to_tflite(network, tmp_path / "n.tflite", "int8", images)
    assert set(kinds(tmp_path / "n.tflite")) <= MICRO
    answers, logits = run(tmp_path / "n.tflite", images)
    exact = np.asarray(network(images))
    assert logits["dtype"] is np.int8
    assert np.abs(answers - exact).max() < 0.15 * np.abs(exact).max()
    model = flatbuffer_utils.read_model(str(tmp_path / "n.tflite"))
    kernels = [t for t in model.subgraphs[0].tensors if t.type == schema.TensorType.INT8 and len(t.shape) == 4]
    assert any(len(kernel.quantization.scale) > 1 for kernel in kernels)


@pytest.mark.parametrize("quantize", ["none", "int8"])
def test_the_batch_can_be_resized(quantize, make_network, images, tmp_path):
    to_tflite(fuse(make_network(4)), tmp_path / "n.tflite", quantize, images)
    single, _ = run(tmp_path / "n.tflite", images[:6])
    interpreter = Interpreter(model_path=str(tmp_path / "n.tflite"))
    (image,), (logits,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(image["index"], (6, 28, 28, 1))
    interpreter.allocate_tensors()
    given = (np.rint(images[:6] * 255) - 128).astype(np.int8) if quantize == "int8" else images[:6]
    interpreter.set_tensor(image["index"], given)
    interpreter.invoke()
    step, zero = logits["quantization"] if quantize == "int8" else (1, 0)
    np.testing.assert_allclose((interpreter.get_tensor(logits["index"]) - float(zero)) * step, single, atol=1e-5)


def test_other_edges_and_colours_change_no_answer(make_network, images, tmp_path):
    network = fuse(make_network(4))
    kinds = {("int8", 1): np.int8, ("uint8", 3): np.uint8, ("float", 1): np.float32}
    answers = {}
    for (io, channels), kind in kinds.items():
        path = tmp_path / f"{io}.tflite"
        to_tflite(network, path, "int8", images, io, channels)
        interpreter = Interpreter(model_path=str(path))
        (image,), (logits,) = interpreter.get_input_details(), interpreter.get_output_details()
        assert (image["name"], logits["name"]) == ("image", "logits")
        assert (image["dtype"], logits["dtype"]) == (kind, kind)
        assert image["shape"].tolist() == [1, 28, 28, channels]
        answers[io] = Classifier(path).logits(images)
    np.testing.assert_allclose(answers["uint8"], answers["int8"], atol=1e-5)
    np.testing.assert_allclose(answers["float"], answers["int8"], atol=1e-5)


def test_a_float_file_of_three_channels_takes_their_mean(make_network, images, tmp_path):
    network = fuse(make_network(1))
    to_tflite(network, tmp_path / "n.tflite", channels=3)
    interpreter = Interpreter(model_path=str(tmp_path / "n.tflite"))
    interpreter.allocate_tensors()
    (image,), (logits,) = interpreter.get_input_details(), interpreter.get_output_details()
    colours = np.random.default_rng(0).random((1, 28, 28, 3), np.float32)
    interpreter.set_tensor(image["index"], colours)
    interpreter.invoke()
    exact = np.asarray(network(colours.mean(axis=3, keepdims=True)))
    np.testing.assert_allclose(interpreter.get_tensor(logits["index"]), exact, atol=1e-4)


def test_the_steps_of_int8_logits_are_spent_where_answers_are_decided(make_network, images, tmp_path):
    network = fuse(make_network(4))
    kernel, bias = network.layers[-1].get_weights()
    network.layers[-1].set_weights([kernel * 20, bias])
    exact = np.sort(np.asarray(network(images)), axis=1)
    to_tflite(network, tmp_path / "n.tflite", "int8", images)
    answers, logits = run(tmp_path / "n.tflite", images)
    step, zero = logits["quantization"]
    low, high = (-128 - zero) * step, (127 - zero) * step
    assert high == pytest.approx(exact[:, -2].max() + 5, abs=step)
    assert low == pytest.approx(min(exact[:, -1].min() - 9, 0), abs=step)
    assert 255 * step < 0.8 * (exact.max() - exact.min())
    assert (answers.argmax(1) == np.asarray(network(images)).argmax(1)).mean() > 0.9


def test_a_network_as_trained_is_taken_too(make_network, images, tmp_path):
    network = make_network(4)
    to_tflite(network, tmp_path / "n.tflite", "int8", images)
    probabilities, details = run(tmp_path / "n.tflite", images)
    assert details["quantization"] == (1 / 256, -128)
    assert np.abs(probabilities - np.asarray(network(images))).max() < 0.2


def test_same_network_gives_the_same_bytes(make_network, tmp_path):
    for name in ("a.tflite", "b.tflite"):
        to_tflite(fuse(make_network(4)), tmp_path / name)
    assert (tmp_path / "a.tflite").read_bytes() == (tmp_path / "b.tflite").read_bytes()
