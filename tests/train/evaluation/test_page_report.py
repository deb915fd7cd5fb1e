from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.boxes import iou
from digitocr.runtime.candidates import Candidate
from digitocr.runtime.reader import Reader
from digitocr.runtime.reading import Box
from digitocr.train.evaluation.page_report import MIN_IOU, drawn_pages, matched, page_report
from digitocr.train.synthesis.pages import Page


def test_pages_read_by_the_shipped_network():
    report = page_report(Reader(), drawn_pages(seed=0, count=6))
    counts = [report[key] for key in ("pictures", "digits", "found", "missed", "right", "invented")]
    assert counts == [6, 65, 65, 0, 65, 0]
    assert report["calibration_error"] < 0.02


def test_pages_depend_on_the_seed_alone():
    first, again, other = (list(drawn_pages(seed, 3)) for seed in (0, 0, 1))
    for page, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(page.image, same.image)
        assert len(page.boxes) == len(page.digits)
    assert [page.digits.tolist() for page in first] != [page.digits.tolist() for page in other]


BLANK = np.zeros((50, 50), np.uint8)
PAGE = Page(np.dstack([BLANK] * 3), "34", np.array([[0, 0, 10, 10], [20, 0, 10, 10]], np.int32), BLANK)


def candidate(box, digit, confidence, kept=True):
    probabilities = [0.05] * 11  # the last is of no digit
    probabilities[digit], probabilities[10] = 0.1, 0.4
    return Candidate(Box(*box), 1.0, np.zeros((28, 28), np.uint8), tuple(probabilities), confidence, kept, "")


@pytest.mark.parametrize(
    ("candidates", "found", "right", "invented", "error", "error_all"),
    [
        ([], 0, 0, 0, 0, 0),
        ([candidate((0, 0, 10, 10), 3, 0.75)], 1, 1, 0, 0.25, 0.25),
        ([candidate((0, 0, 10, 10), 7, 0.75)], 1, 0, 0, 0.75, 0.75),  # found, and read wrong
        ([candidate((0, 0, 2, 2), 3, 0.75)], 0, 0, 1, 0.75, 0.75),  # something in a digit
        ([candidate((0, 0, 10, 10), 3, 0.25, kept=False)], 0, 0, 0, 0, 0.75),
        # the same digit twice: a candidate that was left out takes it from none that was read
        ([candidate((1, 0, 10, 10), 3, 0.9), candidate((0, 0, 10, 10), 3, 0.3, kept=False)], 1, 1, 0, 0.1, 0.4),
        # and twice read, it is there but once
        ([candidate((1, 0, 10, 10), 3, 0.9), candidate((0, 0, 10, 10), 3, 0.7)], 1, 1, 1, 0.6, 0.6),
    ],
)
def test_what_is_read_is_held_against_what_was_drawn(candidates, found, right, invented, error, error_all):
    reader = SimpleNamespace(candidates=lambda _: candidates)
    report = page_report(reader, [PAGE, PAGE])
    assert (report["pictures"], report["digits"], report["missed"]) == (2, 4, 4 - 2 * found)
    assert (report["found"], report["right"], report["invented"]) == (2 * found, 2 * right, 2 * invented)
    np.testing.assert_allclose([report["calibration_error"], report["calibration_error_all"]], [error, error_all])


def test_boxes_are_matched_to_what_they_overlap_most_and_once():
    truth = np.array([[0, 0, 10, 10], [20, 0, 10, 10], [40, 0, 10, 10]])
    boxes = np.array(
        [
            [1, 0, 10, 10],  # of the first, but another one fits better
            [0, 0, 10, 10],
            [20, 0, 10, 21],  # under half
            [40, 0, 20, 10],  # just half
            [99, 99, 5, 5],
        ]
    )
    assert matched(boxes, truth).tolist() == [-1, 0, -1, 2, -1]
    assert matched(boxes[:0], truth).tolist() == []
    assert matched(boxes, truth[:0]).tolist() == [-1] * 5


some_boxes = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(4, 12), st.integers(4, 12)), max_size=6
).map(lambda boxes: np.array(boxes, np.float64).reshape(-1, 4))


@settings(derandomize=True, deadline=None)
@given(some_boxes, some_boxes, st.randoms(use_true_random=False))
def test_a_match_is_one_to_one_overlaps_and_does_not_depend_on_the_order(boxes, truth, random):
    partner = matched(boxes, truth)
    paired = partner >= 0
    shared = iou(boxes, truth)
    assert len(set(partner[paired])) == paired.sum()
    assert (shared[paired, partner[paired]] >= MIN_IOU).all()
    free_truth = [digit for digit in range(len(truth)) if digit not in partner]
    assert (shared[~paired][:, free_truth] < MIN_IOU).all()  # no pair is left
    order = random.sample(range(len(boxes)), len(boxes))
    again = matched(boxes[order], truth)
    total = shared[paired, partner[paired]].sum()
    assert shared[order][again >= 0, again[again >= 0]].sum() == pytest.approx(total)
