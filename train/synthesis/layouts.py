"""Layouts of a scene: lines, close-ups, forms, tables, displays, words, scribbles, texture, blank pages.

digitless.py has more of those without a digit.

    sheet = Sheet()
    layout = LAYOUTS[int(rng.choice(len(LAYOUTS), p=ODDS))]
    layout(sheet, rng, glyphs)      # fills sheet.items, sheet.rules and sheet.areas

Each layout is a function that fills a flat sheet at random; scenes.py draws the sheet and takes a picture of it. The
numbers in them are ranges of random draws: sizes in pixels of the scene, gaps in digit heights, and probabilities.
"""

from collections.abc import Callable
from itertools import groupby

import numpy as np
from numpy.random import Generator

from digitocr.train.synthesis.blank import blank, speckle
from digitocr.train.synthesis.digitless import digitless
from digitocr.train.synthesis.glyphs import AMBIGUOUS, LETTERS, SYMBOLS, Alphabet, Glyphs
from digitocr.train.synthesis.sheet import AMBIGUOUS_LABEL, NO_DIGIT, SCENE_SIDE, Rule, Sheet
from digitocr.train.synthesis.texts import ENGLISH
from digitocr.train.synthesis.texts import text as random_text

FADING = 0.12  # share of texts that are written with a pen that skips or a pencil under uneven pressure
_CLEAR_LETTERS = [letter for letter in LETTERS if letter not in AMBIGUOUS]
_CLEAR_CHARACTERS = [character for character in LETTERS + SYMBOLS if character not in AMBIGUOUS]


def _height(rng: Generator, least: float = 10, most: float = 60) -> float:
    """Pixels, uniform in its logarithm."""
    return float(np.exp(rng.uniform(np.log(least), np.log(most))))


def _write(
    sheet: Sheet, text: str, alphabet: Alphabet, x: float, base: float, height: float, gap: float, rng: Generator
) -> float:
    """Puts a text on the sheet from x on; returns the x where it ends. A space is half a digit height wide.

    height: of a digit, pixels; gap: between two characters, in digit heights.
    """
    uneven = 0.0 if alphabet.kind in ("font", "segments") else rng.uniform(0.0, 0.09)
    fading = rng.random() < FADING
    for character in text:
        if character == " ":
            x += 0.5 * height
            continue
        label = int(character) if character.isdecimal() else AMBIGUOUS_LABEL if character in AMBIGUOUS else NO_DIGIT
        glyph = alphabet.digit(label, rng) if label < 10 else alphabet.letter and alphabet.letter(character, rng)
        if glyph is None:
            continue
        tall = height * float(np.exp(rng.normal(0, uneven)))
        strength = float(rng.uniform(0.25, 1)) if fading else 1.0
        sheet.put(glyph, label, x, base + height * float(rng.normal(0, uneven)), tall, rng, strength)
        x += glyph.advance * tall + gap * height * float(rng.uniform(0.6, 1.4))
        if x > 1.3 * SCENE_SIDE:
            break
    return x


def _number(rng: Generator, least: int = 1, most: int = 10) -> str:
    """A number of `least` to `most` digits."""
    return "".join(map(str, rng.integers(0, 10, int(rng.integers(least, most + 1)))))


def _gap(alphabet: Alphabet, rng: Generator) -> float:
    """Between two digits, in digit heights; fonts bring a gap of their own, so theirs is smaller."""
    if alphabet.kind in ("font", "segments"):
        return float(rng.choice([0.02, 0.06, 0.3, 0.8], p=[0.45, 0.25, 0.2, 0.1]))
    return float(rng.choice([-0.1, -0.02, 0.12, 0.3, 0.7, 1.3], p=[0.05, 0.09, 0.3, 0.28, 0.18, 0.1]))


def lines(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Lines of digits, sometimes with words, letters or symbols among them."""
    alphabet, height = glyphs.alphabet(rng), _height(rng)
    gap, pitch = _gap(alphabet, rng), rng.uniform(1.35, 2.8)
    mixed = rng.random() < 0.3
    base = rng.uniform(-0.2, 0.7) * SCENE_SIDE
    for _ in range(int(rng.integers(1, 9))):
        x = rng.uniform(-0.15, 0.6) * SCENE_SIDE
        while x < SCENE_SIDE:
            x = _write(sheet, _number(rng), alphabet, x, base, height, gap, rng) + rng.uniform(0.5, 4) * height
            if mixed and rng.random() < 0.6:
                x = _write(sheet, _word(rng), _lettered(alphabet, rng, glyphs), x, base, height, 0.08, rng) + height
            if rng.random() < 0.6:
                break
        base += pitch * height
        if base > SCENE_SIDE + height:
            break
    if rng.random() < 0.25:
        speckle(sheet, rng, height)


def _lettered(alphabet: Alphabet, rng: Generator, glyphs: Glyphs) -> Alphabet:
    """The alphabet itself where it has letters, another one otherwise."""
    return alphabet if alphabet.letter else glyphs.words(rng)


def _word(rng: Generator) -> str:
    """A word, a single symbol, or a single letter that looks like no digit."""
    kind = rng.random()
    if kind < 0.25:
        return str(rng.choice(list(SYMBOLS)))
    if kind < 0.4:
        return str(rng.choice(_CLEAR_LETTERS))
    letters = rng.choice(list(LETTERS[:26]), int(rng.integers(2, 11)), p=ENGLISH / ENGLISH.sum())
    word = "".join(letters)
    return word.upper() if kind > 0.85 else word.capitalize() if rng.random() < 0.3 else word


def close_up(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """One to three large digits."""
    alphabet, height = glyphs.alphabet(rng), rng.uniform(50, 150)
    text = _number(rng, 1, 3 if height < 90 else 1) if rng.random() < 0.8 else "1"
    x, base = rng.uniform(10, 150), height + rng.uniform(-0.05, 1) * (SCENE_SIDE - height)
    _write(sheet, text, alphabet, x, base, height, max(0.1, _gap(alphabet, rng)), rng)


def giant(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Digits that are far too large to be found, so that only their strokes are seen; sometimes normal ones on top."""
    alphabet, height = glyphs.alphabet(rng), _height(rng, 200, 900)
    x, base = rng.uniform(-0.6, 0.5) * height, rng.uniform(0.2, 1.3) * height
    _write(sheet, _number(rng, 1, 3), alphabet, x, base, height, max(0.1, _gap(alphabet, rng)), rng)
    if rng.random() < 0.15:
        _write(sheet, _number(rng), alphabet, rng.uniform(0, 150), rng.uniform(40, SCENE_SIDE), _height(rng), 0.3, rng)


def form(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """A form: rows of boxes, combs or cells, some of them empty, and printed labels."""
    alphabet, cell = glyphs.alphabet(rng), _height(rng, 14, 64)
    height = cell * rng.uniform(0.45, 0.95)
    wide, space = cell * rng.uniform(0.45, 1.25), rng.choice([0.0, 0.0, 0.15, 0.4]) * cell
    thick, strength = float(np.exp(rng.uniform(np.log(0.6), np.log(4)))), rng.uniform(0.25, 1)
    style, filled = rng.choice(["box", "comb", "cells"], p=[0.55, 0.15, 0.3]), rng.choice([1.0, 0.85, 0.5])
    longest = int(rng.integers(1, 12)) if rng.random() < 0.35 else 99  # cells of a row that may be filled
    y = rng.uniform(-0.1, 0.75) * SCENE_SIDE
    for _ in range(int(rng.integers(1, 5))):
        x = rng.uniform(-0.2, 0.45) * SCENE_SIDE
        if rng.random() < 0.4:
            words = glyphs.words(rng)
            x = _write(sheet, _word(rng), words, x, y + 0.8 * cell, height * rng.uniform(0.4, 0.9), 0.05, rng) + 8
        for place in range(int(rng.integers(2, 16))):
            if style != "comb":
                sheet.box(x, y, wide, cell, thick, strength)
            else:
                sheet.line(x, y + cell, x + wide, y + cell, thick, strength)
                sheet.line(x, y + cell * rng.uniform(0.3, 0.7), x, y + cell, thick, strength)
            if place < longest and rng.random() < filled:
                digit = int(rng.integers(10))
                glyph = alphabet.digit(digit, rng)
                tall = min(height, 1.15 * wide / max(glyph.width, 0.1))
                left = x + (wide - glyph.width * tall) / 2 - glyph.left * tall + rng.normal(0, 0.07) * wide
                sheet.put(glyph, digit, left, y + (cell + tall) / 2 + rng.normal(0, 0.05) * cell, tall, rng)
            x += wide + space
            if x > SCENE_SIDE:
                break
        y += cell * rng.uniform(1.0, 2.5) if style != "cells" or rng.random() < 0.5 else cell
    if rng.random() < 0.4:
        sheet.line(rng.uniform(0, 200), y, SCENE_SIDE, y, thick, strength)


def grid(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """A table or a Sudoku: a grid of cells, some with a number, some with letters."""
    alphabet, cell = glyphs.alphabet(rng), _height(rng, 16, 60)
    words = glyphs.words(rng) if rng.random() < 0.3 else None
    aspect = rng.choice([1.0, 1.0, 1.4, 2.2])
    wide, height = cell * aspect, cell * rng.uniform(0.4, 0.8)
    rows, columns = int(rng.integers(2, 10)), int(rng.integers(2, 10))
    left, top = rng.uniform(-0.4, 0.4, 2) * SCENE_SIDE
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
            if not (-cell < x < SCENE_SIDE and 0 < base < SCENE_SIDE + cell) or rng.random() > filled:
                continue
            text = _number(rng, 1, 1 if aspect == 1 else 3)
            if words and rng.random() < 0.3:
                _write(sheet, _word(rng)[:4], words, x + 0.1 * wide, base, height * 0.8, 0.05, rng)
                continue
            x += max(0.0, (wide - 0.7 * height * len(text)) / 2)
            _write(sheet, text, alphabet, x, base, height, 0.04, rng)


def column(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """One to three columns of numbers of one or two digits, one below the other."""
    alphabet, height = glyphs.alphabet(rng), _height(rng, 10, 40)
    for _ in range(int(rng.integers(1, 4))):
        x, base = rng.uniform(0, 0.9) * SCENE_SIDE, rng.uniform(0, 0.4) * SCENE_SIDE
        pitch = rng.uniform(1.2, 2.2) * height
        while base < SCENE_SIDE + height:
            _write(sheet, _number(rng, 1, 2), alphabet, x + rng.normal(0, 0.1) * height, base, height, 0.15, rng)
            base += pitch


def scattered(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Separate digits of many sizes, strengths and hands, with letters and symbols between them."""
    taken: list[tuple[float, float, float]] = []
    words = glyphs.words(rng)
    alphabet = glyphs.alphabet(rng)
    for _ in range(int(rng.integers(3, 22))):
        height, x, base = _height(rng, 10, 80), rng.uniform(0, SCENE_SIDE), rng.uniform(10, SCENE_SIDE)
        if any(abs(x - x0) + abs(base - y0) < 1.1 * (height + h0) for x0, y0, h0 in taken):
            continue
        taken.append((x, base, height))
        if rng.random() < 0.25:
            letter = str(rng.choice(_CLEAR_CHARACTERS))
            glyph = words.letter(letter, rng) if words.letter else None
            if glyph is not None:
                sheet.put(glyph, NO_DIGIT, x, base, height, rng, rng.uniform(0.4, 1))
            continue
        if rng.random() < 0.3:
            alphabet = glyphs.alphabet(rng)
        digit = int(rng.integers(10))
        sheet.put(alphabet.digit(digit, rng), digit, x, base, height, rng, rng.uniform(0.25, 1))


def display(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """A meter or a display: digits on a dark field or each in its own window, sometimes with a unit behind them."""
    alphabet = glyphs.alphabet(rng, ("segments", "segments", "font"))
    height = _height(rng, 12, 90)
    pitch, window = height * rng.uniform(0.75, 1.3), rng.random() < 0.5
    x, base = rng.uniform(-0.2, 0.4) * SCENE_SIDE, height + rng.uniform(0.05, 0.9) * (SCENE_SIDE - height)
    margin = rng.uniform(0.1, 0.35) * height
    count, dark = int(rng.integers(2, 10)), rng.uniform(0.15, 0.7)
    if not window:
        end = x + count * pitch
        sheet.rectangle(x - margin, base - height - margin, end + margin, base + margin, dark)
    for _ in range(count):
        if window:
            right = x + pitch * rng.uniform(0.84, 0.96)
            sheet.rectangle(x, base - height - margin, right, base + margin, dark)
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


def text(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """A text, printed or handwritten, sometimes with numbers among the words."""
    words = glyphs.words(rng, by_hand=rng.random() < 0.6)
    height = _height(rng, 6, 110)
    base, pitch = rng.uniform(0, 0.3) * SCENE_SIDE, rng.uniform(1.5, 2.6) * height
    numbers = rng.choice([0.0, 0.0, 0.15])
    tight = rng.uniform(-0.02, 0.06)
    for _ in range(int(rng.integers(1, 20))):
        x = rng.uniform(-0.2, 0.2) * SCENE_SIDE
        while x < SCENE_SIDE:
            text = _number(rng, 1, 5) if rng.random() < numbers else _word(rng)
            x = _write(sheet, text, words, x, base, height, tight, rng) + rng.uniform(0.3, 0.8) * height
        base += pitch
        if base > SCENE_SIDE + height:
            break


def scribbles(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Waves, loops, polygons, crosses, strokes and dots: drawings that are no digits; sometimes a number among them."""
    for _ in range(int(rng.integers(1, 9))):
        size, x, y = _height(rng, 10, 120), rng.uniform(0, SCENE_SIDE), rng.uniform(0, SCENE_SIDE)
        thick, strength = max(0.7, size * rng.uniform(0.02, 0.12)), rng.uniform(0.3, 1)
        t = np.linspace(0, 1, 40)
        kind = int(rng.integers(6))
        if kind == 0:  # a wavy line
            waves = rng.uniform(2, 8)
            points = np.stack([3 * size * t, 0.3 * size * np.sin(2 * np.pi * waves * t)], 1)
        elif kind == 1:  # loops, as in running handwriting
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
            sheet.rules.append(Rule(across + np.array([x, y]), thick, strength))
        elif kind == 4:  # a wandering stroke
            points = np.cumsum(rng.normal(0, 0.25, (14, 2)) * size, 0)
        else:  # a large ellipse or an arc
            start, sweep = rng.uniform(0, 2 * np.pi), rng.uniform(2, 2 * np.pi)
            points = np.stack(
                [1.6 * size * np.cos(start + sweep * t), rng.uniform(0.2, 0.6) * size * np.sin(start + sweep * t)], 1
            )
        turn = rng.uniform(-0.5, 0.5)
        points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        sheet.rules.append(Rule(points + np.array([x, y]), thick, strength))
    speckle(sheet, rng, 40)
    if rng.random() < 0.35:
        alphabet = glyphs.alphabet(rng)
        _write(
            sheet,
            _number(rng),
            alphabet,
            rng.uniform(0, 150),
            rng.uniform(40, SCENE_SIDE),
            _height(rng),
            _gap(alphabet, rng),
            rng,
        )


def texture(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """The background without writing, a natural texture here, sometimes with a word or a number on it."""
    if rng.random() < 0.2:
        alphabet = glyphs.words(rng)
        text = _word(rng) if rng.random() < 0.5 else _number(rng)
        _write(sheet, text, alphabet, rng.uniform(0, 120), rng.uniform(60, SCENE_SIDE), _height(rng, 14, 70), 0.1, rng)


def mixed(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Lines of prices, dates, units, equations and words, in which digits, signs and letters stand side by side."""
    alphabet, height = glyphs.alphabet(rng), _height(rng, 10, 48)
    letters = alphabet if alphabet.letter else glyphs.words(rng, by_hand=alphabet.kind != "segments")
    gap, pitch = min(_gap(alphabet, rng), 0.3), rng.uniform(1.5, 2.6)
    base = rng.uniform(0.05, 0.7) * SCENE_SIDE
    for _ in range(int(rng.integers(1, 8))):
        x = rng.uniform(-0.1, 0.4) * SCENE_SIDE
        for is_digit, run in groupby(random_text(rng), str.isdecimal):
            x = _write(sheet, "".join(run), alphabet if is_digit else letters, x, base, height, gap, rng)
        base += pitch * height
        if base > SCENE_SIDE + height:
            break


def one_line(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> str:
    """A line of prices, dates, units, equations or words that fits the scene; returns what is written."""
    alphabet = glyphs.alphabet(rng)
    letters = alphabet if alphabet.letter else glyphs.words(rng, by_hand=alphabet.kind != "segments")
    drawable = letters.letter or (lambda *_: None)
    text = "".join(one for one in random_text(rng) if one == " " or one.isdecimal() or drawable(one, rng))
    height = min(_height(rng, 14, 48), 1.1 * SCENE_SIDE / max(len(text), 1))
    x, base, gap = 0.08 * SCENE_SIDE, rng.uniform(0.35, 0.7) * SCENE_SIDE, min(_gap(alphabet, rng), 0.15)
    for is_digit, run in groupby(text, str.isdecimal):
        x = _write(sheet, "".join(run), alphabet if is_digit else letters, x, base, height, gap, rng)
    return text


Layout = Callable[[Sheet, Generator, Glyphs], None]
LAYOUTS: tuple[Layout, ...] = (
    lines,
    close_up,
    giant,
    form,
    grid,
    column,
    scattered,
    display,
    text,
    scribbles,
    texture,
    blank,
    digitless,
)
ODDS = np.array(  # of each layout
    [0.19, 0.09, 0.04, 0.13, 0.08, 0.03, 0.08, 0.06, 0.09, 0.05, 0.06, 0.05, 0.05]
)
