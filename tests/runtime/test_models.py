import hashlib
import os

import pytest

from digitocr.runtime import models
from digitocr.runtime.errors import ModelError
from digitocr.runtime.models import (
    MODELS,
    check_shipped,
    exported_networks,
    model_content,
    network_id,
    shipped_checksums,
    shipped_model,
)

FILES = ("digitocr-int8.onnx", "detector-int8.onnx")  # what the reader loads unless it is told otherwise


def refused(what, path, *words):
    """Calls it; the message of its ModelError must be one line that names the path."""
    with pytest.raises(ModelError) as caught:
        what()
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_the_checksums_are_those_of_the_shipped_files():
    sums = shipped_checksums()
    assert set(FILES) <= set(sums)
    for name, digest in sums.items():
        content = shipped_model(name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest, name
        assert check_shipped(shipped_model(name), content) == digest
    models = {path.name for path in MODELS.iterdir() if path.suffix in (".onnx", ".tflite", ".keras")}
    assert set(sums) == models


def test_a_shipped_file_that_was_changed_or_is_unknown_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "MODELS", tmp_path)
    (tmp_path / "SHA256SUMS").write_text(f"{hashlib.sha256(b'good').hexdigest()}  a.onnx\n")
    assert check_shipped(tmp_path / "a.onnx", b"good") == hashlib.sha256(b"good").hexdigest()
    for name, content in (("a.onnx", b"bad"), ("b.onnx", b"good")):
        refused(lambda name=name, content=content: check_shipped(tmp_path / name, content), tmp_path / name, "SHA-256")


def test_a_file_of_somebody_s_own_may_be_anything(tmp_path):
    assert check_shipped(tmp_path / FILES[0], b"mine") == hashlib.sha256(b"mine").hexdigest()


def test_content_is_read_whole_and_what_is_none_is_refused(tmp_path):
    path = tmp_path / "m.onnx"
    refused(lambda: model_content(path), path, "No such file", ".onnx or .tflite")
    path.write_bytes(b"\0\1\2")
    assert model_content(path) == b"\0\1\2"
    with path.open("wb") as file:
        file.truncate(models.MAX_MODEL_BYTES + 1)
    refused(lambda: model_content(path), path, "over 64 MB")
    path.unlink()
    path.mkdir()
    refused(lambda: model_content(path), path, "a folder or a device")
    path.rmdir()
    os.mkfifo(path)  # which nobody writes to
    refused(lambda: model_content(path), path, "a folder or a device")


def test_all_exports_of_a_network_have_one_id_and_other_files_their_own():
    assert network_id({"training": {"model_sha256": "a"}}, "b") == "a"
    for card in ({}, {"training": None}, {"training": {}}, {"training": {"model_sha256": 3}}):
        assert network_id(card, "b") == "b"


def test_the_networks_of_a_folder_are_those_that_there_are(tmp_path):
    for name in ("digitocr-float32.onnx", "recognizer-int8.onnx", "recognizer-float32.onnx", "confidence.json"):
        (tmp_path / name).touch()
    found = {name: path.name for name, path in exported_networks(tmp_path).items()}
    assert found == {
        "model": "digitocr-float32.onnx",
        "recognizer": "recognizer-int8.onnx",
        "confidence": "confidence.json",
    }
    (tmp_path / "digitocr-float32.onnx").unlink()
    refused(lambda: exported_networks(tmp_path), tmp_path, "digitocr export --model RUN")
