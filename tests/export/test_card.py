import hashlib
import json
import zipfile

import numpy as np
import pytest

from digitocr.export.card import card_path, classifier_card, embed, training_of, write_card
from digitocr.export.fuse import fuse
from digitocr.export.to_onnx import to_onnx
from digitocr.export.to_tflite import to_tflite
from digitocr.runtime import preprocessing
from digitocr.runtime.classifier import Classifier

TRAINING = {
    "model_sha256": "ab",
    "command": "digitocr train",
    "seed": 0,
    "recipe": "paper",
    "experiment": 4,
    "data": "cd",
}


def written(form, quantize, make_network, images, folder):
    path = folder / f"n.{form}"
    network = fuse(make_network(4))
    if form == "onnx":
        to_onnx(network, path, images if quantize == "int8" else None)
    else:
        to_tflite(network, path, quantize, images)
    return path


@pytest.mark.parametrize(
    ("form", "quantize"), [("onnx", "none"), ("onnx", "int8"), ("tflite", "none"), ("tflite", "int8")]
)
def test_a_card_is_read_from_the_file_and_changes_no_answer(form, quantize, make_network, images, tmp_path):
    path = written(form, quantize, make_network, images, tmp_path)
    assert Classifier(path).card == {}
    before = Classifier(path).predict(images)
    card = embed(path, classifier_card("digitocr-x", form, quantize, TRAINING, accuracy=0.5))
    assert Classifier(path).card == card
    assert np.array_equal(Classifier(path).predict(images), before)
    assert card["schema"] == "digitocr-model/1"
    assert (card["name"], card["format"], card["quantization"], card["accuracy"]) == ("digitocr-x", form, quantize, 0.5)
    assert card["labels"] == list("0123456789")
    assert card["preprocessing"] == preprocessing.VERSION
    assert card["training"] == TRAINING
    assert card["licence"] == "Apache-2.0"
    assert card["input"]["shape"] == [None if form == "onnx" else 1, 28, 28, 1]
    assert card["input"]["range"] == [0, 1]
    assert card["input"]["polarity"] == "ink bright on dark"
    if (form, quantize) == ("tflite", "int8"):
        assert (card["input"]["dtype"], card["input"]["zero_point"]) == ("int8", -128)
        assert card["input"]["scale"] == pytest.approx(1 / 255)
        assert card["output"]["scale"] > 0
    else:
        assert card["input"]["dtype"] == card["output"]["dtype"] == "float32"


def test_tflite_is_packed_by_its_metadata_standard(make_network, images, tmp_path):
    path = written("tflite", "none", make_network, images, tmp_path)
    embed(path, classifier_card("digitocr-x", "tflite", "none", TRAINING, accuracy=None))
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["labels.txt", "digitocr.json"]
        assert archive.read("labels.txt").decode().split() == list("0123456789")
    assert b"TFLITE_METADATA" in path.read_bytes()


def test_a_network_that_knows_no_digit_says_so():
    card = classifier_card("digitocr-x", "onnx", "none", TRAINING, accuracy=None, classes=11)
    assert card["labels"] == [*"0123456789", "no digit"]
    assert card["output"]["shape"] == [None, 11]
    assert classifier_card("digitocr-x", "tflite", "none", TRAINING, accuracy=None)["output"]["shape"] == [1, 10]


def test_the_card_beside_tells_digest_and_size(tmp_path):
    path = tmp_path / "digitocr-int8.onnx"
    path.write_bytes(b"model")
    write_card(path, {"name": "digitocr-int8"})
    assert card_path(path) == tmp_path / "digitocr-int8.onnx.json"
    assert json.loads(card_path(path).read_text()) == {
        "name": "digitocr-int8",
        "sha256": hashlib.sha256(b"model").hexdigest(),
        "bytes": 5,
    }


def test_training_is_told_by_the_run_that_lies_beside(tmp_path):
    source = tmp_path / "model.keras"
    source.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    nothing = dict.fromkeys(["command", "seed", "recipe", "experiment", "data"])
    assert training_of(source) == {"model_sha256": digest, **nothing}
    run = {
        "command": "digitocr train --seed 3",
        "settings": {"seed": 3, "recipe": "paper", "experiment": 4, "epochs": 10},
        "data": {"digest": "cd"},
    }
    (tmp_path / "run.json").write_text(json.dumps(run))
    known = {"command": "digitocr train --seed 3", "seed": 3, "recipe": "paper", "experiment": 4, "data": "cd"}
    assert training_of(source) == {"model_sha256": digest, **known}
    (tmp_path / "model.run.json").write_text(json.dumps({**run, "command": "its own"}))  # goes before the folder's
    assert training_of(source)["command"] == "its own"
    (tmp_path / "model.run.json").unlink()
    (tmp_path / "run.json").write_text("{damaged")
    assert training_of(source) == {"model_sha256": digest, **nothing}
