from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis import dot_matrix as module
from digitocr.train.synthesis.dot_matrix import bits_of, coarse, pen_of, random_dots, random_look
from digitocr.train.synthesis.glyphs import Font

SANS = Font(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")


def rng(seed=0):
    return np.random.default_rng(seed)


def neat(**changes):
    return module.Look(0.8, 1.0, True, 0.0, 0.0, 0.0, 1.0, True)._replace(**changes)


def test_a_form_is_read_column_by_column_with_the_lowest_bit_on_top():
    picture = ["".join(".#"[int(dot)] for dot in row) for row in bits_of("7141050301")]
    assert picture == [
        "#####",
        "...#.",
        "..#..",
        ".....",
        "#....",
        "#....",
        "##...",
        ".....",
    ]


def test_no_two_characters_have_the_same_form():
    same_in_dots = {
        frozenset("l1"),
        frozenset("I1"),
        frozenset("Il"),
        frozenset("O0"),
        frozenset("S5"),
        frozenset("g9"),
    }
    seen = {}
    for character, forms in module._FORMS.items():
        for form in forms:
            other = seen.setdefault(form, character)
            assert other == character or frozenset((other, character)) in same_in_dots
    assert set("0123456789.,-+:/") <= set(module._FORMS)
    assert all(bits_of(form).shape == (8, 5) for forms in module._FORMS.values() for form in forms)


def test_each_dot_is_drawn_apart_and_dots_may_touch():
    bits = bits_of("3649494936")
    count = np.count_nonzero(bits)
    apart = module._drawn(bits, 7, 7, neat(size=0.6), rng())
    touching = module._drawn(bits, 7, 7, neat(size=1.1), rng())
    assert cv2.connectedComponents((apart.ink > 128).astype(np.uint8))[0] - 1 == count
    assert cv2.connectedComponents((touching.ink > 128).astype(np.uint8))[0] - 1 < 3


def test_dots_stand_on_the_line_and_are_a_digit_high():
    for seed in range(20):
        alphabet = random_dots(rng(seed))
        for digit in range(10):
            glyph = alphabet.digit(digit, rng(seed))
            assert glyph.top == pytest.approx(-1, abs=0.2)
            assert glyph.height == pytest.approx(1, abs=0.25)
            assert glyph.advance > 0.5 * glyph.width
    assert module._drawn(bits_of("0080703000"), 7, 7, neat(), rng()).top > -0.5  # a comma hangs below the line


def test_missing_dots_are_missing():
    bits = bits_of("7F4949497F")
    whole = module._drawn(bits, 7, 7, neat(), rng()).ink.sum(dtype=int)
    fewer = [module._drawn(bits, 7, 7, neat(missing=0.2), rng(seed)).ink.sum(dtype=int) for seed in range(20)]
    assert 0.6 * whole < np.mean(fewer) < 0.95 * whole


def test_a_font_is_set_in_dots():
    bits = coarse(SANS.glyph("7"), 9, 1.0, pen_of(SANS.glyph("7")))
    assert bits.shape[0] == 9
    assert bits[0].all()
    assert np.count_nonzero(bits[-1]) <= 3
    alphabet = random_dots(rng(1), SANS)
    assert alphabet.letter("Ж", rng()) is not None
    assert random_dots(rng(1)).letter("Ж", rng()) is None


def test_the_pen_of_a_glyph_is_the_width_of_its_strokes():
    glyph = SANS.glyph("l")
    assert pen_of(glyph) == pytest.approx(glyph.width, abs=0.05)


def test_the_same_state_gives_the_same_dots():
    for font in (None, SANS):
        one, same = (random_dots(rng(3), font).digit(8, rng(4)) for _ in range(2))
        np.testing.assert_array_equal(one.ink, same.ink)
    looks = [random_look(rng(seed)) for seed in range(100)]
    assert min(look.size for look in looks) < 0.5 < 1.0 < max(look.size for look in looks)
    assert {look.square for look in looks} == {True, False}
