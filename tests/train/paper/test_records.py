from typing import Any

import numpy as np
import pytest

from digitocr.train.evaluation.label_errors import LABEL_ERRORS
from digitocr.train.paper.records import accuracy, answers, class_scores, errors, single_mcnemar, without_label_errors

LABELS = np.resize(np.arange(10, dtype=np.uint8), 10_000)


def run(wrong: list[tuple[int, int]]) -> dict[str, Any]:
    """A run whose network answers those (index, answer) wrong, of 10,000."""
    return {"test": {"images": 10_000, "errors": [list(pair) for pair in wrong]}}


def test_answers_are_the_labels_but_for_the_errors() -> None:
    one = run([(3, 7), (10, 1)])
    assert (errors(one), accuracy(one)) == (2, pytest.approx(99.98))
    given = answers(one, LABELS)
    assert (given[3], given[10]) == (7, 1)
    assert np.flatnonzero(given != LABELS).tolist() == [3, 10]
    assert LABELS[3] == 3  # not changed


def test_class_scores_are_precision_recall_and_f1() -> None:
    fours, nines = np.flatnonzero(LABELS == 4), np.flatnonzero(LABELS == 9)
    scores = class_scores(run([(i, 9) for i in fours[:12]] + [(i, 4) for i in nines[:2]]), LABELS)
    assert scores.shape == (10, 3)
    assert scores[4].tolist() == pytest.approx([988 / 990, 988 / 1000, 2 * 988 / 1990])
    assert scores[0].tolist() == [1, 1, 1]


def test_mcnemar_looks_at_the_same_images() -> None:
    a = run([(index, 0) for index in range(1, 9)])
    b = run([(index, 0) for index in range(11, 19)])
    assert single_mcnemar(a, a) == 1.0
    assert single_mcnemar(a, b) == 1.0
    assert single_mcnemar(a, run([])) == pytest.approx(2 / 2**8)


def test_wrong_labels_are_left_out_or_corrected() -> None:
    known = dict(LABEL_ERRORS)
    right = run([])  # answers all labels, the wrong ones too
    assert without_label_errors(right) == pytest.approx(
        {"all": 100, "without": 100, "corrected": 100 * (1 - 10 / 9_995)}
    )
    seen = run([(i, seen) for i, (_, seen) in known.items() if seen is not None])
    told = without_label_errors(seen)
    assert told == pytest.approx({"all": 99.9, "without": 100, "corrected": 100})
