"""digitocr, RapidOCR and Tesseract on the same labelled pictures: accuracy by kind, time and memory.

    python benchmarks/others.py SET... [--readers digitocr rapidocr tesseract] [--known FILE] [--save]

SET is a folder with labels.json, a list of {"file", "text", "kind", "target"}: "file" is the path of a picture in the
folder, "text" the digits in reading order ("" for none), and "target", which may be missing, those of the number that a
person wants. RapidOCR is installed into a temporary environment, or is that of --python-rapidocr; Tesseract is the
system's (Debian, Ubuntu: apt-get install tesseract-ocr).

All run on one core with one thread, and read each picture once, in turn. The time of a picture is that from its path to
its text. RapidOCR reads lines of text, of which the digits are kept; where it finds no line, the picture is read as one
line, which it does better at, as with digits cut out of a meter. Tesseract runs with a whitelist of digits and --psm 11
(sparse text), as one process for each picture, since it is installed as a command.

--known FILE keeps what RapidOCR and Tesseract read. A picture that the same version has read before, by its SHA-256, is
not read again, but for every fourth: times are always measured in this run and in turn, on these pictures.
"""

import argparse
import hashlib
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from timing import argument_parser, interleaved, report, spread

TITLES = {"digitocr": "digitocr", "rapidocr": "RapidOCR", "tesseract": "Tesseract"}
RAPIDOCR = ["rapidocr==3.10.*", "onnxruntime"]
TESSERACT = ["--psm", "11", "-c", "tessedit_char_whitelist=0123456789"]
COLD = 10  # whole processes of each reader
TIMED = 4  # of pictures that are known, one of so many is read again for its time

# A picture's path -> "text", what was read in it; "numbers", the digits of each number; and, of a reader that tells it,
# "main", those of the number that the picture is about.
Read = Callable[[str], dict[str, Any]]


def digitocr() -> tuple[str, Read]:
    import digitocr
    from digitocr.runtime.opencv import cv2

    cv2.setNumThreads(1)
    reader = digitocr.Reader(threads=1)

    def read(path: str) -> dict[str, Any]:
        reading = reader.read(path)
        numbers = [number.digits_text for number in reading.numbers]
        return {"text": reading.text, "numbers": numbers, "main": reading.main.digits_text if reading.main else ""}

    return digitocr.__version__, read


def rapidocr() -> tuple[str, Read]:
    import importlib.metadata

    import cv2
    from rapidocr import RapidOCR

    cv2.setNumThreads(1)
    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    engine = RapidOCR(params={"Global.log_level": "critical", **threads})

    def read(path: str) -> dict[str, Any]:
        # each step is named: the engine keeps what was set in the call before
        lines = engine(path, use_det=True, use_cls=True, use_rec=True).txts
        lines = lines or engine(path, use_det=False, use_cls=False, use_rec=True).txts
        return {"text": "\n".join(lines or ())}

    return importlib.metadata.version("rapidocr"), read


def tesseract() -> tuple[str, Read]:
    said = subprocess.run(["tesseract", "--version"], check=True, capture_output=True, text=True)
    version = said.stdout.split()[1]

    def read(path: str) -> dict[str, Any]:
        command = ["tesseract", path, "stdout", *TESSERACT]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return {"text": done.stdout}

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
        answer = read(line.rstrip("\n"))
        seconds = time.perf_counter() - began
        kilobytes = resource.getrusage(whose).ru_maxrss
        print(json.dumps({**answer, "ms": 1000 * seconds, "MB": kilobytes * 1024 / 1e6}), file=answers)


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


class Picture(NamedTuple):
    """A labelled picture; digits and target hold digits alone."""

    set: str
    path: Path
    kind: str
    digits: str
    target: str


def labelled(folder: Path) -> list[Picture]:
    """The pictures of a set."""
    labels = json.loads((folder / "labels.json").read_text("utf-8"))
    return [
        Picture(
            folder.name, folder / label["file"], label["kind"], digits(label["text"]), digits(label.get("target", ""))
        )
        for label in labels
    ]


class Known:
    """What readers read before, in a file of JSON lines; without a file nothing is known."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        rows = path.read_text("utf-8").splitlines() if path and path.exists() else []
        self.texts = {(row["title"], row["sha256"]): row["text"] for row in map(json.loads, rows)}

    def text(self, title: str, picture: bytes) -> str | None:
        """What a reader, with its version, read in a picture; None if that is not known."""
        return self.texts.get((title, hashlib.sha256(picture).hexdigest()))

    def add(self, title: str, picture: bytes, text: str) -> None:
        row = {"title": title, "sha256": hashlib.sha256(picture).hexdigest(), "text": text}
        if self.path and self.texts.get((title, row["sha256"])) != text:
            with self.path.open("a", encoding="utf-8") as file:
                print(json.dumps(row), file=file)


def digits(text: str) -> str:
    return "".join(character for character in text if character in "0123456789")


def numbers(answer: dict[str, Any]) -> list[str]:
    """The digits of the numbers that were read; in a text, a sign between two digits belongs to their number."""
    if "numbers" in answer:
        return list(answer["numbers"])
    return [digits(number) for number in re.findall(r"[0-9]+(?:[.,:/-][0-9]+)*", answer["text"])]


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


def answers_of(pictures: list[Picture], workers: list[Worker], known: Known) -> dict[Worker, list[dict[str, Any]]]:
    """What each reader reads in each picture; with its "ms" and "MB" if it was read in this run."""
    for worker in workers:
        worker.read(pictures[0].path)  # the first warms up
    answers: dict[Worker, list[dict[str, Any]]] = {worker: [] for worker in workers}
    for number, picture in enumerate(pictures):
        content = picture.path.read_bytes()
        for worker in workers:
            text = known.text(worker.title, content) if number % TIMED and worker.name != "digitocr" else None
            answer = {"text": text} if text is not None else worker.read(picture.path)
            if worker.name != "digitocr":
                known.add(worker.title, content, answer["text"])
            answers[worker].append(answer)
    return answers


def row(what: str, pictures: int, cells: dict[Worker, str]) -> dict[str, Any]:
    """A row of the table."""
    return {"what": what, "pictures": pictures, **{worker.title: cell for worker, cell in cells.items()}}


def accuracy(pictures: list[Picture], answers: dict[Worker, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The rows of the table that say what is right: by set, by kind, without digits, and the numbers that are meant."""

    def scored(what: str, chosen: list[int], score: Callable[[list[tuple[str, str]]], str]) -> dict[str, Any]:
        pairs = {
            worker: [(pictures[i].digits, digits(read[i]["text"])) for i in chosen] for worker, read in answers.items()
        }
        return row(what, len(chosen), {worker: score(compared) for worker, compared in pairs.items()})

    def share(chosen: list[int], is_right: Callable[[int], bool]) -> str:
        return f"{sum(map(is_right, chosen)) / len(chosen):.0%}"

    inked = [i for i, picture in enumerate(pictures) if picture.digits]
    empty = [i for i, picture in enumerate(pictures) if not picture.digits]
    rows = []
    for name in dict.fromkeys(pictures[i].set for i in inked):
        chosen = [i for i in inked if pictures[i].set == name]
        rows.append(scored(f"{name}: digits right, pictures right", chosen, right))
    for kind in sorted({pictures[i].kind for i in inked}):
        rows.append(scored(f"of all these: {kind}", [i for i in inked if pictures[i].kind == kind], right))
    for name in dict.fromkeys(pictures[i].set for i in empty):
        chosen = [i for i in empty if pictures[i].set == name]
        rows.append(scored(f"{name}, no digits: read as empty, digits invented", chosen, invented))
    meant = [i for i in inked if pictures[i].target]
    if meant:
        among = {
            worker: share(meant, lambda i, read=read: pictures[i].target in numbers(read[i]))
            for worker, read in answers.items()
        }
        main = {
            worker: share(meant, lambda i, read=read: pictures[i].target == read[i]["main"])
            if worker.name == "digitocr"
            else "-"
            for worker, read in answers.items()
        }
        rows.append(row("the number that is meant is among the numbers", len(meant), among))
        rows.append(row("the number that is meant is the main one", len(meant), main))
    return rows


def costs(pictures: list[Picture], answers: dict[Worker, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The rows of the table that say what reading costs."""

    def in_ms(seconds: list[float]) -> str:
        ms = spread(seconds, 1e-3)
        return f"{ms['median']:.0f} ({ms['low']:.0f} to {ms['high']:.0f})"

    timed = [i for i in range(len(pictures)) if all("ms" in read[i] for read in answers.values())]
    rows = []
    for name in dict.fromkeys(pictures[i].set for i in timed):
        chosen = [i for i in timed if pictures[i].set == name]
        loaded = {worker: [read[i]["ms"] / 1000 for i in chosen] for worker, read in answers.items()}
        cells = {worker: in_ms(seconds) for worker, seconds in loaded.items()}
        rows.append(row(f"{name}: ms a picture, loaded", len(chosen), cells))
        first = next(iter(answers))
        if first.name == "digitocr":
            cells = {
                worker: f"{statistics.median(a / b for a, b in zip(seconds, loaded[first], strict=True)):.1f}"
                for worker, seconds in loaded.items()
            }
            rows.append(row(f"{name}: times digitocr's, median over the pictures", len(chosen), cells))
    whole = interleaved({worker.title: partial(worker.whole, pictures[0].path) for worker in answers}, COLD)
    cells = {worker: in_ms(whole[worker.title]) for worker in answers}
    rows.append(row("ms of a whole process, the first picture", 1, cells))
    cells = {worker: f"{max(read[i]['MB'] for i in timed):.0f}" for worker, read in answers.items()}
    rows.append(row("peak MB", len(timed), cells))
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
    parser.add_argument("sets", type=Path, nargs="*", metavar="SET", help="a folder with labels.json and its pictures")
    parser.add_argument("--readers", nargs="+", choices=TITLES, default=list(TITLES), help="default: all")
    parser.add_argument("--python-rapidocr", metavar="PYTHON", help="of an environment that has RapidOCR")
    parser.add_argument("--known", type=Path, metavar="FILE", help="what the others read before; made if missing")
    parser.add_argument("--worker", choices=TITLES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments.worker)
        return
    pictures = [picture for folder in arguments.sets for picture in labelled(folder)]
    if not pictures:
        parser.error("give the folder of a set of pictures")
    with tempfile.TemporaryDirectory() as folder:
        pythons = dict.fromkeys(TITLES, sys.executable)
        if "rapidocr" in arguments.readers:
            pythons["rapidocr"] = arguments.python_rapidocr or installed(folder)
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # inherited by all processes started from here on
        os.environ["OMP_THREAD_LIMIT"] = "1"  # the only switch for the threads of Tesseract
        workers = [Worker(name, pythons[name]) for name in TITLES if name in arguments.readers]
        answers = answers_of(pictures, workers, Known(arguments.known))
        right_rows, cost_rows = accuracy(pictures, answers), costs(pictures, answers)
    notes = [
        "digits right: 1 - edit distance / digits, without line breaks; pictures right: those without an error",
        "a place marked as doubtful counts as no digit; where RapidOCR finds no line, the picture is read as one line",
        "the number that is meant: with all its digits and no other; the main one: that of `digitocr predict --main`",
    ]
    if arguments.known:
        notes.append(
            "of the other readers, readings of the same version and picture are partly those of an earlier run"
        )
    report("others", "Other readers on the same pictures", right_rows, notes, arguments.save)
    notes = [
        "ms: median (quartiles), one thread on one core, in turn; "
        f"the whole process {COLD} times: `digitocr predict`, the tesseract command, RapidOCR from Python",
        "peak MB: of a process that reads all pictures; of Tesseract's, one for each picture, the largest",
    ]
    report("others-cost", "Time and memory of other readers", cost_rows, notes, arguments.save)


if __name__ == "__main__":
    main()
