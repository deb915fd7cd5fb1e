import numpy as np
import pytest

from digitocr.train.synthesis.glyphs import Alphabet, Glyph, Glyphs
from digitocr.train.synthesis.signs import FORMS, SIGNS, Signs, draw_sign, pen_of
from digitocr.train.synthesis.strokes import Hand


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def signs():
    return Signs(hands=6)


def test_every_sign_is_drawn_where_it_stands_on_the_line():
    for seed in range(2):
        glyphs = {sign: draw_sign(sign, Hand(habit=seed * 1000), rng(seed), 0.08) for sign in SIGNS}
        assert all(glyph.ink.max() > 200 for glyph in glyphs.values())
        assert all(glyph.advance > glyph.width for glyph in glyphs.values())
        bottom = {sign: glyph.top + glyph.height for sign, glyph in glyphs.items()}
        assert glyphs["."].top > -0.3
        assert glyphs["°"].top < -0.7 > bottom["°"] - 0.2
        assert bottom[","] > 0.03
        assert -0.75 < glyphs["-"].top < bottom["-"] < -0.25
        for tall in "/([|":
            assert glyphs[tall].height > 0.85
        assert glyphs["+"].height < 0.85
        assert glyphs["="].width > glyphs["="].height


def test_digits_and_letters_are_no_signs(signs):
    letter = signs.letters(rng())
    assert letter("7", rng()) is None
    assert letter("a", rng()) is None
    assert set(".,-+:/x×÷=()[]|<>*%°√?") <= set(FORMS)


def test_the_pen_of_the_signs_is_that_of_the_digits(signs):
    digits = Glyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), [], hands=8)
    wide = []
    for seed in range(8):
        alphabet = digits.alphabet(rng(seed), ["strokes"])
        signed = signs.beside(alphabet, rng(seed))
        assert signed.kind == alphabet.kind
        assert signed.digit is alphabet.digit
        wide.append((pen_of(alphabet.digit(5, rng())), pen_of(signed.letter("-", rng()))))
    own, drawn = np.array(wide).T
    assert np.corrcoef(np.log(own), np.log(drawn))[0, 1] > 0.5
    assert 0.7 < np.median(drawn / own) < 1.4


def test_letters_stay_those_of_the_alphabet(signs):
    bar = Glyph(np.full((64, 8), 255, np.uint8), 0, -1, 0.125, 1, 0.3)
    signed = signs.beside(Alphabet("font", lambda *_: bar, lambda *_: bar), rng())
    assert signed.letter("Q", rng()) is bar
    assert signed.letter("+", rng()) is not bar


def test_the_same_state_gives_the_same_signs_and_hands_differ():
    one, same = (Signs(hands=3).letters(rng(1), 0.1)("%", rng(2)) for _ in range(2))
    np.testing.assert_array_equal(one.ink, same.ink)
    some = Signs(hands=8)
    inks = {some.letters(rng(seed), 0.1)("%", rng(2)).ink.tobytes() for seed in range(10)}
    assert len(inks) > 3


def test_other_forms_are_drawn_where_they_are_given():
    bank = Signs(hands=1, forms={"x": ("0,0 40,100",)})
    letter = bank.letters(np.random.default_rng(0), 0.1)
    assert letter("x", np.random.default_rng(0)).ink.any()
    assert letter("+", np.random.default_rng(0)) is None
