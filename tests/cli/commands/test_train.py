"""The command train."""

import os
import subprocess
import sys
from typing import get_args, get_type_hints

import pytest
from typer.testing import CliRunner

from digitocr.cli.commands.train import train
from digitocr.cli.main import command_line
from digitocr.train.classifier.fit import RECIPES


def digitocr(*words, cwd, **environment):
    command = [sys.executable, "-m", "digitocr.cli.main", *map(str, words)]
    return subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True)


def test_recipes_of_the_command_are_those_of_the_library():
    hints = get_type_hints(train)
    assert set(get_args(hints["recipe"])) == {*RECIPES, "detector"}  # which is another network's


@pytest.mark.parametrize("name", ["experiment", "recipe", "epochs", "batch-size", "seed", "fonts", "start", "out"])
def test_a_run_is_gone_on_with_as_it_was_begun(name, refused, tmp_path):
    value = {"recipe": "robust", "fonts": tmp_path, "start": "a.keras", "out": tmp_path}.get(name, 4)
    assert refused("train", "--resume", tmp_path, f"--{name}", value).startswith(f"--{name} is not for --resume")


def test_a_folder_without_a_run_is_not_damaged(refused, monkeypatch, tmp_path):
    monkeypatch.setattr("digitocr.train.data.load_mnist", lambda *_: None)
    assert "no run in it" in refused("train", "--resume", tmp_path / "none")


def test_options_that_a_recipe_has_no_use_for_are_refused(refused, tmp_path):
    for words, why in (
        (["--recipe", "detector", "--batch-size", "64"], "--batch-size is not for --recipe detector"),
        (["--recipe", "detector", "--experiment", "4"], "--experiment is not for --recipe detector"),
        (["--fonts", tmp_path], "--fonts is for --recipe robust or detector"),
        (["--start", "detector.keras"], "--start is for --recipe detector"),
    ):
        assert refused("train", *words).startswith(why)


@pytest.mark.parametrize(
    ("words", "epochs", "batch_size"),
    [([], 10, 128), (["--recipe", "best"], 30, 64), (["--recipe", "best", "--epochs", "2", "--batch-size", "8"], 2, 8)],
)
def test_epochs_and_batch_size_are_the_recipe_s_unless_given(words, epochs, batch_size, monkeypatch):
    given = []
    monkeypatch.setattr("digitocr.train.data.load_mnist", lambda *_: None)
    monkeypatch.setattr("digitocr.train.classifier.fit.fit", lambda _, settings, *__: given.append(settings) or 1 / 0)
    CliRunner().invoke(command_line(()), ["train", *words])
    assert [(settings.epochs, settings.batch_size) for settings in given] == [(epochs, batch_size)]


@pytest.mark.parametrize(("quiet", "words"), [(True, ["--quiet"]), (False, [])])
def test_the_detector_s_training_is_quiet_if_asked(quiet, words, monkeypatch):
    monkeypatch.setattr("digitocr.train.data.load_mnist", lambda *_: None)
    monkeypatch.setattr("digitocr.train.detector.fit.fit", lambda *given: {"found": float(given[3]), "right": 1})
    done = CliRunner().invoke(command_line(()), ["train", "--recipe", "detector", *words])
    assert done.stdout.startswith(f"found     {quiet:.2%}")


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
        (["train", "--epochs", "0"], 2),
    ],
)
def test_senseless_arguments_end_with_their_exit_code(words, code, tmp_path):
    done = digitocr(*words, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
