"""Line strips to train the recognizer with, drawn from a seed: 32x320 pixels, about 1.2 ms each.

    strip = draw_strip(np.random.default_rng(7), glyphs)
    strip.image     # (32, 320) uint8: a line as the reader cuts it from a picture
    strip.first     # (160,) uint8: the class of each column of 2 pixels
    strip.second    # (160,) uint8: a second class, where a wheel stands between two digits
    strip.share     # (160,) float32: the share of the second class
    strip.weight    # (160,) float32: 0 where a column is neither wanted nor refused
    strip.is_loose  # (160,) bool: whether a column may be a gap as well

A layout (strip_layouts.py) fills a Sheet that is twice as large; this file draws it, adds paper, light and camera, and
marks the columns. A digit or a sign is marked in its middle; beside that it may be read as well, but between two that
touch there is a gap. Everything else that is written is marked over its whole width, a word with the gaps between its
letters.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from digitocr.runtime.opencv import cv2
from digitocr.runtime.recognizer import CLASSES, COLUMN, GAP, OTHER, STRIP_HEIGHT
from digitocr.train.synthesis.effects import penned
from digitocr.train.synthesis.glyphs import Glyph
from digitocr.train.synthesis.strokes import Bytes, Floats

Bools = NDArray[np.bool_]

WIDTH = 320  # pixels; of a strip
SCALE = 2  # times a strip; the size of the sheet
SHEET_HEIGHT = 3 * STRIP_HEIGHT  # pixels; a strip and some of the lines above and below it
SHEET_WIDTH = SCALE * (WIDTH + 40)  # pixels; a strip and what is turned into it
BASE = SHEET_HEIGHT / 2 + 20.0  # pixels; the row of the line, so that digits are in the middle
DIGIT_HEIGHT = 40.0  # pixels of the sheet; 20 of the strip, as high as the reader scales digits
LEFT, RIGHT = 20.0 * SCALE, SHEET_WIDTH - 20.0 * SCALE  # of the sheet, which become the sides of a strip
CORE = 0.36  # of a character's width; the columns in its middle that carry its class
EDGE = 0.14  # of a character's width at each side; columns there are gap
MAX_CORE = 3.0  # pixels from the middle of a character, at most
TALLEST_ONE = 1.5  # digit heights; an upright stroke alone that is longer is a rule, a shorter one is a 1
DOUBTFUL = 0.25  # share of the second class from which on a digit cannot be told, up to 1 minus this
FAINT = 0.3  # contrast; fainter ink would be lost in two levels or in a small JPEG file
NOISE_SHARE = 28  # grey levels; the most noise at full contrast, a ninth of the difference between ink and paper


class Mark(NamedTuple):
    """A character or a word on the sheet.

    Attributes:
        left: Pixels of the sheet.
        right: Pixels of the sheet.
        label: Its class, an index of CLASSES.
        second: Another class that it may be.
        share: Of the second class, 0 to 1.
    """

    left: float
    right: float
    label: int
    second: int = 0
    share: float = 0.0


def label_of(character: str) -> int:
    """The class of a character: an index of CLASSES."""
    index = CLASSES.find(character)
    return index if index >= 0 else OTHER


@dataclass
class Sheet:
    """The planes of a line while it is drawn, and its marks. All planes are (SHEET_HEIGHT, SHEET_WIDTH).

    Attributes:
        ink: uint8, coverage by writing.
        rule: uint8, coverage by lines that are not writing.
        area: uint8, coverage by filled areas below the ink.
        relief: float32, -1 to 1, light and shade on embossed writing.
        marks: What is written, in any order.
        bright: Whether the ink is brighter than its areas; None leaves that to chance.
        contrast: Of the ink, 0 to 1; None leaves that to chance.
        crop: Left, top, right and bottom of the picture that the strip was cut from; None where it is larger.
    """

    ink: Bytes = field(default_factory=lambda: np.zeros((SHEET_HEIGHT, SHEET_WIDTH), np.uint8))
    rule: Bytes = field(default_factory=lambda: np.zeros((SHEET_HEIGHT, SHEET_WIDTH), np.uint8))
    area: Bytes = field(default_factory=lambda: np.zeros((SHEET_HEIGHT, SHEET_WIDTH), np.uint8))
    relief: Floats | None = None
    marks: list[Mark] = field(default_factory=list)
    bright: bool | None = None
    contrast: float | None = None
    crop: tuple[float, float, float, float] | None = None

    def put(self, glyph: Glyph, x: float, base: float, height: float, strength: float = 1.0) -> tuple[float, float]:
        """Draws a glyph with the pen at x and the line at `base`, a digit `height` pixels high.

        Returns its left and right border in pixels of the sheet.
        """
        left, top = x + glyph.left * height, base + glyph.top * height
        wide, high = max(1, round(glyph.width * height)), max(1, round(glyph.height * height))
        self.paste(resized(glyph.ink, wide, high), left, top, strength)
        return left, left + wide

    def paste(self, ink: Bytes, left: float, top: float, strength: float = 1.0) -> None:
        """Adds (h, w) coverage with its upper left corner at (left, top)."""
        paste(self.ink, ink, round(left), round(top), strength)


def resized(ink: Bytes, wide: int, high: int) -> Bytes:
    """(high, wide): coverage at another size."""
    smaller = high < ink.shape[0]
    return np.asarray(
        cv2.resize(ink, (wide, high), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR), np.uint8
    )


def paste(plane: Bytes, ink: Bytes, left: int, top: int, strength: float = 1.0) -> None:
    """Adds coverage to a plane where it lies within; the larger one of two stays."""
    high, wide = ink.shape
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + wide, plane.shape[1]), min(top + high, plane.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    part = ink[y0 - top : y1 - top, x0 - left : x1 - left]
    if strength < 1:
        part = cv2.convertScaleAbs(part, alpha=strength)
    spot = plane[y0:y1, x0:x1]
    np.maximum(spot, part, out=spot)


@dataclass(frozen=True)
class Strip:
    """A line and the classes of its columns; see the head of this file.

    Attributes:
        image: (32, 320) uint8.
        first: (160,) uint8.
        second: (160,) uint8.
        share: (160,) float32, of the second class.
        weight: (160,) float32, 0 where a character is cut off.
        is_loose: (160,) bool, whether a column may be a gap as well.
        text: The characters from left to right: digits, signs, "?" for a wheel between two digits, "*" for a word.
        marks: What is written, also beyond the strip, from left to right, in pixels of the strip.
    """

    image: Bytes
    first: Bytes
    second: Bytes
    share: Floats
    weight: Floats
    is_loose: Bools
    text: str
    marks: tuple[Mark, ...]


def finished(sheet: Sheet, rng: Generator) -> Strip:
    """The picture of a sheet, and its columns."""
    turn, shear = np.radians(rng.normal(0, 1.3)), float(rng.normal(0, 0.16 if rng.random() < 0.25 else 0.05))
    scale = float(np.exp(rng.normal(0, 0.13))) / SCALE
    spread = float(rng.normal(0, 0.22 if rng.random() < 0.3 else 0.06))  # some fonts are narrow, some are wide
    wide = scale * float(np.exp(np.clip(spread, -0.45, 0.45)))
    if rng.random() < 0.3:
        sheet = replace(sheet, ink=penned(sheet.ink, float(rng.uniform(-3, 2.5))))
    middle = np.array([SHEET_WIDTH / 2, BASE - DIGIT_HEIGHT / 2])
    linear = np.array([[wide, wide * shear], [wide * np.sin(turn), scale]])
    shift = np.array([WIDTH / 2 + rng.normal(0, 4), STRIP_HEIGHT / 2 + rng.normal(0, 1.5)]) - linear @ middle
    across = shift[0] + linear[0, 1] * middle[1]
    marks = sorted(
        mark._replace(left=linear[0, 0] * mark.left + across, right=linear[0, 0] * mark.right + across)
        for mark in sheet.marks
    )
    image, contrast = pictured(sheet, rng)
    factor = float(np.exp(rng.uniform(np.log(0.5), 0))) if rng.random() < 0.35 else 1.0  # of a small picture
    image = cv2.GaussianBlur(image, (0, 0), 0.6)
    size = max(8, round(WIDTH * factor)), max(8, round(STRIP_HEIGHT * factor))
    ratio = np.array([size[0] / WIDTH, size[1] / STRIP_HEIGHT])
    matrix = np.column_stack([linear * ratio[:, None], shift * ratio])
    image = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    grey = _camera(np.asarray(image, np.float32), contrast, rng)
    if size != (WIDTH, STRIP_HEIGHT):
        grey = cv2.resize(grey, (WIDTH, STRIP_HEIGHT), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.2:  # a line that ends: the reader fills up the strip with its median there
        left, right = (int(rng.integers(0, 60)) if rng.random() < 0.6 else 0 for _ in range(2))
        ends = [x for mark in marks for x in (mark.left, mark.right)]
        if not ends or (min(ends) > left + 1 and max(ends) < WIDTH - right - 1):
            inner = grey[:, left : WIDTH - right]
            grey = cv2.copyMakeBorder(inner, 0, 0, left, right, cv2.BORDER_CONSTANT, value=int(np.median(inner)))
    whole = np.column_stack([linear, shift])
    for part in ((0.0, 0.0, SHEET_WIDTH, SHEET_HEIGHT), sheet.crop):
        if part is not None:
            grey = _cropped(np.asarray(grey, np.uint8), part, whole)
    drawn = max(0.0, across), min(float(WIDTH), across + linear[0, 0] * SHEET_WIDTH)  # what was drawn, in the strip
    return Strip(np.asarray(grey, np.uint8), *marked(marks, drawn), tuple(marks))


def _cropped(grey: Bytes, crop: tuple[float, float, float, float], matrix: NDArray[np.float64]) -> Bytes:
    """The strip with the median of a part everywhere else, as the reader fills up what is beyond a picture.

    Args:
        grey: The strip.
        crop: Left, top, right and bottom of the part in the sheet.
        matrix: (2, 3), from the sheet to the strip.
    """
    left, top, right, bottom = crop
    corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]]) @ matrix.T
    inside = np.zeros_like(grey)
    cv2.fillConvexPoly(inside, np.rint(corners).astype(np.int32), 1)
    part = grey[inside > 0]
    return np.where(inside > 0, grey, np.uint8(np.median(part)) if len(part) else grey)


def marked(
    marks: list[Mark], ends: tuple[float, float] = (0.0, float(WIDTH))
) -> tuple[Bytes, Bytes, Floats, Floats, Bools, str]:
    """The classes of the columns, of marks in pixels of the strip, from left to right.

    ends: where the sheet begins and ends, which cuts characters as the sides of the strip do.
    """
    start, stop = ends
    columns = WIDTH // COLUMN
    first, second = np.full(columns, GAP, np.uint8), np.full(columns, GAP, np.uint8)
    share, weight = np.zeros(columns, np.float32), np.ones(columns, np.float32)
    is_loose = np.zeros(columns, np.bool_)
    middles = (np.arange(columns) + 0.5) * COLUMN
    for left, right, label, _, _ in marks:  # words first: a digit on a word's column is a digit
        if label == OTHER:
            first[(middles > max(left - 1, start)) & (middles < min(right + 1, stop))] = OTHER
            is_loose |= (np.abs(middles - left) <= 1) | (np.abs(middles - right) <= 1)
    text = []
    for number, mark in enumerate(marks):
        left, right = mark.left, mark.right
        middle, width = (left + right) / 2, right - left
        if middle < start - 1 or middle > stop + 1:
            continue
        if right < stop + 0.3 * width and left > start - 0.3 * width:
            is_doubtful = mark.label != OTHER and DOUBTFUL < mark.share < 1 - DOUBTFUL
            text.append("*" if mark.label == OTHER else "?" if is_doubtful else CLASSES[mark.label])
        if mark.label == OTHER:
            continue
        own = (middles > left + EDGE * width) & (middles < right - EDGE * width)
        own |= np.abs(middles - middle) <= COLUMN / 2  # of a narrow one as well
        around = (middles > left) & (middles < right)
        for neighbour in (number - 1, number + 1):
            if 0 <= neighbour < len(marks) and marks[neighbour].label != OTHER:
                other = marks[neighbour]
                border = (right + other.left if neighbour > number else left + other.right) / 2
                beyond = (other.left + other.right) / 2
                if abs(beyond - middle) > 2 * COLUMN:  # a narrow one stands below the roof of the other
                    border = float(np.clip(border, min(middle, beyond) + COLUMN, max(middle, beyond) - COLUMN))
                around &= middles < border if neighbour > number else middles > border
                clear = middles < border - COLUMN / 2 if neighbour > number else middles > border + COLUMN / 2
                own &= clear
        first[around], second[around], is_loose[around] = GAP, GAP, False
        first[own], second[own], share[own] = mark.label, mark.second, mark.share
        is_loose[own] = np.abs(middles[own] - middle) > min(max(CORE * width / 2, COLUMN / 2), MAX_CORE)
        weight[own] = 0.0 if left < start - 0.25 * width or right > stop + 0.25 * width else 1.0
    return first, second, share, weight, is_loose, "".join(text)


def _clouds(rng: Generator, cells: float, levels: float) -> Floats:
    """(SHEET_HEIGHT, SHEET_WIDTH) smooth noise, `cells` bumps along the strip."""
    wide = max(2, int(cells))
    small = rng.standard_normal((max(2, wide * SHEET_HEIGHT // SHEET_WIDTH), wide), np.float32) * np.float32(levels)
    return np.asarray(cv2.resize(small, (SHEET_WIDTH, SHEET_HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)


def pictured(sheet: Sheet, rng: Generator) -> tuple[Floats, float]:
    """A sheet with paper, ink and light.

    Returns:
        (SHEET_HEIGHT, SHEET_WIDTH) levels from 0 to 1, before the camera, and the contrast of its ink.
    """
    clean = rng.random() < 0.2
    paper = float(rng.uniform(0.35, 1.0) if rng.random() < 0.5 else rng.uniform(0.8, 1.0))
    contrast = float(rng.uniform(0.5, 1) if rng.random() < 0.65 else np.exp(rng.uniform(np.log(0.22), np.log(0.5))))
    contrast = contrast if sheet.contrast is None else sheet.contrast
    image = np.full((SHEET_HEIGHT, SHEET_WIDTH), paper, np.float32)
    if not clean:
        image += _clouds(rng, float(rng.choice([6, 24, 90, 200])), float(rng.uniform(0, min(0.03, 0.15 * contrast))))
    if not clean and rng.random() < 0.1:
        image += _clouds(rng, float(rng.choice([6, 12, 30])), float(rng.uniform(0, 0.25 * contrast)))
    if not clean and rng.random() < 0.12:
        ghost = cv2.GaussianBlur(sheet.ink[:, ::-1], (0, 0), rng.uniform(1, 4)).astype(np.float32) / 255
        image -= np.float32(rng.uniform(0.05, 0.3) * contrast) * np.roll(ghost, int(rng.integers(-200, 200)), 1)
    cover = sheet.ink.astype(np.float32) * np.float32(contrast / 255)
    if not clean and rng.random() < 0.3:
        tooth = cv2.blur(rng.standard_normal(cover.shape, np.float32), (3, 3))
        cover *= np.clip(1 - np.float32(rng.uniform(0.1, 1.2)) * np.maximum(tooth, 0), 0, 1)
    lit = sheet.bright
    if sheet.area.any():
        dark = np.float32(rng.choice([0.3, 0.85, -0.3]) if lit is None else rng.uniform(0.6, 1) if lit else -0.3)
        image = np.clip(image * (1 - sheet.area.astype(np.float32) / 255 * dark), 0, 1.2)
        lit = rng.random() < 0.5 if lit is None else lit
    ruling = sheet.rule.astype(np.float32) * np.float32(rng.uniform(0.3, 1.0) * max(contrast, 0.3) / 255)
    image = image * (1 - ruling) if rng.random() < 0.85 else np.maximum(image, 1.1 * ruling * paper)
    image = image + (np.float32(rng.uniform(0.8, 1.05)) - image) * cover if lit else image * (1 - cover)
    if sheet.relief is not None:
        image = image + sheet.relief * np.float32(contrast * rng.uniform(0.3, 0.8))
    if not clean:
        slope = np.float32(rng.normal(0, 0.12))
        image = image * (1 + slope * np.linspace(-1, 1, SHEET_WIDTH, dtype=np.float32))
        if rng.random() < 0.3:
            image = image * (1 + _clouds(rng, float(rng.choice([3, 5, 9])), float(rng.uniform(0, 0.1))))
        if rng.random() < 0.06 and contrast > FAINT:
            image = image + np.clip(_clouds(rng, 8, 0.4) - 0.5, 0, 1)  # glare
        if rng.random() < 0.06:
            image = image * _shadow(rng)
    if contrast < FAINT:  # nor would it be seen where a picture is overexposed
        image = image * np.float32(min(1.0, 1 / max(float(image.max()), 1e-3)))
    if rng.random() < 0.3:
        image = 1.02 - image
    return np.asarray(image, np.float32), contrast * paper


def _shadow(rng: Generator) -> Floats:
    """(SHEET_HEIGHT, SHEET_WIDTH): light that is less on one side of a straight border, which is sharp or soft."""
    angle = rng.uniform(-0.6, 0.6) + (np.pi / 2 if rng.random() < 0.25 else 0)
    across = np.cos(angle) * (np.arange(SHEET_WIDTH) - rng.uniform(0, SHEET_WIDTH))
    down = np.sin(angle) * (np.arange(SHEET_HEIGHT) - rng.uniform(0, SHEET_HEIGHT))
    side = np.clip(0.5 + (across + down[:, None]) / float(rng.uniform(1, 40)), 0, 1)
    return np.asarray(1 - rng.uniform(0.1, 0.6) * (side if rng.random() < 0.5 else 1 - side), np.float32)


def _camera(image: Floats, contrast: float, rng: Generator) -> Bytes:
    """The strip as a camera or a scanner stores it."""
    sigma = float(rng.gamma(1.3, 0.35))
    if sigma > 0.3:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)
    if rng.random() < 0.06:
        length = int(rng.integers(2, 5))
        image = np.asarray(cv2.blur(image, (length, 1) if rng.random() < 0.5 else (1, length)), np.float32)
    low, gain = rng.uniform(-0.05, 0.1), rng.uniform(0.75, 1.05) if rng.random() < 0.75 else rng.uniform(0.2, 0.75)
    image = (image * np.float32(gain) + np.float32(low)) * 255
    if rng.random() < 0.7:
        noise = rng.standard_normal(image.shape, np.float32) * np.float32(
            min(rng.gamma(1.5, 2.0), NOISE_SHARE * contrast * gain)
        )
        image = image + noise
    grey = np.asarray(np.clip(image, 0, 255), np.uint8)
    kind = rng.random()
    if kind < 0.04 and contrast > FAINT:
        level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        grey = np.where(grey > level, np.uint8(255), np.uint8(0))
    elif kind < 0.2:
        least = 35 if contrast * gain > FAINT else 75
        _, data = cv2.imencode(".jpg", grey, (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(least, 95))))
        grey = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.asarray(grey, np.uint8)
