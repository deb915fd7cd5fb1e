"""Training the detector on synthetic scenes, as a run that can be resumed.

    row = fit(load_mnist(), DetectorSettings(seed=1), Path("runs/detector"))
    row["found"]        # share of the digits in held-out scenes that the network finds

The folder is that of runs.py; the network is in detector.keras. All processors draw the scenes of an epoch before it,
and then train: at the same time, each slows the other down by half. A scene is used in two epochs, the second time as
its negative. It depends only on the seed and its number, so a resumed run uses the same scenes as an uninterrupted one.
"""

import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.detector import PLANES, STRIDE, detector_input
from digitocr.runtime.errors import MissingExtraError, UsageError
from digitocr.runtime.processes import map_interruptibly
from digitocr.train.data import Mnist, split
from digitocr.train.detector.targets import TARGET_CHANNELS, found_share, targets
from digitocr.train.quiet import progress_line, remaining, silenced
from digitocr.train.runs import Row, Run, begin, train_command
from digitocr.train.runs import resume as resume_run
from digitocr.train.synthesis.fonts import find_fonts
from digitocr.train.synthesis.scenes import draw_scene
from digitocr.train.synthesis.sheet import SCENE_SIDE
from digitocr.train.synthesis.workers import glyphs, worker_pool

try:
    with silenced():
        import keras

        from digitocr.train.detector.network import build_detector, load_detector, loss
except ImportError as error:
    raise MissingExtraError("train", "training") from error

DEFAULT_EPOCHS = 11  # by default; 40 minutes on two cores
EPOCH_SCENES = 8_000  # scenes drawn for each epoch, which also uses those of the epoch before
STEP_SCENES = 16  # scenes per training step
LEARNING_RATE = 0.003  # of AdamW, the highest; it then falls to 0 in a cosine. Half of it for given weights
WARM_STEPS = 300  # in which the rate rises from LEARNING_RATE / 10
WEIGHT_DECAY = 0.0005  # of AdamW
CLIP_NORM = 5.0  # largest norm of a gradient
HELD_OUT_SCENES = 320  # measured after each epoch
HELD_OUT_SEED = 2**31 + 1  # of the held-out scenes; no training has this seed

Part = tuple[NDArray[np.float16], NDArray[np.float16]]  # inputs (n, 256, 256, 3) and targets (n, 64, 64, 8)


@dataclass(frozen=True)
class DetectorSettings:
    """What a detector's run depends on besides the data. Raises UsageError for values outside their range.

    Attributes:
        epochs: Number of epochs, 1 or more.
        seed: 0 to 2**31 - 1, of first weights and scenes.
        fonts: Folder of the fonts that scenes are drawn with; empty for those of this machine.
        start: A detector.keras with the first weights; empty for random ones.
    """

    kind: ClassVar[str] = "detector"
    model_file: ClassVar[str] = "detector.keras"

    epochs: int = DEFAULT_EPOCHS
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
        """The command line that repeats the run."""
        return train_command({"recipe": "detector", **asdict(self)})

    def font_files(self) -> list[Path]:
        """The fonts that scenes are drawn with. Raises InputError."""
        return find_fonts(Path(self.fonts) if self.fonts else None)


def fit(data: Mnist, settings: DetectorSettings, folder: Path, quiet: bool = False) -> Row:
    """Trains into a new folder; returns the last row of history.csv. Unless quiet, writes a line per epoch on stderr.

    The digits of the scenes are MNIST's training images without the held-out ones, drawn strokes, and fonts.

    Returns:
        epoch; loss; found, the share of the digits in held-out scenes that the network finds; right, the share of what
        it finds that is a digit; drawing and seconds, the time for drawing and for the whole epoch.

    Raises:
        OutputError: The folder exists or cannot be written.
        InputError: There are no fonts.
        ModelError: `start` is no detector.

    KeyboardInterrupt passes, and `resume` continues.
    """
    if settings.start:
        load_detector(Path(settings.start))  # raises before a folder is made
    return _train(begin(folder, settings, data), data, quiet)


def resume(folder: Path, data: Mnist, quiet: bool = False) -> Row:
    """Continues an interrupted or killed run; returns what `fit` returns.

    Raises what runs.resume raises, and ModelError if Keras cannot load the checkpoint.
    """
    return _train(resume_run(folder, DetectorSettings, data), data, quiet)


def _train(run: Run[DetectorSettings], data: Mnist, quiet: bool) -> Row:
    """Trains the epochs that are left, and closes the run."""
    settings = run.settings
    keras.utils.set_random_seed(settings.seed)
    steps = 2 * EPOCH_SCENES // STEP_SCENES
    network = run.checkpoint(loss=loss)
    if network is None:
        network = _compiled(settings, settings.epochs * steps)
    done = int(network.optimizer.iterations) // steps
    if done < settings.epochs:
        training, _ = split(data)
        images, labels = data.train_images[training], data.train_labels[training]
        progress_line(f"drawing {EPOCH_SCENES:,} scenes with {len(run.fonts)} fonts before each epoch", quiet)
        with worker_pool(os.cpu_count() or 1, images, labels, run.fonts) as pool:
            _epochs(run, network, pool, done, quiet)
    return run.finish()


def _epochs(run: Run[DetectorSettings], network: Any, pool: ProcessPoolExecutor, done: int, quiet: bool) -> None:
    """Trains all epochs after `done`, and keeps each."""
    settings = run.settings
    held_inputs, held_targets = _scenes(pool, HELD_OUT_SEED, 0, HELD_OUT_SCENES)
    before = _scenes(pool, settings.seed, done - 1, EPOCH_SCENES)
    for epoch in range(done, settings.epochs):
        began = time.perf_counter()
        fresh = _scenes(pool, settings.seed, epoch, EPOCH_SCENES)
        drawing = time.perf_counter() - began
        mean_loss = _train_epoch(network, fresh, before if epoch else fresh, (settings.seed, epoch))
        before = fresh
        found, right = found_share(held_targets, network.predict(held_inputs, batch_size=STEP_SCENES, verbose=0))
        seconds = time.perf_counter() - began
        row: Row = {"epoch": epoch + 1, "loss": mean_loss, "found": found, "right": right}
        row |= {"drawing": drawing, "seconds": seconds}
        bare = build_detector()  # this one is kept: it is float32, and Keras saves a compiled one with optimizer state
        bare.set_weights(network.get_weights())
        run.keep(row, bare, network)
        progress_line(
            f"epoch {epoch + 1} of {settings.epochs}: loss {mean_loss:.4f}; held out {found:.2%} found, {right:.2%} of "
            f"what is found right; {remaining(seconds, settings.epochs - epoch - 1)}",
            quiet,
        )


def _scenes(pool: ProcessPoolExecutor, seed: int, part: int, size: int) -> Part:
    """Scenes part * size to (part + 1) * size - 1 of a seed; none for a negative part."""
    firsts = range(part * size, (part + 1) * size, STEP_SCENES) if part >= 0 else range(0)
    batches = map_interruptibly(pool, _draw_batch, repeat(seed), firsts)
    if not batches:
        cells = SCENE_SIDE // STRIDE
        return np.zeros((0, SCENE_SIDE, SCENE_SIDE, PLANES), np.float16), np.zeros(
            (0, cells, cells, TARGET_CHANNELS), np.float16
        )
    return np.concatenate([inputs for inputs, _ in batches]), np.concatenate([wanted for _, wanted in batches])


def _draw_batch(seed: int, first: int) -> Part:
    """STEP_SCENES scenes from number `first` on, in half precision: they go through a pipe and stay for an epoch."""
    scenes = [
        draw_scene(np.random.default_rng((seed, number)), glyphs()) for number in range(first, first + STEP_SCENES)
    ]
    inputs = np.stack([detector_input(scene.image).transpose(1, 2, 0) for scene in scenes])
    return inputs.astype(np.float16), np.stack([targets(scene) for scene in scenes]).astype(np.float16)


def _train_epoch(network: Any, fresh: Part, before: Part, seed: tuple[int, int]) -> float:
    """Trains with both parts, shuffled together, those of `before` as negatives; returns the mean loss."""
    total, count = 0.0, len(fresh[0])
    order = np.random.default_rng(seed).permutation(2 * count)
    for start in range(0, len(order), STEP_SCENES):
        rows = order[start : start + STEP_SCENES]
        new, old = rows[rows < count], rows[rows >= count] - count
        inputs = np.concatenate([fresh[0][new], -before[0][old]]).astype(np.float32)
        wanted = np.concatenate([fresh[1][new], before[1][old]]).astype(np.float32)
        total += float(network.train_on_batch(inputs, wanted))
    return total / (2 * count // STEP_SCENES)


def _compiled(settings: DetectorSettings, steps: int) -> keras.Model:
    """A network to start with; steps: number of the whole run."""
    keras.config.set_dtype_policy("mixed_bfloat16")  # a third faster than float32 on processors that support it
    network = build_detector()
    keras.config.set_dtype_policy("float32")
    highest = LEARNING_RATE
    if settings.start:
        network.set_weights(load_detector(Path(settings.start)).get_weights())
        highest /= 2
    warm = min(WARM_STEPS, steps // 2)
    rate = keras.optimizers.schedules.CosineDecay(
        LEARNING_RATE / 10, steps - warm, warmup_target=highest, warmup_steps=warm
    )
    network.compile(keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY, clipnorm=CLIP_NORM), loss=loss)
    return network
