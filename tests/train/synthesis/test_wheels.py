from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.train.synthesis.glyphs import Font
from digitocr.train.synthesis.wheels import draw_wheel, random_look, random_turns

SANS = Font(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf")
HEIGHT = 40


def rng(seed=0):
    return np.random.default_rng(seed)


def plain(**changes):
    look = random_look(rng(), [SANS])
    bare = {"window": (1.0, 1.4), "pitch": 1.4, "wide": 1.0, "below": True, "shade": 0.0, "frame": 0.0, "teeth": 0.0}
    return look._replace(**bare, drum=0)._replace(**changes)


def rows_of_ink(wheel):
    return np.flatnonzero((wheel.ink > 100).any(axis=1))


def test_a_digit_that_stands_is_alone_in_the_middle():
    wheel = draw_wheel(plain(), 4, 0.0, HEIGHT, rng())
    assert wheel.ink.shape == (56, 40)
    assert wheel.seen == ((4, pytest.approx(1.0, abs=0.05)),)
    rows = rows_of_ink(wheel)
    assert rows.min() == pytest.approx(wheel.top, abs=3)
    assert rows.max() == pytest.approx(wheel.top + HEIGHT, abs=3)
    columns = np.flatnonzero((wheel.ink > 100).any(axis=0))
    assert (columns.min() + columns.max()) / 2 == pytest.approx(wheel.left, abs=2)


@pytest.mark.parametrize("below", [True, False])
def test_half_way_both_digits_are_half_seen_and_the_next_comes_from_its_side(below):
    wheel = draw_wheel(plain(below=below), 4, 0.5, HEIGHT, rng())
    assert [digit for digit, _ in wheel.seen] == ([4, 5] if below else [5, 4])
    shares = [share for _, share in wheel.seen]
    assert shares[0] == pytest.approx(shares[1], abs=0.01)
    assert 0.3 < shares[0] < 0.8
    assert wheel.ink[:20].max() > 200
    assert wheel.ink[-20:].max() > 200


@pytest.mark.parametrize("below", [True, False])
def test_a_full_turn_shows_the_next_digit_and_nine_is_followed_by_zero(below):
    look = plain(below=below)
    for digit in (3, 9):
        turned = draw_wheel(look, digit, 1.0, HEIGHT, rng())
        straight = draw_wheel(look, (digit + 1) % 10, 0.0, HEIGHT, rng())
        assert turned.seen[0][0] == straight.seen[0][0]
        assert np.abs(turned.ink.astype(int) - straight.ink).mean() < 6


def test_what_is_seen_moves_evenly():
    look = plain()
    turns = np.linspace(0, 1, 21)
    of_next = [dict(draw_wheel(look, 2, turn, HEIGHT, rng()).seen).get(3, 0.0) for turn in turns]
    of_this = [dict(draw_wheel(look, 2, turn, HEIGHT, rng()).seen).get(2, 0.0) for turn in turns]
    assert (np.diff(of_next) >= -1e-9).all()
    assert (np.diff(of_this) <= 1e-9).all()


def test_the_drum_is_darker_above_and_below_and_has_teeth_at_its_right_side():
    bright = draw_wheel(plain(drum=60, shade=0.8), 1, 0.0, HEIGHT, rng()).ink
    assert bright[0, 0] < bright[28, 0] - 15
    teeth = draw_wheel(plain(teeth=0.2, toothed=200), 1, 0.0, HEIGHT, rng()).ink[:, -4:]
    assert np.count_nonzero(np.diff((teeth[:, 0] > 150).astype(int)) == 1) >= 3
    framed = draw_wheel(plain(frame=0.05, framed=180), 1, 0.0, HEIGHT, rng()).ink
    assert (framed[0] == 180).all()


def test_most_wheels_stand_and_the_last_one_is_anywhere():
    turns = np.array([random_turns(6, rng(seed)) for seed in range(200)])
    assert np.abs(turns[:, :4]).max() <= 0.15
    assert (turns[:, -1] > 0.4).mean() > 0.2
    assert turns.max() < 1


def test_looks_are_the_same_for_the_same_state():
    one, same = (draw_wheel(random_look(rng(5), [SANS]), 7, 0.3, 20, rng(6)) for _ in range(2))
    np.testing.assert_array_equal(one.ink, same.ink)
    assert {random_look(rng(seed), [SANS]).below for seed in range(20)} == {True, False}
