"""Training the recognizer on drawn line strips, as a run that can be resumed.

    row = fit(load_mnist(), RecognizerSettings(seed=1), Path("runs/recognizer"))
    row["digits"]       # 1 - edit distance / length, of the digits in held-out strips

The folder is that of runs.py; the network is in recognizer.keras. drawn.py says how it is trained.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.processes import map_interruptibly
from digitocr.runtime.recognizer import COLUMN, STRIP_HEIGHT, recognizer_input, softmax
from digitocr.train.data import Mnist
from digitocr.train.drawn import Course, DrawnSettings, Rows, compiled, train
from digitocr.train.keras_backend import keras_needed
from digitocr.train.recognizer.score import read_share
from digitocr.train.runs import Row, Run, begin
from digitocr.train.runs import resume as resume_run
from digitocr.train.synthesis.fonts import find_fonts, seen
from digitocr.train.synthesis.scripts import script_fonts
from digitocr.train.synthesis.strip_layouts import draw_strip
from digitocr.train.synthesis.strips import WIDTH
from digitocr.train.synthesis.workers import glyphs

with keras_needed("train", "training"):
    import keras

    from digitocr.train.recognizer.network import build_recognizer, columns, load_recognizer, loss

DEFAULT_EPOCHS = 12  # by default; 45 minutes on two cores
EPOCH_STRIPS = 16_384  # strips drawn for each epoch, which also uses those of the epoch before
STEP_STRIPS = 32  # strips per training step
START_DIVISOR = 3  # of the learning rate, with given weights
HELD_OUT_STRIPS = 1_024  # measured after each epoch
HELD_OUT_SEED = 2**31 + 4  # of the held-out strips; no training has this seed

Part = tuple[NDArray[np.uint8], NDArray[np.float16], list[str]]  # (n, 32, 320), (n, 160, 5), and the n texts


@dataclass(frozen=True)
class RecognizerSettings(DrawnSettings):
    """What a recognizer's run depends on besides the data. Raises UsageError for values outside their range.

    Attributes:
        epochs: Number of epochs, 1 or more.
        seed: 0 to 2**31 - 1, of first weights and strips.
        fonts: Folder of the fonts that strips are drawn with; empty for those of this machine.
        start: A recognizer.keras with the first weights; empty for random ones.
    """

    kind: ClassVar[str] = "recognizer"
    model_file: ClassVar[str] = "recognizer.keras"

    epochs: int = DEFAULT_EPOCHS

    def font_files(self) -> list[Path]:
        """The fonts that strips are drawn with. Raises InputError."""
        return seen(find_fonts(Path(self.fonts) if self.fonts else None))


def fit(data: Mnist, settings: RecognizerSettings, folder: Path, quiet: bool = False) -> Row:
    """Trains into a new folder; returns the last row of history.csv. Unless quiet, writes a line per epoch on stderr.

    The digits of the strips are MNIST's training images without the held-out ones, drawn strokes, and fonts.

    Returns:
        epoch; loss; digits, 1 - edit distance / length of the digits in held-out strips; exact, the share of strips
        whose digits are all right; drawing and seconds, the time for drawing and for the whole epoch.

    Raises:
        OutputError: The folder exists or cannot be written.
        InputError: There are no fonts.
        ModelError: `start` is no recognizer.

    KeyboardInterrupt passes, and `resume` continues.
    """
    if settings.start:
        load_recognizer(Path(settings.start))  # raises before a folder is made
    return _train(begin(folder, settings, data), data, quiet)


def resume(folder: Path, data: Mnist, quiet: bool = False) -> Row:
    """Continues an interrupted or killed run; returns what `fit` returns.

    Raises what runs.resume raises, and ModelError if Keras cannot load the checkpoint.
    """
    return _train(resume_run(folder, RecognizerSettings, data), data, quiet)


def _train(run: Run[RecognizerSettings], data: Mnist, quiet: bool) -> Row:
    """Trains the epochs that are left, and closes the run."""
    course = Course(
        "strips",
        EPOCH_STRIPS,
        STEP_STRIPS,
        (HELD_OUT_SEED, HELD_OUT_STRIPS),
        build_recognizer,
        lambda steps: _compiled(run.settings, steps),
        loss,
        _strips,
        _batch,
        _measured,
    )
    return train(run, course, data, quiet, script_fonts(run.settings.fonts))


def _measured(network: Any, held: Part) -> tuple[Row, str]:
    """How well the network reads held-out strips."""
    digits, exact = read_share(_read(network, held[0]), held[2])
    return {"digits": digits, "exact": exact}, f"{digits:.2%} of the digits right, {exact:.2%} of the strips"


def _read(network: Any, images: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
    """The (160, 18) probabilities of the columns of each strip."""
    for start in range(0, len(images), STEP_STRIPS):
        output = network(_inputs(images[start : start + STEP_STRIPS]), training=False)
        yield from softmax(np.asarray(columns(output)))


def _strips(pool: ProcessPoolExecutor, seed: int, part: int, size: int) -> Part:
    """Strips part * size to (part + 1) * size - 1 of a seed; none for a negative part."""
    firsts = range(part * size, (part + 1) * size, STEP_STRIPS) if part >= 0 else range(0)
    batches = map_interruptibly(pool, _draw_batch, repeat(seed), firsts)
    if not batches:
        shape = (0, WIDTH // COLUMN, 5)
        return np.zeros((0, STRIP_HEIGHT, WIDTH), np.uint8), np.zeros(shape, np.float16), []
    images, wanted, texts = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(wanted), [text for part in texts for text in part]


def _draw_batch(seed: int, first: int) -> Part:
    """STEP_STRIPS strips from number `first` on."""
    strips = [
        draw_strip(np.random.default_rng((seed, 11, number)), glyphs()) for number in range(first, first + STEP_STRIPS)
    ]
    wanted = np.stack(
        [np.stack([strip.first, strip.second, strip.share, strip.weight, strip.is_loose], -1) for strip in strips]
    )
    return np.stack([strip.image for strip in strips]), wanted.astype(np.float16), [strip.text for strip in strips]


def _inputs(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, 32, W) pictures as (n, 32, W, 2) float32 of the network."""
    return np.stack([recognizer_input(image).transpose(1, 2, 0) for image in images])


def _batch(fresh: Part, new: Rows, before: Part, old: Rows) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The inputs of a step and the columns that are wanted, those of `before` as negatives."""
    inputs = _inputs(np.concatenate([fresh[0][new], 255 - before[0][old]]))
    return inputs, np.concatenate([fresh[1][new], before[1][old]]).astype(np.float32)


def _compiled(settings: RecognizerSettings, steps: int) -> keras.Model:
    """A network to start with; steps: number of the whole run."""
    weights = load_recognizer(Path(settings.start)) if settings.start else None
    return compiled(build_recognizer, weights, loss, steps, START_DIVISOR)
