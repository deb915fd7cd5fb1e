"""Frames that are worth labelling: those whose reading is doubted, not too many, and none that shows what the last did.

kept = DoubtfulFrames(Path("doubtful"), below=0.8, most=200)
for frame in video.frames():
    kept.take(frame, video.roi)
"""

import os
from datetime import datetime
from errno import EACCES
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digitocr.cli.live.overlay import to_bgr
from digitocr.runtime.errors import OutputError
from digitocr.runtime.files import replacing
from digitocr.runtime.image import Roi
from digitocr.runtime.live.video import FrameReading
from digitocr.runtime.opencv import cv2

SUFFIX = ".jpg"
QUALITY = 95  # JPEG quality, 0 to 100; what is learned from must not be blurred
APART_SECONDS = 1.0  # from one kept frame to the next; a hand in the picture makes every frame another one
CELLS = (64, 48)  # a frame is compared by the means of so many parts
MIDDLE = 128.0  # grey levels of the mean of a frame, as it is compared
CHANGED = 20.0  # grey levels by which the mean of a part changes at least, when a digit of 20 pixels changes


class DoubtfulFrames:
    """Keeps doubtful frames in a folder.

    Attributes:
        folder: The folder.
        count: How many frames were kept.
    """

    def __init__(self, folder: Path, below: float, most: int) -> None:
        """Makes the folder.

        Args:
            folder: Where frames are kept; those of earlier runs count.
            below: A frame is doubtful if a number in it has a lower confidence, 0 to 1.
            most: How many pictures the folder holds at most.

        Raises:
            OutputError: It cannot be written.
        """
        self.folder, self.count = folder, 0
        self._below = below
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._left = most - sum(path.suffix == SUFFIX for path in folder.iterdir())
            if not os.access(folder, os.W_OK):
                raise PermissionError(EACCES, os.strerror(EACCES))
        except OSError as error:
            raise self._unwritable(error) from error
        self._time = -APART_SECONDS
        self._cells: npt.NDArray[np.float32] | None = None

    @property
    def is_full(self) -> bool:
        """Whether the folder holds as many pictures as it may."""
        return self._left <= 0

    def take(self, frame: FrameReading, roi: Roi | None) -> bool:
        """Keeps the frame, or the part of it that is read, if it is worth it. Returns whether it did.

        Raises:
            OutputError: It cannot be written.
        """
        doubt = min((number.confidence for number in frame.reading.numbers), default=1.0)
        if self.is_full or doubt >= self._below or 0 <= frame.time - self._time < APART_SECONDS:
            return False
        x, y, w, h = roi or (0, 0, frame.image.shape[1], frame.image.shape[0])
        picture = np.ascontiguousarray(frame.image[y : y + h, x : x + w])
        cells = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), CELLS, interpolation=cv2.INTER_AREA)
        cells = cells * np.float32(MIDDLE / max(1.0, float(cells.mean())))  # light that fades is no other picture
        if self._cells is not None and np.abs(cells - self._cells).max() < CHANGED:
            return False
        self._save(picture, f"{datetime.now():%Y%m%d-%H%M%S}-{frame.index:06d}{SUFFIX}")
        self._time, self._cells = frame.time, cells
        self._left -= 1
        self.count += 1
        return True

    def _save(self, picture: npt.NDArray[np.uint8], name: str) -> None:
        _, content = cv2.imencode(SUFFIX, to_bgr(picture), (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
        try:
            with replacing(self.folder / name) as beside:
                beside.write_bytes(content.tobytes())
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(f"{self.folder}: cannot be written ({error.strerror}); name a folder that can be")
