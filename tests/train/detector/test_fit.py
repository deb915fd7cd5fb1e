import csv
import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.runtime.errors import InputError, ModelError, OutputError, UsageError
from digitocr.train import drawn
from digitocr.train.data import Mnist
from digitocr.train.detector import fit as module
from digitocr.train.detector import network as network_module
from digitocr.train.detector.fit import DetectorSettings, fit, resume
from digitocr.train.runs import Run
from digitocr.train.synthesis import workers
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.scenes import draw_scene

# Keras (3.15) saves its variables through an __array__ that NumPy 2 finds outdated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

SCENES, BATCH = 8, 4
FINISHED = {"run.json", "history.csv", "detector.keras"}


def data(digest="drawn"):
    """MNIST's form, a bar for each digit."""
    labels = np.resize(np.arange(10, dtype=np.uint8), 240)
    images = np.zeros((240, 28, 28), np.uint8)
    images[:, 4:24, 12:16] = 255
    return Mnist(images, labels, images[:10], labels[:10], digest)


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "sans.ttf").symlink_to(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    return DetectorSettings(epochs=2, seed=3, fonts=str(tmp_path / "fonts"))


def tiny():
    """A network of the detector's form that is quick to train."""
    image = keras.Input((None, None, 3), name="image")
    x = keras.layers.Conv2D(8, 4, strides=4, padding="same", activation="relu")(image)
    return keras.Model(image, keras.layers.Conv2D(15, 1, dtype="float32")(x), name="detector")


@pytest.fixture
def small(monkeypatch):
    """Small epochs of small scenes, drawn here and now; returns the numbers of the scenes that are drawn."""
    numbers = []
    some = Glyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), [], hands=2)

    def corner(rng, glyphs):
        scene = draw_scene(rng, glyphs)
        numbers.append(int(scene.image.sum()))
        inside = (scene.boxes[:, :2] + scene.boxes[:, 2:] < 64).all(1)
        return SimpleNamespace(
            image=np.ascontiguousarray(scene.image[:64, :64]),
            boxes=scene.boxes[inside],
            labels=scene.labels[inside],
            ignored=scene.boxes[~inside],
        )

    monkeypatch.setattr(module, "build_detector", tiny)
    monkeypatch.setattr(module, "EPOCH_SCENES", SCENES)
    monkeypatch.setattr(module, "STEP_SCENES", BATCH)
    monkeypatch.setattr(module, "HELD_OUT_SCENES", BATCH)
    monkeypatch.setattr(module, "draw_scene", corner)
    monkeypatch.setattr(module, "draw_line_scene", corner)
    monkeypatch.setattr(workers, "_glyphs", some)
    monkeypatch.setattr(drawn, "worker_pool", lambda *_: nullcontext(SimpleNamespace(map=map)))
    return numbers


class Recorder:
    """In the network's place: it learns nothing and remembers what it was shown."""

    def __init__(self):
        self.optimizer = SimpleNamespace(iterations=0)
        self.shown = []

    def train_on_batch(self, images, wanted):
        assert images.dtype == wanted.dtype == np.float32
        self.shown.append((images, wanted))
        self.optimizer.iterations += 1
        return 0.5

    def predict(self, images, **_):
        return np.zeros((len(images), 16, 16, 15), np.float32)

    def get_weights(self):
        return tiny().get_weights()

    def save(self, path):
        path.write_bytes(b"network")


def history(folder):
    with (folder / "history.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def test_a_scene_is_learned_from_in_two_epochs_the_second_time_as_its_negative(small, settings, tmp_path, monkeypatch):
    network = Recorder()
    monkeypatch.setattr(module, "_compiled", lambda *_: network)
    fit(data(), DetectorSettings(3, 6, settings.fonts), tmp_path / "run")
    steps = 2 * SCENES // BATCH
    assert len(network.shown) == 3 * steps
    chunks = []
    for number in range(3):
        parts = [module._draw_batch(6, number * SCENES + first) for first in (0, BATCH)]
        chunks.append(tuple(np.concatenate(pair).astype(np.float32) for pair in zip(*parts, strict=True)))
    for epoch in range(3):
        shown = network.shown[epoch * steps : (epoch + 1) * steps]
        images, wanted = (np.concatenate(part) for part in zip(*shown, strict=True))
        for (scenes, truth), sign in ((chunks[epoch], 1), (chunks[max(epoch - 1, 0)], -1)):
            for scene, true in zip(scenes, truth, strict=True):
                (row,) = np.flatnonzero((images == sign * scene).all((1, 2, 3)))
                np.testing.assert_array_equal(wanted[row], true)


def test_scenes_depend_on_seed_and_number_alone_and_are_never_the_held_out_ones(small):
    one, again, next_one, other = (
        module._draw_batch(seed, first)[0] for seed, first in ((1, 0), (1, 0), (1, 4), (2, 0))
    )
    np.testing.assert_array_equal(one, again)
    assert (one != next_one).any((1, 2, 3)).all()
    assert (one != other).any((1, 2, 3)).all()
    assert one.dtype == np.float16
    pool = SimpleNamespace(map=map)
    np.testing.assert_array_equal(module._scenes(pool, 1, 0, SCENES)[0], np.concatenate([one, next_one]))
    assert module._scenes(pool, 1, -1, SCENES)[0].shape[0] == 0
    with pytest.raises(UsageError):
        DetectorSettings(seed=module.HELD_OUT_SEED)


def test_a_run_is_a_folder_that_says_what_was_done(small, settings, tmp_path, capsys):
    folder = tmp_path / "deep" / "run"
    row = fit(data(), settings, folder)
    assert {path.name for path in folder.iterdir()} == FINISHED
    assert [one["epoch"] for one in history(folder)] == [1, 2]
    assert list(row) == ["epoch", "loss", "found", "right", "drawing", "seconds"]
    assert row["loss"] == pytest.approx(history(folder)[1]["loss"], abs=1e-3)
    assert 0 <= row["found"] <= 1
    run = json.loads((folder / "run.json").read_text())
    assert run["command"] == f"digitocr train --recipe detector --epochs 2 --seed 3 --fonts {settings.fonts}"
    assert DetectorSettings(**run["settings"]) == settings
    assert run["fonts"] == ["sans.ttf"]
    assert run["kind"] == "detector"
    assert run["data"] == {"digest": "drawn", "training": 220, "held_out": 20, "test": 10}
    assert run["started"] <= run["ended"]
    printed = capsys.readouterr()
    assert printed.out == ""
    said = printed.err.splitlines()
    assert said[0] == f"drawing {SCENES} scenes with 1 fonts before each epoch"
    assert [line.split(":")[0] for line in said[1:]] == ["epoch 1 of 2", "epoch 2 of 2"]
    network = keras.saving.load_model(folder / "detector.keras", compile=False)
    assert network.input_shape == (None, None, None, 3)
    assert keras.config.dtype_policy().name == "float32"  # for whatever is built next
    with pytest.raises(UsageError, match="is finished, 2 epochs"):
        resume(folder, data())
    with pytest.raises(OutputError, match="exists already"):
        fit(data(), settings, folder)


def test_a_run_begins_with_the_weights_it_is_given(small, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(network_module, "build_detector", tiny)
    start = tmp_path / "start.keras"
    tiny().save(start)
    begun = DetectorSettings(1, 3, settings.fonts, str(start))
    network = module._compiled(begun, 10)
    for mine, given in zip(network.get_weights(), keras.saving.load_model(start).get_weights(), strict=True):
        np.testing.assert_array_equal(mine, given)
    assert begun.command.endswith(f"--start {start}")
    with pytest.raises(ModelError, match=r"none\.keras: holds no detector"):
        fit(data(), DetectorSettings(1, 3, settings.fonts, str(tmp_path / "none.keras")), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def stop_at(patch, epoch):
    """Ctrl-C at the end of that epoch, before anything of it is kept."""
    keep = Run.keep

    def stop(run, row, bare, network):
        if row["epoch"] == epoch:
            raise KeyboardInterrupt
        keep(run, row, bare, network)

    patch.setattr(Run, "keep", stop)


def test_interrupted_it_goes_on_as_if_nothing_had_happened(small, settings, tmp_path, monkeypatch):
    fit(data(), settings, tmp_path / "whole")
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        stop_at(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            fit(data(), settings, folder)
    assert {path.name for path in folder.iterdir()} == FINISHED | {"checkpoint.keras"}
    with (folder / "history.csv").open("a") as file:
        file.write("2,0.")  # half a row
    resume(folder, data())
    assert {path.name for path in folder.iterdir()} == FINISHED
    for one, other in zip(history(folder), history(tmp_path / "whole"), strict=True):
        assert one["epoch"] == other["epoch"]
        assert one["loss"] == pytest.approx(other["loss"], rel=0.02)
    assert len(json.loads((folder / "run.json").read_text())["resumed"]) == 1


def test_killed_behind_its_last_epoch_it_is_closed_without_drawing(small, settings, tmp_path, monkeypatch, capsys):
    def stop(_):
        raise KeyboardInterrupt

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(Run, "finish", stop)
        with pytest.raises(KeyboardInterrupt):
            fit(data(), settings, folder, quiet=True)
    assert capsys.readouterr().err == ""
    del small[:]
    row = resume(folder, data(), quiet=True)
    assert small == []
    assert row == history(folder)[-1]
    assert row["epoch"] == 2
    assert {path.name for path in folder.iterdir()} == FINISHED
    assert json.loads((folder / "run.json").read_text())["ended"]


def test_a_checkpoint_and_fonts_are_checked_on_resuming(small, settings, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    monkeypatch.setattr(module, "_compiled", lambda *_: Recorder())
    with monkeypatch.context() as patch:
        stop_at(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            fit(data(), settings, folder)
    (folder / "checkpoint.keras").write_bytes(b"junk")
    with pytest.raises(ModelError, match=r"checkpoint\.keras: cannot be loaded; delete it"):
        resume(folder, data())
    Path(settings.fonts, "more.ttf").symlink_to(f"{get_data_path()}/fonts/ttf/DejaVuSerif.ttf")
    with pytest.raises(InputError, match="other data or fonts"):
        resume(folder, data())


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"seed": -1}, {"seed": 2**31}])
def test_settings_that_make_no_sense_are_refused(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(UsageError, match=rf"{name} is {value}; it must be"):
        DetectorSettings(**wrong)
