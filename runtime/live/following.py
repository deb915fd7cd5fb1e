"""Digits followed from one frame of a video into the next, where they are read again without detection.

    follower = Follower(reader)
    follower.read(gray)      # Reading: detected in this frame
    follower.read(gray)      # Reading: followed from the frame before, if every digit is still there

Detection takes most of a frame's time, and consecutive frames differ little: it is skipped in two of three frames. A
new digit beside others is therefore seen up to two frames late.
"""

from dataclasses import replace
from time import perf_counter
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.background import shrunk
from digitocr.runtime.image import GrayImage
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reader import Reader
from digitocr.runtime.reading import Box, Reading, Timing

Points: TypeAlias = npt.NDArray[np.float32]  # (n, 2): x, y in pixels

FLOW_SIDE = 320  # pixels; the long side of the reduced frames between which motion is measured
FLOW_WINDOW = (21, 21)  # pixels of the reduced frame around a digit's centre that are matched
FLOW_LEVELS = 2  # pyramid levels above the reduced frame; with them a motion of a tenth of FLOW_SIDE is found
MAX_FOLLOWED = 2  # consecutive frames without detection
FLOW_MIN_PROBABILITY = 0.5  # of a followed digit's class; below it the digit has changed or is gone


class Follower:
    """Reads the frames of one video, in order."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._before: tuple[tuple[int, ...], GrayImage, Reading] | None = None  # shape, reduced frame, reading
        self._followed = 0  # consecutive frames without detection

    def read(self, gray: GrayImage) -> Reading:
        """Reads the next frame, (H, W) uint8.

        A followed digit keeps the confidence with which it was detected. If one of them is another digit now, or gone,
        all are detected again.
        """
        reading = small = None
        if self._before and self._before[0] == gray.shape and self._followed < MAX_FOLLOWED:
            small = shrunk(gray, FLOW_SIDE)
            reading = self._next(*self._before[1:], small, gray)
        self._followed = self._followed + 1 if reading else 0
        if reading is None:
            reading = self._reader.read(gray)
        self._before = None
        if reading.lines and not reading.turned:
            self._before = (gray.shape, shrunk(gray, FLOW_SIDE) if small is None else small, reading)
        return reading

    def _next(self, before: GrayImage, reading: Reading, after: GrayImage, gray: GrayImage) -> Reading | None:
        """The previous frame's reading with its boxes moved; None if a digit is not there any more.

        Args:
            before: The previous frame, reduced to FLOW_SIDE.
            reading: Its reading.
            after: This frame, reduced.
            gray: This frame.
        """
        began = perf_counter()
        digits = reading.digits
        boxes = np.array([digit.box for digit in digits], np.float32)
        centres = boxes[:, :2] + boxes[:, 2:] / np.float32(2)
        boxes[:, :2] += motion(before, after, centres, max(after.shape) / max(gray.shape))
        found = perf_counter()
        probabilities = self._reader.classify(gray, boxes)
        told = [(row, digit.digit) for row, digit in enumerate(digits) if digit.digit is not None]
        if any(probabilities[place] < FLOW_MIN_PROBABILITY for place in told):
            return None
        moved = reading.with_boxes(
            Box(round(x), round(y), digit.box.w, digit.box.h)
            for digit, (x, y) in zip(digits, boxes[:, :2].tolist(), strict=True)
        )
        ms = Timing(0.0, 1000 * (found - began), 1000 * (perf_counter() - found))
        return replace(moved, ms=ms)


def motion(before: GrayImage, after: GrayImage, points: Points, scale: float) -> Points:
    """Measures how far the surroundings of each point moved between two frames, by Lucas and Kanade's optical flow.

    Args:
        before: (h, w) uint8, the earlier frame, reduced.
        after: (h, w) uint8, the later frame, reduced.
        points: (n, 2) float32, pixels of the earlier frame as it was.
        scale: Pixels of the reduced frames for one pixel as it was.

    Returns:
        (n, 2) float32, pixels of the frames as they were; 0 where the motion cannot be measured.
    """
    start = points[:, None] * np.float32(scale)
    end, found, _ = cv2.calcOpticalFlowPyrLK(before, after, start, None, winSize=FLOW_WINDOW, maxLevel=FLOW_LEVELS)
    return np.where(found == 1, (end - start)[:, 0] / np.float32(scale), np.float32(0))
