"""Line strips -> the class of each column: a digit, a sign that belongs to numbers, something else, or a gap.

    recognizer = Recognizer()
    (columns,) = recognizer.columns([strip])   # (W / 2, 18) float32 probabilities of a (32, W) uint8 strip

A small convolutional network reads a whole line, so that what stands left and right tells O from 0 and l from 1. It
needs no cuts between characters. It is trained on drawn strips by train/recognizer/, which uses recognizer_input.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digitocr.runtime.characters import SIGNS
from digitocr.runtime.errors import ModelError
from digitocr.runtime.interpreter import CPU, finite, onnx_session, run
from digitocr.runtime.models import model_card, shipped_model
from digitocr.runtime.opencv import cv2
from digitocr.runtime.trial import checked_model

DEFAULT_RECOGNIZER = "recognizer-int8.onnx"  # the shipped file
CLASSES = "0123456789" + SIGNS  # characters of the first classes, in the order of the network's output
OTHER = len(CLASSES)  # a letter, another sign, a frame, an icon
GAP = OTHER + 1  # nothing, or what stands between two characters
CLASS_COUNT = GAP + 1
STRIP_HEIGHT = 32  # pixels
DIGIT_HEIGHT = 20  # pixels; of a digit in a strip
COLUMN = 2  # pixels of a strip that a column of the output stands for
MULTIPLE = 8  # pixels; the width of the network's input is a multiple of it
OUTPUT_STRIDE = 4  # pixels of a strip for one column of the network's output, which holds two of COLUMN pixels
PLANES = 2  # of the network's input
LOW, HIGH = 0.02, 0.98  # quantiles of a strip's grey levels that become 0 and 1
MIN_CONTRAST = 12.0  # grey levels; a lower contrast is not stretched to the full range
WINDOW = 41  # pixels; the neighbourhood in which a pixel's contrast is measured
MIN_SPREAD = 4.0  # grey levels, added to the spread in a window, so that noise stays small
MAX_SPREADS = 2.5  # spreads; larger differences are clipped


def recognizer_input(strip: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """The network's input for a (32, W) uint8 strip: (2, 32, W) float32 in [0, 1], of the polarity that it has.

    Plane 0 are the grey levels with the contrast of the whole strip stretched. Plane 1 is each pixel's difference from
    the mean of the window around it, in units of the standard deviation in that window, so that writing in a shadow or
    on a small dark field has contrast as well.
    """
    levels = np.sort(strip[::2, ::2], axis=None)
    low, high = float(levels[int(LOW * (len(levels) - 1))]), float(levels[int(HIGH * (len(levels) - 1))])
    middle, spread = (low + high) / 2, max(high - low, MIN_CONTRAST)
    grey = strip.astype(np.float32)
    made = np.empty((PLANES, *strip.shape), np.float32)
    np.subtract(grey, np.float32(middle - spread / 2), out=made[0])
    made[0] /= np.float32(spread)
    mean = cv2.blur(grey, (WINDOW, WINDOW), borderType=cv2.BORDER_REPLICATE)
    variance = cv2.blur(grey * grey, (WINDOW, WINDOW), borderType=cv2.BORDER_REPLICATE) - mean * mean
    np.subtract(grey, mean, out=made[1])
    made[1] /= (np.sqrt(np.maximum(variance, 0)) + np.float32(MIN_SPREAD)) * np.float32(2 * MAX_SPREADS)
    made[1] += np.float32(0.5)
    return np.clip(made, 0, 1, out=made)


def softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(..., n) logits -> (..., n) probabilities; computed in float64, so that all machines give the same."""
    odds = np.exp(np.subtract(logits, logits.max(-1, keepdims=True), dtype=np.float64))
    return np.asarray(odds / odds.sum(-1, keepdims=True), np.float32)


class Recognizer:
    """The network that reads lines, loaded once. Any number of threads may share it.

    Args:
        path: A .onnx file of `digitocr export`; by default the shipped DEFAULT_RECOGNIZER.
        threads: Threads of the interpreter, at least 1.
        providers: ONNX Runtime's execution providers.

    Attributes:
        sha256: The digest of the file.
        card: What `digitocr export` wrote into the file.

    Raises:
        ModelError: The file is damaged or no recognizer.
        UsageError: A provider is not available.
    """

    def __init__(self, path: Path | None = None, threads: int = 1, providers: Sequence[str] = CPU) -> None:
        path = path or shipped_model(DEFAULT_RECOGNIZER)
        content, self.sha256 = checked_model(path)
        self._session = onnx_session(content, path, threads, providers)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        actual = [
            (end.name, end.type, [side if isinstance(side, int) else None for side in end.shape])
            for end in (*inputs, *outputs)
        ]
        expected = [
            ("image", "tensor(float)", [None, PLANES, STRIP_HEIGHT, None]),
            ("logits", "tensor(float)", [None, OUTPUT_STRIDE // COLUMN * CLASS_COUNT, 1, None]),
        ]
        if actual != expected:
            raise ModelError(
                f"{path}: is no recognizer of this version; make one with: digitocr export --model recognizer.keras"
            )
        self.card = model_card(self._session)
        self._name = path.stem

    def columns(self, strips: Sequence[npt.NDArray[np.uint8]]) -> list[npt.NDArray[np.float32]]:
        """The probabilities of the classes in the columns of each strip.

        What is read in a strip does not depend on the others.

        Args:
            strips: (32, W) uint8 each, with digits about DIGIT_HEIGHT high, of either polarity; W is at least 1.

        Returns:
            (W / 2, 18) float32 for each, W / 2 rounded up; its rows sum to 1.
        """
        return [self._columns(strip) for strip in strips]

    def _columns(self, strip: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        width = strip.shape[1]
        if width % MULTIPLE:
            strip = np.pad(strip, ((0, 0), (0, -width % MULTIPLE)), "edge")
        image = recognizer_input(strip)
        (logits,) = run(lambda: self._session.run(None, {"image": image[None]}), self._name)
        finite(logits, (1, OUTPUT_STRIDE // COLUMN * CLASS_COUNT, 1, image.shape[2] // OUTPUT_STRIDE), self._name)
        classes = logits[0, :, 0].T.reshape(-1, CLASS_COUNT)  # (W / 2, 18)
        return softmax(classes[: -(-width // COLUMN)])


class Segment(NamedTuple):
    """A character or a run of other writing in a line.

    Attributes:
        left: The first of its columns.
        right: The column behind its last one.
        probabilities: (18,) float32, the mean over its columns.
        kind: DIGIT, SIGN or WORD: the likeliest of the three.
        kind_share: The probability of that kind, 0 to 1.
    """

    left: int
    right: int
    probabilities: npt.NDArray[np.float32]
    kind: int
    kind_share: float


DIGIT, SIGN, WORD, NOTHING = range(4)  # kinds of columns
SURE = 0.6  # probability of two digits side by side, between which there is no gap
SLASH = CLASSES.index("/")
_SLANTED = (1, SLASH)  # a slash by hand may be seen as a 1 in some of its columns


def segments(columns: npt.NDArray[np.float32]) -> list[Segment]:
    """The segments of a line, from left to right, of (n, 18) probabilities of its columns.

    Neighbouring columns of one kind are one segment, unless two different digits or signs are both sure. So are a 1 and
    a slash without a gap between them.
    """
    found: list[tuple[int, int]] = []
    kinds = _kinds(columns).argmax(1).tolist()
    best, sure = columns.argmax(1).tolist(), (columns.max(1) >= SURE).tolist()
    start = 0
    last = -1  # the column of the segment that was sure last
    for column in range(1, len(columns) + 1):
        is_slanted = column < len(columns) and best[column] in _SLANTED and best[column - 1] in _SLANTED
        at_end = column == len(columns) or (kinds[column] != kinds[column - 1] and not is_slanted)
        if sure[column - 1]:
            last = column - 1
        is_new = (
            not at_end
            and kinds[column] in (DIGIT, SIGN)
            and last >= start
            and sure[column]
            and best[column] != best[last]
            and not (best[column] in _SLANTED and best[last] in _SLANTED)
        )
        if at_end or is_new:
            if kinds[start] != NOTHING:
                found.append((start, column))
            start = column
    if not found:
        return []
    means = np.stack([np.add.reduce(columns[left:right], 0) for left, right in found])  # mean(0) takes twice as long
    means /= np.array([right - left for left, right in found], np.float32)[:, None]
    shares = _kinds(means)[:, :3]
    likeliest, most = shares.argmax(1).tolist(), shares.max(1).tolist()
    return [Segment(*span, *rest) for span, *rest in zip(found, means, likeliest, most, strict=True)]


def kind_in_line(probabilities: npt.NDArray[np.float32]) -> int:
    """The likeliest kind of a place of a line: DIGIT, SIGN, WORD or NOTHING, by (18,) probabilities."""
    return int(_kinds(probabilities).argmax())


def sign_in_line(probabilities: npt.NDArray[np.float32]) -> str:
    """The likeliest sign of a place of a line, by (18,) probabilities; "" where it is no sign."""
    return CLASSES[10 + int(probabilities[10:OTHER].argmax())] if kind_in_line(probabilities) == SIGN else ""


def seen_in_line(probabilities: npt.NDArray[np.float32]) -> str:
    """What stands in a place of a line, by the (18,) probabilities of the classes there; "" for a digit."""
    kinds = _kinds(probabilities)
    kind = int(kinds.argmax())
    share = f"({kinds[kind]:.2f})"
    if kind == SIGN:
        return f"is the sign {sign_in_line(probabilities)} in its line {share}"
    if kind == WORD:
        return f"is a letter or another sign in its line {share}"
    return f"is no character of its line {share}" if kind == NOTHING else ""


def _kinds(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(..., 4) probabilities of the kinds, of (..., 18) of the classes."""
    return np.stack(
        [
            probabilities[..., :10].sum(-1),
            probabilities[..., 10:OTHER].sum(-1),
            probabilities[..., OTHER],
            probabilities[..., GAP],
        ],
        -1,
    )
