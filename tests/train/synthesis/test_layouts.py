import numpy as np
import pytest

from digitocr.train.synthesis import layouts as module
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.layouts import LAYOUTS, ODDS, giant, lines, one_line
from digitocr.train.synthesis.sheet import NO_DIGIT, Sheet


@pytest.fixture(scope="module")
def glyphs():
    return Glyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), [], hands=2)


def test_the_layouts_are_drawn_by_chances_that_sum_to_one():
    assert len(LAYOUTS) == len(ODDS)
    assert ODDS.sum() == pytest.approx(1)
    assert (ODDS > 0).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_seed_sets_the_same_sheet(layout, glyphs):
    one, same, other = Sheet(), Sheet(), Sheet()
    for sheet, seed in ((one, 3), (same, 3), (other, 4)):
        for number in range(5):
            layout(sheet, np.random.default_rng((seed, number)), glyphs)

    def told(sheet):
        return (
            [(label, matrix.tolist(), strength) for _, label, matrix, strength in sheet.items],
            [(points.tolist(), thick, strength) for points, thick, strength in sheet.rules],
        )

    assert told(one) == told(same) != told(other)


def test_a_giant_is_far_too_large(glyphs):
    large = Sheet()
    giant(large, np.random.default_rng(0), glyphs)
    glyph, label, matrix, _ = large.items[0]
    assert label < NO_DIGIT
    assert np.sqrt(abs(np.linalg.det(matrix[:, :2]))) * glyph.ink.shape[0] >= 180


def test_the_digits_of_a_pen_that_skips_differ_in_strength(glyphs, monkeypatch):
    monkeypatch.setattr(module, "FADING", 1)
    sheet = Sheet()
    lines(sheet, np.random.default_rng(0), glyphs)
    strengths = [strength for _, _, _, strength in sheet.items]
    assert len(strengths) >= 4
    assert 0.25 <= min(strengths) < max(strengths) <= 1


def test_one_line_writes_what_it_says(glyphs):
    for seed in range(40):
        sheet = Sheet()
        text = one_line(sheet, np.random.default_rng(seed), glyphs)
        assert len(sheet.items) == len(text.replace(" ", ""))
        assert [label for _, label, _, _ in sheet.items if label < 10] == [int(one) for one in text if one.isdecimal()]
