"""The numbers of touching digits are drawn as their gap says."""

import numpy as np
import pytest


@pytest.fixture
def touching(benchmark_module):
    return benchmark_module("touching")


@pytest.fixture
def images():
    """Two digits: a bar of 4 columns with a pale edge, and one of 6."""
    drawn = np.zeros((2, 28, 28), np.uint8)
    drawn[0, 4:24, 10:14] = drawn[1, 4:24, 8:14] = 255
    drawn[0, 4:24, 14] = 60
    return drawn


def test_a_digit_is_cut_to_the_columns_of_its_ink(touching, images):
    assert touching.cut(images[0]).shape == (28, 4)
    assert (touching.cut(images[0]) == images[0, :, 10:14]).all()


@pytest.mark.parametrize("gap", [2, 0, -1, -2])
def test_digits_stand_apart_or_overlap_by_the_gap(touching, images, gap):
    picture = touching.number(images, gap)
    scale, margin = touching.SCALE, touching.MARGIN
    assert picture.shape == (scale * (28 + 2 * margin), scale * (4 + gap + 6 + 2 * margin))
    assert picture[: scale * margin].min() == 255
    middle = picture[scale * (margin + 14)]
    dark = np.flatnonzero(middle < 128)
    assert len(dark) == scale * (10 + min(gap, 0))
    assert (np.diff(dark) > 1).sum() == (gap > 0)
