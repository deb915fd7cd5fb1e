"""Training the recognizer on drawn line strips, as a run that can be resumed.

    row = fit(load_mnist(), RecognizerSettings(seed=1), Path("runs/recognizer"))
    row["digits"]       # 1 - edit distance / length, of the digits in held-out strips

The folder is that of runs.py; the network is in recognizer.keras. All processors draw the strips of an epoch before it,
and then train. A strip is used in two epochs, the second time as its negative. It depends only on the seed and its
number, so a resumed run uses the same strips as an uninterrupted one.
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.errors import MissingExtraError, UsageError
from digitocr.runtime.processes import map_interruptibly
from digitocr.runtime.recognizer import COLUMN, STRIP_HEIGHT, recognizer_input, softmax
from digitocr.train.data import Mnist, split
from digitocr.train.quiet import progress_line, remaining, silenced
from digitocr.train.recognizer.score import read_share
from digitocr.train.runs import Row, Run, begin, train_command
from digitocr.train.runs import resume as resume_run
from digitocr.train.synthesis.fonts import find_fonts, held_out
from digitocr.train.synthesis.scripts import script_fonts
from digitocr.train.synthesis.strip_layouts import draw_strip
from digitocr.train.synthesis.strips import WIDTH
from digitocr.train.synthesis.workers import glyphs, worker_pool

try:
    with silenced():
        import keras

        from digitocr.train.recognizer.network import build_recognizer, columns, load_recognizer, loss
except ImportError as error:
    raise MissingExtraError("train", "training") from error

DEFAULT_EPOCHS = 12  # by default; 45 minutes on two cores
EPOCH_STRIPS = 16_384  # strips drawn for each epoch, which also uses those of the epoch before
STEP_STRIPS = 32  # strips per training step
LEARNING_RATE = 0.004  # of AdamW, the highest; it then falls to 0 in a cosine. Half of it for given weights
WARM_STEPS = 300  # in which the rate rises from LEARNING_RATE / 10
WEIGHT_DECAY = 0.0005  # of AdamW
CLIP_NORM = 5.0  # largest norm of a gradient
HELD_OUT_STRIPS = 1_024  # measured after each epoch
HELD_OUT_SEED = 2**31 + 4  # of the held-out strips; no training has this seed

Part = tuple[NDArray[np.uint8], NDArray[np.float16], list[str]]  # (n, 32, 320), (n, 160, 5), and the n texts


@dataclass(frozen=True)
class RecognizerSettings:
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
        return train_command({"recipe": "recognizer", **asdict(self)})

    def font_files(self) -> list[Path]:
        """The fonts that strips are drawn with. Raises InputError."""
        fonts = find_fonts(Path(self.fonts) if self.fonts else None)
        kept_out = set(held_out(fonts))
        return [font for font in fonts if font not in kept_out] or fonts


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
    settings = run.settings
    keras.utils.set_random_seed(settings.seed)
    steps = 2 * EPOCH_STRIPS // STEP_STRIPS
    network = run.checkpoint(loss=loss)
    if network is None:
        network = _compiled(settings, settings.epochs * steps)
    done = int(network.optimizer.iterations) // steps
    if done < settings.epochs:
        training, _ = split(data)
        images, labels = data.train_images[training], data.train_labels[training]
        progress_line(f"drawing {EPOCH_STRIPS:,} strips with {len(run.fonts)} fonts before each epoch", quiet)
        scripts = script_fonts(settings.fonts)
        with worker_pool(os.cpu_count() or 1, images, labels, run.fonts, scripts) as pool:
            _epochs(run, network, pool, done, quiet)
    return run.finish()


def _epochs(run: Run[RecognizerSettings], network: Any, pool: ProcessPoolExecutor, done: int, quiet: bool) -> None:
    """Trains all epochs after `done`, and keeps each."""
    settings = run.settings
    held = _strips(pool, HELD_OUT_SEED, 0, HELD_OUT_STRIPS)
    before = _strips(pool, settings.seed, done - 1, EPOCH_STRIPS)
    for epoch in range(done, settings.epochs):
        began = time.perf_counter()
        fresh = _strips(pool, settings.seed, epoch, EPOCH_STRIPS)
        drawing = time.perf_counter() - began
        mean_loss = _train_epoch(network, fresh, before if epoch else fresh, (settings.seed, epoch))
        before = fresh
        digits, exact = read_share(_read(network, held[0]), held[2])
        seconds = time.perf_counter() - began
        row: Row = {"epoch": epoch + 1, "loss": mean_loss, "digits": digits, "exact": exact}
        row |= {"drawing": drawing, "seconds": seconds}
        bare = build_recognizer()  # float32 and not compiled, as it is kept: Keras would save the optimizer's state
        bare.set_weights(network.get_weights())
        run.keep(row, bare, network)
        progress_line(
            f"epoch {epoch + 1} of {settings.epochs}: loss {mean_loss:.4f}; held out {digits:.2%} of the digits right, "
            f"{exact:.2%} of the strips; {remaining(seconds, settings.epochs - epoch - 1)}",
            quiet,
        )


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


def _train_epoch(network: Any, fresh: Part, before: Part, seed: tuple[int, int]) -> float:
    """Trains with both parts, shuffled together, those of `before` as negatives; returns the mean loss."""
    total, count = 0.0, len(fresh[0])
    order = np.random.default_rng(seed).permutation(2 * count)
    for start in range(0, len(order), STEP_STRIPS):
        rows = order[start : start + STEP_STRIPS]
        new, old = rows[rows < count], rows[rows >= count] - count
        inputs = _inputs(np.concatenate([fresh[0][new], 255 - before[0][old]]))
        wanted = np.concatenate([fresh[1][new], before[1][old]]).astype(np.float32)
        total += float(network.train_on_batch(inputs, wanted))
    return total / (2 * count // STEP_STRIPS)


def _compiled(settings: RecognizerSettings, steps: int) -> keras.Model:
    """A network to start with; steps: number of the whole run."""
    keras.config.set_dtype_policy("mixed_bfloat16")  # a third faster than float32 on processors that support it
    network = build_recognizer()
    keras.config.set_dtype_policy("float32")
    highest = LEARNING_RATE
    if settings.start:
        network.set_weights(load_recognizer(Path(settings.start)).get_weights())
        highest /= 2
    warm = min(WARM_STEPS, steps // 2)
    rate = keras.optimizers.schedules.CosineDecay(
        LEARNING_RATE / 10, steps - warm, warmup_target=highest, warmup_steps=warm
    )
    network.compile(keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY, clipnorm=CLIP_NORM), loss=loss)
    return network
