"""Training the detector on drawn scenes, as a run that can be resumed.

    fit(load_mnist(), DetectorSettings(epochs=11, seed=1), Path("runs/detector"))

The folder holds run.json, history.csv, detector.keras, and checkpoint.keras until the end. An epoch's scenes are drawn
before it by all processors, which then are the network's alone: side by side the two slow each other down by half. A
scene is learned from in two epochs, the second time as its negative. Scenes depend on the seed and their number alone,
so a resumed run sees what an unbroken one sees.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitocr import __version__
from digitocr.runtime.detector import PLANES, detector_input
from digitocr.runtime.errors import InputError, ModelError, OutputError, UsageError
from digitocr.train.data import Mnist, hold_out
from digitocr.train.memory import keep_freed
from digitocr.train.runs import (  # which keeps TensorFlow's chatter away
    new_folder,
    now,
    read_history,
    replace,
    write_json,
)
from digitocr.train.synthesis.fonts import find_fonts
from digitocr.train.synthesis.scenes import draw_scene
from digitocr.train.synthesis.sheet import SCENE_SIDE
from digitocr.train.synthesis.workers import glyphs, worker_pool

import keras  # isort: skip
from digitocr.train.detector.network import build_detector, found_share, load_detector, loss, targets  # isort: skip

CHUNK = 8_000  # scenes drawn for an epoch, which learns from these and from those of the one before
BATCH = 16  # scenes
RATE = 0.003  # AdamW's, after a warm-up of WARM steps, falling in a cosine to 0; half of it where a start is given
WARM = 300
HELD_OUT, HELD_OUT_SEED = 320, 2**31 + 1  # scenes, of a seed that no training has
EPOCHS = 11
COLUMNS = ("epoch", "loss", "found", "right", "drawing", "seconds")

Part = tuple[NDArray[np.float16], NDArray[np.float16]]  # (n, 256, 256, 3) and (n, 64, 64, 8)


@dataclass(frozen=True)
class DetectorSettings:
    """epochs: 1 or more; seed: 0 to 2**31 - 1; fonts: a folder of them, empty for this machine's; start: a
    detector.keras whose weights are begun with, empty for fresh ones. Raises UsageError.
    """

    epochs: int = EPOCHS
    seed: int = 0
    fonts: str = ""
    start: str = ""

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise UsageError(f"epochs is {self.epochs}; it must be 1 or more")
        if not 0 <= self.seed < 2**31:
            raise UsageError(f"seed is {self.seed}; it must be 0 to 2147483647")

    @property
    def command(self) -> str:
        """The command line that does this run again."""
        fonts = f" --fonts {self.fonts}" if self.fonts else ""
        start = f" --start {self.start}" if self.start else ""
        return f"digitocr train --recipe detector --epochs {self.epochs} --seed {self.seed}{fonts}{start}"


def _drawn(seed: int, first: int) -> Part:
    """A batch of scenes, from that number on. Half precision: it goes through a pipe, and is kept for an epoch."""
    scenes = [draw_scene(np.random.default_rng((seed, number)), glyphs()) for number in range(first, first + BATCH)]
    seen = np.stack([detector_input(scene.image).transpose(1, 2, 0) for scene in scenes])
    return seen.astype(np.float16), np.stack([targets(scene) for scene in scenes]).astype(np.float16)


def _chunk(pool: ProcessPoolExecutor, seed: int, number: int, size: int = CHUNK) -> Part:
    """Chunk `number` of the scenes; no scenes for a number below 0."""
    firsts = range(number * size, (number + 1) * size, BATCH) if number >= 0 else range(0)
    parts = list(pool.map(_drawn, repeat(seed), firsts))
    if not parts:
        return np.zeros((0, SCENE_SIDE, SCENE_SIDE, PLANES), np.float16), np.zeros(
            (0, SCENE_SIDE // 4, SCENE_SIDE // 4, 8), np.float16
        )
    return np.concatenate([images for images, _ in parts]), np.concatenate([wanted for _, wanted in parts])


def is_detector(folder: Path) -> bool:
    """Whether that is the folder of a detector's run."""
    try:
        return "--recipe detector" in json.loads((folder / "run.json").read_text())["command"]
    except (OSError, ValueError, TypeError, KeyError):
        return False


def fit(data: Mnist, settings: DetectorSettings, folder: Path, quiet: bool = False) -> dict[str, float]:
    """Trains into a new folder; returns the last row of history.csv. Unless quiet, prints a row an epoch on stderr.

    Digits are MNIST's training images without the held-out ones, drawn strokes, and fonts. Raises OutputError for a
    folder that exists or cannot be written, ModelError for a start that is no detector. KeyboardInterrupt passes;
    `resume` goes on.
    """
    fonts = find_fonts(Path(settings.fonts) if settings.fonts else None)
    if settings.start:
        load_detector(Path(settings.start))  # what is wrong with it is said before a folder is made
    run: dict[str, Any] = {
        "schema": "digitocr-run/1",
        "command": settings.command,
        "settings": asdict(settings),
        "fonts": [font.name for font in fonts],
        "data": {"digest": data.digest},
        "versions": {"digitocr": __version__, "python": platform.python_version(), "keras": keras.__version__},
        "started": now(),
        "resumed": [],
        "ended": None,
    }
    new_folder(folder, run)
    return _run(data, settings, folder, run, fonts, quiet)


def resume(folder: Path, data: Mnist, quiet: bool = False) -> dict[str, float]:
    """Goes on with an interrupted or killed run; returns what fit does.

    Raises UsageError for a folder without a detector's run, and for a run that is finished; InputError for a damaged
    run.json, other data or other fonts.
    """
    try:
        run = json.loads((folder / "run.json").read_text())
        if "--recipe detector" not in run["command"]:
            raise UsageError(f"{folder}: holds a run of another recipe, not a detector's")
        settings = DetectorSettings(**run["settings"])
        finished, digest, named = run["ended"] is not None, run["data"]["digest"], run["fonts"]
    except OSError as error:
        raise UsageError(f"{folder}: no run in it (run.json: {error.strerror}); begin one without --resume") from error
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{folder / 'run.json'}: is damaged; begin a new run without --resume") from error
    if finished:
        raise UsageError(f"{folder}: is finished, {settings.epochs} epochs; begin a new run without --resume")
    fonts = find_fonts(Path(settings.fonts) if settings.fonts else None)
    if digest != data.digest or named != [font.name for font in fonts]:
        raise InputError(f"{folder}: was begun with other data or fonts; give the same ones as then")
    run["resumed"].append(now())
    return _run(data, settings, folder, run, fonts, quiet)


def _run(
    data: Mnist, settings: DetectorSettings, folder: Path, run: dict[str, Any], fonts: Sequence[Path], quiet: bool
) -> dict[str, float]:
    """Does the epochs that are left, and closes the folder."""
    keep_freed()
    keras.utils.set_random_seed(settings.seed)
    per_epoch = 2 * CHUNK // BATCH
    checkpoint = folder / "checkpoint.keras"
    network = _network(checkpoint, settings, settings.epochs * per_epoch)
    epoch = int(network.optimizer.iterations) // per_epoch
    try:
        write_json(folder / "run.json", run)
        if epoch < settings.epochs:
            _train(data, settings, folder, fonts, network, epoch, quiet)
        row = read_history(folder / "history.csv")[-1]
        write_json(folder / "run.json", run | {"ended": now()})
        checkpoint.unlink()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror or error}); later: --resume") from error
    return row


def _train(
    data: Mnist, settings: DetectorSettings, folder: Path, fonts: Sequence[Path], network: Any, epoch: int, quiet: bool
) -> None:
    """The epochs from that one on, counted from 0; each is kept."""
    training, _ = hold_out(data.train_labels)
    with worker_pool(os.cpu_count() or 1, data.train_images[training], data.train_labels[training], fonts) as pool:
        held = _chunk(pool, HELD_OUT_SEED, 0, HELD_OUT)
        before = _chunk(pool, settings.seed, epoch - 1)
        while epoch < settings.epochs:
            began = time.perf_counter()
            fresh = _chunk(pool, settings.seed, epoch)
            drawn = time.perf_counter() - began
            loss = _learned(network, fresh, before if epoch else fresh, (settings.seed, epoch))
            before, epoch = fresh, epoch + 1
            found, right = found_share(held[1], network.predict(held[0], batch_size=BATCH, verbose=0))
            seconds = time.perf_counter() - began
            row = dict(zip(COLUMNS, (epoch, loss, found, right, drawn, seconds), strict=True))
            _keep(folder, row, network)
            if not quiet:
                words = ", ".join(f"{name} {value:.4g}" for name, value in row.items())
                print(words, file=sys.stderr, flush=True)


def _network(checkpoint: Path, settings: DetectorSettings, steps: int) -> Any:
    """The compiled network of the checkpoint, or where there is none yet one to begin with."""
    if checkpoint.exists():
        try:
            return keras.saving.load_model(checkpoint, custom_objects={"loss": loss})
        except Exception as error:  # Keras promises no particular one
            raise ModelError(f"{checkpoint}: cannot be loaded; delete it to begin this run again") from error
    keras.config.set_dtype_policy("mixed_bfloat16")  # a third faster than float32 on processors that have it
    network = build_detector()
    keras.config.set_dtype_policy("float32")
    highest = RATE
    if settings.start:
        network.set_weights(load_detector(Path(settings.start)).get_weights())
        highest /= 2
    warm = min(WARM, steps // 2)
    rate = keras.optimizers.schedules.CosineDecay(RATE / 10, steps - warm, warmup_target=highest, warmup_steps=warm)
    network.compile(keras.optimizers.AdamW(rate, weight_decay=0.0005, clipnorm=5.0), loss=loss)
    return network


def _learned(network: Any, fresh: Part, before: Part, seed: tuple[int, int]) -> float:
    """Shows the network both parts, shuffled, those of before as negatives; returns the mean loss."""
    sums, count = 0.0, len(fresh[0])
    order = np.random.default_rng(seed).permutation(2 * count)
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        new, old = rows[rows < count], rows[rows >= count] - count
        images = np.concatenate([fresh[0][new], -before[0][old]]).astype(np.float32)
        wanted = np.concatenate([fresh[1][new], before[1][old]]).astype(np.float32)
        sums += float(network.train_on_batch(images, wanted))
    return sums / (2 * count // BATCH)


def _keep(folder: Path, row: dict[str, float], network: Any) -> None:
    """What an epoch brought: history row, network, checkpoint."""
    line = ",".join(f"{value:.4f}" for value in row.values())
    history = folder / "history.csv"
    lines = history.read_text().splitlines()[: int(row["epoch"])] if history.exists() else [",".join(COLUMNS)]
    replace(history, lambda path: path.write_text("\n".join([*lines, line]) + "\n"))
    bare = build_detector()  # what is saved without optimizer state, in float32: Keras has no switch
    bare.set_weights(network.get_weights())
    replace(folder / "detector.keras", bare.save)
    replace(folder / "checkpoint.keras", network.save)
