"""Training on drawn pictures, as a run that can be resumed: what the detector and the recognizer share.

    run = begin(folder, settings, data)
    row = train(run, course, data, quiet)       # the last row of history.csv

All processors draw the pictures of an epoch before it, and then train: at the same time, each would slow the other down
by half. A picture is used in two epochs, the second time as its negative. It depends only on the seed and its number,
so a resumed run uses the same pictures as an uninterrupted one.
"""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.errors import UsageError
from digitocr.train.data import Mnist, split
from digitocr.train.keras_backend import keras_needed
from digitocr.train.quiet import progress_line, remaining
from digitocr.train.runs import Row, Run, train_command
from digitocr.train.synthesis.workers import worker_pool

with keras_needed("train", "training"):
    import keras

LEARNING_RATE = 0.003  # of AdamW, the highest; it then falls to 0 in a cosine
WARM_STEPS = 300  # in which the rate rises from LEARNING_RATE / 10
WEIGHT_DECAY = 0.0005  # of AdamW
CLIP_NORM = 5.0  # largest norm of a gradient

P = TypeVar("P", bound=tuple[Any, ...])  # drawn pictures and what is wanted of them; the first entry has their number
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class DrawnSettings:
    """What such a run depends on besides the data. Raises UsageError for values outside their range.

    Attributes:
        epochs: Number of epochs, 1 or more.
        seed: 0 to 2**31 - 1, of first weights and pictures.
        fonts: Folder of the fonts that are drawn with; empty for those of this machine.
        start: A .keras file with the first weights; empty for random ones.
    """

    kind: ClassVar[str]
    model_file: ClassVar[str]

    epochs: int
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
        return train_command({"recipe": self.kind, **asdict(self)})

    def font_files(self) -> list[Path]:
        """The fonts that are drawn with. Raises InputError."""
        raise NotImplementedError


S = TypeVar("S", bound=DrawnSettings)


@dataclass(frozen=True)
class Course(Generic[P]):
    """How a network learns from drawn pictures.

    Attributes:
        noun: What the pictures are called.
        epoch: Pictures drawn for each epoch, which also uses those of the epoch before.
        step: Pictures of a training step.
        held: Seed and number of the pictures that are measured after each epoch.
        build: Makes the network, in float32 and not compiled.
        compiled: Makes the network to start with, of the number of steps of the whole run.
        loss: Of the network.
        draw: Draws the pictures part * size to (part + 1) * size - 1 of a seed, of (pool, seed, part, size); none for a
            negative part.
        batch: The inputs and what is wanted, of rows of fresh pictures and of rows of those before, as negatives.
        measure: The columns of history.csv that the network gets for the held-out pictures, and these in words.
    """

    noun: str
    epoch: int
    step: int
    held: tuple[int, int]
    build: Callable[[], Any]
    compiled: Callable[[int], Any]
    loss: Callable[..., Any]
    draw: Callable[[ProcessPoolExecutor, int, int, int], P]
    batch: Callable[[P, Rows, P, Rows], tuple[NDArray[np.float32], NDArray[np.float32]]]
    measure: Callable[[Any, P], tuple[Row, str]]


def train(run: Run[S], course: Course[P], data: Mnist, quiet: bool, scripts: Sequence[Path] = ()) -> Row:
    """Trains the epochs that are left, and closes the run; returns the last row of its history.

    Args:
        run: The folder.
        course: How it is trained.
        data: MNIST; its training images without the held-out ones are drawn with.
        quiet: Whether to write no line per epoch on stderr.
        scripts: Font files with letters of other scripts and icons.
    """
    settings = run.settings
    keras.utils.set_random_seed(settings.seed)
    steps = 2 * course.epoch // course.step
    network = run.checkpoint(loss=course.loss)
    if network is None:
        network = course.compiled(settings.epochs * steps)
    done = int(network.optimizer.iterations) // steps
    if done < settings.epochs:
        training, _ = split(data)
        images, labels = data.train_images[training], data.train_labels[training]
        progress_line(f"drawing {course.epoch:,} {course.noun} with {len(run.fonts)} fonts before each epoch", quiet)
        with worker_pool(os.cpu_count() or 1, images, labels, run.fonts, scripts) as pool:
            _epochs(run, course, network, pool, done, quiet)
    return run.finish()


def _epochs(run: Run[S], course: Course[P], network: Any, pool: ProcessPoolExecutor, done: int, quiet: bool) -> None:
    """Trains all epochs after `done`, and keeps each."""
    settings = run.settings
    held = course.draw(pool, course.held[0], 0, course.held[1])
    before = course.draw(pool, settings.seed, done - 1, course.epoch)
    for epoch in range(done, settings.epochs):
        began = time.perf_counter()
        fresh = course.draw(pool, settings.seed, epoch, course.epoch)
        drawing = time.perf_counter() - began
        mean_loss = _train_epoch(network, course, fresh, before if epoch else fresh, (settings.seed, epoch))
        before = fresh
        measured, words = course.measure(network, held)
        seconds = time.perf_counter() - began
        row: Row = {"epoch": epoch + 1, "loss": mean_loss, **measured, "drawing": drawing, "seconds": seconds}
        bare = course.build()  # float32 and not compiled, as it is kept: Keras would save the optimizer's state
        bare.set_weights(network.get_weights())
        run.keep(row, bare, network)
        progress_line(
            f"epoch {epoch + 1} of {settings.epochs}: loss {mean_loss:.4f}; held out {words}; "
            f"{remaining(seconds, settings.epochs - epoch - 1)}",
            quiet,
        )


def _train_epoch(network: Any, course: Course[P], fresh: P, before: P, seed: tuple[int, int]) -> float:
    """Trains with both parts, shuffled together, those of `before` as negatives; returns the mean loss."""
    total, count = 0.0, len(fresh[0])
    order = np.random.default_rng(seed).permutation(2 * count)
    for start in range(0, len(order), course.step):
        rows = order[start : start + course.step]
        new, old = rows[rows < count], rows[rows >= count] - count
        total += float(network.train_on_batch(*course.batch(fresh, new, before, old)))
    return total / (2 * count // course.step)


def compiled(
    build: Callable[[], keras.Model], weights: keras.Model | None, loss: Callable[..., Any], steps: int, divisor: int
) -> keras.Model:
    """A network to start with, compiled.

    Args:
        build: Makes it.
        weights: A network with the first weights; None for random ones.
        loss: Its loss.
        steps: Number of the whole run.
        divisor: Of LEARNING_RATE, with given weights.
    """
    keras.config.set_dtype_policy("mixed_bfloat16")  # a third faster than float32 on processors that support it
    network = build()
    keras.config.set_dtype_policy("float32")
    highest = LEARNING_RATE
    if weights is not None:
        network.set_weights(weights.get_weights())
        highest /= divisor
    warm = min(WARM_STEPS, steps // 2)
    rate = keras.optimizers.schedules.CosineDecay(
        LEARNING_RATE / 10, steps - warm, warmup_target=highest, warmup_steps=warm
    )
    network.compile(keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY, clipnorm=CLIP_NORM), loss=loss)
    return network
