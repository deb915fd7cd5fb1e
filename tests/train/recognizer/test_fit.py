import csv
import json
from contextlib import nullcontext
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.runtime.errors import ModelError, OutputError, UsageError
from digitocr.train import drawn
from digitocr.train.data import Mnist
from digitocr.train.recognizer import fit as module
from digitocr.train.recognizer import network as network_module
from digitocr.train.recognizer.fit import RecognizerSettings, fit, resume
from digitocr.train.runs import Run
from digitocr.train.synthesis import fonts, workers
from digitocr.train.synthesis.glyphs import Glyphs

# Keras (3.15) saves its variables through an __array__ that NumPy 2 finds outdated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

STRIPS, BATCH = 8, 4
FINISHED = {"run.json", "history.csv", "recognizer.keras"}


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
    return RecognizerSettings(epochs=2, seed=3, fonts=str(tmp_path / "fonts"))


def tiny():
    """A network of the recognizer's form that is quick to train."""
    image = keras.Input((32, None, 2), name="image")
    x = keras.layers.Conv2D(8, (32, 4), strides=(32, 4), activation="relu")(image)
    return keras.Model(image, keras.layers.Conv2D(36, 1, dtype="float32")(x), name="recognizer")


@pytest.fixture
def small(monkeypatch):
    """Small epochs, drawn here and now; returns the sums of the strips that are drawn."""
    sums = []
    some = Glyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), [], hands=2)
    draw = module.draw_strip

    def watched(rng, glyphs):
        strip = draw(rng, glyphs)
        sums.append(int(strip.image.sum()))
        return strip

    monkeypatch.setattr(module, "build_recognizer", tiny)
    monkeypatch.setattr(module, "EPOCH_STRIPS", STRIPS)
    monkeypatch.setattr(module, "STEP_STRIPS", BATCH)
    monkeypatch.setattr(module, "HELD_OUT_STRIPS", BATCH)
    monkeypatch.setattr(module, "draw_strip", watched)
    monkeypatch.setattr(workers, "_glyphs", some)
    monkeypatch.setattr(drawn, "worker_pool", lambda *_: nullcontext(SimpleNamespace(map=map)))
    return sums


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

    def __call__(self, images, **_):
        return np.zeros((len(images), 1, images.shape[2] // 4, 36), np.float32)

    def get_weights(self):
        return tiny().get_weights()

    def save(self, path):
        path.write_bytes(b"network")


def history(folder):
    with (folder / "history.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def test_a_strip_is_learned_from_in_two_epochs_the_second_time_as_its_negative(small, settings, tmp_path, monkeypatch):
    network = Recorder()
    monkeypatch.setattr(module, "_compiled", lambda *_: network)
    fit(data(), RecognizerSettings(3, 6, settings.fonts), tmp_path / "run")
    steps = 2 * STRIPS // BATCH
    assert len(network.shown) == 3 * steps
    for epoch in range(3):
        shown = network.shown[epoch * steps : (epoch + 1) * steps]
        images, wanted = (np.concatenate(some) for some in zip(*shown, strict=True))
        for part, negative in ((epoch, False), (max(epoch - 1, 0), True)):
            for first in (0, BATCH):
                strips, truth, _ = module._draw_batch(6, part * STRIPS + first)
                inputs = module._inputs(255 - strips if negative else strips)
                for one, true in zip(inputs, truth, strict=True):
                    (row,) = np.flatnonzero((images == one).all((1, 2, 3)))
                    np.testing.assert_array_equal(wanted[row], true.astype(np.float32))


def test_strips_depend_on_seed_and_number_alone_and_are_never_the_held_out_ones(small):
    one, again, next_one, other = (
        module._draw_batch(seed, first)[0] for seed, first in ((1, 0), (1, 0), (1, 4), (2, 0))
    )
    np.testing.assert_array_equal(one, again)
    assert (one != next_one).any((1, 2)).all()
    assert (one != other).any((1, 2)).all()
    pool = SimpleNamespace(map=map)
    images, wanted, texts = module._strips(pool, 1, 0, STRIPS)
    np.testing.assert_array_equal(images, np.concatenate([one, next_one]))
    assert (wanted.shape, len(texts)) == ((STRIPS, 160, 5), STRIPS)
    assert len(module._strips(pool, 1, -1, STRIPS)[0]) == 0
    with pytest.raises(UsageError):
        RecognizerSettings(seed=module.HELD_OUT_SEED)


def test_a_run_is_a_folder_that_says_what_was_done(small, settings, tmp_path, capsys):
    folder = tmp_path / "deep" / "run"
    row = fit(data(), settings, folder)
    assert {path.name for path in folder.iterdir()} == FINISHED
    assert [one["epoch"] for one in history(folder)] == [1, 2]
    assert list(row) == ["epoch", "loss", "digits", "exact", "drawing", "seconds"]
    assert row["loss"] == pytest.approx(history(folder)[1]["loss"], abs=1e-3)
    assert 0 <= row["exact"] <= 1
    run = json.loads((folder / "run.json").read_text())
    assert run["command"] == f"digitocr train --recipe recognizer --epochs 2 --seed 3 --fonts {settings.fonts}"
    assert RecognizerSettings(**run["settings"]) == settings
    assert (run["kind"], run["fonts"]) == ("recognizer", ["sans.ttf"])
    printed = capsys.readouterr()
    assert printed.out == ""
    said = printed.err.splitlines()
    assert said[0] == f"drawing {STRIPS} strips with 1 fonts before each epoch"
    assert [line.split(":")[0] for line in said[1:]] == ["epoch 1 of 2", "epoch 2 of 2"]
    network = keras.saving.load_model(folder / "recognizer.keras", compile=False)
    assert network.input_shape == (None, 32, None, 2)
    assert keras.config.dtype_policy().name == "float32"  # for whatever is built next
    with pytest.raises(UsageError, match="is finished, 2 epochs"):
        resume(folder, data())
    with pytest.raises(OutputError, match="exists already"):
        fit(data(), settings, folder)


def test_a_run_begins_with_the_weights_it_is_given(small, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(network_module, "build_recognizer", tiny)
    start = tmp_path / "start.keras"
    tiny().save(start)
    begun = RecognizerSettings(1, 3, settings.fonts, str(start))
    network = module._compiled(begun, 10)
    for mine, given in zip(network.get_weights(), keras.saving.load_model(start).get_weights(), strict=True):
        np.testing.assert_array_equal(mine, given)
    assert begun.command.endswith(f"--start {start}")
    with pytest.raises(ModelError, match=r"none\.keras: holds no recognizer"):
        fit(data(), RecognizerSettings(1, 3, settings.fonts, str(tmp_path / "none.keras")), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_interrupted_it_goes_on_as_if_nothing_had_happened(small, settings, tmp_path, monkeypatch):
    keep = Run.keep

    def stop(run, row, bare, network):
        if row["epoch"] == 2:
            raise KeyboardInterrupt
        keep(run, row, bare, network)

    fit(data(), settings, tmp_path / "whole", quiet=True)
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(Run, "keep", stop)
        with pytest.raises(KeyboardInterrupt):
            fit(data(), settings, folder, quiet=True)
    assert {path.name for path in folder.iterdir()} == FINISHED | {"checkpoint.keras"}
    resume(folder, data(), quiet=True)
    assert {path.name for path in folder.iterdir()} == FINISHED
    for one, other in zip(history(folder), history(tmp_path / "whole"), strict=True):
        assert one["epoch"] == other["epoch"]
        assert one["loss"] == pytest.approx(other["loss"], rel=0.02)


def test_the_fonts_held_out_are_not_drawn_with_unless_there_are_no_others(monkeypatch):
    monkeypatch.setattr(module, "find_fonts", lambda _: ["a", "b", "c"])
    monkeypatch.setattr(fonts, "held_out", lambda fonts: fonts[:1])
    assert RecognizerSettings().font_files() == ["b", "c"]
    monkeypatch.setattr(fonts, "held_out", list)
    assert RecognizerSettings().font_files() == ["a", "b", "c"]


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"seed": -1}, {"seed": 2**31}])
def test_settings_that_make_no_sense_are_refused(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(UsageError, match=rf"{name} is {value}; it must be"):
        RecognizerSettings(**wrong)
