"""Rotating a picture and its boxes, and the search for the rotation at which the picture reads best.

    best = best_attempt(read_at, looks_better, with_lines, gray.shape)  # with_lines(read_at(0)), of read_at(90), ...

Rotations are in degrees clockwise. The thresholds come from drawn pages; docs/decisions/finding-digits.md has the
measurements.
"""

from collections.abc import Callable
from math import ceil, cos, radians, sin
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.attempt import Attempt
from digitocr.runtime.background import is_close_up, shrunk
from digitocr.runtime.boxes import Boxes
from digitocr.runtime.detector import SURE_SCORE
from digitocr.runtime.image import GrayImage
from digitocr.runtime.lines import slope
from digitocr.runtime.opencv import cv2
from digitocr.runtime.resampling import warped

Rows: TypeAlias = npt.NDArray[np.int64]  # (n,), of candidates
Rotation: TypeAlias = int | Literal["auto"]  # degrees clockwise: 0, 90, 180 or 270
ROTATIONS: tuple[Rotation, ...] = ("auto", 0, 90, 180, 270)  # the values of Reader(rotate=)

MIN_DIGITS = 3  # fewer say nothing about which way is up
MIN_TILT = 11  # degrees; lines that are steeper are made level
MAX_GROWTH = 8  # times a picture's pixels; one that would have more with its lines level is not turned for them
SURE_CONFIDENCE = 0.9  # mean confidence of a picture that is not tried on its sides
MANY_DIGITS = 20  # digits read from which on SURE_OF_MANY is enough
SURE_OF_MANY = 0.85  # mean confidence; with as many digits, drawn pages on their side have 0.78 at most
SIDE_LOOK = 0.8  # a side is tried if crops, turned, look more like digits than so many times what they do as they are
TURNED_CONFIDENCE = 0.9  # mean confidence that a picture must have on its side or upside down
MIN_GAIN = 1.2  # times the upright score that it must have there
ROUNDING = 1e-6  # pixels; sines and cosines are not exact
KEPT = 1 << 20  # pixels of a shrunk picture that is kept to be turned
TRIGONOMETRIC_BITS = 40  # of a sine or cosine that are used
QUARTER_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def best_attempt(
    read_at: Callable[[int], Attempt],
    looks_better: Callable[[Attempt, Rows, int, float], bool],
    with_lines: Callable[[Attempt], Attempt],
    shape: tuple[int, ...],
) -> Attempt:
    """The attempt that reads best: as the picture is, with its lines level, on either side, or upside down.

    Args:
        read_at: Reads the picture, rotated clockwise by the degrees given.
        looks_better: Whether the crops of an attempt's rows, turned by the degrees, look more like digits than that
            many times what they do as they are. It takes far less time than an attempt. Whether a picture is tried
            upside down is decided by it, not by the confidence: 6, 8 and 9 are read surely either way.
        with_lines: An attempt after its lines are read. Letters upside down are digits for the detector, so a picture
            is turned only if its lines read better so as well.
        shape: (H, W) of the picture. Turned by 45 degrees, a long strip would be a square of empty corners, whose
            memory grows with the square of its length; up to 13 times as long as wide, every picture is turned.

    The picture is only read as it is where that gives no candidates at all, or one or two that fill it, one of them a
    digit. A row of digits on its side is taken for a 1, but that is small.
    """
    upright = read_at(0)
    is_cut_out = len(upright.boxes) < MIN_DIGITS and upright.upright_score > 0 and is_close_up(shape, upright.boxes)
    if is_cut_out or not len(upright.boxes):
        return with_lines(upright)
    tilt = round(np.degrees(slope(upright.boxes[upright.scores >= SURE_SCORE])))
    if _may_be_level(shape, abs(tilt)):
        level = read_at(-tilt % 360)
        if level.upright_score > upright.upright_score:
            upright = level
    others = _sides(upright, looks_better)
    if looks_better(upright, upright.read, 180, 1.0):
        others.append((upright.degrees + 180) % 360)
    best, required = upright, MIN_GAIN * upright.upright_score
    for degrees in others:
        attempt = read_at(degrees)
        is_better = attempt.upright_score > max(required, best.upright_score)
        if is_better and _reads_surely(attempt, TURNED_CONFIDENCE):
            best = attempt
    lined = with_lines(upright)
    if best is upright:
        return lined
    turned_lines = with_lines(best)
    return turned_lines if turned_lines.upright_score > MIN_GAIN * lined.upright_score else lined


def _may_be_level(shape: tuple[int, ...], tilt: int) -> bool:
    """Whether lines that steep, in degrees either way, are made level in an (H, W) picture."""
    height, width = _turned_shape(shape, tilt)
    return tilt >= MIN_TILT and height * width <= MAX_GROWTH * shape[0] * shape[1]


def _sides(best: Attempt, looks_better: Callable[[Attempt, Rows, int, float], bool]) -> list[int]:
    """The sides to try: none if the picture reads surely as it is, else those on which its candidates look like digits.

    Both where few digits are read: what is found of a page on its side says little then.
    """
    count = len(best.read)
    if _reads_surely(best, SURE_OF_MANY if count >= MANY_DIGITS else SURE_CONFIDENCE):
        return []
    everything = np.arange(len(best.boxes))
    return [
        degrees for degrees in (90, 270) if count < MIN_DIGITS or looks_better(best, everything, degrees, SIDE_LOOK)
    ]


def _reads_surely(attempt: Attempt, confidence: float) -> bool:
    """Whether MIN_DIGITS or more are read, with that confidence on average."""
    return len(attempt.read) >= MIN_DIGITS and attempt.mean_confidence >= confidence


def turned(gray: GrayImage, degrees: int) -> GrayImage:
    """The (H, W) picture rotated clockwise, whole; corners that this leaves empty repeat the picture's edge pixels."""
    if degrees % 90 == 0:
        return np.asarray(cv2.rotate(gray, QUARTER_TURNS[degrees]), np.uint8) if degrees else gray
    (height, width), (new_height, new_width) = gray.shape, _turned_shape(gray.shape, degrees)
    c, s = cos_sin(degrees)
    x, y = (width - 1) / 2, (height - 1) / 2
    u, v = (new_width - 1) / 2, (new_height - 1) / 2
    matrix = np.array([[c, s, x - (c * u + s * v)], [-s, c, y - (c * v - s * u)]])
    return warped(gray, matrix, (new_width, new_height))


class ShrunkTurns:
    """What `shrunk` makes of the quarter turns of an (H, W) picture: it is shrunk once, and what it made is turned.

    A mean over an area is the same in whichever direction its pixels are added. What is larger than KEPT is made anew:
    few pictures are looked at on their side at such a size.
    """

    def __init__(self, gray: GrayImage) -> None:
        self._gray = gray
        self._made: dict[int, GrayImage] = {}

    def shrunk(self, degrees: int, rotated: GrayImage, side: int) -> GrayImage:
        """What `shrunk` makes of `rotated`, which is the picture rotated clockwise by the degrees, at that side."""
        if degrees % 90 or max(rotated.shape) <= side:
            return shrunk(rotated, side)
        made = self._made.get(side)
        if made is None:
            made = shrunk(self._gray, side)
            if made.size <= KEPT:
                self._made[side] = made
        return turned(made, degrees)


def turned_back(boxes: Boxes, shape: tuple[int, ...], degrees: int) -> Boxes:
    """(n, 4) boxes of a picture that was rotated clockwise from the (H, W) shape, in the picture as it was.

    Where the rotation is no quarter turn, they are the upright boxes around the rotated ones.
    """
    if not degrees:
        return boxes
    c, s = cos_sin(degrees)
    (height, width), (turned_height, turned_width) = shape, _turned_shape(shape, degrees)
    w, h = boxes[:, 2:].T.astype(np.float64)
    u, v = (boxes[:, :2] + boxes[:, 2:] / 2 - np.array([turned_width, turned_height]) / 2).T
    # written out, since the rounding of a product of matrices depends on the processor
    x, y = u * c + v * s + width / 2, v * c - u * s + height / 2
    wide, high = w * abs(c) + h * abs(s), w * abs(s) + h * abs(c)
    return np.stack([x - wide / 2, y - high / 2, wide, high], 1).astype(np.float32)


def _turned_shape(shape: tuple[int, ...], degrees: int) -> tuple[int, int]:
    """The (H, W) of a picture of that shape after turned()."""
    c, s = map(abs, cos_sin(degrees))
    height, width = shape
    return ceil(s * width + c * height - ROUNDING), ceil(c * width + s * height - ROUNDING)


def cos_sin(degrees: int) -> tuple[float, float]:
    """Cosine and sine, without the last bits, in which mathematical libraries differ."""
    one = 1 << TRIGONOMETRIC_BITS
    return round(cos(radians(degrees)) * one) / one, round(sin(radians(degrees)) * one) / one
