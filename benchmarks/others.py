"""digitocr, RapidOCR and Tesseract on the same labelled pictures: accuracy, time and memory.

    python benchmarks/others.py LABELS.json IMAGES [--readers digitocr rapidocr tesseract] [--save]

LABELS.json is a list of {"file", "text", "kind"}: "file" has the base name of a picture in IMAGES, "text" the digits in
reading order ("" for none), and the table is broken down by "kind". RapidOCR is installed into a temporary environment,
or is that of --python-rapidocr; Tesseract is the system's (Debian, Ubuntu: apt-get install tesseract-ocr).

All run on one core with one thread, and read each picture once, in turn. The time of a picture is that from its path to
its text. RapidOCR reads lines of text, of which the digits are kept. Tesseract runs with a whitelist of digits and
--psm 11 (sparse text), as one process for each picture, since it is installed as a command.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from timing import argument_parser, interleaved, report, spread

TITLES = {"digitocr": "digitocr", "rapidocr": "RapidOCR", "tesseract": "Tesseract"}
RAPIDOCR = ["rapidocr==3.10.*", "onnxruntime"]
TESSERACT = ["--psm", "11", "-c", "tessedit_char_whitelist=0123456789"]
COLD = 10  # whole processes of each reader

Read = Callable[[str], str]  # a picture's path -> what was read in it


def digitocr() -> tuple[str, Read]:
    import digitocr
    from digitocr.runtime.opencv import cv2

    cv2.setNumThreads(1)
    reader = digitocr.Reader(threads=1)
    return digitocr.__version__, lambda path: reader.read(path).text


def rapidocr() -> tuple[str, Read]:
    import importlib.metadata

    import cv2
    from rapidocr import RapidOCR

    cv2.setNumThreads(1)
    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    engine = RapidOCR(params={"Global.log_level": "critical", **threads})
    return importlib.metadata.version("rapidocr"), lambda path: "\n".join(engine(path).txts or ())


def tesseract() -> tuple[str, Read]:
    said = subprocess.run(["tesseract", "--version"], check=True, capture_output=True, text=True)
    version = said.stdout.split()[1]

    def read(path: str) -> str:
        command = ["tesseract", path, "stdout", *TESSERACT]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout

    return version, read


def work(name: str) -> None:
    """A worker process: prints its version, then a line of JSON for the picture that each line of stdin names."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a reader prints must not mix with the answers
    version, read = {"digitocr": digitocr, "rapidocr": rapidocr, "tesseract": tesseract}[name]()
    print(json.dumps({"version": version}), file=answers)
    whose = resource.RUSAGE_CHILDREN if name == "tesseract" else resource.RUSAGE_SELF
    for line in sys.stdin:
        began = time.perf_counter()
        text = read(line.rstrip("\n"))
        seconds = time.perf_counter() - began
        kilobytes = resource.getrusage(whose).ru_maxrss
        print(json.dumps({"text": text, "ms": 1000 * seconds, "MB": kilobytes * 1024 / 1e6}), file=answers)


class Worker:
    """A reader in a process of its own, loaded once."""

    def __init__(self, name: str, python: str) -> None:
        self.name, self.command = name, [python, __file__, "--worker", name]
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.title = f"{TITLES[name]} {self.answer()['version']}"

    def answer(self) -> dict[str, Any]:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} stopped; its messages are above")
        return json.loads(line)

    def read(self, path: Path) -> dict[str, Any]:
        print(path, file=self.process.stdin, flush=True)
        return self.answer()

    def whole(self, path: Path) -> None:
        """Reads one picture in a new process."""
        commands = {
            "digitocr": [str(Path(sys.executable).with_name("digitocr")), "predict", str(path)],
            "tesseract": ["tesseract", str(path), "stdout", *TESSERACT],
        }
        command = commands.get(self.name, self.command)
        subprocess.run(command, input=f"{path}\n", check=True, capture_output=True, text=True)


def digits(text: str) -> str:
    return "".join(character for character in text if character in "0123456789")


def distance(one: str, other: str) -> int:
    """The edit distance of two texts: insertions, deletions and substitutions (V. Levenshtein, 1966)."""
    row = list(range(len(other) + 1))
    for i, mine in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, its in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (mine != its))
    return row[-1]


def right(pairs: list[tuple[str, str]]) -> str:
    """From (label, read): the share of digits that are right, and of pictures without an error."""
    wrong = sum(distance(truth, read) for truth, read in pairs) / sum(len(truth) for truth, _ in pairs)
    exact = sum(truth == read for truth, read in pairs) / len(pairs)
    return f"{max(0.0, 1 - wrong):.1%}, {exact:.0%}"


def invented(pairs: list[tuple[str, str]]) -> str:
    """From ("", read): the share of pictures in which nothing was read, and the number of digits read in the others."""
    return f"{sum(not read for _, read in pairs) / len(pairs):.0%}, {sum(len(read) for _, read in pairs)}"


def compared(labels: list[dict[str, str]], images: Path, workers: list[Worker]) -> list[dict[str, Any]]:
    """The rows of the table."""
    paths = [images / Path(label["file"]).name for label in labels]
    for worker in workers:
        worker.read(paths[0])  # the first warms up
    answers: dict[Worker, list[dict[str, Any]]] = {worker: [] for worker in workers}
    for path in paths:
        for worker in workers:
            answers[worker].append(worker.read(path))
    whole = interleaved({worker.title: partial(worker.whole, paths[0]) for worker in workers}, COLD)

    def row(what: str, pictures: int, cell: Callable[[Worker], str]) -> dict[str, Any]:
        return {"what": what, "pictures": pictures, **{worker.title: cell(worker) for worker in workers}}

    def scored(what: str, score: Callable[[list[tuple[str, str]]], str], chosen: list[int]) -> dict[str, Any]:
        def cell(worker: Worker) -> str:
            return score([(digits(labels[i]["text"]), digits(answers[worker][i]["text"])) for i in chosen])

        return row(what, len(chosen), cell)

    def in_ms(seconds: list[float]) -> str:
        ms = spread(seconds, 1e-3)
        return f"{ms['median']:.0f} ({ms['low']:.0f} to {ms['high']:.0f})"

    inked = [i for i, label in enumerate(labels) if digits(label["text"])]
    empty = [i for i, label in enumerate(labels) if not digits(label["text"])]
    rows = [scored("digits right, pictures right", right, inked)] if inked else []
    for kind in sorted({labels[i]["kind"] for i in inked}):
        rows.append(scored(f"of these: {kind}", right, [i for i in inked if labels[i]["kind"] == kind]))
    if empty:
        rows.append(scored("no digits: read as empty, digits invented", invented, empty))
    loaded = {worker: [answer["ms"] / 1000 for answer in answers[worker]] for worker in workers}
    rows.append(row("ms a picture, loaded", len(paths), lambda worker: in_ms(loaded[worker])))
    if workers[0].name == "digitocr":

        def ratio(worker: Worker) -> str:
            return f"{statistics.median(a / b for a, b in zip(loaded[worker], loaded[workers[0]], strict=True)):.1f}"

        rows.append(row("times digitocr's, median over the pictures", len(paths), ratio))
    rows.append(row("ms of a whole process, the first picture", 1, lambda worker: in_ms(whole[worker.title])))
    rows.append(row("peak MB", len(paths), lambda worker: f"{max(a['MB'] for a in answers[worker]):.0f}"))
    return rows


def installed(folder: str) -> str:
    """Makes an environment with RapidOCR in a folder; returns the path of its Python."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = str(Path(folder) / "bin" / "python")
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", "install", *quiet, *RAPIDOCR], check=True)
    return python


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument(
        "labels", type=Path, nargs="?", metavar="LABELS.json", help="file, text and kind of each picture"
    )
    parser.add_argument("images", type=Path, nargs="?", metavar="IMAGES", help="the folder of the pictures")
    parser.add_argument("--readers", nargs="+", choices=TITLES, default=list(TITLES), help="default: all")
    parser.add_argument("--python-rapidocr", metavar="PYTHON", help="of an environment that has RapidOCR")
    parser.add_argument("--worker", choices=TITLES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments.worker)
        return
    if arguments.images is None:
        parser.error("give LABELS.json and the folder of the pictures")
    labels = json.loads(arguments.labels.read_text("utf-8"))
    if len(labels) < 2:
        parser.error("give labels of two pictures or more")
    with tempfile.TemporaryDirectory() as folder:
        pythons = dict.fromkeys(TITLES, sys.executable)
        if "rapidocr" in arguments.readers:
            pythons["rapidocr"] = arguments.python_rapidocr or installed(folder)
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # inherited by all processes started from here on
        os.environ["OMP_THREAD_LIMIT"] = "1"  # the only switch for the threads of Tesseract
        workers = [Worker(name, pythons[name]) for name in TITLES if name in arguments.readers]
        rows = compared(labels, arguments.images, workers)
    notes = [
        "digits right: 1 - edit distance / digits, without line breaks; pictures right: those without an error",
        "ms: median (quartiles), one thread on one core, in turn; "
        f"the whole process {COLD} times: `digitocr predict`, the tesseract command, RapidOCR from Python",
        "peak MB: of a process that reads all pictures; of Tesseract's, one for each picture, the largest",
    ]
    report("others", "Other readers on the same pictures", rows, notes, arguments.save)


if __name__ == "__main__":
    main()
