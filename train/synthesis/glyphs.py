"""Digits and letters to draw scenes with: MNIST's hands, the project's own strokes, fonts, seven segments.

    glyphs = Glyphs(images, labels, fonts)
    alphabet = glyphs.alphabet(rng)       # one source: a crowd of MNIST's writers, a drawn hand, a font, a display
    glyph = alphabet.digit(7, rng)        # its ink, and where it stands on the line

All lengths of a glyph are in digit heights, so that every source is set in the same way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.strokes import Bytes, Reals, draw_digit, random_hand

HEIGHT = 64  # pixels; of a digit's ink as it is kept
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
SYMBOLS = "+-=/.,:;()?!*%&#@$<>[]÷±°€£~_"
ALIKE = frozenset("OoQlIiSsZzBbGgqD()/|!.,:;-'°_")  # alone, these can be taken for a digit, or are specks


@dataclass(frozen=True, slots=True)
class Glyph:
    """ink: (h, w) uint8, tight, of any scale; the rest in digit heights, y downwards from the line's base."""

    ink: Bytes
    left: float  # of the ink, from where the pen stands
    top: float  # of the ink; -1 for a digit that stands on the line
    width: float
    height: float
    advance: float  # how far the pen moves on


@dataclass(frozen=True, slots=True)
class Alphabet:
    """One way of writing. letter is None for sources that have only digits."""

    kind: str  # mnist, strokes, font, hand-font or segments
    digit: Callable[[int, Generator], Glyph]
    letter: Callable[[str, Generator], Glyph | None] | None = None


class Glyphs:
    """All sources. images: (n, 28, 28) uint8 of MNIST's training set, or none; labels: (n,); fonts: files.

    The drawn hands come from a seed of their own, the same ones every time.
    """

    def __init__(self, images: Bytes, labels: Bytes, fonts: Sequence[Path], hands: int = 150, seed: int = 0) -> None:
        self._images = images
        self._rows = [np.flatnonzero(labels == digit) for digit in range(10)]
        self._fonts = [font for font in map(Font, fonts) if font.usable]
        rng = np.random.default_rng(seed)
        self._hands = [_hand(rng) for _ in range(hands)]

    def alphabet(self, rng: Generator, kinds: Sequence[str] | None = None) -> Alphabet:
        """A source by chance, of those kinds if they are given."""
        kind = str(rng.choice(kinds)) if kinds else str(rng.choice(_KINDS, p=_SHARES))
        if kind == "mnist" and len(self._images):
            return self._crowd(rng)
        if kind in ("font", "hand-font") and self._fonts:
            fonts = [font for font in self._fonts if font.handwritten == (kind == "hand-font")] or self._fonts
            font = fonts[int(rng.integers(len(fonts)))]
            return Alphabet(kind, lambda digit, _: font.glyph(str(digit)), lambda letter, _: font.glyph(letter))
        if kind == "segments":
            look = _segment_look(rng)
            return Alphabet(kind, lambda digit, _: _segments(digit, look))
        hand, zero = self._hands[int(rng.integers(len(self._hands)))], _zero_size(rng)

        def drawn(digit: int, rng: Generator) -> Glyph:
            glyph = hand[digit][int(rng.integers(len(hand[digit])))]
            return glyph if digit else _sized(glyph, *zero)

        return Alphabet("strokes", drawn)

    def words(self, rng: Generator, by_hand: bool = False) -> Alphabet:
        """A source that has letters: a font, or OpenCV's plain strokes where there is none."""
        if not self._fonts:
            return Alphabet("font", lambda digit, _: _plain(str(digit)), lambda letter, _: _plain(letter))
        return self.alphabet(rng, ("hand-font",) if by_hand else ("font", "hand-font"))

    def _crowd(self, rng: Generator) -> Alphabet:
        """MNIST's digits, each of another writer, all with the same pen."""
        pen, shear, wide = rng.integers(-3, 5), rng.normal(0, 0.12), float(np.exp(rng.normal(0, 0.12)))

        tailed = rng.random() < 0.2  # ones, threes, fours, sevens and nines reach below the line
        zero = _zero_size(rng)

        def digit(label: int, rng: Generator) -> Glyph:
            rows = self._rows[label]
            image = self._images[rows[rng.integers(len(rows))]]
            side = 90  # 28 pixels of which 20 are the digit's: 64 for the digit
            matrix = np.array([[side / 28 * wide, -shear * side / 28, 0.5 * shear * side + 20], [0, side / 28, 0]])
            large = cv2.warpAffine(image, matrix, (int(side * wide) + 40, side), flags=cv2.INTER_CUBIC)
            if pen > 0:
                large = cv2.dilate(large, _ellipse(int(pen) + 1))
            elif pen < 0:
                large = cv2.erode(large, _ellipse(1 - int(pen)))
            glyph = _standing(large)
            if label == 0:
                return _sized(glyph, *zero)
            return _lengthened(glyph, rng.uniform(1.1, 1.8)) if tailed and label in (1, 3, 4, 7, 9) else glyph

        return Alphabet("mnist", digit)


_KINDS = ("mnist", "strokes", "hand-font", "font", "segments")
_SHARES = (0.34, 0.2, 0.21, 0.19, 0.06)


class Font:
    """A font file; its glyphs are drawn once."""

    def __init__(self, path: Path) -> None:
        self.handwritten = any(name in path.name.lower() for name in _HANDWRITTEN.split())  # by its file's name
        self._glyph = lru_cache(maxsize=None)(self._drawn)
        try:
            self._font = ImageFont.truetype(str(path), 80)
            boxes = [self._font.getbbox(digit, anchor="ls") for digit in "0123456789"]
            self._height = float(np.median([bottom - top for _, top, _, bottom in boxes]))
            self.usable = self._height > 20 and all(
                bytes(self._font.getmask(digit)) != bytes(self._font.getmask("\uffff")) for digit in "0123456789"
            )
        except (OSError, ValueError, TypeError):
            self.usable = False

    def glyph(self, character: str) -> Glyph:
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


_HANDWRITTEN = (
    "caveat kalam patrick-hand indie-flower shadows-into permanent-marker homemade reenie nothing-you gloria "
    "architects rock-salt just- coming-soon schoolbell handlee nanum- cedarville belle-aurore covered-by gochi gaegu "
    "mansalva playwrite edu- comic humor hand script marker amatic annie- bilbo chilanka cookie courgette crafty "
    "damion dancing dawning dekko delius dokdo engagement felipa gamja give-you grand-hotel grape-nuts hi-melody "
    "hubballi italianno itim jim- kavivanar kirang klee kristi liu-jian long-cang loved-by ma-shan mali- meddon "
    "merienda mr-dafoe neucha niconne norican over-the pacifico pangolin parisienne playpen poor-story quintessential "
    "qwigley rancho redressed ruge- ruthie sacramento satisfy sedgwick shantell short-stack single-day sofia sriracha "
    "sue-ellen sunshiney swanky the-girl vibur waiting-for walter- yellowtail yomogi zeyada zhi-mang"
)


def _hand(rng: Generator) -> list[list[Glyph]]:
    """Three instances of each digit in one hand, with one pen."""
    hand, stroke = random_hand(rng), float(np.exp(rng.uniform(np.log(0.025), np.log(0.22))))
    return [
        [_standing((draw_digit(digit, hand, rng, HEIGHT, stroke) * 255).astype(np.uint8)) for _ in range(3)]
        for digit in range(10)
    ]


def _standing(ink: Bytes) -> Glyph:
    """A digit cut out tightly, that stands on the line; its height is a digit's, whatever it measures."""
    x, y, w, h = cv2.boundingRect((ink > 70).astype(np.uint8))
    if h < 8:
        return Glyph(np.zeros((HEIGHT, 8), np.uint8), 0, -1, 0.12, 1, 0.3)
    tight = np.ascontiguousarray(ink[y : y + h, x : x + w])
    return Glyph(tight, 0.0, -1.0, w / h, 1.0, w / h)


def _lengthened(glyph: Glyph, times: float) -> Glyph:
    """The digit that many times as high, beginning where it did."""
    height, width = glyph.ink.shape
    ink = cv2.resize(glyph.ink, (width, round(height * times)), interpolation=cv2.INTER_LINEAR)
    return replace(glyph, ink=np.asarray(ink, np.uint8), height=times)


def _zero_size(rng: Generator) -> tuple[float, float]:
    """How high a hand's zeros are beside its other digits, and how wide: some make them smaller, some flatter."""
    times = float(rng.uniform(0.45, 0.9)) if rng.random() < 0.33 else 1.0
    return times, float(rng.uniform(1.1, 1.7)) if rng.random() < 0.25 else 1.0


def _sized(glyph: Glyph, times: float, wide: float) -> Glyph:
    """The digit that many times as large, on the line, and so much wider."""
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


_LIT = ("abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg")  # of each digit


def _segment_look(rng: Generator) -> tuple[int, int, int, float, bool]:
    """Width, thickness and gap in pixels, slant, and whether 6, 7 and 9 have their tails."""
    return (
        int(rng.integers(28, 44)),
        int(rng.integers(6, 13)),
        int(rng.integers(1, 4)),
        float(rng.uniform(0, 0.18)),
        bool(rng.random() < 0.8),
    )


@lru_cache(maxsize=4096)
def _segments(digit: int, look: tuple[int, int, int, float, bool]) -> Glyph:
    """A seven-segment digit."""
    width, thick, gap, slant, tails = look
    half = HEIGHT // 2
    canvas = np.zeros((HEIGHT + 4, width + 24), np.uint8)
    lit = _LIT[digit]
    if not tails:
        lit = {6: "cdefg", 9: "abcfg"}.get(digit, lit)
    t = thick / 2
    ends = {
        "a": ((t, t), (width - t, t)),
        "g": ((t, half), (width - t, half)),
        "d": ((t, HEIGHT - t), (width - t, HEIGHT - t)),
        "f": ((t, t), (t, half)),
        "e": ((t, half), (t, HEIGHT - t)),
        "b": ((width - t, t), (width - t, half)),
        "c": ((width - t, half), (width - t, HEIGHT - t)),
    }
    for name in lit:
        (x0, y0), (x1, y1) = ends[name]
        along = np.array([x1 - x0, y1 - y0], np.float64)
        along /= np.linalg.norm(along)
        across = np.array([-along[1], along[0]]) * t
        start, end = np.array([x0, y0]) + along * gap, np.array([x1, y1]) - along * gap
        points = np.array([start, start + along * t + across, end - along * t + across, end])
        points = np.vstack([points, [end - along * t - across, start + along * t - across]])
        points[:, 0] += slant * (HEIGHT - points[:, 1]) + 2
        cv2.fillPoly(canvas, [np.rint((points + np.array([0, 2])) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    x, _, w, _ = cv2.boundingRect(canvas)
    tight = np.ascontiguousarray(canvas[2 : HEIGHT + 2, x : x + w])
    # a one is narrow, but takes the place of a whole digit
    return Glyph(tight, (x - 2) / HEIGHT, -1.0, w / HEIGHT, 1.0, (width + thick) / HEIGHT)


@lru_cache(maxsize=256)
def _plain(character: str) -> Glyph:
    """OpenCV's own letters, for machines without fonts."""
    canvas = np.zeros((160, 160), np.uint8)
    cv2.putText(canvas, character, (30, 110), cv2.FONT_HERSHEY_SIMPLEX, 3, 255, 6, cv2.LINE_AA)
    x, y, w, h = cv2.boundingRect((canvas > 48).astype(np.uint8))
    unit = 64.0
    return Glyph(
        np.ascontiguousarray(canvas[y : y + max(h, 1), x : x + max(w, 1)]),
        0.0,
        (y - 110) / unit,
        w / unit,
        h / unit,
        w / unit + 0.15,
    )


def hull(ink: Bytes) -> Reals:
    """(k, 2) points round the ink, in pixels: what bounds it after any turn."""
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
