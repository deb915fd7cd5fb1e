"""An Attempt: the candidates of a picture at one rotation, what of them is read, and why the rest is not.

    attempt.lines(conf=0.5, mode="auto")  # [[0, 3, 1], [2]]: rows of the candidates, in reading order

What is read at READ_CONFIDENCE decides on the rotation and makes the lines. The user's `conf` comes last, so raising it
only takes digits away.
"""

from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.boxes import Boxes, Scores
from digitocr.runtime.characters import DOUBT, Character
from digitocr.runtime.classifier import Probabilities
from digitocr.runtime.lines import joined, reading_order
from digitocr.runtime.preprocessing import Images
from digitocr.runtime.recognizer import DIGIT, GAP, NOTHING, kind_in_line, seen_in_line
from digitocr.runtime.strips import ReadStrip

Mode: TypeAlias = Literal["auto", "single", "line"]

MAX_RISE = 0.5  # heights of a digit; from its middle to that of a sign on its line
MIN_OTHER_HEIGHT = 0.6  # of the height of the nearest digit; the line of a sign on the same line
PART_HEIGHTS = (0.25, 0.65)  # of a picture's height; the height of a part of a digit in a crop of one wheel
EDGE = 0.06  # of a picture's height; a box that is nearer to its upper or lower edge is of a digit that it cuts
SAME_PLACE = 0.6  # of the narrower of two boxes of a line, which is shared in x; one digit may be seen in both
READ_CONFIDENCE = 0.5  # of a digit that decides on the rotation and on lines, whatever the user's `conf` is


class Attempt(NamedTuple):
    """The candidates of a picture at one rotation.

    Attributes:
        degrees: Clockwise, by which the picture was rotated.
        boxes: (n, 4) float32 in pixels of the rotated picture.
        scores: (n,) float32, the detector's.
        images: (n, 28, 28) uint8, the crops of the first of Reader's crop scales.
        probabilities: (n, classes) float32.
        confidence: (n,) float32, of the likeliest digit.
        place_confidence: (n,) float32, that a digit stands there; None before the lines are recognized.
        lined: (n, 18) float32, what the recognizer sees in their places; None before the lines are recognized.
        others: Signs and words between and beside the candidates.
        strips: The lines as the recognizer saw them.
    """

    degrees: int
    boxes: Boxes
    scores: Scores
    images: Images
    probabilities: Probabilities
    confidence: Scores
    place_confidence: Scores | None = None
    lined: Probabilities | None = None
    others: tuple[Character, ...] = ()
    strips: tuple[ReadStrip, ...] = ()

    @property
    def read(self) -> npt.NDArray[np.int64]:
        """Rows of the candidates with READ_CONFIDENCE or more."""
        return np.flatnonzero(self.confidence >= READ_CONFIDENCE)

    @property
    def upright_score(self) -> float:
        """Confidence above READ_CONFIDENCE, summed over the digits but zeros, which look the same on their side."""
        read = self.read
        nonzero = read[self.probabilities[read, :10].argmax(1) > 0]
        return float((self.confidence[nonzero].astype(np.float64) - READ_CONFIDENCE).sum())

    @property
    def reading_score(self) -> float:
        """Confidence above READ_CONFIDENCE, summed over all digits."""
        return float((self.confidence[self.read].astype(np.float64) - READ_CONFIDENCE).sum())

    def without_border(self, width: int, halvings: int) -> "Attempt":
        """The attempt with its boxes as they are in the picture that `bordered` has halved so often and framed."""
        boxes = self.boxes - np.array([width, width, 0, 0], np.float32)
        return self._replace(boxes=boxes * np.float32(1 << halvings))

    @property
    def mean_confidence(self) -> float:
        """Of the digits read; 0 where none is."""
        read = self.read
        return float(self.confidence[read].mean(dtype=np.float64)) if len(read) else 0.0

    def without_cut_wheel(self, shape: tuple[int, ...]) -> "Attempt":
        """The attempt with neither digit of a wheel that stands between two digits told.

        A crop of one wheel then shows the lower part of one digit above the upper part of the next: one candidate
        reaches to the upper edge of the picture, one below it to the lower edge, and no other digit is read.

        Args:
            shape: (H, W) of the picture.
        """
        read = self.read
        if not 1 <= len(read) <= 2:
            return self
        height = shape[0]
        tops, bottoms = self.boxes[:, 1], self.boxes[:, 1] + self.boxes[:, 3]
        is_part = (self.boxes[:, 3] > PART_HEIGHTS[0] * height) & (self.boxes[:, 3] < PART_HEIGHTS[1] * height)
        at_top, at_bottom = is_part & (tops < EDGE * height), is_part & (bottoms > (1 - EDGE) * height)
        middles = self.boxes[:, 0] + self.boxes[:, 2] / 2
        for upper in np.flatnonzero(at_top):
            for lower in np.flatnonzero(at_bottom):
                apart = abs(middles[upper] - middles[lower]) > 0.5 * self.boxes[[upper, lower], 2].max()
                if not apart and bottoms[upper] - tops[lower] < EDGE * height and set(read) <= {upper, lower}:
                    confidence = self.confidence.copy()
                    confidence[read] = 0
                    return self._replace(confidence=confidence)
        return self

    def lines(self, conf: float, mode: Mode) -> list[list[int]]:
        """Rows of the candidates that are kept, in lines, in reading order.

        Lines are made of the candidates with READ_CONFIDENCE. Then conf takes some of these away, or the less
        confident ones join them: digits do not change places with conf.
        """
        boxes, confidence = self.boxes, self.confidence
        if mode == "single":
            return [[int(confidence.argmax())]] if len(boxes) else []
        places = confidence if self.place_confidence is None else self.place_confidence
        if mode == "line":
            line = np.argsort(boxes[:, 0] + boxes[:, 2] / 2, kind="stable")
            repeated = self._repeated([line[places[line] >= READ_CONFIDENCE].tolist()])
            lines = [line[(confidence[line] >= conf) | (places[line] >= max(conf, READ_CONFIDENCE))].tolist()]
        else:
            read = np.flatnonzero(places >= READ_CONFIDENCE)
            lines = [read[line].tolist() for line in reading_order(boxes[read])]
            repeated = self._repeated(lines)
            if conf > READ_CONFIDENCE:
                lines = [[row for row in line if places[row] >= conf] for line in lines]
            if conf < READ_CONFIDENCE:
                unsure = np.flatnonzero((places < READ_CONFIDENCE) & (confidence >= conf))
                by_confidence = unsure[np.argsort(-confidence[unsure], kind="stable")]
                lines = joined(lines, boxes, by_confidence.tolist())
        lines = [[row for row in line if confidence[row] >= conf or row not in repeated] for line in lines]
        return [line for line in lines if (confidence[line] >= conf).any()]

    def _repeated(self, lines: list[list[int]]) -> set[int]:
        """The rows of doubtful places where another one of the line is, such as both halves of a turning wheel.

        One of each two is left, a digit that is read before a doubtful place.
        """
        places = self.confidence if self.place_confidence is None else self.place_confidence
        lefts, widths = self.boxes[:, 0].tolist(), self.boxes[:, 2].tolist()
        repeated: set[int] = set()
        for line in lines:
            for pair in pairwise(line):
                shared = min(lefts[row] + widths[row] for row in pair) - max(lefts[row] for row in pair)
                if shared > SAME_PLACE * min(widths[row] for row in pair):
                    worse = min(pair, key=lambda row: (self.confidence[row] >= READ_CONFIDENCE, places[row]))
                    if self.confidence[worse] < READ_CONFIDENCE:
                        repeated.add(worse)
        return repeated

    def characters(self, line: list[int], conf: float) -> list[Character]:
        """The digits of a line of `lines`, and the signs and words on it, from left to right."""
        digits = self.probabilities[:, :10].argmax(1)
        found = [
            Character(
                str(digits[row]) if self.confidence[row] >= conf else DOUBT,
                tuple(self.boxes[row].tolist()),
                float(self.confidence[row]),
                row,
            )
            for row in line
        ]
        return sorted([*found, *self._beside(line)], key=lambda one: one.box[0] + one.box[2] / 2)

    def _beside(self, line: list[int]) -> list[Character]:
        """The signs and words that stand on a line: level with the nearest of its digits."""
        near = []
        centres = self.boxes[line, :2] + self.boxes[line, 2:] / 2
        for other in self.others:
            x, y, w, h = other.box
            nearest = int(np.abs(centres[:, 0] - x - w / 2).argmin())
            height = float(self.boxes[line[nearest], 3])
            level = abs(float(centres[nearest, 1]) - y - h / 2) < MAX_RISE * height
            if level and MIN_OTHER_HEIGHT * height < h < height / MIN_OTHER_HEIGHT:
                near.append(other)
        return near

    def in_line(self, row: int) -> npt.NDArray[np.float32] | None:
        """(18,) probabilities of what the recognizer sees in a candidate's place; None for one that is on no line."""
        if self.lined is None:
            return None
        seen: npt.NDArray[np.float32] = self.lined[row]
        return seen if seen[:GAP].any() else None

    def why_nothing(self, conf: float) -> str:
        """Why no digit was read."""
        if not len(self.boxes):
            return "nothing in it looks like a digit"
        best, count = int(self.confidence.argmax()), len(self.boxes)
        digit = int(self.probabilities[best, :10].argmax())
        found = "1 region was found" if count == 1 else f"{count} regions were found"
        kinds = {kind_in_line(seen) for row in range(count) if (seen := self.in_line(row)) is not None}
        if kinds and DIGIT not in kinds:
            line = "its line shows" if count == 1 else "their lines show"
            return f"{found}; {line} {'no characters' if kinds == {NOTHING} else 'letters or signs, no digits'}"
        confidence = float(self.confidence[best])
        places = next((places for places in range(2, 8) if round(confidence, places) < conf), 2)  # 1.00 is not below 1
        return f"{found}, the most confident reading is a {digit} with {confidence:.{places}f}, below --conf {conf:g}"

    def why_left_out(self, row: int, conf: float, mode: Mode) -> str:
        """Why a candidate is not among the digits read."""
        probabilities = self.probabilities[row]
        lined = self.in_line(row)
        if lined is not None and (seen := seen_in_line(lined)):
            return seen
        if len(probabilities) > 10 and probabilities[10] > probabilities[:10].max():
            return f"looks like no digit ({probabilities[10]:.2f})"
        if mode == "single" and self.confidence[row] >= conf:
            return "another one is more confident, and --mode single reads one"
        if self.place_confidence is not None and self.place_confidence[row] >= max(conf, READ_CONFIDENCE):
            return "cannot be told, and its line has no digit that can, or one that is in its place"
        return f"below --conf {conf:g}"
