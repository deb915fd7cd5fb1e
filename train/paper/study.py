"""The paper's experiments, each over several seeds, in a folder that can be resumed: what `digitocr study` runs.

    study = Study(Path("runs/study"), load_mnist(), StudyPlan(epochs=10), quantize)
    study.run(cells("paper"), seeds=5, jobs=2)
    read_results(Path("runs/study"))["runs"][0]["test"]["errors"]     # [[index, answer], ...] of 10,000 test images

The folder:

    study.json                                       the plan, the digest of the data, versions
    runs/3conv-3x3-average-bn-dropout-seed0.json     a finished run
    runs/3conv-3x3-average-bn-dropout-seed0.keras    its network, for the paper's four
    lock                                             held by the process that works in the folder

Finished runs are not repeated: a kill loses only the runs in progress, and seeds or cells can be added later. Networks
of the same seed see the same images in the same order, so that they can be compared in pairs. The test images are read
once in a run, after its training; no choice depends on them.
"""

import multiprocessing
import os
import platform
import shlex
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
from digitocr.runtime.errors import DigitocrError, InputError, OutputError, UsageError
from digitocr.runtime.files import remove_abandoned, replacing, shown_files
from digitocr.runtime.preprocessing import scale
from digitocr.runtime.processes import begin
from digitocr.train.data import Bytes, Mnist, fewer, split, stratified
from digitocr.train.evaluation.corruptions import CORRUPTIONS, corrupted
from digitocr.train.evaluation.metrics import calibration_error, log_loss
from digitocr.train.keras_backend import keras_needed
from digitocr.train.paper.schemas import STUDY, fits_run, read_json
from digitocr.train.quiet import silenced

with keras_needed("train", "a study"):
    import filelock
    import keras

    from digitocr.train.classifier.batch_norm import debias
    from digitocr.train.classifier.loop import COLUMNS, probabilities, train
    from digitocr.train.classifier.network import EXPERIMENTS, Experiment, build_network, multiply_accumulates
    from digitocr.train.runs import data_card, is_of, now, write_json

STUDY_SCHEMA = "digitocr-study/1"  # of study.json
STUDY_RUN_SCHEMA = "digitocr-study-run/1"  # of the file of a run
MISCLASSIFIED = 25  # misclassified images that are kept with all their probabilities
TIMED_MEANS = 10  # means that are taken; the least of them counts
TIMED_CALLS = 100  # calls in each mean
Quantize: TypeAlias = Callable[[Path, Path, Mnist], Path]  # a .keras file, a folder for the int8 file, the data


@dataclass(frozen=True)
class StudyPlan:
    """The settings that all runs of a study share. Raises UsageError for values below 1.

    Attributes:
        epochs: Epochs of each run.
        batch_size: Images in a training step.
        images: Training images, the held-out ones among them, and images that are corrupted to test with; None for
            all.
    """

    epochs: int = 10
    batch_size: int = 128
    images: int | None = None

    def __post_init__(self) -> None:
        for name, value in self.to_dict().items():
            if value < 1:
                raise UsageError(f"{name.replace('_', ' ')} is {value}; it must be 1 or more")

    def to_dict(self) -> dict[str, int]:
        """The plan as study.json has it: without what is None."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def cells(part: str) -> list[Experiment]:
    """The networks of a part of the study, or of "all" parts, without duplicates. Raises KeyError for no such part.

    Parts: "paper" is experiments 1 to 4; "table" is batch norm x dropout x pooling x kernel with three convolutions,
    which includes experiments 2 and 4; "padding" is experiments 1 to 3 with valid padding in every convolution, since
    the paper does not give their padding.
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
    """The name of a cell in files and results, such as 3conv-3x3-average-bn-dropout."""
    words = [f"{cell.conv_layers}conv", f"{cell.kernel}x{cell.kernel}", cell.pooling]
    words += ["bn"] * cell.batch_norm + ["dropout"] * cell.dropout + ["valid"] * (cell.padding == "valid")
    return "-".join(words)


class Study:
    """A study in a folder, which is made if it is not there, and resumed if it holds the same study.

    Args:
        folder: Holds the runs.
        data: Trained and tested with.
        plan: What all runs share.
        quantize: Makes the int8 file of a .keras file in a folder and returns its path; called for the paper's four.

    Raises:
        UsageError: The folder holds a study with another plan.
        InputError: The folder holds a study of other data, or is damaged.
        OutputError: The folder holds something else, or cannot be written.
    """

    def __init__(self, folder: Path, data: Mnist, plan: StudyPlan, quantize: Quantize) -> None:
        data = fewer(data, plan.images) if plan.images else data
        self._folder, self._data, self._plan, self._quantize = folder, data, plan, quantize
        card = {
            "schema": STUDY_SCHEMA,
            "plan": plan.to_dict(),
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
            if begun["plan"] != card["plan"]:
                options = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in begun["plan"].items())
                raise UsageError(f"{folder}: holds a study with {options}; give the same options, or another --out")
            if not is_of(begun["data"], data):
                raise InputError(f"{folder}: holds a study of other data; give the same --data, or another --out")
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # A kill while head is written leaves a part of it under a hidden name.
            if any(not path.name.startswith(".") for path in folder.iterdir()):
                raise OutputError(f"{folder}: is not empty and holds no study; give another --out")
            write_json(head, card)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be written ({error.strerror}); give another --out") from error

    def run(
        self, todo: Sequence[Experiment], seeds: int, jobs: int = 1, report: Callable[[str], None] = lambda _: None
    ) -> None:
        """Does the runs of these cells, of seeds 0 to seeds - 1, that are not finished yet, seed by seed.

        Args:
            todo: The cells.
            seeds: Runs of each cell.
            jobs: Runs at the same time, each in a process.
            report: Called with a line after each run.

        Raises:
            InputError: A finished run is damaged.
            OutputError: A file cannot be written, or another process works in the folder.
            DigitocrError: A process died.
        """
        if seeds < 1 or jobs < 1:
            raise UsageError("seeds and jobs must be 1 or more")
        with _locked(self._folder):
            read_runs(self._folder)  # finds a damaged run before hours of work
            left = [
                (cell, seed) for seed in range(seeds) for cell in todo if not self._path(cell, seed, ".json").exists()
            ]
            began = time.perf_counter()
            for number, line in enumerate(self._done(left, jobs), start=1):
                spent = time.perf_counter() - began
                rest = spent / number * (len(left) - number)
                report(f"{number}/{len(left)}  {line}  {spent / 60:.0f} min, about {rest / 60:.0f} min left")

    def _done(self, left: Sequence[tuple[Experiment, int]], jobs: int) -> Iterator[str]:
        tasks = [(cell, seed, self._plan, self._path(cell, seed, ".json"), self._quantize) for cell, seed in left]
        if jobs == 1:
            for task in tasks:
                yield run_cell(self._data, *task)
            return
        threads = max(1, (os.cpu_count() or 1) // jobs)
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)  # read by the processes that the pool starts
        pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _begin, (self._data,))
        try:
            for future in as_completed([pool.submit(_run_cell, *task) for task in tasks]):
                yield future.result()
            pool.shutdown()  # waits: if this process ended first, the semaphores of the pool would leak, with a warning
        except BrokenProcessPool as error:
            raise DigitocrError(
                "a worker process died, perhaps because memory ran out; resume with fewer --jobs"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _path(self, cell: Experiment, seed: int, suffix: str) -> Path:
        return self._folder / "runs" / f"{cell_name(cell)}-seed{seed}{suffix}"


def read_results(folder: Path) -> dict[str, Any]:
    """The content of study.json, and the finished runs under the key "runs".

    Raises InputError for a folder that is damaged or holds no finished run.
    """
    runs = read_runs(folder)
    if not runs:
        raise InputError(f"{folder}: no run is finished; resume with: digitocr study --out {shlex.quote(str(folder))}")
    return {**read_study(folder), "runs": runs}


def read_study(folder: Path) -> dict[str, Any]:
    """The content of study.json. Raises InputError where it is damaged."""
    return read_json(folder / "study.json", STUDY, "give another --out")


def read_runs(folder: Path) -> list[dict[str, Any]]:
    """The finished runs, in the order of cells and seeds. Raises InputError for one that is damaged."""
    paths = shown_files(folder / "runs", "*-seed*.json")
    runs = [read_json(path, fits_run, "delete it to repeat that run") for path in paths]
    order = {cell_name(cell): place for place, cell in enumerate(cells("all"))}
    return sorted(runs, key=lambda run: (order.get(run["cell"], len(order)), run["cell"], run["seed"]))


@silenced()
def run_cell(data: Mnist, cell: Experiment, seed: int, plan: StudyPlan, path: Path, quantize: Quantize) -> str:
    """Trains and measures one network, and writes the record of the run to `path`; returns a line of progress.

    Raises OutputError where a file cannot be written.
    """
    keras.utils.clear_session()  # frees the network of the previous run in this process
    keras.utils.set_random_seed(seed)
    network = build_network(cell)
    network.compile(optimizer=keras.optimizers.Adam(), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = train(network, data, split(data), plan.epochs, plan.batch_size, seed)
    debias(network, int(network.optimizer.iterations))  # which matters after few steps alone
    given = probabilities(network, data.test_images)
    result: dict[str, Any] = {
        "schema": STUDY_RUN_SCHEMA,
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
            bare = build_network(cell)  # Keras cannot leave out the optimizer's state when it saves
            bare.set_weights(network.get_weights())
            with replacing(model) as beside:
                bare.save(beside)
            result |= inspected(network, given, data)
            result["corruptions"] = _robustness(network, data, plan.images)
            result["int8"] = _int8(model, data, quantize)
        write_json(path, result)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror or error}); run the same command again to resume"
        ) from error
    accuracy = 1 - len(result["test"]["errors"]) / len(data.test_labels)
    return f"{cell_name(cell)} seed {seed}: {accuracy:.2%}"


def measured(given: npt.NDArray[np.float32], labels: Bytes) -> dict[str, Any]:
    """Scores (N, classes) probabilities against (N,) labels.

    Keys: images (N), errors ([index, answer] of each wrong answer), log_loss, calibration_error (15 bins).
    """
    answers = given.argmax(axis=1)
    wrong = np.flatnonzero(answers != labels)
    return {
        "images": len(labels),
        "errors": [[int(index), int(answers[index])] for index in wrong],
        "log_loss": round(log_loss(labels, given), 6),
        "calibration_error": round(calibration_error(given.max(axis=1), answers == labels), 6),
    }


def inspected(network: keras.Sequential, given: npt.NDArray[np.float32], data: Mnist) -> dict[str, Any]:
    """The values of one network that the paper's figures show. given: its (N, 10) probabilities of the test images.

    Keys: layers ([name, kind, output shape, weights] of each), first_layer (kernel (k, k, filters), bias (filters,),
    stride), misclassified (index and ten probabilities of the first MISCLASSIFIED wrong answers).
    """
    convolution = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    kernel, bias = convolution.get_weights()
    wrong = np.flatnonzero(given.argmax(axis=1) != data.test_labels)[:MISCLASSIFIED]
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
    """Nested lists of four significant digits, enough for a figure."""
    return np.vectorize(lambda value: float(f"{value:.3e}"), otypes=[float])(values).tolist()


def _robustness(network: keras.Sequential, data: Mnist, images: int | None) -> dict[str, float]:
    """The accuracy on test images, all or so many, under each corruption of MNIST-C's kinds, generated from seed 0."""
    count = len(data.test_labels)
    rows = stratified(data.test_labels, min(images or count, count), seed=0)
    shown, labels = data.test_images[rows], data.test_labels[rows]
    return {
        name: float((probabilities(network, corrupted(shown, name, 0)).argmax(axis=1) == labels).mean())
        for name in CORRUPTIONS
    }


def _int8(model: Path, data: Mnist, quantize: Quantize) -> dict[str, Any]:
    """Measures the int8 file. Keys: bytes, microseconds (of one digit on one thread), errors (as in `measured`)."""
    with TemporaryDirectory() as folder:
        path = quantize(model, Path(folder), data)
        classifier = Classifier(path)
        given = classifier.predict(scale(data.test_images))[:, :10]
        return {
            "bytes": path.stat().st_size,
            "microseconds": round(microseconds(classifier, data.test_images[:1]), 1),
            "errors": measured(given, data.test_labels)["errors"],
        }


def microseconds(classifier: Classifier, image: Bytes) -> float:
    """The time of one digit, (1, 28, 28) uint8: the least of TIMED_MEANS means, since other load can only add to it."""
    tensor = scale(image)
    means = []
    for _ in range(TIMED_MEANS):
        began = time.perf_counter()
        for _ in range(TIMED_CALLS):
            classifier.predict(tensor)
        means.append((time.perf_counter() - began) / TIMED_CALLS)
    return 1e6 * min(means)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keeps other processes out of the folder, and makes the subfolder of its runs.

    The system releases the lock if this process dies.
    """
    try:
        lock = filelock.FileLock(folder / "lock")
        lock.acquire(timeout=0)
        (folder / "runs").mkdir(exist_ok=True)
        for part in (folder, folder / "runs"):
            remove_abandoned(part, alone=True)
    except filelock.Timeout as error:
        raise OutputError(
            f"{folder}: another process works on this study; wait for it, or give another --out"
        ) from error
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror or error}); give another --out") from error
    try:
        yield
    finally:
        lock.release()


_worker: dict[str, Mnist] = {}  # the data of a worker process, sent once and not with every run


def _begin(data: Mnist) -> None:
    """Runs first in each worker process."""
    begin()
    _worker["data"] = data


def _run_cell(cell: Experiment, seed: int, plan: StudyPlan, path: Path, quantize: Quantize) -> str:
    """One run in a worker process; as run_cell."""
    return run_cell(_worker["data"], cell, seed, plan, path, quantize)
