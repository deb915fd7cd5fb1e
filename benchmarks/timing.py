"""Shared by all benchmarks: command line, facts about the machine, timing in turns, results as tables and JSON."""

import argparse
import importlib.metadata
import json
import os
import platform
import re
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = (
    "digitocr",
    "numpy",
    "opencv-python",
    "av",
    "pillow",
    "onnxruntime",
    "ai-edge-litert",
    "keras",
    "tensorflow",
)


def argument_parser(doc: str | None) -> argparse.ArgumentParser:
    """The command line of a benchmark: --help shows the docstring of the script, --save keeps the results."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--save",
        action="store_true",
        help="write benchmarks/results/ and the tables of these results in README.md and docs/; else only print",
    )
    return parser


def machine() -> dict[str, Any]:
    """Processor, cores, Python, package versions and date."""
    processor = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":")[1].strip()
            for line in cpuinfo.read_text("utf-8").splitlines()
            if line.startswith("model name")
        ]
        processor = names[0] if names else processor
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": versions,
        "date": date.today().isoformat(),
    }


def interleaved(functions: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each call. The functions run in turns, so that other load affects all; the first round is dropped."""
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(repeats + 1):
        for name, function in functions.items():
            began = time.perf_counter()
            function()
            if turn:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def spread(seconds: list[float], unit: float = 1.0) -> dict[str, float]:
    """Median and quartiles of durations in seconds; unit: 1e-3 gives them in milliseconds."""
    low, middle, high = statistics.quantiles([second / unit for second in seconds], n=4)
    return {"median": middle, "low": low, "high": high}


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a Markdown table, with a column for each key."""
    header = list(rows[0])
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(str(row[key]) for key in header)} |" for row in rows]
    return "\n".join(lines)


def report(name: str, title: str, rows: list[dict[str, Any]], notes: list[str], save: bool) -> None:
    """Prints the results of a benchmark.

    save: writes results/NAME.json and results/NAME.md as well, and replaces the table between the comments
    `results: NAME` and `end` in the documents that have one.
    """
    facts = machine()
    drawn = table(rows)
    versions = ", ".join(f"{package} {version}" for package, version in facts["packages"].items())
    about = f"{facts['processor']}, {facts['cores']} cores, Python {facts['python']}, {facts['date']}; {versions}."
    text = "\n".join([f"# {title}", "", drawn, "", *(f"- {note}" for note in notes), "", about, ""])
    print(text)
    if not save:
        return
    content = {"title": title, "rows": rows, "notes": notes, "machine": facts}
    RESULTS.mkdir(exist_ok=True)
    _write(RESULTS / f"{name}.md", text)
    _write(RESULTS / f"{name}.json", json.dumps(content, indent=1) + "\n")
    block = re.compile(rf"(<!-- results: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        before = document.read_text("utf-8")
        after = block.sub(lambda marks: f"{marks[1]}{drawn}\n{marks[2]}", before)
        if after != before:
            _write(document, after)


def _write(path: Path, text: str) -> None:
    from digitocr.runtime.files import replacing  # the environments of other readers have no digitocr

    with replacing(path) as beside:
        beside.write_text(text, "utf-8")
