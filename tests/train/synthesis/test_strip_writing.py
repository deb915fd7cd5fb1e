import numpy as np
import pytest

from digitocr.runtime.recognizer import CLASSES
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.strip_writing import glyph_of, pen, start, write
from digitocr.train.synthesis.strips import DIGIT_HEIGHT, LEFT, SHEET_WIDTH, Sheet


@pytest.fixture(scope="module")
def glyphs():
    return Glyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), [], hands=2)


def rng(*seed):
    return np.random.default_rng(seed)


def written(text, glyphs, seed=0):
    """The sheet with a text, and where it ends."""
    sheet = Sheet()
    return sheet, write(sheet, text, pen(rng(seed), glyphs), LEFT, rng(seed, 1))


def names(sheet):
    """The marks from left to right as characters, "*" for other."""
    return "".join([*CLASSES, "*"][mark.label] for mark in sorted(sheet.marks))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("4071", "4071"),
        ("-12.5", "-12.5"),
        ("12 ab 3", "12*3"),
        ("7kg", "7*"),
        ("a1b22", "*1*22"),
        ("(12)", "*12*"),
        ("No. 5", "*5"),  # the point is a part of the word
        ("3 + 4", "3+4"),
        ("e-mail", "*"),
        ("15/08/2026", "15/08/2026"),
    ],
)
def test_digits_and_signs_of_numbers_are_marked_each_and_a_run_of_other_writing_as_one(text, marks, seed, glyphs):
    sheet, end = written(text, glyphs, seed)
    assert names(sheet) == marks
    assert end > max(mark.right for mark in sheet.marks) - 20


def test_there_is_ink_between_the_borders_of_every_mark(glyphs):
    for seed in range(20):
        sheet, _ = written("40.71 kg", glyphs, seed)
        for mark in sheet.marks:
            left, right = int(max(mark.left, 0)), int(np.ceil(mark.right))
            assert right > SHEET_WIDTH or sheet.ink[:, left:right].max() > 60
        ends = [(mark.left, mark.right) for mark in sheet.marks]
        outside = np.ones(SHEET_WIDTH, bool)
        for left, right in ends:
            outside[max(int(left) - 1, 0) : int(right) + 2] = False
        assert sheet.ink[:, outside].max(initial=0) == 0


def test_a_pen_of_the_kinds_wanted_writes_all_digits(glyphs):
    for seed in range(12):
        own = pen(rng(seed), glyphs, ("segments", "strokes"))
        assert own.digits.kind in ("segments", "strokes")
        assert (own.height, own.gap > -0.2, 0 < own.strength <= 1) == (DIGIT_HEIGHT, True, True)
        for label in range(10):
            assert glyph_of(str(label), label, own, rng(seed)).ink.max() > 100


def test_a_line_starts_within_the_strip_or_before_it():
    starts = np.array([start(rng(seed)) for seed in range(200)])
    assert 0.4 < (starts >= LEFT).mean() < 0.8
    assert starts.max() < SHEET_WIDTH / 2
