"""Layouts of a scene without a digit: pages of words, alphabets, tables of letters, diagrams.

    draw_scene(rng, glyphs, digitless)

They show what a picture without a number looks like: many letters, and a few marks among them that could be a digit.
The numbers are ranges of random draws, as in layouts.py.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from digitocr.train.synthesis.glyphs import AMBIGUOUS, LETTERS, Glyph, Glyphs
from digitocr.train.synthesis.scripts import ALIKE, scripts_of
from digitocr.train.synthesis.sheet import AMBIGUOUS_LABEL, NO_DIGIT, SCENE_SIDE, Rule, Sheet
from digitocr.train.synthesis.texts import word

Letter = Callable[[str, Generator], Glyph | None]
_TURN = 2 * np.pi * np.linspace(0, 1, 33)


def digitless(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """One of the layouts below."""
    layouts = (words, alphabet, diagram)
    layouts[int(rng.choice(len(layouts), p=[0.4, 0.3, 0.3]))](sheet, rng, glyphs)


def words(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Lines of words, printed or by hand, in Latin letters or those of another script."""
    height, x_end = _height(rng, 9, 70), SCENE_SIDE * float(rng.uniform(0.5, 1.1))
    base, pitch = float(rng.uniform(0.1, 0.6)) * SCENE_SIDE, float(rng.uniform(1.5, 2.6)) * height
    for _ in range(int(rng.integers(1, 10))):
        x = float(rng.uniform(-0.1, 0.2)) * SCENE_SIDE
        while x < x_end:
            text, letter = _word(rng, glyphs)
            x = _write(sheet, text, letter, x, base, height, rng) + float(rng.uniform(0.3, 0.8)) * height
        base += pitch
        if base > SCENE_SIDE + height:
            break


def alphabet(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Single letters apart, in rows or in the cells of a table."""
    height = _height(rng, 10, 50)
    wide, high = height * float(rng.uniform(1.2, 3.5)), height * float(rng.uniform(1.4, 2.6))
    left, top = rng.uniform(-0.3, 0.3, 2) * SCENE_SIDE
    is_ruled, thick, strength = rng.random() < 0.4, float(rng.uniform(0.5, 3)), float(rng.uniform(0.3, 1))
    letter, letters = glyphs.words(rng, by_hand=rng.random() < 0.7).letter, LETTERS
    if (scripts := scripts_of(glyphs.scripts)).scripts and rng.random() < 0.4:
        text, letter = scripts.word(rng)
        letters = text
    for row in range(int(rng.integers(1, 7))):
        for column in range(int(rng.integers(2, 10))):
            x, y = left + column * wide, top + row * high
            if is_ruled:
                sheet.box(x, y, wide, high, thick, strength)
            if rng.random() < 0.85:
                one = str(rng.choice(list(letters)))
                _write(sheet, one, letter, x + 0.3 * wide, y + (high + height) / 2, height, rng)


def diagram(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Words in circles and boxes, joined by lines and arrows, whole and dashed, as on a whiteboard."""
    height, thick = _height(rng, 7, 24), float(rng.uniform(0.8, 3.5))
    hand = glyphs.words(rng, by_hand=True).letter
    nodes = rng.uniform(0.1, 0.9, (int(rng.integers(2, 6)), 2)) * SCENE_SIDE
    for x, y in nodes:
        text = word(rng)[:8] if rng.random() < 0.7 else str(rng.choice(list(LETTERS[26:])))
        half = max(0.4 * height * len(text), height) * float(rng.uniform(0.9, 1.5))
        kind = rng.random()
        if kind < 0.4:
            round_ = np.stack([half * np.cos(_TURN), max(0.6 * half, height) * np.sin(_TURN)], 1)
            sheet.rules.append(Rule(round_ + np.array([x, y]), thick, 1.0))
        elif kind < 0.6:
            sheet.box(x - half, y - height, 2 * half, 2 * height, thick, 1.0)
        _write(sheet, text, hand, x - 0.3 * height * len(text), y + 0.5 * height, height, rng)
    for _ in range(int(rng.integers(1, 7))):
        start, end = rng.uniform(0, SCENE_SIDE, (2, 2)) if rng.random() < 0.4 else rng.permutation(nodes)[:2]
        bend = rng.normal(0, 25, 2)
        t = np.linspace(0.15, 0.85, 40)[:, None]
        path = start * (1 - t) + end * t + bend * np.sin(np.pi * t)
        if rng.random() < 0.5:
            dash = int(rng.integers(2, 6))
            parts = [path[at : at + dash] for at in range(0, len(path), 2 * dash)]
            sheet.rules += [Rule(part, thick, 1.0) for part in parts if len(part) > 1]
        else:
            sheet.rules.append(Rule(path, thick, 1.0))
        if rng.random() < 0.7:
            ahead = (path[-1] - path[-4]) / max(float(np.hypot(*(path[-1] - path[-4]))), 1e-6)
            aside = np.array([-ahead[1], ahead[0]])
            barbs = [path[-1] - 0.6 * height * ahead + way * 0.4 * height * aside for way in (-1, 1)]
            sheet.rules.append(Rule(np.stack([barbs[0], path[-1], barbs[1]]), thick, 1.0))


def _word(rng: Generator, glyphs: Glyphs) -> tuple[str, Letter | None]:
    """A random word and what draws its letters."""
    scripts = scripts_of(glyphs.scripts)
    if scripts.scripts and rng.random() < 0.25:
        return scripts.word(rng)
    return word(rng), glyphs.words(rng, by_hand=rng.random() < 0.5).letter


def _height(rng: Generator, least: float, most: float) -> float:
    """Pixels, uniform in its logarithm."""
    return float(np.exp(rng.uniform(np.log(least), np.log(most))))


def _write(
    sheet: Sheet, text: str, letter: Letter | None, x: float, base: float, height: float, rng: Generator
) -> float:
    """Puts letters on the sheet from x on; returns the x where they end. height: of a digit beside them, pixels."""
    for character in text:
        glyph = letter(character, rng) if letter else None
        if glyph is not None:
            label = AMBIGUOUS_LABEL if character in AMBIGUOUS | ALIKE else NO_DIGIT
            sheet.put(glyph, label, x, base, height, rng)
            x += glyph.advance * height
    return x
