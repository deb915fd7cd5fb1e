"""Layouts of line strips of kinds of their own: relief, rings, arithmetic, touching digits, tables, other scripts.

They are layouts like those in strip_layouts.py, which has the list of all: functions that fill a strips.Sheet at
random. Numbers in them are ranges of random draws: sizes in digit heights or pixels of the sheet, and probabilities.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from digitocr.runtime.opencv import cv2
from digitocr.runtime.recognizer import OTHER
from digitocr.train.synthesis import effects, texts
from digitocr.train.synthesis.glyphs import Alphabet, Glyphs
from digitocr.train.synthesis.scripts import scripts_of
from digitocr.train.synthesis.strip_displays import dots, segments, wheels
from digitocr.train.synthesis.strip_hands import LEAST_STEP, by_hand
from digitocr.train.synthesis.strip_writing import Pen, field, inside, pen, print_font, start, write
from digitocr.train.synthesis.strips import (
    BASE,
    DIGIT_HEIGHT,
    SHEET_HEIGHT,
    SHEET_WIDTH,
    TALLEST_ONE,
    Mark,
    Sheet,
    paste,
)

_LEADER = 3  # points in a row and more are no sign of a number
_NEAREST = -5  # pixels of the sheet; the most that touching digits overlap where their ink is nearest


def altered(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """A line whose ink is outlined, hollow, embossed, worn, chalk, a hairline, a marker or on a screen."""
    kind = str(
        rng.choice(
            ["outlined", "hollowed", "relief", "worn", "chalk", "hairline", "marker", "screen", "glow"],
            p=[0.1, 0.12, 0.22, 0.14, 0.13, 0.1, 0.09, 0.05, 0.05],
        )
    )
    own = pen(rng, glyphs)
    if kind in ("outlined", "relief"):
        own = replace(own, gap=max(own.gap, 0.08), strength=1.0)
    text = texts.number(rng, 1, 8) if rng.random() < 0.4 else texts.text(rng)
    first = inside(rng)
    end = write(sheet, text, own, first, rng)
    if kind == "outlined":
        sheet.ink = effects.outlined(sheet.ink, int(rng.integers(1, 4)))
    elif kind == "hollowed":
        sheet.ink = effects.hollowed(sheet.ink, int(rng.integers(1, 3)))
    elif kind == "relief":
        sheet.relief = effects.relief(sheet.ink, rng, float(rng.uniform(0.8, 3.5)))
        rest = float(rng.choice([0.0, 0.0, rng.uniform(0, 0.5)]))
        sheet.ink = cv2.convertScaleAbs(sheet.ink, alpha=rest)
    elif kind in ("worn", "chalk"):
        sheet.ink = effects.stamped(sheet.ink, rng, DIGIT_HEIGHT, float(rng.uniform(0.2, 0.9)))
        if kind == "chalk":
            sheet.bright = True
            sheet.area[:] = int(rng.integers(180, 256))
    elif kind == "hairline":
        sheet.ink = effects.penned(sheet.ink, -float(rng.uniform(1, 4)))
    elif kind == "marker":
        sheet.ink = effects.penned(sheet.ink, float(rng.uniform(1.5, 5)))
    elif kind == "screen":
        across = rng.random() < 0.5
        sheet.ink = effects.scanned(sheet.ink, float(rng.uniform(2, 8)), float(rng.uniform(0.2, 0.9)), across)
    else:
        sheet.bright = True
        field(sheet, first, end, rng)
        sheet.ink = effects.glowing(sheet.ink, float(rng.uniform(2, 14)), float(rng.uniform(0.3, 1.2)))


def ringed(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Numbers or letters each in a ring or a box of its own."""
    own = pen(rng, glyphs)
    size, thick = DIGIT_HEIGHT * float(rng.uniform(0.7, 1.0)), float(rng.uniform(1.5, 6))
    filled, state, x = rng.random() < 0.2, int(rng.integers(1 << 31)), inside(rng)
    for _ in range(int(rng.integers(1, 7))):
        before = len(sheet.marks)
        text = texts.number(rng, 1, 2) if rng.random() < 0.88 else str(rng.choice(list("ABCDEFPRWXa?!i")))
        line = replace(own, height=size, base=BASE - (DIGIT_HEIGHT - size) / 2, uneven=0.0, gap=max(own.gap, 0.0))
        write(sheet, text, line, x, rng)
        if len(sheet.marks) == before:
            continue
        left, right = min(mark.left for mark in sheet.marks[before:]), max(mark.right for mark in sheet.marks[before:])
        box = (left, line.base - size, right - left, size)
        again = np.random.default_rng(state)  # all rings of a line are alike
        ring = effects.ringed((SHEET_HEIGHT, SHEET_WIDTH), box, again, thick)
        middle = round((left + right) / 2), round(BASE - DIGIT_HEIGHT / 2)
        if filled and 0 <= middle[0] < SHEET_WIDTH:
            cv2.floodFill(ring, None, middle, 255)
            sheet.area = np.maximum(sheet.area, ring)
        elif rng.random() < 0.6:
            sheet.ink = np.maximum(sheet.ink, ring)
        else:
            sheet.rule = np.maximum(sheet.rule, ring)
        x = right + size * float(rng.uniform(1.0, 2.5))
        if x > SHEET_WIDTH:
            break
    if filled:
        sheet.bright = bool(rng.random() < 0.8)


def arithmetic(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Arithmetic, dates, prices and the like by hand, with signs of the same pen."""
    signed = by_hand(rng, glyphs)
    gap = float(rng.choice([-0.08, 0.0, 0.08, 0.2, 0.4], p=[0.08, 0.17, 0.3, 0.3, 0.15]))
    strength = float(rng.uniform(0.35, 1)) if rng.random() < 0.25 else 1.0
    own = Pen(signed, signed, DIGIT_HEIGHT, BASE, gap, float(rng.uniform(0, 0.08)), strength)
    kinds = (
        texts.equation,
        texts.algebra,
        texts.date,
        texts.decimal,
        texts.time,
        texts.bracketed,
        texts.amount,
        texts.groups,
    )
    text = kinds[int(rng.choice(len(kinds), p=[0.3, 0.26, 0.13, 0.1, 0.05, 0.08, 0.04, 0.04]))](rng)
    write(sheet, text, own, inside(rng), rng)
    if rng.random() < 0.3:
        _warp(sheet, rng)


def touching(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Digits by hand that touch or nearly touch, each as near to the last one as their ink allows."""
    alphabet = glyphs.alphabet(rng, ("mnist", "mnist", "mnist", "strokes", "hand-font"))
    nearest, uneven = float(rng.uniform(_NEAREST, 3)), float(rng.uniform(0, 0.06))
    by_ink = rng.random() < 0.6
    x, middle, last = inside(rng), 0.0, None
    numbers = [texts.number(rng, 2, 9)]
    while rng.random() < 0.5:
        numbers.append(texts.number(rng, 1, 9))
    for character in " ".join(numbers):
        if character == " ":
            x, last = x + DIGIT_HEIGHT * float(rng.uniform(0.5, 3)), None
            continue
        glyph = alphabet.digit(int(character), rng)
        height, base = (
            DIGIT_HEIGHT * float(np.exp(rng.normal(0, uneven))),
            BASE + DIGIT_HEIGHT * float(rng.normal(0, uneven)),
        )
        wide, high = max(2, round(glyph.width * height)), max(2, round(glyph.height * height))
        ink = cv2.resize(glyph.ink, (wide, high), interpolation=cv2.INTER_AREA)
        top = round(base + glyph.top * height)
        front = np.full(SHEET_HEIGHT, np.inf)
        rows = np.arange(max(top, 0), min(top + high, SHEET_HEIGHT))
        dark = ink[rows - top] > 90
        front[rows[dark.any(axis=1)]] = dark.argmax(axis=1)[dark.any(axis=1)]
        if last is not None:
            room = front - last if by_ink else np.array([-x])
            left = float(-room[np.isfinite(room)].min()) if np.isfinite(room).any() else x
            x = max(left, x - 0.5 * DIGIT_HEIGHT) + nearest + float(rng.normal(0, 0.7))
            x = max(x, middle + LEAST_STEP * DIGIT_HEIGHT - wide / 2)
        middle = x + wide / 2
        sheet.paste(ink, x, top)
        sheet.marks.append(Mark(x, x + wide, int(character)))
        last = np.full(SHEET_HEIGHT, -np.inf)
        last[rows[dark.any(axis=1)]] = x + wide - dark[:, ::-1].argmax(axis=1)[dark.any(axis=1)]
        x += wide
        if x > SHEET_WIDTH:
            break
    if rng.random() < 0.5:
        _warp(sheet, rng)


def _warp(sheet: Sheet, rng: Generator) -> None:
    """Bends the ink a little, smoothly."""
    amount, cells = float(rng.uniform(0.5, 3)), int(rng.integers(8, 30))
    small = rng.standard_normal((2, 3, cells), np.float32) * np.float32(amount)
    dx, dy = (cv2.resize(part, (SHEET_WIDTH, SHEET_HEIGHT), interpolation=cv2.INTER_CUBIC) for part in small)
    columns, rows = np.arange(SHEET_WIDTH, dtype=np.float32), np.arange(SHEET_HEIGHT, dtype=np.float32)[:, None]
    sheet.ink = np.asarray(cv2.remap(sheet.ink, dx + columns, dy + rows, cv2.INTER_LINEAR), np.uint8)


def table(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """A row of a table: cells between upright rules, near or far from what is written in them."""
    own = pen(rng, glyphs)
    thick, level = max(1, round(float(np.exp(rng.uniform(np.log(0.8), np.log(5)))))), int(rng.integers(60, 256))
    tall = DIGIT_HEIGHT * float(rng.uniform(1.2, 2.2))
    top, x = BASE - DIGIT_HEIGHT / 2 - tall / 2, float(rng.uniform(-60, 120))
    whole = rng.random() < 0.8
    beyond = max(0.0, TALLEST_ONE * DIGIT_HEIGHT - tall) / 2
    from_, to = (-9, SHEET_HEIGHT + 9) if whole else (round(top - beyond), round(top + tall + beyond))
    words = rng.random() < 0.4
    for _ in range(12):
        cv2.line(sheet.rule, (round(x), from_), (round(x), to), level, thick, cv2.LINE_AA)
        x += thick / 2 + DIGIT_HEIGHT * float(rng.uniform(0.06, 0.8))
        kind = rng.random()
        if kind < 0.85:
            text = (
                texts.word(rng)[:6]
                if words and kind < 0.25
                else texts.decimal(rng)
                if kind < 0.4
                else texts.number(rng, 1, 5)
            )
            before = len(sheet.marks)
            write(sheet, text, own, x, rng)
            x = max((mark.right for mark in sheet.marks[before:]), default=x)
        else:
            x += DIGIT_HEIGHT * float(rng.uniform(0.3, 2))
        x += thick / 2 + DIGIT_HEIGHT * float(rng.uniform(0.06, 0.8))
        if x > SHEET_WIDTH:
            break
    cv2.line(sheet.rule, (round(x), from_), (round(x), to), level, thick, cv2.LINE_AA)
    for y in (top, top + tall):
        if rng.random() < 0.7:
            cv2.line(sheet.rule, (0, round(y)), (SHEET_WIDTH, round(y)), level, thick, cv2.LINE_AA)


def receipt(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """A line of a receipt or a label: words, then an amount, with a space or points between them."""
    font = print_font(glyphs, rng)
    if font is None:
        return
    letters = Alphabet("font", lambda digit, _: font.glyph(str(digit)), lambda letter, _: font.glyph(letter))
    own = Pen(letters, letters, gap=float(rng.choice([0.0, 0.04, 0.1])), strength=float(rng.uniform(0.4, 1)))
    words = " ".join(
        texts.word(rng) if rng.random() < 0.5 else str(rng.choice(texts.LABELS)) for _ in range(int(rng.integers(1, 3)))
    )
    words = words.upper() if rng.random() < 0.5 else words
    if rng.random() < 0.3:
        words = (
            f"{rng.integers(1, 20)} x {words}"
            if rng.random() < 0.5
            else f"{words} {texts.number(rng, 1, 3)}{rng.choice(['%', 'g', 'ml', 'X', 'PK'])}"
        )
    x = write(sheet, words, own, float(rng.uniform(-200, 120)), rng)
    leader = int(rng.integers(0, 12))
    if leader >= _LEADER and rng.random() < 0.4:
        before = len(sheet.marks)
        end = write(sheet, "." * leader, own, x, rng)
        if len(sheet.marks) > before:
            sheet.marks[before:] = [Mark(sheet.marks[before].left, sheet.marks[-1].right, OTHER)]
        x = end
    else:
        x += leader * 0.4 * DIGIT_HEIGHT
    price = f"{rng.integers(0, 1000)}{rng.choice(['.', ','], p=[0.75, 0.25])}{rng.integers(0, 100):02d}"
    mark = str(rng.choice(["", "$", "€", "-"], p=[0.6, 0.2, 0.1, 0.1]))
    write(
        sheet,
        mark + price + str(rng.choice(["", " A", " B", " EUR", "€", "*"], p=[0.6, 0.1, 0.08, 0.08, 0.08, 0.06])),
        own,
        x,
        rng,
    )
    if rng.random() < 0.3:
        sheet.ink = effects.stamped(sheet.ink, rng, DIGIT_HEIGHT, float(rng.uniform(0.1, 0.6)))


def shining_through(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """A line on thin paper, with the mirrored print of the other side, or with old writing that was wiped away."""
    other = Sheet()
    below = pen(rng, glyphs)
    height = DIGIT_HEIGHT * float(rng.uniform(0.6, 1.8))
    write(other, texts.text(rng), replace(below, height=height, base=BASE + float(rng.normal(0, 15))), start(rng), rng)
    mirrored = other.ink[:, ::-1] if rng.random() < 0.8 else other.ink
    faint = cv2.GaussianBlur(np.ascontiguousarray(mirrored), (0, 0), float(rng.uniform(0.8, 4)))
    paste(sheet.ink, faint, int(rng.integers(-200, 200)), 0, float(rng.uniform(0.08, 0.4)))
    if rng.random() < 0.8:
        write(sheet, texts.text(rng), pen(rng, glyphs), start(rng), rng)


def foreign(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Words of other scripts or icons, with numbers among them or alone."""
    scripts = scripts_of(glyphs.scripts)
    if not scripts.scripts:
        return
    own = pen(rng, glyphs)
    numbers, script = float(rng.choice([0.0, 0.3, 0.5])), str(rng.choice(scripts.scripts))
    script = "cyrillic" if "cyrillic" in scripts.scripts and rng.random() < 0.25 else script  # most like Latin letters
    size, x = float(rng.uniform(0.85, 1.25)) * DIGIT_HEIGHT, start(rng)
    apart = float(rng.uniform(0.3, 2)) * DIGIT_HEIGHT if rng.random() < 0.35 else 0.0  # an alphabet, letter by letter
    for _ in range(int(rng.integers(1, 8))):
        if rng.random() < numbers:
            kind = (texts.number, texts.decimal, texts.date, texts.time)[int(rng.choice(4, p=[0.6, 0.2, 0.1, 0.1]))]
            x = write(sheet, kind(rng), own, x, rng)
        else:
            word, letter = scripts.word(rng, script)
            left = x
            for character in word:
                glyph = letter(character, rng)
                sheet.put(glyph, x, BASE, size, own.strength)
                x += glyph.advance * size
                if apart:
                    sheet.marks.append(Mark(left, x, OTHER))
                    left = x = x + apart
            if x > left:
                sheet.marks.append(Mark(left, x, OTHER))
        x += DIGIT_HEIGHT * float(rng.choice([0.02, 0.3, 0.8]))
        if x > SHEET_WIDTH:
            break


KINDS: Mapping[Callable[[Sheet, Generator, Glyphs], None], float] = {  # and the share of each, beside strip_layouts.py
    segments: 0.18,
    wheels: 0.15,
    dots: 0.06,
    altered: 0.09,
    ringed: 0.03,
    arithmetic: 0.2,
    touching: 0.15,
    table: 0.06,
    receipt: 0.05,
    shining_through: 0.03,
    foreign: 0.12,
}
