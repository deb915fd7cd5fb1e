"""GrayImage -> where digits may be, by a small fully convolutional network; and the order in which they are read.

    detector = Detector()
    boxes, scores = detector.detect(gray)      # (n, 4) float32 x, y, width, height; (n,) float32, best first
    lines = in_lines(boxes)                # [[0, 3, 1], [2]]: rows of boxes, lines top to bottom, left to right

The network sees the picture at one to three sizes: a close-up small alone, the finest only where small digits may be in
it. It was trained on drawn scenes by train/detector.py, which prepares them with this file.
"""

import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digitocr.runtime.background import evened, is_close_up, shrunk
from digitocr.runtime.boxes import Boxes, Scores, non_maximum_suppression
from digitocr.runtime.errors import ModelError
from digitocr.runtime.image import GrayImage
from digitocr.runtime.interpreter import onnx_session
from digitocr.runtime.models import check_shipped, model_card, model_content, shipped_model
from digitocr.runtime.opencv import cv2

DEFAULT_DETECTOR = "detector-int8.onnx"  # the shipped file
STRIDE = 4  # pixels of the network's input for one cell of its output
COARSE, MIDDLE, FINE = 128, 512, 1024  # pixels; the long sides at which the network sees a picture
SURE = 0.5  # score of a digit that decides at which sizes the picture is seen
SMALL = 20  # pixels; where a digit at MIDDLE is smaller, there may be others that only FINE shows
CLEAR = 20  # pixels; smaller ones than that at COARSE are left to MIDDLE, which sees them four times as large
MULTIPLE, MARGIN = 8, 8  # pixels; what the sides are filled up to, and at least by
LEAST = 0.2  # score; what is lower is no candidate
MAX_CELLS = 10_000  # more than a page of small print has; what is more is texture, not writing
WINDOWS = (31, 121)  # pixels; the neighbourhoods that a pixel's contrast is measured in
PLANES = len(WINDOWS) + 1  # of the network's input
ROOM = PLANES + 4  # planes that preparing them takes
STRONG = 0.998  # of a picture's pixels differ less from what is round them than its ink; a lone digit is few pixels
FLOOR = 4.0  # grey levels; a spread that is mere noise


def detector_input(gray: GrayImage, room: npt.NDArray[np.float32] | None = None) -> npt.NDArray[np.float32]:
    """(H, W) uint8 -> (3, H, W) float32: each pixel's difference from the mean of a window round it, measured by the
    spread in a small and in a large window, and by the strongest differences in the whole picture.

    So uneven light, faint pencil and thick marker come out alike, and yet what is faint beside the rest can be told
    from it. Values are limited to -4 to 4. room: (ROOM, H, W) to work in, of which the result is a part.
    """
    room = np.empty((ROOM, *gray.shape), np.float32) if room is None else room
    planes, (levels, squares, variance, product) = room[:PLANES], room[PLANES:]
    levels[:] = gray
    np.multiply(levels, levels, out=squares)
    for plane, window in zip(planes, WINDOWS, strict=False):
        cv2.blur(levels, (window, window), dst=plane, borderType=cv2.BORDER_REFLECT)
        cv2.blur(squares, (window, window), dst=variance, borderType=cv2.BORDER_REFLECT)
        variance -= np.multiply(plane, plane, out=product)
        np.maximum(variance, 0, out=variance)
        np.sqrt(variance, out=variance)
        variance += FLOOR
        np.subtract(levels, plane, out=plane)
        if window == WINDOWS[0]:
            some = np.abs(plane[::4, ::4]).ravel()
            rank = int(STRONG * (len(some) - 1))
            strongest = np.partition(some, rank)[rank]
        planes[-1] = plane
        plane /= variance
    planes[-1] /= strongest + np.float32(FLOOR)
    np.clip(planes, -4, 4, out=planes)
    return planes


def decoded(output: npt.NDArray[np.float32], least: float = LEAST) -> tuple[Boxes, Scores]:
    """The network's (5, H/4, W/4) float32 as boxes in its input's pixels and scores; one digit may be there often."""
    rows, columns = np.nonzero(output[0] > np.log(least / (1 - least)))
    if len(rows) > MAX_CELLS:
        strongest = np.argpartition(output[0][rows, columns], -MAX_CELLS)[-MAX_CELLS:]
        rows, columns = rows[strongest], columns[strongest]
    logit, dx, dy, log_width, log_height = output[:, rows, columns]
    sides = STRIDE * np.exp(np.clip(np.stack([log_width, log_height], 1), -3, 5))
    longer = sides.max(1)
    centres = np.stack([(columns + 0.5) * STRIDE + dx * longer, (rows + 0.5) * STRIDE + dy * longer], 1)
    boxes = np.concatenate([centres - sides / 2, sides], 1).astype(np.float32)
    return boxes, (1 / (1 + np.exp(-logit))).astype(np.float32)


class Detector:
    """The detection network, loaded once.

    path: a .onnx file of `digitocr export`, by default the shipped one; threads: of its interpreter. sha256, card: its
    digest, and what export wrote into it. Raises ModelError for a file that is damaged or no detector.
    """

    def __init__(self, path: Path | None = None, threads: int = 1) -> None:
        path = path or shipped_model(DEFAULT_DETECTOR)
        content = model_content(path)
        self.sha256 = check_shipped(path, content)
        self._session = onnx_session(content, path, threads)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        fixed = [True, False, False]  # sides are whatever the picture's are, planes are not
        ends = [
            (end.type, end.shape[1:2], [isinstance(side, int) for side in end.shape[1:]]) for end in (*inputs, *outputs)
        ]
        wanted = [("tensor(float)", [planes], fixed) for planes in (PLANES, 1, 4)]
        if [end.name for end in inputs] != ["image"] or ends != wanted:
            raise ModelError(
                f"{path}: is no detector of this version; make one with: digitocr export --model detector.keras"
            )
        self.card = model_card(self._session)
        self._kept = threading.local()  # room to work in: fresh memory for each picture would take a third of the time

    def detect(self, gray: GrayImage) -> tuple[Boxes, Scores]:
        """Candidates of an (H, W) uint8 picture of either polarity, best first; boxes in its pixels.

        The picture is seen small first. A sure digit that fills much of it makes it a close-up, and that is all.
        """
        middle, whole = shrunk(gray, MIDDLE), max(gray.shape)
        found = [self._seen(gray.shape, shrunk(middle, COARSE))]
        if whole > COARSE and not is_close_up(gray, found[0][0][found[0][1] >= SURE]):
            found[0] = _at_least(CLEAR / COARSE * whole, *found[0])
            found.append(self._seen(gray.shape, evened(middle)))
            sure = np.concatenate([boxes[scores >= SURE] for boxes, scores in found])
            smallest = sure[:, 2:].max(1).min(initial=whole if len(sure) else 0)
            if whole > 1.2 * MIDDLE and smallest < SMALL / MIDDLE * whole:
                found[1] = _at_least(CLEAR / 2 / MIDDLE * whole, *found[1])
                found.append(self._seen(gray.shape, evened(shrunk(gray, FINE))))
        return non_maximum_suppression(
            np.concatenate([boxes for boxes, _ in found]), np.concatenate([scores for _, scores in found])
        )

    def _seen(self, shape: tuple[int, ...], small: GrayImage) -> tuple[Boxes, Scores]:
        """What the network finds in a picture of that (H, W), in its pixels, as it is seen: shrunk."""
        height, width = small.shape
        down, right = (MARGIN + -(length + 2 * MARGIN) % MULTIPLE for length in (height, width))
        framed = cv2.copyMakeBorder(small, MARGIN, down, MARGIN, right, cv2.BORDER_REPLICATE)
        planes = detector_input(framed, self._room(framed.shape))
        centres, sizes = self._session.run(None, {"image": planes[None]})
        boxes, scores = decoded(np.concatenate([centres[0], sizes[0]]))
        boxes[:, :2] -= MARGIN
        scale = np.array([shape[1] / width, shape[0] / height], np.float32)
        return boxes * np.tile(scale, 2), scores

    def _room(self, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """(ROOM, H, W): this thread's own, as large as its largest picture so far."""
        needed = ROOM * shape[0] * shape[1]
        room: npt.NDArray[np.float32] | None = getattr(self._kept, "room", None)
        if room is None or len(room) < needed:
            room = self._kept.room = np.empty(needed, np.float32)
        return room[:needed].reshape(ROOM, *shape)


def _at_least(side: float, boxes: Boxes, scores: Scores) -> tuple[Boxes, Scores]:
    large = boxes[:, 2:].max(1, initial=0.0) >= side
    return boxes[large], scores[large]
