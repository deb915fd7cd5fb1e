import hashlib
import os

import pytest

from digitocr.runtime import models
from digitocr.runtime.errors import ModelError
from digitocr.runtime.interpreter import first_line, onnx_session
from digitocr.runtime.models import MODELS, check_shipped, model_content, shipped_checksums, shipped_model

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


@pytest.mark.parametrize("threads", [1, 3])
def test_a_session_runs_on_the_processor_in_so_many_threads_and_does_not_spin(threads):
    path = shipped_model(FILES[1])
    session = onnx_session(path.read_bytes(), path, threads)
    options = session.get_session_options()
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (threads, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


@pytest.mark.parametrize("content", [b"", b"no model", bytes(5000)])
def test_what_onnx_runtime_cannot_load_is_a_line_and_nothing_on_stderr(content, tmp_path, capfd):
    path = tmp_path / "m.onnx"
    refused(lambda: onnx_session(content, path, 1), path, "ONNX Runtime cannot load it")
    assert capfd.readouterr() == ("", "")


def test_of_a_long_error_the_first_line_is_kept():
    assert first_line(ValueError("\n what \nand why")) == "what "
    assert len(first_line(ValueError("x" * 5000))) == 200
