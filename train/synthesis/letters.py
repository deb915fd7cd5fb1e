"""Letters by hand with the pen of the digits beside them: drawn in strokes, or of a font, as broad and as rough.

    letters = Letters()
    own = letters.beside(alphabet, words, rng)       # an alphabet's digits, with letters and signs of the same pen
    own.letter("x", rng)

MNIST's digits are 20 pixels high and each is of another writer. A letter of a clean font beside them is told by its
edges alone, so those beside MNIST's digits are made as coarse and bent, each a little differently.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.glyphs import GLYPH_HEIGHT, Alphabet, Glyph
from digitocr.train.synthesis.signs import FORMS as SIGN_FORMS
from digitocr.train.synthesis.signs import Signs, pen_of
from digitocr.train.synthesis.strokes import Bytes

# The forms of letters as strokes of knots, as signs.py has those of signs. O and I are left to fonts: drawn alone, they
# are a zero and a one.
FORMS: Mapping[str, tuple[str, ...]] = {
    "a": ("44,46 26,38 8,54 6,80 20,98 38,86 46,44! 44,80 52,100", "42,50 24,40 8,60 10,90 28,98 42,76 44,44! 45,100"),
    "b": ("10,-4 8,50 8,98! 12,64 30,48 46,66 40,94 22,102 9,90", "12,-6 9,40 8,80 20,100 38,92 40,66 26,54 9,70"),
    "c": ("42,50 26,38 8,54 6,82 22,100 44,90", "38,46 20,40 6,62 10,92 36,98"),
    "d": ("44,56 28,44 8,60 8,88 24,100 42,84 46,-4! 45,60 48,100", "42,50 20,46 6,70 14,98 38,92 / 44,-6 43,102"),
    "e": ("8,68 42,64 38,44 22,38 8,58 10,88 28,100 46,90", "6,72 30,66 36,48 22,40 8,60 12,92 40,96"),
    "f": ("44,2 30,-6 20,10 18,50 16,104 / 4,42 38,40", "46,0 32,-4 24,20 20,90 10,134 / 6,46 40,44"),
    "g": ("42,50 26,40 8,54 12,80 28,84 42,60 44,46! 44,100 36,130 16,132 6,118",),
    "h": ("8,-4 8,50 8,100! 12,66 28,50 38,64 40,100", "14,-6 8,102! 14,66 30,54 38,72 36,100 44,96"),
    "i": ("8,44 8,70 10,100 / 8,22 10,25", "4,52 10,44! 9,86 18,98 / 12,20 14,22"),
    "k": ("8,-4 8,50 8,102 / 40,44 10,72! 28,84 44,102", "10,-4 8,102 / 38,50 12,76! 40,100"),
    "l": ("10,-4 8,50 10,92 20,100", "6,60 24,14 18,-6 10,10 10,86 24,100"),
    "m": ("6,44 8,70 8,100! 10,60 24,46 32,60 32,100! 34,60 50,46 58,62 60,100",),
    "n": ("6,44 8,70 8,100! 10,62 26,46 38,60 40,100", "4,54 12,44 10,100! 22,56 36,50 38,90 48,98"),
    "o": ("26,42 8,54 8,86 24,100 42,86 42,56 26,42", "28,44 8,60 12,96 36,94 40,60 26,46 44,44"),
    "p": ("8,46 8,90 6,136 / 8,60 26,44 44,60 40,88 22,98 9,86", "10,44 8,130 / 8,56 30,46 42,66 30,90 8,88"),
    "q": ("42,52 26,42 8,58 10,88 28,96 42,80 44,46! 44,90 42,136 54,124",),
    "r": ("6,44 8,70 8,100! 10,66 22,48 36,46", "6,52 16,42 18,54 34,52 30,80 34,100"),
    "s": ("38,48 22,40 8,52 20,66 38,80 32,98 6,96", "34,50 18,46 12,60 32,76 28,96 6,98"),
    "t": ("18,8 16,60 18,94 36,98 / 2,42 38,40", "20,10 18,102 / 2,38 40,36"),
    "u": ("6,44 6,80 18,100 34,90 40,44! 40,80 46,100", "4,46 8,86 24,100 38,84 40,44! 42,98 54,94"),
    "v": ("4,42 20,100! 40,42", "2,46 12,48 20,98! 34,60 44,44 50,50"),
    "w": ("4,44 14,100! 28,56! 42,100! 56,42", "4,44 8,90 20,98 30,60! 36,96 50,94 56,44"),
    "x": (
        "6,42 24,70 42,100 / 42,42 24,70 4,100",
        "6,46 18,46 24,70 18,98 4,98 / 46,44 32,48 24,70 30,98 46,96",  # two bows, back to back
        "4,50 16,44 24,68 32,96 46,92 / 44,44 24,70 4,100",
    ),
    "y": (
        "6,44 10,66 24,76 38,64! / 42,42 38,90 26,130 8,132",
        "4,44 22,90! / 44,42 22,90 2,136",
        "6,42 8,70 22,80 38,66 42,44! 42,100 34,134 12,132 10,116",
    ),
    "z": (
        "6,46 40,44! 6,98! 44,96",
        "6,46 40,44! 6,98! 44,96 / 12,72 36,70",
        "8,52 22,42 36,52 20,74! 38,84 30,126 8,124",
    ),
    "A": ("2,102 28,-2! 52,102 / 12,66 44,64", "4,100 24,0 34,0 48,100 / 8,62 44,60"),
    "B": (
        "8,0 8,100 / 8,0 36,4 36,40 10,46! 46,56 44,94 8,100",
        "10,2 8,98! 12,0 38,10 32,42 14,48! 46,64 36,96 6,100",
    ),
    "C": ("54,14 32,-2 8,30 8,74 30,102 56,86",),
    "D": ("8,0 8,100 / 6,0 40,10 54,50 38,92 6,100", "10,0 8,98! 30,98 52,70 46,24 22,2 4,2"),
    "E": ("48,0 8,0! 8,100! 50,98 / 8,50 40,48", "46,8 24,-2 10,22 30,46! 8,66 12,98 48,92"),
    "F": ("50,0 8,0! 8,102 / 8,48 40,46",),
    "G": (
        "54,14 32,-2 8,30 8,76 32,102 54,86 54,56! 32,56",
        "50,12 28,0 8,40 12,84 34,100 50,70! 50,110 / 34,68 60,68",
    ),
    "H": ("8,0 8,102 / 52,0 52,102 / 8,52 52,50",),
    "K": ("8,0 8,102 / 50,0 10,54! 28,60 54,102",),
    "L": ("8,0 8,100! 48,98",),
    "M": ("4,102 10,0! 32,64! 54,0! 60,102",),
    "N": ("6,102 8,0! 48,102! 50,0",),
    "P": ("8,0 8,102 / 8,2 40,4 44,36 30,52 9,54",),
    "Q": ("32,0 6,26 6,78 32,100 58,76 56,24 30,0 / 36,70 62,106",),
    "R": ("8,0 8,102 / 8,2 40,4 44,34 28,50 9,52! 26,54 52,102",),
    "S": ("46,12 26,-2 8,16 20,42 44,62 42,92 20,102 4,88",),
    "T": ("2,2 54,0 / 28,2 28,102",),
    "U": ("6,0 6,70 26,102 48,72 50,0",),
    "V": ("2,0 26,102! 52,0",),
    "W": ("2,0 18,102! 34,30! 50,102! 66,0",),
    "X": ("4,0 52,102 / 50,0 4,102",),
    "Y": ("2,0 28,50! 28,102 / 54,0 28,50",),
    "Z": ("6,2 52,0! 6,100! 54,98", "6,2 52,0! 6,100! 54,98 / 14,50 44,48"),
}
DRAWN = 0.55  # share of the hands whose letters are drawn; the others' are of a font
COARSE = 20  # pixels; the height of MNIST's digits
BENT = 0.5  # pixels of these; standard deviation of the bends
EDGE = 2  # pixels around a coarse letter, into which it may be bent
MAX_CHANGE = 7.0  # pixels of 64; by which a font's strokes are made broader or thinner at most


class Letters:
    """Hands that draw letters and signs.

    Args:
        hands: The number of hands.
        seed: Seed of the hands, so that they are the same each time.
    """

    def __init__(self, hands: int = 32, seed: int = 2) -> None:
        self._drawn = Signs(hands, seed, {**SIGN_FORMS, **FORMS})
        self._signs = Signs(hands, seed)

    def beside(self, alphabet: Alphabet, words: Alphabet, rng: Generator) -> Alphabet:
        """The alphabet's digits, with letters and signs of a pen as broad and, beside MNIST's digits, as rough.

        Args:
            alphabet: Digits by hand.
            words: A font, for the letters that are not drawn.
            rng: Determines the hand.
        """
        pen = pen_of(alphabet.digit(int(rng.choice([2, 3, 5])), rng)) * float(np.exp(rng.normal(0, 0.15)))
        source = self._drawn if rng.random() < DRAWN else self._signs
        drawn, font = source.letters(rng, pen), alphabet.letter or words.letter
        is_rough = alphabet.kind == "mnist" and rng.random() < 0.85
        size = float(rng.uniform(0.8, 1.3)) if rng.random() < 0.5 else 1.0

        def letter(character: str, rng: Generator) -> Glyph | None:
            glyph = drawn(character, rng)
            if glyph is None and font is not None:
                glyph = font(character, rng)
                glyph = glyph and thickened(glyph, pen)
            if glyph is None or glyph.ink.size < EDGE:
                return glyph
            glyph = rough(glyph, rng) if is_rough else glyph
            return sized(glyph, size) if character.isalpha() else glyph

        return replace(alphabet, letter=letter)


def sized(glyph: Glyph, times: float) -> Glyph:
    """A glyph `times` as large that stands on the same line."""
    sizes = (glyph.left, glyph.top, glyph.width, glyph.height, glyph.advance)
    return Glyph(glyph.ink, *(times * size for size in sizes))


def thickened(glyph: Glyph, pen: float) -> Glyph:
    """A glyph with strokes as broad as a pen, in digit heights, as far as it stays legible."""
    scale = glyph.ink.shape[0] / max(glyph.height, 1e-6)  # pixels of a digit height
    broad = pen_of(glyph)
    more = float(np.clip((pen - broad) * scale, -min(MAX_CHANGE, 0.5 * broad * scale), MAX_CHANGE))
    if abs(more) < 1:
        return glyph
    room = max(0, round(more / 2)) + 1
    ink = cv2.copyMakeBorder(glyph.ink, room, room, room, room, cv2.BORDER_CONSTANT)
    side = round(abs(more)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    ink = np.asarray(cv2.dilate(ink, disc) if more > 0 else cv2.erode(ink, disc), np.uint8)
    return _widened(glyph, ink, room / scale)


def rough(glyph: Glyph, rng: Generator) -> Glyph:
    """A glyph as coarse as MNIST's digits and bent a little."""
    wide, high = (max(1, round(COARSE * size)) for size in (glyph.width, glyph.height))
    ink = cv2.resize(glyph.ink, (wide, high), interpolation=cv2.INTER_AREA)
    ink = cv2.copyMakeBorder(ink, EDGE, EDGE, EDGE, EDGE, cv2.BORDER_CONSTANT)
    bends = rng.standard_normal((2, 4, 4), np.float32) * np.float32(BENT)
    rows, columns = ink.shape
    dx, dy = (cv2.resize(bend, (columns, rows), interpolation=cv2.INTER_CUBIC) for bend in bends)
    dx += np.arange(columns, dtype=np.float32)
    dy += np.arange(rows, dtype=np.float32)[:, None]
    ink = cv2.remap(ink, dx, dy, cv2.INTER_LINEAR)
    times = GLYPH_HEIGHT / COARSE
    ink = cv2.resize(ink, (round(columns * times), round(rows * times)), interpolation=cv2.INTER_CUBIC)
    return _widened(glyph, np.asarray(ink, np.uint8), EDGE / COARSE)


def _widened(glyph: Glyph, ink: Bytes, room: float) -> Glyph:
    """A glyph with new ink that reaches `room` farther on every side, cut out tightly."""
    wide, high = glyph.width + 2 * room, glyph.height + 2 * room
    x, y, w, h = cv2.boundingRect((ink > 48).astype(np.uint8))
    if not w:
        return glyph
    across, down = wide / ink.shape[1], high / ink.shape[0]
    return Glyph(
        np.ascontiguousarray(ink[y : y + h, x : x + w]),
        left=glyph.left - room + x * across,
        top=glyph.top - room + y * down,
        width=w * across,
        height=h * down,
        advance=glyph.advance,
    )
