"""The command train."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from typing import get_args, get_type_hints

import pytest
from matplotlib import get_data_path
from typer.testing import CliRunner

from digitocr.cli.commands.train import train
from digitocr.cli.main import command_line
from digitocr.train.adapt.fit import AdaptSettings
from digitocr.train.classifier.fit import Settings
from digitocr.train.classifier.recipes import RECIPES
from digitocr.train.detector.fit import DetectorSettings
from digitocr.train.recognizer.fit import RecognizerSettings

METRICS = {name: {"accuracy": 0.9, "images": 100, "interval": [0.8, 0.95]} for name in ("test", "held_out")}
ADAPTED = {
    "own": {"pictures": 148, "before": 130, "after": 141, "mended": 12, "broken": 1, "p": 0.0034},
    "mnist": {"before": 0.9961, "after": 0.9959},
}
ROWS = {"detector": {"found": 0.98, "right": 0.97}, "recognizer": {"digits": 0.96, "exact": 0.9}}


def digitocr(*words, cwd, **environment):
    command = [sys.executable, "-m", "digitocr.cli.main", *map(str, words)]
    return subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True)


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """In the training's place: a finished run of those settings; returns what was called, with settings and quiet."""
    calls = []

    def fit(_, settings, folder, quiet):
        calls.append((settings, quiet))
        folder.mkdir(parents=True)
        record = {"kind": settings.kind, "command": "", "settings": vars(settings)}
        record |= {"fonts": [], "data": {}, "resumed": [], "ended": None}
        (folder / "run.json").write_text(json.dumps(record))
        return {"classifier": METRICS, "adapt": ADAPTED, **ROWS}[settings.kind]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("digitocr.train.data.load_mnist", lambda *_: None)
    monkeypatch.setattr("digitocr.train.memory.keep_freed", lambda: calls.append("keep_freed"))
    monkeypatch.setattr("digitocr.train.classifier.fit.fit", fit)
    monkeypatch.setattr("digitocr.train.detector.fit.fit", fit)
    monkeypatch.setattr("digitocr.train.recognizer.fit.fit", fit)
    monkeypatch.setattr("digitocr.train.adapt.fit.fit", fit)
    return calls


def printed(*words):
    done = CliRunner().invoke(command_line(()), ["train", *map(str, words)])
    assert done.exception is None, done.exception
    return done.stdout.splitlines()


def test_recipes_of_the_command_are_those_of_the_library():
    hints = get_type_hints(train)
    assert set(get_args(hints["recipe"])) == {*RECIPES, *ROWS, "adapt"}  # these are other networks


def test_help_says_the_epochs_of_each_recipe_and_how_long_it_takes():
    said = " ".join(CliRunner().invoke(command_line(()), ["train", "--help"]).stdout.split())
    epochs = {name: recipe.epochs for name, recipe in RECIPES.items()}
    epochs |= {"detector": DetectorSettings().epochs, "recognizer": RecognizerSettings().epochs}
    for name, number in epochs.items():
        assert re.search(rf"default: .*\b{name}\b[a-z, ]* {number}\b", said), name
    assert said.count("minutes") == 6


@pytest.mark.parametrize(
    "name", ["experiment", "recipe", "epochs", "batch-size", "seed", "images", "fonts", "start", "out"]
)
def test_a_run_is_continued_as_it_was_begun(name, refused, tmp_path):
    value = {"recipe": "robust", "fonts": tmp_path, "start": "a.keras", "out": tmp_path, "images": 200}.get(name, 4)
    why = refused("train", "--resume", tmp_path, f"--{name}", value)
    assert why.startswith(f"--{name} does not apply to --resume")


def test_a_folder_without_a_run_is_said_before_data_is_loaded(refused, monkeypatch, tmp_path):
    monkeypatch.setattr("digitocr.train.data.load_mnist", lambda *_: 1 / 0)
    assert "no run in it" in refused("train", "--resume", tmp_path / "none")


def test_options_that_a_recipe_has_no_use_for_are_refused(refused, tmp_path):
    for words, why in (
        (["--recipe", "detector", "--batch-size", "64"], "--batch-size does not apply to --recipe detector"),
        (["--recipe", "detector", "--experiment", "4"], "--experiment does not apply to --recipe detector"),
        (["--recipe", "recognizer", "--batch-size", "64"], "--batch-size does not apply to --recipe recognizer"),
        (["--fonts", tmp_path], "--fonts is for --recipe robust, detector or recognizer"),
        (["--start", "detector.keras"], "--start is for --recipe detector or recognizer"),
        (["--recipe", "adapt"], "--recipe adapt learns own pictures; name them with --data"),
        (["--recipe", "adapt", "--epochs", "2"], "--epochs does not apply to --recipe adapt"),
        (["--recipe", "recognizer", "--images", "200"], "--images does not apply to --recipe recognizer"),
        (["--recipe", "adapt", "--images", "200"], "--images does not apply to --recipe adapt"),
    ):
        assert refused("train", *words).startswith(why)


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ([], Settings(4, "paper", 10, 128)),
        (["--recipe", "best", "--experiment", "2"], Settings(2, "best", 30, 64)),
        (["--recipe", "best", "--epochs", "2", "--batch-size", "8", "--seed", "3"], Settings(4, "best", 2, 8, 3)),
        (["--images", "2000", "--epochs", "3"], Settings(4, "paper", 3, 128, images=2000)),
        (["--recipe", "robust", "--fonts", "my fonts"], Settings(4, "robust", 30, 128, 0, "my fonts")),
        (["--recipe", "detector"], DetectorSettings(11)),
        (["--recipe", "detector", "--epochs", "2", "--start", "a.keras"], DetectorSettings(2, 0, "", "a.keras")),
        (["--recipe", "recognizer"], RecognizerSettings(12)),
        (["--recipe", "recognizer", "--seed", "5", "--start", "a.keras"], RecognizerSettings(12, 5, "", "a.keras")),
    ],
)
def test_settings_are_what_was_typed_and_else_the_recipe_s(words, settings, trained):
    printed(*words)
    assert trained == ["keep_freed", (settings, False)]


def test_the_command_of_a_run_gives_the_same_run(trained):
    settings = Settings(2, "robust", 3, 16, 5, "my fonts")
    printed(*shlex.split(settings.command)[2:])
    assert trained == ["keep_freed", (settings, False)]


@pytest.mark.parametrize("recipe", ["paper", "best", "robust"])
def test_at_the_end_it_says_what_the_network_is_good_for(recipe, trained):
    said = dict(line.split(maxsplit=1) for line in printed("--recipe", recipe, "--out", "my run"))
    assert said["test"] == "90.00% of 100 (80.00% to 95.00%)"
    assert said["good"] == f"for  {RECIPES[recipe].good_for}"
    assert ("photographs, scans" in said["good"]) == (recipe == "robust")
    assert shlex.split(said["next"]) == ["digitocr", "export", "--model", "my run/model.keras"]


def test_own_data_is_named_for_the_export_as_well(trained, monkeypatch):
    monkeypatch.setattr("digitocr.train.sources.load.load_data", lambda *_, **__: None)
    said = printed("--recipe", "paper", "--data", "my set")
    assert said[-1] == "next      digitocr export --model runs/paper-4-0/model.keras --data 'my set'"


def test_the_detector_says_what_it_finds(trained):
    said = printed("--recipe", "detector")
    assert said[0] == "found     98.00% of the digits in synthetic scenes; 97.00% of what it finds is a digit"
    assert said[-1] == "next      digitocr export --model runs/detector-0/detector.keras"


def test_the_recognizer_says_what_it_reads(trained):
    said = printed("--recipe", "recognizer")
    assert said[0] == "digits    96.00% right in drawn lines; 90.00% of the lines"
    assert said[-1] == "next      digitocr export --model runs/recognizer-0/recognizer.keras"


def test_an_adaptation_says_what_was_mended_and_what_it_cost(trained):
    said = printed("--recipe", "adapt", "--data", "meter", "--seed", "3", "--fonts", "fonts")
    assert trained == [(AdaptSettings("meter", 3, "fonts"), False)]  # freed memory is not kept
    assert said == [
        "own       130 of 148 pictures right before, 141 now",
        "          12 mended, 1 broken; by chance with p = 0.0034",
        "MNIST     99.61% before, 99.59% now",
        "run       runs/adapt-3",
        "next      digitocr report runs/adapt-3",
        "          digitocr export --model runs/adapt-3",
    ]
    assert printed("--recipe", "adapt", "--data", "meter", "--out", "other", "--quiet")[-1] == "run       other"


@pytest.mark.parametrize("recipe", ["paper", "detector", "recognizer"])
def test_quiet_is_handed_on_and_leaves_out_hints(recipe, trained):
    said = printed("--recipe", recipe, "--quiet")
    assert trained[1][1]
    assert not [line for line in said if line.startswith(("next", "good for"))]


def test_train_without_data_says_where_it_looked(tmp_path):
    done = digitocr("train", "--data", tmp_path, cwd=tmp_path)
    assert done.returncode == 4
    assert done.stdout == ""
    assert done.stderr.startswith(f"digitocr: {tmp_path}: no labelled pictures in it; give a folder for each class")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("mnist")
def test_stopped_while_it_draws_it_leaves_no_process_and_no_semaphore(tmp_path):
    """Python's resource tracker would warn on stderr of semaphores that are left."""
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "sans.ttf").symlink_to(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    source = os.environ["DIGITOCR_DATA"]
    words = ["train", "--recipe", "robust", "--fonts", "fonts", "--out", "run", "--data", source]
    command = [sys.executable, "-W", "default", "-m", "digitocr.cli.main", *words]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        said = child.stderr.readline()
        child.terminate()
        out, err = child.communicate(timeout=120)  # ends when all who hold stderr have ended
    assert said == "drawing 24,000 scenes with 1 fonts before the first epoch\n"
    assert child.returncode == 128 + signal.SIGTERM
    assert out == ""
    command = shlex.join(["digitocr", "train", "--resume", "run", "--data", source])
    assert err.splitlines() == [f"digitocr: interrupted; continue with: {command}"]


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
