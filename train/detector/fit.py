"""Training the detector on synthetic scenes, as a run that can be resumed.

    row = fit(load_mnist(), DetectorSettings(seed=1), Path("runs/detector"))
    row["found"]        # share of the digits in held-out scenes that the network finds

The folder is that of runs.py; the network is in detector.keras. drawn.py says how it is trained.
"""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.detector import PLANES, STRIDE, detector_input
from digitocr.runtime.processes import map_interruptibly
from digitocr.train.data import Mnist
from digitocr.train.detector.targets import TARGET_CHANNELS, found_share, targets
from digitocr.train.drawn import Course, DrawnSettings, Rows, compiled, train
from digitocr.train.keras_backend import keras_needed
from digitocr.train.runs import Row, Run, begin
from digitocr.train.runs import resume as resume_run
from digitocr.train.synthesis.fonts import find_fonts, seen
from digitocr.train.synthesis.scenes import draw_line_scene, draw_scene
from digitocr.train.synthesis.scripts import script_fonts
from digitocr.train.synthesis.sheet import SCENE_SIDE
from digitocr.train.synthesis.workers import glyphs

with keras_needed("train", "training"):
    import keras

    from digitocr.train.detector.network import build_detector, load_detector, loss

DEFAULT_EPOCHS = 11  # by default; 40 minutes on two cores
EPOCH_SCENES = 8_000  # scenes drawn for each epoch, which also uses those of the epoch before
LINE_EVERY = 4  # scenes; one of them shows a display, a counter or the like
STEP_SCENES = 16  # scenes per training step
START_DIVISOR = 4  # of the learning rate, with given weights
HELD_OUT_SCENES = 320  # measured after each epoch
HELD_OUT_SEED = 2**31 + 1  # of the held-out scenes; no training has this seed

Part = tuple[NDArray[np.float16], NDArray[np.float16]]  # inputs (n, 256, 256, 3) and targets (n, 64, 64, 8)


@dataclass(frozen=True)
class DetectorSettings(DrawnSettings):
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

    def font_files(self) -> list[Path]:
        """The fonts that scenes are drawn with. Raises InputError."""
        return seen(find_fonts(Path(self.fonts) if self.fonts else None))


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
    course = Course(
        "scenes",
        EPOCH_SCENES,
        STEP_SCENES,
        (HELD_OUT_SEED, HELD_OUT_SCENES),
        build_detector,
        lambda steps: _compiled(run.settings, steps),
        loss,
        _scenes,
        _batch,
        _measured,
    )
    return train(run, course, data, quiet, script_fonts(run.settings.fonts))


def _measured(network: Any, held: Part) -> tuple[Row, str]:
    """How well the network finds the digits of held-out scenes."""
    found, right = found_share(held[1], network.predict(held[0], batch_size=STEP_SCENES, verbose=0))
    return {"found": found, "right": right}, f"{found:.2%} found, {right:.2%} of what is found right"


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
        (draw_line_scene if number % LINE_EVERY == 0 else draw_scene)(np.random.default_rng((seed, number)), glyphs())
        for number in range(first, first + STEP_SCENES)
    ]
    inputs = np.stack([detector_input(scene.image).transpose(1, 2, 0) for scene in scenes])
    return inputs.astype(np.float16), np.stack([targets(scene) for scene in scenes]).astype(np.float16)


def _batch(fresh: Part, new: Rows, before: Part, old: Rows) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The inputs of a step and the targets, those of `before` as negatives."""
    inputs = np.concatenate([fresh[0][new], -before[0][old]]).astype(np.float32)
    return inputs, np.concatenate([fresh[1][new], before[1][old]]).astype(np.float32)


def _compiled(settings: DetectorSettings, steps: int) -> keras.Model:
    """A network to start with; steps: number of the whole run."""
    weights = load_detector(Path(settings.start)) if settings.start else None
    return compiled(build_detector, weights, loss, steps, START_DIVISOR)
