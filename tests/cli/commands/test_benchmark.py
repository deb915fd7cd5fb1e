"""The command benchmark."""

import json

import pytest
from typer.testing import CliRunner

from digitocr.cli.main import command_line
from digitocr.runtime.errors import OutputError


def run(*words):
    return CliRunner().invoke(command_line(()), ["benchmark", *map(str, words)])


@pytest.fixture
def given(monkeypatch):
    """The paths that are measured; nothing is."""
    paths = []

    def benchmark(models, data):
        paths[:] = models
        return {"models": len(models), "images": len(data.test_labels)}

    monkeypatch.setattr("digitocr.export.benchmark.benchmark", benchmark)
    monkeypatch.setattr("digitocr.export.benchmark.as_text", lambda result: f"{result['models']} files")
    monkeypatch.setattr("digitocr.export.benchmark.plot", lambda _, path, form: path.write_text(form))
    return paths


@pytest.mark.usefixtures("mnist")
def test_files_are_measured_and_drawn(given, tmp_path):
    plot = tmp_path / "models.svg"
    done = run("a.onnx", "b.tflite", "--images", 50, "--plot", plot)
    assert (done.exit_code, done.stdout) == (0, "2 files\n"), done.exception
    assert plot.read_text() == "svg"
    assert isinstance(run("a.onnx", "--plot", plot).exception, OutputError)
    assert json.loads(run("a.onnx", "--images", 50, "--json").stdout) == {"models": 1, "images": 50}


@pytest.mark.usefixtures("mnist")
def test_a_keras_file_is_measured_with_what_export_makes_of_it(given, monkeypatch):
    asked = []

    def export(model, formats, modes, out, data, **limits):
        asked.append((model.name, formats, modes))
        return [{"path": out / f"{mode}.{formats[0]}"} for mode in modes]

    monkeypatch.setattr("digitocr.export.classifier.export", export)
    assert run("a.keras", "b.onnx", "--formats", "all", "--images", 20).exit_code == 0
    names = ["a.keras", "none.onnx", "int8.onnx"]
    names += ["none.tflite", "float16.tflite", "dynamic.tflite", "int8.tflite", "b.onnx"]
    assert [path.name for path in given] == names
    assert [formats for _, formats, _ in asked] == [["onnx"], ["tflite"]]


def test_what_makes_no_sense_is_refused(refused, tmp_path):
    assert refused("benchmark", "a.onnx", "--formats", "all").startswith("--formats is for .keras files")
    assert refused("benchmark", "a.onnx", "--plot", tmp_path / "a.jpg").startswith("--plot draws .svg and .png files")
