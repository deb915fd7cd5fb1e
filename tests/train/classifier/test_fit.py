import ctypes
import dataclasses
import io
import itertools
import json
import shlex
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.runtime.errors import InputError, OutputError, UsageError
from digitocr.runtime.preprocessing import scale
from digitocr.train.classifier import fit as module
from digitocr.train.classifier.fit import Settings, fit, resume
from digitocr.train.classifier.recipes import RECIPES
from digitocr.train.data import Mnist
from digitocr.train.runs import Run

# Keras (3.15) saves its variables through an __array__ that NumPy 2 finds outdated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

FINISHED = {"run.json", "history.csv", "model.keras", "metrics.json", "curves.png"}
SETTINGS = Settings(experiment=1, epochs=4, batch_size=16, seed=7)


def drawn(count: int = 720) -> Mnist:
    """Ten kinds of picture that a network learns in a minute: a bright bar at one of ten heights, over noise."""
    rng = np.random.default_rng(0)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.resize(np.arange(10, dtype=np.uint8), count)
        images = rng.integers(0, 120, (count, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[4 + 2 * label : 6 + 2 * label, 6:22] = 255
        return images, labels

    return Mnist(*draw(count), *draw(100), digest="drawn")


def rows(folder: Path) -> list[list[float]]:
    """History without the seconds."""
    return [[float(value) for value in line.split(",")[:-1]] for line in lines(folder)[1:]]


def lines(folder: Path) -> list[str]:
    return (folder / "history.csv").read_text().splitlines()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A run that nothing interrupted, and what fit() returned. No test changes it."""
    folder = tmp_path_factory.mktemp("runs") / "deep" / "whole"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", io.StringIO())
        patch.setattr(sys, "stderr", io.StringIO())
        metrics = fit(drawn(), SETTINGS, folder)
        assert sys.stdout.getvalue() == ""
        printed = sys.stderr.getvalue().splitlines()  # no terminal: no bar, but a line for each epoch
        assert [line.split(":")[0] for line in printed] == [f"epoch {epoch} of 4" for epoch in (1, 2, 3, 4)]
    return folder, metrics


def test_a_run_folder_holds_what_it_should(finished: tuple[Path, dict[str, Any]]) -> None:
    folder, metrics = finished
    assert {path.name for path in folder.iterdir()} == FINISHED
    assert json.loads((folder / "metrics.json").read_text()) == metrics
    assert metrics["test"]["images"] == 100
    assert metrics["held_out"]["images"] == 60  # one in twelve
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert lines(folder)[0] == "epoch,accuracy,loss,val_accuracy,val_loss,seconds"
    assert [row[0] for row in rows(folder)] == [1, 2, 3, 4]


def test_run_json_says_how_to_do_it_again(finished: tuple[Path, dict[str, Any]]) -> None:
    text = (finished[0] / "run.json").read_text()
    run = json.loads(text)
    assert run["command"] == "digitocr train --experiment 1 --recipe paper --epochs 4 --batch-size 16 --seed 7"
    assert Settings(**run["settings"]) == SETTINGS
    assert run["data"] == {"digest": "drawn", "training": 660, "held_out": 60, "test": 100}
    assert {"digitocr", "python", "keras", "numpy", keras.config.backend()} == set(run["versions"])
    assert run["started"] <= run["ended"]
    assert run["seconds"] > 0
    assert run["resumed"] == []
    assert run["kind"] == "classifier"
    assert str(finished[0].parent.parent) not in text


def test_it_learns(finished: tuple[Path, dict[str, Any]]) -> None:
    assert finished[1]["test"]["accuracy"] > 0.9
    assert rows(finished[0])[-1][2] < rows(finished[0])[0][2]  # loss


def test_the_saved_model_is_the_one_that_was_measured_without_optimizer(
    finished: tuple[Path, dict[str, Any]],
) -> None:
    folder, metrics = finished
    network = keras.saving.load_model(folder / "model.keras")
    answers = np.asarray(network(scale(drawn().test_images))).argmax(axis=1)
    assert (answers == drawn().test_labels).mean() == metrics["test"]["accuracy"]
    with zipfile.ZipFile(folder / "model.keras") as archive:
        assert b"optimizer" not in archive.read("model.weights.h5")


def test_a_folder_that_exists_is_never_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="exists already"):
        fit(drawn(), SETTINGS, tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
    with pytest.raises(OutputError, match="cannot be written"):
        fit(drawn(), SETTINGS, tmp_path / "file" / "run")


def test_a_finished_run_is_not_resumed(finished: tuple[Path, dict[str, Any]]) -> None:
    with pytest.raises(UsageError, match="is finished, 4 epochs"):
        resume(finished[0], drawn())


def test_the_test_images_are_read_once_when_all_epochs_are_over_and_quiet_is_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, read = drawn(240), []

    def watched(images: np.ndarray) -> np.ndarray:
        if images is data.test_images:
            read.append(len(rows(tmp_path / "run")))
        return scale(images)

    monkeypatch.setattr(module, "scale", watched)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fit(data, dataclasses.replace(SETTINGS, epochs=2), tmp_path / "run", quiet=True)
    assert read == [2]
    assert capsys.readouterr() == ("", "")


KILLED = """
import runpy, sys
from pathlib import Path
import digitocr.train.classifier.fit
tests = runpy.run_path(sys.argv[1])
tests["fit"](tests["drawn"](), tests["SETTINGS"], Path(sys.argv[2]), quiet=True)
"""


def test_killed_in_an_epoch_it_goes_on_as_if_nothing_had_happened(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-c", KILLED, __file__, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        while child.poll() is None and not ((folder / "history.csv").exists() and len(lines(folder)) > 2):
            time.sleep(0.005)
        child.kill()
        printed = child.communicate()
    assert child.returncode == -9
    before = lines(folder)[1:3]
    resume(folder, drawn())
    # killed while it wrote, it may leave a hidden part of a file, which is removed once it is old
    assert {path.name for path in folder.iterdir() if ".part" not in path.name} == FINISHED
    assert lines(folder)[1:3] == before or lines(folder)[1] == before[0]  # the second may have come without checkpoint
    assert [row[0] for row in rows(folder)] == [1, 2, 3, 4]
    # the same order of images, the same dropout, the optimizer where it was
    np.testing.assert_allclose(rows(folder), rows(finished[0]), rtol=0.01, atol=2e-6)
    assert len(json.loads((folder / "run.json").read_text())["resumed"]) == 1
    assert printed == (b"", b"")  # TensorFlow is kept quiet, too


def interrupted(folder: Path, monkeypatch: pytest.MonkeyPatch, at: str, settings: Settings) -> None:
    """A run that Ctrl-C meets in the second epoch's end, just before the file `at` is put in its place."""
    writing, seen = Run.writing, []

    @contextmanager
    def stop(run: Run[Any], name: str) -> Iterator[Path]:
        seen.append(name)
        with writing(run, name) as path:
            yield path
            if name == at and seen.count(at) == 2:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Run, "writing", stop)
        with pytest.raises(KeyboardInterrupt):
            fit(drawn(240), settings, folder)


@pytest.mark.parametrize("recipe", ["paper", "best"])  # with dropout; with a falling rate and smoothed labels
def test_interrupted_between_two_files_it_stays_consistent(
    recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(experiment=4, recipe=recipe, epochs=2, batch_size=32, seed=1)
    fit(drawn(240), settings, tmp_path / "whole")
    folder = tmp_path / "run"
    interrupted(folder, monkeypatch, "checkpoint.keras", settings)
    assert {path.name for path in folder.iterdir()} == {"run.json", "history.csv", "model.keras", "checkpoint.keras"}
    assert json.loads((folder / "run.json").read_text())["ended"] is None
    keras.saving.load_model(folder / "model.keras")  # can be exported as it is
    with (folder / "history.csv").open("a") as file:
        file.write("2,0.5")  # half a row
    resume(folder, drawn(240))
    assert {path.name for path in folder.iterdir()} == FINISHED
    np.testing.assert_allclose(rows(folder), rows(tmp_path / "whole"), rtol=0.01, atol=2e-6)


def test_interrupted_before_an_epoch_is_full_it_begins_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module._Epochs, "on_epoch_begin", stop)
        with pytest.raises(KeyboardInterrupt):
            fit(drawn(240), dataclasses.replace(SETTINGS, epochs=1), tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"run.json"}
    resume(tmp_path / "run", drawn(240))
    assert [row[0] for row in rows(tmp_path / "run")] == [1]


def test_the_best_recipe_shows_other_pictures_of_the_same_digits_in_each_epoch() -> None:
    data, settings = drawn(240), dataclasses.replace(SETTINGS, recipe="best", epochs=2, batch_size=1)
    shown = [
        (images[0, :, :, 0], int(labels[0].argmax()))
        for images, labels in module._batches(data, np.arange(3), settings, None, 0)
    ]
    again = [images[0, :, :, 0] for images, _ in module._batches(data, np.arange(3), settings, None, 1)]
    assert [label for _, label in sorted(shown, key=lambda one: one[1])] == [0, 0, 1, 1, 2, 2]
    np.testing.assert_array_equal([image for image, _ in shown[3:]], again)  # what a resumed run is shown
    pictures = [image for image, label in shown if label == 0] + [scale(data.train_images[:1])[0, :, :, 0]]
    for one, other in itertools.combinations(pictures, 2):
        assert 0.01 < np.abs(one - other).mean() < 0.3


@pytest.mark.parametrize(("recipe", "rates"), [("paper", [0.5]), ("best", [0.0])])
def test_a_recipe_says_how_much_is_dropped(recipe: str, rates: list[float]) -> None:
    settings = dataclasses.replace(SETTINGS, experiment=4, recipe=recipe)
    network = module._compiled(settings, 1)
    assert [layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)] == rates


@pytest.mark.parametrize(("recipe", "right"), [("paper", 1.0), ("best", 0.91)])
def test_a_recipe_says_how_much_labels_are_smoothed(recipe: str, right: float) -> None:
    settings = dataclasses.replace(SETTINGS, recipe=recipe)
    network = module._compiled(settings, 1)
    labels = module._one_hot(np.array([3], np.uint8), RECIPES[recipe])
    shares = np.linspace(0.5, 0.99, 50)  # what a network may give the right class, the others sharing the rest
    losses = [float(network.loss(labels, labels * share + (1 - labels) * (1 - share) / 9)) for share in shares]
    assert shares[np.argmin(losses)] == pytest.approx(min(right, shares[-1]))


@pytest.fixture
def fonts(tmp_path: Path) -> Path:
    """A folder of one font."""
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "sans.ttf").symlink_to(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    return tmp_path / "fonts"


def test_the_fonts_of_a_run_that_draws_are_checked_first_written_down_and_compared(
    fonts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = dataclasses.replace(SETTINGS, recipe="robust", fonts=str(fonts))
    folder = tmp_path / "run"
    with pytest.raises(InputError, match="no font with letters in it"):
        fit(drawn(240), dataclasses.replace(settings, fonts=str(tmp_path / "none")), folder)
    assert not folder.exists()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "draw_all", stop)
    with pytest.raises(KeyboardInterrupt):
        fit(drawn(240), settings, folder)
    run = json.loads((folder / "run.json").read_text())
    assert run["fonts"] == ["sans.ttf"]
    with pytest.raises(KeyboardInterrupt):  # the same fonts
        resume(folder, drawn(240))
    (fonts / "more.ttf").symlink_to(f"{get_data_path()}/fonts/ttf/DejaVuSerif.ttf")
    with pytest.raises(InputError, match="other data or fonts"):
        resume(folder, drawn(240))


def test_on_a_terminal_a_bar_is_drawn_on_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fit(drawn(240), dataclasses.replace(SETTINGS, epochs=1), tmp_path / "run")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "14/14" in printed.err
    assert "val_accuracy" in printed.err


@pytest.mark.parametrize(
    "wrong",
    [
        {"experiment": 5},
        {"recipe": "none"},
        {"epochs": 0},
        {"batch_size": 0},
        {"seed": -1},
        {"seed": 2**31},
        {"images": 119},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    name, value = next(iter(wrong.items()))
    with pytest.raises(UsageError, match=rf"{name.replace('_', ' ')} is {value}; it must be"):
        Settings(**wrong)


@pytest.mark.parametrize(
    ("recipe", "epochs", "batch_size"), [("paper", 10, 128), ("best", 30, 64), ("robust", 30, 128)]
)
def test_epochs_and_batch_size_are_the_recipe_s_unless_given(recipe: str, epochs: int, batch_size: int) -> None:
    settings = Settings(recipe=recipe)
    assert (settings.epochs, settings.batch_size) == (epochs, batch_size)
    assert Settings(**dataclasses.asdict(settings)) == settings
    assert (Settings(recipe=recipe, epochs=2).epochs, Settings(recipe=recipe, batch_size=3).batch_size) == (2, 3)


def test_a_lesson_trains_with_some_of_the_images_and_is_continued_with_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, used = dataclasses.replace(SETTINGS, images=240, epochs=1), []

    def stop(run: Run[Settings], data: Mnist, quiet: bool) -> dict[str, Any]:
        used.append((len(data.train_labels), len(data.test_labels)))
        return {}

    monkeypatch.setattr(module, "_train", stop)
    fit(drawn(), settings, tmp_path / "run", quiet=True)
    resume(tmp_path / "run", drawn(), quiet=True)
    assert used == [(240, 100)] * 2
    assert "--images 240" in settings.command
    assert "--images" not in SETTINGS.command
    with pytest.raises(UsageError, match="there are 720 training images, not 721"):
        fit(drawn(), dataclasses.replace(settings, images=721), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_the_command_of_a_run_can_be_pasted_into_a_shell() -> None:
    settings = Settings(recipe="robust", seed=3, fonts="/my fonts/it's")
    words = shlex.split(settings.command)
    assert words[-2:] == ["--fonts", "/my fonts/it's"]
    assert words[:2] == ["digitocr", "train"]


def test_one_epoch_of_a_network_with_batch_norm_is_measured_without_the_start_of_its_averages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = dataclasses.replace(SETTINGS, experiment=4, epochs=1, batch_size=32)
    metrics = fit(drawn(1200), settings, tmp_path / "run")
    assert metrics["held_out"]["accuracy"] > 0.7  # 0.1 without
    assert rows(tmp_path / "run")[0][3] == pytest.approx(metrics["held_out"]["accuracy"], abs=1e-6)
    printed = capsys.readouterr().err.splitlines()
    assert printed[-1] == (
        "batch norm: its moving averages still hold 70 % of their start values after 35 steps; these are removed"
    )


def test_the_averages_are_corrected_only_while_held_out_images_are_measured() -> None:
    network = module._compiled(dataclasses.replace(SETTINGS, experiment=4), 1)
    network.optimizer.iterations.assign(5)
    network.set_weights([weight + 0.5 for weight in network.get_weights()])
    before = network.get_weights()
    run: Any = None
    callback = module._Epochs(run, network, quiet=True)
    callback.set_model(network)
    callback.on_test_begin()
    changed = [(one != other).any() for one, other in zip(before, network.get_weights(), strict=True)]
    assert sum(changed) == 6  # moving mean and variance of three layers
    callback.on_test_end()
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_program_that_trains_keeps_its_malloc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(ctypes, "CDLL", lambda *_: asked.append("mallopt"))
    fit(drawn(240), dataclasses.replace(SETTINGS, epochs=1), tmp_path / "run", quiet=True)
    assert asked == []
