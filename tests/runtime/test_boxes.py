import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from digitocr.runtime import boxes as module
from digitocr.runtime.boxes import iou, near_pairs, non_maximum_suppression, scaled, share_of_smaller


def boxes_of(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


@st.composite
def scored_boxes(draw, most=80):
    """(n, 4) boxes, many of them over each other, and (n,) scores."""
    count, seed = draw(st.integers(0, most)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    sides = np.exp(rng.normal(3, draw(st.sampled_from([0.1, 0.6, 1.5])), (count, 2)))
    places = rng.uniform(-20, draw(st.sampled_from([60, 300, 2000])), (count, 2))
    return np.concatenate([places, sides], 1).astype(np.float32), rng.random(count).astype(np.float32)


# Overlap


def test_iou_is_intersection_over_union_of_each_with_each():
    shared = iou(boxes_of((0, 0, 10, 10), (20, 0, 10, 10), (0, 0, 0, 0)), boxes_of((5, 0, 10, 10), (0, 0, 10, 10)))
    np.testing.assert_allclose(shared, [[1 / 3, 1], [0, 0], [0, 0]], atol=1e-6)
    assert iou(boxes_of((0, 0, 1, 1)), boxes_of()).shape == (1, 0)
    assert iou(boxes_of(), boxes_of()).shape == (0, 0)


def test_the_share_of_the_smaller_box_is_1_where_it_lies_in_the_larger_one():
    shared = share_of_smaller(np.array([[0, 0, 10, 10]]), np.array([[2, 2, 3, 3], [5, 0, 10, 10], [10, 0, 10, 10]]))
    np.testing.assert_allclose(shared, [[1, 0.5, 0]])


@settings(derandomize=True, deadline=None, max_examples=40)
@given(scored_boxes(), scored_boxes())
def test_overlaps_are_symmetric_shares(one, other):
    for measure in (iou, share_of_smaller):
        shared = measure(one[0], other[0])
        np.testing.assert_allclose(shared, measure(other[0], one[0]).T)
        assert ((shared >= 0) & (shared <= 1 + 1e-4)).all()
        np.testing.assert_allclose(np.diagonal(measure(one[0], one[0])), 1, rtol=1e-3)


def test_boxes_are_scaled_about_their_centres():
    np.testing.assert_allclose(scaled(boxes_of((10, 20, 8, 4)), 1.5), [[8, 19, 12, 6]])


# Suppression


def test_of_boxes_of_one_digit_the_best_is_kept():
    boxes = boxes_of((50, 0, 10, 20), (0, 0, 10, 20), (1, 1, 10, 20), (0, 2, 11, 22), (11, 0, 10, 20))
    kept, scores = non_maximum_suppression(boxes, np.array([0.3, 0.7, 0.9, 0.8, 0.5], np.float32))
    assert kept.tolist() == [[1, 1, 10, 20], [11, 0, 10, 20], [50, 0, 10, 20]]
    assert scores.tolist() == pytest.approx([0.9, 0.5, 0.3])


def test_a_part_gives_way_to_the_whole_and_the_whole_to_a_better_part():
    whole, part, corner = (0, 0, 30, 40), (5, 5, 15, 15), (22, 30, 20, 20)
    for first, second in ((whole, part), (part, whole)):
        kept, _ = non_maximum_suppression(boxes_of(first, second), np.array([0.9, 0.8], np.float32))
        assert kept.tolist() == [list(first)]
    assert len(non_maximum_suppression(boxes_of(whole, corner), np.array([0.9, 0.8], np.float32))[0]) == 2


def test_what_gave_way_takes_no_other_with_it():
    chain = boxes_of((0, 0, 20, 20), (8, 0, 20, 20), (16, 0, 20, 20))  # each overlaps the next by 0.43
    kept, _ = non_maximum_suppression(chain, np.array([0.9, 0.8, 0.7], np.float32))
    assert kept[:, 0].tolist() == [0, 16]


def test_no_more_than_so_many_are_kept(monkeypatch):
    monkeypatch.setattr(module, "MAX_DETECTIONS", 2)
    apart = boxes_of(*((100 * place, 0, 10, 10) for place in range(5)))
    kept, _ = non_maximum_suppression(apart, np.array([0.1, 0.5, 0.9, 0.3, 0.7], np.float32))
    assert kept[:, 0].tolist() == [200, 400]
    assert non_maximum_suppression(apart[:0], np.zeros(0, np.float32))[0].shape == (0, 4)


def suppressed_one_by_one(boxes, scores):
    """The definition: every kept box is held against all that follow."""
    order = np.argsort(-scores, kind="stable")
    kept = []
    for row in order.tolist():
        x, y, w, h = boxes[row].tolist()
        longer = max(w, h)
        wide, high = max(w, module.MIN_ASPECT * longer), max(h, module.MIN_ASPECT * longer)
        box = [x + w / 2 - wide / 2, y + h / 2 - high / 2, wide, high]
        others = [other for other, _ in kept]
        if (
            not kept
            or (
                (iou(boxes_of(box), boxes_of(*others)) < module.MAX_IOU)
                & (share_of_smaller(boxes_of(box), boxes_of(*others)) < module.MAX_SHARE_OF_SMALLER)
            ).all()
        ):
            kept.append((box, row))
    rows = [row for _, row in kept]
    return boxes[rows], scores[rows]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(scored_boxes(300))
def test_suppression_is_greedy_and_idempotent(drawn):
    boxes, scores = drawn
    kept, kept_scores = non_maximum_suppression(boxes, scores)
    expected, expected_scores = suppressed_one_by_one(boxes, scores)
    np.testing.assert_array_equal(kept, expected)
    np.testing.assert_array_equal(kept_scores, expected_scores)
    again, again_scores = non_maximum_suppression(kept, kept_scores)
    np.testing.assert_array_equal(again, kept)
    np.testing.assert_array_equal(again_scores, kept_scores)


@settings(derandomize=True, deadline=None, max_examples=20)
@given(scored_boxes(300))
def test_suppression_is_the_same_by_grids_as_by_looking_at_all(drawn):
    expected = non_maximum_suppression(*drawn)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEW_PAIRS", 0)
        patch.setattr(module, "FEW_OVERLAPS", 0)
        for one, other in zip(non_maximum_suppression(*drawn), expected, strict=True):
            np.testing.assert_array_equal(one, other)


# Near pairs


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    arrays(np.float32, st.tuples(st.integers(0, 60), st.just(3)), elements=st.floats(0, 500, width=32)),
    arrays(np.float32, st.tuples(st.integers(0, 60), st.just(2)), elements=st.floats(-50, 500, width=32)),
    st.sampled_from([0, 3_000]),
)
def test_all_pairs_within_reach_are_found_once(points, others, few):
    points, reach = points[:, :2], points[:, 2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEW_PAIRS", few)
        patch.setattr(module, "MAX_PAIRS", 50)
        blocks = list(near_pairs(points, reach, others))
    found = [pair for one, other in blocks for pair in zip(one.tolist(), other.tolist(), strict=True)]
    assert len(found) == len(set(found))
    within = (np.abs(points[:, None] - others[None]) <= reach[:, None, None]).all(2)
    assert set(zip(*(rows.tolist() for rows in np.nonzero(within)), strict=True)) <= set(found)
    if not few:
        for one, _ in blocks:
            assert len(one) <= max(50, len(others))


def dense(columns=80, rows=62, copies=4):
    """The candidates of a page of 14 pixel print, each digit found several times."""
    rng = np.random.default_rng(0)
    places = np.stack(np.meshgrid(np.arange(columns) * 12.0, np.arange(rows) * 16.0), -1).reshape(-1, 2)
    places = np.repeat(places, copies, 0) + rng.normal(0, 1, (columns * rows * copies, 2))
    sides = np.stack([rng.uniform(6, 9, len(places)), rng.uniform(9, 12, len(places))], 1)
    return np.concatenate([places, sides], 1).astype(np.float32), rng.random(len(places)).astype(np.float32)


def test_suppression_of_a_dense_page_takes_linear_memory():
    boxes, scores = dense()
    tracemalloc.start()
    kept, _ = non_maximum_suppression(boxes, scores)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(kept) == module.MAX_DETECTIONS
    assert peak < 30_000_000  # (n, n) of bool would take 390 MB
