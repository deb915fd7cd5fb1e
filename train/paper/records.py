"""Evaluates the record of a run: the answers of its network to the test images, and how many are right.

run = read_results(Path("runs/study"))["runs"][0]
accuracy(run)                 # 99.21, percent
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from digitocr.train.evaluation.label_errors import LABEL_ERRORS
from digitocr.train.evaluation.metrics import confusion, mcnemar

Run = dict[str, Any]  # a run of study.read_results


def errors(run: Run) -> int:
    """The number of test images that a run's network answers wrong."""
    return len(run["test"]["errors"])


def accuracy(run: Run) -> float:
    """Percent of the test images."""
    return 100 * (1 - errors(run) / int(run["test"]["images"]))


def answers(run: Run, labels: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """(N,): the answers of a run's network to the test images, from their (N,) labels and the recorded errors."""
    given = labels.astype(np.int64)
    for index, answer in run["test"]["errors"]:
        given[index] = answer
    return given


def single_mcnemar(a: Run, b: Run) -> float:
    """The p value of McNemar's test of two single networks on the same test images."""
    wrong = [np.zeros(run["test"]["images"], bool) for run in (a, b)]
    for mask, run in zip(wrong, (a, b), strict=True):
        mask[[index for index, _ in run["test"]["errors"]]] = True
    return mcnemar(~wrong[0], ~wrong[1])


def class_scores(run: Run, labels: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """(10, 3): precision, recall and F1 of each class."""
    table = confusion(labels, answers(run, labels))
    hits, occurring, answered = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    with np.errstate(invalid="ignore"):
        scores = np.stack([hits / answered, hits / occurring, 2 * hits / (occurring + answered)], axis=1)
    return np.asarray(np.nan_to_num(scores), np.float64)


def without_label_errors(run: Run) -> dict[str, float]:
    """Percent right of the test images, by how the known label errors (LABEL_ERRORS) are treated.

    Keys: "all" (labels as published), "without" (those images left out), "corrected" (labels replaced where reviewers
    agreed on another one, and the other known errors left out).
    """
    wrong, total = dict(map(tuple, run["test"]["errors"])), run["test"]["images"]
    known = {index: pair for index, pair in LABEL_ERRORS.items() if index < total}
    others_wrong = sum(index not in known for index in wrong)
    agreed = {index: (label, seen) for index, (label, seen) in known.items() if seen is not None}
    agreed_wrong = sum(wrong.get(index, label) != seen for index, (label, seen) in agreed.items())
    others = total - len(known)
    return {
        "all": 100 * (1 - len(wrong) / total),
        "without": 100 * (1 - others_wrong / others),
        "corrected": 100 * (1 - (others_wrong + agreed_wrong) / (others + len(agreed))),
    }
