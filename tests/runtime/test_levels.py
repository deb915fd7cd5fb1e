import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from digitocr.runtime.errors import InputError
from digitocr.runtime.levels import gray_of_array, over_contrast, stretched, told_apart_by_colour, unmasked
from digitocr.runtime.opencv import cv2

DEPTHS = st.sampled_from([np.uint16, np.int32, np.float32, ">u2", ">i4"])
SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8)


def page(height=60, width=90):
    """(height, width) uint8: dark strokes on light paper, different at every corner."""
    gray = np.full((height, width), 220, np.uint8)
    gray[8:40, 12:17] = 30
    gray[36:40, 12:40] = 30
    return gray


def layouts():
    """The same (60, 90) page in every layout that an array may have in memory."""
    colour = np.repeat(page()[:, :, None], 3, 2)
    yield "as it is", page()
    yield "columns first", np.asfortranarray(page())
    yield "read only", np.broadcast_to(page(), (60, 90))
    yield "mirrored twice", page()[::-1, ::-1].copy()[::-1, ::-1]
    yield "every other pixel", page().repeat(2, 0).repeat(2, 1)[::2, ::2]
    yield "transposed", np.ascontiguousarray(page().T).T
    yield "colours in planes", np.ascontiguousarray(colour.transpose(2, 0, 1)).transpose(1, 2, 0)
    yield "colours backwards", colour[:, :, ::-1]
    yield "cut out", np.pad(colour, ((3, 3), (5, 5), (0, 0)))[3:-3, 5:-5]
    yield "opaque", np.dstack([colour, np.full((60, 90), 255, np.uint8)])[:, ::-1].copy()[:, ::-1]
    yield "masked", np.ma.masked_array(page(), page() > 100)
    yield "deep, of the other byte order", (page().astype(np.uint16) * 257).astype(">u2")
    yield "half precision", (page() / 255).astype(np.float16)


@pytest.mark.parametrize("array", [pytest.param(array, id=name) for name, array in layouts()])
def test_an_array_is_read_alike_in_any_layout_and_left_alone(array):
    before = np.array(array)
    gray = gray_of_array(np.asarray(array))
    assert type(gray) is np.ndarray
    assert gray.shape == (60, 90)
    expected = page().astype(int)
    if "u2" in array.dtype.str:  # whose own range is stretched
        expected = (expected - expected.min()) * 255 // np.ptp(expected)
    assert abs(gray - expected).max() <= 1
    np.testing.assert_array_equal(before, np.array(array))


def test_grey_of_colour_is_what_opencv_makes_of_rgb():
    colour = np.random.default_rng(3).integers(100, 256, (50, 70, 3), np.uint8)
    gray = gray_of_array(colour)
    np.testing.assert_array_equal(gray, cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.data(), DEPTHS, SHAPES)
def test_stretching_keeps_the_order_of_levels_and_uses_all_of_the_range(data, depth, shape):
    whole = np.dtype(depth).kind in "iu"
    elements = st.integers(0, 60_000) if whole else st.floats(-1e6, 1e6, width=32)
    levels = data.draw(arrays.arrays(np.dtype(depth), shape, elements=elements))
    gray = stretched(levels).ravel().astype(int)
    order = np.argsort(levels.ravel(), kind="stable")
    assert (np.diff(gray[order]) >= 0).all()
    if levels.max() > levels.min():
        assert (gray.min(), gray.max()) == (0, 255)
    else:
        assert not gray.any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_levels_that_are_no_numbers_are_refused(bad):
    levels = np.zeros((5, 5), np.float32)
    levels[2, 2] = bad
    with pytest.raises(ValueError, match="no finite numbers"):
        stretched(levels)
    with pytest.raises(InputError):
        gray_of_array(levels)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(arrays.arrays(np.uint8, (4, 5)), st.sampled_from([0, 255]))
def test_opacity_decides_where_one_ink_is(alpha, ink):
    alpha[0, 0] = max(1, alpha[0, 0])  # something is seen
    gray = over_contrast(np.full((4, 5), ink, np.uint8), alpha)
    np.testing.assert_array_equal(gray, alpha if ink else 255 - alpha)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(arrays.arrays(np.uint8, (4, 5)))
def test_what_is_opaque_is_left_as_it_is(gray):
    np.testing.assert_array_equal(over_contrast(gray, np.full((4, 5), 255, np.uint8)), gray)


@pytest.mark.parametrize("depth", [np.uint16, np.int32, np.float32, ">u2"])
@pytest.mark.parametrize("hot", [[(20, 30)], [(0, 0)], [(20, 30), (20, 31)], [(39, 59), (3, 3)]])
def test_a_few_hot_or_dead_pixels_do_not_take_the_contrast_away(depth, hot):
    levels = np.full((40, 60), 1000, depth)
    levels[10:30, 10] = 400  # a stroke of one pixel
    expected = stretched(levels)
    for level in (0, 65_000):
        spoilt = levels.copy()
        for place in hot:
            spoilt[place] = level
        gray = stretched(spoilt)
        others = np.ones(gray.shape, np.bool_)
        others[tuple(zip(*hot, strict=True))] = False
        np.testing.assert_array_equal(gray[others], expected[others])
        assert {int(gray[place]) for place in hot} == {255 if level else 0}


def test_the_range_is_that_of_the_whole_picture_however_large():
    levels = np.full((1500, 20), 1000, np.uint16)
    levels[510:513, 3], levels[1490:1495, 5] = 400, 3000
    gray = stretched(levels)
    assert (gray[511, 3], gray[1492, 5]) == (0, 255)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(arrays.arrays(np.bool_, (4, 5)), st.integers(0, 237), st.integers(1, 18))
def test_two_levels_that_cannot_be_told_apart_are_black_and_white(mask, low, apart):
    gray = (low + apart * mask).astype(np.uint8)
    expected = 255 * mask.astype(np.uint8) if 0 < mask.sum() < mask.size else gray
    np.testing.assert_array_equal(unmasked(gray), expected)


def test_other_pictures_are_no_masks():
    for levels in ((100, 119), (100, 101, 102)):
        gray = np.resize(np.array(levels, np.uint8), (6, 7))
        np.testing.assert_array_equal(unmasked(gray), gray)
    np.testing.assert_array_equal(gray_of_array(np.eye(5, dtype=np.uint8)), 255 * np.eye(5, dtype=np.uint8))


def of_one_brightness(noise=0):
    """(60, 90, 3) red strokes on a green of the same grey level, and where they are."""
    colours = np.full((60, 90, 3), (20, 110, 20), np.uint8)
    ink = page() < 100
    colours[ink] = (200, 22, 20)
    grain = np.random.default_rng(0).integers(-noise, noise + 1, (60, 90, 1))
    return (colours + grain).clip(0, 255).astype(np.uint8), ink


@pytest.mark.parametrize("opaque", [False, True])
@pytest.mark.parametrize("noise", [0, 3])
def test_colours_of_one_brightness_are_told_apart(noise, opaque):
    colours, ink = of_one_brightness(noise)
    assert np.ptp(cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)) < 12
    if opaque:
        colours = np.dstack([colours, np.full(ink.shape, 255, np.uint8)])
    gray = gray_of_array(colours).astype(int)
    assert abs(gray[ink].mean() - gray[~ink].mean()) > 150


def test_where_grey_levels_differ_colours_are_not_even_looked_at():
    def refuse():
        raise AssertionError

    assert told_apart_by_colour(page(), refuse).tolist() == page().tolist()


def test_faint_grey_on_a_tinted_ground_stays_grey():
    colours = np.full((60, 90, 3), (200, 190, 160), np.uint8)
    colours[page() < 100] -= np.array([9, 9, 8], np.uint8)
    colours[50:] -= np.uint8(2)
    np.testing.assert_array_equal(gray_of_array(colours), cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY))
