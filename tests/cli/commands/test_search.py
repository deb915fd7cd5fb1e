"""The command search: its arguments, what it prints, how it ends."""

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
from digitocr.train.search import search

SMALL = Experiment(1, 3, "max", False, False, filters=2, dense=8)


def run(*words: Any) -> Any:
    return CliRunner().invoke(command_line(()), [str(word) for word in words])


def test_a_search_prints_its_front(cut_short: Mnist, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trial = {"number": 7, "state": "complete", "params": {"kernel": 3}, "accuracy": 0.991, "bytes": 30_000}
    trial |= {"multiply_accumulates": 300_000, "weights": 29_000}
    head = {
        "schema": search.SEARCH_SCHEMA,
        "plan": {"space": "all", "sampler": "tpe", "epochs": 6},
        "data": {"digest": "drawn"},
    }
    monkeypatch.setattr(search.Search, "run", lambda *_: None)
    monkeypatch.setattr(search.Search, "results", lambda _: {**head, "trials": [trial]})
    done = run("search", "--out", tmp_path)
    front, report = done.stdout.splitlines()
    assert front.split() == ["30.0", "KB", "0.300", "M", "99.10%", str(tmp_path / "models" / "7.keras")]
    assert report == f"report  {tmp_path / 'report' / 'report.html'}"


def test_interrupted_it_says_how_to_go_on(cut_short: Mnist, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(search.Search, "run", stop)
    done = run("search", "--out", tmp_path / "begun")
    assert done.exit_code == 130
    assert "interrupted; run the same command again to resume" in done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["search", "--sampler", "none"], 2),
        (["search", "--storage", "nonsense"], 2),
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


@pytest.mark.parametrize("package", ["keras", "scipy", "optuna"])
def test_whatever_package_is_missing_the_extra_to_install_is_that_of_a_search(package: str, tmp_path: Path) -> None:
    (tmp_path / f"{package}.py").write_text("raise ImportError")
    command = [sys.executable, "-m", "digitocr.cli.main", "search", "--data", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "pip install 'digitocr[search]'" in done.stderr
