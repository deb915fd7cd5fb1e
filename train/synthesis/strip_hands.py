"""Layouts of line strips by hand: MNIST's digits as they are, apart or joined, and letters of the same pen.

They are layouts like those in strip_layouts.py, which has the list of all. Numbers in them are ranges of random draws:
sizes in digit heights or pixels, and probabilities.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from numpy.random import Generator

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis import texts
from digitocr.train.synthesis.glyphs import Alphabet, Glyphs
from digitocr.train.synthesis.letters import Letters
from digitocr.train.synthesis.strip_writing import Pen, write
from digitocr.train.synthesis.strips import BASE, DIGIT_HEIGHT, LEFT, RIGHT, SHEET_WIDTH, Mark, Sheet, resized
from digitocr.train.synthesis.strokes import Bytes

MNIST_DIGIT = 20  # pixels of MNIST's 28, of a digit
EDGE = 128  # of 255; a column of a digit has an ink of this much
LEAST_STEP = 0.3  # digit heights; from the middle of a digit to that of the next one
LETTERS = "abcdefghkmnpqrtuvwxyzabcdefghkmnpqrtuvwxyzABCDEFGHKLMNPQRSTUVWXYZ"


@lru_cache(maxsize=1)
def _letters() -> Letters:
    return Letters()


def by_hand(rng: Generator, glyphs: Glyphs) -> Alphabet:
    """Digits by hand, mostly MNIST's, with letters and signs of the same pen."""
    alphabet = glyphs.alphabet(rng, ("mnist", "mnist", "mnist", "strokes", "hand-font"))
    return _letters().beside(alphabet, glyphs.words(rng, by_hand=True), rng)


def row(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """MNIST's images as they are, in one or more numbers: far apart, near, touching or joined."""
    scale = DIGIT_HEIGHT / MNIST_DIGIT * float(rng.uniform(0.9, 1.12))
    joined, apart = rng.random() < 0.6, float(rng.uniform(0, 2.5)) * MNIST_DIGIT
    gap, uneven = float(rng.integers(-3, 4)), float(rng.choice([0.0, 0.5, 1.0]))
    sloping = float(rng.choice([0.0, rng.normal(0, 0.5)]))
    x = float(rng.uniform(-60, LEFT) if rng.random() < 0.2 else rng.uniform(LEFT, LEFT + 350))
    while x < RIGHT:
        last = -np.inf  # the middle of the digit on the left
        for place in range(int(rng.integers(1, 10))):
            digit = int(texts.number(rng, 1, 1))
            image = _image(digit, rng, glyphs)
            columns = np.flatnonzero(image.max(axis=0) >= EDGE)
            if not len(columns):
                continue
            ink = image[:, columns[0] : columns[-1] + 1]
            wide, high = max(2, round(ink.shape[1] * scale)), round(len(image) * scale)
            left = x + scale * (gap + float(rng.normal(0, uneven)) if joined else apart) if place else x
            left = max(left, last + LEAST_STEP * DIGIT_HEIGHT - wide / 2)
            top = BASE - DIGIT_HEIGHT / 2 - high / 2 + float(rng.normal(0, uneven)) * scale + sloping * place
            sheet.paste(resized(_enlarged(ink, scale), wide, high), round(left), top)
            sheet.marks.append(Mark(round(left), round(left) + wide, digit))
            last, x = left + wide / 2, left + wide
            if x > SHEET_WIDTH:
                return
        if rng.random() < 0.6:
            return
        x += DIGIT_HEIGHT * float(rng.uniform(0.8, 4))


def _image(digit: int, rng: Generator, glyphs: Glyphs) -> Bytes:
    """(28, w): one of MNIST's images as it is; a drawn digit of that size where there are none."""
    image = glyphs.sample(digit, rng)
    if image is not None:
        return image
    glyph = glyphs.alphabet(rng, ("strokes",)).digit(digit, rng)
    ink = resized(glyph.ink, max(2, round(glyph.width * MNIST_DIGIT)), MNIST_DIGIT)
    return np.asarray(np.pad(ink, 4), np.uint8)


def _enlarged(ink: Bytes, scale: float) -> Bytes:
    """Ink enlarged smoothly, as pictures are; (h, w) to at least twice that."""
    factor = int(np.ceil(scale))
    size = ink.shape[1] * factor, ink.shape[0] * factor
    return np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def letters(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Letters, words and signs by hand with a pen like that of digits, without a number or with one."""
    own = by_hand(rng, glyphs)
    pen = Pen(
        own,
        own,
        height=DIGIT_HEIGHT * (float(rng.uniform(0.8, 1.7)) if rng.random() < 0.5 else 1.0),
        gap=float(rng.choice([-0.05, 0.05, 0.15, 0.4], p=[0.15, 0.35, 0.3, 0.2])),
        uneven=float(rng.uniform(0, 0.08)),
        strength=float(rng.uniform(0.35, 1)) if rng.random() < 0.2 else 1.0,
    )
    kind, parts = rng.random(), []
    for _ in range(int(rng.integers(1, 9))):
        one = rng.random()
        if kind < 0.4:  # single letters
            parts.append(str(rng.choice(list(LETTERS))))
        elif kind < 0.7 or one < 0.4:
            parts.append(texts.word(rng))
        elif one < 0.7:
            parts.append(texts.number(rng, 1, 3))
        else:
            parts.append(str(rng.choice(list("+=()?!%&{}√<>*#÷×"))))
    space = " " * int(rng.integers(1, 5))
    x = float(rng.uniform(-100, LEFT) if rng.random() < 0.3 else rng.uniform(LEFT, LEFT + 250))
    write(sheet, space.join(parts), pen, x, rng)


KINDS: Mapping[Callable[[Sheet, Generator, Glyphs], None], float] = {  # and the share of each, beside strip_layouts.py
    row: 0.32,
    letters: 0.16,
}
