"""The commands study, search and report of cli/main.py: their arguments, what they print, how they end."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from digitocr.cli.main import app
from digitocr.runtime.errors import DigitocrError
from digitocr.train import data, search, study
from digitocr.train.data import Mnist
from digitocr.train.model import Experiment

SMALL = Experiment(1, 3, "max", False, False, filters=2, dense=8)


@pytest.fixture
def cut_short(monkeypatch: pytest.MonkeyPatch) -> Mnist:
    """A hundred bars at ten heights, in the place of MNIST."""
    labels = np.resize(np.arange(10, dtype=np.uint8), 240)
    images = np.zeros((240, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 2 * label : 6 + 2 * label, 6:22] = 255
    small = Mnist(images, labels, images[:50], labels[:50], digest="drawn")
    monkeypatch.setattr(data, "load_mnist", lambda *_: small)
    return small


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_study_ends_in_verdicts_and_a_report(
    cut_short: Mnist, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(study, "cells", lambda _: [SMALL])
    words = ("study", "--seeds", 1, "--epochs", 1, "--batch-size", 16, "--out", tmp_path / "study")
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert done.stderr.startswith("1/1  1conv-3x3-max seed 0: ")
    *verdicts, report = done.stdout.splitlines()
    assert verdicts[0] == "not run         Experiment 4 is the best of the four."
    assert report == f"report          {tmp_path / 'study' / 'report' / 'report.html'}"
    again = run(*words, "--quiet")
    assert (again.stderr, again.stdout) == ("", done.stdout)  # nothing was left to do
    written = run("report", tmp_path / "study", "--out", tmp_path / "docs")
    assert written.stdout == f"{tmp_path / 'docs' / 'report.html'}\n"
    assert json.loads((tmp_path / "docs" / "results.json").read_text())["plan"] == {"epochs": 1, "batch_size": 16}


def test_interrupted_it_says_how_to_go_on(cut_short: Mnist, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(study.Study, "run", stop)
    monkeypatch.setattr(search.Search, "run", stop)
    for command in ("study", "search"):
        done = run(command, "--out", tmp_path / command)
        assert done.exit_code == 130
        assert "interrupted; type the same again to go on" in done.stderr


def test_a_search_prints_its_front(cut_short: Mnist, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trial = {"number": 7, "state": "complete", "params": {"kernel": 3}, "accuracy": 0.991, "bytes": 30_000}
    trial |= {"multiply_accumulates": 300_000, "weights": 29_000}
    head = {
        "schema": search.SCHEMA,
        "plan": {"space": "all", "sampler": "tpe", "epochs": 6},
        "data": {"digest": "drawn"},
    }
    monkeypatch.setattr(search.Search, "run", lambda *_: None)
    monkeypatch.setattr(search.Search, "results", lambda _: {**head, "trials": [trial]})
    done = run("search", "--out", tmp_path)
    front, report = done.stdout.splitlines()
    assert front.split() == ["30.0", "KB", "0.300", "M", "99.10%", str(tmp_path / "models" / "7.keras")]
    assert report == f"report  {tmp_path / 'report' / 'report.html'}"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["study", "--seeds", 0], 2),
        (["study", "--cells", "none"], 2),
        (["search", "--sampler", "none"], 2),
        (["search", "--storage", "nonsense"], 2),
        (["report", "missing"], 2),
    ],
)
def test_senseless_arguments_end_with_their_exit_code(
    words: list[Any], code: int, cut_short: Mnist, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    ended = done.exception.exit_code if isinstance(done.exception, DigitocrError) else done.exit_code
    assert ended == code
    assert done.stdout == ""


def test_without_a_library_of_the_extra_the_line_to_type_is_given(tmp_path: Path) -> None:
    (tmp_path / "jinja2.py").write_text("raise ImportError")
    command = [sys.executable, "-m", "digitocr.cli.main", "report", "runs/x", "--data", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "pip install 'digitocr[train]'" in done.stderr
