"""The learning curve of `--recipe best`: errors on held-out images against the number of images and of epochs.

    python benchmarks/learning_curve.py [--seeds 1] [--jobs 2] [--runs runs] [--save]

10,000 of MNIST's training images are held out; the test images are not used. Each point is the last epoch of a run of
digitocr.train.fit on a part of the other 50,000, of which it holds out one in twelve and trains with the rest. Against
images, every run takes as many steps as 20 epochs of all; against epochs, all images are given. Runs are kept in RUNS;
an unfinished one is resumed. A seed takes about an hour of one core. MNIST comes from
DIGITOCR_DATA or the cache.
"""

import json
import multiprocessing
import os
import statistics
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from timing import RESULTS, argument_parser, report

from digitocr.runtime.processes import begin

HELD_OUT = 10_000  # images
IMAGES = {6_250: 160, 12_500: 80, 25_000: 40, 50_000: 20}  # images given: epochs that have the same number of steps
EPOCHS = (5, 10, 20, 40)  # of all images


def errors(images: int, epochs: int, seed: int, runs: Path) -> int:
    """Errors on the held-out images after a run on that many of the others."""
    from digitocr.train import Mnist, Settings, fit, keep_freed, load_mnist, resume
    from digitocr.train.data import hold_out

    keep_freed()
    data = load_mnist(quiet=True)
    others, held = hold_out(data.train_labels, HELD_OUT)
    given = np.random.default_rng(0).permutation(others)[:images]
    pictures, labels = data.train_images, data.train_labels
    part = Mnist(pictures[given], labels[given], pictures[held], labels[held], f"{images} of {data.digest}")
    folder = runs / f"learning-{images}-{epochs}-{seed}"
    if (folder / "metrics.json").exists():
        metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    elif folder.exists():
        metrics = resume(folder, part, quiet=True)
    else:
        metrics = fit(part, Settings(recipe="best", epochs=epochs, seed=seed), folder, quiet=True)
    return round((1 - metrics["test"]["accuracy"]) * HELD_OUT)


def draw(lines: dict[str, tuple[list[int], list[float]]]) -> None:
    """results/learning-curve.svg: for each axis the amounts and the mean errors at each."""
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    for axes, (name, (amounts, means)) in zip(figure.subplots(1, 2, sharey=True), lines.items(), strict=True):
        axes.plot(amounts, means, "o-")
        axes.set(xscale="log", yscale="log", xlabel=name, xticks=amounts, xticklabels=[f"{one:,}" for one in amounts])
        axes.set_yticks([40, 50, 60, 80, 100], ["40", "50", "60", "80", "100"])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel(f"errors of {HELD_OUT:,} held-out images")
    with mpl.rc_context({"svg.hashsalt": "digitocr", "svg.fonttype": "none"}):  # the same each time, text as text
        figure.savefig(RESULTS / "learning-curve.svg", metadata={"Date": None})


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="runs of each point; default: 1")
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time; default: 2")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="the folder of the runs; default: runs")
    given = parser.parse_args()
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(max((os.cpu_count() or 1) // given.jobs, 1))
    most = max(IMAGES)
    points = sorted({*IMAGES.items(), *((most, epochs) for epochs in EPOCHS)})
    tasks = [(*point, seed, given.runs) for seed in range(given.seeds) for point in points]
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(given.jobs, fresh, begin, max_tasks_per_child=1) as pool:
        counted = list(pool.map(errors, *zip(*tasks, strict=True)))
    found = {point: [n for task, n in zip(tasks, counted, strict=True) if task[:2] == point] for point in points}
    rows = [
        {
            "images given": f"{images:,}",
            "epochs": epochs,
            f"errors of {HELD_OUT:,}, seed by seed": ", ".join(map(str, each)),
            "mean": f"{statistics.mean(each):.1f}",
        }
        for (images, epochs), each in found.items()
    ]
    lines = {
        "images given, 20 epochs' steps": (list(IMAGES), [statistics.mean(found[point]) for point in IMAGES.items()]),
        "epochs of all images": (list(EPOCHS), [statistics.mean(found[most, epochs]) for epochs in EPOCHS]),
    }
    slope = float(np.polyfit(*map(np.log, next(iter(lines.values()))), 1)[0])  # errors = factor * images ** slope
    times = f"{0.9 ** (1 / slope):.1f} times as many"
    notes = [
        "experiment 4's network, `--recipe best`, last epoch; `python benchmarks/learning_curve.py`",
        f"by a straight line through the logarithms, errors fall as images to the {slope:.2f}: by a tenth for {times}",
    ]
    report("learning-curve", "Errors of the best recipe by images and by epochs", rows, notes, given.save)
    if given.save:
        draw(lines)


if __name__ == "__main__":
    main()
