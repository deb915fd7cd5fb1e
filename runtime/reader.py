"""Reader: a picture in, a Reading out."""

import os
from operator import itemgetter
from pathlib import Path
from time import perf_counter

import numpy as np

from digitocr.runtime import image, regions, tensor
from digitocr.runtime.classifier import Classifier
from digitocr.runtime.errors import UsageError
from digitocr.runtime.image import GrayImage, Picture
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reading import Box, Candidate, Digit, Line, Reading
from digitocr.runtime.tensor import Tensors

TOPK = 3
MODES = ("auto", "single", "line")
TURNS = ("auto", "0", "90", "180", "270")  # degrees clockwise
MAX_THREADS = 256  # an interpreter starts as many as it is told

_WHOLE = Box(0, 0, tensor.SIDE, tensor.SIDE)


class Reader:
    """Reads the digits of pictures with one network, loaded once.

    model: a .onnx or .tflite file, by default the shipped int8 network; threads: of its interpreter;
    conf: digits of a lower probability are left out, 0 to 1; mode: "single", the picture is one digit, "line", one line
    of digits, or "auto"; rotate: degrees clockwise to turn the picture by before it is read, or "auto".

    Raises ModelError, MissingExtraError or UsageError for what it was given.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
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
        self.conf = conf
        self.mode = mode
        self._turned = 0 if rotate == "auto" else int(rotate)
        self._model = {"name": self.classifier.name, "sha256": self.classifier.sha256}

    def read(self, picture: Picture) -> Reading:
        """The digits of a path, the bytes of a file, a PIL image or an array (image.load says which arrays).

        Raises InputError for what is no picture, is damaged or too large.
        """
        began = perf_counter()
        gray = image.load(picture)
        decoded = perf_counter()
        boxes, tensors = self._normalised(gray)
        found = perf_counter()
        lines = self._lines(boxes, self.classifier.predict(tensors).tolist())
        why = "" if lines else "nothing in it looks like a digit"
        classified = perf_counter()
        ms = {
            "decode": 1000 * (decoded - began),
            "find": 1000 * (found - decoded),
            "classify": 1000 * (classified - found),
        }
        return Reading(lines, ms, self._model, self._turned, why)

    def candidates(self, picture: Picture) -> list[Candidate]:
        """All that may be a digit in the picture, in reading order, with what became of it. Raises what read raises."""
        boxes, tensors = self._normalised(image.load(picture))
        images = np.rint(tensors[..., 0] * 255).astype(np.uint8)
        candidates = []
        for box, seen, answer in zip(
            (box for line in boxes for box in line), images, self.classifier.predict(tensors).tolist(), strict=True
        ):
            kept = max(answer) >= self.conf
            why = "" if kept else f"below --conf {self.conf:g}"
            candidates.append(Candidate(box, 1.0, seen, tuple(answer), max(answer), kept, why))
        return candidates

    def _normalised(self, gray: GrayImage) -> tuple[list[list[Box]], Tensors]:
        turned = np.ascontiguousarray(np.rot90(gray, -self._turned // 90)) if self._turned else gray
        boxes, tensors = normalised(turned)
        if self.mode == "line":
            boxes = [[box for line in boxes for box in line]]
        if self._turned:
            boxes = [[_turned_back(box, gray.shape, self._turned) for box in line] for line in boxes]
        return boxes, tensors

    def _lines(self, boxes: list[list[Box]], probabilities: list[list[float]]) -> tuple[Line, ...]:
        rows = iter(probabilities)
        lines = []
        for line in boxes:
            digits = [digit for digit in map(_digit, line, rows) if digit.confidence >= self.conf]
            if digits:
                lines.append(Line(tuple(digits)))
        return tuple(lines)


def normalised(gray: GrayImage) -> tuple[list[list[Box]], Tensors]:
    """The boxes of the digits, in lines, and their tensors in the same order, as the network gets them.

    A 28x28 picture is taken for what MNIST holds: one digit, normalised already.
    """
    if gray.shape == (tensor.SIDE, tensor.SIDE):
        darkest, brightest, _, _ = cv2.minMaxLoc(gray)
        if brightest - darkest < regions.FAINT:
            return [], tensor.scale(gray[None][:0])
        return [[_WHOLE]], tensor.scale(gray[None])
    lines = regions.find(gray)
    tensors = tensor.scale(tensor.images(gray, [region for line in lines for region in line]))
    return [[region.box for region in line] for line in lines], tensors


def _turned_back(box: Box, shape: tuple[int, ...], turned: int) -> Box:
    """A box of a picture that was turned clockwise by 90, 180 or 270 degrees, in the (H, W) picture as it was."""
    height, width = shape
    if turned == 90:
        return Box(box.y, height - box.x - box.w, box.h, box.w)
    if turned == 180:
        return Box(width - box.x - box.w, height - box.y - box.h, box.w, box.h)
    return Box(width - box.y - box.h, box.x, box.h, box.w)


def _digit(box: Box, probabilities: list[float]) -> Digit:
    ranked = sorted(enumerate(probabilities), key=itemgetter(1), reverse=True)[:TOPK]
    return Digit(ranked[0][0], ranked[0][1], box, tuple(ranked))
