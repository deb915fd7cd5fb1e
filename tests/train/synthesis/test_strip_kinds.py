from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.runtime.recognizer import CLASSES, OTHER
from digitocr.train.synthesis import strip_kinds, strip_layouts, strips
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.strips import Sheet

BUNDLED = Path(get_data_path()) / "fonts" / "ttf"  # Matplotlib brings some fonts along
LAYOUTS = {layout.__name__: layout for layout in strip_kinds.KINDS}


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def glyphs():
    labels = np.arange(10, dtype=np.uint8)
    images = np.zeros((10, 28, 28), np.uint8)
    images[:, 4:24, 8:20] = 255
    fonts = [BUNDLED / "DejaVuSans.ttf", BUNDLED / "DejaVuSansMono.ttf"]
    return Glyphs(images, labels, fonts, hands=4, scripts=[BUNDLED / "DejaVuSans.ttf"])


def sheet_of(name, seed, glyphs):
    sheet = Sheet()
    LAYOUTS[name](sheet, rng(seed), glyphs)
    return sheet


def marked(sheet):
    return [mark for mark in sheet.marks if 0 < mark.left < mark.right < strips.SHEET_WIDTH]


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_draws_what_it_marks(name, glyphs):
    written = 0
    for seed in range(6):
        sheet = sheet_of(name, seed, glyphs)
        assert sheet.ink.shape == sheet.rule.shape == sheet.area.shape == (strips.SHEET_HEIGHT, strips.SHEET_WIDTH)
        assert {sheet.ink.dtype, sheet.rule.dtype, sheet.area.dtype} == {np.dtype(np.uint8)}
        for mark in marked(sheet):
            assert 0 <= mark.label <= OTHER
            plane = sheet.ink if sheet.relief is None else np.abs(sheet.relief)
            assert plane[:, round(mark.left) : max(round(mark.right), round(mark.left) + 1)].max() > 0
            written += 1
    assert written > 3


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_same_state_draws_the_same(name, glyphs):
    one, same, other = (strips.finished(sheet_of(name, seed, glyphs), rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.image, same.image)
    assert one.text == same.text
    assert not np.array_equal(one.image, other.image)


def test_every_layout_is_drawn():
    assert set(strip_kinds.KINDS) <= set(strip_layouts.LAYOUTS)
    assert 0.3 < sum(strip_kinds.KINDS.values()) / sum(strip_layouts.LAYOUTS.values()) < 0.7


def test_digits_touch_as_far_as_their_ink_allows(glyphs):
    gaps = []
    for seed in range(30):
        marks = marked(sheet_of("touching", seed, glyphs))
        gaps += [after.left - before.right for before, after in pairwise(marks)]
    assert -20 < min(gaps) < -1
    assert np.mean(np.array(gaps) < 3) > 0.5


def test_words_of_other_scripts_are_no_digits(glyphs):
    labels = [mark.label for seed in range(20) for mark in sheet_of("foreign", seed, glyphs).marks]
    assert labels.count(OTHER) > 20
    assert len(CLASSES) > min(labels)  # numbers stand among them
    bare = Glyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), [], hands=1)
    assert sheet_of("foreign", 0, bare).marks == []


def test_signs_by_hand_are_signs_and_letters_beside_them_are_not(glyphs):
    labels = {CLASSES[mark.label] if mark.label < OTHER else "*" for seed in range(40)
              for mark in sheet_of("arithmetic", seed, glyphs).marks}  # fmt: skip
    assert labels >= set("0123456789+-/.*")


def test_without_fonts_every_layout_still_draws(glyphs):
    bare = Glyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), [], hands=1)
    for name in LAYOUTS:
        assert strips.finished(sheet_of(name, 3, bare), rng()).image.shape == (32, 320)
