"""The command compare."""

import json

import pytest
from PIL import Image
from typer.testing import CliRunner

from digitocr.cli.main import command_line
from digitocr.export import compare as module
from digitocr.runtime.errors import GateError, OutputError
from digitocr.runtime.models import MODELS


def run(*words):
    return CliRunner().invoke(command_line(()), ["compare", *map(str, words)])


@pytest.fixture
def result(monkeypatch, cut_short):
    """What is compared, in the place of a comparison; the arguments that it is given are in it."""
    made = {"images": 50, "equal": 48, "same bits": False, "largest difference": 0.125, "time ratio": 1.5}
    answers = {"a": {"answer": 4, "confidence": 0.9}, "b": {"answer": 10, "confidence": 0.5}}
    made["changed"] = [{"index": at, "name": f"test image {at}", "truth": 2, **answers} for at in (3, 8)]
    one = {"file": "n.onnx", "runtime": "tract", "version": "1.2", "accuracy": 0.5, "microseconds": 80.2}
    made |= {place: {**one, "load seconds": 1.0, "batch": "yes", "interface": None} for place in "ab"}

    def compare_files(a, b, runtime, data, images):
        made["given"] = [a.name, b.name, runtime, images]
        return made

    monkeypatch.setattr(module, "compare_files", compare_files)
    return made


def test_compare_says_what_it_found(result):
    done = run("a.onnx", "--runtime", "tract", "--images", 50)
    assert done.exit_code == 0, done.exception
    assert result["given"] == ["a.onnx", "a.onnx", "tract", 50]
    assert done.stdout.splitlines() == [
        *["n.onnx  tract 1.2  50.00%  80 us a digit  1.0 s to load  64 at once: same answers"] * 2,
        "48 of 50 answers equal, probabilities differ by 1.2e-01, 1.50 of the time",
        "test image 3 is 2: A answers 4 (0.90), B no digit (0.50)",
        "test image 8 is 2: A answers 4 (0.90), B no digit (0.50)",
    ]
    assert json.loads(run("a.onnx", "b.onnx", "--json").stdout)["given"] == ["a.onnx", "b.onnx", None, 10_000]


@pytest.mark.usefixtures("result")
def test_more_changes_than_allowed_are_an_error():
    assert run("a.onnx", "--max-changed", 2).exit_code == 0
    error = run("a.onnx", "--max-changed", 1).exception
    assert isinstance(error, GateError)
    assert str(error) == "2 of 50 answers differ, at most 1 may"


@pytest.mark.usefixtures("result")
def test_a_sheet_is_drawn_and_never_overwritten_unasked(tmp_path):
    sheet = tmp_path / "sheet.png"
    assert run("a.onnx", "--sheet", sheet).exit_code == 0
    with Image.open(sheet) as page:
        assert page.size[0] > 200
    assert isinstance(run("a.onnx", "--sheet", sheet).exception, OutputError)
    assert run("a.onnx", "--sheet", sheet, "--force").exit_code == 0


@pytest.mark.usefixtures("mnist")
def test_compare_as_a_whole_process(digitocr):
    done = digitocr("compare", MODELS / "digitocr-int8.onnx", MODELS / "digitocr-float32.onnx", "--images", 20)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[2].startswith(b"20 of 20 answers equal")
    done = digitocr("compare", MODELS / "digitocr-int8.onnx", "--runtime", "none")
    assert (done.returncode, done.stdout) == (2, b"")
