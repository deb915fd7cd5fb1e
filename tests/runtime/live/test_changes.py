import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.live.changes import LEAST, differences, looks, scene, squares, strange, whole
from digitocr.runtime.live.following import CHANGED
from digitocr.runtime.opencv import cv2

SEEDS = st.integers(0, 2**31)


@pytest.mark.parametrize(("before", "after"), [("8", "6"), ("8", "0"), ("8", "9"), ("1", "7"), ("6", "8"), ("7", "1")])
@settings(derandomize=True, deadline=None, max_examples=20)
@given(seed=SEEDS)
def test_one_thin_segment_of_a_small_digit_is_a_change_and_noise_is_none(display, noisy, before, after, seed):
    (was, boxes), (now, _) = display(before), display(after)
    read = looks(noisy(was, seed), boxes)
    assert differences(looks(noisy(was, seed + 1), boxes), read)[0] < CHANGED
    assert differences(looks(noisy(now, seed + 1), boxes), read)[0] > CHANGED


def test_a_change_of_light_is_none_and_a_faded_digit_is_one(display, noisy):
    gray, boxes = display("8")
    read = looks(noisy(gray, 1), boxes)
    assert differences(looks(noisy(np.uint8(gray * 0.9), 2), boxes), read)[0] < CHANGED
    assert differences(looks(noisy(display("8", ink=130)[0], 2), boxes), read)[0] > CHANGED


def test_a_scene_is_halved_to_its_least_side():
    assert scene(np.zeros((720, 1280), np.uint8)).small.shape == (180, 320)
    assert scene(np.zeros((1081, 1921), np.uint8)).small.shape == (270, 480)
    assert scene(np.zeros((480, 639), np.uint8)).small.shape == (480, 639)
    assert scene(np.zeros((1, 5000), np.uint8)).small.shape == (1, 5000)


@settings(derandomize=True, deadline=None, max_examples=20)
@given(seed=SEEDS, x=st.integers(-9, 9), y=st.integers(-9, 9), light=st.floats(0.85, 1.15))
def test_nothing_is_strange_in_a_moved_noisy_frame_in_another_light(display, noisy, seed, x, y, light):
    gray, _ = display("407", height=100)
    view = np.float32([[1, 0, 2 * x + 1], [0, 1, 2 * y + 1]])  # twice the shift in the reduced frame, and a pixel more
    moved = cv2.warpAffine(gray, view, gray.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    now = scene(noisy(np.clip(light * moved, 0, 255), seed))
    assert np.count_nonzero(strange(now, scene(noisy(gray, seed + 1)), (x, y))) < LEAST


def test_a_small_number_that_has_come_is_strange(display, noisy):
    blank, _ = display("")
    for seed in range(5):
        now = scene(noisy(display("714")[0], seed, spread=4))
        found = strange(now, scene(noisy(blank, seed + 9, spread=4)), (0, 0))
        assert np.count_nonzero(found) >= LEAST
        assert np.count_nonzero(found[28:40, 18:45]) == np.count_nonzero(found)


def test_a_frame_that_has_moved_by_more_than_its_side_has_nothing_strange(display):
    blank = scene(display("")[0])
    assert not strange(blank, blank, (400, 0)).any()
    assert not strange(blank, blank, (0, -400)).any()


def test_squares_are_inside_the_reduced_frame():
    boxes = np.float32([[100, 60, 20, 40], [-30, -30, 20, 40], [635, 350, 20, 40]])
    (first, second, third) = squares(boxes, 0.5, (180, 320))
    assert first == (slice(26, 54), slice(41, 69))
    mask = np.zeros((180, 320), np.bool_)
    mask[second] = mask[third] = True
    assert mask.any()
    assert not mask[30:150, 30:290].any()


def test_the_connected_parts_of_which_a_pixel_is_chosen():
    parts = np.zeros((40, 60), np.bool_)
    parts[5:10, 5:10] = parts[5:10, 12:20] = True  # so near that they are one
    parts[30:35, 40:50] = True
    chosen = np.zeros_like(parts)
    assert not whole(parts, chosen).any()
    chosen[6, 6] = chosen[20, 20] = True
    expected = parts.copy()
    expected[30:35] = False
    assert (whole(parts, chosen) == expected).all()
