"""Where the time of Reader.read goes: each step beside a floor, and how the whole grows with pixels and digits.

    python benchmarks/profile.py [FOLDER...] [--save]
    python benchmarks/profile.py [FOLDER...] --beside OTHER/.venv/bin/python

The pictures are those of examples/, or of the folders given. Takes half a minute with the examples. All times are of
the processor, in one thread. A floor is what the step cannot do without, at the rates measured on the same core: the
decoding by Pillow alone, the multiply-accumulates of a network as in a large int8 matrix product, or the bytes that are
read and written, as copied. With --beside, the digitocr of another Python reads the same pictures in turn with this
one, and only the ratio is printed.
"""

import argparse
import io
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from dense_page import page as dense_page
from floor import floors, least, multiply_accumulates, seconds_of_bytes
from PIL import Image
from reader import page
from timing import argument_parser, report

from digitocr import Reader
from digitocr.runtime import confidence, detector, image, preprocessing, recognition, recognizer, strips
from digitocr.runtime import reader as reader_module
from digitocr.runtime.classifier import DEFAULT_MODEL, Classifier
from digitocr.runtime.detector import DEFAULT_DETECTOR
from digitocr.runtime.formats import is_readable
from digitocr.runtime.models import shipped_model
from digitocr.runtime.opencv import cv2
from digitocr.runtime.recognizer import DEFAULT_RECOGNIZER
from digitocr.runtime.resampling import warped

EXAMPLES = Path(__file__).parents[1] / "examples"
ROUNDS = 3  # of each picture; the least time counts
PIXELS = ((500, 500), (1000, 1000), (2000, 2000), (4000, 3000))  # width and height of the page that grows
DIGITS = (10, 100, 500, 1000)  # on the page of one megapixel that grows denser
WORKER = """
import sys, time
import cv2
from digitocr import Reader
cv2.setNumThreads(1)
reader = Reader()
for line in sys.stdin:
    began = time.process_time()
    reader.read(line.strip())
    print(time.process_time() - began, flush=True)
"""
# name of a step -> where its functions are: their module or class, and their names there
STEPS: dict[str, list[tuple[Any, str]]] = {
    "decode": [(image, "load_reduced")],
    "resize, turn, even": [
        (detector, "shrunk"), (detector, "evened"), (reader_module, "shadeless"), (reader_module, "turned")
    ],
    "planes": [(detector, "detector_input")],
    "detector": [],
    "peaks": [(detector, "decoded"), (detector, "finite"), (detector, "_merged")],
    "crops": [(preprocessing, "images")],
    "classifier": [(Classifier, "predict")],
    "lines": [(recognition, "find_lines"), (recognition, "segments")],
    "strips": [(recognition, "cut"), (recognizer, "recognizer_input")],
    "recognizer": [(recognizer.Recognizer, "columns")],
    "confidence": [
        (confidence.ConfidenceModel, "of_candidates"), (confidence.ConfidenceModel, "of_characters"),
        (recognition, "character_features"),
    ],
    "the rest": [(Reader, "read")],
}  # fmt: skip


class Clock:
    """Processor time of steps, each without the steps inside it, and how often each was called."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)
        self._inside = [0.0]

    def timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time counted under the step."""

        def call(*words: Any, **named: Any) -> Any:
            self._inside.append(0.0)
            began = time.thread_time()
            try:
                return function(*words, **named)
            finally:
                spent = time.thread_time() - began
                self.seconds[step] += spent - self._inside.pop()
                self._inside[-1] += spent
                self.calls[step] += 1

        return call


class Session:
    """A session of ONNX Runtime whose runs are a step, and the sizes of its inputs."""

    def __init__(self, session: Any, step: str, clock: Clock) -> None:
        self.sizes: list[int] = []
        self._run = clock.timed(step, session.run)

    def run(self, outputs: Any, inputs: dict[str, Any]) -> Any:
        (given,) = inputs.values()
        self.sizes.append(given.size)
        return self._run(outputs, inputs)


class Bytes:
    """Counts the bytes that functions read and write as arrays: those that are given first, and the result."""

    def __init__(self) -> None:
        self.count: dict[str, int] = defaultdict(int)

    def counted(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its bytes counted under the step; of a picture that is warped, no more than the result has."""

        def call(given: Any, *words: Any, **named: Any) -> Any:
            made = function(given, *words, **named)
            if made is not given:
                read = given if isinstance(given, list) else [made if function is warped else given]
                self.count[step] += sum(one.nbytes for one in read) + made.nbytes
            return made

        return call


def pictures(folders: list[Path]) -> list[Path]:
    """The pictures in folders and the folders below them."""
    return [path for folder in folders for path in sorted(folder.rglob("*")) if is_readable(path.suffix)]


def bare_decoding(picture: Path | bytes, reduced: float) -> float:
    """Seconds in which Pillow decodes a picture, a JPEG to grey levels and as many times reduced as it is read."""

    def decode() -> None:
        with Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture) as opened:
            if opened.format in ("JPEG", "MPO"):
                opened.draft("L", (int(opened.width / reduced), int(opened.height / reduced)))
            opened.load()

    return least(decode, ROUNDS)


def steps(paths: list[Path]) -> list[dict[str, Any]]:
    """The rows of the steps: milliseconds of a picture on average, and the floor."""
    reader, clock, touched = Reader(), Clock(), Bytes()
    for path in paths[:3]:
        reader.read(path)
    decoding = sum(bare_decoding(path, image.load_reduced(path)[1]) for path in paths)
    sessions = {
        "detector": Session(reader.detector._session, "detector", clock),
        "classifier": Session(reader.classifier._backend._session, "classifier", clock),
        "recognizer": Session(reader.recognizer._session, "recognizer", clock),
    }
    with replaced() as replace:
        replace(reader.detector, "_session", sessions["detector"])
        replace(reader.classifier._backend, "_session", sessions["classifier"])
        replace(reader.recognizer, "_session", sessions["recognizer"])
        for step, module, name in (
            ("resize, turn, even", detector, "shrunk"), ("resize, turn, even", detector, "evened"),
            ("resize, turn, even", reader_module, "shadeless"), ("resize, turn, even", reader_module, "turned"),
            ("planes", detector, "detector_input"), ("crops", preprocessing, "resized"), ("strips", strips, "warped"),
            ("strips", recognizer, "recognizer_input"),
        ):  # fmt: skip
            replace(module, name, touched.counted(step, getattr(module, name)))
        for step, places in STEPS.items():
            for owner, name in places:
                replace(owner, name, clock.timed(step, getattr(owner, name)))
        for path in paths:
            reader.read(path)
    touched.count["peaks"] = sum(sessions["detector"].sizes) // 3 * 5 * 4 // detector.STRIDE**2
    floor, product = {"decode": decoding}, floors(1)["int8"]
    floor |= {step: seconds_of_bytes(count) for step, count in touched.count.items()}
    for step, (file, shape) in {
        "detector": (DEFAULT_DETECTOR, (1, 3, 512, 512)),
        "classifier": (DEFAULT_MODEL, (1, 28, 28, 1)),
        "recognizer": (DEFAULT_RECOGNIZER, (1, 2, 32, 320)),
    }.items():
        products = multiply_accumulates(onnx.load(shipped_model(file)), shape)
        floor[step] = product * products * sum(sessions[step].sizes) / np.prod(shape)
    what = {"decode": "decoding alone", **dict.fromkeys(touched.count, "bytes")}
    what |= dict.fromkeys(sessions, "multiply-accumulates")
    whole = sum(clock.seconds.values())
    rows = []
    for step in [*STEPS, "all"]:
        spent = whole if step == "all" else clock.seconds[step]
        least_time = sum(floor.values()) if step == "all" else floor.get(step)
        rows.append(
            {
                "step": step,
                "ms a picture": round(1000 * spent / len(paths), 2),
                "share": f"{spent / whole:.0%}",
                "calls a picture": "" if step in ("all", "the rest") else round(clock.calls[step] / len(paths), 1),
                "floor, ms": "" if least_time is None else round(1000 * least_time / len(paths), 2),
                "times the floor": "" if least_time is None else round(spent / least_time, 1),
                "floor of": what.get(step, ""),
            }
        )
    return rows


class replaced:
    """Attributes of modules and objects replaced, and put back at the end."""

    def __enter__(self) -> Callable[[Any, str, Any], None]:
        self._before: list[tuple[Any, str, Any]] = []
        return self._replace

    def _replace(self, owner: Any, name: str, value: Any) -> None:
        self._before.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    def __exit__(self, *_: object) -> None:
        for owner, name, value in reversed(self._before):
            setattr(owner, name, value)


def growth() -> Iterator[dict[str, Any]]:
    """The rows of pages that grow in pixels, and of pages of one megapixel that grow in digits."""
    reader = Reader()
    scene = np.asarray(Image.open(io.BytesIO(page())))
    for size in PIXELS:
        file = io.BytesIO()
        Image.fromarray(cv2.resize(scene, size, interpolation=cv2.INTER_AREA)).save(file, "JPEG", quality=90)
        content, gray = file.getvalue(), np.asarray(Image.open(file))
        bare = bare_decoding(content, image.load_reduced(content)[1])
        for kind, picture, decoding in (("JPEG", content, bare), ("array", gray, 0.0)):
            yield row(reader, f"{size[0]}x{size[1]} pixels, {kind}", picture, decoding)
    for count in DIGITS:
        yield row(reader, f"{count} small digits, array of 1000x1000 pixels", dense_page(count), 0.0)


def row(reader: Reader, what: str, picture: Any, decoding: float) -> dict[str, Any]:
    """A row of `growth`. decoding: seconds of decoding alone; 0 where nothing is decoded."""
    reading = reader.read(picture)
    spent = least(lambda: reader.read(picture), ROUNDS)
    return {
        "page": what,
        "digits read": len(reading.digits),
        "ms": round(1000 * spent, 1),
        "of its bare decoding": round(spent / decoding, 2) if decoding else "",
    }


def compare(other: str, paths: list[Path]) -> None:
    """Prints the mean time of a picture, of both Pythons in turn."""
    workers = [
        subprocess.Popen([python, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        for python in (other, sys.executable)
    ]
    seconds = np.full((len(workers), len(paths)), np.inf)
    for turn in range(ROUNDS + 1):
        for place, path in enumerate(paths):
            for worker, taken in zip(workers, seconds, strict=True):
                print(path, file=worker.stdin)
                spent = float(worker.stdout.readline())  # type: ignore[union-attr]
                taken[place] = min(taken[place], spent) if turn else np.inf
    for worker in workers:
        worker.communicate()
    before, now = seconds
    print(
        f"{len(paths)} pictures, ms on average: {1000 * before.mean():.1f} there, {1000 * now.mean():.1f} here; "
        f"{now.mean() / before.mean():.3f} of the mean, {np.median(now / before):.3f} in the median of the ratios"
    )


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[EXAMPLES], metavar="FOLDER")
    parser.add_argument("--beside", metavar="PYTHON", help="the Python of another installation to compare with")
    arguments: argparse.Namespace = parser.parse_args()
    cv2.setNumThreads(1)
    paths = pictures(arguments.folders)
    if arguments.beside:
        compare(arguments.beside, paths)
        return
    names = ", ".join(folder.resolve().name for folder in arguments.folders)
    notes = [
        f"{len(paths)} pictures of {names}; processor time of one thread; `python benchmarks/profile.py`",
        "the rest: the search for the rotation, the merging of the networks' answers, lines and numbers, Python itself",
    ]
    report("profile", "Where the time of a read goes", steps(paths), notes, arguments.save)
    notes = [f"the least processor time of {ROUNDS} reads; the first page is one of 1000x1000 pixels, resized"]
    report("profile-growth", "How the time of a read grows", list(growth()), notes, arguments.save)


if __name__ == "__main__":
    main()
