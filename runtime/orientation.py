"""Rotating a picture and its boxes, and the search for the rotation at which the picture reads best.

    best = best_attempt(read_at, inverted_looks_better)  # the Attempt of one of read_at(0), read_at(90), ...

Rotations are in degrees clockwise. The thresholds come from drawn pages; docs/decisions/finding-digits.md has the
measurements.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.boxes import Boxes, Scores
from digitocr.runtime.classifier import Probabilities
from digitocr.runtime.detector import SURE_SCORE
from digitocr.runtime.image import GrayImage
from digitocr.runtime.lines import slope
from digitocr.runtime.opencv import cv2
from digitocr.runtime.preprocessing import Images

Rotation: TypeAlias = int | Literal["auto"]  # degrees clockwise: 0, 90, 180 or 270
ROTATIONS: tuple[Rotation, ...] = ("auto", 0, 90, 180, 270)

READ_CONFIDENCE = 0.5  # of a digit that counts here, whatever Reader.conf is: the rotation must not depend on that
MIN_DIGITS = 3  # fewer say nothing about which way is up
MIN_TILT = 11  # degrees; lines that are steeper are made level
SURE_CONFIDENCE = 0.9  # mean confidence of a picture that is not tried on its sides
TURNED_CONFIDENCE = 0.9  # mean confidence that a picture must have on its side or upside down
MIN_GAIN = 1.2  # times the upright score that it must have there
ROUNDING = 1e-6  # pixels; sines and cosines are not exact


class Attempt(NamedTuple):
    """The candidates of a picture at one rotation.

    Attributes:
        degrees: Clockwise, by which the picture was rotated.
        boxes: (n, 4) float32 in pixels of the rotated picture.
        scores: (n,) float32, the detector's.
        images: (n, 28, 28) uint8, the crops of the first of Reader's crop scales.
        probabilities: (n, classes) float32.
        confidence: (n,) float32, of the likeliest digit.
    """

    degrees: int
    boxes: Boxes
    scores: Scores
    images: Images
    probabilities: Probabilities
    confidence: Scores

    @property
    def read(self) -> npt.NDArray[np.int64]:
        """Rows of the candidates with READ_CONFIDENCE or more."""
        return np.flatnonzero(self.confidence >= READ_CONFIDENCE)

    @property
    def upright_score(self) -> float:
        """Confidence above 0.5, summed over the digits but zeros, which look the same on their side."""
        read = self.read
        nonzero = read[self.probabilities[read, :10].argmax(1) > 0]
        return float((self.confidence[nonzero].astype(np.float64) - 0.5).sum())

    def has_mean_confidence(self, confidence: float) -> bool:
        """Whether MIN_DIGITS or more are read, with that confidence on average."""
        read = self.read
        return len(read) >= MIN_DIGITS and float(self.confidence[read].mean(dtype=np.float64)) >= confidence


def best_attempt(read_at: Callable[[int], Attempt], inverted_looks_better: Callable[[Attempt], bool]) -> Attempt:
    """The attempt that reads best: as the picture is, with its lines level, on either side, or upside down.

    Args:
        read_at: Reads the picture, rotated by so many degrees clockwise.
        inverted_looks_better: Whether the crops of an attempt look more like digits upside down. 6, 8 and 9 are read
            with full confidence either way, so the confidence does not tell.

    The picture is only read as it is where that gives one or two candidates, one of them a digit. Print on its side
    often has no candidates at all.
    """
    best = read_at(0)
    if best.upright_score > 0 and len(best.boxes) < MIN_DIGITS:
        return best
    tilt = round(np.degrees(slope(best.boxes[best.scores >= SURE_SCORE])))
    if abs(tilt) >= MIN_TILT:
        level = read_at(-tilt % 360)
        if level.upright_score > best.upright_score:
            best = level
    others = [] if best.has_mean_confidence(SURE_CONFIDENCE) else [90, 270]
    if inverted_looks_better(best):
        others.append((best.degrees + 180) % 360)
    required = MIN_GAIN * best.upright_score
    for degrees in others:
        attempt = read_at(degrees)
        is_better = attempt.upright_score > max(required, best.upright_score)
        if is_better and attempt.has_mean_confidence(TURNED_CONFIDENCE):
            best = attempt
    return best


def turned(gray: GrayImage, degrees: int) -> GrayImage:
    """The (H, W) picture rotated clockwise, whole; corners that this leaves empty repeat the picture's edge pixels."""
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(gray, -degrees // 90)) if degrees else gray
    (height, width), (new_height, new_width) = gray.shape, _turned_shape(gray.shape, degrees)
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1)
    matrix[:, 2] += (new_width - width) / 2, (new_height - height) / 2
    size = (new_width, new_height)
    return np.asarray(cv2.warpAffine(gray, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def turned_back(boxes: Boxes, shape: tuple[int, ...], degrees: int) -> Boxes:
    """(n, 4) boxes of a picture that was rotated clockwise from the (H, W) shape, in the picture as it was.

    Where the rotation is no quarter turn, they are the upright boxes around the rotated ones.
    """
    if not degrees:
        return boxes
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    back = np.array([[cos, sin], [-sin, cos]])
    size, turned_size = np.array(shape[::-1]), np.array(_turned_shape(shape, degrees)[::-1])
    centres = (boxes[:, :2] + boxes[:, 2:] / 2 - turned_size / 2) @ back.T + size / 2
    sides = boxes[:, 2:] @ np.abs(back).T
    return np.concatenate([centres - sides / 2, sides], 1).astype(np.float32)


def _turned_shape(shape: tuple[int, ...], degrees: int) -> tuple[int, int]:
    """The (H, W) of a picture of that shape after turned()."""
    cos, sin = abs(np.cos(np.radians(degrees))), abs(np.sin(np.radians(degrees)))
    height, width = shape
    return int(np.ceil(sin * width + cos * height - ROUNDING)), int(np.ceil(cos * width + sin * height - ROUNDING))
