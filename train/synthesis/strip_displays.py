"""Layouts of line strips of displays: seven segments, counter wheels, dot matrix.

They are layouts like those in strip_layouts.py, which has the list of all. Numbers in them are ranges of random draws:
sizes in digit heights or pixels of the sheet, and probabilities.
"""

import numpy as np
from numpy.random import Generator

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis import effects, texts
from digitocr.train.synthesis.dot_matrix import random_dots
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.segments import SEGMENT_LETTERS, random_display
from digitocr.train.synthesis.strip_writing import Pen, field, inside, print_font, write
from digitocr.train.synthesis.strips import BASE, DIGIT_HEIGHT, SHEET_HEIGHT, SHEET_WIDTH, Mark, Sheet, paste
from digitocr.train.synthesis.wheels import draw_wheel, random_turns
from digitocr.train.synthesis.wheels import random_look as random_counter

_BETWEEN = (0.2, 0.8)  # turns; a wheel within shows two digits, and the share of the next one grows from 0 to 1


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
    width, first = (display.look.width + display.look.space) * DIGIT_HEIGHT, inside(rng)
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
        field(sheet, first, end, rng)
        if rng.random() < 0.6:
            sheet.ink = effects.glowing(sheet.ink, float(rng.uniform(2, 16)), float(rng.uniform(0.2, 1.2)))
    else:
        sheet.bright = False
        if rng.random() < 0.4:
            sheet.contrast = float(np.exp(rng.uniform(np.log(0.15), np.log(0.5))))
        if rng.random() < 0.5:
            field(sheet, first, end, rng)
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
    fonts = [font for font in (print_font(glyphs, rng) for _ in range(3)) if font is not None]
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
    x = first = inside(rng)
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
    alphabet = random_dots(rng, print_font(glyphs, rng) if rng.random() < 0.4 else None)
    own = Pen(alphabet, alphabet, gap=0.0, uneven=float(rng.choice([0.0, rng.uniform(0, 0.03)])))
    kind = (texts.number, texts.decimal, texts.date, texts.time, texts.labelled, texts.code, texts.text)
    text = kind[int(rng.choice(len(kind), p=[0.25, 0.15, 0.15, 0.1, 0.15, 0.1, 0.1]))](rng)
    first = inside(rng)
    end = write(sheet, text, own, first, rng)
    if rng.random() < 0.5:
        sheet.bright = bool(rng.random() < 0.6)
        field(sheet, first, end, rng)
        if sheet.bright and rng.random() < 0.5:
            sheet.ink = effects.glowing(sheet.ink, float(rng.uniform(2, 10)), float(rng.uniform(0.2, 1.0)))
        elif rng.random() < 0.25:  # all dots of the display are seen faintly
            pitch = DIGIT_HEIGHT / 7
            grid = np.full((SHEET_HEIGHT, SHEET_WIDTH), int(rng.integers(10, 50)), np.uint8)
            grid = effects.scanned(effects.scanned(grid, pitch, 1.0), pitch, 1.0, across=True)
            sheet.ink = np.maximum(sheet.ink, grid)
