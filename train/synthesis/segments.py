"""Digits of seven-segment displays: LCDs and LEDs of many shapes, with the segments that are off, points and letters.

    display = random_display(rng)
    display.alphabet.digit(7, rng)    # its lit segments
    display.ghost                     # all seven, to be drawn faintly below each digit; None where they are not seen

Every cell is one digit height high and advances by the same width, so a one stands at the right side of its cell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.glyphs import GLYPH_HEIGHT, Alphabet, Glyph
from digitocr.train.synthesis.strokes import Bytes, Reals

# The lit segments of each digit: a at the top, then clockwise b to f; g in the middle.
_DIGITS = ("abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg")
_NO_TAIL: Mapping[int, str] = {6: "cdefg", 9: "abcfg"}
_SEVEN_WITH_FLAG = "abcf"
# Letters and signs that seven segments can show and that are no digit in any display.
_LETTERS: Mapping[str, str] = {
    "A": "abcefg",
    "C": "adef",
    "E": "adefg",
    "F": "aefg",
    "H": "bcefg",
    "J": "bcde",
    "L": "def",
    "P": "abefg",
    "U": "bcdef",
    "c": "deg",
    "d": "bcdeg",
    "h": "cefg",
    "n": "ceg",
    "o": "cdeg",
    "r": "eg",
    "t": "defg",
    "u": "cde",
    "y": "bcdfg",
    "-": "g",
    "=": "dg",
    "_": "d",
    "°": "abfg",
}
_LIKE_A_TAILLESS_SIX = {"b": "cdefg"}  # shown where the six has its tail
SEGMENT_LETTERS = "".join(letter for letter in (*_LETTERS, "b") if letter.isalpha())
_ENDS = ("hexagon", "mitred", "plain", "round")  # of a segment
_END_ODDS = (0.3, 0.35, 0.2, 0.15)
_THICKEST = 0.27  # of a cell's width: what thicker segments leave open is no longer seen
_FRACTION_BITS = 4  # of OpenCV's fixed-point coordinates: sixteenths of a pixel
_MARGIN = 2  # pixels around a drawn cell
_INK = 48  # of 255; pixels with more belong to the cut-out


class Look(NamedTuple):
    """How a display's digits look. Lengths are in digit heights.

    Attributes:
        width: Of a digit.
        space: Between two cells.
        thick: Of the upright segments.
        flat: Thickness of the lying segments as a share of `thick`.
        gap: Between the ends of two segments; 0 joins them.
        slant: To the right for each length up; below 0 to the left.
        ends: Shape of a segment's ends, one of "hexagon", "mitred", "plain", "round".
        tails: Whether the six and the nine have a segment at their open end.
        flag: Whether the seven has the upper left segment.
        weak: A segment that is fainter than the others, a to g; "" for none.
        weakness: The strength of that segment, 0 to 1.
        point: Diameter of a point.
        square: Whether points are square.
    """

    width: float
    space: float
    thick: float
    flat: float
    gap: float
    slant: float
    ends: str
    tails: bool
    flag: bool
    weak: str
    weakness: float
    point: float
    square: bool


@dataclass(frozen=True, slots=True)
class Display:
    """One display.

    Attributes:
        look: How its digits look.
        alphabet: Its digits, and what it shows of letters and signs.
        ghost: The ink of a cell with all segments, for those that are off; None where these are not seen.
        strength: Of the ghost's ink, 0 to 1; 0 where it is not seen.
    """

    look: Look
    alphabet: Alphabet
    ghost: Glyph | None
    strength: float


def random_look(rng: Generator) -> Look:
    """A random display: thin to thick, narrow to wide, upright or slanted, joined or with gaps."""
    width = float(rng.uniform(0.4, 0.72))
    thick = min(float(np.exp(rng.uniform(np.log(0.05), np.log(0.2)))), _THICKEST * width)
    slant = rng.uniform(0, 0.25) if rng.random() < 0.5 else rng.normal(0, 0.03)
    return Look(
        width=width,
        space=float(rng.uniform(0.08, 0.35)),
        thick=thick,
        flat=float(rng.uniform(0.75, 1.1)),
        gap=float(rng.choice([0.0, rng.uniform(0.005, 0.03), rng.uniform(0.02, 0.07)])),
        slant=float(-slant if rng.random() < 0.1 else slant),
        ends=str(rng.choice(_ENDS, p=_END_ODDS)),
        tails=bool(rng.random() < 0.8),
        flag=bool(rng.random() < 0.25),
        weak=str(rng.choice(list("abcdefg"))) if rng.random() < 0.1 else "",
        weakness=float(rng.uniform(0.3, 0.8)),
        point=thick * float(rng.uniform(0.8, 1.5)),
        square=bool(rng.random() < 0.5),
    )


def random_display(rng: Generator) -> Display:
    """A random display, a third of them with segments that are off but seen."""
    look = random_look(rng)
    seen = rng.random() < 0.35
    strength = float(rng.uniform(15, 80) / 255) if seen else 0.0
    ghost = _cell("abcdefg", look._replace(weak="")) if seen else None
    drawn: dict[str, Glyph | None] = {}

    def digit(label: int, _: Generator) -> Glyph:
        return letter(str(label), _)  # type: ignore[return-value]  # there is a pattern for each digit

    def letter(character: str, _: Generator) -> Glyph | None:
        if character not in drawn:
            drawn[character] = _character(character, look)
        return drawn[character]

    return Display(look, Alphabet("segments", digit, letter), ghost, strength)


def segments_of(character: str, look: Look) -> str:
    """The segments that are lit for a digit, a letter or a sign; "" for what the display cannot show."""
    if character.isdecimal():
        digit = int(character)
        if digit == 7 and look.flag:
            return _SEVEN_WITH_FLAG
        return _DIGITS[digit] if look.tails else _NO_TAIL.get(digit, _DIGITS[digit])
    if look.tails and character in _LIKE_A_TAILLESS_SIX:
        return _LIKE_A_TAILLESS_SIX[character]
    return _LETTERS.get(character, "")


def _character(character: str, look: Look) -> Glyph | None:
    if character in (".", ",", ":"):
        return _points(character, look)
    lit = segments_of(character, look)
    return _cell(lit, look) if lit else None


def _cell(lit: str, look: Look) -> Glyph:
    """The lit segments, cut out tightly but as high as the cell, and where they stand in it."""
    unit = GLYPH_HEIGHT
    lean = abs(look.slant) * unit
    wide = round(look.width * unit + lean) + 2 * _MARGIN
    canvas = np.zeros((unit + 2 * _MARGIN, wide), np.uint8)
    origin = _MARGIN + (lean if look.slant < 0 else 0.0)
    for name in lit:
        ink = round(255 * look.weakness) if name == look.weak else 255
        points = _outline(name, look) * unit
        points[:, 0] += look.slant * (unit - points[:, 1]) + origin
        points[:, 1] += _MARGIN
        fixed = np.rint(points * 2**_FRACTION_BITS).astype(np.int32)
        if look.ends == "round":
            thick = max(1, round(_thickness(name, look) * unit))
            cv2.polylines(canvas, [fixed], False, ink, thick, cv2.LINE_AA, _FRACTION_BITS)
        else:
            cv2.fillPoly(canvas, [fixed], ink, cv2.LINE_AA, _FRACTION_BITS)
    return _cut(canvas, origin, unit + _MARGIN, look.width + look.space)


def _thickness(name: str, look: Look) -> float:
    return look.thick * look.flat if name in "adg" else look.thick


def _outline(name: str, look: Look) -> Reals:
    """(k, 2) corners of a segment, or the two ends of its middle line, in digit heights from the cell's upper left."""
    w, t, s = look.width, look.thick, look.thick * look.flat
    # the ends of the middle lines: x of the left and the right, y of the top, the middle and the bottom
    left, right, top, middle, bottom = t / 2, w - t / 2, s / 2, 0.5, 1 - s / 2
    start, end = {
        "a": ((left, top), (right, top)),
        "b": ((right, top), (right, middle)),
        "c": ((right, middle), (right, bottom)),
        "d": ((left, bottom), (right, bottom)),
        "e": ((left, middle), (left, bottom)),
        "f": ((left, top), (left, middle)),
        "g": ((left, middle), (right, middle)),
    }[name]
    a, b = np.array(start), np.array(end)
    along = (b - a) / max(float(np.abs(b - a).sum()), 1e-6)
    across = np.array([-along[1], along[0]]) * _thickness(name, look) / 2
    half = look.gap / 2
    if look.ends == "round":
        return np.array([a + along * half, b - along * half])
    reach = abs(float(across.sum()))  # how far a bevelled end reaches
    if look.ends == "plain":
        # up to the outer edge where ends are joined, up to the other segment's flank where they are not
        more = reach if look.gap == 0 else -reach - half
        a, b = a - along * more, b + along * more
        return np.array([a + across, b + across, b - across, a - across])
    a, b = a + along * half, b - along * half
    corners = [a, a + along * reach + across, b - along * reach + across, b, b - along * reach - across]
    corners.append(a + along * reach - across)
    if look.ends == "mitred" and name != "g":
        # the outer side runs on to the corner of the digit
        outer = -1 if name in "abc" else 1
        if name in "ad":
            outer = -1 if name == "a" else 1
            corners[0] = corners[0] + outer * np.abs(across) - along * reach
            corners[3] = corners[3] + outer * np.abs(across) + along * reach
        else:
            outer = 1 if name in "bc" else -1
            if name in "bf":  # its corner is at the upper end
                corners[0] = corners[0] + outer * np.abs(across) - along * reach
            else:
                corners[3] = corners[3] + outer * np.abs(across) + along * reach
    return np.array(corners)


def _points(character: str, look: Look) -> Glyph:
    """A point or a comma in the space behind a cell, or a colon with a space of its own."""
    unit, size = GLYPH_HEIGHT, look.point
    rows = (0.3, 0.72) if character == ":" else (1 - size / 2,)
    low = 1 + size if character == "," else 1.0
    canvas = np.zeros(
        (round(low * unit) + 2 * _MARGIN + 2, round((size + abs(look.slant)) * unit) + 4 * _MARGIN), np.uint8
    )
    origin = _MARGIN + (abs(look.slant) * unit if look.slant < 0 else 0.0)
    for row in rows:
        x, y = origin + (size / 2 + look.slant * (1 - row)) * unit, row * unit + _MARGIN
        half = size * unit / 2
        if character == ",":
            tail = np.array([[x - half, y - half], [x + half, y - half], [x + half, y], [x - half, y + 2.4 * half]])
            cv2.fillPoly(canvas, [np.rint(tail * 16).astype(np.int32)], 255, cv2.LINE_AA, _FRACTION_BITS)
        elif look.square:
            corners = np.array([[x - half, y - half], [x + half, y - half], [x + half, y + half], [x - half, y + half]])
            cv2.fillPoly(canvas, [np.rint(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, _FRACTION_BITS)
        else:
            at = round(x * 16), round(y * 16)
            cv2.circle(canvas, at, max(1, round(half * 16)), 255, -1, cv2.LINE_AA, _FRACTION_BITS)
    if character == ":":
        return _cut(canvas, origin, unit + _MARGIN, look.point + look.space)
    # the pen already stands behind the space, so the point goes back into it
    room = max(look.space, 1.4 * size)
    return _cut(canvas, origin + (look.space / 2 + size / 2) * unit, unit + _MARGIN, room - look.space)


def _cut(canvas: Bytes, origin: float, base: float, advance: float) -> Glyph:
    """The ink cut out of a canvas on which the pen stands at x = origin and the line at y = base, in pixels."""
    unit = GLYPH_HEIGHT
    x, y, w, h = cv2.boundingRect((canvas > _INK).astype(np.uint8))
    w, h = max(w, 1), max(h, 1)
    ink = np.ascontiguousarray(canvas[y : y + h, x : x + w])
    return Glyph(ink, (x - origin) / unit, (y - base) / unit, w / unit, h / unit, advance)
