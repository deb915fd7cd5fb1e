"""Layouts of a line strip: lines of text, digits with wide or no gaps, cells of forms, displays, words, texture.

    strip = draw_strip(np.random.default_rng(7), glyphs)

Each layout is a function that fills a strips.Sheet at random. The numbers in them are ranges of random draws: sizes in
digit heights or pixels of the sheet, and probabilities.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis import strip_hands, strip_kinds, strips, texts
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.strip_writing import Pen, glyph_of, pen, start, write
from digitocr.train.synthesis.strips import (
    BASE,
    DIGIT_HEIGHT,
    LEFT,
    RIGHT,
    SHEET_HEIGHT,
    SHEET_WIDTH,
    TALLEST_ONE,
    Mark,
    Sheet,
    Strip,
)

WIDE_GAP = 0.5  # digit heights; digits as far apart stand alone


def neighbours(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Parts of the lines above and below, which are no part of this one."""
    if rng.random() < 0.45:
        return
    own, marks = pen(rng, glyphs), sheet.marks
    pitch = DIGIT_HEIGHT * float(rng.uniform(1.45, 2.2))
    sheet.marks = []
    for side in (-1, 1):
        if rng.random() < 0.6:
            line = Pen(own.digits, own.letters, DIGIT_HEIGHT, BASE + side * pitch, own.gap, own.uneven, own.strength)
            write(sheet, texts.text(rng), line, float(rng.uniform(0, 300)), rng)
    sheet.marks = marks


def rules(sheet: Sheet, rng: Generator) -> None:
    """Ruled lines below, above or through the writing, or the grid of squared paper."""
    kind = rng.random()
    thick = max(1, round(float(np.exp(rng.uniform(np.log(0.8), np.log(5))))))
    level = int(rng.integers(60, 256))
    if kind < 0.14:
        y = round(BASE + rng.uniform(0.02, 0.4) * DIGIT_HEIGHT)
        cv2.line(sheet.rule, (0, y), (SHEET_WIDTH, y), level, thick, cv2.LINE_AA)
    elif kind < 0.24:
        for row in (BASE - DIGIT_HEIGHT * rng.uniform(1.1, 1.4), BASE + DIGIT_HEIGHT * rng.uniform(0.1, 0.4)):
            cv2.line(sheet.rule, (0, round(row)), (SHEET_WIDTH, round(row)), level, thick, cv2.LINE_AA)
    elif kind < 0.29:
        step, first = rng.uniform(0.5, 1.4) * DIGIT_HEIGHT, rng.uniform(0, 40)
        for x in np.arange(first, SHEET_WIDTH, step):
            cv2.line(sheet.rule, (round(x), 0), (round(x), SHEET_HEIGHT), level // 2, 1, cv2.LINE_AA)
        for row in np.arange(first, SHEET_HEIGHT, step):
            cv2.line(sheet.rule, (0, round(row)), (SHEET_WIDTH, round(row)), level // 2, 1, cv2.LINE_AA)


def line(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """A line of text of any kind."""
    text, own = texts.text(rng), pen(rng, glyphs)
    if not any(character.isdecimal() for character in text) and rng.random() < 0.4:
        # the reader scales by what it takes for digits: in words these are small letters
        own = replace(own, height=DIGIT_HEIGHT * float(rng.uniform(1, 1.6)))
    write(sheet, text, own, start(rng), rng)


def numerals(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Digits by hand, close together or far apart, in MNIST's or drawn hands."""
    own = pen(rng, glyphs, ("mnist", "strokes", "strokes", "hand-font"))
    gap = float(
        rng.choice([-0.18, -0.1, -0.03, 0.05, 0.2, 0.5, 1.0, 1.6], p=[0.08, 0.1, 0.12, 0.13, 0.15, 0.18, 0.14, 0.1])
    )
    own = Pen(own.digits, own.letters, own.height, own.base, gap, own.uneven, own.strength)
    x = start(rng) if rng.random() < 0.3 else float(rng.uniform(LEFT, LEFT + 300))
    while x < SHEET_WIDTH:
        # a 1 far from the others is most like a rule, and wants to be seen more often
        text = "1" + texts.number(rng, 1, 7) if gap >= WIDE_GAP and rng.random() < 0.3 else texts.number(rng, 1, 8)
        x = write(sheet, text, own, x, rng) + rng.uniform(0.5, 4) * DIGIT_HEIGHT
        if rng.random() < 0.7:
            break


def boxes(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """The boxes, combs or cells of a form, some of them empty, each with a digit or a letter."""
    own = pen(rng, glyphs)
    wide = DIGIT_HEIGHT * float(rng.uniform(0.85, 2.2))
    space = float(rng.choice([0.0, 0.0, 0.2, 0.5])) * wide
    tall = DIGIT_HEIGHT * float(rng.uniform(1.15, 2.0))
    thick = max(1, round(float(np.exp(rng.uniform(np.log(0.8), np.log(6))))))
    level, filled = int(rng.integers(60, 256)), float(rng.choice([1.0, 0.85, 0.5]))
    style, letters = str(rng.choice(["box", "comb", "bars"], p=[0.6, 0.2, 0.2])), rng.random() < 0.15
    if style == "bars":
        tall = max(tall, TALLEST_ONE * DIGIT_HEIGHT)
    x, top = start(rng), BASE - DIGIT_HEIGHT / 2 - tall / 2
    size = min(1.0, wide / DIGIT_HEIGHT / 0.95)
    for _ in range(int(rng.integers(1, 16))):
        if style == "box":
            cv2.rectangle(
                sheet.rule, (round(x), round(top)), (round(x + wide), round(top + tall)), level, thick, cv2.LINE_AA
            )
        else:
            up = top + tall * (0.6 if style == "comb" else 0)
            cv2.line(sheet.rule, (round(x), round(up)), (round(x), round(top + tall)), level, thick, cv2.LINE_AA)
            if style == "comb":
                cv2.line(sheet.rule, (round(x), round(top + tall)), (round(x + wide), round(top + tall)), level, thick)
        if rng.random() < filled:
            is_letter = letters and rng.random() < 0.3
            character = str(rng.choice(list("ABCDEFGHJKLMNPRTUVWXYZS"))) if is_letter else texts.number(rng, 1, 1)
            label = strips.label_of(character)
            glyph = glyph_of(character, label, own, rng)
            if glyph is not None:
                height = DIGIT_HEIGHT * size * float(np.exp(rng.normal(0, 0.5 * own.uneven)))
                left = x + (wide - glyph.width * height) / 2 + rng.normal(0, 0.06) * wide
                ends = sheet.put(glyph, left - glyph.left * height, BASE + rng.normal(0, 0.05) * height, height)
                sheet.marks.append(Mark(*ends, label))
        x += wide + space
        if x > SHEET_WIDTH:
            break


def display(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """A row of digits on a dark field or each in a window of its own, sometimes with a unit."""
    own = pen(rng, glyphs, ("segments", "segments", "font"))
    pitch = DIGIT_HEIGHT * float(rng.uniform(0.72, 1.4))
    window, count = rng.random() < 0.5, int(rng.integers(1, 11))
    margin = DIGIT_HEIGHT * float(rng.uniform(0.08, 0.4))
    level = int(rng.integers(60, 256))
    x = start(rng)
    if not window and rng.random() < 0.7:
        cv2.rectangle(
            sheet.area,
            (round(x - margin) if rng.random() < 0.6 else 0, round(BASE - DIGIT_HEIGHT - margin)),
            (round(x + count * pitch + margin) if rng.random() < 0.6 else SHEET_WIDTH, round(BASE + margin)),
            level,
            -1,
        )
    for _ in range(count):
        if window:
            right = x + pitch * float(rng.uniform(0.84, 0.97))
            corner = round(x), round(BASE - DIGIT_HEIGHT - margin)
            cv2.rectangle(sheet.area, corner, (round(right), round(BASE + margin)), level, -1)
        digit = int(texts.number(rng, 1, 1))
        glyph = own.digits.digit(digit, rng)
        height = min(DIGIT_HEIGHT, 0.92 * pitch / max(glyph.width, 0.2))
        shift = rng.normal(0, 0.05) * height if rng.random() < 0.3 else 0.0
        left = x + (0.92 * pitch - glyph.width * height) / 2 - glyph.left * height
        if own.digits.kind == "segments":
            left = x
        ends = sheet.put(glyph, left, BASE + shift, height)
        sheet.marks.append(Mark(*ends, digit))
        x += pitch
    if rng.random() < 0.4:
        unit = Pen(own.letters, own.letters, 0.6 * DIGIT_HEIGHT)
        write(sheet, str(rng.choice(texts.UNITS)), unit, x + 10, rng)


def scribbles(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:  # noqa: ARG001  # a Layout's arguments
    """Waves, loops, polygons, ellipses, bars and dots, which are no writing; or nothing at all."""
    for _ in range(int(rng.integers(0, 7))):
        size, x, y = rng.uniform(10, 70), rng.uniform(LEFT, RIGHT), rng.uniform(BASE - 60, BASE + 20)
        thick, level = max(1, round(size * rng.uniform(0.03, 0.2))), int(rng.integers(80, 256))
        kind = int(rng.integers(7))
        t = np.linspace(0, 1, 40)
        if kind == 0:
            points = np.stack([3 * size * t, 0.4 * size * np.sin(2 * np.pi * rng.uniform(1, 6) * t)], 1)
        elif kind == 1:
            turns = rng.uniform(2, 7)
            points = np.stack([size * (2 * t + 0.2 * np.sin(6.3 * turns * t)), 0.4 * size * np.cos(6.3 * turns * t)], 1)
        elif kind == 2:
            points = rng.uniform(-1, 1, (int(rng.integers(3, 7)), 2)) * size * [1, 0.5]
        elif kind == 6:  # an edge or a stroke that is longer than any character
            points = np.array([[0, -4 * DIGIT_HEIGHT], [rng.normal(0, 1.5) * DIGIT_HEIGHT, 4 * DIGIT_HEIGHT]])
        elif kind == 3:
            centre, axes = (round(x), round(y)), (max(1, round(size / 2)), max(1, round(size * rng.uniform(0.2, 0.6))))
            cv2.ellipse(
                sheet.ink, centre, axes, rng.uniform(0, 180), 0, rng.uniform(120, 360), level, thick, cv2.LINE_AA
            )
            continue
        elif kind == 4:
            corner = round(x + rng.uniform(3, size)), round(y + rng.uniform(3, size))
            cv2.rectangle(sheet.ink, (round(x), round(y)), corner, level, -1 if rng.random() < 0.5 else thick)
            continue
        else:
            cv2.circle(sheet.ink, (round(x), round(y)), max(1, round(size / 12)), level, -1, cv2.LINE_AA)
            continue
        cv2.polylines(
            sheet.ink, [np.rint(points + np.array([x, y])).astype(np.int32)], False, level, thick, cv2.LINE_AA
        )


def single(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """One or two characters in the middle of the strip, as a crop of a single digit is read."""
    own = pen(rng, glyphs)
    x = SHEET_WIDTH / 2 + rng.uniform(-150, 100)
    text = (
        str(rng.choice(["0", "1", "10", "11"]))
        if rng.random() < 0.2
        else texts.number(rng, 1, 2)
        if rng.random() < 0.7
        else str(rng.choice(list(texts.LOOKALIKES + "()/|[]xACKMnmuwvy+=?")))
    )
    write(sheet, text, own, float(x), rng)


Layout = Callable[[Sheet, Generator, Glyphs], None]
LAYOUTS: dict[Layout, float] = {  # and how frequent each is, relative to the others
    line: 0.9,
    numerals: 0.26,
    boxes: 0.1,
    display: 0.09,
    scribbles: 0.04,
    single: 0.14,
    **strip_kinds.KINDS,
    **strip_hands.KINDS,
}


def draw_strip(rng: Generator, glyphs: Glyphs, layout: Layout | None = None) -> Strip:
    """A random strip, of any layout or of one. The same state of rng and the same glyphs give the same one."""
    sheet = Sheet()
    layouts, shares = list(LAYOUTS), np.array(list(LAYOUTS.values()))
    (layout or layouts[int(rng.choice(len(layouts), p=shares / shares.sum()))])(sheet, rng, glyphs)
    neighbours(sheet, rng, glyphs)
    rules(sheet, rng)
    return strips.finished(sheet, rng)
