import importlib
import json
import sys
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.errors import MissingExtraError
from digitocr.train.evaluation import metrics as module
from digitocr.train.evaluation.metrics import (
    auroc,
    calibration_error,
    confusion,
    fpr_at_tpr,
    log_loss,
    mcnemar,
    summary,
    wilson,
)

TRUTH = np.array([0, 0, 0, 1, 1, 2], np.uint8)
ANSWERS = np.array([0, 0, 1, 1, 1, 0], np.uint8)


def test_confusion_counts_truth_in_rows_and_answers_in_columns() -> None:
    table = confusion(TRUTH, ANSWERS, classes=3)
    assert table.dtype == np.int64
    assert table.tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]


def test_confusion_of_labels_in_bytes_does_not_overflow() -> None:
    nines = np.full(300, 9, np.uint8)
    assert confusion(nines, nines)[9, 9] == 300


def test_wilson_gives_the_interval_of_the_papers_result() -> None:
    low, high = wilson(9929, 10_000)
    assert (round(low, 4), round(high, 4)) == (0.9911, 0.9944)


@pytest.mark.parametrize(("right", "total"), [(0, 10), (10, 10), (1, 1), (5, 10), (99_999, 100_000)])
def test_wilson_holds_the_proportion_and_stays_within_0_and_1(right: int, total: int) -> None:
    low, high = wilson(right, total)
    assert 0 <= low <= right / total <= high <= 1
    assert low < high


def test_wilson_of_nothing_knows_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_summary_worked_by_hand() -> None:
    result = summary(TRUTH, np.eye(4, dtype=np.float32)[ANSWERS])
    assert (result["images"], result["right"], result["accuracy"]) == (6, 4, 4 / 6)
    assert result["interval"] == list(wilson(4, 6))
    assert result["confusion"] == [[2, 1, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    rows = [(d["digit"], d["images"], d["precision"], d["recall"], d["f1"]) for d in result["digits"]]
    assert rows == [
        (0, 3, 2 / 3, 2 / 3, 4 / 6),
        (1, 2, 2 / 3, 1.0, 4 / 5),
        (2, 1, 0.0, 0.0, 0.0),  # never answered
        (3, 0, 0.0, 0.0, 0.0),  # does not occur
    ]


def test_summary_is_ready_for_json() -> None:
    result = summary(TRUTH, np.eye(10, dtype=np.float32)[ANSWERS])
    assert json.loads(json.dumps(result)) == result


def test_mcnemar_by_hand_one_against_nine() -> None:
    a = np.array([True] * 9 + [False] + [True] * 50 + [False] * 3)
    b = np.array([False] * 9 + [True] + [True] * 50 + [False] * 3)
    assert mcnemar(a, b) == pytest.approx(2 * (1 + 10) / 2**10)
    assert mcnemar(b, a) == mcnemar(a, b)


def test_mcnemar_of_like_classifiers_is_1() -> None:
    a = np.array([True, False, True])
    assert mcnemar(a, a) == 1.0
    assert mcnemar(a, ~a) == 1.0  # 2 against 1


def test_mcnemar_stays_exact_over_many_images() -> None:
    a = np.arange(10_000) < 5_050
    assert 0.2 < mcnemar(a, ~a) < 0.4  # 5,050 against 4,950 flips of a fair coin: one standard deviation
    assert mcnemar(np.ones(10_000, bool), np.zeros(10_000, bool)) == 0.0  # 2 / 2**10000


def test_log_loss_worked_by_hand():
    probabilities = np.array([[0.5, 0.5, 0], [0.25, 0.5, 0.25], [1, 0, 0]], np.float32)
    np.testing.assert_allclose(log_loss(np.array([0, 2, 0], np.uint8), probabilities), np.log(8) / 3, rtol=1e-6)
    assert log_loss(np.array([1]), np.array([[1.0, 0.0]])) == -np.log(1e-12)


def test_calibration_error_worked_by_hand():
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    right = np.array([True, True, True, False, True, False])
    np.testing.assert_allclose(calibration_error(confidence, right), (4 * (0.95 - 0.75) + 2 * (0.55 - 0.5)) / 6)
    # within a bin too much and too little confidence make up for each other, across bins they do not
    np.testing.assert_allclose(calibration_error(confidence, right, bins=1), 4.9 / 6 - 4 / 6)


def test_calibration_error_of_the_ends_of_the_bins():
    confidence = np.array([0.0, 1 / 3, 1 / 3 + 1e-9, 1.0])  # in three bins: the first two, the third, the last
    right = np.array([True, False, False, True])
    np.testing.assert_allclose(calibration_error(confidence, right, bins=3), ((1 - 1 / 3) + 1 / 3 + 0) / 4)
    assert calibration_error(np.zeros(0), np.zeros(0, bool)) == 0.0


def test_auroc_counts_the_pairs_in_order_and_ties_by_half():
    assert auroc(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 1.0
    assert auroc(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 0.0
    assert auroc(np.array([1.0, 3.0, 5.0]), np.array([1.0, 4.0])) == (0.5 + 0 + 1 + 0 + 1 + 1) / 6
    assert auroc(np.ones(3), np.ones(2)) == 0.5


def test_fpr_at_tpr_worked_by_hand():
    positives = np.arange(1.0, 101.0)  # 95 of them are 6 or more
    assert fpr_at_tpr(positives, np.array([5.9, 6.0, 7.0, 100.0])) == 0.75
    assert fpr_at_tpr(positives, np.array([5.9, 6.0, 7.0, 100.0]), tpr=1.0) == 1.0
    assert fpr_at_tpr(np.array([0.9, 0.1]), np.array([0.5, 0.95]), tpr=0.5) == 0.5
    assert fpr_at_tpr(np.arange(1.0, 11.0), np.array([1.5, 0.5])) == 0.5  # of ten, nine are too few


scores = st.lists(st.integers(0, 20).map(lambda level: level / 20), min_size=1, max_size=30).map(np.array)


@settings(derandomize=True, deadline=None)
@given(scores, scores)
def test_swapping_positives_and_negatives_turns_the_area_round(positives, negatives):
    pairs = np.sign(positives[:, None] - negatives).mean() / 2 + 0.5
    assert auroc(positives, negatives) == pytest.approx(pairs)
    assert auroc(negatives, positives) == pytest.approx(1 - pairs)
    assert 0 <= fpr_at_tpr(positives, negatives) <= fpr_at_tpr(positives, negatives, tpr=1.0) <= 1


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_two_sided_binomial_test_of_a_fair_coin(only_a, only_b):
    a = np.array([True] * only_a + [False] * only_b, bool)
    flips = only_a + only_b
    tail = sum(comb(flips, k) for k in range(min(only_a, only_b) + 1)) / 2**flips
    assert mcnemar(a, ~a) == pytest.approx(min(1, 2 * tail))


@settings(derandomize=True, deadline=None)
@given(st.integers(1, 2000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_wilson_s_ends_are_the_proportions_that_the_test_just_accepts(counts):
    right, total = counts
    for end in wilson(right, total):
        if 0 < end < 1:
            distance = abs(right / total - end) / np.sqrt(end * (1 - end) / total)
            assert distance == pytest.approx(1.959964, abs=1e-4)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=30), st.integers(1, 20))
def test_a_calibration_error_is_a_share_and_no_less_than_that_of_one_bin(answers, bins):
    confidence, right = np.array([c for c, _ in answers]), np.array([r for _, r in answers], bool)
    error = calibration_error(confidence, right, bins)
    assert calibration_error(confidence, right, 1) <= error + 1e-9
    assert 0 <= error <= 1


def test_without_scipy_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    monkeypatch.delitem(sys.modules, module.__name__)
    with pytest.raises(MissingExtraError, match=r"digitocr\[train\]"):
        importlib.import_module(module.__name__)
