"""Training the finder on drawn tiles, as a run that can be resumed.

    fit_finder(FinderSettings(epochs=11, seed=1), Path("runs/finder"), data, fonts)

The folder holds run.json, history.csv, finder.keras, and checkpoint.keras until the end. An epoch's tiles are drawn
before it by all processors, which then are the network's alone: side by side the two slow each other down by half. A
tile is learned from in two epochs, the second time as its negative. Tiles depend on the seed and their number alone,
so a resumed run sees what an unbroken one sees.
"""

import json
import os
import platform
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from digitocr import __version__
from digitocr.runtime.regions import prepared
from digitocr.train.data import Mnist, hold_out
from digitocr.train.drawers import drawers, glyphs
from digitocr.train.finder import build_finder, found_share, loss, targets
from digitocr.train.fit import _now, _replace, _write_json
from digitocr.train.tiles import SIDE, draw_tile

CHUNK = 8_000  # tiles drawn for an epoch, which learns from these and from those of the one before
BATCH = 16  # tiles
RATE = 0.003  # AdamW's, after a warm-up of WARM steps, falling in a cosine to 0
WARM = 300
HELD_OUT = 320  # tiles, of a seed that no training has

Part = tuple[NDArray[np.float16], NDArray[np.float16]]  # (n, 256, 256, 2) and (n, 64, 64, 8)


@dataclass(frozen=True)
class FinderSettings:
    """seed: 0 to 2**31 - 1."""

    epochs: int = 11
    seed: int = 0

    @property
    def steps(self) -> int:
        return self.epochs * 2 * CHUNK // BATCH


def _drawn(seed: int, first: int) -> Part:
    """A batch of tiles, from that number on. Half precision: it goes through a pipe, and is kept for an epoch."""
    tiles = [draw_tile(np.random.default_rng((seed, number)), glyphs()) for number in range(first, first + BATCH)]
    seen = np.stack([prepared(tile.image).transpose(1, 2, 0) for tile in tiles])
    return seen.astype(np.float16), np.stack([targets(tile) for tile in tiles]).astype(np.float16)


def _chunk(pool: ProcessPoolExecutor, seed: int, number: int, size: int = CHUNK) -> Part:
    """Chunk `number` of the tiles; no tiles for a number below 0."""
    firsts = range(number * size, (number + 1) * size, BATCH) if number >= 0 else range(0)
    parts = list(pool.map(_drawn, repeat(seed), firsts))
    if not parts:
        return np.zeros((0, SIDE, SIDE, 2), np.float16), np.zeros((0, SIDE // 4, SIDE // 4, 8), np.float16)
    return np.concatenate([images for images, _ in parts]), np.concatenate([wanted for _, wanted in parts])


def fit_finder(settings: FinderSettings, folder: Path, data: Mnist, fonts: Sequence[Path]) -> None:
    """Trains into the folder, or goes on in it. Needs MNIST's training images without the held-out ones, and fonts."""
    training, _ = hold_out(data.train_labels)
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(settings.seed)
    checkpoint = folder / "checkpoint.keras"
    if checkpoint.exists():
        network = keras.saving.load_model(checkpoint, custom_objects={"loss": loss})
    else:
        keras.config.set_dtype_policy("mixed_bfloat16")  # a third faster than float32 on processors that have it
        network = build_finder()
        keras.config.set_dtype_policy("float32")
        rate = keras.optimizers.schedules.CosineDecay(
            RATE / 10, settings.steps - WARM, warmup_target=RATE, warmup_steps=WARM
        )
        network.compile(keras.optimizers.AdamW(rate, weight_decay=0.0005, clipnorm=5.0), loss=loss)
    done = int(network.optimizer.iterations)
    run = {
        "schema": "digitocr-run/1",
        "command": "digitocr train --network finder "
        + " ".join(f"--{name} {value}" for name, value in asdict(settings).items()),
        "settings": asdict(settings),
        "fonts": [font.name for font in fonts],
        "data": {"digest": data.digest},
        "versions": {"digitocr": __version__, "python": platform.python_version(), "keras": keras.__version__},
        "started": _now(),
        "ended": None,
    }
    _write_json(folder / "run.json", run)
    per_epoch = settings.steps // settings.epochs
    with drawers(os.cpu_count() or 1, data.train_images[training], data.train_labels[training], fonts) as pool:
        held = _chunk(pool, 2**31 + 1, 0, HELD_OUT)
        epoch = done // per_epoch
        before = _chunk(pool, settings.seed, epoch - 1)
        while epoch < settings.epochs:
            began = time.perf_counter()
            images, wanted = _chunk(pool, settings.seed, epoch)
            drawn = time.perf_counter() - began
            if epoch == 0:
                before = images, wanted
            order = np.random.default_rng((settings.seed, epoch)).permutation(2 * CHUNK)
            sums = 0.0
            for start in range(0, len(order), BATCH):
                rows = order[start : start + BATCH]
                new, old = rows[rows < CHUNK], rows[rows >= CHUNK] - CHUNK
                batch = np.concatenate([images[new], -before[0][old]]).astype(np.float32)
                truth = np.concatenate([wanted[new], before[1][old]]).astype(np.float32)
                sums += float(network.train_on_batch(batch, truth))
            epoch += 1
            before = images, wanted
            found, right = found_share(held[1], network.predict(held[0], batch_size=BATCH, verbose=0))
            seconds = time.perf_counter() - began
            row = f"{epoch},{sums / per_epoch:.4f},{found:.4f},{right:.4f},{drawn:.1f},{seconds:.1f}"
            with (folder / "history.csv").open("a") as file:
                file.write(row + "\n")
            print(row, flush=True)
            _replace(folder / "finder.keras", lambda path: network.save(path, include_optimizer=False))
            _replace(checkpoint, network.save)
    run["ended"] = _now()
    _write_json(folder / "run.json", run)
    checkpoint.unlink()


def read_settings(folder: Path) -> FinderSettings:
    """Those that a run was begun with."""
    return FinderSettings(**json.loads((folder / "run.json").read_text())["settings"])
