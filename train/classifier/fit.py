"""Training as a run: a folder that says what was done, can be gone on with after a kill, and holds the result.

    metrics = fit(load_mnist(), Settings(experiment=4, epochs=10, seed=0), Path("runs/first"))
    metrics["test"]["accuracy"]

The folder, in the order in which it fills:

    run.json          command, settings, versions, data digest, times; `ended` is null until the run is finished
    history.csv       a row an epoch: accuracy and loss on training and on held-out images, seconds
    model.keras       the network after the last full epoch, without optimizer state
    checkpoint.keras  the same with optimizer state, to go on from; removed at the end
    metrics.json      at the end: summaries of the test images, which are read only then, and of the held-out images
    curves.png        at the end: history and confusion matrix

Files are written beside and renamed, so a kill leaves none in halves. After Ctrl-C or a kill, `resume` goes on from
the last full epoch, and `model.keras` of that epoch can already be used. The order of the images depends on the seed
and the epoch, dropout on the seed and the step: a resumed run sees what an unbroken one sees.
Plain Keras 3, so any of its backends can train.
"""

import json
import math
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitocr import __version__
from digitocr.runtime.errors import InputError, MissingExtraError, ModelError, OutputError, UsageError
from digitocr.runtime.preprocessing import Tensors, scale
from digitocr.train.classifier.augment import Augment
from digitocr.train.classifier.crops import draw_all
from digitocr.train.classifier.distort import Distort
from digitocr.train.data import Bytes, Indices, Mnist, progress_stream, split
from digitocr.train.evaluation.metrics import summary
from digitocr.train.memory import keep_freed
from digitocr.train.quiet import silenced
from digitocr.train.runs import data_card, new_folder, now, read_history, replace, write_json
from digitocr.train.synthesis.fonts import find_fonts

try:
    with silenced():
        import keras

        from digitocr.train.classifier.network import EXPERIMENTS, build_network
        from digitocr.train.paper.figures import draw_curves
except ImportError as error:
    raise MissingExtraError("train", "training") from error

_COLUMNS = ("epoch", "accuracy", "loss", "val_accuracy", "val_loss", "seconds")
_PREDICT_BATCH = 500  # images


@dataclass(frozen=True)
class Recipe:
    """How a network is trained, always with categorical cross-entropy on pixels from 0 to 1.

    optimizer: made for a number of steps; epochs: how many are enough; batch_size: images a step; classes: 10 digits,
    or 11 with "no digit"; crops: of how many drawn scenes a part of each batch is taken, which is then augmented as
    well; distort: makes other pictures of MNIST's digits; dropout: rate of the layers that drop, 0.5 in the paper;
    label_smoothing: the share of a label that all classes have in equal parts (C. Szegedy et al., 2016).
    """

    optimizer: Callable[[int], keras.Optimizer]
    epochs: int
    batch_size: int = 128
    classes: int = 10
    crops: int = 0
    distort: Distort | None = None
    dropout: float = 0.5
    label_smoothing: float = 0.0


def _annealed(rate: float, weight_decay: float) -> Callable[[int], keras.Optimizer]:
    """AdamW (I. Loshchilov, F. Hutter, 2019), its rate falling in a cosine from the given one to 0 over all steps."""

    def optimizer(steps: int) -> keras.Optimizer:
        falling = keras.optimizers.schedules.CosineDecay(rate, steps)
        return keras.optimizers.AdamW(falling, weight_decay=weight_decay)

    return optimizer


RECIPES = {
    # The paper's way: Adam at its default rate of 0.001, and nothing else. The paper does not say how many epochs.
    "paper": Recipe(lambda _: keras.optimizers.Adam(), epochs=10),
    # For MNIST as it is: every epoch shows other pictures of the same digits (docs/decisions/recipe.md).
    "best": Recipe(
        _annealed(0.004, weight_decay=0.01),
        epochs=30,
        batch_size=64,
        distort=Distort(affine=True, elastic=True),
        dropout=0.0,
        label_smoothing=0.1,
    ),
    # For pictures from outside MNIST: digits by other hands and pens, in forms and on boards, and what is no digit.
    "robust": Recipe(_annealed(0.002, weight_decay=0.0001), epochs=30, classes=11, crops=24_000),
}


@dataclass(frozen=True)
class Settings:
    """What a run depends on besides the data. Raises UsageError for values that make no sense.

    The paper tells neither epochs nor batch size. 10 epochs of 128 took experiment 4 to 99.16 to 99.34 % of the test
    images in trials. experiment: 1 to 4; recipe: of RECIPES; batch_size: images; seed: 0 to 2**31 - 1.
    """

    experiment: int = 4
    recipe: str = "paper"
    epochs: int = 10
    batch_size: int = 128
    seed: int = 0
    fonts: str = ""  # the folder of the fonts that scenes are drawn with; empty: this machine's

    def __post_init__(self) -> None:
        for name, good, rule in (
            ("experiment", self.experiment in EXPERIMENTS, f"one of {', '.join(map(str, EXPERIMENTS))}"),
            ("recipe", self.recipe in RECIPES, f"one of {', '.join(RECIPES)}"),
            ("epochs", self.epochs >= 1, "1 or more"),
            ("batch_size", self.batch_size >= 1, "1 or more"),
            ("seed", 0 <= self.seed < 2**31, "0 to 2147483647"),
        ):
            if not good:
                raise UsageError(f"{name.replace('_', ' ')} is {getattr(self, name)}; it must be {rule}")

    @property
    def command(self) -> str:
        """The command line that does this run again."""
        return "digitocr train " + " ".join(
            f"--{name.replace('_', '-')} {value}" for name, value in asdict(self).items() if value != ""
        )


def fit(data: Mnist, settings: Settings, folder: Path, quiet: bool = False) -> dict[str, Any]:
    """Trains into a new folder; returns what metrics.json holds: metrics.summary of "test" and of "held_out".

    One in twelve of the training images (5,000 of MNIST), stratified and the same for every run, is held out and
    watched. A progress bar is drawn on stderr if that is a terminal and quiet is False. Seeds Keras, NumPy and random.

    Raises OutputError for a folder that exists or cannot be written, and what find_fonts raises where the recipe draws.
    KeyboardInterrupt passes; `resume` goes on.
    """
    fonts = _fonts(settings)  # what is wrong with them is said before a folder is made
    run: dict[str, Any] = {
        "schema": "digitocr-run/1",
        "command": settings.command,
        "settings": asdict(settings),
        "fonts": [font.name for font in fonts],
        "data": data_card(data),
        "versions": {
            "digitocr": __version__,
            "python": platform.python_version(),
            "keras": keras.__version__,
            keras.config.backend(): sys.modules[keras.config.backend()].__version__,
            "numpy": np.__version__,
        },
        "started": now(),
        "resumed": [],
        "ended": None,
        "seconds": None,
    }
    new_folder(folder, run)
    return _run(data, settings, folder, run, fonts, quiet)


def resume(folder: Path, data: Mnist, quiet: bool = False) -> dict[str, Any]:
    """Goes on with an interrupted or killed run to the number of epochs it was begun with; returns what fit returns.

    Raises UsageError for a folder without a run, and for a run that is finished; InputError for a damaged run.json and
    for data or fonts other than the run was begun with; ModelError for a checkpoint that Keras cannot load.
    """
    try:
        run = json.loads((folder / "run.json").read_text())
        settings = Settings(**run["settings"])
        finished, same, named = run["ended"] is not None, run["data"] == data_card(data), run.get("fonts")
    except OSError as error:
        raise UsageError(f"{folder}: no run in it (run.json: {error.strerror}); begin one without --resume") from error
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{folder / 'run.json'}: is damaged; begin a new run without --resume") from error
    if finished:
        raise UsageError(f"{folder}: is finished, {settings.epochs} epochs; begin a new run without --resume")
    fonts = _fonts(settings)
    if not same or named not in (None, [font.name for font in fonts]):  # earlier versions did not write them down
        raise InputError(f"{folder}: was begun with other data or fonts; give the same ones as then")
    run["resumed"].append(now())
    return _run(data, settings, folder, run, fonts, quiet)


def _run(
    data: Mnist, settings: Settings, folder: Path, run: dict[str, Any], fonts: Sequence[Path], quiet: bool
) -> dict[str, Any]:
    """Fits what is left to fit, measures, and closes the folder."""
    training, held = split(data)
    steps = math.ceil(len(training) / settings.batch_size)
    keep_freed()
    keras.utils.set_random_seed(settings.seed)
    network = _network(settings, folder / "checkpoint.keras", steps)
    done = int(network.optimizer.iterations) // steps
    dropping = [layer for layer in network.layers if isinstance(layer, keras.layers.Dropout) and layer.rate]
    for number, layer in enumerate(dropping):
        layer.seed_generator.state.assign([settings.seed + number, done * steps])  # it counts steps, and is not saved
    try:
        write_json(folder / "run.json", run)
        _trim_history(folder / "history.csv", done)
        held_images, held_labels = scale(data.train_images[held]), data.train_labels[held]
        if done < settings.epochs:
            bar = progress_stream(quiet)
            with redirect_stdout(bar or sys.stdout):  # Keras draws its bar on stdout
                network.fit(
                    _batches(data, training, settings, fonts, done),
                    steps_per_epoch=steps,
                    initial_epoch=done,
                    epochs=settings.epochs,
                    shuffle=False,  # _batches does
                    validation_data=(held_images, _one_hot(held_labels, settings)),
                    validation_batch_size=_PREDICT_BATCH,
                    callbacks=[_Keeper(folder, settings)],
                    verbose=1 if bar else 0,
                )
        metrics = {
            "test": summary(data.test_labels, _probabilities(network, scale(data.test_images))),
            "held_out": summary(held_labels, _probabilities(network, held_images)),
        }
        history = read_history(folder / "history.csv")
        write_json(folder / "metrics.json", metrics)
        replace(folder / "curves.png", lambda path: draw_curves(history, metrics["test"]["confusion"], path))
        run |= {"ended": now(), "seconds": round(sum(row["seconds"] for row in history), 1)}
        write_json(folder / "run.json", run)
        (folder / "checkpoint.keras").unlink()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror or error}); later: --resume") from error
    return metrics


def _fonts(settings: Settings) -> list[Path]:
    """What the recipe's scenes are drawn with; none where it draws none."""
    if not RECIPES[settings.recipe].crops:
        return []
    return find_fonts(Path(settings.fonts) if settings.fonts else None)


def _network(settings: Settings, checkpoint: Path, steps: int) -> Any:
    """The compiled network of the checkpoint, or a fresh one where there is none yet."""
    if checkpoint.exists():
        try:
            return keras.saving.load_model(checkpoint)
        except Exception as error:  # Keras promises no particular one
            raise ModelError(f"{checkpoint}: cannot be loaded; delete it to begin this run again") from error
    recipe = RECIPES[settings.recipe]
    network = build_network(settings.experiment, recipe.classes)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = recipe.dropout
    optimizer = recipe.optimizer(steps * settings.epochs)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
    network.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    return network


def _batches(
    data: Mnist, training: Indices, settings: Settings, fonts: Sequence[Path], done: int
) -> Iterator[tuple[Tensors, Tensors]]:
    """The batches of all epochs left: (batch, 28, 28, 1) and (batch, classes) float32; an epoch's last is short.

    Made from bytes as they are needed: that takes less memory than an array of floats, and no more time.
    """
    recipe, augment = RECIPES[settings.recipe], None
    if recipe.crops:
        drawn = draw_all(recipe.crops, settings.seed, data.train_images[training], data.train_labels[training], fonts)
        augment = Augment(drawn)
    for epoch in range(done, settings.epochs):
        rng = np.random.default_rng((settings.seed, epoch))
        order = rng.permutation(training)
        for start in range(0, len(order), settings.batch_size):
            rows = order[start : start + settings.batch_size]
            images, labels = data.train_images[rows], data.train_labels[rows]
            if augment:
                images, labels = augment(images, labels, rng)
            if recipe.distort:
                images = recipe.distort(images, rng)
            yield scale(images), _one_hot(labels, settings)


def _one_hot(labels: Bytes, settings: Settings) -> Tensors:
    """(N, classes) float32 of (N,) uint8: Keras smooths no other labels."""
    return np.eye(RECIPES[settings.recipe].classes, dtype=np.float32)[labels]


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]  # keras ships no types
    """Keeps what an epoch brought: history row, model, checkpoint, in this order. The checkpoint's step count decides
    what is done, so a row or a model that is one epoch ahead of it after a kill is put right on resuming.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        super().__init__()
        self._folder = folder
        # what is saved without optimizer state: Keras has no switch
        self._bare = build_network(settings.experiment, RECIPES[settings.recipe].classes)
        self._began = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002  # Keras's name
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        row = [logs[name] for name in _COLUMNS[1:-1]] + [time.perf_counter() - self._began]
        with (self._folder / "history.csv").open("a") as file:
            file.write(",".join([str(epoch + 1), *(f"{value:.6f}" for value in row)]) + "\n")
        self._bare.set_weights(self.model.get_weights())
        replace(self._folder / "model.keras", self._bare.save)
        replace(self._folder / "checkpoint.keras", self.model.save)


def _probabilities(network: Any, tensors: Tensors) -> Any:
    """(N, 10): of the digits alone, where the network knows "no digit" as well, since MNIST holds nothing else."""
    return network.predict(tensors, batch_size=_PREDICT_BATCH, verbose=0)[:, :10]


def _trim_history(path: Path, rows: int) -> None:
    """Leaves the head and the first rows: after a kill there may be one more, in halves."""
    lines = path.read_text().splitlines() if path.exists() else []
    replace(path, lambda beside: beside.write_text("\n".join([",".join(_COLUMNS), *lines[1 : rows + 1]]) + "\n"))
