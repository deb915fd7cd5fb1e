"""Lines of boxes as strips of the picture."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.opencv import cv2
from digitocr.runtime.recognizer import DIGIT_HEIGHT, MULTIPLE, STRIP_HEIGHT
from digitocr.runtime.strips import CLOSER, CONTEXT, MAX_GAP, MAX_RATIO, MAX_SHIFT, MAX_WIDTH, cut, find_lines, fitted


def row(count: int, x: float = 100, y: float = 60, height: float = 40, pitch: float = 30) -> np.ndarray:
    """Boxes of one line."""
    return np.array([[x + place * pitch, y, 0.6 * height, height] for place in range(count)], np.float32)


def test_boxes_of_one_line_share_a_strip() -> None:
    (place,) = find_lines(row(5), np.arange(5))
    assert place.rows == (0, 1, 2, 3, 4)
    assert place.scale == pytest.approx(40 / DIGIT_HEIGHT)
    assert place.width % MULTIPLE == 0


@pytest.mark.parametrize(
    "boxes",
    [
        np.concatenate([row(3), row(3, y=160)]),  # below each other
        np.concatenate([row(3), row(3, x=500)]),  # far apart
        np.concatenate([row(3), row(3, x=200, y=30, height=100)]),  # of other sizes
    ],
    ids=["rows", "columns", "sizes"],
)
def test_lines_are_told_apart(boxes: np.ndarray) -> None:
    assert sorted(place.rows for place in find_lines(boxes, np.arange(6))) == [(0, 1, 2), (3, 4, 5)]


def test_only_the_given_rows_make_lines() -> None:
    (place,) = find_lines(row(5), np.array([1, 3]))
    assert place.rows == (1, 3)
    assert find_lines(row(5), np.array([], np.int64)) == []


def test_a_strip_shows_the_line_at_its_size_with_context() -> None:
    picture = np.full((200, 400), 255, np.uint8)
    for x, y, w, h in row(4).astype(int).tolist():
        picture[y : y + h, x : x + w] = 0
    (place,) = find_lines(row(4), np.arange(4))
    ink = cut(picture, place) < 128
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    assert ink.shape == (STRIP_HEIGHT, place.width)
    assert (rows[0], rows[-1] + 1) == (6, 26)
    assert columns[0] == pytest.approx(CONTEXT * DIGIT_HEIGHT, abs=1)
    assert len(np.flatnonzero(np.diff(ink[16].astype(int)) == 1)) == 4


@pytest.mark.parametrize("degrees", [-12, 7, 20])
def test_a_sloping_line_becomes_level(degrees: int) -> None:
    angle = np.radians(degrees)
    centres = np.array([[200 + 45 * k * np.cos(angle), 200 + 45 * k * np.sin(angle)] for k in range(-3, 4)])
    picture = np.full((400, 400), 255, np.uint8)
    for x, y in centres:
        cv2.circle(picture, (round(x), round(y)), 15, 0, -1)
    boxes = np.column_stack([centres - 15, np.full((7, 2), 30)]).astype(np.float32)
    (place,) = find_lines(boxes, np.arange(7))
    ink = cut(picture, place) < 128
    count, _, stats, middles = cv2.connectedComponentsWithStats(ink.astype(np.uint8))
    assert count == 8
    assert np.ptp(middles[1:, 1]) < 1
    assert stats[1:, 3].tolist() == pytest.approx([DIGIT_HEIGHT] * 7, abs=1.5)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    st.floats(0, 300),
    st.floats(0, 300),
    st.floats(6, 200),
    st.floats(0.4, 1.4),
    st.floats(-0.5, 0.5),
    st.integers(3, 8),
)
def test_points_come_back(x: float, y: float, height: float, pitch: float, slope: float, count: int) -> None:
    at = np.arange(count) * pitch * height
    boxes = np.column_stack([x + at, y + slope * at, np.full((count, 2), height)]).astype(np.float32)
    for place in find_lines(boxes, np.arange(count)):
        for left, top, wide, high in boxes[list(place.rows)].tolist():
            u, v = place.to_strip(left + wide / 2, top + high / 2)
            assert 0 < u < place.width
            assert abs(v - STRIP_HEIGHT / 2) < STRIP_HEIGHT / 2
            assert place.to_picture(u, v) == pytest.approx((left + wide / 2, top + high / 2), abs=1e-2)


def test_beyond_the_picture_its_edges_are_repeated() -> None:
    picture = np.full((40, 24), 90, np.uint8)
    (place,) = find_lines(np.array([[0, 0, 24, 40]], np.float32), np.arange(1))
    assert (cut(picture, place) == 90).all()


def test_a_level_line_of_the_strip_s_size_is_cut_out_pixel_by_pixel() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (80, 300), np.uint8)
    (place,) = find_lines(np.array([[100, 30, 12, 20], [120, 30, 12, 20]], np.float32), np.arange(2))
    left = 100 - round(CONTEXT * 20)
    np.testing.assert_array_equal(cut(picture, place), picture[24:56, left : left + place.width])


@pytest.mark.parametrize("height", [70, 200, 600])
def test_where_a_line_is_large_its_pixels_are_averaged(height: int) -> None:
    picture = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (2 * height, 6 * height))
    (place,) = find_lines(np.array([[3 * height, height / 2, height / 2, height]], np.float32), np.arange(1))
    assert cut(picture, place).std() < 127 * 2 * DIGIT_HEIGHT / height  # less than every second pixel would have


def test_a_strip_has_a_limit_of_width() -> None:
    boxes = row(500, height=10, pitch=8)
    (place,) = find_lines(boxes, np.arange(500))
    assert place.width == MAX_WIDTH
    assert cut(np.zeros((100, 5000), np.uint8), place).shape == (STRIP_HEIGHT, MAX_WIDTH)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 30), st.integers(0, 2**32 - 1))
def test_every_box_is_in_one_line_with_boxes_near_it(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    boxes = np.concatenate([rng.uniform(0, 400, (count, 2)), rng.uniform(8, 40, (count, 2))], 1).astype(np.float32)
    rows = np.flatnonzero(rng.random(count) < 0.8)
    places = find_lines(boxes, rows)
    assert sorted(one for place in places for one in place.rows) == rows.tolist()
    for place in places:
        assert place.width % MULTIPLE == 0
        assert 0 < place.width <= MAX_WIDTH
        highest = boxes[list(place.rows), 3].max()
        for one, other in pairwise(boxes[list(place.rows)].tolist()):
            assert other[0] - one[0] - one[2] < MAX_GAP * highest


def test_a_closer_strip_shows_the_same_line_larger() -> None:
    (place,) = find_lines(row(2), np.arange(2))
    closer = place.closer()
    assert closer.to_picture(CLOSER * 50, 16) == pytest.approx(place.to_picture(50, 16))
    assert closer.width % MULTIPLE == 0
    assert 0 <= closer.width - CLOSER * place.width < MULTIPLE


def with_a_unit(lower: float = 0, size: float = 1, letters: int = 2) -> np.ndarray:
    """Two digits and letters of one line, which hang lower by so many digit heights and are so many times as high."""
    high = 40 * size
    return np.concatenate([row(2), row(letters, x=160, y=80 + 40 * lower - high / 2, height=high)])


def test_letters_do_not_tilt_a_line() -> None:
    boxes, every = with_a_unit(lower=0.3), np.arange(4)
    (place,) = find_lines(boxes, every)
    assert abs(place.sin) > 0.1
    again = fitted(boxes, place, [0, 1], every)
    assert again.sin == 0
    assert again.to_strip(112, 80)[1] == pytest.approx(STRIP_HEIGHT / 2)
    assert again.rows == place.rows
    assert again.width * again.scale >= boxes[:, 0].max() + 24 - boxes[:, 0].min() + 2 * CONTEXT * 40


@pytest.mark.parametrize("size", [0.65, 1 / MAX_RATIO - 0.01, MAX_RATIO + 0.01, 1.5])
def test_letters_do_not_scale_a_line(size: float) -> None:
    boxes, every = with_a_unit(size=size, letters=4), np.arange(6)
    (place,) = find_lines(boxes, every)
    assert place.scale == pytest.approx(40 * size / DIGIT_HEIGHT)
    assert fitted(boxes, place, [0, 1], every).scale == pytest.approx(40 / DIGIT_HEIGHT)


def test_a_line_stays_where_it_is_by_all_or_none_of_its_candidates_or_hardly_moves() -> None:
    boxes, every = with_a_unit(lower=0.3), np.arange(4)
    (place,) = find_lines(boxes, every)
    assert fitted(boxes, place, [], every) is place
    assert fitted(boxes, place, [0, 1, 2, 3], every) is place
    for size in (1 / MAX_RATIO + 0.02, MAX_RATIO - 0.02):
        boxes, every = with_a_unit(lower=MAX_SHIFT / 8, size=size, letters=4), np.arange(6)
        (place,) = find_lines(boxes, every)
        assert fitted(boxes, place, [0, 1], every) is place


@pytest.mark.parametrize("up", [1, -1])
@pytest.mark.parametrize("left", [True, False])
def test_a_line_that_is_off_at_one_end_is_cut_out_again(left: bool, up: int) -> None:
    """Four level digits, and a mark before or behind them that tilts the line about the other end."""
    boxes = np.concatenate([row(4, x=140), row(1, x=100 if left else 262, y=60 + 6 * up)])
    order = [4, 0, 1, 2, 3] if left else [0, 1, 2, 3, 4]
    (place,) = find_lines(boxes, np.arange(5))
    assert list(place.rows) == order
    again = fitted(boxes, place, [0, 1, 2, 3], np.arange(5))
    off = [abs(again.to_strip(*place.to_picture(u, 16))[1] - 16) / DIGIT_HEIGHT for u in (0, place.width)]
    assert (min(off) < MAX_SHIFT < max(off), off[0] > off[1]) == (True, left)
    assert again is not place


def test_the_slope_of_a_line_of_two_digits_is_that_of_the_page() -> None:
    angle = np.radians(8)
    boxes = np.concatenate([with_a_unit(lower=0.6), row(6, y=160), row(6, y=260)])
    x, y = (boxes[:, :2] + boxes[:, 2:] / 2).T
    turned = np.column_stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)])
    boxes = np.column_stack([turned - boxes[:, 2:] / 2, boxes[:, 2:]]).astype(np.float32)
    place = next(one for one in find_lines(boxes, np.arange(16)) if one.rows == (0, 1, 2, 3))
    assert place.sin > np.sin(angle) + 0.1
    assert fitted(boxes, place, [0, 1], np.arange(16)).sin == pytest.approx(np.sin(angle), abs=1e-4)
