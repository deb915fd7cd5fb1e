import json

import numpy as np
import pytest

from digitocr.train.metrics import confusion, mcnemar, summary, wilson

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
    assert mcnemar(a, b) == 2 * (1 + 10) / 2**10
    assert mcnemar(b, a) == mcnemar(a, b)


def test_mcnemar_of_like_classifiers_is_1() -> None:
    a = np.array([True, False, True])
    assert mcnemar(a, a) == 1.0
    assert mcnemar(a, ~a) == 1.0  # 2 against 1


def test_mcnemar_stays_exact_over_many_images() -> None:
    a = np.arange(10_000) < 5_050
    assert 0.2 < mcnemar(a, ~a) < 0.4  # 5,050 against 4,950 flips of a fair coin: one standard deviation
    assert mcnemar(np.ones(10_000, bool), np.zeros(10_000, bool)) == 0.0  # 2 / 2**10000
