"""GrayImage -> boxes in which digits may be, by a small fully convolutional network.

    detector = Detector()
    boxes, scores = detector.detect(gray)  # (n, 4) float32 x, y, width, height; (n,) float32, best first

The network sees the picture at one to three sizes: a close-up only small, other pictures at MIDDLE as well, and at FINE
where there may be small digits. It is trained on synthetic scenes by train/detector/, which uses detector_input.
"""

import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.background import evened, is_close_up, shrunk
from digitocr.runtime.boxes import Boxes, Scores, non_maximum_suppression
from digitocr.runtime.errors import ModelError
from digitocr.runtime.image import GrayImage
from digitocr.runtime.interpreter import CPU, finite, onnx_session, run
from digitocr.runtime.models import model_card, shipped_model
from digitocr.runtime.opencv import cv2
from digitocr.runtime.trial import checked_model

Points: TypeAlias = npt.NDArray[np.floating[Any]]  # (n, 2) or (2,): x, y in pixels

DEFAULT_DETECTOR = "detector-int8.onnx"  # the shipped file
STRIDE = 4  # pixels of the network's input for one cell of its output
COARSE = 128  # pixels; the longer side at which the network sees every picture
MIDDLE = 512  # pixels; at which it sees pictures that are no close-ups
FINE = 1024  # pixels; at which it sees pictures with small digits
SURE_SCORE = 0.5  # of the digits that decide at which sizes the picture is seen
FINE_BELOW = 20  # pixels at MIDDLE; a digit smaller than that means that FINE may show others
FEW_SMALL = 5  # unsure digits smaller than FINE_BELOW; so many mean that too, beside larger ones that are sure
FINE_GAIN = 1.2  # times MIDDLE; a picture that is not larger than that shows nothing more at FINE
MIN_COARSE_SIDE = 20  # pixels at COARSE; smaller boxes are left to MIDDLE, which sees them four times as large
MIN_MIDDLE_SIDE = 10  # pixels at MIDDLE; smaller boxes are left to FINE, where FINE is looked at
NORMAL_ASPECT = 2.5  # a longer picture is seen as large as its part of that aspect would be
TINY = 12  # pixels; where candidates are smaller than that at FINE, the picture is seen in pieces at twice the size
MOSTLY = 0.75  # of the candidates; where no more are tiny, the tiny ones are specks, strokes and texture
EMPTY_GAIN = 2.0  # times FINE; a larger picture in which nothing is found is seen at twice FINE, all of it
FINER_GAIN = 1.5  # times a size; a picture that is not larger than that is not seen at twice the size
PIECE = 1024  # pixels; the longest side of a picture that is seen in one piece
OVERLAP = 128  # pixels that two pieces share at least; the network sees larger digits at another size
MULTIPLE = 8  # pixels; the sides of the network's input are multiples of it
MARGIN = 8  # pixels; border around the picture in the network's input, at least
MIN_SCORE = 0.2  # of a candidate
MAX_CELLS = 10_000  # candidates at one size; a page of small print has fewer, texture has more
MAX_LOG_SIDE = 5.0  # of a box, in cells; limits what an untrained network can answer
MIN_LOG_SIDE = -3.0  # the lower limit, for the same reason
WINDOWS = (31, 121)  # pixels; the neighbourhoods in which a pixel's contrast is measured
PLANES = len(WINDOWS) + 1  # of the network's input
INK_QUANTILE = 0.998  # of |difference from the local mean|; even one digit covers 0.2 % of a picture
INK_STEP = 4  # pixels; every fourth row and column is enough for the quantile
MIN_SPREAD = 4.0  # grey levels, added to every spread, so that noise stays small
MAX_CONTRAST = 4.0  # spreads; larger values of the input are clipped
BAND = 1 << 15  # pixels whose input is computed at once; larger bands leave the cache


def detector_input(gray: GrayImage, planes: npt.NDArray[np.float32] | None = None) -> npt.NDArray[np.float32]:
    """The network's input for an (H, W) uint8 picture: (3, H, W) float32, each -4 to 4.

    Plane 0 and 1 are each pixel's difference from the mean of a window around it, in units of the standard deviation in
    that window, for the small and the large one of WINDOWS. So uneven light, faint pencil and thick marker look alike.
    Plane 2 is the difference from the mean of the large window in units of the strongest differences from that of the
    small one in the whole picture, so that faint marks beside strong ink stay faint.

    Args:
        gray: (H, W) uint8.
        planes: (PLANES, H, W) float32 that the result is written to; by default a new array.
    """
    height, width = gray.shape
    if planes is None:
        planes = np.empty((PLANES, height, width), np.float32)
    rows = min(height, max(1, BAND // (INK_STEP * width)) * INK_STEP)
    scratch = np.empty((3, rows, width), np.float32)
    strengths: list[npt.NDArray[np.float32]] = []
    ink_strength = np.float32(0)
    squared = np.multiply(gray, gray, dtype=np.uint16)
    # sums are whole numbers: those of levels below 2**24, exact in float32, those of squares below 2**31
    around: dict[str, Any] = {"normalize": False, "borderType": cv2.BORDER_REFLECT}
    for plane, window in zip(planes, WINDOWS, strict=False):
        # the sums lie where the result replaces them, band by band
        sums, squares = plane, planes[-1].view(np.int32)
        cv2.boxFilter(gray, cv2.CV_32F, (window, window), dst=sums, **around)
        cv2.boxFilter(squared, cv2.CV_32S, (window, window), dst=squares, **around)
        for top in range(0, height, rows):
            band = slice(top, top + rows)
            mean, difference, spread = scratch[:, : height - top]
            np.divide(sums[band], np.float32(window**2), out=mean)
            np.subtract(gray[band], mean, out=difference, dtype=np.float32)
            np.multiply(squares[band], 1 / window**2, out=spread, dtype=np.float64, casting="same_kind")
            if window == WINDOWS[0]:
                strengths.append(np.abs(difference[::INK_STEP, ::INK_STEP]).ravel())
            else:
                _clip(np.divide(difference, ink_strength + np.float32(MIN_SPREAD), out=planes[-1][band]))
            spread -= np.multiply(mean, mean, out=mean)  # variance = mean of squares - square of mean
            np.sqrt(cv2.max(spread, 0, dst=spread), out=spread)
            spread += MIN_SPREAD
            _clip(np.divide(difference, spread, out=plane[band]))
        if window == WINDOWS[0]:
            ink_strength = _ink_strength(np.concatenate(strengths))
    return planes


def _clip(contrasts: npt.NDArray[np.float32]) -> None:
    np.clip(contrasts, -MAX_CONTRAST, MAX_CONTRAST, out=contrasts)


def _ink_strength(differences: npt.NDArray[np.float32]) -> np.float32:
    """INK_QUANTILE of (n,) absolute differences from the local mean."""
    rank = int(INK_QUANTILE * (len(differences) - 1))
    return np.float32(np.partition(differences, rank)[rank])


def decoded(output: npt.NDArray[np.float32], min_score: float = MIN_SCORE) -> tuple[Boxes, Scores]:
    """The network's (5, H/4, W/4) float32 output as (n, 4) boxes in pixels of its input, and (n,) scores.

    The channels of a cell are the log-odds of a digit, the offset of its centre from the cell's centre in x and y, in
    longer sides of the box, and the logarithms of its width and height in cells. A digit has a box for each of the
    cells that it is seen in.
    """
    rows, columns = np.nonzero(output[0] > np.log(min_score / (1 - min_score)))
    if len(rows) > MAX_CELLS:
        # of equal cells the first ones; the order of the others is kept
        strongest = np.sort(np.argsort(-output[0][rows, columns], kind="stable")[:MAX_CELLS])
        rows, columns = rows[strongest], columns[strongest]
    logit, dx, dy, log_width, log_height = output[:, rows, columns]
    # exp in float64, since the last bits of one in float32 depend on the processor
    logs = np.clip(np.stack([log_width, log_height], 1), MIN_LOG_SIDE, MAX_LOG_SIDE, dtype=np.float64)
    sides = STRIDE * np.exp(logs).astype(np.float32)
    longer = sides.max(1)
    centres = np.stack([(columns + 0.5) * STRIDE + dx * longer, (rows + 0.5) * STRIDE + dy * longer], 1)
    boxes = np.concatenate([centres - sides / 2, sides], 1).astype(np.float32)
    return boxes, (1 / (1 + np.exp(-logit.astype(np.float64)))).astype(np.float32)


class Detector:
    """The network that finds digits, loaded once. Any number of threads may share it.

    Args:
        path: A .onnx file of `digitocr export`; by default the shipped DEFAULT_DETECTOR.
        threads: Threads of the interpreter, at least 1.
        providers: ONNX Runtime's execution providers.

    Attributes:
        sha256: The digest of the file.
        card: What `digitocr export` wrote into the file.

    Raises:
        ModelError: The file is damaged or no detector.
        UsageError: A provider is not available.
    """

    def __init__(self, path: Path | None = None, threads: int = 1, providers: Sequence[str] = CPU) -> None:
        path = path or shipped_model(DEFAULT_DETECTOR)
        content, self.sha256 = checked_model(path)
        self._session = onnx_session(content, path, threads, providers)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        fixed = [True, False, False]  # the number of planes is fixed, height and width are free
        actual = [
            (end.type, end.shape[1:2], [isinstance(side, int) for side in end.shape[1:]]) for end in (*inputs, *outputs)
        ]
        expected = [("tensor(float)", [planes], fixed) for planes in (PLANES, 1, 4)]
        if [end.name for end in inputs] != ["image"] or actual != expected:
            raise ModelError(
                f"{path}: is no detector of this version; make one with: digitocr export --model detector.keras"
            )
        self.card = model_card(self._session)
        self._name = path.stem
        # memory for the input, one per thread: allocating it for each picture would take a third of the time
        self._local = threading.local()

    def detect(
        self, gray: GrayImage, thorough: bool = True, shrink: Callable[[GrayImage, int], GrayImage] = shrunk
    ) -> tuple[Boxes, Scores]:
        """Candidates of digits in an (H, W) uint8 picture of either polarity.

        Args:
            gray: (H, W) uint8.
            thorough: Whether a large picture in which nothing is found is seen at twice FINE.
            shrink: Gives what `shrunk` makes of the picture.

        Returns:
            (n, 4) float32 boxes in pixels of the picture, and their (n,) float32 scores, 0 to 1, best first.
        """
        longer = max(gray.shape)
        span = min(longer, NORMAL_ASPECT * min(gray.shape))
        times = longer / span  # what a side of the network's input is multiplied by
        middle = shrink(gray, round(MIDDLE * times))
        coarse = self._detect_at(gray.shape, shrunk(middle, COARSE))
        found = [coarse]
        if longer > COARSE and not is_close_up(gray.shape, _sure(*coarse)):
            if times > 1:
                coarse = self._detect_at(gray.shape, shrunk(middle, round(COARSE * times)))
            found = [_at_least(MIN_COARSE_SIDE / COARSE * span, *coarse)]
            found.append(self._detect_at(gray.shape, evened(middle)))
            if span > FINE_GAIN * MIDDLE and _shows_small(found, FINE_BELOW / MIDDLE * span):
                found[1] = _at_least(MIN_MIDDLE_SIDE / MIDDLE * span, *found[1])
                found.append(self._detect_at(gray.shape, evened(shrink(gray, round(FINE * times)))))
                side = FINE
                while span > FINER_GAIN * side:
                    boxes, scores = _merged(found)
                    tiny = int((boxes[:, 2:].max(1, initial=0.0) < TINY / side * span).sum())
                    # where nothing is found in a large scan yet, all may be too small to be seen
                    is_empty = thorough and side == FINE and span > EMPTY_GAIN * FINE and not len(_sure(boxes, scores))
                    if not is_empty and tiny <= MOSTLY * len(boxes):
                        break
                    side *= 2
                    found.append(self._detect_at(gray.shape, evened(shrink(gray, round(side * times)))))
        return _merged(found)

    def _detect_at(self, shape: tuple[int, ...], small: GrayImage) -> tuple[Boxes, Scores]:
        """What the network finds in a picture that was shrunk from (H, W), in pixels of that shape.

        A large picture is seen in pieces. A box counts in the piece whose own part of the picture its centre lies in;
        other pieces may have cut it.

        Args:
            shape: (H, W) of the picture as it was.
            small: The picture shrunk.
        """
        scale = np.array([shape[1] / small.shape[1], shape[0] / small.shape[0]], np.float32)
        found = []
        for top, bottom, first_row, last_row in _pieces(small.shape[0]):
            for left, right, first_column, last_column in _pieces(small.shape[1]):
                low, high = np.array([first_column, first_row]), np.array([last_column, last_row])
                boxes, scores = self._detect_in_piece(small[top:bottom, left:right])
                boxes[:, :2] += np.array([left, top], np.float32)
                own = _within(boxes[:, :2] + boxes[:, 2:] / 2, low, high)
                found.append((boxes[own] * np.tile(scale, 2), scores[own]))
        return np.concatenate([boxes for boxes, _ in found]), np.concatenate([scores for _, scores in found])

    def _detect_in_piece(self, small: GrayImage) -> tuple[Boxes, Scores]:
        """What the network finds in an (H, W) picture, in its pixels."""
        height, width = small.shape
        below, behind = (MARGIN + -(length + 2 * MARGIN) % MULTIPLE for length in (height, width))
        framed = cv2.copyMakeBorder(small, MARGIN, below, MARGIN, behind, cv2.BORDER_REPLICATE)
        planes = detector_input(framed, self._memory(framed.shape))
        centres, sizes = run(lambda: self._session.run(None, {"image": planes[None]}), self._name)
        cells = (framed.shape[0] // STRIDE, framed.shape[1] // STRIDE)
        finite(centres, (1, 1, *cells), self._name)
        finite(sizes, (1, 4, *cells), self._name)
        boxes, scores = decoded(np.concatenate([centres[0], sizes[0]]))
        boxes[:, :2] -= MARGIN
        return boxes, scores

    def scratch(self, shape: tuple[int, ...]) -> GrayImage | None:
        """(H, W) uint8 of this thread's memory, to write to until the next call of detect; None if it is too small."""
        memory: npt.NDArray[np.float32] | None = getattr(self._local, "memory", None)
        needed = shape[0] * shape[1]
        return None if memory is None or memory.nbytes < needed else memory.view(np.uint8)[:needed].reshape(shape)

    def _memory(self, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """(PLANES, H, W) of this thread, cut from memory as large as its largest picture so far needed."""
        needed = PLANES * shape[0] * shape[1]
        memory: npt.NDArray[np.float32] | None = getattr(self._local, "memory", None)
        if memory is None or len(memory) < needed:
            memory = self._local.memory = np.empty(needed, np.float32)
        return memory[:needed].reshape(PLANES, *shape)


def _merged(found: list[tuple[Boxes, Scores]]) -> tuple[Boxes, Scores]:
    """One box for each digit, of the boxes and scores that were found at several sizes."""
    return non_maximum_suppression(
        np.concatenate([boxes for boxes, _ in found]), np.concatenate([scores for _, scores in found])
    )


def _pieces(length: int) -> list[tuple[int, int, float, float]]:
    """The pieces of a side of that length: first pixel, end, and the first and last place of their own part.

    They are as many as PIECE makes necessary, and no longer than they must be. Neighbours share OVERLAP or little more,
    and their own parts meet in the middle of what they share.
    """
    count = max(1, -(-(length - OVERLAP) // (PIECE - OVERLAP)))
    if count == 1:
        return [(0, length, -np.inf, np.inf)]
    side = -(-(length + (count - 1) * OVERLAP) // count)
    starts = [round(place * (length - side) / (count - 1)) for place in range(count)]
    borders = [(before + side + after) / 2 for before, after in pairwise(starts)]
    return list(zip(starts, [start + side for start in starts], [-np.inf, *borders], [*borders, np.inf], strict=True))


def _within(points: Points, low: Points, high: Points) -> npt.NDArray[np.bool_]:
    """(n,) which of (n, 2) points lie in the rectangle from (2,) `low` up to and without `high`."""
    return np.asarray(((points >= low) & (points < high)).all(1))


def _shows_small(found: Sequence[tuple[Boxes, Scores]], below: float) -> bool:
    """Whether boxes are smaller than `below` pixels: a sure one or FEW_SMALL, or whether no box is sure."""
    boxes, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
    is_sure, is_small = scores >= SURE_SCORE, boxes[:, 2:].max(1, initial=0.0) < below
    return bool((is_sure & is_small).any() or is_small.sum() >= FEW_SMALL or not is_sure.any())


def _sure(boxes: Boxes, scores: Scores) -> Boxes:
    """The boxes with SURE_SCORE or more."""
    return boxes[scores >= SURE_SCORE]


def _at_least(side: float, boxes: Boxes, scores: Scores) -> tuple[Boxes, Scores]:
    """The boxes whose longer side has at least `side` pixels, and their scores."""
    large = boxes[:, 2:].max(1, initial=0.0) >= side
    return boxes[large], scores[large]
