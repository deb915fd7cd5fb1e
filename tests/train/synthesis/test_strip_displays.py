from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.runtime.recognizer import OTHER
from digitocr.train.synthesis import strip_displays
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.strips import Mark, Sheet

FONT = Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"  # Matplotlib brings some fonts along


@pytest.fixture(scope="module")
def glyphs():
    return Glyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), [FONT], hands=1)


def sheet_of(layout, seed, glyphs):
    sheet = Sheet()
    layout(sheet, np.random.default_rng(seed), glyphs)
    return sheet


def test_a_wheel_is_one_digit_or_two_or_the_next():
    assert strip_displays._turned(0, 9, 4, 0.0) == Mark(0, 9, 4, 5, 0.0)
    assert strip_displays._turned(0, 9, 9, 0.4) == Mark(0, 9, 9, 0, 0.4)
    assert strip_displays._turned(0, 9, 9, 1.0) == Mark(0, 9, 0)


def test_wheels_between_two_digits_are_doubtful_and_others_are_not(glyphs):
    marks = [
        mark
        for seed in range(40)
        for mark in sheet_of(strip_displays.wheels, seed, glyphs).marks
        if mark.label != OTHER
    ]
    assert all(mark.second == (mark.label + 1) % 10 for mark in marks if mark.share)
    doubtful = np.mean([0.25 < mark.share < 0.75 for mark in marks])
    assert 0.02 < doubtful < 0.4
    assert np.mean([mark.share == 0 for mark in marks]) > 0.5


def test_segments_that_are_off_are_not_marked(glyphs):
    seen = 0
    for seed in range(30):
        sheet = sheet_of(strip_displays.segments, seed, glyphs)
        sheet.ink[:, :2] = 0
        ends = [(round(mark.left), round(mark.right)) for mark in sheet.marks]
        rest = sheet.ink.copy()
        for left, right in ends:
            rest[:, max(left - 2, 0) : max(right + 2, 0)] = 0
        level = rest.max()
        seen += level > 14
        if sheet.bright is None or not sheet.bright:
            assert level <= 110  # ghosts, and the soft edges of what is lit
    assert seen > 3
