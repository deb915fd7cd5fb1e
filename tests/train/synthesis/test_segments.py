import numpy as np
import pytest

from digitocr.train.synthesis.glyphs import GLYPH_HEIGHT
from digitocr.train.synthesis.segments import (
    SEGMENT_LETTERS,
    Look,
    _cell,
    _character,
    random_display,
    random_look,
    segments_of,
)

PLAIN = Look(0.6, 0.2, 0.12, 1.0, 0.02, 0.0, "hexagon", True, False, "", 1.0, 0.12, True)
# of each segment a place on it, as row and column in 64ths of a digit's height
PLACES = {"a": (4, 19), "b": (18, 34), "c": (46, 34), "d": (60, 19), "e": (46, 4), "f": (18, 4), "g": (32, 19)}


def rng(seed=0):
    return np.random.default_rng(seed)


def placed(glyph):
    """The glyph in its cell, one digit height high."""
    cell = np.zeros((GLYPH_HEIGHT + 8, 80), np.uint8)
    left, top = round(glyph.left * GLYPH_HEIGHT), round((glyph.top + 1) * GLYPH_HEIGHT)
    cell[4 + top : 4 + top + glyph.ink.shape[0], 4 + left : 4 + left + glyph.ink.shape[1]] = glyph.ink
    return cell[4:, 4:]


@pytest.mark.parametrize("ends", ["hexagon", "mitred", "plain", "round"])
@pytest.mark.parametrize("lit", ["abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg"])
def test_only_the_segments_that_are_lit_have_ink(ends, lit):
    cell = placed(_cell(lit, PLAIN._replace(ends=ends)))
    assert {name for name, at in PLACES.items() if cell[at] > 128} == set(lit)


def test_a_one_stands_at_the_right_of_a_cell_as_wide_as_that_of_an_eight():
    one, eight = _character("1", PLAIN), _character("8", PLAIN)
    assert one.advance == eight.advance == pytest.approx(0.8)
    assert one.left + one.width == pytest.approx(eight.left + eight.width, abs=0.04)
    assert one.left > 0.4


def test_sixes_nines_and_sevens_have_their_variants():
    assert segments_of("6", PLAIN) == "acdefg"
    assert segments_of("6", PLAIN._replace(tails=False)) == "cdefg"
    assert segments_of("9", PLAIN._replace(tails=False)) == "abcfg"
    assert segments_of("7", PLAIN) == "abc"
    assert segments_of("7", PLAIN._replace(flag=True)) == "abcf"


def test_no_letter_is_shown_as_a_digit_of_the_same_display():
    for tails in (True, False):
        for flag in (True, False):
            look = PLAIN._replace(tails=tails, flag=flag)
            digits = {frozenset(segments_of(str(digit), look)) for digit in range(10)}
            letters = {frozenset(segments_of(letter, look)) for letter in SEGMENT_LETTERS + "-=_°"}
            assert len(digits) == 10
            assert not digits & letters
    assert segments_of("b", PLAIN)
    assert segments_of("b", PLAIN._replace(tails=False)) == ""
    assert segments_of("W", PLAIN) == ""


def test_a_slant_moves_the_top():
    upright, slanted, back = (_character("1", PLAIN._replace(slant=slant)) for slant in (0.0, 0.25, -0.25))
    assert slanted.width == pytest.approx(upright.width + 0.25, abs=0.08)
    assert slanted.ink[:4, -8:].max() > 128 > slanted.ink[:4, :4].max()
    assert back.ink[:4, :8].max() > 128 > back.ink[:4, -4:].max()


def test_segments_of_a_joined_display_touch_and_others_have_gaps():
    joined = placed(_cell("abcdefg", PLAIN._replace(ends="plain", gap=0.0)))
    apart = placed(_cell("abcdefg", PLAIN._replace(ends="plain", gap=0.06)))
    assert joined[4, 2:36].min() > 128
    assert apart[4, 2:36].min() < 64


def test_one_segment_may_be_weak():
    cell = placed(_cell("abcdefg", PLAIN._replace(weak="f", weakness=0.4)))
    assert cell[PLACES["f"]] == pytest.approx(102, abs=2)
    assert cell[PLACES["b"]] == 255


def test_a_point_stands_between_two_cells_and_a_colon_has_two_dots():
    point, comma, colon = (_character(sign, PLAIN) for sign in ".,:")
    assert -PLAIN.space <= point.left < point.left + point.width <= 0.02
    assert point.top + point.height == pytest.approx(0, abs=0.05)
    assert comma.top + comma.height > point.top + point.height + 0.05
    rows = colon.ink.max(axis=1) > 128
    assert np.count_nonzero(np.diff(rows.astype(int)) == -1) + rows[-1] == 2


def test_displays_are_the_same_for_the_same_state_and_of_every_kind():
    for seed in range(5):
        one, same = random_display(rng(seed)), random_display(rng(seed))
        assert one.look == same.look
        np.testing.assert_array_equal(one.alphabet.digit(4, rng()).ink, same.alphabet.digit(4, rng()).ink)
    numbers = rng()
    looks = [random_look(numbers) for _ in range(200)]
    assert {look.ends for look in looks} == {"hexagon", "mitred", "plain", "round"}
    assert min(look.slant for look in looks) < -0.1
    assert 0.2 < max(look.slant for look in looks) <= 0.25
    assert all(look.thick <= 0.27 * look.width for look in looks)
    displays = [random_display(numbers) for _ in range(60)]
    ghosts = [display for display in displays if display.ghost is not None]
    assert 10 < len(ghosts) < 35
    assert all(15 <= 255 * display.strength <= 80 for display in ghosts)
    assert all(display.strength == 0 for display in displays if display.ghost is None)


def test_every_digit_of_every_display_has_ink_and_the_height_of_its_cell():
    for seed in range(12):
        display = random_display(rng(seed))
        for digit in range(10):
            glyph = display.alphabet.digit(digit, rng())
            assert glyph.ink.max() > 70
            assert glyph.height <= 1.1
            assert glyph.advance == pytest.approx(display.look.width + display.look.space)
        assert display.alphabet.letter("W", rng()) is None
