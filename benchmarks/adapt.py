"""What `digitocr train --recipe adapt` brings: meters of other households, and fonts that no network was trained with.

    DIGITOCR_DATA=mnist/ python benchmarks/adapt.py METERS --fonts fonts --save

METERS is a folder of pictures that show a digit of a meter each, with a labels.json in the form of
examples/labels.json; a text "" is a wheel between two digits. In each run 40 pictures are taught, and the others judge:

- meters: divided by meter, five times, by a seed. The key `group` names a picture's meter. Without it, pictures of one
  size are of one meter, as a fixed camera gives them.
- fonts: lines of two to five digits, drawn by this script, in a font that the networks were not trained with. Those
  two are taken in which the shipped networks misread most; what chooses them neither teaches nor judges.

A run in --runs that is finished is not repeated as long as the shipped networks are the same. `make fonts` downloads
the fonts. Seven runs, each of some minutes on two cores.
"""

import argparse
import csv
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from lines import Style, draw
from numpy.random import Generator
from PIL import Image
from timing import ROOT, argument_parser, report

from digitocr import Reader
from digitocr.runtime.models import shipped_model
from digitocr.train.evaluation.metrics import mcnemar
from digitocr.train.sources.tables import digits_in
from digitocr.train.synthesis.fonts import find_fonts, held_out

TAUGHT = 40  # pictures
SPLITS = 5  # of the meters
HARDEST = 2  # fonts
JUDGED = 80  # lines of a font
TRIED = 16  # lines of each font, by which the hardest are chosen
HEIGHT = (16, 48)  # pixels; of the digits of a line
NETWORKS = ("digitocr.keras", "recognizer.keras", "detector.keras", "confidence.json")
SAMPLED = 0.5  # seconds between two looks at the memory of a run
COLUMNS = ("file", "text", "group", "part")  # of the CSV that a run is given


class Sample(NamedTuple):
    """A picture with its digits, and the meter or font that it shows."""

    file: Path
    text: str
    group: str


def meters(folder: Path) -> list[Sample]:
    """The pictures of METERS with their meters."""
    samples = []
    for row in json.loads((folder / "labels.json").read_text("utf-8")):
        file = (folder / row["file"]).resolve()
        with Image.open(file) as image:
            size = f"{image.width}x{image.height}"
        samples.append(Sample(file, row["text"], str(row.get("group") or size)))
    return samples


def taught_groups(samples: list[Sample], seed: int) -> set[str]:
    """The groups to teach: by chance as many as have TAUGHT pictures at most."""
    sizes: dict[str, int] = defaultdict(int)
    for sample in samples:
        sizes[sample.group] += 1
    names, chosen, count = sorted(sizes), set[str](), 0
    for at in np.random.default_rng(seed).permutation(len(names)).tolist():
        if count + sizes[names[at]] <= TAUGHT:
            chosen.add(names[at])
            count += sizes[names[at]]
    return chosen


def line(font: Path, rng: Generator) -> tuple[bytes, str]:
    """A JPEG file with a line of two to five digits, and the digits."""
    text = "".join(map(str, rng.integers(0, 10, int(rng.integers(2, 6)))))
    height = HEIGHT[0] * (HEIGHT[1] / HEIGHT[0]) ** rng.random()
    return draw([text], Style(font, float(height), bool(rng.random() < 0.25)), rng)[0], text


def hardest_fonts(fonts: list[Path]) -> list[Path]:
    """Those of the fonts, one of a family, in which the shipped networks misread most lines."""
    families = {font.name.split("-")[0]: font for font in reversed(fonts)}
    reader, wrong = Reader(), {}
    for name, font in sorted(families.items()):
        lines = [line(font, np.random.default_rng([1, number])) for number in range(TRIED)]
        wrong[name] = sum(digits_in(reader.read(file).text) != text for file, text in lines)
    return [families[name] for name in sorted(wrong, key=lambda name: (-wrong[name], name))[:HARDEST]]


def drawn_lines(font: Path, folder: Path) -> list[Sample]:
    """Lines in a font, written into a folder: TAUGHT to teach, then JUDGED to judge."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = []
    for number in range(TAUGHT + JUDGED):
        content, text = line(font, np.random.default_rng([2, number]))
        file = folder / f"{number:03}.jpg"
        file.write_bytes(content)
        samples.append(Sample(file.resolve(), text, ""))
    return samples


def memory(process: int) -> int:
    """Bytes that a process and those that it has started hold together."""
    total = 0
    waiting = [process]
    while waiting:
        one = waiting.pop()
        try:
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            waiting += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
        except OSError:  # it has ended
            continue
    return total


def processor_seconds() -> float:
    """What ended processes that this one has started, and those that they have, took of the processors."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(samples: list[Sample], is_taught: list[bool], folder: Path, fonts: Path, seed: int) -> dict[str, Any]:
    """Adapts in a folder, unless it is there already; returns its report with its cost.

    The cost: `seconds`, `processor_seconds` (of all processes) and `megabytes`.
    """
    cost, found = folder / "cost.json", folder / "adapt.json"
    if not cost.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        source = folder.with_suffix(".csv")
        with source.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(COLUMNS)
            parts = ("train" if one else "test" for one in is_taught)
            rows.writerows((*sample, part) for sample, part in zip(samples, parts, strict=True))
        words = ["train", "--recipe", "adapt", "--data", source, "--fonts", fonts, "--seed", seed, "--out", folder]
        began, spent, peak = time.perf_counter(), processor_seconds(), 0
        with subprocess.Popen([sys.executable, "-m", "digitocr.cli.main", *map(str, words)]) as command:
            while command.poll() is None:
                peak = max(peak, memory(command.pid))
                time.sleep(SAMPLED)
        if not found.exists():
            sys.exit(f"{folder}: failed with exit code {command.returncode}")
        cost.write_text(
            json.dumps(
                {
                    "seconds": time.perf_counter() - began,
                    "processor_seconds": processor_seconds() - spent,
                    "megabytes": peak / 1e6,
                }
            )
        )
    return {**json.loads(found.read_text("utf-8")), **json.loads(cost.read_text("utf-8"))}


def row(what: str, reports: list[dict[str, Any]]) -> dict[str, Any]:
    """A row of the table: the pictures with digits of one run, or of several together."""
    right = np.array([one["right"] for each in reports for one in each["pictures"] if one["text"]], np.bool_)
    before, after = right.T
    lost = [100 * (each["mnist"]["before"] - each["mnist"]["after"]) for each in reports]
    passed = sum(each["passed"] for each in reports)
    return {
        "what": what,
        "pictures": len(right),
        "wrong before": int((~before).sum()),
        "wrong after": int((~after).sum()),
        "mended": int((~before & after).sum()),
        "broken": int((before & ~after).sum()),
        "p": f"{mcnemar(before, after):.2g}" if len(reports) == 1 else "",  # pictures recur in other splits
        "MNIST, points": f"{-np.mean(lost):+.2f}",
        "gate": f"{passed} of {len(reports)} passed",
        "processor minutes": f"{np.mean([each['processor_seconds'] for each in reports]) / 60:.1f}",
        "MB": f"{max(each['megabytes'] for each in reports):.0f}",
    }


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("meters", type=Path, nargs="?", metavar="METERS", help="a folder; default: fonts alone")
    parser.add_argument("--fonts", type=Path, default=ROOT / "fonts", help="the folder of the fonts; default: fonts/")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where the runs are kept; default: runs/")
    parser.add_argument("--only", type=int, metavar="N", help=argparse.SUPPRESS)  # runs of each kind, to try it
    arguments = parser.parse_args()
    digest = hashlib.sha256(b"".join(shipped_model(name).read_bytes() for name in NETWORKS)).hexdigest()[:8]
    runs = arguments.runs / f"benchmark-adapt-{digest}"
    rows, notes = [], []
    if arguments.meters:
        samples, reports = meters(arguments.meters), []
        for seed in range(SPLITS)[: arguments.only]:
            chosen = taught_groups(samples, seed)
            is_taught = [sample.group in chosen for sample in samples]
            reports.append(run(samples, is_taught, runs / f"meters-{seed}", arguments.fonts, seed))
            rows.append(row(f"meters, split {seed}: {sum(is_taught)} of {len(chosen)} meters taught", reports[-1:]))
        rows.append(row("meters, all splits", reports))
        between = [one for each in reports for one in each["pictures"] if not one["text"]]
        read = np.array([one["right"] for one in between], np.bool_).reshape(-1, 2)
        notes.append(
            f"wheels between two digits, in all splits: {len(read)} pictures; a digit is read in {(~read[:, 0]).sum()} "
            f"before and in {(~read[:, 1]).sum()} after"
        )
    reports = []
    for font in hardest_fonts(held_out(find_fonts(arguments.fonts)))[: arguments.only]:
        samples = drawn_lines(font, runs / f"lines-{font.stem}")
        is_taught = [at < TAUGHT for at in range(len(samples))]
        reports.append(run(samples, is_taught, runs / f"font-{font.stem}", arguments.fonts, 0))
        rows.append(row(f"{font.stem}: {TAUGHT} lines taught", reports[-1:]))
    rows.append(row("fonts together", reports))
    notes.append(
        "pictures: those with digits that were not taught; wrong: not all digits right, or others beside them; p: of "
        "McNemar's test; processor minutes: the mean, of all processes together; MB: the most that they held together"
    )
    report("adapt", "Own pictures taught", rows, notes, arguments.save)


if __name__ == "__main__":
    main()
