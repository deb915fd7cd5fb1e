"""Characters made of dots: dot matrix displays and printers, and the dates of ink-jets on packages.

dots = random_dots(rng)                  # or with a font, whose digits are set in a coarse grid
dots.digit(7, rng)                       # a Glyph, like those of every other alphabet
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.glyphs import GLYPH_HEIGHT, Alphabet, Font, Glyph
from digitocr.train.synthesis.strokes import Bytes

Bits = NDArray[np.bool_]  # (rows, columns), True where there is a dot

# The common forms in a grid of 5 by 7: a hexadecimal number of two digits for each column, its lowest bit on top.
# Bit 7 is a row below the line.
_FORMS: Mapping[str, tuple[str, ...]] = {
    "0": ("3E5149453E", "3E4141413E", "7F4141417F", "003E413E00", "3E4549513E"),
    "1": ("00427F4000", "00047F0000", "0002017F00", "0000007F00", "04027F0000", "44427F4040"),
    "2": ("4261514946", "7249494946", "7949494F00", "794949494F", "6251494946"),
    "3": ("2141454B31", "2241494936", "414949497F", "41495D6300", "2249494936"),
    "4": ("1814127F10", "1F1010107F", "0F0808087F", "181412117F", "1C1210107F"),
    "5": ("2745454539", "2F49494931", "4F49494979", "4F49493100"),
    "6": ("3C4A494930", "3E49494932", "7F49494979", "3E49493200"),
    "7": ("0171090503", "0101710D03", "010101017F", "0101790700", "6111090503"),
    "8": ("3649494936", "7F4949497F", "7649494976", "3649493600"),
    "9": ("064949291E", "264949493E", "4F4949497F", "064929291E"),
    "A": ("7E1111117E", "7C1211127C"),
    "B": ("7F49494936",),
    "C": ("3E41414122",),
    "D": ("7F4141221C",),
    "E": ("7F49494941",),
    "F": ("7F09090901",),
    "G": ("3E4149497A",),
    "H": ("7F0808087F",),
    "I": ("00417F4100",),
    "J": ("2040413F01",),
    "K": ("7F08142241",),
    "L": ("7F40404040",),
    "M": ("7F020C027F",),
    "N": ("7F0408107F",),
    "O": ("3E4141413E",),
    "P": ("7F09090906",),
    "Q": ("3E4151215E",),
    "R": ("7F09192946",),
    "S": ("4649494931",),
    "T": ("01017F0101",),
    "U": ("3F4040403F",),
    "V": ("1F2040201F",),
    "W": ("3F4038403F",),
    "X": ("6314081463",),
    "Y": ("0708700807",),
    "Z": ("6151494543",),
    "a": ("2054545478",),
    "b": ("7F48444438",),
    "c": ("3844444420",),
    "d": ("384444487F",),
    "e": ("3854545418",),
    "f": ("087E090102",),
    "g": ("18A4A4A47C",),
    "h": ("7F08040478",),
    "i": ("00447D4000",),
    "j": ("2040443D00",),
    "k": ("7F10284400",),
    "l": ("00417F4000",),
    "m": ("7C04180478",),
    "n": ("7C08040478",),
    "o": ("3844444438",),
    "p": ("FC24242418",),
    "q": ("18242424FC",),
    "r": ("7C08040408",),
    "s": ("4854545420",),
    "t": ("043F444020",),
    "u": ("3C4040207C",),
    "v": ("1C2040201C",),
    "w": ("3C4030403C",),
    "x": ("4428102844",),
    "y": ("1CA0A0A07C",),
    "z": ("4464544C44",),
    ".": ("0000606000", "0000400000"),
    ",": ("0080703000", "0000A06000"),
    ":": ("0000360000", "0036360000", "0000140000"),
    "-": ("0808080808", "0008080800"),
    "+": ("08083E0808",),
    "/": ("2010080402", "6010080403"),
    "=": ("1414141414",),
    "%": ("2313086462",),
    "*": ("14083E0814",),
    "(": ("001C224100",),
    ")": ("0041221C00",),
    "$": ("242A7F2A12",),
    "°": ("0006090906",),
    "#": ("147F147F14",),
    "?": ("0201510906",),
    "!": ("00005F0000",),
}
_ROWS = 7  # above the line, of a form
_EDGE = 110  # of 255; ink of a font's glyph that covers more of a cell makes it a dot
_SIZES = (8, 9, 10, 12)  # rows of a font's digit in dots
_WIDEST_PEN = 1.7  # rows; a font with broader strokes cannot be told in dots
_NARROWEST = 4.0  # rows; a font whose zero is narrower cannot be told either
_FRACTION_BITS = 4  # of OpenCV's fixed-point coordinates: sixteenths of a pixel


class Look(NamedTuple):
    """How the dots look. Lengths are in pitches, the distance from a dot to the next one below.

    Attributes:
        size: Of a dot, across; above 1 the dots run together.
        aspect: Distance from a dot to the next at its side.
        square: Whether dots are square.
        slant: To the right for each length up.
        jitter: Standard deviation of a dot's place.
        missing: Share of the dots that are not there.
        spacing: Empty columns between two characters.
        monospaced: Whether narrow characters take as much room as wide ones.
    """

    size: float
    aspect: float
    square: bool
    slant: float
    jitter: float
    missing: float
    spacing: float
    monospaced: bool


def random_look(rng: Generator) -> Look:
    """A random display with neat dots, or in a third of the cases an ink-jet with loose ones."""
    inkjet = rng.random() < 0.35
    return Look(
        size=float(
            rng.uniform(0.6, 1.25)
            if inkjet
            else rng.choice([rng.uniform(0.4, 0.6), rng.uniform(0.6, 1.05)], p=[0.2, 0.8])
        ),
        aspect=float(np.exp(rng.normal(0, 0.12))),
        square=bool(not inkjet and rng.random() < 0.5),
        slant=float(rng.normal(0, 0.06)) if inkjet else 0.0,
        jitter=float(rng.uniform(0, 0.14)) if inkjet else 0.0,
        missing=float(rng.choice([0.0, 0.0, 0.02, 0.06])),
        spacing=float(rng.uniform(0.8, 2.2)),
        monospaced=bool(rng.random() < 0.7),
    )


def random_dots(rng: Generator, font: Font | None = None) -> Alphabet:
    """A random way of writing with dots.

    Args:
        rng: Determines the look, and which form of each character is used.
        font: Its characters are set in dots; None for the common forms in a grid of 5 by 7.
    """
    look = random_look(rng)
    habit = int(rng.integers(1 << 16))  # which of a character's forms this display has
    rows = int(rng.choice(_SIZES)) if font else _ROWS
    if font and font.handwritten:
        font, rows = None, _ROWS
    pen = pen_of(font.glyph("0")) if font else 0.0
    if font and (pen * rows > _WIDEST_PEN or font.glyph("0").width * rows / look.aspect < _NARROWEST):
        font, rows = None, _ROWS

    def letter(character: str, rng: Generator) -> Glyph | None:
        if font is not None:
            glyph = font.glyph(character)
            bits = coarse(glyph, rows, look.aspect, pen)
            below = max(0, round((glyph.top + glyph.height) * rows))
            return _drawn(bits, round(-glyph.top * rows), rows, look, rng) if bits.any() or below else None
        forms = _FORMS.get(character)
        if forms is None:
            return None
        return _drawn(bits_of(forms[habit % len(forms)]), _ROWS, _ROWS, look, rng)

    def digit(label: int, rng: Generator) -> Glyph:
        glyph = letter(str(label), rng)
        assert glyph is not None  # each font that is used has digits
        return glyph

    return Alphabet("dots", digit, letter)


def bits_of(form: str) -> Bits:
    """(8, columns) of a form's hexadecimal columns, the last row below the line."""
    columns = np.frombuffer(bytes.fromhex(form), np.uint8)
    return np.unpackbits(columns[None], axis=0, bitorder="little").astype(bool)


def pen_of(glyph: Glyph) -> float:
    """The width of a glyph's broadest stroke, in digit heights."""
    inside = cv2.copyMakeBorder((glyph.ink > _EDGE).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    deepest = float(cv2.distanceTransform(inside, cv2.DIST_L2, 3).max())
    return 2 * deepest * float(glyph.height) / int(glyph.ink.shape[0])


def coarse(glyph: Glyph, rows: int, aspect: float = 1.0, pen: float = 0.1) -> Bits:
    """(k, m): a glyph in a grid whose cells are one `rows`th of a digit high and `aspect` times as wide.

    pen: the width of the font's strokes, in digit heights; those thinner than a cell are broadened, not to vanish.
    """
    height, width = max(1, round(glyph.height * rows)), max(1, round(glyph.width * rows / aspect))
    ink = glyph.ink
    more = round((1 / rows - pen) * ink.shape[0] / max(glyph.height, 0.05))
    if more > 0:
        ink = cv2.copyMakeBorder(ink, more, more, more, more, cv2.BORDER_CONSTANT)
        ink = cv2.dilate(ink, np.ones((more + 1, more + 1), np.uint8))[more:-more, more:-more]
    return np.asarray(cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA)) > _EDGE


def _drawn(bits: Bits, above: int, rows: int, look: Look, rng: Generator) -> Glyph:
    """The dots drawn, cut out tightly. above: rows of `bits` above the line; rows: that make one digit height."""
    pitch = GLYPH_HEIGHT / rows
    ys, xs = np.nonzero(bits)
    columns = bits.shape[1]
    if look.missing and len(xs) > 3:
        kept = rng.random(len(xs)) >= look.missing
        ys, xs = ys[kept], xs[kept]
    if not len(xs):
        return Glyph(np.zeros((GLYPH_HEIGHT, 8), np.uint8), 0, -1, 0.12, 1, 0.3)
    first, last = (0, columns - 1) if look.monospaced else (int(xs.min()), int(xs.max()))
    at = np.stack([(xs - first) * look.aspect, ys.astype(np.float64)], 1)
    at[:, 0] += look.slant * (above - at[:, 1])
    if look.jitter:
        at += rng.normal(0, look.jitter, at.shape)
    at = (at + 0.5) * pitch
    radius = look.size * pitch / 2
    low = np.floor(at.min(axis=0) - radius - 1)
    wide, high = (np.ceil(at.max(axis=0) + radius + 1) - low).astype(int)
    canvas: Bytes = np.zeros((int(high), int(wide)), np.uint8)
    for x, y in at - low:
        if look.square:
            left, top, right, bottom = (round(v) for v in (x - radius, y - radius, x + radius, y + radius))
            canvas[top : max(bottom, top + 1), left : max(right, left + 1)] = 255
        else:
            centre = round(float(x) * 16), round(float(y) * 16)
            cv2.circle(canvas, centre, max(8, round(radius * 16)), 255, -1, cv2.LINE_AA, _FRACTION_BITS)
    x0, y0, w, h = cv2.boundingRect((canvas > 48).astype(np.uint8))
    unit = GLYPH_HEIGHT
    return Glyph(
        np.ascontiguousarray(canvas[y0 : y0 + h, x0 : x0 + w]),
        left=float(low[0] + x0) / unit,
        top=float(low[1] + y0 - above * pitch) / unit,
        width=w / unit,
        height=h / unit,
        advance=(last - first + 1 + look.spacing) * look.aspect * pitch / unit,
    )
