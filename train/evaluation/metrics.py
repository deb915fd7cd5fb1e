"""Accuracy with its interval, calibration, and how well a score separates two groups; all as JSON-ready numbers.

summary(labels, probabilities)["accuracy"], ["interval"]      # 0.9929, [0.9911, 0.9944]
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import MissingExtraError

try:
    from scipy.stats import binomtest
except ImportError as error:
    raise MissingExtraError("train", "measuring a model") from error

MIN_PROBABILITY = 1e-12  # the least that log_loss counts, so that one mistake made in full confidence is not infinite


def confusion(
    truth: npt.NDArray[np.integer], answers: npt.NDArray[np.integer], classes: int = 10
) -> npt.NDArray[np.int64]:
    """(classes, classes) int64: row t, column a counts the images of class t that were answered a. Inputs (N,)."""
    cells = truth.astype(np.int64) * classes + answers.astype(np.int64)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def wilson(right: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a proportion `right` of `total` (E. B. Wilson, 1927); (0, 1) where total is 0."""
    if total == 0:
        return 0.0, 1.0
    interval = binomtest(right, total).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def summary(truth: npt.NDArray[np.integer], probabilities: npt.NDArray[np.floating]) -> dict[str, Any]:
    """Counts and shares for (N,) labels and (N, classes) probabilities; the answer is the most probable class.

    Keys: images, right, accuracy (0 to 1), interval ([low, high], Wilson's 95 %), digits (a list with one entry for
    each class: digit, images, precision, recall, f1), confusion (rows of counts: row the truth, column the answer).
    A proportion of nothing is 0.0: the precision of a class never answered, the recall of a class that does not occur.
    """
    answers = probabilities.argmax(axis=1)
    table = confusion(truth, answers, probabilities.shape[1])
    hits, occurring, answered = np.diag(table).tolist(), table.sum(axis=1).tolist(), table.sum(axis=0).tolist()
    right, total = sum(hits), len(truth)
    return {
        "images": total,
        "right": right,
        "accuracy": _share(right, total),
        "interval": list(wilson(right, total)),
        "digits": [
            {
                "digit": digit,
                "images": images,
                "precision": _share(hit, given),
                "recall": _share(hit, images),
                "f1": _share(2 * hit, images + given),  # the harmonic mean of the two, written in counts
            }
            for digit, (hit, images, given) in enumerate(zip(hits, occurring, answered, strict=True))
        ],
        "confusion": table.tolist(),
    }


def mcnemar(a_right: npt.NDArray[np.bool_], b_right: npt.NDArray[np.bool_]) -> float:
    """The exact two-sided p of McNemar's test (Q. McNemar, 1947) that two classifiers err equally often.

    Only images on which one is right and the other wrong count: under the null hypothesis each of them favours either
    classifier with probability 1/2.

    Args:
        a_right: (N,) bool, whether the first classifier answered each of N images correctly.
        b_right: (N,) bool, the same of the second classifier for the same images.
    """
    only_a, only_b = int((a_right & ~b_right).sum()), int((b_right & ~a_right).sum())
    return float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def log_loss(truth: npt.NDArray[np.integer], probabilities: npt.NDArray[np.floating]) -> float:
    """The mean of -ln(probability of the true class) over (N,) labels and (N, classes) probabilities; 0 is perfect.

    A probability counts as MIN_PROBABILITY at least.
    """
    given = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    return float(-np.log(np.maximum(given, MIN_PROBABILITY)).mean())


def calibration_error(confidence: npt.NDArray[np.floating], right: npt.NDArray[np.bool_], bins: int = 15) -> float:
    """The expected calibration error, 0 to 1; 0.0 where there are no answers.

    The difference between the mean confidence and the share of right answers in each of `bins` bins of equal width,
    averaged with the number of answers as weight: C. Guo et al., "On Calibration of Modern Neural Networks" (2017).

    Args:
        confidence: (N,), 0 to 1.
        right: (N,), whether each answer is right.
        bins: The number of bins.
    """
    bin_of = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)  # a bin includes its upper end
    gaps = np.bincount(bin_of, confidence, bins) - np.bincount(bin_of, right, bins)
    return _share(float(np.abs(gaps).sum()), len(confidence))


def auroc(positives: npt.NDArray[np.floating], negatives: npt.NDArray[np.floating]) -> float:
    """The area under the ROC curve: the probability that a positive scores higher than a negative; ties count half.

    H. B. Mann, D. R. Whitney (1947).

    Args:
        positives: (N,) scores; not empty.
        negatives: (M,) scores; not empty.
    """
    ranked = np.sort(negatives)
    below = np.searchsorted(ranked, positives, "left") + np.searchsorted(ranked, positives, "right")
    return float(below.mean() / 2 / len(negatives))


def fpr_at_tpr(positives: npt.NDArray[np.floating], negatives: npt.NDArray[np.floating], tpr: float = 0.95) -> float:
    """The share of negatives that pass the strictest threshold that at least `tpr` of the positives pass; 0 is best.

    Args:
        positives: (N,) scores; not empty. A score that equals the threshold passes.
        negatives: (M,) scores; not empty.
        tpr: The share of positives that must pass, 0 to 1.
    """
    threshold = np.sort(positives)[len(positives) - math.ceil(tpr * len(positives))]
    return float((negatives >= threshold).mean())


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0
