"""Handwritten digits as strokes: smooth curves through knots, in the hand of a writer.

A hand picks one form for each digit and distorts all of them in the same way; each instance differs a little.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from digitocr.runtime.errors import MissingExtraError
from digitocr.runtime.opencv import cv2

try:
    from scipy.interpolate import CubicSpline
except ImportError as error:
    raise MissingExtraError("train", "drawing digits") from error

Reals = NDArray[np.float64]  # geometry
Floats = NDArray[np.float32]  # pixels
Bytes = NDArray[np.uint8]  # pixels

# The forms of each digit, of American and continental European handwriting. A stroke is a list of knots "x,y" in
# hundredths of the digit's height, y downwards; "!" marks a corner and "/" lifts the pen.
GLYPHS: Mapping[int, tuple[str, ...]] = {
    0: (
        "33,2 12,16 4,50 14,86 33,99 53,84 60,50 52,14 31,2",  # begun and closed at the top
        "46,9 30,1 11,18 4,55 16,91 36,99 56,78 59,40 47,10 33,3",  # begun at the right, the ends overlap
        "22,5 8,28 5,62 18,94 38,98 57,72 57,32 40,4 22,5 14,13",  # begun at the left
    ),
    1: (
        "30,0 30,50 29,100",
        "10,26 34,0! 33,50 32,100",  # with a flag
        "19,13 33,0! 32,50 31,100",  # with a short flag
        "8,24 32,0! 31,50 30,99 / 8,100 30,98 54,99",  # with a flag and a foot
        "2,48 18,24 36,0! 35,50 34,100",  # with a flag half as long as the stem
        "4,40 36,0! 36,50 35,99 / 6,100 36,98 62,100",  # and a foot
    ),
    2: (
        "6,22 14,6 32,0 50,9 52,30 38,58 20,80 4,98! 30,97 60,96",
        "8,18 22,2 44,3 54,23 44,52 22,83 10,95 4,86 13,79 28,90 44,98 60,91",  # with a loop
        "8,24 20,3 40,0 53,18 47,44 26,76 4,97! 18,89 36,95 58,98",  # with a wave
        "10,14 28,0 48,8 50,28 34,58 8,98! 54,99",
    ),
    3: (
        "8,13 26,0 48,9 48,30 36,43 22,46! 44,52 56,72 46,93 24,100 4,88",
        "8,2 50,1! 25,40! 48,48 56,70 44,93 22,99 4,90",  # flat-topped
        "7,12 26,0 47,10 46,32 28,46 20,44 27,42 48,54 55,78 36,99 6,91",  # with a small loop
        "10,8 30,0 48,12 44,34 24,45! 50,54 52,84 28,100 6,94",
    ),
    4: (
        "20,2 12,30 4,59! 30,59 60,55 / 46,30 44,62 41,100",  # open
        "11,2 7,30 10,48 28,53 50,48 / 51,3 49,50 46,100",  # open, like a chair
        "62,68 32,69 2,68! 42,0! 42,50 41,100",  # closed, in one stroke
        "42,1 24,34 3,67! 32,67 62,65 / 44,2 43,50 42,100",  # closed, in two
        "14,2 8,38 15,53 34,54 51,44 / 53,6 50,50 44,100",
    ),
    5: (
        "14,4 10,43! 28,37 48,46 54,70 42,92 20,99 2,90 / 14,4 34,3 56,0",  # the flag last
        "54,1 14,3! 10,44! 30,37 50,48 54,70 42,92 22,99 3,90",  # in one stroke
        "16,8 12,45! 30,40 48,50 52,72 40,93 20,99 4,92 / 17,3 36,2 58,1",
        "55,3 32,2 18,5! 12,42! 26,40 46,47 54,70 42,93 20,99 3,91",
    ),
    6: (
        "46,2 24,20 8,50 5,76 18,97 40,97 54,79 47,60 28,55 9,70",
        "33,0 16,30 6,66 13,92 32,100 52,86 50,64 33,55 14,64 7,76",
        "52,12 40,1 20,12 6,46 7,80 24,99 46,94 55,74 44,56 23,57 8,74",
    ),
    7: (
        "4,4 30,4 56,2! 40,40 24,100",
        "4,5 30,4 56,2! 44,30 32,60 28,100",
        "4,4 30,4 57,2! 40,42 25,100 / 18,51 37,49 57,47",  # crossed
        "7,16 8,3! 34,5 58,2! 42,40 26,100",  # with a serif
        "7,15 8,3! 34,5 58,2! 44,40 30,100 / 20,54 38,52 58,48",
    ),
    8: (
        "50,13 33,0 13,9 12,29 30,45 50,62 54,84 32,100 9,88 10,67 28,48 48,32 51,12",
        "31,0 12,10 12,34 30,46 48,36 50,12 31,0 / 30,46 9,60 6,84 30,100 54,86 53,62 32,46",  # two circles
        "30,47 12,32 14,8 34,0 50,12 46,33 28,48 8,67 10,91 32,100 52,88 51,66 34,49",
        "44,6 26,0 10,14 16,34 40,52 54,74 44,97 18,97 6,78 20,56 42,38 50,16 40,4",
    ),
    9: (
        "48,13 28,1 8,14 6,38 22,52 42,42 50,13! 49,50 46,100",  # straight
        "51,14 31,0 10,12 6,36 22,52 43,43 52,13 54,50 44,88 24,100 6,92",  # curved
        "46,8 24,2 6,22 14,48 36,46 50,20 51,5! 45,50 33,100",
        "46,14 27,0 8,14 8,40 26,52 46,36 / 51,3 49,50 46,100",  # the stem last
    ),
}

_SAMPLES = 12  # points of the curve from one knot to the next
_MODES = 6  # cosines along a stroke that make up its wobble
_HABIT = 0.012  # digit heights; standard deviation of the knots of a hand's own form of a digit
_SLANT_SPREAD = 0.03  # standard deviation of the slant within one hand
_TAPER_LENGTH = 0.08  # digit heights from the stroke's end in which it tapers to 1/e
_WIDTHS = (0.4, 1.6)  # stroke widths; the range of pressure
_INK = 48  # of 255; pixels with more coverage belong to the cut-out
_THIN = 12  # pixels; strokes that are thinner are drawn four times as large, others twice
_FRACTION_BITS = 4  # of OpenCV's fixed-point coordinates: sixteenths of a pixel


class _Stroke(NamedTuple):
    """One stroke of a form, with k knots and n points on its curve.

    Attributes:
        knots: (k, 2), in digit heights.
        sharp: (n, k) matrix from knots to points, with the corners kept.
        round: (n, k) matrix from knots to points, with the corners smoothed.
        along: (n,) length of the curve up to each point, in digit heights.
        modes: (n, _MODES) cosines along the stroke; the slower, the stronger.
    """

    knots: Reals
    sharp: Reals
    round: Reals
    along: Reals
    modes: Reals


def _basis(knots: Reals, corners: Sequence[bool]) -> Reals:
    """(n, k) matrix from k knots to the points of the curve through them: natural cubic splines between corners.

    The spline's parameter grows by the square root of the distance between knots (the centripetal parametrization),
    which keeps the curve from looping where near and far knots follow each other.
    """
    k = len(knots)
    at = np.concatenate([[0], np.cumsum(np.sqrt(np.linalg.norm(np.diff(knots, axis=0), axis=1)))])
    ends = [0, *(i for i in range(1, k - 1) if corners[i]), k - 1]
    rows = []
    for start, stop in pairwise(ends):
        spline = CubicSpline(at[start : stop + 1], np.eye(k)[start : stop + 1], bc_type="natural")
        rows += [spline(np.linspace(at[i], at[i + 1], _SAMPLES, endpoint=i == k - 2)) for i in range(start, stop)]
    return np.vstack(rows)


@cache
def _strokes(form: str) -> tuple[_Stroke, ...]:
    """The strokes of a form, as GLYPHS has them."""
    strokes = []
    for stroke in form.split("/"):
        names = stroke.split()
        knots = np.array([name.rstrip("!").split(",") for name in names], np.float64) / 100
        sharp = _basis(knots, [name.endswith("!") for name in names])
        smooth = _basis(knots, [False] * len(names))
        lengths = np.linalg.norm(np.diff(sharp @ knots, axis=0), axis=1)
        along = np.concatenate([[0], np.cumsum(lengths)])
        waves = np.arange(1, _MODES + 1)
        modes = np.cos(np.pi * along[:, None] / along[-1] * waves) / waves
        strokes.append(_Stroke(knots, sharp, smooth, along, modes))
    return tuple(strokes)


@dataclass(frozen=True)
class Hand:
    """How one person writes.

    Attributes:
        forms: Which of GLYPHS[digit] is written, for each digit.
        slant: How far the top leans to the right of the foot, in digit heights.
        width: Stretch along the line, as a factor.
        roundness: 0 keeps corners sharp; 0.5 swings through them.
        jitter: Standard deviation of a knot from one instance to the next, in digit heights.
        wobble: Standard deviation of the line's tremor, in digit heights.
        pressure: How much the stroke's width varies, as a share of it.
        unevenness: How much size and baseline vary, as a share of the size.
        habit: Seed of the way this person alters each form.
    """

    forms: tuple[int, ...] = (0,) * 10
    slant: float = 0.1
    width: float = 1.0
    roundness: float = 0.1
    jitter: float = 0.012
    wobble: float = 0.006
    pressure: float = 0.08
    unevenness: float = 0.05
    habit: int = 0


def random_hand(rng: Generator) -> Hand:
    """A random writer: most are tidy, a few are not."""
    carelessness = rng.beta(2, 3)  # 0 to 1
    return Hand(
        forms=tuple(int(rng.integers(len(GLYPHS[digit]))) for digit in range(10)),
        slant=float(rng.normal(0.1, 0.12)),
        width=float(np.exp(rng.normal(0, 0.13))),
        roundness=float(rng.uniform(0, 0.45)),
        jitter=0.006 + 0.016 * float(carelessness),
        wobble=0.002 + 0.008 * float(rng.beta(2, 4)),
        pressure=float(rng.uniform(0.03, 0.15)),
        unevenness=0.02 + 0.07 * float(carelessness),
        habit=int(rng.integers(2**31)),
    )


def draw_digit(digit: int, hand: Hand, rng: Generator, height: float = 64, stroke: float = 0.08) -> Floats:
    """One digit in that hand: (H, W) float32 in [0, 1], the share of each pixel that is ink, cut out tightly.

    Args:
        digit: 0 to 9.
        hand: The writer.
        rng: Determines the variation between instances.
        height: Height of the digit in pixels, before the hand's own variation.
        stroke: The stroke's width in digit heights.
    """
    lines = write(digit, hand, rng)
    ink, _, _ = drawn([(line[:, :2] * height, line[:, 2] * stroke * height) for line in lines])
    return np.asarray(ink / np.float32(255), np.float32)


def write(digit: int, hand: Hand, rng: Generator, taper: float = 0.0) -> list[Reals]:
    """The strokes of one instance: each (n, 3), x and y in digit heights and the width in stroke widths.

    Args:
        digit: 0 to 9.
        hand: The writer.
        rng: Determines the variation between instances.
        taper: The share of the width that a stroke loses at its ends; below 0 its ends are wider.
    """
    return write_form(GLYPHS[digit][hand.forms[digit]], digit, hand, rng, taper)


def write_form(form: str, habit: int, hand: Hand, rng: Generator, taper: float = 0.0) -> list[Reals]:
    """The strokes of one instance of any form that is written as those of GLYPHS are.

    Args:
        form: Strokes as knots.
        habit: A number for the character, so that the writer alters it in the same way each time.
        hand: The writer.
        rng: Determines the variation between instances.
        taper: As for `write`.
    """
    own = np.random.default_rng((hand.habit, habit))
    lean = hand.slant + rng.normal(0, _SLANT_SPREAD)
    size = np.exp(rng.normal(0, hand.unevenness, 2))
    lines = []
    for stroke in _strokes(form):
        k = len(stroke.knots)
        knots = stroke.knots + own.normal(0, _HABIT, (k, 2)) + rng.normal(0, hand.jitter, (k, 2))
        basis = stroke.sharp + hand.roundness * (stroke.round - stroke.sharp)
        waves = stroke.modes @ rng.standard_normal((_MODES, 3))  # (n, 3)
        points = basis @ knots + hand.wobble * waves[:, :2]
        points[:, 0] = points[:, 0] * hand.width + lean * (1 - points[:, 1])
        to_end = np.minimum(stroke.along, stroke.along[-1] - stroke.along)
        width = (1 + hand.pressure * waves[:, 2]) * (1 - taper * np.exp(-to_end / _TAPER_LENGTH))
        lines.append(np.column_stack([points * size, np.clip(width, *_WIDTHS)]))
    return lines


def drawn(lines: Sequence[tuple[Reals, Reals]]) -> tuple[Bytes, int, int]:
    """The strokes drawn and cut out tightly: (H, W) uint8 coverage, and x and y of its upper left corner.

    Each stroke is its points (n, 2) and widths (n,), in pixels. OpenCV draws lines of whole thicknesses, so the strokes
    are drawn two or four times as large, one call for each run of equal thickness, and averaged: edges become smooth
    and widths exact to a quarter or half of a pixel.
    """
    widest = max(float(width.max()) for _, width in lines)
    factor = 4 if widest < _THIN else 2
    low = np.floor(np.min([points.min(axis=0) for points, _ in lines], axis=0) - widest / 2 - 1).astype(int)
    high = np.ceil(np.max([points.max(axis=0) for points, _ in lines], axis=0) + widest / 2 + 1).astype(int)
    columns, rows = high - low
    canvas = np.zeros((rows * factor, columns * factor), np.uint8)
    for points, widths in lines:
        fixed = np.rint(((points - low) * factor - 0.5) * 2**_FRACTION_BITS).astype(np.int32)
        thick = np.maximum(1, np.rint(widths * factor)).astype(int)
        cuts = [0, *(np.flatnonzero(np.diff(thick)) + 1), len(thick) - 1]
        for start, stop in pairwise(cuts):
            run, thickness = fixed[start : stop + 1], int(thick[start])
            cv2.polylines(canvas, [run], False, 255, thickness, cv2.LINE_8, _FRACTION_BITS)
    coverage = cv2.resize(canvas, (int(columns), int(rows)), interpolation=cv2.INTER_AREA)
    x, y, w, h = cv2.boundingRect((coverage > _INK).astype(np.uint8))
    return np.asarray(coverage[y : y + h, x : x + w], np.uint8), int(low[0]) + x, int(low[1]) + y
