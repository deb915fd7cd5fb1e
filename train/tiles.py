"""Grey pictures to train the finder and the reader with, drawn by the thousand from a seed: 256x256, about 6 ms each.

    tile = draw_tile(np.random.default_rng(7), glyphs)
    tile.image     # (256, 256) uint8
    tile.boxes     # (n, 4) float32: x, y, width, height of each digit's ink
    tile.labels    # (n,) uint8
    tile.ignored   # (m, 4) float32: what is neither a digit nor none: too small, or cut off by the edge

What stands on a tile (lines, forms, grids, close-ups, displays, words, scribbles, nothing) is set as items on a flat
sheet; a homography puts it into the picture; ground, light, ink and camera follow. scenes.py draws whole pages in
colour, for people to look at; these are many, small and grey.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from digitocr.runtime.opencv import cv2
from digitocr.train.glyphs import ALIKE, LETTERS, SYMBOLS, Alphabet, Glyph, Glyphs, hull
from digitocr.train.strokes import Bytes, Floats, Reals

SIDE = 256  # pixels
LEAST, MOST = 9.0, 140.0  # pixels; the longer side of a digit that the finder is asked to find
VISIBLE, LOST = 0.75, 0.25  # of a digit's box: from here on it counts; up to here it is not there
FADED = 110  # of 255; the ink of a digit's darkest pixel
NO_DIGIT = 10  # the label of a letter or a symbol
DOUBTFUL = 11  # and of one that alone could be taken for a digit


@dataclass(frozen=True)
class Tile:
    image: Bytes  # (256, 256)
    boxes: Floats  # (n, 4)
    labels: Bytes  # (n,)
    ignored: Floats  # (m, 4)
    others: Floats  # (k, 4): boxes of letters and symbols that are like no digit
    doubtful: Floats  # (j, 4): boxes of those that alone could be taken for one

    @property
    def unsure(self) -> Floats:
        """(m + j, 4): boxes of which nobody can say whether a digit is there, seen by themselves."""
        return np.concatenate([self.ignored, self.doubtful])


@dataclass
class _Sheet:
    """What is drawn before it is put into the picture. Coordinates in pixels, the tile's own before the homography."""

    items: list[tuple[Glyph, int, Reals, float]] = field(default_factory=list)  # glyph, label, 2x3 matrix, strength
    rules: list[tuple[Reals, float, float]] = field(default_factory=list)  # points (k, 2), thickness, strength
    areas: list[tuple[Reals, float]] = field(default_factory=list)  # filled polygons, strength; below the ink

    def put(
        self, glyph: Glyph, label: int, x: float, base: float, height: float, rng: Generator, strength: float = 1.0
    ) -> None:
        """The glyph with the pen at x on the line at base, a digit being that high, a little turned."""
        scale = height / glyph.ink.shape[0] * glyph.height
        turn = rng.normal(0, 0.045)
        cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
        left, top = x + glyph.left * height, base + glyph.top * height
        self.items.append((glyph, label, np.array([[cos, -sin, left], [sin, cos, top]]), strength))

    def line(self, x0: float, y0: float, x1: float, y1: float, thick: float, strength: float) -> None:
        self.rules.append((np.array([[x0, y0], [x1, y1]], np.float64), thick, strength))

    def box(self, x: float, y: float, w: float, h: float, thick: float, strength: float) -> None:
        corners = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h], [x, y]], np.float64)
        self.rules.append((corners, thick, strength))


def draw_tile(rng: Generator, glyphs: Glyphs) -> Tile:
    """A tile by chance. The same state of rng and the same glyphs give the same one."""
    sheet = _Sheet()
    layout = _LAYOUTS[int(rng.choice(len(_LAYOUTS), p=_ODDS))]
    layout(sheet, rng, glyphs)
    if rng.random() < 0.3 and layout not in (_texture, _close_up):
        _ruled(sheet, rng)
    view = _view(rng, steep=layout in (_lines, _scattered) and rng.random() < 0.12)
    ink, rule, area = (np.zeros((SIDE, SIDE), np.uint8) for _ in range(3))
    found: list[tuple[float, float, float, float]] = []
    labels: list[int] = []
    ignored: list[tuple[float, float, float, float]] = []
    others: list[tuple[float, float, float, float]] = []
    doubtful: list[tuple[float, float, float, float]] = []
    for points, strength in sheet.areas:
        cv2.fillPoly(area, [np.rint(_project(view, points) * 16).astype(np.int32)], int(255 * strength), cv2.LINE_AA, 4)
    for points, thick, strength in sheet.rules:
        _draw_rule(rule, _project(view, points), thick, strength)
    for glyph, label, matrix, strength in sheet.items:
        box = _draw_item(ink, glyph, view, matrix, strength)
        if box is None:
            continue
        x, y, w, h, seen = box
        if label == DOUBTFUL:
            doubtful.append((x, y, w, h))
        elif label == NO_DIGIT:
            others.append((x, y, w, h))
        elif seen >= VISIBLE and LEAST <= max(w, h) <= MOST:
            found.append((x, y, w, h))
            labels.append(label)
        elif seen > LOST and max(w, h) <= 1.3 * MOST:  # larger ones are to be found at a coarser scale, not here
            ignored.append((x, y, w, h))
    image = _photograph(ink, rule, area, rng, natural=layout is _texture or rng.random() < 0.06)
    if rng.random() < 0.15:
        image, kept = _framed(image, rng, found)
        keep = [i for i, inside in enumerate(kept) if inside]
        ignored += [box for box, inside in zip(found, kept, strict=True) if not inside]
        found, labels = [found[i] for i in keep], [labels[i] for i in keep]
    return Tile(image, _boxes(found), np.array(labels, np.uint8), _boxes(ignored), _boxes(others), _boxes(doubtful))


def _boxes(boxes: list[tuple[float, float, float, float]]) -> Floats:
    return np.array(boxes, np.float32).reshape(-1, 4)


# What stands on the sheet


def _height(rng: Generator, least: float = 10, most: float = 60) -> float:
    return float(np.exp(rng.uniform(np.log(least), np.log(most))))


def _write(
    sheet: _Sheet, text: str, alphabet: Alphabet, x: float, base: float, height: float, gap: float, rng: Generator
) -> float:
    """Digits and letters of a text from x on; returns where it ends. Spaces are half a digit wide."""
    uneven = 0.0 if alphabet.kind in ("font", "segments") else rng.uniform(0.0, 0.09)
    for character in text:
        if character == " ":
            x += 0.5 * height
            continue
        label = int(character) if character.isdigit() else DOUBTFUL if character in ALIKE else NO_DIGIT
        glyph = alphabet.digit(label, rng) if label < 10 else alphabet.letter and alphabet.letter(character, rng)
        if glyph is None:
            continue
        tall = height * float(np.exp(rng.normal(0, uneven)))
        sheet.put(glyph, label, x, base + height * float(rng.normal(0, uneven)), tall, rng)
        x += glyph.advance * tall + gap * height * float(rng.uniform(0.6, 1.4))
        if x > 1.3 * SIDE:
            break
    return x


def _number(rng: Generator, least: int = 1, most: int = 10) -> str:
    return "".join(map(str, rng.integers(0, 10, int(rng.integers(least, most + 1)))))


def _gap(alphabet: Alphabet, rng: Generator) -> float:
    """Between two digits, in digit heights: a font has its own."""
    if alphabet.kind in ("font", "segments"):
        return float(rng.choice([0.02, 0.06, 0.3, 0.8], p=[0.45, 0.25, 0.2, 0.1]))
    return float(rng.choice([-0.02, 0.12, 0.3, 0.7, 1.3], p=[0.08, 0.32, 0.3, 0.2, 0.1]))


def _lines(sheet: _Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Lines of digits, at times with words, letters or symbols among them."""
    alphabet, height = glyphs.alphabet(rng), _height(rng)
    gap, pitch = _gap(alphabet, rng), rng.uniform(1.35, 2.8)
    mixed = rng.random() < 0.3
    base = rng.uniform(-0.2, 0.7) * SIDE
    for _ in range(int(rng.integers(1, 9))):
        x = rng.uniform(-0.15, 0.6) * SIDE
        while x < SIDE:
            x = _write(sheet, _number(rng), alphabet, x, base, height, gap, rng) + rng.uniform(0.5, 4) * height
            if mixed and rng.random() < 0.6:
                x = _write(sheet, _word(rng), _lettered(alphabet, rng, glyphs), x, base, height, 0.08, rng) + height
            if rng.random() < 0.6:
                break
        base += pitch * height
        if base > SIDE + height:
            break
    if rng.random() < 0.15:
        _speckle(sheet, rng, height)


def _lettered(alphabet: Alphabet, rng: Generator, glyphs: Glyphs) -> Alphabet:
    return alphabet if alphabet.letter else glyphs.words(rng)


def _word(rng: Generator) -> str:
    """Letters as a word, a symbol, or a letter that is like no digit, alone."""
    lot = rng.random()
    if lot < 0.25:
        return str(rng.choice(list(SYMBOLS)))
    if lot < 0.4:
        return str(rng.choice([letter for letter in LETTERS if letter not in ALIKE]))
    letters = LETTERS[:26] if lot < 0.85 else LETTERS[26:]
    word = "".join(rng.choice(list(letters), int(rng.integers(2, 11))))
    return word.capitalize() if rng.random() < 0.3 else word


def _close_up(sheet: _Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """One to three large digits."""
    alphabet, height = glyphs.alphabet(rng), rng.uniform(50, 150)
    text = _number(rng, 1, 3 if height < 90 else 1)
    x, base = rng.uniform(10, 150), height + rng.uniform(-0.05, 1) * (SIDE - height)
    _write(sheet, text, alphabet, x, base, height, max(0.1, _gap(alphabet, rng)), rng)


def _giant(sheet: _Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """The strokes of digits that are far too large, as a close-up shows them at a fine scale: nothing to find here."""
    alphabet, height = glyphs.alphabet(rng), _height(rng, 200, 900)
    x, base = rng.uniform(-0.6, 0.5) * height, rng.uniform(0.2, 1.3) * height
    _write(sheet, _number(rng, 1, 3), alphabet, x, base, height, max(0.1, _gap(alphabet, rng)), rng)
    if rng.random() < 0.15:
        _write(sheet, _number(rng), alphabet, rng.uniform(0, 150), rng.uniform(40, SIDE), _height(rng), 0.3, rng)


def _form(sheet: _Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Digits in boxes, combs and tables' rows, with empty ones, and a label in print."""
    alphabet, cell = glyphs.alphabet(rng), _height(rng, 14, 64)
    height = cell * rng.uniform(0.45, 0.95)
    wide, space = cell * rng.uniform(0.65, 1.25), rng.choice([0.0, 0.0, 0.15, 0.4]) * cell
    thick, strength = float(np.exp(rng.uniform(np.log(0.6), np.log(4)))), rng.uniform(0.25, 1)
    style, filled = rng.choice(["box", "comb", "cells"], p=[0.55, 0.15, 0.3]), rng.choice([1.0, 0.85, 0.5])
    y = rng.uniform(-0.1, 0.75) * SIDE
    for _ in range(int(rng.integers(1, 5))):
        x = rng.uniform(-0.2, 0.45) * SIDE
        if rng.random() < 0.4:
            words = glyphs.words(rng)
            x = _write(sheet, _word(rng), words, x, y + 0.8 * cell, height * rng.uniform(0.4, 0.9), 0.05, rng) + 8
        for _ in range(int(rng.integers(2, 16))):
            if style != "comb":
                sheet.box(x, y, wide, cell, thick, strength)
            else:
                sheet.line(x, y + cell, x + wide, y + cell, thick, strength)
                sheet.line(x, y + cell * rng.uniform(0.3, 0.7), x, y + cell, thick, strength)
            if rng.random() < filled:
                digit = int(rng.integers(10))
                glyph = alphabet.digit(digit, rng)
                tall = min(height, 1.15 * wide / max(glyph.width, 0.1))
                left = x + (wide - glyph.width * tall) / 2 - glyph.left * tall + rng.normal(0, 0.07) * wide
                sheet.put(glyph, digit, left, y + (cell + tall) / 2 + rng.normal(0, 0.05) * cell, tall, rng)
            x += wide + space
            if x > SIDE:
                break
        y += cell * rng.uniform(1.0, 2.5) if style != "cells" or rng.random() < 0.5 else cell
    if rng.random() < 0.4:
        sheet.line(rng.uniform(0, 200), y, SIDE, y, thick, strength)


def _grid(sheet: _Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """A table or a Sudoku: a lattice of cells, some with a digit or a number, some with a letter."""
    alphabet, cell = glyphs.alphabet(rng), _height(rng, 16, 60)
    words = glyphs.words(rng) if rng.random() < 0.3 else None
    aspect = rng.choice([1.0, 1.0, 1.4, 2.2])
    wide, height = cell * aspect, cell * rng.uniform(0.4, 0.8)
    rows, columns = int(rng.integers(2, 10)), int(rng.integers(2, 10))
    left, top = rng.uniform(-0.4, 0.4, 2) * SIDE
    thin, strength = float(rng.uniform(0.5, 2)), rng.uniform(0.2, 1)
    heavy = thin * rng.choice([1.0, 2.5])
    for row in range(rows + 1):
        y = top + row * cell
        sheet.line(left, y, left + columns * wide, y, heavy if row % 3 == 0 else thin, strength)
    for column in range(columns + 1):
        x = left + column * wide
        sheet.line(x, top, x, top + rows * cell, heavy if column % 3 == 0 else thin, strength)
    filled = rng.uniform(0.2, 0.9)
    for row in range(rows):
        for column in range(columns):
            x, base = left + column * wide, top + row * cell + (cell + height) / 2
            if not (-cell < x < SIDE and 0 < base < SIDE + cell) or rng.random() > filled:
                continue
            text = _number(rng, 1, 1 if aspect == 1 else 3)
            if words and rng.random() < 0.3:
                _write(sheet, _word(rng)[:4], words, x + 0.1 * wide, base, height * 0.8, 0.05, rng)
                continue
            x += max(0.0, (wide - 0.7 * height * len(text)) / 2)
            _write(sheet, text, alphabet, x, base, height, 0.04, rng)


def _column(sheet: _Sheet, rng: Generator, glyphs: Glyphs) -> None:
    alphabet, height = glyphs.alphabet(rng), _height(rng, 10, 40)
    for _ in range(int(rng.integers(1, 4))):
        x, base, pitch = rng.uniform(0, 0.9) * SIDE, rng.uniform(0, 0.4) * SIDE, rng.uniform(1.2, 2.2) * height
        while base < SIDE + height:
            _write(sheet, _number(rng, 1, 2), alphabet, x + rng.normal(0, 0.1) * height, base, height, 0.15, rng)
            base += pitch


def _scattered(sheet: _Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Digits here and there, of many sizes, colours and hands, and other marks between them."""
    taken: list[tuple[float, float, float]] = []
    words = glyphs.words(rng)
    alphabet = glyphs.alphabet(rng)
    for _ in range(int(rng.integers(3, 22))):
        height, x, base = _height(rng, 10, 80), rng.uniform(0, SIDE), rng.uniform(10, SIDE)
        if any(abs(x - x0) + abs(base - y0) < 1.1 * (height + h0) for x0, y0, h0 in taken):
            continue
        taken.append((x, base, height))
        if rng.random() < 0.25:
            letter = str(rng.choice([letter for letter in LETTERS + SYMBOLS if letter not in ALIKE]))
            glyph = words.letter(letter, rng) if words.letter else None
            if glyph is not None:
                sheet.put(glyph, NO_DIGIT, x, base, height, rng, rng.uniform(0.4, 1))
            continue
        if rng.random() < 0.3:
            alphabet = glyphs.alphabet(rng)
        digit = int(rng.integers(10))
        sheet.put(alphabet.digit(digit, rng), digit, x, base, height, rng, rng.uniform(0.25, 1))


def _display(sheet: _Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """A meter or a display: digits on a dark field or each in its own window, marks between them."""
    alphabet = glyphs.alphabet(rng, ("segments", "segments", "font"))
    height = _height(rng, 12, 90)
    pitch, window = height * rng.uniform(0.75, 1.3), rng.random() < 0.5
    x, base = rng.uniform(-0.2, 0.4) * SIDE, height + rng.uniform(0.05, 0.9) * (SIDE - height)
    margin = rng.uniform(0.1, 0.35) * height
    count, dark = int(rng.integers(2, 10)), rng.uniform(0.15, 0.7)
    if not window:
        end = x + count * pitch
        sheet.areas.append((_rectangle(x - margin, base - height - margin, end + margin, base + margin), dark))
    for _ in range(count):
        if window:
            right = x + pitch * rng.uniform(0.84, 0.96)
            sheet.areas.append((_rectangle(x, base - height - margin, right, base + margin), dark))
            if rng.random() < 0.3:
                sheet.line(right, base - rng.uniform(0, 1) * height, right, base, 0.15 * pitch, rng.uniform(0.3, 1))
        digit = int(rng.integers(10))
        glyph = alphabet.digit(digit, rng)
        tall = min(height, 0.9 * pitch / max(glyph.width, 0.2))
        shift = rng.normal(0, 0.06) * height if rng.random() < 0.3 else 0.0
        centre = (pitch * 0.9 - glyph.width * tall) / 2
        sheet.put(glyph, digit, x + centre - glyph.left * tall, base + shift, tall, rng)
        x += pitch
    if rng.random() < 0.5:
        words = glyphs.words(rng)
        _write(sheet, _word(rng), words, x + 0.3 * height, base, 0.5 * height, 0.05, rng)


def _rectangle(left: float, top: float, right: float, bottom: float) -> Reals:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def _text(sheet: _Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Words in print or by hand, dense or not; now and then a number among them."""
    words, height = glyphs.words(rng), _height(rng, 6, 60)
    base, pitch = rng.uniform(0, 0.3) * SIDE, rng.uniform(1.5, 2.6) * height
    numbers = rng.choice([0.0, 0.0, 0.15])
    tight = rng.uniform(-0.02, 0.06)
    for _ in range(int(rng.integers(1, 20))):
        x = rng.uniform(-0.2, 0.2) * SIDE
        while x < SIDE:
            text = _number(rng, 1, 5) if rng.random() < numbers else _word(rng)
            x = _write(sheet, text, words, x, base, height, tight, rng) + rng.uniform(0.3, 0.8) * height
        base += pitch
        if base > SIDE + height:
            break


def _scribbles(sheet: _Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Waves, loops, arrows, shapes, strokes, crosses and dots: what people draw that is no digit."""
    for _ in range(int(rng.integers(1, 9))):
        size, x, y = _height(rng, 10, 120), rng.uniform(0, SIDE), rng.uniform(0, SIDE)
        thick, strength = max(0.7, size * rng.uniform(0.02, 0.12)), rng.uniform(0.3, 1)
        t = np.linspace(0, 1, 40)
        kind = int(rng.integers(6))
        if kind == 0:  # a wavy line
            waves = rng.uniform(2, 8)
            points = np.stack([3 * size * t, 0.3 * size * np.sin(2 * np.pi * waves * t)], 1)
        elif kind == 1:  # loops, as of running script
            turns = rng.uniform(3, 9)
            points = np.stack(
                [size * (2.5 * t + 0.2 * np.sin(2 * np.pi * turns * t)), 0.4 * size * np.cos(2 * np.pi * turns * t)], 1
            )
        elif kind == 2:  # a polygon or a zigzag
            points = rng.uniform(-1, 1, (int(rng.integers(3, 7)), 2)) * size
            if rng.random() < 0.5:
                points = np.vstack([points, points[:1]])
        elif kind == 3:  # a cross, a plus or a tick
            arm = rng.uniform(0.2, 0.6) * size
            points = np.array([[-arm, 0], [arm, rng.normal(0, 0.2) * arm]])
            across = np.array([[0, -arm], [rng.normal(0, 0.2) * arm, arm]])
            sheet.rules.append((across + np.array([x, y]), thick, strength))
        elif kind == 4:  # a wandering stroke
            points = np.cumsum(rng.normal(0, 0.25, (14, 2)) * size, 0)
        else:  # a large ellipse or an arc
            start, sweep = rng.uniform(0, 2 * np.pi), rng.uniform(2, 2 * np.pi)
            points = np.stack(
                [1.6 * size * np.cos(start + sweep * t), rng.uniform(0.2, 0.6) * size * np.sin(start + sweep * t)], 1
            )
        turn = rng.uniform(-0.5, 0.5)
        points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        sheet.rules.append((points + np.array([x, y]), thick, strength))
    _speckle(sheet, rng, 40)
    if rng.random() < 0.35:
        alphabet = glyphs.alphabet(rng)
        _write(
            sheet,
            _number(rng),
            alphabet,
            rng.uniform(0, 150),
            rng.uniform(40, SIDE),
            _height(rng),
            _gap(alphabet, rng),
            rng,
        )


def _texture(sheet: _Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """No sheet: the ground alone is there, at times with a word or a number on it."""
    if rng.random() < 0.2:
        alphabet = glyphs.words(rng)
        text = _word(rng) if rng.random() < 0.5 else _number(rng)
        _write(sheet, text, alphabet, rng.uniform(0, 120), rng.uniform(60, SIDE), _height(rng, 14, 70), 0.1, rng)


def _blank(sheet: _Sheet, rng: Generator, glyphs: Glyphs) -> None:  # noqa: ARG001  # all layouts take the same
    if rng.random() < 0.5:
        _ruled(sheet, rng)
    for _ in range(int(rng.integers(0, 4))):  # punched holes, stains
        radius, centre = rng.uniform(2, 14), rng.uniform(0, SIDE, 2)
        angle = np.linspace(0, 2 * np.pi, 16)
        ring = centre + radius * np.stack([np.cos(angle), np.sin(angle)], 1)
        if rng.random() < 0.5:
            sheet.areas.append((ring, rng.uniform(0.05, 0.9)))
        else:
            sheet.rules.append((ring, rng.uniform(0.7, 2), rng.uniform(0.2, 1)))


def _ruled(sheet: _Sheet, rng: Generator) -> None:
    """Ruled or squared paper, a margin line."""
    step, thick, strength = rng.uniform(8, 70), float(rng.choice([0.6, 1.0, 1.6])), float(rng.uniform(0.05, 0.8))
    for y in np.arange(rng.uniform(-60, 0), SIDE + 60, step):
        sheet.line(-80, float(y), SIDE + 80, float(y), thick, strength)
    if rng.random() < 0.45:
        for x in np.arange(rng.uniform(-60, 0), SIDE + 60, step):
            sheet.line(float(x), -80, float(x), SIDE + 80, thick, strength)
    elif rng.random() < 0.4:
        x = rng.uniform(0, SIDE)
        sheet.line(x, -80, x, SIDE + 80, thick, strength)


def _speckle(sheet: _Sheet, rng: Generator, height: float) -> None:
    for _ in range(int(rng.integers(1, 12))):
        at, size = rng.uniform(0, SIDE, 2), rng.uniform(0.01, 0.12) * height
        sheet.rules.append((np.array([at, at + rng.normal(0, size, 2)]), max(1.0, size), rng.uniform(0.3, 1)))


_LAYOUTS = (_lines, _close_up, _giant, _form, _grid, _column, _scattered, _display, _text, _scribbles, _texture, _blank)
_ODDS = np.array([0.22, 0.09, 0.05, 0.13, 0.09, 0.04, 0.08, 0.06, 0.1, 0.05, 0.06, 0.03])


# From the sheet into the picture


def _view(rng: Generator, steep: bool) -> Reals:
    """The homography (3, 3) of the sheet into the picture: turned, slanted, seen aslant."""
    turn = rng.uniform(-0.75, 0.75) if steep else rng.normal(0, 0.06) if rng.random() < 0.8 else rng.normal(0, 0.2)
    slant, aspect = rng.normal(0, 0.07), float(np.exp(rng.normal(0, 0.06)))
    matrix = np.eye(3)
    matrix[:2, :2] = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[aspect, slant], [0, 1]]
    matrix[2, :2] = rng.normal(0, 0.0006, 2) if rng.random() < 0.5 else 0
    middle = np.array([[1, 0, SIDE / 2], [0, 1, SIDE / 2], [0, 0, 1]])
    return np.asarray(middle @ matrix @ np.linalg.inv(middle))


def _project(view: Reals, points: Reals) -> Reals:
    moved = points @ view[:, :2].T + view[:, 2]
    return np.asarray(moved[:, :2] / np.maximum(moved[:, 2:], 0.2))


def _draw_item(
    ink: Bytes, glyph: Glyph, view: Reals, matrix: Reals, strength: float
) -> tuple[float, float, float, float, float] | None:
    """Draws the glyph; returns its box in the tile and the share of it that is seen, None where that is nothing."""
    height, width = glyph.ink.shape
    centre = matrix @ [width / 2, height / 2, 1]
    depth = max(0.2, float(view[2, :2] @ centre + view[2, 2]))
    origin = _project(view, centre[None])[0]
    # near the glyph the homography is its derivative there
    local = (view[:2, :2] - np.outer(origin, view[2, :2])) / depth
    linear = local @ matrix[:, :2]
    shift = origin - linear @ [width / 2, height / 2]
    points = hull(glyph.ink) @ linear.T + shift
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    left, top = max(0.0, x0), max(0.0, y0)
    right, bottom = min(float(SIDE), x1), min(float(SIDE), y1)
    if right <= left or bottom <= top:
        return None
    shrink = np.sqrt(abs(np.linalg.det(linear)))
    source = glyph.ink
    while shrink < 0.5 and min(source.shape) > 3:  # halved first, so that no stroke is skipped
        smaller = (max(1, source.shape[1] // 2), max(1, source.shape[0] // 2))
        ratio = np.array([source.shape[1] / smaller[0], source.shape[0] / smaller[1]])
        source = cv2.resize(source, smaller, interpolation=cv2.INTER_AREA)
        linear, shrink = linear * ratio, shrink * 2
    px, py = int(np.floor(left)) - 1, int(np.floor(top)) - 1
    px, py = max(px, 0), max(py, 0)
    qx, qy = min(SIDE, int(np.ceil(right)) + 2), min(SIDE, int(np.ceil(bottom)) + 2)
    offset = shift - [px, py] + linear @ [0.5, 0.5] - 0.5
    placed = cv2.warpAffine(source, np.column_stack([linear, offset]), (qx - px, qy - py), flags=cv2.INTER_LINEAR)
    if shrink > 1.5:  # enlarged, an edge would be as soft as the scale is large
        placed = cv2.convertScaleAbs(cv2.max(placed, int(128 - 128 / shrink)), alpha=shrink, beta=128 - 128 * shrink)
    faded = placed.max(initial=0) < FADED
    if strength < 1:
        placed = cv2.convertScaleAbs(placed, alpha=strength)
    spot = ink[py:qy, px:qx]
    np.maximum(spot, placed, out=spot)
    seen = (right - left) * (bottom - top) / max((x1 - x0) * (y1 - y0), 1e-6)
    if faded:  # so thin and small that hardly a pixel is inked: nobody could say whether it is there
        seen = min(seen, (LOST + VISIBLE) / 2)
    return float(left), float(top), float(right - left), float(bottom - top), float(seen)


def _draw_rule(rule: Bytes, points: Reals, thick: float, strength: float) -> None:
    if not np.isfinite(points).all() or np.abs(points).max() > 4000:
        return
    whole = max(1, round(thick))
    level = int(255 * strength * min(1.0, thick))
    cv2.polylines(rule, [np.rint(points * 16).astype(np.int32)], False, level, whole, cv2.LINE_AA, 4)


# Ground, light, ink and camera


def _clouds(rng: Generator, cells: float, levels: float) -> Floats:
    """(256, 256) float32 of mean 0 and about that standard deviation, in clouds of 256 / cells pixels."""
    side = max(2, int(cells))
    small = rng.standard_normal((side, side), np.float32) * np.float32(levels)
    return np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.float32)


def _dead_leaves(rng: Generator) -> Floats:
    """(256, 256) float32, 0 to 1: shapes that cover each other, of all sizes, as the things in a photo do.

    The dead leaves model: D. Mumford, B. Gidas, "Stochastic models for generic images" (2001).
    """
    canvas = np.full((SIDE, SIDE), rng.uniform(40, 215), np.uint8)
    least = rng.uniform(2, 8)
    kind = int(rng.integers(3))
    spread, middle = rng.uniform(10, 70), rng.uniform(60, 200)
    turn = rng.uniform(0, 180)
    for _ in range(int(rng.integers(30, 350))):
        size = min(120.0, least / max(rng.random(), 0.02) ** 0.7)
        x, y = rng.uniform(0, SIDE, 2)
        level = int(np.clip(rng.normal(middle, spread), 0, 255))
        if kind == 0 or (kind == 2 and rng.random() < 0.5):
            axes = int(max(1, size)), int(max(1, size * rng.uniform(0.2, 1)))
            angle = turn + rng.normal(0, 25)
            cv2.ellipse(
                canvas, (int(x), int(y)), axes, angle, 0, 360, level, -1 if rng.random() < 0.85 else 1, cv2.LINE_AA
            )
        else:
            points = np.array([x, y]) + rng.uniform(-1, 1, (int(rng.integers(3, 6)), 2)) * size
            cv2.fillPoly(canvas, [points.astype(np.int32)], level, cv2.LINE_AA)
    if rng.random() < 0.25:  # bricks or slats
        step, row, joint = rng.uniform(8, 60), rng.uniform(6, 40), int(rng.integers(0, 255))
        for place, y in enumerate(np.arange(0, SIDE, row)):
            cv2.line(canvas, (0, int(y)), (SIDE, int(y)), joint, int(rng.integers(1, 4)))
            for x in np.arange((place % 2) * step / 2, SIDE, step):
                cv2.line(canvas, (int(x), int(y)), (int(x), int(y + row)), joint, 1)
    image = canvas.astype(np.float32) / 255
    image += _clouds(rng, rng.choice([16, 64, 128]), rng.uniform(0, 0.12))
    return np.asarray(image, np.float32)


def _photograph(ink: Bytes, rule: Bytes, area: Bytes, rng: Generator, natural: bool) -> Bytes:
    """Ground, ruling and ink of one tile, in its light, as a camera, a scanner or a drawing program gives it."""
    clean = not natural and rng.random() < 0.18  # a scan, a drawing, a rendering
    paper = rng.uniform(0.35, 1.0) if rng.random() < 0.5 else rng.uniform(0.8, 1.0)
    ground = _dead_leaves(rng) if natural else np.full((SIDE, SIDE), 1 if clean else paper, np.float32)
    if not clean and not natural:
        ground += _clouds(rng, rng.choice([4, 12, 40, 100]), rng.uniform(0, 0.02))
        if rng.random() < 0.15:
            ground = _on_desk(ground, rng)
    if not clean and rng.random() < 0.2:
        _show_through(ground, ink, rng)
    contrast = float(rng.uniform(0.5, 1) if rng.random() < 0.65 else np.exp(rng.uniform(np.log(0.14), np.log(0.5))))
    cover = ink.astype(np.float32) * np.float32(contrast / 255)
    if not clean and rng.random() < 0.35:  # pencil and chalk miss the paper's hollows
        tooth = rng.standard_normal((SIDE, SIDE), np.float32)
        tooth = cv2.blur(tooth, (2, 2)) if rng.random() < 0.5 else tooth
        cover *= np.clip(1 - np.float32(rng.uniform(0.1, 0.6)) * np.maximum(tooth, 0), 0, 1)
    ruling = rule.astype(np.float32) * np.float32(rng.uniform(0.3, 1.0) * max(contrast, 0.3) / 255)
    image = ground
    if area.any():
        dark = np.float32(rng.choice([0.3, 0.8, -0.4]))
        image = np.asarray(image * (1 - area.astype(np.float32) / 255 * dark), np.float32)
        if rng.random() < 0.5 and area.max() > 90:  # light digits on the dark field
            lit = np.float32(rng.uniform(0.6, 1.0))
            image = image + (lit - image) * cover
            cover = np.zeros_like(cover)
    image = image * (1 - ruling) if rng.random() < 0.9 else np.maximum(image, 1.1 * ruling * paper)
    bright = natural and rng.random() < 0.5
    image = image + (np.float32(1.0) - image) * cover if bright else image * (1 - cover)
    if not clean:
        image = image * _light(rng)
    if rng.random() < 0.22:
        image = 1.02 - image
    blur = float(rng.gamma(1.5, 0.35))
    if blur > 0.25:
        image = cv2.GaussianBlur(image, (0, 0), blur)
    if not clean and rng.random() < 0.08:
        image = _shaken(image, rng)
    low, gain = rng.uniform(-0.05, 0.1), rng.uniform(0.75, 1.05) if rng.random() < 0.75 else rng.uniform(0.15, 0.75)
    image = (image * gain + low) * 255
    if not clean or rng.random() < 0.3:
        readable = 60 * contrast * gain * paper  # a quarter of what the ink stands out by, in grey levels
        noise = rng.standard_normal((SIDE, SIDE), np.float32) * np.float32(min(rng.gamma(1.5, 2.2), readable))
        image += cv2.blur(noise, (2, 2)) * 2 if rng.random() < 0.5 else noise
    grey = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        _, data = cv2.imencode(".jpg", grey, (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))))
        grey = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.asarray(grey, np.uint8)


def _light(rng: Generator) -> Floats:
    """(256, 256) float32 round 1: a slope, a vignette, a shadow with a soft or hard edge."""
    y, x = np.mgrid[-1:1:32j, -1:1:32j].astype(np.float32)
    toward = rng.uniform(0, 2 * np.pi)
    light = 1 - np.float32(rng.beta(1.5, 3) * 0.35) * (1 + np.cos(toward) * x + np.sin(toward) * y)
    if rng.random() < 0.3:
        at = rng.uniform(-0.5, 0.5, 2)
        light *= 1 - np.float32(rng.uniform(0, 0.3)) * ((x - at[0]) ** 2 + (y - at[1]) ** 2)
    large = cv2.resize(light.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.3:
        y, x = np.mgrid[-1:1:128j, -1:1:128j].astype(np.float32)
        edge = np.cos(toward) * x + np.sin(toward) * y + 0.15 * np.sin(3 * x + 2 * y + toward) - rng.uniform(-0.6, 0.6)
        shade = 1 - np.float32(rng.uniform(0.15, 0.6)) / (1 + np.exp(-edge / rng.uniform(0.01, 0.2)))
        large = large * cv2.resize(shade.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32)


def _on_desk(ground: Floats, rng: Generator) -> Floats:
    """The sheet's edge within the tile, and what lies beyond it."""
    toward, at = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 1.0) * SIDE / 2
    along = np.array([np.cos(toward), np.sin(toward)])
    across = np.array([-along[1], along[0]])
    middle = np.array([SIDE / 2, SIDE / 2]) + along * at
    corners = np.array([middle - 400 * across, middle + 400 * across, middle + 400 * (across + along)])
    corners = np.vstack([corners, [middle + 400 * (along - across)]])
    beyond = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(beyond, [np.rint(corners).astype(np.int32)], 255, cv2.LINE_AA)
    desk = _dead_leaves(rng) if rng.random() < 0.4 else np.float32(rng.uniform(0.05, 0.8)) + _clouds(rng, 20, 0.03)
    share = beyond.astype(np.float32) / 255
    return np.asarray(ground * (1 - share) + desk * share, np.float32)


def _show_through(ground: Floats, ink: Bytes, rng: Generator) -> None:
    """Writing of the sheet's other side, mirrored and faint, on the ground."""
    ghost = cv2.GaussianBlur(ink[:, ::-1], (0, 0), rng.uniform(0.5, 2.5)).astype(np.float32) / 255
    moved = np.roll(ghost, (int(rng.integers(-60, 60)), int(rng.integers(-60, 60))), (0, 1))
    ground *= 1 - np.float32(rng.uniform(0.02, 0.14)) * moved


def _shaken(image: Floats, rng: Generator) -> Floats:
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    if rng.random() < 0.5:
        kernel[length // 2] = 1 / length
    else:
        kernel[:, length // 2] = 1 / length
    return np.asarray(cv2.filter2D(image, -1, kernel), np.float32)


def _framed(
    image: Bytes, rng: Generator, boxes: list[tuple[float, float, float, float]]
) -> tuple[Bytes, NDArray[np.bool_]]:
    """A smaller picture, its edges carried on to the tile's, as the reader fills up pictures; which boxes are whole."""
    margin = [int(rng.integers(0, SIDE // 3)) for _ in range(4)]
    if boxes and rng.random() < 0.7:  # cropped to the digits
        extent = np.array(boxes)
        room = rng.uniform(2, 20)
        margin = [
            int(np.clip(extent[:, 0].min() - room, 0, SIDE - 40)),
            int(np.clip(extent[:, 1].min() - room, 0, SIDE - 40)),
            int(np.clip(SIDE - (extent[:, :1] + extent[:, 2:3]).max() - room, 0, SIDE - 40)),
            int(np.clip(SIDE - (extent[:, 1] + extent[:, 3]).max() - room, 0, SIDE - 40)),
        ]
    left, top, right, bottom = margin
    if left + right > SIDE - 24 or top + bottom > SIDE - 24:
        return image, np.ones(len(boxes), np.bool_)
    inner = image[top : SIDE - bottom, left : SIDE - right]
    framed = cv2.copyMakeBorder(inner, top, bottom, left, right, cv2.BORDER_REPLICATE)
    kept = [
        x >= left - 2 and y >= top - 2 and x + w <= SIDE - right + 2 and y + h <= SIDE - bottom + 2
        for x, y, w, h in boxes
    ]
    return np.asarray(framed, np.uint8), np.array(kept, np.bool_)
