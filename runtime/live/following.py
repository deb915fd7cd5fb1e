"""Digits followed from one frame of a video into the next, where they are read again without being sought.

    follower = Follower(reader)
    follower.read(gray)      # Reading: sought in this frame
    follower.read(gray)      # Reading: followed from the frame before, where every digit is still there

Seeking takes most of a frame's time, and frames in turn differ by little: so two of three are spared it. A digit that
is new beside others is seen up to two frames late.
"""

from dataclasses import replace
from itertools import islice
from time import perf_counter
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.background import shrunk
from digitocr.runtime.image import GrayImage
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reader import Reader
from digitocr.runtime.reading import Box, Line, Reading

Points: TypeAlias = npt.NDArray[np.float32]  # (n, 2): x, y

SIDE = 320  # pixels; the long side of the pictures between which motion is measured
WINDOW = (21, 21)  # pixels round a digit's middle that are followed
LEVELS = 2  # halvings of the pictures, so that a tenth of SIDE is not too far
FOLLOWED = 2  # frames in turn; then digits are sought again
STILL = 0.5  # probability of a digit that it is the same one still


class Follower:
    """Reads the frames of one video, of which each is a moment after the one before."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._before: tuple[GrayImage, Reading] | None = None
        self._followed = 0  # frames in turn

    def read(self, gray: GrayImage) -> Reading:
        """The digits of the next frame, (H, W) uint8.

        A digit that was followed has the confidence with which it was found. Where one of them is another digit now,
        or none, all are sought.
        """
        reading = None
        if self._before and self._before[0].shape == gray.shape and self._followed < FOLLOWED:
            reading = self._next(*self._before, gray)
        self._followed = self._followed + 1 if reading else 0
        if reading is None:
            reading = self._reader.read(gray)
        self._before = (gray, reading) if reading.lines and not reading.turned else None
        return reading

    def _next(self, before: GrayImage, reading: Reading, gray: GrayImage) -> Reading | None:
        """The frame before's reading with its boxes moved; None where a digit is not there any more."""
        began = perf_counter()
        digits = reading.digits
        boxes = np.array([(digit.box.x, digit.box.y, digit.box.w, digit.box.h) for digit in digits], np.float32)
        boxes[:, :2] += _motion(before, gray, boxes[:, :2] + boxes[:, 2:] / np.float32(2))
        found = perf_counter()
        probabilities = self._reader.classify(gray, boxes)
        if (probabilities[range(len(digits)), [digit.digit for digit in digits]] < STILL).any():
            return None
        moved = (
            replace(digit, box=Box(round(x), round(y), digit.box.w, digit.box.h))
            for digit, (x, y) in zip(digits, boxes[:, :2].tolist(), strict=True)
        )
        lines = tuple(Line(tuple(islice(moved, len(line.digits)))) for line in reading.lines)
        ms = {"decode": 0.0, "find": 1000 * (found - began), "classify": 1000 * (perf_counter() - found)}
        return replace(reading, lines=lines, ms=ms)


def _motion(before: GrayImage, after: GrayImage, points: Points) -> Points:
    """How far what is at each point moved from one frame to the next, in pixels; 0 where that cannot be told."""
    first, second = shrunk(before, SIDE), shrunk(after, SIDE)
    scale = max(first.shape) / max(before.shape)
    start = points[:, None] * np.float32(scale)
    end, told, _ = cv2.calcOpticalFlowPyrLK(first, second, start, None, winSize=WINDOW, maxLevel=LEVELS)
    return np.where(told == 1, (end - start)[:, 0] / np.float32(scale), np.float32(0))
