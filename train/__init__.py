"""Training and measuring the networks. Needs the extra `train`.

Names load their libraries on first use, so this import is cheap.

>>> from pathlib import Path
>>> from digitocr.train import DetectorSettings, RecognizerSettings, Settings
>>> from digitocr.train import evaluate, find_fonts, fit, load_mnist, resume

A classifier learns MNIST; a run is a folder:

>>> data = load_mnist(Path("mnist"))
>>> metrics = fit(data, Settings(recipe="paper", epochs=1), Path("runs/first"), quiet=True)
>>> metrics["test"]["images"]
10000
>>> sorted(path.name for path in Path("runs/first").iterdir())
['curves.png', 'history.csv', 'metrics.json', 'model.keras', 'run.json']

A run that was interrupted continues from its last full epoch, and this one is finished:

>>> resume(Path("runs/first"), data)
Traceback (most recent call last):
digitocr.runtime.errors.UsageError: runs/first: is finished, 1 epochs; start a new run without --resume

The detector is trained on synthetic scenes, for some 40 minutes:

>>> row = fit(data, DetectorSettings(fonts="fonts"), Path("runs/detector"))     # doctest: +SKIP
>>> row["found"]                                                                # doctest: +SKIP
0.98

The recognizer is trained on drawn lines, for some 45 minutes:

>>> row = fit(data, RecognizerSettings(fonts="fonts"), Path("runs/recognizer"))   # doctest: +SKIP
>>> row["digits"]                                                               # doctest: +SKIP
0.97

The shipped networks learn own pictures in minutes, without forgetting others:

>>> report = fit(data, AdaptSettings("meter/labels.json", fonts="fonts"), Path("runs/meter"))   # doctest: +SKIP
>>> report["own"]["mended"], report["own"]["broken"]                            # doctest: +SKIP
(12, 1)

A model file is measured on MNIST, corrupted images, pictures without digits, and drawn pages:

>>> report = evaluate(None, data, find_fonts(Path("fonts")))                    # the shipped one
>>> report["mnist"]["images"]
10000
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from digitocr.train.adapt.fit import AdaptSettings
    from digitocr.train.classifier.fit import Settings
    from digitocr.train.classifier.network import Experiment, build_network
    from digitocr.train.classifier.recipes import RECIPES, Recipe
    from digitocr.train.data import Mnist, fewer, load_mnist
    from digitocr.train.detector.fit import DetectorSettings
    from digitocr.train.evaluation.evaluate import evaluate
    from digitocr.train.memory import keep_freed
    from digitocr.train.recognizer.fit import RecognizerSettings
    from digitocr.train.sources.load import load_data
    from digitocr.train.synthesis.fonts import find_fonts

__all__ = [
    "RECIPES",
    "AdaptSettings",
    "DetectorSettings",
    "Experiment",
    "Mnist",
    "Recipe",
    "RecognizerSettings",
    "Settings",
    "build_network",
    "evaluate",
    "fewer",
    "find_fonts",
    "fit",
    "keep_freed",
    "load_data",
    "load_mnist",
    "resume",
]

_HOMES = {
    "AdaptSettings": "adapt.fit",
    "DetectorSettings": "detector.fit",
    "Experiment": "classifier.network",
    "Mnist": "data",
    "RECIPES": "classifier.recipes",
    "Recipe": "classifier.recipes",
    "RecognizerSettings": "recognizer.fit",
    "Settings": "classifier.fit",
    "build_network": "classifier.network",
    "evaluate": "evaluation.evaluate",
    "fewer": "data",
    "find_fonts": "synthesis.fonts",
    "keep_freed": "memory",
    "load_data": "sources.load",
    "load_mnist": "data",
}


@overload
def fit(data: "Mnist", settings: "Settings | AdaptSettings", folder: Path, quiet: bool = False) -> dict[str, Any]: ...
@overload
def fit(
    data: "Mnist", settings: "DetectorSettings | RecognizerSettings", folder: Path, quiet: bool = False
) -> dict[str, float]: ...
def fit(
    data: "Mnist",
    settings: "Settings | DetectorSettings | RecognizerSettings | AdaptSettings",
    folder: Path,
    quiet: bool = False,
) -> dict[str, Any] | dict[str, float]:
    """Trains a network into a new folder, which records what was done and can be resumed.

    Args:
        data: MNIST, or own data from `load_data`.
        settings: `Settings` for a classifier, `DetectorSettings` for a detector, `RecognizerSettings` for a recognizer,
            `AdaptSettings` to teach all three own pictures.
        folder: The run's folder; it must not exist.
        quiet: Whether to write no progress on stderr.

    Returns:
        For a classifier the content of metrics.json: for "test" and "held_out" images, accuracy, accuracy per class,
        95 % interval and so on. For a detector the last row of history.csv: "loss", "found", "right" and times.
        For a recognizer as well: "loss", "digits", "exact" and times. For own pictures the content of adapt.json.

    Raises:
        OutputError: The folder exists or cannot be written.
        InputError: Scenes or lines have to be drawn and there are no fonts, or own pictures cannot be used.
        GateError: Own pictures are not read better than before, or others worse than allowed.
        ModelError: The first weights of a detector or recognizer cannot be used.
        MissingExtraError: Keras is not installed.
    """
    trained: dict[str, Any] = import_module(f"digitocr.train.{settings.kind}.fit").fit(data, settings, folder, quiet)
    return trained


def resume(folder: Path, data: "Mnist", quiet: bool = False) -> dict[str, Any]:
    """Continues an interrupted or killed run from its last full epoch, to the epochs that it was begun with.

    Args:
        folder: A folder that `fit` made.
        data: The same data as then.
        quiet: Whether to write no progress on stderr.

    Returns:
        What `fit` returns.

    Raises:
        UsageError: There is no run in the folder, or it is finished.
        InputError: run.json is damaged, or data or fonts differ from those that the run was begun with.
        ModelError: Keras cannot load the checkpoint.
        OutputError: The folder cannot be written.
        MissingExtraError: Keras is not installed.
    """
    from digitocr.train.runs import read_record

    kind = read_record(folder)["kind"]
    trained: dict[str, Any] = import_module(f"digitocr.train.{kind}.fit").resume(folder, data, quiet)
    return trained


def __getattr__(name: str) -> Any:  # loads a name on first use (PEP 562)
    if name not in _HOMES:
        raise AttributeError(f"module 'digitocr.train' has no attribute {name!r}")
    return getattr(import_module(f"digitocr.train.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
