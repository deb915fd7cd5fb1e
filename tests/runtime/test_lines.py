import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from digitocr.runtime.lines import best_neighbour, joined, reading_order, slope


def boxes_of(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def page_of(lines, height=20.0, pitch=36.0, turn=0.0, seed=0):
    """Boxes of lines of so many digits, shuffled, and the order to read them in, in rows of the boxes."""
    rng = np.random.default_rng(seed)
    centres, rows = [], []
    for row, count in enumerate(lines):
        rows.append(list(range(len(centres), len(centres) + count)))
        centres += [
            (100 + 22 * column + rng.normal(0, 1), 100 + pitch * row + rng.normal(0, 1.5)) for column in range(count)
        ]
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    middles = np.array(centres) @ np.array([[cos, sin], [-sin, cos]])
    sides = np.stack([rng.uniform(8, 15, len(centres)), height * rng.uniform(0.85, 1.15, len(centres))], 1)
    shuffled = rng.permutation(len(centres))
    place = np.argsort(shuffled)
    boxes = np.concatenate([middles - sides / 2, sides], 1).astype(np.float32)[shuffled]
    return boxes, [[int(place[one]) for one in row] for row in rows]


@pytest.mark.parametrize("turn", [-25, -12, -4, 0, 4, 12, 25])  # degrees clockwise
@pytest.mark.parametrize("lines", [[6], [1], [3, 7], [8, 2, 8, 5], [12, 12, 12]])
def test_boxes_are_read_in_lines_from_top_to_bottom_and_left_to_right(lines, turn):
    for seed in range(5):
        boxes, expected = page_of(lines, turn=turn, seed=seed)
        if turn and len(lines) == 1 and lines[0] == 1:
            expected = [[0]]
        assert reading_order(boxes) == expected


def test_a_column_is_a_line_for_each_digit():
    assert reading_order(boxes_of((10, 90, 12, 20), (11, 10, 12, 20), (9, 50, 12, 20))) == [[1], [2], [0]]


def test_digits_of_other_heights_join_the_line_that_they_stand_in():
    low_one_high = boxes_of((60, 14, 8, 16), (10, 10, 14, 24), (34, 6, 16, 32), (90, 12, 14, 24))
    assert reading_order(low_one_high) == [[1, 2, 0, 3]]


def test_far_apart_in_one_line_is_one_line():
    assert reading_order(boxes_of((900, 104, 14, 24), (10, 100, 14, 24), (400, 96, 14, 24))) == [[1, 2, 0]]


def test_nothing_has_no_lines():
    assert reading_order(boxes_of()) == []


def test_the_best_neighbour_is_near_on_the_line_about_as_high_and_no_part():
    box = [100, 100, 20, 40]
    others = {
        (125, 100, 20, 40): True,
        (170, 90, 20, 40): True,  # ends 90 pixels from the box's beginning, less than twice 40 of them between
        (60, 115, 20, 20): True,  # half as high
        (250, 100, 20, 40): False,  # too far
        (125, 130, 20, 40): False,  # a quarter of its height is shared
        (125, 100, 6, 15): False,  # a dot
        (105, 110, 10, 20): False,  # within it
    }
    for other, near in others.items():
        scores = best_neighbour(np.array([box, other], np.float32), np.array([0.9, 0.7], np.float32))
        assert scores.tolist() == pytest.approx([0.7, 0.9] if near else [0, 0])
    row = np.array([[x, 100, 20, 40] for x in (0, 30, 60)], np.float32)
    assert best_neighbour(row, np.array([0.2, 0.9, 0.5], np.float32)).tolist() == pytest.approx([0.9, 0.5, 0.9])
    assert best_neighbour(row[:0], np.zeros(0, np.float32)).shape == (0,)


# Laws


@st.composite
def any_boxes(draw, most=60):
    count, seed = draw(st.integers(0, most)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    height = np.exp(rng.normal(3, draw(st.sampled_from([0.05, 0.3, 1.0])), count))
    places = rng.uniform(0, draw(st.sampled_from([100, 400, 2000])), (count, 2))
    return np.column_stack([places, height * rng.uniform(0.2, 1.1, count), height]).astype(np.float32)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(any_boxes())
def test_the_reading_order_is_a_permutation(boxes):
    lines = reading_order(boxes)
    assert sorted(row for line in lines for row in line) == list(range(len(boxes)))
    assert all(lines)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(any_boxes(), st.sampled_from([0.25, 2.0, 8.0]), st.integers(-512, 512), st.integers(-512, 512))
def test_the_reading_order_does_not_depend_on_place_and_size(boxes, factor, dx, dy):
    boxes = np.round(boxes * 16) / 16  # so that shifting by whole pixels is exact
    moved = (boxes + np.array([dx, dy, 0, 0], np.float32)) * np.float32(factor)
    assume(not near_a_threshold(boxes))
    assert reading_order(moved) == reading_order(boxes)


def near_a_threshold(boxes, slack=1e-4):
    """Whether some rounding error decides: the slope's cosines and sines are not exact."""
    rng = np.random.default_rng(0)
    return any(
        reading_order(boxes + rng.uniform(-slack, slack, boxes.shape).astype(np.float32)) != reading_order(boxes)
        for _ in range(4)
    )


def slope_by_matrices(boxes):
    """The definition: every box held against every other one."""
    x, y = (boxes[:, :2] + boxes[:, 2:] / 2).T
    dx, dy = x[None] - x[:, None], y[None] - y[:, None]
    distance = np.hypot(dx, dy)
    beside = (dx > 0) & (np.abs(dy) < 1.2 * dx) & (distance < 4 * boxes[:, 3:])
    rows = np.flatnonzero(beside.any(1))
    if len(rows) < 2:
        return 0.0
    nearest = np.where(beside, distance, np.inf).argmin(1)[rows]
    angles = np.sort(np.arctan2(dy[rows, nearest], dx[rows, nearest]))
    middle = float(angles[len(angles) // 2])
    return middle if np.sort(np.abs(angles - middle))[len(angles) // 2] < 0.2 else 0.0


def best_neighbour_by_matrices(boxes, scores):
    x, y, width, height = boxes.T
    high, low = np.maximum(height[:, None], height), np.minimum(height[:, None], height)
    shared = np.minimum((y + height)[:, None], y + height) - np.maximum(y[:, None], y)
    gap = np.maximum(x[:, None], x) - np.minimum((x + width)[:, None], x + width)
    near = (shared > 0.5 * low) & (gap < 2 * high) & (gap > -0.3 * np.minimum(width[:, None], width))
    near &= high < 2.6 * low
    np.fill_diagonal(near, False)
    return np.where(near, scores, 0).max(1, initial=0.0)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(any_boxes(150))
def test_slope_and_neighbours_are_those_of_holding_every_box_against_every_other_one(boxes):
    scores = np.random.default_rng(len(boxes)).random(len(boxes)).astype(np.float32)
    assert slope(boxes) == pytest.approx(slope_by_matrices(boxes), abs=1e-6)  # which computes in float32
    np.testing.assert_array_equal(best_neighbour(boxes, scores), best_neighbour_by_matrices(boxes, scores))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(any_boxes(), st.randoms(use_true_random=False))
def test_joining_changes_nothing_for_those_that_are_in_lines(boxes, random):
    rows = list(range(len(boxes)))
    random.shuffle(rows)
    known, others = np.array(rows[: len(rows) // 2], np.int64), rows[len(rows) // 2 :]
    lines = [known[line].tolist() for line in reading_order(boxes[known])]
    whole = joined(lines, boxes, others)
    assert sorted(row for line in whole for row in line) == sorted(rows)
    for count in range(len(others) + 1):
        some = set(known.tolist()) | set(others[:count])
        left = [[row for row in line if row in some] for line in whole]
        assert [line for line in left if line] == joined(lines, boxes, others[:count])


def test_what_joins_takes_its_place_in_its_line_or_is_a_line_of_its_own():
    boxes = boxes_of(
        (0, 0, 10, 20), (40, 0, 10, 20), (0, 60, 10, 20), (20, 2, 10, 20), (90, 61, 10, 20), (5, 31, 9, 18)
    )
    assert joined([[0, 1], [2]], boxes, [3, 4, 5]) == [[0, 3, 1], [5], [2, 4]]
    assert joined([], boxes, [4, 2]) == [[2, 4]]
    assert joined([[0]], boxes, []) == [[0]]


def test_a_dense_page_is_put_in_order_in_linear_memory():
    rng = np.random.default_rng(0)
    places = np.stack(np.meshgrid(np.arange(70) * 13.0, np.arange(60) * 16.0), -1).reshape(-1, 2)
    boxes = np.concatenate([places + rng.normal(0, 0.5, places.shape), rng.uniform(7, 12, places.shape)], 1)
    boxes, scores = boxes.astype(np.float32), rng.random(len(boxes)).astype(np.float32)
    tracemalloc.start()
    assert len(reading_order(boxes)) == 60
    best_neighbour(boxes, scores)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000_000  # one (n, n) of float32 would take 70 MB
