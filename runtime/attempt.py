"""An Attempt: the candidates of a picture at one rotation, what of them is read, and why the rest is not.

    attempt.lines(conf=0.5, mode="auto")  # [[0, 3, 1], [2]]: rows of the candidates, in reading order

What is read at READ_CONFIDENCE decides on the rotation and makes the lines. The user's `conf` comes last, so raising it
only takes digits away.
"""

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.boxes import Boxes, Scores
from digitocr.runtime.classifier import Probabilities
from digitocr.runtime.lines import joined, reading_order
from digitocr.runtime.preprocessing import Images

Mode: TypeAlias = Literal["auto", "single", "line"]

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
    """

    degrees: int
    boxes: Boxes
    scores: Scores
    images: Images
    probabilities: Probabilities
    confidence: Scores

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

    def moved(self, by: int) -> "Attempt":
        """The attempt with its boxes moved by that many pixels to the right and down."""
        return self._replace(boxes=self.boxes + np.array([by, by, 0, 0], np.float32))

    @property
    def mean_confidence(self) -> float:
        """Of the digits read; 0 where none is."""
        read = self.read
        return float(self.confidence[read].mean(dtype=np.float64)) if len(read) else 0.0

    def lines(self, conf: float, mode: Mode) -> list[list[int]]:
        """Rows of the candidates that are kept, in lines, in reading order.

        Lines are made of the candidates with READ_CONFIDENCE. Then conf takes some of these away, or the less
        confident ones join them: digits do not change places with conf.
        """
        boxes, confidence = self.boxes, self.confidence
        if mode == "single":
            return [[int(confidence.argmax())]] if len(boxes) else []
        if mode == "line":
            kept = np.flatnonzero(confidence >= conf)
            return [kept[np.argsort(boxes[kept, 0] + boxes[kept, 2] / 2, kind="stable")].tolist()] if len(kept) else []
        read = self.read
        lines = [read[line].tolist() for line in reading_order(boxes[read])]
        if conf > READ_CONFIDENCE:
            lines = [[row for row in line if confidence[row] >= conf] for line in lines]
        if conf < READ_CONFIDENCE:
            unsure = np.flatnonzero((confidence < READ_CONFIDENCE) & (confidence >= conf))
            by_confidence = unsure[np.argsort(-confidence[unsure], kind="stable")]
            lines = joined(lines, boxes, by_confidence.tolist())
        return [line for line in lines if line]

    def why_nothing(self, conf: float) -> str:
        """Why no digit was read."""
        if not len(self.boxes):
            return "nothing in it looks like a digit"
        best, count = int(self.confidence.argmax()), len(self.boxes)
        digit = int(self.probabilities[best, :10].argmax())
        found = "1 region was found" if count == 1 else f"{count} regions were found"
        confidence = float(self.confidence[best])
        places = next((places for places in range(2, 8) if round(confidence, places) < conf), 2)  # 1.00 is not below 1
        return f"{found}, the most confident reading is a {digit} with {confidence:.{places}f}, below --conf {conf:g}"

    def why_left_out(self, row: int, conf: float, mode: Mode) -> str:
        """Why a candidate is not among the digits read."""
        probabilities = self.probabilities[row]
        if len(probabilities) > 10 and probabilities[10] > probabilities[:10].max():
            return f"looks like no digit ({probabilities[10]:.2f})"
        if mode == "single" and self.confidence[row] >= conf:
            return "another one is more confident, and --mode single reads one"
        return f"below --conf {conf:g}"
