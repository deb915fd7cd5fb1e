"""Reader: a picture in, a Reading out.

    reading = Reader().read("page.jpg")
    reading.text  # the digits, numbers apart by a space, a line of text for each line in the picture

Six steps: the picture is decoded; digits are detected, cropped and classified (again at other rotations, where the
picture may not be upright); their lines are recognized; all is put in reading order and grouped to numbers.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, get_args, overload

import numpy as np

from digitocr.runtime import image, preprocessing
from digitocr.runtime.arguments import finite, whole
from digitocr.runtime.attempt import Attempt, Mode
from digitocr.runtime.background import bordered, ink_box, is_full, shadeless, shrunk
from digitocr.runtime.boxes import Boxes, Scores, scaled
from digitocr.runtime.candidates import Candidate, Strip, strips_of
from digitocr.runtime.characters import DOUBT, Character
from digitocr.runtime.classifier import Classifier, Probabilities
from digitocr.runtime.confidence import load_confidence
from digitocr.runtime.detector import MIN_SCORE, SURE_SCORE, Detector
from digitocr.runtime.errors import UsageError
from digitocr.runtime.files import is_folder
from digitocr.runtime.image import GrayImage, Picture, Roi
from digitocr.runtime.interpreter import CPU
from digitocr.runtime.models import exported_networks, network_id
from digitocr.runtime.numbers import grouped, why_apart
from digitocr.runtime.orientation import (
    ROTATIONS,
    Rotation,
    Rows,
    ShrunkTurns,
    best_attempt,
    turned,
    turned_back,
)
from digitocr.runtime.preprocessing import SIDE, Images, scale
from digitocr.runtime.reading import Box, Digit, Line, ModelId, Number, Reading, Timing
from digitocr.runtime.recognition import Recognition, recognition
from digitocr.runtime.recognizer import Recognizer

MAX_THREADS = 256  # an interpreter starts any number that it is given
TOPK = 3  # digits with their probabilities, of each digit read
CROP_SCALES = (0.86, 1.14)  # of a box; the probabilities of both crops are averaged, which misreads fewer digits


class Reader:
    """Reads the numbers in pictures with three networks, which are loaded once.

    Threads: any number of threads may share a Reader; with a .tflite model they wait for each other at the classifier.
    Processes: a Reader can be pickled; the copy loads the model files again, from the same paths. Closing: a Reader
    holds memory only, no files and no threads of its own, so there is nothing to close.

    Args:
        model: A .onnx or .tflite file that reads one digit; by default the shipped int8 network. Or a folder of
            exported networks, whose detector, recognizer and confidence are used as well.
        detector: A .onnx file that finds digits; by default the shipped one.
        recognizer: A .onnx file that reads lines; by default the shipped one.
        threads: Threads of each interpreter, 1 to MAX_THREADS.
        conf: Digits with a lower confidence are left out, or are places of doubt where it is sure that a digit stands,
            0 to 1. Nothing else depends on it: raising it only takes digits away.
        mode: "single": the picture is one digit. "line": it is one line of digits. "auto": lines, wherever they are.
        rotate: Degrees clockwise to rotate the picture by before it is read: 0, 90, 180 or 270. "auto": where there
            are several digits, or none is read, the picture is also tried with its lines level, on its sides and upside
            down, and is rotated if several digits read better so.
        providers: ONNX Runtime's execution providers, such as "CUDAExecutionProvider", the preferred one first.
        confidence: A file of train/classifier/calibrate.py for these networks; by default the shipped one.

    Attributes:
        calibrated: Whether the confidence is calibrated for these networks. With others, it only puts the digits
            in an order: it is no share of right readings.

    Raises:
        ModelError: A file cannot be used.
        MissingExtraError: The model is a .tflite file, and LiteRT is not installed.
        UsageError: A setting makes no sense, or a provider is not available.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        detector: str | os.PathLike[str] | None = None,
        recognizer: str | os.PathLike[str] | None = None,
        threads: int = 1,
        conf: float = 0.5,
        mode: Mode = "auto",
        rotate: Rotation = "auto",
        providers: Sequence[str] = CPU,
        confidence: str | os.PathLike[str] | None = None,
    ) -> None:
        threads = whole("threads", threads, 1, MAX_THREADS)
        conf = finite("conf", conf, 1)
        if mode not in get_args(Mode):
            raise UsageError(f"mode must be one of {', '.join(get_args(Mode))}, not {mode}")
        if rotate not in ROTATIONS:
            raise UsageError(f"rotate must be one of {', '.join(map(str, ROTATIONS))}, not {rotate!r}")
        if model is not None and is_folder(model):
            found = exported_networks(Path(model))
            model, detector = found["model"], detector or found.get("detector")
            recognizer, confidence = recognizer or found.get("recognizer"), confidence or found.get("confidence")
        self.conf = conf
        self.mode: Mode = mode
        self.rotate: Rotation = rotate
        self._files: dict[str, Any] = {
            "model": model,
            "detector": detector,
            "recognizer": recognizer,
            "threads": threads,
            "providers": tuple(providers),
            "confidence": confidence,
        }
        with ThreadPoolExecutor(3) as pool:  # an interpreter that loads a network leaves Python's lock to others
            reads = pool.submit(Classifier, None if model is None else Path(model), threads, providers)
            detects = pool.submit(Detector, None if detector is None else Path(detector), threads, providers)
            recognizes = pool.submit(Recognizer, None if recognizer is None else Path(recognizer), threads, providers)
        self.classifier, self.detector, self.recognizer = reads.result(), detects.result(), recognizes.result()
        self._confidence = load_confidence(confidence)
        self.calibrated = self._confidence.networks == tuple(
            network_id(network.card, network.sha256) for network in (self.classifier, self.detector, self.recognizer)
        )
        self._model = ModelId(self.classifier.name, self.classifier.sha256)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), conf=self.conf, mode=self.mode, rotate=self.rotate, **self._files), ()

    def read(self, picture: Picture, page: int = 0, *, roi: Roi | None = None) -> Reading:
        """Reads the digits in a picture.

        Args:
            picture: A path, the bytes of a file, a PIL image or an array; image.load says which arrays.
            page: The page of a TIFF, from 0.
            roi: x, y, width, height in pixels of the picture as shown: only that part is read. Boxes are in the whole
                picture nevertheless.

        Raises:
            InputError: It is no picture, is damaged or too large, or has no such page or part.
            MissingExtraError: The picture is HEIF (.heic), and the extra "heif" is not installed.
            ModelError: The interpreter cannot run a network.
            UsageError: The part is none of any picture.
        """
        if roi is not None:
            x, y, *_ = roi = image.checked_roi(roi)
            return self.read(image.load_part(picture, roi, page=page)).shifted(x, y)
        started = perf_counter()
        gray, factor = image.load_reduced(picture, page=page)
        decoded = perf_counter()
        if gray.shape == (SIDE, SIDE):
            return self._read_lone(gray, decoded - started)
        attempt, detecting = self._detect_and_classify(gray)
        return self._reading(attempt, gray, factor, started, decoded, detecting)

    def inspect(
        self, picture: Picture, page: int = 0, *, roi: Roi | None = None
    ) -> tuple[Reading, list[Candidate], list[Strip]]:
        """What read and candidates return, and the lines that the recognizer has read, in the time of one reading.

        The lines with the largest digits and the most of them come first. Takes and raises what read does.
        """
        if roi is not None:
            x, y, *_ = roi = image.checked_roi(roi)
            reading, candidates, strips = self.inspect(image.load_part(picture, roi, page=page))
            candidates = [replace(one, box=one.box.shifted(x, y)) for one in candidates]
            return reading.shifted(x, y), candidates, strips
        started = perf_counter()
        gray, factor = image.load_reduced(picture, page=page)
        decoded = perf_counter()
        if gray.shape == (SIDE, SIDE):
            lone = self._attempt_lone(gray)
            candidates = self._candidates(lone, self._rows(lone), gray, factor)
            return self._read_lone(gray, decoded - started), candidates, []
        attempt, detecting = self._detect_and_classify(gray)
        reading = self._reading(attempt, gray, factor, started, decoded, detecting)
        rows = self._rows(attempt)
        return reading, self._candidates(attempt, rows, gray, factor), strips_of(attempt, rows)

    @overload
    def read_many(
        self, pictures: Iterable[Picture], *, jobs: int = 1, errors: Literal["raise"] = "raise"
    ) -> Iterator[Reading]: ...
    @overload
    def read_many(
        self, pictures: Iterable[Picture], *, jobs: int = 1, errors: Literal["return"]
    ) -> Iterator[Reading | Exception]: ...
    def read_many(
        self, pictures: Iterable[Picture], *, jobs: int = 1, errors: str = "raise"
    ) -> Iterator[Reading] | Iterator[Reading | Exception]:
        """Reads pictures one after the other or in several processes.

        With several jobs, call it below `if __name__ == "__main__":` in a script, since each process imports the
        script. Each process loads the networks itself, so this is faster only from some hundred pictures on.

        Args:
            pictures: Each as `read` takes it; of a TIFF the first page is read. A few are read ahead.
            jobs: How many processes read; with 1, the default, this one does.
            errors: "raise": the exception of a picture that cannot be read ends the iteration. "return": it takes the
                place of the Reading.

        Returns:
            The Reading of each picture, in the order of the pictures.

        Raises:
            InputError: A picture cannot be read, or a process has died of it; with errors="raise".
            UsageError: An argument makes no sense, or the processes cannot start.
        """
        from digitocr.runtime.many import read_many  # imported here: multiprocessing would add 30 ms to each start

        return read_many(self, pictures, jobs, errors)

    def candidates(self, picture: Picture, page: int = 0, *, roi: Roi | None = None) -> list[Candidate]:
        """All candidates of a picture: those that read returns, in reading order, then the others.

        Takes and raises what read takes and raises.
        """
        return self.inspect(picture, page, roi=roi)[1]

    def classify(self, gray: GrayImage, boxes: Boxes) -> Probabilities:
        """(n, 10) float32: the probabilities of the digits in (n, 4) float32 boxes of an (H, W) uint8 picture."""
        return self._crop_and_classify(gray, boxes)[1][:, :10]

    def recognition(self, gray: GrayImage) -> Recognition:
        """All that the networks find in an (H, W) uint8 picture as it stands, whatever its confidence."""
        return self._recognition(gray, self._read_at(gray, 0, ShrunkTurns(gray))[0])

    def _reading(
        self, attempt: Attempt, gray: GrayImage, factor: float, started: float, decoded: float, detecting: float
    ) -> Reading:
        """What was read in a picture.

        Args:
            attempt: The candidates at the rotation that reads best.
            gray: The picture as it was decoded.
            factor: How many times larger it is as shown.
            started: perf_counter's time before it was decoded.
            decoded: perf_counter's time afterwards.
            detecting: Seconds that detection took.
        """
        boxes = turned_back(attempt.boxes, gray.shape, attempt.degrees)
        probabilities, confidence = attempt.probabilities.tolist(), attempt.confidence.tolist()
        lines = tuple(
            self._line(
                attempt.characters(line, self._told),
                lambda row, is_told: _digit(probabilities[row], confidence[row], _box(boxes[row], factor), is_told),
            )
            for line in attempt.lines(self.conf, self.mode)
        )
        why = "" if lines else attempt.why_nothing(self.conf)
        ended = perf_counter()
        ms = Timing(1000 * (decoded - started), 1000 * detecting, 1000 * (ended - decoded - detecting))
        return Reading(lines, ms, self._model, attempt.degrees, why)

    def _line(self, characters: list[Character], digit: Callable[[int, bool], Digit]) -> Line:
        """The line of these characters. digit: the Digit of a candidate, by its row and whether it is told."""
        return Line(
            tuple(
                Number(
                    group.text,
                    tuple(digit(characters[place].row, characters[place].text != DOUBT) for place in group.places),
                    self._confidence.of_number(group),
                )
                for group in grouped(characters)
            )
        )

    def _rows(self, attempt: Attempt) -> dict[int, bool]:
        """The rows of all candidates, those in the reading first, in reading order; and whether they are in it."""
        kept = [row for line in attempt.lines(self.conf, self.mode) for row in line]
        return {**dict.fromkeys(kept, True), **dict.fromkeys(sorted(set(range(len(attempt.boxes))) - set(kept)), False)}

    def _candidates(self, attempt: Attempt, rows: dict[int, bool], gray: GrayImage, factor: float) -> list[Candidate]:
        """All candidates of a picture that was decoded to `gray`, and is `factor` times larger as shown."""
        boxes = turned_back(attempt.boxes, gray.shape, attempt.degrees)
        begins = {}
        for line in attempt.lines(self.conf, self.mode):
            characters = attempt.characters(line, self._told)
            for before, group in pairwise(grouped(characters)):
                first = group.places[0]
                begins[characters[first].row] = why_apart(characters, before.places[-1], first)
        return [
            Candidate(
                _box(boxes[row], factor),
                float(attempt.scores[row]),
                attempt.images[row],
                tuple(attempt.probabilities[row].tolist()),
                float(attempt.confidence[row]),
                is_kept,
                "" if is_kept else attempt.why_left_out(row, self.conf, self.mode),
                () if (seen := attempt.in_line(row)) is None else tuple(seen.tolist()),
                begins.get(row, ""),
            )
            for row, is_kept in rows.items()
        ]

    def _detect_and_classify(self, gray: GrayImage) -> tuple[Attempt, float]:
        """The candidates of the picture at the rotation that reads best, and the seconds that detection took."""
        detecting, turns = 0.0, ShrunkTurns(gray)

        def read_at(degrees: int) -> Attempt:
            nonlocal detecting
            attempt, spent = self._read_at(gray, degrees, turns)
            detecting += spent
            return attempt

        if self.mode == "single":
            return read_at(self._fixed_rotation), detecting

        def with_lines(attempt: Attempt) -> Attempt:
            upright = turned(gray, attempt.degrees)
            found = self._recognition(upright, attempt).attempt(attempt.degrees, self._confidence)
            return found.without_cut_wheel(upright.shape)

        if self.rotate == "auto":
            return best_attempt(read_at, self._looks_better, with_lines, gray.shape), detecting
        return with_lines(read_at(self._fixed_rotation)), detecting

    def _read_at(self, gray: GrayImage, degrees: int, turns: ShrunkTurns) -> tuple[Attempt, float]:
        """The candidates of the picture at a rotation, and the seconds that detection took.

        Where its digits may touch its edges, they are also looked for in a border, and the better attempt is taken.
        """
        seen = turned(gray, degrees)
        shrink = partial(turns.shrunk, degrees)
        attempt, detecting = self._detected(seen, degrees, degrees == self._fixed_rotation, shrink)
        if is_full(seen, attempt.boxes[attempt.scores >= SURE_SCORE]):
            seen, width, halvings = bordered(seen)  # the turned picture is let go, since it may be large
            in_border, spent = self._detected(seen, degrees, thorough=False)
            detecting += spent
            if in_border.reading_score > attempt.reading_score:
                attempt = in_border.without_border(width, halvings)
        if self.mode == "single" and not len(attempt.boxes):
            attempt = self._attempt_ink(turned(gray, degrees), degrees)
        return attempt, detecting

    def _detected(
        self, gray: GrayImage, degrees: int, thorough: bool, shrink: Callable[[GrayImage, int], GrayImage] = shrunk
    ) -> tuple[Attempt, float]:
        """The candidates that the detector finds in the picture at a rotation, and the seconds that this took."""
        began = perf_counter()
        boxes, scores = self.detector.detect(gray, thorough, shrink)
        spent = perf_counter() - began
        images, probabilities = self._crop_and_classify(gray, boxes)
        confidence = self._confidence.of_candidates(boxes, scores, probabilities[:, :10])
        return Attempt(degrees, boxes, scores, images, probabilities, confidence), spent

    def _recognition(self, gray: GrayImage, attempt: Attempt) -> Recognition:
        """What the recognizer finds in the lines of an attempt, in the picture at its rotation."""
        return recognition(gray, attempt, self.recognizer, partial(self._crop_and_classify, gray), self._confidence)

    def _crop_and_classify(self, gray: GrayImage, boxes: Boxes) -> tuple[Images, Probabilities]:
        """The (n, 28, 28) crops of the first of CROP_SCALES, and (n, classes) probabilities averaged over all."""
        # the time of it grows with the picture
        even = shadeless(gray, boxes, self.detector.scratch(gray.shape)) if len(boxes) else gray
        crops = preprocessing.images(even, np.concatenate([scaled(boxes, factor) for factor in CROP_SCALES]))
        probabilities = self.classifier.predict(scale(crops))
        return crops[: len(boxes)], probabilities.reshape(len(CROP_SCALES), len(boxes), probabilities.shape[1]).mean(0)

    def _looks_better(self, attempt: Attempt, rows: Rows, degrees: int, least: float) -> bool:
        """Whether candidates look more like digits with each crop turned by 90, 180 or 270 degrees.

        What they look like is the sum of the likeliest digit's probability; turned, it must be over `least` times that
        as they are.
        """
        crops = np.ascontiguousarray(np.rot90(attempt.images[rows], -degrees // 90, (1, 2)))
        probabilities = self.classifier.predict(scale(crops))[:, :10]
        upright = attempt.probabilities[rows, :10].max(1).sum()
        return bool(probabilities.max(1).sum() > np.float32(least) * upright)

    def _read_lone(self, gray: GrayImage, decoding: float) -> Reading:
        """Reads a 28x28 picture, decoded in `decoding` seconds, as one digit in MNIST's form.

        It does what _attempt_lone does, but with few arrays, whose calls would take a fifth more time.
        """
        began = perf_counter()
        degrees = self._fixed_rotation
        upright = turned(gray, degrees)
        probabilities = self.classifier.predict(scale(preprocessing.lone(upright)))[0].tolist()
        confidence = self._confidence.of_lone(max(probabilities[:10]))
        is_kept = self.mode == "single" or (confidence >= self.conf and not preprocessing.is_blank(gray))
        digit = _digit(probabilities, confidence, Box(0, 0, SIDE, SIDE))
        lines = (Line((Number(digit.text, (digit,), confidence),)),) if is_kept else ()
        why = "" if is_kept else self._attempt_lone(gray).why_nothing(self.conf)
        ms = Timing(1000 * decoding, 0.0, 1000 * (perf_counter() - began))
        return Reading(lines, ms, self._model, degrees, why)

    def _attempt_lone(self, gray: GrayImage) -> Attempt:
        """A 28x28 picture as an Attempt: one candidate, none where it is blank."""
        upright = turned(gray, self._fixed_rotation)
        crops = preprocessing.lone(upright)[: 0 if preprocessing.is_blank(gray) and self.mode != "single" else 1]
        probabilities = self.classifier.predict(scale(crops))
        boxes = np.array([[0, 0, SIDE, SIDE]], np.float32)[: len(crops)]
        scores = np.ones(len(crops), np.float32)
        return Attempt(self._fixed_rotation, boxes, scores, crops, probabilities, self._lone_confidence(probabilities))

    def _attempt_ink(self, gray: GrayImage, degrees: int) -> Attempt:
        """All ink of a picture of one digit as the candidate, where the detector has none.

        The caller states that the picture is a digit, so the probability of "no digit" is shared out among the digits.
        """
        boxes = np.array([ink_box(gray)], np.float32)
        crops, probabilities = self._crop_and_classify(gray, boxes)
        digits = probabilities[:, :10] / probabilities[:, :10].sum(1, keepdims=True)
        scores = np.full(1, MIN_SCORE, np.float32)
        return Attempt(degrees, boxes, scores, crops, digits, self._lone_confidence(digits))

    def _lone_confidence(self, probabilities: Probabilities) -> Scores:
        """(n,) confidences of pictures of one digit."""
        best = probabilities[:, :10].max(1, initial=0.0).tolist()
        return np.array([self._confidence.of_lone(probability) for probability in best], np.float32)

    @property
    def _told(self) -> float:
        """The confidence from which on a digit of the reading is told, and no doubtful place."""
        return 0.0 if self.mode == "single" else self.conf

    @property
    def _fixed_rotation(self) -> int:
        """Degrees clockwise, of a picture that is not tried at several rotations."""
        return 0 if self.rotate == "auto" else self.rotate


def _box(box: Boxes, factor: float) -> Box:
    """A (4,) box of a picture that was decoded `factor` times smaller, in whole pixels of the picture as shown."""
    x, y, w, h = (round(value * factor) for value in box.tolist())
    return Box(x, y, max(1, w), max(1, h))


def _digit(probabilities: list[float], confidence: float, box: Box, is_told: bool = True) -> Digit:
    ranked = sorted(enumerate(probabilities[:10]), key=itemgetter(1), reverse=True)[:TOPK]
    return Digit(ranked[0][0] if is_told else None, confidence, box, tuple(ranked))
