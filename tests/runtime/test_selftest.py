import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from digitocr.runtime.errors import InputError, ModelError
from digitocr.runtime.models import shipped_model
from digitocr.runtime.selftest import framed, golden_path, selftest


@pytest.fixture
def model(tmp_path):
    """A copy of the shipped file with its golden vectors."""
    for name in ("digitocr-int8.onnx", "digitocr-int8.onnx.golden.json"):
        shutil.copy(shipped_model(name), tmp_path)
    return tmp_path / "digitocr-int8.onnx"


def changed(model, change):
    path = golden_path(model)
    golden = json.loads(path.read_text())
    change(golden)
    path.write_text(json.dumps(golden))


@pytest.mark.parametrize(
    ("name", "network", "compared"),
    [
        ("digitocr-int8.onnx", "classifier", ["crop", "logit"]),
        ("digitocr-float32.onnx", "classifier", ["crop", "logit"]),
        ("digitocr-int8.tflite", "classifier", ["crop", "logit"]),
        ("digitocr-float32.tflite", "classifier", ["crop", "logit"]),
        ("detector-int8.onnx", "detector", ["plane", "centre", "box"]),
        ("recognizer-int8.onnx", "recognizer", ["logit"]),
        (None, "reader", ["confidence", "box"]),
    ],
)
def test_the_shipped_files_give_their_golden_vectors(name, network, compared):
    if name and name.endswith(".tflite"):
        pytest.importorskip("ai_edge_litert")
    result = selftest(name and shipped_model(name))
    assert result["passed"], result
    assert result["network"] == network
    assert result["pictures"] == result["same answers"] == 20
    assert [one["of"] for one in result["differences"]] == compared
    assert all(one["largest"] <= one["tolerance"] for one in result["differences"])


@pytest.mark.parametrize(
    ("name", "key", "at", "failure"),
    [
        ("detector-int8.onnx", "cells", (0, 2), "a plane differs by "),
        ("detector-int8.onnx", "cells", (0, 5), "a centre differs by "),
        ("detector-int8.onnx", "cells", (11, 9), "a box differs by "),
        ("recognizer-int8.onnx", "logits", (3, 4), "a logit differs by "),
    ],
)
def test_a_difference_of_a_detector_or_a_recognizer_is_a_failure(name, key, at, failure, tmp_path):
    for file in (name, f"{name}.golden.json"):
        shutil.copy(shipped_model(file), tmp_path)
    row, column = at
    changed(tmp_path / name, lambda golden: golden["vectors"][7][key][row].__setitem__(column, 9.0))
    failures = selftest(tmp_path / name)["failures"]
    assert len(failures) == 1
    assert failures[0].startswith(failure)


def test_other_numbers_are_a_failure(monkeypatch, tmp_path):
    golden = json.loads(shipped_model("reader.golden.json").read_text("utf-8"))
    del golden["vectors"][3:]
    golden["vectors"][0]["numbers"] = ["12"]
    golden["vectors"][1]["digits"][0][1] -= 0.1
    golden["vectors"][2]["digits"][0][2] += 5
    golden["sha256"] = "0"
    for path in shipped_model("x").parent.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "reader.golden.json").unlink()
    (tmp_path / "reader.golden.json").write_text(json.dumps(golden))
    monkeypatch.setattr("digitocr.runtime.selftest.shipped_model", lambda name: tmp_path / name)
    assert selftest()["failures"] == [
        "the vectors are of another file (SHA-256)",
        "other numbers are read in 1 of 3 pictures",
        "a confidence differs by 0.1, at most 0.02 may",
        "a box differs by 5, at most 2 may",
    ]


def test_pictures_are_extended_by_their_edges():
    picture = np.array([[1, 2], [3, 4]], np.uint8)
    assert framed(picture, (3, 4)).tolist() == [[1, 2, 2, 2], [3, 4, 4, 4], [3, 4, 4, 4]]
    assert framed(picture, (None, None)).shape == (8, 8)
    with pytest.raises(ValueError, match="negative"):
        framed(picture, (1, 8))


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        (lambda golden: golden["vectors"][3]["logits"].__setitem__(0, 9.0), "a logit differs by "),
        (lambda golden: golden["vectors"][3]["logits"].__setitem__(0, float("nan")), "a logit differs by inf"),
        (lambda golden: golden["vectors"][3].update(box=[0, 0, 3, 3]), "a crop differs by "),
        (lambda golden: golden.update(sha256="0"), "the vectors are of another file"),
    ],
)
def test_a_difference_is_a_failure(change, failure, model):
    changed(model, change)
    result = selftest(model)
    assert not result["passed"]
    assert any(line.startswith(failure) for line in result["failures"]), result["failures"]


@pytest.mark.parametrize(
    "change",
    [
        lambda golden: golden["vectors"][0].pop("crop"),
        lambda golden: golden["vectors"][0].update(width=100_000),
        lambda golden: golden["vectors"][0].update(picture="AAAA"),
        lambda golden: golden["vectors"][0].update(box=[1, 2, 3, float("inf")]),
        lambda golden: golden["vectors"][0]["logits"].pop(),
        lambda golden: golden["vectors"].__setitem__(0, None),
        lambda golden: golden.pop("tolerance"),
        lambda golden: golden.update(schema="digitocr-golden/9"),
        lambda golden: golden.update(vectors=[]),
        lambda golden: golden.update(network="translator"),
    ],
)
def test_damaged_vectors_are_an_input_error(change, model):
    changed(model, change)
    with pytest.raises(InputError, match="export the model again"):
        selftest(model)


def test_what_is_missing_or_no_json(model, tmp_path):
    golden_path(model).write_text("{")
    with pytest.raises(InputError, match="is no JSON"):
        selftest(model)
    golden_path(model).unlink()
    with pytest.raises(InputError, match="does not exist; digitocr export writes it"):
        selftest(model)
    shutil.copy(shipped_model("digitocr-int8.onnx.golden.json"), tmp_path / "n.onnx.golden.json")
    with pytest.raises(ModelError):
        selftest(tmp_path / "n.onnx")
    for folder in (Path(), Path("/"), tmp_path):
        with pytest.raises(InputError, match="is a folder; name a model file in it"):
            selftest(folder)
