"""How a line strip is written: the pens, and the writing and marking of a text on a sheet.

own = pen(rng, glyphs)
end = write(sheet, "12.5 kg", own, start(rng), rng)
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from digitocr.runtime.characters import SIGNS
from digitocr.runtime.opencv import cv2
from digitocr.runtime.recognizer import OTHER
from digitocr.train.synthesis import strips
from digitocr.train.synthesis.glyphs import Alphabet, Font, Glyph, Glyphs
from digitocr.train.synthesis.strips import BASE, DIGIT_HEIGHT, LEFT, SHEET_HEIGHT, SHEET_WIDTH, Mark, Sheet


@dataclass(frozen=True, slots=True)
class Pen:
    """How a line is written.

    Attributes:
        digits: Draws digits.
        letters: Draws letters and signs.
        height: Of a digit, pixels of the sheet.
        base: The row of the line, pixels of the sheet.
        gap: Between two characters, digit heights.
        uneven: Standard deviation of size and base line, digit heights.
        strength: Of the ink, 0 to 1.
    """

    digits: Alphabet
    letters: Alphabet
    height: float = DIGIT_HEIGHT
    base: float = BASE
    gap: float = 0.05
    uneven: float = 0.0
    strength: float = 1.0


def write(sheet: Sheet, text: str, pen: Pen, x: float, rng: Generator) -> float:
    """Writes a text from x on, marks it, and returns the x where it ends.

    A sign is marked as one in tokens with a digit and alone; beside letters it is a part of the word.
    """
    for token in text.split(" "):
        is_number = any(character.isdecimal() for character in token) or all(character in SIGNS for character in token)
        start: float | None = None  # of the run of letters and other signs
        end = x
        for character in token:
            label = strips.label_of(character)
            if label != OTHER and label >= 10 and not is_number:
                label = OTHER
            glyph = glyph_of(character, label, pen, rng)
            if glyph is None or glyph.ink.size < 2:
                continue
            tall = pen.height * float(np.exp(rng.normal(0, pen.uneven))) if pen.uneven else pen.height
            base = pen.base + pen.height * float(rng.normal(0, pen.uneven)) if pen.uneven else pen.base
            left, right = sheet.put(glyph, x, base, tall, pen.strength)
            if label == OTHER:
                start = left if start is None else min(start, left)
                end = right
            else:
                if start is not None:
                    sheet.marks.append(Mark(start, end, OTHER))
                    start = None
                sheet.marks.append(Mark(left, right, label))
            x += glyph.advance * tall + pen.gap * pen.height * float(rng.uniform(0.6, 1.4))
        if start is not None:
            sheet.marks.append(Mark(start, end, OTHER))
        x += 0.5 * pen.height * float(rng.uniform(0.8, 1.3))
        if x > SHEET_WIDTH:
            break
    return x


def glyph_of(character: str, label: int, pen: Pen, rng: Generator) -> Glyph | None:
    """A character of a class (an index of CLASSES, or OTHER); None for one that the pen cannot write."""
    if label < 10:
        return pen.digits.digit(label, rng)
    letter = pen.digits.letter or pen.letters.letter
    return letter(character, rng) if letter else None


def pen(rng: Generator, glyphs: Glyphs, kinds: tuple[str, ...] | None = None) -> Pen:
    """A random way of writing."""
    digits = glyphs.alphabet(rng, kinds)
    by_hand = digits.kind not in ("font", "segments")
    letters = digits if digits.letter else glyphs.words(rng, by_hand=by_hand and rng.random() < 0.9)
    gap = float(
        rng.choice([-0.12, -0.04, 0.08, 0.2, 0.45], p=[0.08, 0.14, 0.38, 0.28, 0.12])
        if by_hand
        else rng.choice([0.0, 0.05, 0.15, 0.4], p=[0.5, 0.3, 0.12, 0.08])
    )
    if digits.kind == "hand-font":
        gap = float(rng.choice([0.0, 0.06, 0.25], p=[0.6, 0.25, 0.15]))
    uneven = float(rng.uniform(0, 0.07)) if by_hand else 0.0
    strength = float(rng.uniform(0.3, 1)) if rng.random() < 0.15 else 1.0
    return Pen(digits, letters, DIGIT_HEIGHT, BASE, gap, uneven, strength)


def start(rng: Generator) -> float:
    """Where a line begins: often before the strip, so that it is cut as one of a longer line."""
    return float(rng.uniform(LEFT, LEFT + 200) if rng.random() < 0.6 else rng.uniform(-150, LEFT))


def inside(rng: Generator) -> float:
    """Where a short line begins: mostly within the strip."""
    return float(rng.uniform(LEFT, LEFT + 300) if rng.random() < 0.85 else rng.uniform(-100, LEFT))


def print_font(glyphs: Glyphs, rng: Generator) -> Font | None:
    """A font that is no handwriting; None where there is none."""
    for _ in range(8):
        if glyphs.fonts and not (font := glyphs.fonts[int(rng.integers(len(glyphs.fonts)))]).handwritten:
            return font
    return None


def field(sheet: Sheet, left: float, right: float, rng: Generator, tall: float = 1.0) -> None:
    """A filled field behind the writing, which reaches from one place to another or over the whole strip."""
    margin = DIGIT_HEIGHT * float(rng.uniform(0.12, 0.6))
    whole = rng.random() < 0.6
    corner = 0 if whole else round(left - margin), 0 if whole else round(BASE - tall * DIGIT_HEIGHT - margin)
    end = SHEET_WIDTH if whole else round(right + margin), SHEET_HEIGHT if whole else round(BASE + margin)
    cv2.rectangle(sheet.area, corner, end, int(rng.integers(120, 256)), -1)
