import subprocess
import sys

import pytest

from digitocr.runtime import trial
from digitocr.runtime.errors import ModelError
from digitocr.runtime.models import shipped_model
from digitocr.runtime.trial import checked_model


@pytest.fixture
def own(tmp_path):
    """Copies a shipped file to a path of somebody's own, with more bytes at its end where it is to be another file."""

    def make(name, more=b""):
        path = tmp_path / name
        path.write_bytes(shipped_model(name).read_bytes() + more)
        return path

    return make


def outcome(path):
    """What `tried` says of a file; nothing of one that can be loaded."""
    try:
        trial.tried(path.read_bytes(), path)
    except ModelError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", ["digitocr-int8.onnx", "digitocr-int8.tflite", "detector-int8.onnx"])
def test_what_can_be_loaded_and_run_is_let_through(name, own):
    assert outcome(own(name)) == ""


@pytest.mark.parametrize("name", ["no.onnx", "no.tflite"])
def test_what_an_interpreter_refuses_says_so(name, tmp_path):
    (tmp_path / name).write_bytes(b"no model")
    assert "cannot load it (" in outcome(tmp_path / name)


def test_a_file_of_another_suffix_is_not_read(tmp_path):
    with pytest.raises(ModelError, match=r"m\.txt: a model file ends in \.onnx or \.tflite"):
        checked_model(tmp_path / "m.txt")


def test_what_an_interpreter_prints_is_no_part_of_what_is_said(tmp_path):
    path = tmp_path / "odd.onnx"
    path.write_bytes(shipped_model("digitocr-int8.onnx").read_bytes().replace(b"Relu", b"Rel\xff", 1))
    said = outcome(path)
    assert said.startswith(f"{path}: ONNX Runtime cannot load it (")
    assert "\n" not in said


def test_shipped_files_are_not_tried_and_those_of_others_are(own, monkeypatch):
    seen = []
    monkeypatch.setattr(trial, "tried", lambda _, path: seen.append(path.name))
    for name in ("digitocr-int8.onnx", "detector-int8.onnx"):
        checked_model(shipped_model(name))
        checked_model(own(name))
    assert seen == []  # a copy is known by its digest
    checked_model(own("digitocr-int8.onnx", b"\0"))
    assert seen == ["digitocr-int8.onnx"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("kill -SEGV $$", "it ends the process that loads it"),
        ("kill -ABRT $$", "it ends the process that loads it"),
        ("kill -XCPU $$", "too long or too much memory"),
        ("exec sleep 20", "takes too long to load"),
        ("exit 3", ""),  # an extra is missing
        ("exit 0", ""),
    ],
)
def test_whatever_ends_the_child_is_a_line(script, words, tmp_path, monkeypatch):
    child, model = tmp_path / "python", tmp_path / "m.onnx"
    child.write_text(f"#!/bin/sh\n{script}\n")
    child.chmod(0o755)
    model.write_bytes(script.encode())  # another file for each, since one is tried once
    monkeypatch.setattr(sys, "executable", str(child))
    monkeypatch.setattr(trial, "SECONDS", 1)
    assert words in outcome(model)
    assert bool(words) == bool(outcome(model))


def test_memory_and_time_of_the_child_are_limited():
    code = """
from digitocr.runtime import trial
trial.MEMORY = 50_000_000
trial.CPU_SECONDS = 0
trial._limit()
try:
    bytearray(100_000_000)
except MemoryError:
    print("refused", flush=True)
while True:
    pass
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert done.stdout == b"refused\n"
    assert done.returncode == -trial.signal.SIGXCPU


def test_a_network_of_a_large_input_is_not_run(tmp_path):
    pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 3, 2000, 2000)) for name in ("image", "same")]
    graph = helper.make_graph([helper.make_node("Identity", ["image"], ["same"])], "large", [ends[0]], [ends[1]])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "large.onnx").write_bytes(model.SerializeToString())
    assert "takes an input of 1x3x2000x2000" in outcome(tmp_path / "large.onnx")
