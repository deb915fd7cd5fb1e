"""What was found besides what is read: candidates, and the lines as the recognizer saw them, as frozen values."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digitocr.runtime.attempt import Attempt
from digitocr.runtime.characters import OTHER as OTHER_TEXT
from digitocr.runtime.reading import Box
from digitocr.runtime.recognition import on_line
from digitocr.runtime.recognizer import CLASSES, COLUMN, DIGIT, OTHER, WORD, Segment


@dataclass(frozen=True, slots=True)
class Candidate:
    """A region that may be a digit, whether it is in the reading or not.

    Attributes:
        box: Where the region is.
        score: The detector's score, 0 to 1.
        image: (28, 28) uint8, what the classifier got. It counts neither in comparisons nor in `repr`.
        probabilities: Of the digits 0 to 9, by classifier and recognizer together, and after them of "no digit" if the
            classifier knows that class.
        confidence: Of the likeliest digit, 0 to 1, as calibrated.
        kept: Whether the region is in the reading.
        why: Why it is not; empty where it is.
        lined: What the recognizer sees in its place: probabilities of the digits 0 to 9, the signs ".,-+:/", letters
            and other signs, and nothing; empty for a region that is on no line. Not in `repr`.
        begins: Why a number begins with this digit although digits stand before it on the line; else empty.
    """

    box: Box
    score: float
    image: npt.NDArray[np.uint8] = field(repr=False, compare=False)
    probabilities: tuple[float, ...]
    confidence: float
    kept: bool
    why: str
    lined: tuple[float, ...] = field(default=(), repr=False)
    begins: str = ""


class Mark(NamedTuple):
    """What the recognizer reads in a part of a strip.

    Attributes:
        text: A digit, one of the signs ".,-+:/", or "*" for letters and other signs, one or several.
        left: Where it begins, pixels from the strip's left border.
        right: Where it ends.
        probability: Of the text, the mean over its columns.
    """

    text: str
    left: int
    right: int
    probability: float


class Span(NamedTuple):
    """A candidate on a strip.

    Attributes:
        candidate: Its place in the list of candidates.
        left: Where it begins, pixels from the strip's left border.
        right: Where it ends.
    """

    candidate: int
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Strip:
    """A line of candidates as the recognizer got it, and what it read.

    Attributes:
        image: (32, W) uint8. It counts neither in comparisons nor in `repr`.
        marks: What the recognizer reads, from left to right.
        spans: The candidates that stand on the line, from left to right.
    """

    image: npt.NDArray[np.uint8] = field(repr=False, compare=False)
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]


def strips_of(attempt: Attempt, rows: Iterable[int]) -> list[Strip]:
    """The lines that the recognizer has read. rows: of the candidates, in their order."""
    order = {row: number for number, row in enumerate(rows)}
    strips = []
    for place, strip, segments in attempt.strips:
        spans = []
        for row in on_line(attempt.boxes, place):
            x, y, w, h = attempt.boxes[row].tolist()
            middle, half = place.to_strip(x + w / 2, y + h / 2)[0], w / place.scale / 2
            spans.append(Span(order[row], middle - half, middle + half))
        strips.append(Strip(strip, tuple(map(_mark, segments)), tuple(spans)))
    return strips


def _mark(part: Segment) -> Mark:
    if part.kind == WORD:
        label, text = OTHER, OTHER_TEXT
    else:
        first, end = (0, 10) if part.kind == DIGIT else (10, OTHER)
        label = first + int(part.probabilities[first:end].argmax())
        text = CLASSES[label]
    return Mark(text, part.left * COLUMN, part.right * COLUMN, float(part.probabilities[label]))
