"""Training a classifier as a run: a folder that records what was done, can be resumed after a kill, holds the result.

    metrics = fit(load_mnist(), Settings(experiment=4, seed=0), Path("runs/first"))
    metrics["test"]["accuracy"]     # 0.9925

The folder is that of runs.py, with history.csv of accuracy and loss on training (accuracy, loss) and held-out images
(val_accuracy, val_loss), and at the end:

    metrics.json    metrics.summary of the test images, which are not read before, and of the held-out images
    curves.png      the history and the confusion matrix

The order of the images depends on the seed and the epoch, dropout on the seed and the step: a resumed run shows the
network what an uninterrupted one does. Plain Keras 3, so each of its backends can train.
"""

import math
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np

from digitocr.runtime.errors import UsageError
from digitocr.runtime.preprocessing import Tensors, scale
from digitocr.train.classifier.augment import Augment
from digitocr.train.classifier.crops import draw_all, with_others
from digitocr.train.classifier.recipes import RECIPES, Recipe
from digitocr.train.data import Bytes, Indices, Mnist, fewer, split
from digitocr.train.evaluation.metrics import summary
from digitocr.train.keras_backend import keras_needed
from digitocr.train.quiet import progress_line, progress_stream, remaining
from digitocr.train.runs import HISTORY, Row, Run, begin, read_history, read_record, train_command
from digitocr.train.runs import resume as resume_run
from digitocr.train.synthesis.fonts import find_fonts, seen

with keras_needed("train", "training"):
    import keras

    from digitocr.train.classifier.batch_norm import debias
    from digitocr.train.classifier.network import EXPERIMENTS, build_network
    from digitocr.train.paper.figures import draw_curves

_MEASURES = ("accuracy", "loss", "val_accuracy", "val_loss")  # columns of history.csv, as Keras names them
LEAST_IMAGES = 120  # of which ten are held out: one of each digit
_PREDICT_BATCH = 500  # images per call


@dataclass(frozen=True)
class Settings:
    """What a classifier's run depends on besides the data. Raises UsageError for values outside their range.

    Attributes:
        experiment: Network of the paper, 1 to 4; 4 is its best.
        recipe: Name in RECIPES: "paper", "best" or "robust".
        epochs: Number of epochs, 1 or more; None for the recipe's.
        batch_size: Images per step, 1 or more; None for the recipe's.
        seed: 0 to 2**31 - 1, of first weights, order, dropout and augmentation.
        fonts: Folder of the fonts that scenes are drawn with; empty for those of this machine.
        images: Training images, the held-out ones among them, for a lesson; 0 for all.
    """

    kind: ClassVar[str] = "classifier"
    model_file: ClassVar[str] = "model.keras"

    experiment: int = 4
    recipe: str = "paper"
    epochs: int = cast(int, None)
    batch_size: int = cast(int, None)
    seed: int = 0
    fonts: str = ""
    images: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) is None and self.recipe in RECIPES:
                object.__setattr__(self, name, getattr(RECIPES[self.recipe], name))
        for name, good, rule in (
            ("recipe", self.recipe in RECIPES, f"one of {', '.join(RECIPES)}"),
            ("experiment", self.experiment in EXPERIMENTS, f"one of {', '.join(map(str, EXPERIMENTS))}"),
            ("epochs", self.epochs is None or self.epochs >= 1, "1 or more"),
            ("batch_size", self.batch_size is None or self.batch_size >= 1, "1 or more"),
            ("seed", 0 <= self.seed < 2**31, "0 to 2147483647"),
            ("images", self.images == 0 or self.images >= LEAST_IMAGES, f"{LEAST_IMAGES} or more, or 0 for all"),
        ):
            if not good:
                raise UsageError(f"{name.replace('_', ' ')} is {getattr(self, name)}; it must be {rule}")

    @property
    def command(self) -> str:
        """The command line that repeats the run."""
        return train_command({**asdict(self), "images": self.images or ""})

    def font_files(self) -> list[Path]:
        """The fonts that the recipe draws scenes with; empty if it draws none. Raises InputError."""
        if not RECIPES[self.recipe].scenes:
            return []
        return seen(find_fonts(Path(self.fonts) if self.fonts else None))


def fit(data: Mnist, settings: Settings, folder: Path, quiet: bool = False) -> dict[str, Any]:
    """Trains into a new folder; returns the content of metrics.json: metrics.summary of "test" and of "held_out".

    One in twelve of the training images (5,000 of MNIST), stratified and the same for every run, is held out and
    measured after each epoch. Unless quiet, writes progress on stderr: Keras's bars on a terminal, else one line per
    epoch. Seeds Keras, NumPy and random.

    Raises OutputError if the folder exists or cannot be written, InputError if the recipe draws and finds no fonts, and
    UsageError if there are fewer training images than the settings ask for. KeyboardInterrupt passes, and `resume`
    continues.
    """
    data = fewer(data, settings.images) if settings.images else data
    return _train(begin(folder, settings, data), data, quiet)


def resume(folder: Path, data: Mnist, quiet: bool = False) -> dict[str, Any]:
    """Continues an interrupted or killed run to the epochs that it was begun with; returns what `fit` returns.

    Raises what runs.resume raises, and ModelError if Keras cannot load the checkpoint.
    """
    images = read_record(folder)["settings"].get("images")  # what is no number is told by resume_run
    data = fewer(data, images) if isinstance(images, int) and 0 < images <= len(data.train_labels) else data
    return _train(resume_run(folder, Settings, data), data, quiet)


def _train(run: Run[Settings], data: Mnist, quiet: bool) -> dict[str, Any]:
    """Trains the epochs that are left, measures the network, and closes the run."""
    settings, recipe = run.settings, RECIPES[run.settings.recipe]
    training, held = split(data)
    steps = math.ceil(len(training) / settings.batch_size)
    keras.utils.set_random_seed(settings.seed)
    network = run.checkpoint()
    if network is None:
        network = _compiled(settings, steps)
    bare = build_network(
        settings.experiment, recipe.classes
    )  # the network that is kept: Keras saves a compiled one with optimizer
    done = int(network.optimizer.iterations) // steps
    dropping = [layer for layer in network.layers if isinstance(layer, keras.layers.Dropout) and layer.rate]
    for number, layer in enumerate(dropping):
        layer.seed_generator.state.assign([settings.seed + number, done * steps])  # it counts steps, and is not saved
    held_images, held_labels = scale(data.train_images[held]), data.train_labels[held]
    if done < settings.epochs:
        augment = _augment(run, data, training, quiet)
        bar = progress_stream(quiet)
        with redirect_stdout(bar or sys.stdout):  # Keras draws its bar on stdout
            network.fit(
                _batches(data, training, settings, augment, done),
                steps_per_epoch=steps,
                initial_epoch=done,
                epochs=settings.epochs,
                shuffle=False,  # _batches shuffles
                validation_data=(held_images, _one_hot(held_labels, recipe)),
                validation_batch_size=_PREDICT_BATCH,
                callbacks=[_Epochs(run, bare, quiet or bar is not None)],
                verbose=1 if bar else 0,
            )
    start = _take_over(bare, network)
    if start:
        progress_line(
            f"batch norm: its moving averages still hold {100 * start:.2g} % of their start values after "
            f"{settings.epochs * steps} steps; these are removed",
            quiet,
        )
    metrics = {
        "test": summary(data.test_labels, _probabilities(bare, scale(data.test_images))),
        "held_out": summary(held_labels, _probabilities(bare, held_images)),
    }
    history = read_history(run.folder / HISTORY)
    run.write_json("metrics.json", metrics)
    with run.writing("curves.png") as path:
        draw_curves(history, metrics["test"]["confusion"], path)
    run.finish()
    return metrics


def _compiled(settings: Settings, steps: int) -> keras.Model:
    """A fresh network of the settings; steps: number per epoch."""
    recipe = RECIPES[settings.recipe]
    network = build_network(settings.experiment, recipe.classes)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = recipe.dropout
    rate: Any = recipe.learning_rate
    if recipe.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, steps * settings.epochs)
    optimizer = (
        keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
        if recipe.weight_decay
        else keras.optimizers.Adam(rate)
    )
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
    network.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    return network


def _augment(run: Run[Settings], data: Mnist, training: Indices, quiet: bool) -> Augment | None:
    """The augmentation of a recipe with scenes; draws the scenes, which takes minutes. None for other recipes."""
    scenes = RECIPES[run.settings.recipe].scenes
    if not scenes:
        return None
    progress_line(f"drawing {scenes:,} scenes with {len(run.fonts)} fonts before the first epoch", quiet)
    images, labels = data.train_images[training], data.train_labels[training]
    return Augment(with_others(draw_all(scenes, run.settings.seed, images, labels, run.fonts), data.train_others))


def _batches(
    data: Mnist, training: Indices, settings: Settings, augment: Augment | None, done: int
) -> Iterator[tuple[Tensors, Tensors]]:
    """The batches of all epochs after `done`: (batch, 28, 28, 1) and (batch, classes) float32.

    The last batch of an epoch is shorter. Batches are made from bytes when they are needed: that takes less memory than
    an array of floats, and no more time.
    """
    recipe = RECIPES[settings.recipe]
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
            yield scale(images), _one_hot(labels, recipe)


def _one_hot(labels: Bytes, recipe: Recipe) -> Tensors:
    """(N, classes) float32 of (N,) uint8; Keras smooths labels in this form only."""
    return np.eye(recipe.classes, dtype=np.float32)[labels]


def _take_over(bare: keras.Model, network: keras.Model) -> float:
    """Gives `bare` the weights of the trained network, batch norm corrected; returns what `debias` returns."""
    bare.set_weights(network.get_weights())
    return debias(bare, int(network.optimizer.iterations))


class _Epochs(keras.callbacks.Callback):  # type: ignore[misc]  # keras ships no types
    """Keeps each epoch in the run's folder; measures held-out images with batch norm as in the kept network."""

    def __init__(self, run: Run[Settings], bare: keras.Model, quiet: bool) -> None:
        super().__init__()
        self._run, self._bare, self._quiet = run, bare, quiet
        self._began = 0.0
        self._trained: list[Any] = []  # weights that are put back after a measurement with others

    def on_epoch_begin(self, epoch: int, logs: Row | None = None) -> None:  # noqa: ARG002  # Keras's names
        self._began = time.perf_counter()

    def on_test_begin(self, logs: Row | None = None) -> None:  # noqa: ARG002
        weights = self.model.get_weights()
        self._trained = weights if debias(self.model, int(self.model.optimizer.iterations)) else []

    def on_test_end(self, logs: Row | None = None) -> None:  # noqa: ARG002
        if self._trained:
            self.model.set_weights(self._trained)

    def on_epoch_end(self, epoch: int, logs: Row) -> None:
        seconds = time.perf_counter() - self._began
        row = {"epoch": epoch + 1} | {name: float(logs[name]) for name in _MEASURES} | {"seconds": seconds}
        _take_over(self._bare, self.model)
        self._run.keep(row, self._bare, self.model)
        epochs = self._run.settings.epochs
        progress_line(
            f"epoch {epoch + 1} of {epochs}: accuracy {row['accuracy']:.2%}, loss {row['loss']:.4f}; held out "
            f"{row['val_accuracy']:.2%}, loss {row['val_loss']:.4f}; {remaining(seconds, epochs - epoch - 1)}",
            self._quiet,
        )


def _probabilities(network: keras.Model, tensors: Tensors) -> Any:
    """(N, 10) float32: the probabilities of the digits, without "no digit", which MNIST does not contain."""
    return network.predict(tensors, batch_size=_PREDICT_BATCH, verbose=0)[:, :10]
