"""Layouts of line strips of kinds of their own: displays, wheels, dots, relief, arithmetic, tables, other scripts.

They are layouts like those in strip_layouts.py, which has the list of all: functions that fill a strips.Sheet at
random. Numbers in them are ranges of random draws: sizes in digit heights or pixels of the sheet, and probabilities.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.random import Generator

from digitocr.runtime.opencv import cv2
from digitocr.runtime.recognizer import OTHER
from digitocr.train.synthesis import effects, texts
from digitocr.train.synthesis.dot_matrix import random_dots
from digitocr.train.synthesis.glyphs import Alphabet, Font, Glyphs
from digitocr.train.synthesis.scripts import Scripts
from digitocr.train.synthesis.segments import SEGMENT_LETTERS, random_display
from digitocr.train.synthesis.strip_hands import LEAST_STEP, by_hand
from digitocr.train.synthesis.strip_writing import Pen, pen, start, write
from digitocr.train.synthesis.strips import (
    BASE,
    DIGIT_HEIGHT,
    LEFT,
    SHEET_HEIGHT,
    SHEET_WIDTH,
    Mark,
    Sheet,
    paste,
)
from digitocr.train.synthesis.wheels import draw_wheel, random_turns
from digitocr.train.synthesis.wheels import random_look as random_counter

_BETWEEN = (0.2, 0.8)  # turns; a wheel within shows two digits, and the share of the next one grows from 0 to 1
_LEADER = 3  # points in a row and more are no sign of a number
_NEAREST = -5  # pixels of the sheet; the most that touching digits overlap where their ink is nearest


@lru_cache(maxsize=2)
def _scripts(glyphs: Glyphs) -> Scripts:
    return Scripts(glyphs.scripts)


def _print(glyphs: Glyphs, rng: Generator) -> Font | None:
    """A font that is no handwriting; None where there is none."""
    for _ in range(8):
        if glyphs.fonts and not (font := glyphs.fonts[int(rng.integers(len(glyphs.fonts)))]).handwritten:
            return font
    return None


def _inside(rng: Generator) -> float:
    """Where a short line begins: mostly within the strip."""
    return float(rng.uniform(LEFT, LEFT + 300) if rng.random() < 0.85 else rng.uniform(-100, LEFT))


def _field(sheet: Sheet, left: float, right: float, rng: Generator, tall: float = 1.0) -> None:
    """A filled field behind the writing, which reaches from one place to another or over the whole strip."""
    margin = DIGIT_HEIGHT * float(rng.uniform(0.12, 0.6))
    whole = rng.random() < 0.6
    corner = 0 if whole else round(left - margin), 0 if whole else round(BASE - tall * DIGIT_HEIGHT - margin)
    end = SHEET_WIDTH if whole else round(right + margin), SHEET_HEIGHT if whole else round(BASE + margin)
    cv2.rectangle(sheet.area, corner, end, int(rng.integers(120, 256)), -1)


def _shown(rng: Generator) -> str:
    """What a display with digits shows."""
    kind = rng.random()
    if kind < 0.3:
        return texts.number(rng, 1, 8)
    if kind < 0.6:
        return texts.decimal(rng).replace(",", ".")
    if kind < 0.8:
        return ":".join(f"{rng.integers(60):02d}" for _ in range(int(rng.integers(2, 4))))
    if kind < 0.9:
        return "-" + texts.number(rng, 1, 4)
    return texts.number(rng, 1, 3) + str(rng.choice(["°C", "°F", "°", "C", "F", "H", "L"]))


def segments(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """A display of seven segments: what is off may be seen, empty cells too; with points, units, letters and glow."""
    display = random_display(rng)
    own = Pen(display.alphabet, display.alphabet)
    is_crop = rng.random() < 0.22
    text = texts.number(rng, 1, 1) if is_crop and rng.random() < 0.5 else _shown(rng)
    if rng.random() < 0.08:
        text = "".join(rng.choice(list(SEGMENT_LETTERS + "-"), int(rng.integers(2, 6))))
    width, first = (display.look.width + display.look.space) * DIGIT_HEIGHT, _inside(rng)
    x = first + int(rng.integers(0, 4)) * width * (rng.random() < 0.5)
    end = write(sheet, text, own, x, rng) - 0.5 * DIGIT_HEIGHT
    if display.ghost is not None:
        for mark in list(sheet.marks):
            # the cell of a digit: its right side is that of the ghost
            if mark.label < 10 and text:
                cell = mark.right - (display.ghost.left + display.ghost.width) * DIGIT_HEIGHT
                sheet.put(display.ghost, cell, BASE, DIGIT_HEIGHT, display.strength)
        for place in np.arange(first, x - 0.5 * width, width):
            sheet.put(display.ghost, float(place), BASE, DIGIT_HEIGHT, display.strength)
    lit = rng.random() < 0.4
    if rng.random() < 0.25:
        _bezel(sheet, first, end, rng)
    if rng.random() < 0.06:
        sheet.ink = effects.hollowed(sheet.ink, int(rng.integers(1, 3)))
    if lit:
        sheet.bright = True
        _field(sheet, first, end, rng)
        if rng.random() < 0.6:
            sheet.ink = effects.glowing(sheet.ink, float(rng.uniform(2, 16)), float(rng.uniform(0.2, 1.2)))
    else:
        sheet.bright = False
        if rng.random() < 0.4:
            sheet.contrast = float(np.exp(rng.uniform(np.log(0.15), np.log(0.5))))
        if rng.random() < 0.5:
            _field(sheet, first, end, rng)
        if rng.random() < 0.3:  # the segments of an LCD throw a shadow on what is behind them
            shadow = cv2.blur(sheet.ink, (3, 3))
            aside, down = (int(shift) for shift in rng.integers(-4, 5, 2))
            paste(sheet.ink, shadow, aside, down, float(rng.uniform(0.15, 0.5)))
    if rng.random() < 0.1:
        sheet.ink = effects.scanned(
            sheet.ink, float(rng.uniform(2, 7)), float(rng.uniform(0.2, 0.8)), rng.random() < 0.5
        )
    if is_crop:
        _crop(sheet, first, BASE - DIGIT_HEIGHT, end, BASE, rng)
    elif rng.random() < 0.35:
        _unit(sheet, str(rng.choice(texts.UNITS)), end + float(rng.uniform(0.1, 1)) * DIGIT_HEIGHT, rng, glyphs)


def _unit(sheet: Sheet, unit: str, x: float, rng: Generator, glyphs: Glyphs) -> None:
    """A unit behind a number; bright writing stands on a field, which goes on below it."""
    words = glyphs.words(rng)
    end = write(sheet, unit, Pen(words, words, float(rng.uniform(0.3, 0.8)) * DIGIT_HEIGHT), x, rng)
    if sheet.bright:
        above, below = DIGIT_HEIGHT * rng.uniform([1.0, 0.2], [1.4, 0.5])
        corner = round(x - DIGIT_HEIGHT / 2), round(BASE - above)
        cv2.rectangle(sheet.area, corner, (round(end), round(BASE + below)), 255, -1)


def _bezel(sheet: Sheet, left: float, right: float, rng: Generator) -> None:
    """The edge of a display or its frame around the writing."""
    thick = max(1, round(float(np.exp(rng.uniform(0, np.log(24))))))
    above, below, aside = (thick / 2 + DIGIT_HEIGHT * float(rng.uniform(0.1, 0.8)) for _ in range(3))
    corner = round(left - aside), round(BASE - DIGIT_HEIGHT - above)
    cv2.rectangle(
        sheet.rule, corner, (round(right + aside), round(BASE + below)), int(rng.integers(60, 256)), thick, cv2.LINE_AA
    )


def _crop(sheet: Sheet, left: float, top: float, right: float, bottom: float, rng: Generator) -> None:
    """Has the picture end near or at the writing."""
    ends = [(mark.left, mark.right) for mark in sheet.marks]
    left, right = min([left, *(end[0] for end in ends)]), max([right, *(end[1] for end in ends)])
    aside, above, below = DIGIT_HEIGHT * rng.uniform(0, np.where(rng.random(3) < 0.5, 0.12, 0.6))
    sheet.crop = float(left - aside), float(top - above), float(right + aside), float(bottom + below)


def wheels(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """A counter: most wheels stand, the last one is anywhere, and some are red or inverted."""
    fonts = [font for font in (_print(glyphs, rng) for _ in range(3)) if font is not None]
    if not fonts:
        return
    look = random_counter(rng, fonts)
    tight = rng.random() < 0.35  # the picture is cut out within the windows
    if tight:
        look = look._replace(space=0.0, frame=0.0)
    count = int(rng.integers(1, 9)) if rng.random() < (0.45 if tight else 0.8) else 1
    turns = random_turns(count, rng) if rng.random() < 0.8 else rng.uniform(0, 1, count)
    decimals = int(rng.integers(1, 4)) if rng.random() < 0.4 else 0
    inverted, height = rng.random() < 0.25, DIGIT_HEIGHT * float(rng.uniform(0.9, 1.1))
    red = look._replace(drum=int(rng.integers(60, 150)))
    step, high = (look.window[0] + look.space) * height, look.window[1] * height
    x = first = _inside(rng)
    top, margin = round(BASE - height / 2 - high / 2), height * float(rng.uniform(0.05, 0.4))
    left, right = round(first - margin), round(first + count * step + margin)
    cv2.rectangle(sheet.area, (left, round(top - margin)), (right, round(top + high + margin)), 255, -1)
    if look.case > look.drum:
        case = np.full((round(high + 2 * margin), max(1, right - left)), look.case, np.uint8)
        sheet.paste(case, left, top - margin)
    flips = rng.random() < 0.1
    for place, turn in enumerate(turns):
        digit = int(texts.number(rng, 1, 1))
        wheel = draw_wheel(
            red if place >= count - decimals else look, digit, 0.0 if flips else float(turn), height, rng
        )
        ink = 255 - wheel.ink if inverted and place < count - decimals else wheel.ink
        left = round(x)
        spot = sheet.ink[max(top, 0) : top + ink.shape[0], max(left, 0) : max(left + ink.shape[1], 0)]
        cut = ink[max(-top, 0) :, max(-left, 0) :]
        spot[:] = cut[: spot.shape[0], : spot.shape[1]]
        if flips:
            middle = round(top + ink.shape[0] / 2)
            cv2.line(sheet.ink, (left, middle), (left + ink.shape[1], middle), 0 if not inverted else 255, 2)
        turn = 0.0 if flips else float(turn)
        share = float(np.clip((turn - _BETWEEN[0]) / (_BETWEEN[1] - _BETWEEN[0]), 0, 1))
        broad = max(look.digits[digit].width, look.digits[(digit + 1) % 10].width if share else 0) * look.wide * height
        sheet.marks.append(_turned(left + wheel.left - broad / 2, left + wheel.left + broad / 2, digit, share))
        x += step
    sheet.bright = bool(rng.random() < 0.75)
    if tight:
        if rng.random() < 0.4:
            _cut_out(sheet, round(first), round(x), top, round(top + high))
        else:
            _crop(sheet, first, top, x, top + high, rng)
        return
    if rng.random() < 0.3:
        unit = str(rng.choice(["m³", "kWh", "m3", "km", "l", "gal", "mi", "ft³"]))
        _unit(sheet, unit, x + 12 + margin, rng, glyphs)


def _cut_out(sheet: Sheet, left: int, right: int, top: int, bottom: int) -> None:
    """Repeats the edges of a part of the ink over all that is around it."""
    left, right, top, bottom = max(left, 0), min(right, SHEET_WIDTH), max(top, 0), min(bottom, SHEET_HEIGHT)
    if right - left > 1 and bottom - top > 1:
        around = top, SHEET_HEIGHT - bottom, left, SHEET_WIDTH - right
        sheet.ink = np.asarray(
            cv2.copyMakeBorder(sheet.ink[top:bottom, left:right], *around, cv2.BORDER_REPLICATE), np.uint8
        )
        sheet.area[:] = 255


def _turned(left: float, right: float, digit: int, share: float) -> Mark:
    """The mark of a wheel; share: of the digit that follows."""
    following = (digit + 1) % 10
    return Mark(left, right, digit, following, share) if share < 1 else Mark(left, right, following)


def dots(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """A line of a dot matrix display or printer, or of an ink-jet."""
    alphabet = random_dots(rng, _print(glyphs, rng) if rng.random() < 0.4 else None)
    own = Pen(alphabet, alphabet, gap=0.0, uneven=float(rng.choice([0.0, rng.uniform(0, 0.03)])))
    kind = (texts.number, texts.decimal, texts.date, texts.time, texts.labelled, texts.code, texts.text)
    text = kind[int(rng.choice(len(kind), p=[0.25, 0.15, 0.15, 0.1, 0.15, 0.1, 0.1]))](rng)
    first = _inside(rng)
    end = write(sheet, text, own, first, rng)
    if rng.random() < 0.5:
        sheet.bright = bool(rng.random() < 0.6)
        _field(sheet, first, end, rng)
        if sheet.bright and rng.random() < 0.5:
            sheet.ink = effects.glowing(sheet.ink, float(rng.uniform(2, 10)), float(rng.uniform(0.2, 1.0)))
        elif rng.random() < 0.25:  # all dots of the display are seen faintly
            pitch = DIGIT_HEIGHT / 7
            grid = np.full((SHEET_HEIGHT, SHEET_WIDTH), int(rng.integers(10, 50)), np.uint8)
            grid = effects.scanned(effects.scanned(grid, pitch, 1.0), pitch, 1.0, across=True)
            sheet.ink = np.maximum(sheet.ink, grid)


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
    first = _inside(rng)
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
        _field(sheet, first, end, rng)
        sheet.ink = effects.glowing(sheet.ink, float(rng.uniform(2, 14)), float(rng.uniform(0.3, 1.2)))


def ringed(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Numbers or letters each in a ring or a box of its own."""
    own = pen(rng, glyphs)
    size, thick = DIGIT_HEIGHT * float(rng.uniform(0.7, 1.0)), float(rng.uniform(1.5, 6))
    filled, state, x = rng.random() < 0.2, int(rng.integers(1 << 31)), _inside(rng)
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
    write(sheet, text, own, _inside(rng), rng)
    if rng.random() < 0.3:
        _warp(sheet, rng)


def touching(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:
    """Digits by hand that touch or nearly touch, each as near to the last one as their ink allows."""
    alphabet = glyphs.alphabet(rng, ("mnist", "mnist", "mnist", "strokes", "hand-font"))
    nearest, uneven = float(rng.uniform(_NEAREST, 3)), float(rng.uniform(0, 0.06))
    by_ink = rng.random() < 0.6
    x, middle, last = _inside(rng), 0.0, None
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
    from_, to = (-9, SHEET_HEIGHT + 9) if whole else (round(top), round(top + tall))
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
    font = _print(glyphs, rng)
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
    scripts = _scripts(glyphs)
    if not scripts.scripts:
        return
    own = pen(rng, glyphs)
    numbers, script = float(rng.choice([0.0, 0.3, 0.5])), str(rng.choice(scripts.scripts))
    size, x = float(rng.uniform(0.85, 1.25)) * DIGIT_HEIGHT, start(rng)
    apart = float(rng.uniform(0.3, 2)) * DIGIT_HEIGHT if rng.random() < 0.25 else 0.0  # an alphabet, letter by letter
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
    foreign: 0.09,
}
