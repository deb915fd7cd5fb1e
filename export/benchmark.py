"""Model files measured beside each other on this machine: size, accuracy, speed, start and memory.

    result = benchmark([Path("digitocr-int8.onnx"), Path("digitocr-int8.tflite")], load_mnist())
    print(as_text(result))
    plot(result, Path("models.svg"))

Each file is measured in a process of its own that imports numpy and its interpreter and nothing else
(train/evaluation/interpreters.py), on one thread, the files in turns, so that other load meets all of them.
"""

import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from digitocr.export.runtimes import DEFAULTS, RUNTIMES
from digitocr.runtime.errors import ModelError
from digitocr.runtime.preprocessing import scale
from digitocr.train.data import Mnist
from digitocr.train.evaluation import interpreters
from digitocr.train.evaluation.interface import BATCH
from digitocr.train.evaluation.metrics import wilson
from digitocr.train.evaluation.model_file import ModelFile

BENCHMARK_SCHEMA = "digitocr-benchmark/1"
ROUNDS = 20  # of measurements, all files in turn
TURN_SECONDS = 0.1  # s; about what a file is measured for in a round
MOST_CALLS = 100  # of single digits in a round
COLD_STARTS = 3  # of each file; the median counts
BLOCK = 500  # images that are classified between two files' turns
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
CHANGED, KB, MB = "changed", 1_000, 1_000_000


def benchmark(paths: Sequence[Path], data: Mnist, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measures files of networks that read a digit, whoever made them.

    Args:
        paths: .onnx, .tflite and .keras files; answers are compared with those of the first one.
        data: MNIST or own data, whose test images are read.
        rounds: Of the measurements of time.

    Returns:
        JSON-ready: schema, machine, images, rounds, and models, for each file: file, sha256, kb, runtime, version,
        accuracy, interval (Wilson's 95 %), changed (answers), p50_us and p95_us (of a call with `least` digits, which
        is 1 unless the file has a fixed batch), per_second (digits, in calls of `batch`), least, batch, cold_ms (from
        the start of a process to its first answer), memory_mb (the peak of that process), findings (what was found out
        about its input and output; empty for files of `digitocr export`).

    Raises:
        ModelError: A file cannot be used, or ends its process.
        MissingExtraError: Its interpreter is not installed.
    """
    tensors, truth = scale(data.test_images), data.test_labels
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bare = []
        for number, path in enumerate(paths):
            model = ModelFile(path, data)
            blocks = [model.predict(tensors[at : at + BLOCK])[:, :10] for at in range(0, len(tensors), BLOCK)]
            answers = np.concatenate(blocks).argmax(axis=1)
            if not number:
                first = answers
            fixed = model.interface.signature.input.shape[0]
            pictures = Path(folder, f"{number}.npy")
            np.save(pictures, model.interface.filled(model.interface.inputs(tensors[:BATCH])))
            right = int((answers == truth).sum())
            runtime = DEFAULTS[path.suffix]
            rows.append(
                {
                    "file": path.name if [one.name for one in paths].count(path.name) == 1 else str(path),
                    "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                    "kb": round(_bytes(path) / KB, 1),
                    "runtime": runtime,
                    "version": version(RUNTIMES[runtime].packages[0]),
                    "accuracy": right / len(truth),
                    "interval": list(wilson(right, len(truth))),
                    "changed": int((answers != first).sum()),
                    "batch": fixed or min(BATCH, len(truth)),
                    "least": fixed or 1,
                    "findings": [] if model.card else model.interface.described()["findings"],
                }
            )
            starts = []
            for _ in range(COLD_STARTS - 1):
                with started(path, pictures) as process:
                    starts.append(process.cold_seconds)
            bare.append(stack.enter_context(started(path, pictures)))
            starts.append(bare[-1].cold_seconds)
            rows[-1]["cold_ms"] = round(1e3 * statistics.median(starts), 1)
        _time(rows, bare, rounds)
    return {
        "schema": BENCHMARK_SCHEMA,
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version()},
        "images": len(truth),
        "rounds": rounds,
        "models": rows,
    }


def _bytes(path: Path) -> int:
    """The size of a model's file, with that of the weights that PyTorch writes beside an ONNX file."""
    weights = path.with_name(f"{path.name}.data")
    beside = weights.stat().st_size if path.suffix == ".onnx" and weights.is_file() else 0
    return path.stat().st_size + beside


def _time(rows: list[dict[str, Any]], processes: "list[Process]", rounds: int) -> None:
    """Adds the times and the memory to the rows."""
    singles: list[list[float]] = [[] for _ in rows]
    batches: list[list[float]] = [[] for _ in rows]
    calls = []
    for row, process in zip(rows, processes, strict=True):
        usual = statistics.median(process.seconds(3, row["least"]))
        calls.append(max(1, min(MOST_CALLS, round(TURN_SECONDS / usual))))
    for _ in range(rounds):
        for row, process, count, one, many in zip(rows, processes, calls, singles, batches, strict=True):
            one += process.seconds(count, row["least"])
            many += process.seconds(max(1, count // row["batch"]), row["batch"])
    for row, process, one, many in zip(rows, processes, singles, batches, strict=True):
        p50, p95 = np.quantile(one, [0.5, 0.95])
        row["p50_us"], row["p95_us"] = round(1e6 * float(p50), 1), round(1e6 * float(p95), 1)
        row["per_second"] = round(row["batch"] / statistics.median(many))
        row["memory_mb"] = round(process.peak() / MB, 1)


class Process:
    """A file in a process that runs nothing else; what it prints is said in train/evaluation/interpreters.py.

    Attributes:
        cold_seconds: From the start of the process to its first answer.
    """

    def __init__(self, path: Path, pictures: Path) -> None:
        self._path = path
        words = [sys.executable, interpreters.__file__, str(path), str(pictures)]
        environment = {**os.environ, **ONE_THREAD, "TF_CPP_MIN_LOG_LEVEL": "3"}
        began = time.perf_counter()
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
        )
        try:
            self._line()
        except ModelError:
            self.end()
            raise
        self.cold_seconds = time.perf_counter() - began

    def seconds(self, calls: int, size: int) -> list[float]:
        """The seconds of each of so many calls with so many pictures."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{calls} {size}\n")
        self._process.stdin.flush()
        return [float(one) for one in json.loads(self._line())]

    def peak(self) -> int:
        """The most memory that the process had, in bytes; it ends then."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return int(self._line())

    def end(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ModelError(f"{self._path}: ends its process (exit code {self._process.wait()}); leave it out")
        return line


@contextmanager
def started(path: Path, pictures: Path) -> Iterator[Process]:
    """A Process of that file, which has answered the first of the pictures. Raises ModelError where it ends."""
    process = Process(path, pictures)
    try:
        yield process
    finally:
        process.end()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text("utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def as_text(result: dict[str, Any]) -> str:
    """A result of benchmark as a table, with what was found out about each file below it."""
    header = ["file", "KB", "accuracy", CHANGED, "p50 us", "p95 us", "digits/s", "cold ms", "MB"]
    cells = [
        [
            row["file"],
            f"{row['kb']:.0f}",
            f"{row['accuracy']:.2%}",
            str(row["changed"]),
            f"{row['p50_us']:.0f}",
            f"{row['p95_us']:.0f}",
            f"{row['per_second']:,}",
            f"{row['cold_ms']:.0f}",
            f"{row['memory_mb']:.0f}",
        ]
        for row in result["models"]
    ]
    widths = [max(len(line[column]) for line in [header, *cells]) for column in range(len(header))]
    lines = [
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in [header, *cells]
    ]
    about = result["machine"]
    notes = [
        f"{result['images']:,} test images; one thread, {result['rounds']} rounds in turns; "
        f"{about['processor']}, {about['cores']} cores, Python {about['python']}"
    ]
    notes += [f"{row['file']}  {line}" for row in result["models"] for line in row["findings"]]
    return "\n".join([*lines, *notes])


def plot(result: dict[str, Any], path: Path, form: str) -> None:
    """Draws accuracy over latency, the files as circles whose area is their size, to a file of that form (svg, png)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    rows = result["models"]
    largest = max(row["kb"] for row in rows)
    for row in rows:
        x, y = row["p50_us"], 100 * row["accuracy"]
        low, high = (100 * end for end in row["interval"])
        axes.errorbar(x, y, [[y - low], [high - y]], color="0.7", zorder=1)
        axes.scatter(x, y, 20 + 280 * row["kb"] / largest, zorder=2)
        axes.annotate(
            f"{row['file']}, {row['kb']:.0f} KB", (x, y), xytext=(6, 6), textcoords="offset points", fontsize=8
        )
    axes.set_xscale("log")
    axes.margins(x=0.3, y=0.15)  # for the names
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.xaxis.set_minor_formatter("{x:.0f}")
    axes.set_xlabel("microseconds a digit, one thread (median)")
    axes.set_ylabel(f"accuracy on {result['images']:,} test images, % (95 % interval)")
    figure.savefig(path, format=form)
