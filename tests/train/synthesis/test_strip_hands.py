from itertools import pairwise

import numpy as np
import pytest

from digitocr.runtime.recognizer import OTHER
from digitocr.train.synthesis import strip_hands, strip_layouts
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.strips import DIGIT_HEIGHT, SHEET_WIDTH, Sheet, finished


def rng(*seed):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def glyphs():
    """Images whose digits are bars as wide as the digit plus 3 pixels."""
    images = np.zeros((10, 28, 28), np.uint8)
    for digit in range(10):
        images[digit, 4:24, 10 : 13 + digit] = 255
    return Glyphs(images, np.arange(10, dtype=np.uint8), [], hands=2)


def sheets(layout, glyphs, count=40):
    for seed in range(count):
        sheet = Sheet()
        layout(sheet, rng(seed), glyphs)
        yield sheet


def test_the_layouts_by_hand_are_drawn():
    assert set(strip_hands.KINDS) <= set(strip_layouts.LAYOUTS)


def test_digits_of_a_row_are_apart_or_joined_and_each_has_a_middle_of_its_own(glyphs):
    gaps = []
    for sheet in sheets(strip_hands.row, glyphs):
        assert {mark.label for mark in sheet.marks} <= set(range(10))
        for before, after in pairwise(sheet.marks):
            gaps.append((after.left - before.right) / 2)  # pixels of MNIST, about
            step = (after.left + after.right - before.left - before.right) / 2
            assert step >= strip_hands.LEAST_STEP * DIGIT_HEIGHT - 1
        for mark in sheet.marks:
            if 0 < mark.left < mark.right < SHEET_WIDTH:
                ink = sheet.ink[:, round(mark.left) : round(mark.right)].max(axis=0)
                assert (ink > 90).mean() > 0.8
    assert np.mean(np.array(gaps) < 0) > 0.1
    assert np.mean(np.array(gaps) > 10) > 0.1


def test_without_mnist_a_row_is_of_drawn_digits():
    bare = Glyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), [], hands=2)
    assert sum(len(sheet.marks) for sheet in sheets(strip_hands.row, bare, 5)) > 5


def test_letters_are_no_digits_and_numbers_stand_among_them_at_times(glyphs):
    labels = [mark.label for sheet in sheets(strip_hands.letters, glyphs) for mark in sheet.marks]
    assert 0.5 < np.mean(np.array(labels) == OTHER) < 1


def test_every_sheet_becomes_a_strip(glyphs):
    for layout in strip_hands.KINDS:
        for seed, sheet in enumerate(sheets(layout, glyphs, 4)):
            one = finished(sheet, rng(seed))
            np.testing.assert_array_equal(one.image, finished(sheet, rng(seed)).image)
