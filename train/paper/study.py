"""The paper's experiments, each over several seeds, as a folder that can be gone on with: what `digitocr study` runs.

    study = Study(Path("runs/study"), load_mnist(), Plan(epochs=10), quantize)
    study.run(cells("paper"), seeds=5, jobs=2)
    read_results(Path("runs/study"))["runs"][0]["test"]["errors"]     # [[index, answer], ...] of 10,000 test images

The folder:

    study.json                            the plan, the data's digest, versions
    runs/3conv-3x3-average-bn-dropout-seed0.json     a run, written when it is over
    runs/3conv-3x3-average-bn-dropout-seed0.keras    its network, for the paper's four

A run that is there is not repeated, so a kill costs the runs in progress and more seeds or cells can be added later.
Networks of the same seed see the same images in the same order: differences between them are paired. The test images
are read once in a run, when its training is over; nothing is chosen by them.
"""

import json
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr import __version__
from digitocr.runtime.classifier import Classifier
from digitocr.runtime.errors import DigitocrError, InputError, MissingExtraError, OutputError, UsageError
from digitocr.runtime.preprocessing import scale
from digitocr.runtime.processes import begin
from digitocr.train.data import Bytes, Mnist, split
from digitocr.train.evaluation.corruptions import CORRUPTIONS, corrupted
from digitocr.train.evaluation.metrics import calibration_error, log_loss
from digitocr.train.quiet import silenced

try:
    with silenced():
        import keras

        from digitocr.train.classifier.loop import COLUMNS, probabilities, train
        from digitocr.train.classifier.network import EXPERIMENTS, Experiment, build_network, multiply_accumulates
        from digitocr.train.runs import data_card, now, write_json
except ImportError as error:
    raise MissingExtraError("train", "a study") from error

SCHEMA, RUN_SCHEMA = "digitocr-study/1", "digitocr-study-run/1"
SHOWN = 25  # misclassified images with all their probabilities
Quantize: TypeAlias = Callable[[Path, Path, Mnist], Path]  # a .keras file, a folder for the int8 file, the data


@dataclass(frozen=True)
class Plan:
    """What all runs of a study have in common. Raises UsageError for values that make no sense."""

    epochs: int = 10
    batch_size: int = 128

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value < 1:
                raise UsageError(f"{name.replace('_', ' ')} is {value}; it must be 1 or more")


def cells(part: str) -> list[Experiment]:
    """The networks of that part of a study, or of "all" of them, each once. Raises KeyError for no such part.

    paper: experiments 1 to 4. table: batch norm x dropout x pooling x kernel with three convolutions, experiments 2 and
    4 among them. padding: experiments 1 to 3 without padding anywhere, as the paper does not give theirs.
    """
    paper = list(EXPERIMENTS.values())
    table = [
        Experiment(3, kernel, pooling, batch_norm, dropout)
        for kernel, pooling, batch_norm, dropout in product((3, 5), ("max", "average"), (False, True), (False, True))
    ]
    padding = [replace(EXPERIMENTS[number], padding="valid") for number in (1, 2, 3)]
    parts = {"paper": paper, "table": table, "padding": padding, "all": [*paper, *table, *padding]}
    return list(dict.fromkeys(parts[part]))


def cell_name(cell: Experiment) -> str:
    """3conv-3x3-average-bn-dropout: what tells a cell of the study from the others."""
    words = [f"{cell.conv_layers}conv", f"{cell.kernel}x{cell.kernel}", cell.pooling]
    words += ["bn"] * cell.batch_norm + ["dropout"] * cell.dropout + ["valid"] * (cell.padding == "valid")
    return "-".join(words)


class Study:
    """A folder of runs.

    quantize: makes the int8 file of a .keras file in a folder and returns its path; for the paper's four.

    Raises UsageError for a folder of another plan, InputError for a damaged one and for one of other data, OutputError
    for a folder that holds something else or cannot be written, and where another process is at work in it.
    """

    def __init__(self, folder: Path, data: Mnist, plan: Plan, quantize: Quantize) -> None:
        self._folder, self._data, self._plan, self._quantize = folder, data, plan, quantize
        card = {
            "schema": SCHEMA,
            "plan": asdict(plan),
            "data": data_card(data),
            "versions": {
                "digitocr": __version__,
                "python": platform.python_version(),
                "keras": keras.__version__,
                keras.config.backend(): sys.modules[keras.config.backend()].__version__,
            },
        }
        head = folder / "study.json"
        if head.exists():
            begun = read_study(folder)
            if begun["data"] != card["data"]:
                raise InputError(f"{folder}: was begun with other data; give the same --data, or another --out")
            if begun["plan"] != card["plan"]:
                was = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in begun["plan"].items())
                raise UsageError(f"{folder}: was begun with {was}; go on with the same, or give another --out")
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if {path.name for path in folder.iterdir()} - {
                f".{head.stem}.part{head.suffix}"
            }:  # which a kill may have left
                raise OutputError(f"{folder}: holds something else than a study; give another --out")
            write_json(head, card)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be written ({error.strerror}); give another --out") from error

    def run(
        self, todo: Sequence[Experiment], seeds: int, jobs: int = 1, report: Callable[[str], None] = lambda _: None
    ) -> None:
        """Does those cells' runs of seeds 0 to seeds - 1 that are not there yet, so many at a time, seed by seed.

        report: is told a line after each run. KeyboardInterrupt passes and leaves what is finished.
        """
        if seeds < 1 or jobs < 1:
            raise UsageError("seeds and jobs must be 1 or more")
        with _alone(self._folder):
            (self._folder / "runs").mkdir(exist_ok=True)
            read_runs(self._folder)  # a damaged one is found before hours of work, not after
            left = [
                (cell, seed) for seed in range(seeds) for cell in todo if not self._path(cell, seed, ".json").exists()
            ]
            began = time.perf_counter()
            for number, line in enumerate(self._done(left, jobs), start=1):
                spent = time.perf_counter() - began
                rest = spent / number * (len(left) - number)
                report(f"{number}/{len(left)}  {line}  {spent / 60:.0f} min, {rest / 60:.0f} to go")

    def _done(self, left: Sequence[tuple[Experiment, int]], jobs: int) -> Iterator[str]:
        tasks = [(cell, seed, self._plan, self._path(cell, seed, ".json"), self._quantize) for cell, seed in left]
        if jobs == 1:
            for task in tasks:
                yield run_cell(self._data, *task)
            return
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(max(1, (os.cpu_count() or 1) // jobs))  # of the processes to come
        pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _begin, (self._data,))
        try:
            for future in as_completed([pool.submit(_run_cell, *task) for task in tasks]):
                yield future.result()
            pool.shutdown()  # waits: ended before its processes, this one would leave semaphores, and a warning of them
        except BrokenProcessPool as error:
            raise DigitocrError("a process died, perhaps for want of memory; go on with fewer --jobs") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _path(self, cell: Experiment, seed: int, suffix: str) -> Path:
        return self._folder / "runs" / f"{cell_name(cell)}-seed{seed}{suffix}"


def read_results(folder: Path) -> dict[str, Any]:
    """All that is there, as one JSON-ready value: study.json, and `runs`.

    Raises InputError for a folder that is damaged or holds no finished run.
    """
    runs = read_runs(folder)
    if not runs:
        raise InputError(f"{folder}: no run is finished in it; go on with: digitocr study --out {folder}")
    return {**read_study(folder), "runs": runs}


def read_study(folder: Path) -> dict[str, Any]:
    """study.json, checked. Raises InputError."""
    return _read(folder / "study.json", SCHEMA, "give another --out")


def read_runs(folder: Path) -> list[dict[str, Any]]:
    """The finished runs, in the order of cells and seeds. Raises InputError for one that is damaged."""
    runs = [
        _read(path, RUN_SCHEMA, "delete it to do that run again") for path in (folder / "runs").glob("*-seed*.json")
    ]
    order = {cell_name(cell): place for place, cell in enumerate(cells("all"))}
    return sorted(runs, key=lambda run: (order.get(run["cell"], len(order)), run["cell"], run["seed"]))


def _read(path: Path, schema: str, remedy: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if content["schema"] != schema:
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is damaged or of another version; {remedy}") from error
    return content


@silenced()
def run_cell(data: Mnist, cell: Experiment, seed: int, plan: Plan, path: Path, quantize: Quantize) -> str:
    """Trains a network, measures it, writes the result to path; returns a line for people. Raises OutputError."""
    keras.utils.clear_session()  # of the run before, in a process that does many
    keras.utils.set_random_seed(seed)
    network = build_network(cell)
    network.compile(optimizer=keras.optimizers.Adam(), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = train(network, data, split(data), plan.epochs, plan.batch_size, seed)
    given = probabilities(network, data.test_images)
    result: dict[str, Any] = {
        "schema": RUN_SCHEMA,
        "cell": cell_name(cell),
        "experiment": asdict(cell),
        "seed": seed,
        "ended": now(),
        "weights": network.count_params(),
        "multiply_accumulates": multiply_accumulates(network),
        "history": {name: [row[name] for row in history] for name in (*COLUMNS, "seconds")},
        "test": measured(given, data.test_labels),
    }
    try:
        if cell in EXPERIMENTS.values():
            model = path.with_suffix(".keras")
            bare = build_network(cell)  # what is saved without optimizer state: Keras has no switch
            bare.set_weights(network.get_weights())
            bare.save(model)
            result |= shown(network, given, data)
            result["corruptions"] = _robustness(network, data)
            result["int8"] = _int8(model, data, quantize)
        write_json(path, result)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror or error}); type the same again to go on"
        ) from error
    accuracy = 1 - len(result["test"]["errors"]) / len(data.test_labels)
    return f"{cell_name(cell)} seed {seed}: {accuracy:.2%}"


def measured(given: npt.NDArray[np.float32], labels: Bytes) -> dict[str, Any]:
    """What (N, classes) probabilities make of (N,) labels.

    Keys: images, errors ([index, answer] of each image that is answered wrong), log_loss, calibration_error (15 bins).
    """
    answers = given.argmax(axis=1)
    wrong = np.flatnonzero(answers != labels)
    return {
        "images": len(labels),
        "errors": [[int(index), int(answers[index])] for index in wrong],
        "log_loss": round(log_loss(labels, given), 6),
        "calibration_error": round(calibration_error(given.max(axis=1), answers == labels), 6),
    }


def shown(network: keras.Sequential, given: npt.NDArray[np.float32], data: Mnist) -> dict[str, Any]:
    """What the paper's figures show of one network.

    Keys: layers ([name, kind, output shape, weights] of each), first_layer (kernel (k, k, filters), bias (filters,),
    stride), misclassified (index and ten probabilities of the first SHOWN wrong answers).
    """
    convolution = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    kernel, bias = convolution.get_weights()
    wrong = np.flatnonzero(given.argmax(axis=1) != data.test_labels)[:SHOWN]
    return {
        "layers": [
            [layer.name, type(layer).__name__, list(layer.output.shape[1:]), layer.count_params()]
            for layer in network.layers
        ],
        "first_layer": {
            "kernel": _rounded(kernel[:, :, 0]),
            "bias": _rounded(bias),
            "stride": convolution.strides[0],
        },
        "misclassified": [{"index": int(index), "probabilities": _rounded(given[index])} for index in wrong],
    }


def _rounded(values: npt.NDArray[np.float32]) -> Any:
    """To four significant digits, which the eye cannot tell from more: nested lists."""
    return np.vectorize(lambda value: float(f"{value:.3e}"), otypes=[float])(values).tolist()


def _robustness(network: keras.Sequential, data: Mnist) -> dict[str, float]:
    """The accuracy under each of the corruptions of MNIST-C, all drawn from seed 0."""
    return {
        name: float(
            (probabilities(network, corrupted(data.test_images, name, 0)).argmax(axis=1) == data.test_labels).mean()
        )
        for name in CORRUPTIONS
    }


def _int8(model: Path, data: Mnist, quantize: Quantize) -> dict[str, Any]:
    """The int8 file: bytes, microseconds (one digit, one thread, the fastest of ten hundreds), errors as measured."""
    with TemporaryDirectory() as folder:
        path = quantize(model, Path(folder), data)
        classifier = Classifier(path)
        given = classifier.predict(scale(data.test_images))
        return {
            "bytes": path.stat().st_size,
            "microseconds": round(microseconds(classifier, data.test_images[:1]), 1),
            "errors": measured(given, data.test_labels)["errors"],
        }


def microseconds(classifier: Classifier, image: Bytes) -> float:
    """What one digit, (1, 28, 28) uint8, takes: the least of ten means of 100 calls, as other work only adds to it."""
    tensor = scale(image)
    means = []
    for _ in range(10):
        began = time.perf_counter()
        for _ in range(100):
            classifier.predict(tensor)
        means.append((time.perf_counter() - began) / 100)
    return 1e6 * min(means)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else runs in that folder. The lock ends with the process, however that ends."""
    import fcntl

    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutputError(
                f"{folder}: another study is at work in it; wait for it, or give another --out"
            ) from error
        yield


_worker: dict[str, Mnist] = {}  # what a process was begun with


def _begin(data: Mnist) -> None:
    begin()
    _worker["data"] = data


def _run_cell(cell: Experiment, seed: int, plan: Plan, path: Path, quantize: Quantize) -> str:
    return run_cell(_worker["data"], cell, seed, plan, path, quantize)
