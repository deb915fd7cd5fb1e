import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.attempt import Attempt

ROW = np.array([[20.0 * place, 10, 12, 20] for place in range(4)], np.float32)


def attempt(confidence, digits=(7, 7, 7, 7), boxes=ROW):
    count = len(boxes)
    confidence = np.broadcast_to(np.asarray(confidence, np.float32), count)
    probabilities = np.zeros((count, 11), np.float32)
    probabilities[np.arange(count), list(digits)[:count]] = confidence
    return Attempt(0, boxes, np.ones(count, np.float32), np.zeros((count, 28, 28), np.uint8), probabilities, confidence)


def test_the_upright_score_is_the_confidence_above_a_half_of_what_is_read_but_zeros():
    assert attempt(0.5).read.tolist() == [0, 1, 2, 3]
    assert attempt(0.5).upright_score == 0
    assert attempt(0.75).upright_score == pytest.approx(1)
    assert attempt((0.75, 0.75, 0.4, 1), (0, 7, 7, 1)).upright_score == pytest.approx(0.75)
    assert attempt((0.75, 0.85, 0.4, 0.1)).mean_confidence == pytest.approx(0.8)
    assert attempt(0.2).mean_confidence == 0


def test_the_reading_score_counts_zeros_as_well():
    assert attempt((0.75, 0.75, 0.4, 1), (0, 7, 7, 1)).reading_score == pytest.approx(1)


def test_a_moved_attempt_has_its_boxes_elsewhere():
    assert attempt(0.9).moved(-5).boxes[:2].tolist() == [[-5, 5, 12, 20], [15, 5, 12, 20]]


def test_lines_hold_what_conf_keeps():
    some = attempt((0.9, 0.3, 0.6, 0.8))
    assert some.lines(0.5, "auto") == [[0, 2, 3]]
    assert some.lines(0.2, "auto") == [[0, 1, 2, 3]]
    assert some.lines(0.7, "line") == [[0, 3]]
    assert some.lines(0.95, "auto") == some.lines(0.95, "line") == []
    assert some.lines(0.95, "single") == [[0]]
    assert attempt((), boxes=ROW[:0]).lines(0, "single") == []


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 40), st.integers(0, 2**32 - 1), st.sampled_from(["auto", "line"]))
def test_raising_conf_takes_rows_away_and_moves_none(count, seed, mode):
    rng = np.random.default_rng(seed)
    boxes = np.concatenate([rng.uniform(0, 300, (count, 2)), rng.uniform(8, 30, (count, 2))], 1).astype(np.float32)
    some = attempt(rng.random(count), rng.integers(0, 10, count), boxes)
    before = some.lines(0, mode)
    assert sorted(row for line in before for row in line) == list(range(count))
    for conf in np.linspace(0.05, 1, 20).tolist():
        left = [[row for row in line if some.confidence[row] >= conf] for line in before]
        before = some.lines(conf, mode)
        assert before == [line for line in left if line]


def test_why_a_candidate_is_left_out():
    some = attempt((0.9, 0.3, 0.6, 0.8), (10, 7, 7, 7))
    assert some.why_left_out(0, 0.95, "auto") == "looks like no digit (0.90)"
    assert some.why_left_out(1, 0.5, "auto") == "below --conf 0.5"
    assert some.why_left_out(2, 0.5, "single") == "another one is more confident, and --mode single reads one"
    assert attempt((), boxes=ROW[:0]).why_nothing(0.5) == "nothing in it looks like a digit"
    assert attempt(0.3, boxes=ROW[:1]).why_nothing(0.5) == (
        "1 region was found, the most confident reading is a 7 with 0.30, below --conf 0.5"
    )
    assert attempt(0.9996, boxes=ROW[:1]).why_nothing(1).endswith("a 7 with 0.9996, below --conf 1")
