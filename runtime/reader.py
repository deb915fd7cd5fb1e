"""Reader: a picture in, a Reading out."""

import os
from operator import itemgetter
from pathlib import Path
from time import perf_counter

from digitocr.runtime import image, regions, tensor
from digitocr.runtime.classifier import Classifier
from digitocr.runtime.errors import UsageError
from digitocr.runtime.image import GrayImage, Picture
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reading import Box, Digit, Line, Reading
from digitocr.runtime.tensor import Tensors

TOPK = 3
MAX_THREADS = 256  # an interpreter starts as many as it is told


class Reader:
    """Reads the digits of pictures with one network, loaded once.

    model: a .onnx or .tflite file, by default the shipped int8 network; threads: of its interpreter;
    conf: digits of a lower probability are left out, 0 to 1.

    Raises ModelError, MissingExtraError or UsageError for what it was given.
    """

    def __init__(self, model: str | os.PathLike[str] | None = None, *, threads: int = 1, conf: float = 0.5) -> None:
        if not 1 <= threads <= MAX_THREADS:
            raise UsageError(f"threads must be from 1 to {MAX_THREADS}, not {threads}")
        if not 0 <= conf <= 1:
            raise UsageError(f"conf is a probability from 0 to 1, not {conf}")
        self.classifier = Classifier(None if model is None else Path(model), threads)
        self.conf = conf
        self._model = {"name": self.classifier.name, "sha256": self.classifier.sha256}

    def read(self, picture: Picture) -> Reading:
        """The digits of a path, the bytes of a file, a PIL image or an array (image.load says which arrays).

        Raises InputError for what is no picture, is damaged or too large.
        """
        began = perf_counter()
        gray = image.load(picture)
        decoded = perf_counter()
        boxes, tensors = normalised(gray)
        found = perf_counter()
        lines = self._lines(boxes, self.classifier.predict(tensors).tolist())
        classified = perf_counter()
        ms = {
            "decode": 1000 * (decoded - began),
            "find": 1000 * (found - decoded),
            "classify": 1000 * (classified - found),
        }
        return Reading(lines, ms, self._model)

    def _lines(self, boxes: list[list[Box]], probabilities: list[list[float]]) -> tuple[Line, ...]:
        rows = iter(probabilities)
        lines = (Line(tuple(d for d in map(_digit, line, rows) if d.confidence >= self.conf)) for line in boxes)
        return tuple(line for line in lines if line.digits)


def normalised(gray: GrayImage) -> tuple[list[list[Box]], Tensors]:
    """The boxes of the digits, in lines, and their tensors in the same order, as the network gets them.

    A 28x28 picture is taken for what MNIST holds: one digit, normalised already.
    """
    if gray.shape == (tensor.SIDE, tensor.SIDE):
        darkest, brightest, _, _ = cv2.minMaxLoc(gray)
        if brightest - darkest < regions.FAINT:
            return [], tensor.scale(gray[None][:0])
        return [[Box(0, 0, tensor.SIDE, tensor.SIDE)]], tensor.scale(gray[None])
    lines = regions.find(gray)
    tensors = tensor.scale(tensor.images(gray, [region for line in lines for region in line]))
    return [[region.box for region in line] for line in lines], tensors


def _digit(box: Box, probabilities: list[float]) -> Digit:
    ranked = sorted(enumerate(probabilities), key=itemgetter(1), reverse=True)[:TOPK]
    return Digit(ranked[0][0], ranked[0][1], box, tuple(ranked))
