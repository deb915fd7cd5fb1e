import json
import os
import shutil
import sys
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from digitocr.runtime import classifier, interpreter, models, preprocessing
from digitocr.runtime.classifier import DEFAULT_MODEL, Classifier
from digitocr.runtime.errors import MissingExtraError, ModelError
from digitocr.runtime.models import MODELS

TFLITE = MODELS / "digitocr-int8.tflite"
SHIPPED = [MODELS / f"digitocr-{kind}" for kind in ("int8.onnx", "float32.onnx", "int8.tflite", "float32.tflite")]


def tensors(count=12):
    """(count, 28, 28, 1) float32 in [0, 1]: bars and rings, more or less like digits."""
    made = np.zeros((count, 28, 28, 1), np.float32)
    for place, one in enumerate(made):
        one[4:24, 10 + place % 8 : 13 + place % 8] = 1
        if place % 2:
            one[4:7, 8:20] = 0.8
        if place % 3:
            one[20:23, 6:18] = 0.6
    return made


@pytest.fixture(params=SHIPPED, ids=lambda path: path.name)
def shipped(request):
    if request.param.suffix == ".tflite":
        pytest.importorskip("ai_edge_litert")
    return Classifier(request.param)


def test_shipped_models_give_probabilities(shipped):
    probabilities = shipped.predict(tensors())
    assert probabilities.shape == (12, 11)
    assert shipped.classes == 11
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities >= 0).all()


def test_a_batch_is_read_like_its_images_one_by_one(shipped):
    many = tensors(interpreter.RUN_TENSORS + 7)  # more than goes through at once
    one_by_one = np.concatenate([shipped.predict(one[None]) for one in many])
    np.testing.assert_allclose(shipped.predict(many), one_by_one, atol=1e-5)


def test_no_images_are_no_rows(shipped):
    assert shipped.predict(tensors(0)).shape == (0, shipped.classes)


def test_formats_agree_with_each_other():
    pytest.importorskip("ai_edge_litert")
    onnx, tflite = (Classifier(MODELS / f"digitocr-float32.{form}").predict(tensors()) for form in ("onnx", "tflite"))
    np.testing.assert_allclose(onnx, tflite, atol=1e-4)


def test_cards_say_what_the_file_is(shipped):
    card = shipped.card
    assert card["schema"] == "digitocr-model/1"
    assert card["name"] == shipped.name
    assert card["labels"] == [*"0123456789", "no digit"]
    assert card["preprocessing"] == preprocessing.VERSION
    beside = json.loads((MODELS / f"{shipped.name}.{card['format']}.json").read_text("utf-8"))
    assert {name: beside[name] for name in card} == card
    assert beside["sha256"] == shipped.sha256


def test_the_shipped_int8_onnx_is_the_default():
    assert Classifier().sha256 == Classifier(MODELS / DEFAULT_MODEL).sha256


def test_the_shipped_networks_tell_a_digit_from_noise(shipped):
    bar = np.zeros((28, 28), np.uint8)
    bar[4:24, 13:16] = 255
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    answers = shipped.predict(preprocessing.scale(preprocessing.normalised(np.stack([bar, noise]))))
    assert answers.argmax(axis=1).tolist() == [1, 10]


def test_softmax_is_that_of_the_logits_and_never_overflows():
    some = Classifier()
    logits = np.array([[1000, 0, -1000, *range(8)], [0.5] * 11], np.float32)
    some._backend = SimpleNamespace(logits=lambda _: logits)
    wide = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(some.predict(tensors(2)), wide / wide.sum(axis=1, keepdims=True), atol=1e-7)


def refused(path, *words):
    """The message of the ModelError that a file gives, one line that names it."""
    with pytest.raises(ModelError) as caught:
        Classifier(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert all(word in message for word in words), message


@pytest.mark.parametrize("suffix", [".onnx", ".tflite"])
def test_files_that_are_no_models_are_refused(suffix, tmp_path):
    if suffix == ".tflite":
        pytest.importorskip("ai_edge_litert")
    path = tmp_path / f"m{suffix}"
    refused(path, "No such file")
    good = (MODELS / f"digitocr-int8{suffix}").read_bytes()
    for content in (b"", b"\0" * 100, np.random.default_rng(0).bytes(5000), good[: len(good) // 2], good[:-9000]):
        path.write_bytes(content)
        refused(path, "cannot load it")
    path.unlink()
    path.mkdir()
    refused(path, "a folder or a device")
    path.rmdir()
    os.mkfifo(path)
    refused(path, "a folder or a device")


def test_a_file_that_no_model_is_as_large_as_is_not_read(tmp_path):
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    refused(path, "over 64 MB")


def test_other_suffixes_are_refused_before_they_are_read(tmp_path):
    refused(tmp_path / "model.h5", ".onnx or .tflite", "digitocr export")


@pytest.fixture
def copied_models(tmp_path, monkeypatch):
    for name in (DEFAULT_MODEL, "SHA256SUMS"):
        shutil.copy(MODELS / name, tmp_path)
    monkeypatch.setattr(models, "MODELS", tmp_path)
    return tmp_path


def test_a_shipped_file_that_was_changed_is_not_parsed(copied_models, monkeypatch):
    Classifier()
    path = copied_models / DEFAULT_MODEL
    path.write_bytes(path.read_bytes() + b"\0")
    monkeypatch.setattr(classifier, "BACKENDS", {".onnx": pytest.fail})
    refused(path, "SHA-256")


def test_litert_that_is_not_installed_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'digitocr\[tflite\]'"):
        Classifier(TFLITE)


def dense(path, shape=("n", 28, 28, 1), classes=10, element="FLOAT", outputs=1, reshape=None, card=None, softmax=False):
    """Writes an ONNX file: flatten, cast to float, one dense layer; the class of a lone bright pixel is its index.

    softmax: whether a softmax follows the dense layer.
    """
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    pixels = int(np.prod(shape[1:]))
    weights = np.zeros((pixels, classes), np.float32)
    weights[range(classes), range(classes)] = 5
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["float"], ["flat"])
        if reshape is None
        else helper.make_node("Reshape", ["float", "to"], ["flat"]),
        *(
            helper.make_node("MatMul", ["flat", "weights"], [f"{'raw' if softmax else 'logits'}{place}"])
            for place in range(outputs)
        ),
        *([helper.make_node("Softmax", ["raw0"], ["logits0"], axis=1)] if softmax else []),
    ]
    graph = helper.make_graph(
        nodes,
        "dense",
        [helper.make_tensor_value_info("image", getattr(TensorProto, element), shape)],
        [
            helper.make_tensor_value_info(f"logits{place}", TensorProto.FLOAT, (shape[0], classes))
            for place in range(outputs)
        ],
        [
            onnx.numpy_helper.from_array(weights, "weights"),
            *([] if reshape is None else [onnx.numpy_helper.from_array(np.array(reshape, np.int64), "to")]),
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if card is not None:
        helper.set_model_props(made, {"digitocr": card})
    path.write_bytes(made.SerializeToString())
    return path


def pixel(*places):
    lone = np.zeros((len(places), 28, 28, 1), np.float32)
    for one, place in zip(lone, places, strict=True):
        one.reshape(-1)[place] = 1
    return lone


@pytest.mark.parametrize("classes", [10, 11])
def test_models_of_others_that_fit_are_read(classes, tmp_path):
    some = Classifier(dense(tmp_path / "free.onnx", classes=classes))
    assert some.predict(pixel(3, 7, classes - 1)).argmax(axis=1).tolist() == [3, 7, classes - 1]
    assert some.predict(pixel()).shape == (0, classes)
    assert some.classes == classes
    assert some.card == {}
    assert some.name == "free"


@pytest.mark.parametrize("shape", [("n", 28, 28, 1), (1, 28, 28, 1)])
def test_the_softmax_of_a_model_of_others_is_not_taken_again(shape, tmp_path):
    logits = Classifier(dense(tmp_path / "logits.onnx", shape=shape))
    probabilities = Classifier(dense(tmp_path / "probabilities.onnx", shape=shape, softmax=True))
    assert (logits.outputs, probabilities.outputs) == ("logits", "probabilities")
    expected = np.exp(5) / (np.exp(5) + 9)  # of the class whose pixel is lit; taken twice it would be 0.23
    for some in (logits, probabilities):
        np.testing.assert_allclose(some.predict(pixel(3, 7)).max(axis=1), expected, rtol=1e-6)
        np.testing.assert_allclose(some.predict(tensors()).sum(axis=1), 1, atol=1e-6)


def test_the_card_of_an_export_says_that_it_puts_out_logits(monkeypatch):
    monkeypatch.setattr(Classifier, "_probed", pytest.fail)
    assert Classifier().outputs == "logits"


def test_a_quantized_softmax_is_recognised_although_its_rows_do_not_quite_sum_to_1():
    some = Classifier()
    rows = np.full((8, 11), 1 / 11, np.float32)
    rounded = np.round(rows * 256) / np.float32(256)
    assert abs(rounded.sum(axis=1) - 1).min() > 0.01
    some._backend = SimpleNamespace(logits=lambda _: rounded)
    some.outputs = some._probed()
    assert some.outputs == "probabilities"
    np.testing.assert_allclose(some.predict(tensors(8)), rows, atol=1e-6)


def test_a_model_of_batch_one_gets_one_image_at_a_time(tmp_path):
    some = Classifier(dense(tmp_path / "one.onnx", shape=(1, 28, 28, 1)))
    assert some.predict(pixel(4, 0, 9)).argmax(axis=1).tolist() == [4, 0, 9]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shape": ("n", 32, 32, 1)}, ["[N, 28, 28, 1] to [N, 10]", "32"]),
        ({"shape": ("n", 784)}, ["[N, 28, 28, 1] to [N, 10]", "784"]),
        ({"shape": (4, 28, 28, 1)}, ["[N, 28, 28, 1] to [N, 10]"]),
        ({"classes": 7}, ["[N, 28, 28, 1] to [N, 10]"]),
        ({"classes": 12}, ["[N, 28, 28, 1] to [N, 10] or [N, 11]", "12"]),
        ({"element": "UINT8"}, ["tensor(uint8)"]),
        ({"element": "FLOAT16"}, ["tensor(float16)"]),
        ({"outputs": 2}, ["inputs: 1, outputs: 2", "--detector"]),
    ],
)
def test_models_of_another_shape_or_type_are_refused(changes, words, tmp_path):
    refused(dense(tmp_path / "m.onnx", **changes), *words)


def test_a_model_that_fails_where_it_is_run_is_a_model_error(tmp_path):
    path = dense(tmp_path / "m.onnx", reshape=(1, 784))  # whatever it says, it takes one at a time
    with pytest.raises(ModelError, match="m: fails where it is run") as caught:
        Classifier(path).predict(pixel(1, 2))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("card", ["", "no json", "[1, 2]"])
def test_a_card_that_is_none_is_left_out(card, tmp_path):
    assert Classifier(dense(tmp_path / "m.onnx", card=card)).card == {}


def test_a_model_of_another_preprocessing_is_refused(tmp_path):
    card = '{"preprocessing": %d}'
    assert Classifier(dense(tmp_path / "m.onnx", card=card % preprocessing.VERSION)).card == {
        "preprocessing": preprocessing.VERSION
    }
    refused(dense(tmp_path / "m.onnx", card=card % (preprocessing.VERSION - 1)), "trained with preprocessing")


def test_a_tflite_file_without_its_card_is_read_all_the_same(tmp_path):
    pytest.importorskip("ai_edge_litert")
    with zipfile.ZipFile(TFLITE) as archive:
        start = min(entry.header_offset for entry in archive.infolist())
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(TFLITE.read_bytes()[:start])
    some = Classifier(bare)
    assert some.card == {}
    np.testing.assert_array_equal(some.predict(tensors()), Classifier(TFLITE).predict(tensors()))
