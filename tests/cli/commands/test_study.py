"""The command study: its arguments, what it prints, how it ends."""

import json
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
from digitocr.train.paper import report, study

SMALL = Experiment(1, 3, "max", False, False, filters=2, dense=8)


def run(*words: Any) -> Any:
    return CliRunner().invoke(command_line(()), [str(word) for word in words])


def test_a_study_ends_in_verdicts_and_a_report(
    cut_short: Mnist, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(study, "cells", lambda _: [SMALL])
    words = ("study", "--seeds", 1, "--epochs", 1, "--batch-size", 16, "--out", tmp_path / "study")
    done = run(*words)
    assert done.exit_code == 0, done.output
    caution, progress = done.stderr.splitlines()
    assert caution.startswith("digitocr: Each network was trained for 14 steps; all of MNIST for ten epochs is 4,300.")
    assert progress.startswith("1/1  1conv-3x3-max seed 0: ")
    *verdicts, report = done.stdout.splitlines()
    claim = "Experiment 4 is the best of the four."
    assert verdicts[0] == f"not tested      {claim} (needs at least 3 seeds of all four experiments; 0 have run)"
    assert report == f"report          {tmp_path / 'study' / 'report' / 'report.html'}"
    again = run(*words, "--quiet")
    assert (again.stderr, again.stdout) == ("", done.stdout)  # nothing was left to do
    written = run("report", tmp_path / "study", "--out", tmp_path / "docs")
    assert written.stdout == f"{tmp_path / 'docs' / 'report.html'}\n"
    assert json.loads((tmp_path / "docs" / "results.json").read_text())["plan"] == {"epochs": 1, "batch_size": 16}


def test_with_one_seed_each_claim_says_what_it_needs(
    cut_short: Mnist, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    experiment = {"conv_layers": 3, "kernel": 3, "pooling": "average", "batch_norm": True, "dropout": True}
    one = {"experiment": {**experiment, "padding": "same"}, "seed": 0, "test": {"images": 50, "errors": []}}
    monkeypatch.setattr(study.Study, "run", lambda *_: None)
    monkeypatch.setattr(study, "read_results", lambda _: {"runs": [one]})
    monkeypatch.setattr(report, "pages", lambda *_: report.Pages("", "", {}))
    done = run("study", "--seeds", 1, "--out", tmp_path / "study")
    assert done.exit_code == 0, done.output
    assert (
        "not tested      Nines are never read as fours. (needs at least 3 seeds of experiment 4; 1 has run)"
        in done.stdout.splitlines()
    )


def test_a_lesson_takes_a_part_of_the_images(cut_short: Mnist, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(study, "cells", lambda _: [SMALL])
    words = ("study", "--seeds", 1, "--epochs", 1, "--batch-size", 16, "--images", 120, "--out", tmp_path / "study")
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert "Each network was trained for 7 steps" in done.stderr
    begun = json.loads((tmp_path / "study" / "study.json").read_text())
    assert begun["plan"] == {"epochs": 1, "batch_size": 16, "images": 120}
    assert (begun["data"]["training"], begun["data"]["held_out"]) == (110, 10)
    assert "study --epochs 1 --batch-size 16 --images 120" in (tmp_path / "study" / "report" / "README.md").read_text()
    again = run(*words[:-4], "--out", tmp_path / "study")
    assert "holds a study with --epochs 1 --batch-size 16 --images 120" in str(again.exception)
    more = run(*words[:-4], "--images", 241, "--out", tmp_path / "more")
    assert "there are 240 training images, not 241; ask for fewer" in str(more.exception)


@pytest.mark.parametrize("package", ["keras", "scipy", "tf2onnx"])
def test_whatever_package_is_missing_the_extra_to_install_is_the_one_that_has_all(package: str, tmp_path: Path) -> None:
    (tmp_path / f"{package}.py").write_text("raise ImportError")
    command = [sys.executable, "-m", "digitocr.cli.main", "study", "--data", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        3,
        "digitocr: a study needs packages that are not installed; type: pip install 'digitocr[export]'\n",
    )


def test_interrupted_it_says_how_to_go_on(cut_short: Mnist, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(study.Study, "run", stop)
    done = run("study", "--out", tmp_path / "begun")
    assert done.exit_code == 130
    assert "interrupted; run the same command again to resume" in done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["study", "--seeds", 0], 2),
        (["study", "--cells", "none"], 2),
        (["study", "--images", 119], 2),
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
