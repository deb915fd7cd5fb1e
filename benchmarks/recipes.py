"""Accuracy of a recipe's networks on MNIST's test images, as int8: mean over seeds, last epoch, test set used once.

    python benchmarks/recipes.py best [--seeds 5] [--jobs 2] [--runs runs] [--save]
    python benchmarks/recipes.py robust --seeds 3 --fonts fonts

Trains `digitocr train --recipe RECIPE --seed N` into RUNS/RECIPE-4-N for seeds 1 to SEEDS that are not there yet,
exports the int8 ONNX file through the gate, and writes a row of the results, which replaces an earlier one of that
recipe. The best recipe takes a quarter of an hour per seed and core; KERAS_BACKEND=jax trains on a GPU. MNIST is from
DIGITOCR_DATA or the cache.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scipy.stats import t as student
from timing import RESULTS, argument_parser, report

DIGITOCR = str(Path(sys.executable).with_name("digitocr"))


def trained(recipe: str, seed: int, runs: Path, fonts: list[str], threads: int) -> Path:
    """The folder of that run, which is trained, or resumed if it is there and not finished."""
    folder = runs / f"{recipe}-4-{seed}"
    words = ["--recipe", recipe, "--seed", str(seed), "--out", str(folder), *fonts]
    if (folder / "run.json").exists():
        if json.loads((folder / "run.json").read_text("utf-8"))["ended"]:
            return folder
        words = ["--resume", str(folder)]
    environment = {**os.environ, "TF_NUM_INTRAOP_THREADS": str(threads)}
    subprocess.run([DIGITOCR, "train", *words, "--quiet"], check=True, env=environment)
    return folder


def int8_accuracy(folder: Path) -> dict[str, Any]:
    """The report of the export gate on the run's int8 ONNX file."""
    with tempfile.TemporaryDirectory() as out:
        words = ["--model", str(folder / "model.keras"), "--format", "onnx", "--out", out]
        subprocess.run([DIGITOCR, "export", *words], check=True, capture_output=True)
        report: dict[str, Any] = json.loads((Path(out) / "digitocr-int8.onnx.report.json").read_text("utf-8"))
    return report


def row(recipe: str, folders: list[Path]) -> dict[str, Any]:
    gates = [int8_accuracy(folder) for folder in folders]
    run = json.loads((folders[0] / "run.json").read_text("utf-8"))
    (backend,) = {"tensorflow", "jax", "torch"} & set(run["versions"])
    held = [json.loads((folder / "metrics.json").read_text("utf-8"))["held_out"]["accuracy"] for folder in folders]
    int8 = [100 * gate["accuracy"]["file"] for gate in gates]
    half = student.ppf(0.975, len(int8) - 1) * statistics.stdev(int8) / len(int8) ** 0.5
    mean = statistics.mean(int8)
    return {
        "recipe": recipe,
        "epochs": run["settings"]["epochs"],
        "seeds": len(folders),
        "trained by": backend,
        "held out, %": f"{100 * statistics.mean(held):.2f}",
        "test, float32, %": f"{100 * statistics.mean(gate['accuracy']['keras'] for gate in gates):.2f}",
        "test, int8, %": f"{mean:.3f}",
        "95 % interval": f"{mean - half:.2f} to {mean + half:.2f}",
        "seed by seed": ", ".join(f"{one:.2f}" for one in int8),
    }


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("recipe", choices=("paper", "best", "robust"), help="of digitocr train")
    parser.add_argument("--seeds", type=int, default=5, help="runs, of seeds 1 to SEEDS; default: 5")
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time; default: 2")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="the folder of the runs; default: runs")
    parser.add_argument("--fonts", default="", help="the folder of the fonts that scenes are drawn with")
    given = parser.parse_args()
    fonts = ["--fonts", given.fonts] if given.fonts else []
    threads = max(1, (os.cpu_count() or 1) // given.jobs)
    with ThreadPoolExecutor(given.jobs) as pool:
        tasks = [
            pool.submit(trained, given.recipe, seed, given.runs, fonts, threads) for seed in range(1, given.seeds + 1)
        ]
        folders = [task.result() for task in tasks]
    file = RESULTS / "recipes.json"
    rows = {one["recipe"]: one for one in (json.loads(file.read_text("utf-8"))["rows"] if file.exists() else [])}
    rows[given.recipe] = row(given.recipe, folders)
    notes = [
        "experiment 4's network; last epoch, the test images read once a run; `python benchmarks/recipes.py RECIPE`",
        "test: the ten or eleven outputs of the file, as the gate of digitocr export reads them",
    ]
    kept = [rows[name] for name in ("paper", "best", "robust") if name in rows]
    report("recipes", "Accuracy of the recipes on MNIST", kept, notes, given.save)


if __name__ == "__main__":
    main()
