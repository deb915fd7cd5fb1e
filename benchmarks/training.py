"""Training: images per second of digitocr's fit and of a plain model.fit of the same network in one process; memory.

    python benchmarks/training.py [--images 12000] [--epochs 3] [--repeats 5] [--memory] [--save]

Takes about eight minutes on two idle cores. MNIST comes from DIGITOCR_DATA or the cache. Goals: digitocr's fit at least
0.95 of bare, peak memory below 2 GB on all of MNIST.

Each way trains experiment 4 in batches of 128, measures the same held-out images, and keeps freed memory
(train/memory.py). A rate counts training images and the whole of an epoch with its validation, but not the files saved
after it, which count in the rate of the whole call. The first epoch of a call builds the graph and is not counted.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from timing import argument_parser, interleaved, report

from digitocr.runtime.preprocessing import scale
from digitocr.train.classifier.fit import Settings, fit, keras
from digitocr.train.classifier.network import build_network
from digitocr.train.data import Mnist, load_mnist, split
from digitocr.train.memory import keep_freed
from digitocr.train.runs import HISTORY, read_history

OURS = "digitocr train"  # the names of two ways to train
BARE = "bare model.fit"


class Clock(keras.callbacks.Callback):
    """Seconds of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002  # Keras's names
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self.seconds.append(time.perf_counter() - self.began)


def ours(data: Mnist, epochs: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        fit(data, Settings(epochs=epochs), Path(folder) / "run", quiet=True)
        return [row["seconds"] for row in read_history(Path(folder) / "run" / HISTORY)]


def bare(data: Mnist, epochs: int, **compiling: Any) -> list[float]:
    """What anyone would write: arrays in memory, shuffled by Keras; then the test images, and the network saved."""
    training, held = split(data)
    images, clock = scale(data.train_images), Clock()
    network = build_network(4)
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **compiling)
    network.fit(
        images[training],
        data.train_labels[training],
        batch_size=128,
        epochs=epochs,
        validation_data=(images[held], data.train_labels[held]),
        callbacks=[clock],
        verbose=0,
    )
    network.evaluate(scale(data.test_images), data.test_labels, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        network.save(Path(folder) / "bare.keras")
    return clock.seconds


def peak_memory() -> None:
    """Prints the peak resident memory of this process in MB, after a run of one epoch on all of MNIST."""
    ours(load_mnist(), 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux, bytes on macOS
    print(peak * (1 if sys.platform == "darwin" else 1024) // 1_000_000)


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--images", type=int, default=12_000, help="of MNIST's training images; one in twelve held out")
    parser.add_argument("--epochs", type=int, default=3, help="of each call, the first not counted; default: 3")
    parser.add_argument("--repeats", type=int, default=5, help="rounds in turn; default: 5")
    parser.add_argument("--memory", action="store_true", help="print the peak memory in MB and stop")
    arguments = parser.parse_args()
    keep_freed()  # as `digitocr train` does
    if arguments.memory:
        peak_memory()
        return
    # Before all else: on Linux a child's peak begins at what its parent has reached.
    memory = subprocess.run([sys.executable, __file__, "--memory"], check=True, capture_output=True, text=True).stdout
    whole, n = load_mnist(), arguments.images
    data = replace(whole, train_images=whole.train_images[:n], train_labels=whole.train_labels[:n])
    ways: dict[str, Callable[[], list[float]]] = {
        OURS: lambda: ours(data, arguments.epochs),
        BARE: lambda: bare(data, arguments.epochs),
        f"{BARE}, XLA (jit_compile=True)": lambda: bare(data, arguments.epochs, jit_compile=True),
        f"{BARE}, steps_per_execution=10": lambda: bare(data, arguments.epochs, steps_per_execution=10),
    }
    rates: dict[str, list[float]] = {way: [] for way in ways}

    def timed(way: str) -> Callable[[], None]:
        def call() -> None:
            seconds = ways[way]()[1:]
            rates[way].append((n - n // 12) * len(seconds) / sum(seconds))

        return call

    calls = interleaved({way: timed(way) for way in ways}, arguments.repeats)
    rows = []
    for way in ways:
        rate = rates[way][1:]  # the first round warms up
        low, middle, high = statistics.quantiles(rate, n=4)
        ratios = [a / b for a, b in zip(rate, rates[BARE][1:], strict=True)]
        whole_calls = [b / a for a, b in zip(calls[way], calls[BARE], strict=True)]
        rows.append(
            {
                "way": way,
                "images a second, median": round(middle),
                "quartiles": f"{low:.0f} to {high:.0f}",
                "of bare": round(statistics.median(ratios), 3),
                "whole call, of bare": round(statistics.median(whole_calls), 3),
            }
        )
    notes = [
        f"{arguments.repeats} rounds in turn; {n} images, {arguments.epochs} epochs a call, the first uncounted; "
        "`python benchmarks/training.py`",
        "of bare: median over the rounds of the ratio within a round; above 1 is faster than bare",
        "whole call: building network and graph, all epochs, test images, saving, for digitocr the whole run folder",
        f"peak memory of digitocr's fit on all of MNIST: {int(memory)} MB",
    ]
    report("training", "Training on the processor", rows, notes, arguments.save)


if __name__ == "__main__":
    main()
