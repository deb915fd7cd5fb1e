"""What every benchmark needs: the machine's facts, timing in turn, results as a table for people and as JSON."""

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

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "README.md"
PACKAGES = ("digitocr", "numpy", "opencv-python", "pillow", "onnxruntime", "ai-edge-litert", "keras", "tensorflow")


def machine() -> dict[str, Any]:
    """Processor, cores, Python, package versions and date: what a number is worth nothing without."""
    processor = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
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
    """Seconds of each call, the functions in turn, so that a busy moment meets all; a first round is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(repeats + 1):
        for name, function in functions.items():
            began = time.perf_counter()
            function()
            if turn:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def spread(seconds: list[float], unit: float = 1.0) -> dict[str, float]:
    """Median and the quartiles of some seconds, in units of that many seconds."""
    low, middle, high = statistics.quantiles([second / unit for second in seconds], n=4)
    return {"median": middle, "low": low, "high": high}


def table(rows: list[dict[str, Any]]) -> str:
    """The rows in Markdown, a column for each of their keys."""
    header = list(rows[0])
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(str(row[key]) for key in header)} |" for row in rows]
    return "\n".join(lines)


def save(name: str, title: str, rows: list[dict[str, Any]], notes: list[str]) -> None:
    """Writes results/NAME.json, results/NAME.md and the README's table of that name, if it has one, and prints it."""
    facts = machine()
    drawn = table(rows)
    versions = ", ".join(f"{package} {version}" for package, version in facts["packages"].items())
    about = f"{facts['processor']}, {facts['cores']} cores, Python {facts['python']}, {facts['date']}; {versions}."
    readme = README.read_text("utf-8")
    block = re.compile(rf"(<!-- results: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    README.write_text(block.sub(lambda marks: f"{marks[1]}{drawn}\n{marks[2]}", readme), "utf-8")
    text = "\n".join([f"# {title}", "", drawn, "", *(f"- {note}" for note in notes), "", about, ""])
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, "utf-8")
    content = {"title": title, "rows": rows, "notes": notes, "machine": facts}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    print(text)
