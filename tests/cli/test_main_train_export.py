"""The commands train and export of cli/main.py, on MNIST cut short, as whole processes."""

import json
import os
import subprocess
import sys
from typing import get_args, get_type_hints

import pytest

from digitocr.cli.main import train
from digitocr.runtime.interpreter import MODELS
from digitocr.train.fit import RECIPES


def digitocr(*words, cwd, **environment):
    command = [sys.executable, "-m", "digitocr.cli.main", *map(str, words)]
    return subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True)


def test_recipes_of_the_command_are_those_of_the_library():
    hints = get_type_hints(train)
    assert set(get_args(hints["recipe"])) == {*RECIPES, "finder"}  # which is another network's


def test_train_without_data_says_where_it_looked(tmp_path):
    done = digitocr("train", "--data", tmp_path, cwd=tmp_path)
    assert done.returncode == 4
    assert done.stdout == ""
    assert done.stderr.startswith(f"digitocr: {tmp_path}: no MNIST in it")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("mnist")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["train", "--experiment", "5"], 2),
        (["train", "--recipe", "none"], 2),
        (["export", "--format", "h5"], 2),
        (["export", "--model", "missing.keras"], 5),
    ],
)
def test_senseless_arguments_end_with_their_exit_code(words, code, tmp_path):
    done = digitocr(*words, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""


@pytest.mark.usefixtures("mnist")
def test_export_writes_a_verified_file_and_says_what_to_type_next(tmp_path):
    done = digitocr("export", "--format", "onnx", "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"digitocr: exporting {MODELS / 'digitocr.keras'}\n"
    written, following = done.stdout.splitlines()
    assert written.startswith(str(tmp_path / "out" / "digitocr-int8.onnx"))
    assert following.startswith("next: digitocr predict --model ")
    report = json.loads((tmp_path / "out" / "digitocr-int8.onnx.report.json").read_text())
    assert report["passed"]
    assert report["images"] == 10_000
    card = json.loads(digitocr("info", tmp_path / "out" / "digitocr-int8.onnx", cwd=tmp_path).stdout)
    assert card["quantization"] == "int8"
    again = digitocr("export", "--format", "onnx", "--out", tmp_path / "out", cwd=tmp_path)
    assert again.returncode == 9


@pytest.mark.usefixtures("mnist")
def test_a_refused_export_ends_with_6_and_leaves_no_file(tmp_path):
    done = digitocr("export", "--format", "tflite", "--max-changed", "-1", "--out", tmp_path, cwd=tmp_path)
    assert done.returncode == 6
    assert "refused" in done.stderr
    assert not (tmp_path / "digitocr-int8.tflite").exists()
    assert (tmp_path / "digitocr-int8.tflite.report.json").exists()


@pytest.mark.usefixtures("mnist")
def test_export_without_proof_is_loud(tmp_path):
    done = digitocr("export", "--format", "onnx", "--quantize", "none", "--no-verify", "--out", tmp_path, cwd=tmp_path)
    assert done.returncode == 0
    assert "NOT VERIFIED" in done.stderr
    assert "NOT VERIFIED" in done.stdout
