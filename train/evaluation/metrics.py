"""How good a classifier is, and how sure that is: counts, intervals, calibration, detection. JSON-ready numbers.

summary(labels, probabilities)["accuracy"], ["interval"]      # 0.9929, [0.9911, 0.9944]
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt


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
    z = 1.959963984540054  # the normal distribution's 97.5 % point
    share = right / total
    centre = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    # at the ends the formula gives exactly 0 and 1, floating point not quite
    return 0.0 if right == 0 else (centre - spread) / scale, 1.0 if right == total else (centre + spread) / scale


def summary(truth: npt.NDArray[np.integer], probabilities: npt.NDArray[np.floating]) -> dict[str, Any]:
    """What (N, classes) probabilities make of (N,) labels; the answer is the most probable class.

    Keys: images, right, accuracy (0 to 1), interval ([low, high], Wilson's 95 %), digits (a list, for each class:
    digit, images, precision, recall, f1), confusion (rows of counts: row the truth, column the answer).
    A proportion of nothing is 0.0: precision of a class never answered, recall of a class that does not occur.
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

    a_right, b_right: (N,) bool, whether each answered the same N images correctly. Only images on which one is right
    and the other wrong count: under the null hypothesis each falls to either side like a fair coin.
    """
    only_a, only_b = int((a_right & ~b_right).sum()), int((b_right & ~a_right).sum())
    flips, fewer = only_a + only_b, min(only_a, only_b)
    ways, tail = 1, 0  # ways to choose k of the flips, as exact integers, and their sum for k up to `fewer`
    for k in range(fewer + 1):
        tail += ways
        ways = ways * (flips - k) // (k + 1)
    return min(1.0, 2 * tail / (1 << flips))


def log_loss(truth: npt.NDArray[np.integer], probabilities: npt.NDArray[np.floating]) -> float:
    """The mean of -ln of the probability, of (N, classes), that was given to the true class, of (N,); 0 is perfect.

    No probability counts as less than 1e-12, so that one mistake made in full confidence is not infinite.
    """
    given = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    return float(-np.log(np.maximum(given, 1e-12)).mean())


def calibration_error(confidence: npt.NDArray[np.floating], right: npt.NDArray[np.bool_], bins: int = 15) -> float:
    """How far, on average, the share of right answers lies from the confidence that they were given with, 0 to 1.

    confidence: (N,), 0 to 1; right: (N,). The expected calibration error, in bins of equal width, each counted by its
    answers: C. Guo et al., "On Calibration of Modern Neural Networks" (2017). 0.0 of no answers.
    """
    bin_of = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)  # a bin holds its upper end
    gaps = np.bincount(bin_of, confidence, bins) - np.bincount(bin_of, right, bins)
    return _share(float(np.abs(gaps).sum()), len(confidence))


def auroc(positives: npt.NDArray[np.floating], negatives: npt.NDArray[np.floating]) -> float:
    """The chance that a positive's score is higher than a negative's, ties counting half: the area under the ROC curve.

    positives: (N,), negatives: (M,), neither empty. H. B. Mann, D. R. Whitney, 1947.
    """
    ranked = np.sort(negatives)
    below = np.searchsorted(ranked, positives, "left") + np.searchsorted(ranked, positives, "right")
    return float(below.mean() / 2 / len(negatives))


def fpr_at_tpr(positives: npt.NDArray[np.floating], negatives: npt.NDArray[np.floating], tpr: float = 0.95) -> float:
    """The share of negatives that pass the strictest threshold which `tpr` of the positives pass; the lower the better.

    positives: (N,) scores, negatives: (M,), neither empty; a score that equals the threshold passes.
    """
    threshold = np.sort(positives)[len(positives) - math.ceil(tpr * len(positives))]
    return float((negatives >= threshold).mean())


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0
