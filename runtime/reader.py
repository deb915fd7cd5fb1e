"""Reader: a picture in, a Reading out."""

import os
from collections.abc import Iterable, Iterator
from functools import partial
from operator import itemgetter
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, NamedTuple, overload

import numpy as np

from digitocr.runtime import detector, image, preprocessing
from digitocr.runtime.background import shadeless
from digitocr.runtime.boxes import Boxes, Scores
from digitocr.runtime.classifier import Classifier, Probabilities
from digitocr.runtime.confidence import WEIGHTS, confidence_features
from digitocr.runtime.detector import Detector
from digitocr.runtime.errors import UsageError
from digitocr.runtime.image import GrayImage, Picture
from digitocr.runtime.lines import in_lines, slope
from digitocr.runtime.opencv import cv2
from digitocr.runtime.orientation import turned, turned_back
from digitocr.runtime.preprocessing import Images
from digitocr.runtime.reading import Box, Candidate, Digit, Line, ModelId, Reading, Timing

TOPK = 3
MODES = ("auto", "single", "line")
TURNS = ("auto", "0", "90", "180", "270")  # degrees clockwise
MAX_THREADS = 256  # an interpreter starts as many as it is told
# A box is cut out a little too tight and a little too wide, and what the network says to both is averaged: on drawn
# scenes 7.1 % of the digits are misread so, and 8.3 % in one view.
VIEWS = (0.86, 1.14)
BLANK = 18  # grey levels from the darkest to the brightest pixel of a lone digit; less is none
# Of a picture with SEVERAL candidates, or of which nothing is read: writing on its side often has no candidate at all.
# Where its lines are STEEP, in degrees, it is read with them level as well; on
# drawn pages at 26 to 46 degrees 674 instead of 1,169 of 2,751 digits are lost or misread so. Not read that SURE as it
# is, on average, it is read on either side, and where its digits look better inverted, upside down: 6, 8 and 9 can be
# read so with any confidence. One of these ways is taken if it is that much BETTER, and read with that CLEAR a
# confidence.
SEVERAL, STEEP, SURE, BETTER, CLEAR = 3, 11, 0.9, 1.2, 0.9


class _Seen(NamedTuple):
    """The candidates of a picture that was turned clockwise by `turned` degrees; boxes in the picture as it was."""

    turned: int
    boxes: Boxes
    found: Scores
    images: Images
    probabilities: Probabilities
    confidence: Scores
    lines: list[list[int]]  # rows of those that are kept, in reading order

    @property
    def upright_score(self) -> float:
        """How much was read, and how surely, of what tells which way is up: not the zeros."""
        kept = [row for line in self.lines for row in line]
        telling = self.confidence[kept][self.probabilities[kept, :10].argmax(1) > 0]
        return float(np.maximum(telling - 0.5, 0).sum())

    def surely(self, confidence: float) -> bool:
        """Whether SEVERAL digits are read, with that confidence on average."""
        kept = [float(self.confidence[row]) for line in self.lines for row in line]
        return len(kept) >= SEVERAL and sum(kept) / len(kept) >= confidence


class Reader:
    """Reads the digits of pictures with two networks, loaded once.

    model: a .onnx or .tflite file that reads a digit, by default the shipped int8 network; detector: a .onnx file that
    finds digits, by default the shipped one; threads: of the
    interpreters; conf: digits of a lower probability are left out, 0 to 1; mode: "single", the picture is one digit,
    "line", one line of digits, or "auto"; rotate: degrees clockwise to turn the picture by before it is read, or
    "auto": where there are several digits, or none is read, what reads best of their lines made level and the four ways
    up; it is turned only for several digits.

    Raises ModelError, MissingExtraError or UsageError for what it was given.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        detector: str | os.PathLike[str] | None = None,
        threads: int = 1,
        conf: float = 0.5,
        mode: str = "auto",
        rotate: str = "auto",
    ) -> None:
        if not 1 <= threads <= MAX_THREADS:
            raise UsageError(f"threads must be from 1 to {MAX_THREADS}, not {threads}")
        if not 0 <= conf <= 1:
            raise UsageError(f"conf is a probability from 0 to 1, not {conf}")
        if mode not in MODES:
            raise UsageError(f"mode is one of {', '.join(MODES)}, not {mode}")
        if rotate not in TURNS:
            raise UsageError(f"rotate is one of {', '.join(TURNS)}, not {rotate}")
        self.classifier = Classifier(None if model is None else Path(model), threads)
        self.detector = Detector(None if detector is None else Path(detector), threads)
        self.conf = conf
        self.mode = mode
        self.rotate = rotate
        self._turn = 0 if rotate == "auto" else int(rotate)
        self._model = ModelId(self.classifier.name, self.classifier.sha256)
        self._files: dict[str, Any] = {"model": model, "detector": detector, "threads": threads}

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), conf=self.conf, mode=self.mode, rotate=self.rotate, **self._files), ()

    def read(self, picture: Picture, page: int = 0) -> Reading:
        """The digits of a path, the bytes of a file, a PIL image or an array (image.load says which arrays).

        Raises InputError for what is no picture, is damaged or too large.
        """
        began = perf_counter()
        gray, factor = image.load_reduced(picture, page=page)
        decoded = perf_counter()
        if gray.shape == (preprocessing.SIDE, preprocessing.SIDE):
            return self._read_lone(turned(gray, self._turn) if self._turn else gray, decoded - began)
        seen, spent = self._seen(gray)
        lines = tuple(
            Line(
                tuple(
                    _digit(
                        seen.probabilities[row].tolist(),
                        float(seen.confidence[row]),
                        _shown(seen.boxes[row], factor),
                    )
                    for row in line
                )
            )
            for line in seen.lines
        )
        why = "" if lines else self._why(seen)
        ended = perf_counter()
        ms = Timing(1000 * (decoded - began), 1000 * spent, 1000 * (ended - decoded - spent))
        return Reading(lines, ms, self._model, seen.turned, why)

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
        script. Each process loads the networks anew, so this pays from some hundred pictures on.

        Args:
            pictures: Each as `read` takes it; of a TIFF the first page is read. A few are taken ahead.
            jobs: How many processes read; with 1, the default, this one does.
            errors: "raise": the exception of a picture that cannot be read ends the reading. "return": it takes the
                place of the Reading.

        Returns:
            The Reading of each picture, in the order of the pictures.

        Raises:
            InputError: A picture cannot be read, or a process has died of it; with errors="raise".
            UsageError: An argument makes no sense, or the processes cannot start.
        """
        from digitocr.runtime.many import read_many  # what several processes need costs each start 30 ms

        return read_many(self, pictures, jobs, errors)

    def _read_lone(self, gray: GrayImage, spent: float) -> Reading:
        """A 28x28 picture, that took so many seconds to decode, without arrays: their calls would take a fifth more."""
        began = perf_counter()
        answer = self.classifier.predict(preprocessing.scale(preprocessing.lone(gray)))[0].tolist()
        best = max(answer[:10])
        kept = self.mode == "single" or (best >= self.conf and not _is_blank(gray))
        lines = (Line((_digit(answer, best, Box(0, 0, preprocessing.SIDE, preprocessing.SIDE)),)),) if kept else ()
        why = "" if kept else self._why(self._lone(gray))
        ms = Timing(1000 * spent, 0.0, 1000 * (perf_counter() - began))
        return Reading(lines, ms, self._model, self._turn, why)

    def candidates(self, picture: Picture) -> list[Candidate]:
        """All that may be a digit in the picture, with what became of it: the kept in reading order, then the rest.

        Raises what read raises.
        """
        gray, factor = image.load_reduced(picture)
        seen, _ = self._seen(gray)
        kept = [row for line in seen.lines for row in line]
        rest = [row for row in range(len(seen.boxes)) if row not in set(kept)]
        return [
            Candidate(
                _shown(seen.boxes[row], factor),
                float(seen.found[row]),
                seen.images[row],
                tuple(seen.probabilities[row].tolist()),
                float(seen.confidence[row]),
                row in kept,
                "" if row in kept else self._rejected(seen, row),
            )
            for row in kept + rest
        ]

    def digits(self, gray: GrayImage, boxes: Boxes) -> Probabilities:
        """(n, 10): the probability of each digit in (n, 4) float32 boxes of the (H, W) picture."""
        return self._views(gray, boxes)[1][:, :10]

    def _views(self, gray: GrayImage, boxes: Boxes) -> tuple[Images, Probabilities]:
        """(n, 28, 28) of the first of VIEWS, and (n, classes) as averaged over all."""
        middles, sides = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]
        resized = [np.concatenate([middles - view * sides / 2, view * sides], 1) for view in VIEWS]
        images = preprocessing.images(shadeless(gray, boxes), np.concatenate(resized))
        answers = self.classifier.predict(preprocessing.scale(images))
        return images[: len(boxes)], answers.reshape(len(VIEWS), len(boxes), answers.shape[1]).mean(0)

    def _seen(self, gray: GrayImage) -> tuple[_Seen, float]:
        """What is seen in the picture as it reads best, and the seconds that finding took."""
        if gray.shape == (preprocessing.SIDE, preprocessing.SIDE):
            return self._lone(turned(gray, self._turn)), 0.0
        best, spent = self._looked(gray, self._turn)
        if self.rotate != "auto" or self.mode == "single" or (best.upright_score > 0 and len(best.boxes) < SEVERAL):
            return best, spent
        tilt = round(np.degrees(slope(best.boxes[best.found >= detector.SURE])))
        if abs(tilt) >= STEEP:
            level, more = self._looked(gray, -tilt % 360)
            spent += more
            if level.upright_score > best.upright_score:
                best = level
        turns = [] if best.surely(SURE) else [90, 270]
        if self._looks_inverted(best):
            turns.append((best.turned + 180) % 360)
        least = BETTER * best.upright_score
        for turn in turns:
            seen, more = self._looked(gray, turn)
            spent += more
            if seen.upright_score > max(least, best.upright_score) and seen.surely(CLEAR):
                best = seen
        return best, spent

    def _looks_inverted(self, seen: _Seen) -> bool:
        """Whether what is read looks more like digits when each is turned by 180 degrees."""
        kept = [row for line in seen.lines for row in line]
        inverted = self.classifier.predict(preprocessing.scale(np.ascontiguousarray(seen.images[kept, ::-1, ::-1])))
        return bool(inverted[:, :10].max(1).sum() > seen.probabilities[kept, :10].max(1).sum())

    def _looked(self, gray: GrayImage, turn: int) -> tuple[_Seen, float]:
        """What is seen in the picture turned clockwise by so many degrees, and the seconds that finding took."""
        upright = turned(gray, turn)
        began = perf_counter()
        boxes, found = self.detector.detect(upright)
        spent = perf_counter() - began
        seen = self._judged(upright, boxes, found, turn)
        return seen._replace(boxes=turned_back(seen.boxes, gray.shape, turn)), spent

    def _judged(self, gray: GrayImage, boxes: Boxes, found: Scores, turn: int) -> _Seen:
        """The candidates read, and those that are kept put in order."""
        images, probabilities = self._views(gray, boxes)
        odds = confidence_features(boxes, found, probabilities[:, :10]) @ WEIGHTS
        confidence = np.asarray(1 / (1 + np.exp(-odds)), np.float32)
        if self.mode == "single":
            return self._single(gray, _Seen(turn, boxes, found, images, probabilities, confidence, []))
        kept = np.flatnonzero(confidence >= self.conf)
        lines = [kept[line].tolist() for line in in_lines(boxes[kept])]
        if self.mode == "line":
            lines = [kept[np.argsort(boxes[kept, 0] + boxes[kept, 2] / 2)].tolist()] if len(kept) else []
        return _Seen(turn, boxes, found, images, probabilities, confidence, lines)

    def _single(self, gray: GrayImage, seen: _Seen) -> _Seen:
        """The likeliest candidate and no other; where there is none, all that differs from the ground."""
        if len(seen.boxes):
            return seen._replace(lines=[[int(seen.confidence.argmax())]])
        boxes = np.array([_inked(gray)], np.float32)
        images, answers = self._views(gray, boxes)
        probabilities = answers[:, :10] / answers[:, :10].sum(1, keepdims=True)
        found = np.ones(1, np.float32)
        return _Seen(seen.turned, boxes, found, images, probabilities, probabilities.max(1), [[0]])

    def _lone(self, gray: GrayImage) -> _Seen:
        """A 28x28 picture is taken for what MNIST holds, one digit, normalised already: its one candidate."""
        if _is_blank(gray) and self.mode != "single":
            nothing = np.zeros((0, preprocessing.SIDE, preprocessing.SIDE), np.uint8)
            return _Seen(self._turn, _WHOLE[:0], _CERTAIN[:0], nothing, self.digits(gray, _WHOLE[:0]), _CERTAIN[:0], [])
        images = preprocessing.lone(gray)
        probabilities = self.classifier.predict(preprocessing.scale(images))
        confidence = probabilities[:, :10].max(1)
        kept = self.mode == "single" or confidence[0] >= self.conf
        return _Seen(self._turn, _WHOLE, _CERTAIN, images, probabilities, confidence, [[0]] if kept else [])

    def _why(self, seen: _Seen) -> str:
        """Why nothing was read."""
        if not len(seen.boxes):
            return "nothing in it looks like a digit"
        best = int(seen.confidence.argmax())
        digit, count = int(seen.probabilities[best, :10].argmax()), len(seen.boxes)
        regions_were = "1 region was" if count == 1 else f"{count} regions were"
        return (
            f"{regions_were} found, the surest is a {digit} with {seen.confidence[best]:.2f}, "
            f"below --conf {self.conf:g}"
        )

    def _rejected(self, seen: _Seen, row: int) -> str:
        answer = seen.probabilities[row]
        if len(answer) > 10 and answer[10] > answer[:10].max():
            return f"looks like no digit ({answer[10]:.2f})"
        if self.mode == "single" and seen.confidence[row] >= self.conf:
            return "another one is likelier, and --mode single reads one"
        return f"below --conf {self.conf:g}"


_WHOLE = np.array([[0, 0, preprocessing.SIDE, preprocessing.SIDE]], np.float32)
_CERTAIN = np.ones(1, np.float32)


def _is_blank(gray: GrayImage) -> bool:
    darkest, brightest, _, _ = cv2.minMaxLoc(gray)
    return bool(brightest - darkest < BLANK)


def _inked(gray: GrayImage) -> tuple[int, int, int, int]:
    """The box of what differs from the picture's ground by half as much as anything does."""
    differs = cv2.absdiff(gray, np.full_like(gray, int(np.median(gray))))
    x, y, w, h = cv2.boundingRect((differs > differs.max() / 2).astype(np.uint8))
    return (x, y, w, h) if w else (0, 0, gray.shape[1], gray.shape[0])


def _shown(box: Boxes, factor: float) -> Box:
    """One (4,) box in whole pixels of the picture as shown."""
    x, y, w, h = (round(value * factor) for value in box.tolist())
    return Box(x, y, max(1, w), max(1, h))


def _digit(probabilities: list[float], confidence: float, box: Box) -> Digit:
    ranked = sorted(enumerate(probabilities[:10]), key=itemgetter(1), reverse=True)[:TOPK]
    return Digit(ranked[0][0], confidence, box, tuple(ranked))
