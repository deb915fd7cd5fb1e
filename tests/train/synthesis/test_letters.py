import numpy as np
import pytest

from digitocr.train.synthesis.glyphs import GLYPH_HEIGHT, Alphabet, Glyph, Glyphs
from digitocr.train.synthesis.letters import FORMS, Letters, rough, sized, thickened
from digitocr.train.synthesis.signs import pen_of


def rng(*seed):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def glyphs():
    labels = np.arange(10, dtype=np.uint8)
    images = np.zeros((10, 28, 28), np.uint8)
    images[:, 4:24, 12:15] = 255
    return Glyphs(images, labels, [], hands=2)


def bar(thick):
    """An upright bar in a glyph one digit high."""
    ink = np.zeros((GLYPH_HEIGHT, 40), np.uint8)
    ink[:, 20 - thick // 2 : 20 - thick // 2 + thick] = 255
    return Glyph(ink, 0.1, -1.0, 40 / GLYPH_HEIGHT, 1.0, 0.8)


def test_every_form_is_drawn_with_the_pen_of_the_digits(glyphs):
    letters = Letters(hands=1)
    for kind in ("mnist", "strokes"):
        alphabet = glyphs.alphabet(rng(1), (kind,))
        own = letters.beside(alphabet, glyphs.words(rng(2)), rng(3))
        assert own.digit is alphabet.digit
        for character in (*FORMS, "+", "=", "√"):
            glyph = own.letter(character, rng(4))
            assert glyph.ink.max() > 90
            assert glyph.advance > 0
            assert 0.02 < glyph.width < 2


def test_letters_are_those_of_a_font_where_none_are_drawn(glyphs):
    asked = []

    def font(character, _):
        asked.append(character)
        return bar(4) if character != "?" else None

    words = Alphabet("font", lambda *_: bar(4), font)
    drawn = 0
    for seed in range(20):
        own = Letters(hands=1).beside(glyphs.alphabet(rng(1), ("strokes",)), words, rng(seed))
        asked.clear()
        assert own.letter("a", rng(seed)).ink.any()
        drawn += not asked
        assert own.letter("é", rng(seed)).ink.any()
    assert 3 < drawn < 18


def test_strokes_become_as_broad_as_the_pen_as_far_as_the_letter_allows():
    for before, pen in ((4, 0.12), (10, 0.08)):
        changed = thickened(bar(before), pen)
        assert abs(pen_of(changed) - pen) < abs(pen_of(bar(before)) - pen) / 2 + 0.02
        assert changed.ink.any()
    same = bar(6)
    assert thickened(same, pen_of(same)) is same


def test_a_rough_letter_stands_where_it_stood_and_each_is_another():
    plain = bar(8)
    one, other = rough(plain, rng(1)), rough(plain, rng(2))
    assert one.ink.shape != other.ink.shape or (one.ink != other.ink).any()
    for glyph in (one, other):
        assert glyph.top == pytest.approx(-1, abs=0.12)
        assert glyph.height == pytest.approx(1, abs=0.2)
        middle = glyph.left + glyph.width / 2
        assert middle == pytest.approx(plain.left + plain.width / 2, abs=0.1)
        assert glyph.advance == plain.advance
    np.testing.assert_array_equal(one.ink, rough(plain, rng(1)).ink)


def test_a_letter_of_another_size_stands_on_the_same_line():
    large = sized(bar(8), 1.5)
    assert (large.top, large.height, large.top + large.height) == (-1.5, 1.5, 0)
