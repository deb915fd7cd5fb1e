"""The command report; test_study.py sees it at work."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from digitocr.cli.main import command_line
from digitocr.runtime.errors import DigitocrError
from digitocr.train.classifier.network import Experiment
from digitocr.train.data import Mnist

SMALL = Experiment(1, 3, "max", False, False, filters=2, dense=8)


def run(*words: Any) -> Any:
    return CliRunner().invoke(command_line(()), [str(word) for word in words])


@pytest.mark.parametrize(
    ("words", "code"),
    [
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


def test_what_is_no_run_is_refused_before_mnist_is_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("digitocr.train.data.load_mnist", lambda *_: pytest.fail("loaded, which may be a download"))
    assert "holds no run" in str(run("report", tmp_path).exception)


def test_a_report_prints_its_path_and_nothing_else(mnist: Mnist, tmp_path: Path) -> None:
    results = Path(__file__).parents[3] / "docs" / "paper" / "results.json"
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, "-m", "digitocr.cli.main", "report", str(results), "--out", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{tmp_path / 'report.html'}\n"


def test_without_a_library_of_the_extra_the_line_to_type_is_given(tmp_path: Path) -> None:
    (tmp_path / "jinja2.py").write_text("raise ImportError")
    command = [sys.executable, "-m", "digitocr.cli.main", "report", "runs/x", "--data", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "pip install 'digitocr[train]'" in done.stderr
