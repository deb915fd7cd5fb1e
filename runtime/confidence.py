"""Confidence: the share of readings like this one that are right.

The log-odds of a right reading are those of the detector's score, of the digit's probability, both at once (a sure
reading counts for little where hardly anything was found), whether a digit stands beside it, for all and for a zero (a
hole and a ring stand alone), and for each digit, 0 to 9, how seldom something else is like it.
"""

import numpy as np

from digitocr.runtime import lines
from digitocr.runtime.boxes import Boxes, Scores
from digitocr.runtime.classifier import Probabilities

WEIGHTS = np.array(
    [1.54, 0.60, 0.16, 0.96, 1.06, -1.27, -1.18, -0.52, -0.64, -0.26, -0.97, -0.48, -0.74, -0.72, -0.72], np.float32
)
CERTAIN = 0.01  # a share closer than that to 0 or 1 says no more than this one


def confidence_features(boxes: Boxes, found: Scores, digits: Probabilities) -> Probabilities:
    """What WEIGHTS weighs, (n, 15): of (n, 4) boxes, (n,) scores of the detector, (n, 10) probabilities of the
    digits.
    """
    likely = digits.max(1, initial=0.0)
    shares = np.clip(np.stack([found, likely]), CERTAIN, 1 - CERTAIN)
    first, second = np.log(shares / (1 - shares))
    which = np.eye(10, dtype=np.float32)[digits.argmax(1)]
    beside = lines.best_neighbour(boxes, found * likely)
    return np.column_stack([first, second, first * second, beside, beside * which[:, 0], which]).astype(np.float32)
