import numpy as np
import pytest

from digitocr.train.synthesis import effects


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture
def ink():
    """A bar 12 pixels wide and a hairline of 1."""
    plane = np.zeros((40, 60), np.uint8)
    plane[8:32, 10:22] = 255
    plane[8:32, 40] = 255
    return plane


def test_an_outline_leaves_the_strokes_empty(ink):
    out = effects.outlined(ink, 1)
    assert out[20, 15] == 0
    assert out[20, 9] == out[20, 22] == 255
    assert out.shape == ink.shape


def test_hollow_strokes_keep_their_rim_and_hairlines_stay(ink):
    out = effects.hollowed(ink, 1)
    assert out[20, 15] == 0
    assert out[20, 10] == out[20, 40] == 255
    assert out[20, 9] == 0


def test_relief_is_light_on_one_side_and_dark_on_the_other(ink):
    for seed in range(5):
        plane = effects.relief(ink, rng(seed), 1.5)
        assert plane.dtype == np.float32
        assert plane.max() > 0.4
        assert plane.min() < -0.4
        assert abs(plane.mean()) < 0.02
        assert abs(plane[20, 15]) < 0.05
    assert not np.allclose(effects.relief(ink, rng(0)), effects.relief(ink, rng(1)))


def test_a_pen_makes_strokes_broader_or_thinner_and_keeps_hairlines(ink):
    broader, thinner = effects.penned(ink, 2), effects.penned(ink, -2)
    assert np.count_nonzero(broader[20] > 128) > np.count_nonzero(ink[20] > 128)
    assert np.count_nonzero(thinner[20, :30] > 128) < 12
    assert thinner[20, 40] > 60
    assert effects.penned(ink, 0) is ink
    half = effects.penned(ink, 0.5)
    assert ink.sum(dtype=int) < half.sum(dtype=int) < effects.penned(ink, 1).sum(dtype=int)


def test_a_ring_goes_round_the_character_without_touching_it():
    for seed in range(12):
        ring = effects.ringed((60, 60), (24, 20, 12, 20), rng(seed), 1.5)
        assert ring[23:37, 26:34].max() < 40
        above, below, left, right = ring[:22], ring[38:], ring[:, :25], ring[:, 35:]
        assert all(side.max() > 128 for side in (above, below, left, right))


def test_wear_takes_ink_away(ink):
    sums = [effects.stamped(ink, rng(), 20, wear).sum(dtype=int) for wear in (0.0, 0.5, 1.0)]
    assert ink.sum(dtype=int) >= sums[0] > sums[1] > sums[2] > 0.2 * ink.sum(dtype=int)


def test_glow_lights_what_is_near(ink):
    out = effects.glowing(ink, 3, 0.6)
    assert out[20, 15] == 255
    assert out[20, 8] > 40
    assert out[20, 59] < 20


def test_scan_lines_are_dark_in_their_period(ink):
    out = effects.scanned(ink, 4, 0.8)
    assert out[8, 15] < 80 < out[10, 15]
    assert out[12, 15] == out[8, 15]
    upright = effects.scanned(ink, 4, 0.8, across=True)
    assert upright[10, 12] < 80 or upright[10, 12] > upright[10, 10]
