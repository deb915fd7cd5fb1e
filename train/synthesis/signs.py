"""Signs drawn with a pen, in the hands that write the digits: of numbers, dates, prices and arithmetic.

signs = Signs()                                  # a bank of hands
letter = signs.letters(rng, pen=0.09)            # the signs of one hand with a pen as broad as that of its digits
glyph = letter("+", rng)
signed = signs.beside(alphabet, rng)             # an alphabet's digits, with signs of the same pen as its letters
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.glyphs import GLYPH_HEIGHT, Alphabet, Glyph
from digitocr.train.synthesis.strokes import Hand, drawn, random_hand, write_form

# The forms of each sign as strokes of knots, like the digits' in strokes.py: "x,y" in hundredths of a digit's height,
# y downwards from its top, the line at 100; "!" marks a corner and "/" lifts the pen.
FORMS: Mapping[str, tuple[str, ...]] = {
    ".": ("5,97 7,100", "4,95 8,97 7,101 4,99 5,96", "5,92 6,98"),
    ",": ("8,90 9,100 2,114", "6,92 4,112", "9,88 12,96 8,107 1,114"),
    "-": ("3,55 40,54", "2,56 22,53 44,55", "3,52 26,56", "2,60 60,57"),
    "+": ("4,55 54,54 / 29,30 29,80", "3,57 48,55 / 26,34 25,78", "30,28 29,82 / 3,56 56,53"),
    ":": ("6,42 8,45 / 6,92 8,95", "5,50 6,54 / 4,88 6,91", "6,36 5,44 / 5,84 4,93"),
    "/": ("44,-4 4,104", "34,-8 24,50 2,110", "54,4 4,100", "26,-6 4,106"),
    "x": ("6,40 46,92 / 46,40 4,92", "5,52 36,84 / 37,50 4,86", "4,46 24,68 42,90! / 42,44 24,68 5,92"),
    "×": ("6,36 46,76 / 46,36 5,77", "4,45 36,75 / 36,44 4,76", "5,32 52,80 / 50,30 4,82"),
    "÷": ("4,55 52,54 / 27,22 29,25 / 27,84 29,87", "3,56 46,56 / 24,25 25,29 / 24,80 25,84"),
    "=": ("4,45 50,44 / 4,65 51,64", "3,40 44,41 / 4,60 46,58", "4,48 58,46 / 6,72 60,69"),
    "(": ("24,-6 8,22 4,54 10,86 26,108", "16,-2 6,30 5,66 16,102", "30,-10 10,30 8,72 28,112"),
    ")": ("4,-6 20,22 25,54 18,86 2,108", "4,-2 14,30 15,66 4,102", "3,-10 22,30 24,72 4,112"),
    "[": ("24,-4 5,-3! 5,50 5,106! 25,106", "20,0 4,0! 4,102! 22,102"),
    "]": ("3,-4 23,-3! 23,50 22,106! 2,106", "2,0 20,0! 20,102! 3,102"),
    "{": ("26,-6 14,2 15,30 4,50! 14,66 13,96 26,106",),
    "}": ("4,-6 16,2 15,30 26,50! 16,66 17,96 4,106",),
    "|": ("5,-8 5,50 5,112", "6,0 5,104"),
    "<": ("46,32 4,56! 48,80", "40,38 4,58! 42,76"),
    ">": ("4,32 46,56! 3,80", "4,38 40,58! 3,76"),
    "*": ("24,20 24,60 / 6,30 42,52 / 42,28 6,52", "20,26 20,58 / 5,34 36,50 / 36,34 4,50"),
    "%": (
        "20,8 6,16 8,34 22,32 24,14 18,8 / 60,2 8,100 / 50,66 38,76 42,96 56,94 60,74 50,66",
        "16,12 6,20 10,34 22,28 18,12 / 54,0 12,100 / 46,70 36,80 42,96 54,88 48,70",
    ),
    "°": ("14,0 4,10 10,22 22,18 22,4 12,0", "12,2 4,12 14,20 20,8 10,2"),
    "√": ("2,62 12,54! 24,100! 44,-2! 96,-4", "4,70 14,64! 26,98! 50,4! 70,3"),
    "?": ("4,14 18,0 38,8 38,26 22,44 20,68 / 20,94 21,98", "6,18 22,2 40,16 30,36 20,50 21,70 / 20,92 19,98"),
    "!": ("8,-2 7,70 / 6,94 7,98", "12,0 8,72 / 6,92 6,97"),
    "$": (
        "46,18 26,8 8,20 16,42 40,54 48,76 28,92 4,82 / 28,-8 26,108",
        "44,16 24,8 8,24 20,44 42,58 44,80 24,92 4,84 / 20,-6 20,104 / 30,-6 30,104",
    ),
    "€": ("56,14 38,2 18,22 14,60 26,94 46,100 58,88 / 2,42 42,40 / 2,60 40,58",),
    "#": ("20,14 12,96 / 42,14 34,96 / 2,40 54,38 / 0,70 52,68",),
    "~": ("2,58 14,48 30,58 46,50",),
    "_": ("0,104 60,104",),
}
SIGNS = "".join(FORMS)
_PENS = (0.025, 0.2)  # digit heights; the pens that signs are drawn with
_STEPS = 8  # pens in that range, each a bank of its own
_INSTANCES = 2  # of a sign in a hand
_SPACE = 0.06  # digit heights; the least room on either side of a sign
_DOT = 1.25  # a point is as broad as the pen, times this
_THICKENED = frozenset(".,:!?")
_EDGE = 90  # of 255; more is within a stroke


class Signs:
    """Hands that draw signs; each instance is drawn when it is first asked for, and kept.

    Args:
        hands: The number of hands.
        seed: Seed of the hands, so that they are the same each time.
        forms: Of each character that they draw; the signs where nothing is given.
    """

    def __init__(self, hands: int = 24, seed: int = 1, forms: Mapping[str, tuple[str, ...]] = FORMS) -> None:
        self._forms = forms
        rng = np.random.default_rng(seed)
        self._hands = [random_hand(rng) for _ in range(hands)]
        self._kept: dict[tuple[int, int, str, int], Glyph] = {}

    def letters(self, rng: Generator, pen: float | None = None) -> Callable[[str, Generator], Glyph | None]:
        """The signs of a random hand: a function that draws a character, None for one that is no sign.

        pen: width of its strokes in digit heights; None for any.
        """
        hand = int(rng.integers(len(self._hands)))
        low, high = np.log(_PENS)
        wanted = float(np.log(pen)) if pen else float(rng.uniform(low, high))
        step = int(np.clip(round((wanted - low) / (high - low) * (_STEPS - 1)), 0, _STEPS - 1))

        def letter(character: str, rng: Generator) -> Glyph | None:
            if character not in self._forms:
                return None
            return self._instance(hand, step, character, int(rng.integers(_INSTANCES)))

        return letter

    def beside(self, alphabet: Alphabet, rng: Generator) -> Alphabet:
        """The alphabet with signs of a pen as broad as that of its digits; letters that are no sign stay its own."""
        pen = pen_of(alphabet.digit(int(rng.choice([2, 3, 5])), rng)) * float(np.exp(rng.normal(0, 0.1)))
        sign, own = self.letters(rng, pen), alphabet.letter

        def letter(character: str, rng: Generator) -> Glyph | None:
            return sign(character, rng) or (own(character, rng) if own else None)

        return replace(alphabet, letter=letter)

    def _instance(self, hand: int, step: int, character: str, instance: int) -> Glyph:
        key = hand, step, character, instance
        if key not in self._kept:
            rng = np.random.default_rng((hand, step, ord(character), instance))
            pen = float(np.exp(np.interp(step, (0, _STEPS - 1), np.log(_PENS))))
            self._kept[key] = draw_sign(character, self._hands[hand], rng, pen, self._forms)
        return self._kept[key]


def draw_sign(
    character: str, hand: Hand, rng: Generator, pen: float, forms: Mapping[str, tuple[str, ...]] = FORMS
) -> Glyph:
    """One character in a hand.

    Args:
        character: One of `forms`.
        hand: The writer.
        rng: Determines the variation between instances.
        pen: The width of its strokes, in digit heights.
        forms: Of each character, as strokes of knots.
    """
    own = forms[character]
    form = own[(hand.habit // 7 + ord(character)) % len(own)]
    lines = write_form(form, ord(character), hand, rng)
    unit, broad = GLYPH_HEIGHT, pen * (_DOT if character in _THICKENED else 1.0)
    ink, _, y = drawn([(line[:, :2] * unit, line[:, 2] * broad * unit) for line in lines])
    width, height = ink.shape[1] / unit, ink.shape[0] / unit
    # the form's own x = 0 counts for nothing: a slanted sign at half height would stand far from its neighbours
    space = _SPACE + float(rng.uniform(0, 0.1))
    return Glyph(np.ascontiguousarray(ink), space, y / unit - 1, width, height, width + 2 * space)


def pen_of(glyph: Glyph) -> float:
    """The width of a glyph's strokes, in digit heights."""
    inside = (cv2.copyMakeBorder(glyph.ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT) > _EDGE).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    return 2 * float(np.percentile(depth[inside > 0], 95)) * glyph.height / glyph.ink.shape[0] if inside.any() else 0.1
