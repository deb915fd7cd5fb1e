"""Digits and letters to draw scenes with: MNIST's digits, the project's own strokes, fonts, seven-segment displays.

    glyphs = Glyphs(images, labels, fonts)
    alphabet = glyphs.alphabet(rng)       # one source: digits of MNIST, a drawn hand, a font or a display
    glyph = alphabet.digit(7, rng)        # its ink, and where it stands on the line

All lengths of a glyph are in digit heights, so that glyphs of every source are placed in the same way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.fonts import is_handwritten
from digitocr.train.synthesis.strokes import Bytes, Reals, draw_digit, random_hand

GLYPH_HEIGHT = 64  # pixels; of a digit's ink as it is stored
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"  # small ones first: layouts.py takes these
SYMBOLS = "+-=/.,:;()?!*%&#@$<>[]÷±°€£~_"
AMBIGUOUS = frozenset("OoQlIiSsZzBbGgqD()/|!.,:;-'°_")  # alone, these look like a digit or like a speck
ALPHABET_ODDS: Mapping[str, float] = {  # kinds of alphabets, and the share of each among the scenes
    "mnist": 0.34,
    "strokes": 0.2,
    "hand-font": 0.21,
    "font": 0.19,
    "segments": 0.06,
}
_MNIST_SCALE = 90 / 28  # of MNIST's 28 pixels, of which a digit takes 20: it becomes 64 pixels high
_MNIST_ROOM = 20  # pixels left and right of an MNIST digit, for its slant
_TAILED = (1, 3, 4, 7, 9)  # the digits that reach below the line in some hands
_FONT_SIZE = 80  # pixels
_MIN_FONT_HEIGHT = 20  # pixels; a font whose digits are lower at _FONT_SIZE is not used
_NO_CHARACTER = "\uffff"  # in no font, so it is drawn as a missing character
_PLAIN_UNIT = 64.0  # pixels; the height of OpenCV's digits as they are drawn here
_PLAIN_BASE = 110  # pixels; the row of their line
_INSTANCES = 3  # of each digit in a drawn hand
_STROKE_WIDTHS = (0.025, 0.22)  # digit heights; the range of a drawn hand's pen


@dataclass(frozen=True, slots=True)
class Glyph:
    """A character's ink and where it stands on the line. Lengths are in digit heights, y downwards from the line.

    Attributes:
        ink: (h, w) uint8, cut out tightly, of any scale.
        left: From the pen to the ink's left edge.
        top: From the line to the ink's top; -1 for a digit that stands on the line.
        width: Of the ink.
        height: Of the ink.
        advance: How far the pen moves on.
    """

    ink: Bytes
    left: float
    top: float
    width: float
    height: float
    advance: float


@dataclass(frozen=True, slots=True)
class Alphabet:
    """One way of writing.

    Attributes:
        kind: A key of ALPHABET_ODDS, or "dots".
        digit: Draws one of the digits 0 to 9.
        letter: Draws a letter or a symbol; None for a source that has only digits.
    """

    kind: str
    digit: Callable[[int, Generator], Glyph]
    letter: Callable[[str, Generator], Glyph | None] | None = None


class Glyphs:
    """All sources of glyphs.

    Args:
        images: (n, 28, 28) uint8 of MNIST's training set; n may be 0.
        labels: (n,) uint8, the digits of the images.
        fonts: Font files.
        hands: The number of drawn hands.
        seed: Seed of these hands, so that they are the same each time.
        scripts: Font files with letters of other scripts and icons.

    Attributes:
        fonts: The fonts that have digits.
        scripts: The font files with letters of other scripts and icons.
    """

    def __init__(
        self,
        images: Bytes,
        labels: Bytes,
        fonts: Sequence[Path],
        hands: int = 150,
        seed: int = 0,
        scripts: Sequence[Path] = (),
    ) -> None:
        self._images = images
        self._rows = [np.flatnonzero(labels == digit) for digit in range(10)]
        self.fonts = [font for font in map(Font, fonts) if font.usable]
        self.scripts = tuple(scripts)
        rng = np.random.default_rng(seed)
        self._hands = [_hand(rng) for _ in range(hands)]

    def alphabet(self, rng: Generator, kinds: Sequence[str] | None = None) -> Alphabet:
        """A random source, of one of `kinds` where they are given; drawn hands stand in for one that is not there."""
        kind = str(rng.choice(kinds)) if kinds else str(rng.choice(list(ALPHABET_ODDS), p=list(ALPHABET_ODDS.values())))
        if kind == "mnist" and len(self._images):
            return self._crowd(rng)
        if kind in ("font", "hand-font") and self.fonts:
            fonts = [font for font in self.fonts if font.handwritten == (kind == "hand-font")] or self.fonts
            font = fonts[int(rng.integers(len(fonts)))]
            return Alphabet(kind, lambda digit, _: font.glyph(str(digit)), lambda letter, _: font.glyph(letter))
        if kind == "segments":
            look = _segment_look(rng)
            return Alphabet(kind, lambda digit, _: _segments(digit, look))
        hand = self._hands[int(rng.integers(len(self._hands)))]
        sizes = {0: _zero_size(rng), 1: _one_size(rng)}

        def drawn(digit: int, rng: Generator) -> Glyph:
            glyph = hand[digit][int(rng.integers(len(hand[digit])))]
            return _sized(glyph, *sizes[digit]) if digit in sizes else glyph

        return Alphabet("strokes", drawn)

    def words(self, rng: Generator, by_hand: bool = False) -> Alphabet:
        """A source that has letters: a font, handwritten for by_hand; OpenCV's plain strokes where there is no font."""
        if not self.fonts:
            return Alphabet("font", lambda digit, _: _plain(str(digit)), lambda letter, _: _plain(letter))
        return self.alphabet(rng, ("hand-font",) if by_hand else ("font", "hand-font"))

    def sample(self, digit: int, rng: Generator) -> Bytes | None:
        """(28, 28) uint8: one of MNIST's images of a digit as it is; None where there are none."""
        rows = self._rows[digit]
        return np.asarray(self._images[rows[rng.integers(len(rows))]], np.uint8) if len(rows) else None

    def _crowd(self, rng: Generator) -> Alphabet:
        """MNIST's digits, each of another writer, all with the same pen."""
        pen, shear, wide = rng.integers(-3, 5), rng.normal(0, 0.12), float(np.exp(rng.normal(0, 0.12)))
        tailed = rng.random() < 0.2
        sizes = {0: _zero_size(rng), 1: _one_size(rng)}
        side = round(28 * _MNIST_SCALE)
        # y keeps its place; x is stretched, slanted about the digit's middle and moved by the room on the left
        matrix = np.array(
            [[_MNIST_SCALE * wide, -shear * _MNIST_SCALE, 0.5 * shear * side + _MNIST_ROOM], [0, _MNIST_SCALE, 0]]
        )

        def digit(label: int, rng: Generator) -> Glyph:
            rows = self._rows[label]
            image = self._images[rows[rng.integers(len(rows))]]
            size = int(side * wide) + 2 * _MNIST_ROOM, side
            large = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC)
            if pen > 0:
                large = cv2.dilate(large, _ellipse(int(pen) + 1))
            elif pen < 0:
                large = cv2.erode(large, _ellipse(1 - int(pen)))
            glyph = _standing(large)
            glyph = _sized(glyph, *sizes[label]) if label in sizes else glyph
            return _lengthened(glyph, rng.uniform(1.1, 1.8)) if tailed and label in _TAILED else glyph

        return Alphabet("mnist", digit)


class Font:
    """A font file; each of its glyphs is drawn once.

    Attributes:
        handwritten: Whether it looks written by hand.
        usable: Whether it can be read and has digits.
    """

    def __init__(self, path: Path) -> None:
        self.handwritten = is_handwritten(path)
        self._glyph = lru_cache(maxsize=None)(self._drawn)
        try:
            self._font = ImageFont.truetype(str(path), _FONT_SIZE)
            boxes = [self._font.getbbox(digit, anchor="ls") for digit in "0123456789"]
            self._height = float(np.median([bottom - top for _, top, _, bottom in boxes]))
            self.usable = self._height > _MIN_FONT_HEIGHT and all(
                bytes(self._font.getmask(digit)) != bytes(self._font.getmask(_NO_CHARACTER)) for digit in "0123456789"
            )
        except (OSError, ValueError, TypeError):
            self.usable = False

    def glyph(self, character: str) -> Glyph:
        """A digit, a letter or a symbol."""
        return self._glyph(character)

    def _drawn(self, character: str) -> Glyph:
        left, top, right, bottom = self._font.getbbox(character, anchor="ls")
        size = max(1, int(right - left) + 8), max(1, int(bottom - top) + 8)
        image = Image.new("L", size)
        ImageDraw.Draw(image).text((4 - left, 4 - top), character, 255, self._font, anchor="ls")
        ink = np.asarray(image)
        x, y, w, h = cv2.boundingRect((ink > 48).astype(np.uint8))
        unit = self._height
        tight = np.ascontiguousarray(ink[y : y + max(h, 1), x : x + max(w, 1)])
        advance = self._font.getlength(character) / unit
        return Glyph(tight, (left - 4 + x) / unit, (top - 4 + y) / unit, w / unit, h / unit, advance)


def _hand(rng: Generator) -> list[list[Glyph]]:
    """_INSTANCES of each digit in one hand, with one pen."""
    hand, stroke = random_hand(rng), float(np.exp(rng.uniform(*np.log(_STROKE_WIDTHS))))

    def instance(digit: int) -> Glyph:
        return _standing((draw_digit(digit, hand, rng, GLYPH_HEIGHT, stroke) * 255).astype(np.uint8))

    return [[instance(digit) for _ in range(_INSTANCES)] for digit in range(10)]


def _standing(ink: Bytes) -> Glyph:
    """A digit cut out tightly that stands on the line and is one digit height high, whatever its size in pixels."""
    x, y, w, h = cv2.boundingRect((ink > 70).astype(np.uint8))
    if h < 8:
        return Glyph(np.zeros((GLYPH_HEIGHT, 8), np.uint8), 0, -1, 0.12, 1, 0.3)
    tight = np.ascontiguousarray(ink[y : y + h, x : x + w])
    return Glyph(tight, 0.0, -1.0, w / h, 1.0, w / h)


def _lengthened(glyph: Glyph, times: float) -> Glyph:
    """The digit `times` as high, with its top where it was."""
    height, width = glyph.ink.shape
    ink = cv2.resize(glyph.ink, (width, round(height * times)), interpolation=cv2.INTER_LINEAR)
    return replace(glyph, ink=np.asarray(ink, np.uint8), height=glyph.height * times)


def _zero_size(rng: Generator) -> tuple[float, float]:
    """Height of a hand's zeros as a share of its other digits, and extra width: some hands write small or flat ones."""
    times = float(rng.uniform(0.45, 0.9)) if rng.random() < 0.33 else 1.0
    return times, float(rng.uniform(1.1, 1.7)) if rng.random() < 0.25 else 1.0


def _one_size(rng: Generator) -> tuple[float, float]:
    """As _zero_size, of a hand's ones: some hands write them shorter or longer than other digits."""
    return float(rng.uniform(0.65, 1.4)) if rng.random() < 0.4 else 1.0, 1.0


def _sized(glyph: Glyph, times: float, wide: float) -> Glyph:
    """The digit `times` as large, standing on the line, and `wide` times as wide on top of that."""
    ink = glyph.ink
    if wide != 1:
        size = round(ink.shape[1] * wide), ink.shape[0]
        ink = np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return Glyph(
        ink,
        left=glyph.left * times,
        top=glyph.top * times,
        width=glyph.width * times * wide,
        height=glyph.height * times,
        advance=glyph.advance * times * wide,
    )


@lru_cache(maxsize=16)
def _ellipse(side: int) -> Bytes:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


# The lit segments of each digit: a at the top, then clockwise b to f; g in the middle.
_LIT = ("abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg")
_LIT_WITHOUT_TAILS = {6: "cdefg", 9: "abcfg"}


class _SegmentLook(NamedTuple):
    """How a display's digits look.

    Attributes:
        width: Of a digit, pixels.
        thick: Of a segment, pixels.
        gap: Between the ends of two segments, pixels.
        slant: Pixels to the right for each pixel up.
        tails: Whether the six and the nine have a segment at their open end.
    """

    width: int
    thick: int
    gap: int
    slant: float
    tails: bool


def _segment_look(rng: Generator) -> _SegmentLook:
    return _SegmentLook(
        width=int(rng.integers(28, 44)),
        thick=int(rng.integers(6, 13)),
        gap=int(rng.integers(1, 4)),
        slant=float(rng.uniform(0, 0.18)),
        tails=bool(rng.random() < 0.8),
    )


@lru_cache(maxsize=4096)
def _segments(digit: int, look: _SegmentLook) -> Glyph:
    """A digit of a seven-segment display; each segment is a bar with pointed ends."""
    width, thick, gap, slant, tails = look
    half = GLYPH_HEIGHT // 2
    canvas = np.zeros((GLYPH_HEIGHT + 4, width + 24), np.uint8)
    lit = _LIT[digit] if tails else _LIT_WITHOUT_TAILS.get(digit, _LIT[digit])
    t = thick / 2
    ends = {
        "a": ((t, t), (width - t, t)),
        "g": ((t, half), (width - t, half)),
        "d": ((t, GLYPH_HEIGHT - t), (width - t, GLYPH_HEIGHT - t)),
        "f": ((t, t), (t, half)),
        "e": ((t, half), (t, GLYPH_HEIGHT - t)),
        "b": ((width - t, t), (width - t, half)),
        "c": ((width - t, half), (width - t, GLYPH_HEIGHT - t)),
    }
    for name in lit:
        (x0, y0), (x1, y1) = ends[name]
        along = np.array([x1 - x0, y1 - y0], np.float64)
        along /= np.linalg.norm(along)
        across = np.array([-along[1], along[0]]) * t
        start, end = np.array([x0, y0]) + along * gap, np.array([x1, y1]) - along * gap
        points = np.array([start, start + along * t + across, end - along * t + across, end])
        points = np.vstack([points, [end - along * t - across, start + along * t - across]])
        points[:, 0] += slant * (GLYPH_HEIGHT - points[:, 1]) + 2
        cv2.fillPoly(canvas, [np.rint((points + np.array([0, 2])) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    x, _, w, _ = cv2.boundingRect(canvas)
    tight = np.ascontiguousarray(canvas[2 : GLYPH_HEIGHT + 2, x : x + w])
    # the advance does not depend on the digit: a one takes as much room as an eight
    return Glyph(tight, (x - 2) / GLYPH_HEIGHT, -1.0, w / GLYPH_HEIGHT, 1.0, (width + thick) / GLYPH_HEIGHT)


@lru_cache(maxsize=256)
def _plain(character: str) -> Glyph:
    """OpenCV's own letters, for machines without fonts."""
    canvas = np.zeros((160, 160), np.uint8)
    cv2.putText(canvas, character, (30, _PLAIN_BASE), cv2.FONT_HERSHEY_SIMPLEX, 3, 255, 6, cv2.LINE_AA)
    x, y, w, h = cv2.boundingRect((canvas > 48).astype(np.uint8))
    return Glyph(
        np.ascontiguousarray(canvas[y : y + max(h, 1), x : x + max(w, 1)]),
        left=0.0,
        top=(y - _PLAIN_BASE) / _PLAIN_UNIT,
        width=w / _PLAIN_UNIT,
        height=h / _PLAIN_UNIT,
        advance=w / _PLAIN_UNIT + 0.15,
    )


def hull(ink: Bytes) -> Reals:
    """(k, 2) corners of the convex hull of the ink, in pixels: they bound it after any rotation."""
    return np.asarray(_hull(ink.tobytes(), ink.shape), np.float64)


@lru_cache(maxsize=20000)
def _hull(content: bytes, shape: tuple[int, int]) -> NDArray[np.float64]:
    ink = np.frombuffer(content, np.uint8).reshape(shape)
    contours, _ = cv2.findContours((ink > 90).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        height, width = shape
        return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    points = cv2.convexHull(np.concatenate(contours))[:, 0].astype(np.float64)
    return np.asarray(points + 0.5, np.float64)
