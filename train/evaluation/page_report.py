"""How well a Reader reads drawn pages: digits found, read right and invented, and the calibration of its confidence.

report = page_report(Reader(), drawn_pages(seed=0, count=200))
report["right"], report["digits"]      # 1400, 1427
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from digitocr.runtime.boxes import iou
from digitocr.runtime.errors import MissingExtraError
from digitocr.runtime.reader import Reader
from digitocr.train.evaluation.metrics import calibration_error
from digitocr.train.synthesis.pages import Page, draw_page, random_style

try:
    from scipy.optimize import linear_sum_assignment
except ImportError as error:
    raise MissingExtraError("train", "measuring a model") from error

PAGE_STREAM = 1_000_003  # joined to the seed; no training draws from this stream
MAX_LINES = 3  # on a page
MAX_LINE_DIGITS = 6  # in a line
MIN_IOU = 0.5  # intersection over union of a box with a digit, at least, for the digit to count as found
CALIBRATION_BINS = 15  # of the calibration error, of equal width


def drawn_pages(seed: int, count: int) -> Iterator[Page]:
    """Pages of one to MAX_LINES lines of handwriting, each page in another style; the same for the same seed."""
    rng = np.random.default_rng((seed, PAGE_STREAM))
    for _ in range(count):
        lines = [
            "".join(map(str, rng.integers(0, 10, rng.integers(1, MAX_LINE_DIGITS + 1))))
            for _ in range(rng.integers(1, MAX_LINES + 1))
        ]
        yield draw_page(lines, rng, random_style(rng))


def page_report(reader: Reader, pages: Iterable[Page]) -> dict[str, Any]:
    """Counts of digits that a Reader reads right and wrong on drawn pages, at least one.

    Keys: pictures; digits (drawn on them); found and missed (digits with and without a box that was read); right
    (found, and read as the digit that it is); invented (boxes that were read where no digit is); calibration_error of
    the confidence of all that was read, and calibration_error_all of that of every candidate, read or left out.
    """
    pictures = digits = 0
    kept, confidence, partner, right = [], [], [], []
    for page in pages:
        candidates = reader.candidates(page.image)
        boxes = np.array([(c.box.x, c.box.y, c.box.w, c.box.h) for c in candidates], np.float64).reshape(-1, 4)
        read = np.array([candidate.kept for candidate in candidates], bool)
        # those that were read are matched among themselves: one that was left out takes no digit from them
        pairs = np.where(read, -1, matched(boxes, page.boxes))
        pairs[read] = matched(boxes[read], page.boxes)
        answers = np.array([np.argmax(candidate.probabilities[:10]) for candidate in candidates], np.int64)
        pictures += 1
        digits += len(page.boxes)
        kept.append(read)
        confidence.append(np.array([candidate.confidence for candidate in candidates], np.float64))
        partner.append(pairs)
        right.append(np.append(page.digits, -1)[pairs] == answers)  # a box without a partner has the label -1
    read, sure, pairs, hits = (np.concatenate(part) for part in (kept, confidence, partner, right))
    found = int((read & (pairs >= 0)).sum())
    return {
        "pictures": pictures,
        "digits": digits,
        "found": found,
        "missed": digits - found,
        "right": int((read & hits).sum()),
        "invented": int((read & (pairs < 0)).sum()),
        "calibration_error": calibration_error(sure[read], hits[read], CALIBRATION_BINS),
        "calibration_error_all": calibration_error(sure, hits, CALIBRATION_BINS),
    }


def matched(boxes: npt.NDArray[Any], truth: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The index of the true box that each box has found: (n,) int64, -1 for none.

    A box and a true box may be paired if their intersection over union is MIN_IOU or more, and each is in one pair at
    most; of all such pairings, the one with the greatest sum of intersections over unions (H. W. Kuhn, 1955).

    Args:
        boxes: (n, 4) x, y, width, height in pixels.
        truth: (m, 4) x, y, width, height in pixels.
    """
    partner = np.full(len(boxes), -1, np.int64)
    overlap = iou(boxes, truth)
    possible = overlap >= MIN_IOU
    rows, columns = linear_sum_assignment(np.where(possible, overlap, 0), maximize=True)
    paired = possible[rows, columns]
    partner[rows[paired]] = columns[paired]
    return partner
