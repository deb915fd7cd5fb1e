"""Digits followed from frame to frame of a video: what has not changed is not read again.

    follower = Follower(reader)
    follower.read(gray)      # Reading: detected in this frame
    follower.read(gray)      # Reading: followed from the frame that was read last, if every digit is still there

Detection takes most of a frame's time, and consecutive frames differ little. Each frame is compared with the one that
was read last: digits that look the same are taken over, others are classified again. Where that does not tell them, or
something beside them has changed, all is detected again, and at intervals that grow while the readings agree.
"""

from dataclasses import replace
from time import perf_counter
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.boxes import Boxes
from digitocr.runtime.characters import DOUBT
from digitocr.runtime.image import GrayImage
from digitocr.runtime.live.changes import (
    LEAST,
    NEIGHBOURS,
    Looks,
    Mask,
    Scene,
    differences,
    looks,
    scene,
    squares,
    strange,
    whole,
)
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reader import Reader
from digitocr.runtime.reading import Box, Number, Reading, Timing

Points: TypeAlias = npt.NDArray[np.float32]  # (n, 2): x, y in pixels of a reduced frame

FLOW_WINDOW = (21, 21)  # pixels of the reduced frame around a digit's centre that are matched
FLOW_LEVELS = 2  # pyramid levels above the reduced frame; with them a motion of a tenth of its side is found
CHANGED = 0.25  # of a digit's contrast; a thin segment differs by 0.4 and more, noise, shaking and focus by less
FLOW_MIN_PROBABILITY = 0.5  # of a changed digit's class; below it the digit is another one or is gone
OTHER_PROBABILITY = 0.9  # of another class; from there on the digit has changed, whatever moves over it
SOON = 3  # frames from one detection to the next where something has changed
MOVING = 8  # frames where something moves on, as a hand; nothing can be read in it
LATE = 24  # frames where nothing changes
STAYS = 6  # frames after which less than LEAST pixels that have changed in one place are no noise
SPECKS = 3  # such pixels of the reduced frame; a digit of 14 of 1,280 pixels changes four and more


class _Sight(NamedTuple):
    """A frame in which digits were detected.

    Attributes:
        shape: (H, W) of the frame.
        scene: The frame, reduced.
        reading: What was read; at least one digit.
        boxes: (n, 4) float32 of its digits, pixels of the frame.
        centres: (n, 2) float32 of these, pixels of the reduced frame.
        looks: The digits.
    """

    shape: tuple[int, ...]
    scene: Scene
    reading: Reading
    boxes: Boxes
    centres: Points
    looks: Looks


class Follower:
    """Reads the frames of one video, in order."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._sight: _Sight | None = None  # of the last detection, if its digits can be followed
        self._texts: list[str] = []  # its numbers, or those of a detection without digits
        self._doubted: list[str] | None = None  # the numbers of a later detection that has not replaced it
        self._pause = SOON  # frames from that detection to the next if nothing changes
        self._age = 0  # frames since that detection
        self._moving: Mask = np.zeros((0, 0), np.bool_)  # what moved in the last frame, reduced
        self._stayed = np.zeros((0, 0), np.uint8)  # frames for which something beside the digits has changed there

    def read(self, gray: GrayImage) -> Reading:
        """Reads the next frame, (H, W) uint8.

        A followed digit keeps the confidence with which it was detected. One that something moves over is a digit that
        cannot be told. If one of them is another digit now, or gone, all are detected again.
        """
        now = scene(gray)
        self._age += 1
        if self._sight and self._sight.shape != gray.shape:
            self._sight = None
        reading = self._followed(self._sight, gray, now) if self._sight else None
        if reading:
            return reading
        return self._detected(gray, now)

    def _detected(self, gray: GrayImage, now: Scene) -> Reading:
        reading = self._reader.read(gray)
        texts = [number.text for number in reading.numbers]
        self._age = 0
        self._stayed = np.zeros(now.small.shape, np.uint8)
        # the frame before something came is better to compare with; what a hand leaves of a number is soon another text
        if self._sight and self._moving.any() and texts != self._doubted:
            self._doubted = None if texts == self._texts else texts
            return reading
        if not self._sight:  # what moved in an earlier frame says nothing about this one
            self._moving = np.zeros(now.small.shape, np.bool_)
        self._pause = min(2 * self._pause, LATE) if texts == self._texts else SOON
        self._texts, self._doubted, self._sight = texts, None, None
        if reading.lines and not reading.turned:
            boxes = np.array([digit.box for digit in reading.digits], np.float32)
            centres = (boxes[:, :2] + boxes[:, 2:] / np.float32(2)) * np.float32(_scale(gray, now))
            self._sight = _Sight(gray.shape, now, reading, boxes, centres, looks(gray, boxes))
            self._moves = np.zeros_like(centres)  # from there to the last frame
            self._before, self._shift = now, (0, 0)  # the last frame, and how far it moved as a whole
        return reading

    def _followed(self, sight: _Sight, gray: GrayImage, now: Scene) -> Reading | None:
        """The last reading with its boxes moved; None if all must be detected again."""
        began = perf_counter()
        boxes, is_changed = self._found(sight, gray, now)
        found = perf_counter()
        is_beside, is_covered = self._around(sight, now, squares(boxes, _scale(gray, now), now.small.shape))
        if self._age >= SOON and (is_beside or (is_changed & ~is_covered).any()):
            return None
        if self._age >= (MOVING if self._moving.any() else self._pause):
            return None
        digits = sight.reading.digits
        rows = [row for row in np.flatnonzero(is_changed).tolist() if digits[row].digit is not None]
        hidden = []
        if rows:
            for row, probabilities in zip(rows, self._reader.classify(gray, boxes[rows]), strict=True):
                if probabilities[digits[row].digit] < FLOW_MIN_PROBABILITY:
                    is_other = self._age >= SOON and probabilities.max() >= OTHER_PROBABILITY
                    if is_other or not is_covered[row]:
                        return None
                    hidden.append(row)
        moved = sight.reading.with_boxes(
            Box(round(x), round(y), digit.box.w, digit.box.h)
            for digit, (x, y) in zip(digits, boxes[:, :2].tolist(), strict=True)
        )
        ms = Timing(0.0, 1000 * (found - began), 1000 * (perf_counter() - found))
        return replace(_without(moved, hidden) if hidden else moved, ms=ms)

    def _found(self, sight: _Sight, gray: GrayImage, now: Scene) -> tuple[Boxes, npt.NDArray[np.bool_]]:
        """(n, 4) where the digits are now, pixels of the frame, and (n,) which of them look different."""
        to_frame = np.float32(1 / _scale(gray, now))

        def compared(rows: npt.NDArray[np.int64], moves: Points) -> npt.NDArray[np.float32]:
            return differences(looks(gray, _moved(sight.boxes[rows], moves * to_frame)), sight.looks[rows])

        moves = motion(sight.scene.small, now.small, sight.centres, self._moves)
        difference = compared(np.arange(len(moves)), moves)
        guesses = [self._moves]
        if (difference <= CHANGED).any():
            guesses.append(np.tile(np.median(moves[difference <= CHANGED], 0), (len(moves), 1)))
        # what is measured is wrong for a digit that is covered or another one, and coarse for a small one
        for guess in guesses:
            lost = np.flatnonzero(difference > CHANGED)
            if len(lost):
                less = compared(lost, guess[lost])
                better = less < difference[lost]
                difference[lost[better]], moves[lost[better]] = less[better], guess[lost[better]]
        is_changed = difference > CHANGED
        self._common = np.median(moves if is_changed.all() else moves[~is_changed], 0)
        moves[is_changed] = self._common
        self._moves = moves
        return _moved(sight.boxes, moves * to_frame), is_changed

    def _around(
        self, sight: _Sight, now: Scene, places: list[tuple[slice, slice]]
    ) -> tuple[bool, npt.NDArray[np.bool_]]:
        """Whether something beside the digits has changed, and (n,) which of the digits something moves over.

        Args:
            sight: The frame that was read.
            now: This frame.
            places: Of the n digits in it.
        """
        x, y = (round(float(along)) for along in self._common)
        is_new = strange(now, sight.scene, (x, y))
        moved = x - self._shift[0], y - self._shift[1]
        moving = whole(is_new, is_new & strange(now, self._before, moved)) if is_new.any() else is_new
        # what moved before as well; what has only just come may be a number, if nothing else moves
        moves_on = whole(moving, cv2.dilate(self._moving.view(np.uint8), NEIGHBOURS) > 0)
        beside = is_new & ~moving if self._moving.any() else is_new
        self._before, self._shift, self._moving = now, (x, y), moving
        is_covered = np.array([np.count_nonzero(moves_on[place]) >= LEAST for place in places])
        for place in places:
            beside[place] = False
        near = cv2.dilate(beside.view(np.uint8), NEIGHBOURS)
        self._stayed = (self._stayed + near) * near
        specks = np.count_nonzero(beside & (self._stayed >= STAYS))
        return bool(np.count_nonzero(beside) >= LEAST or specks >= SPECKS), is_covered


def motion(before: GrayImage, after: GrayImage, points: Points, guess: Points) -> Points:
    """Measures how far the surroundings of each point moved between two frames, by Lucas and Kanade's optical flow.

    Args:
        before: (h, w) uint8, the earlier frame, reduced.
        after: (h, w) uint8, the later frame, reduced.
        points: (n, 2) float32, pixels of the earlier frame.
        guess: (n, 2) float32, about how far they moved.

    Returns:
        (n, 2) float32, pixels; the guess where the motion cannot be measured.
    """
    end, found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        points.reshape(-1, 1, 2),
        (points + guess).reshape(-1, 1, 2),
        winSize=FLOW_WINDOW,
        maxLevel=FLOW_LEVELS,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return np.where(found == 1, end[:, 0] - points, guess)


def _moved(boxes: Boxes, by: Points) -> Boxes:
    moved = boxes.copy()
    moved[:, :2] += by
    return moved


def _scale(gray: GrayImage, now: Scene) -> float:
    """Pixels of a reduced frame for one of the frame as it was."""
    return float(max(now.small.shape) / max(gray.shape))


def _without(reading: Reading, hidden: list[int]) -> Reading:
    """The reading with the digits in these places of `digits` as ones that cannot be told."""
    place = iter(range(len(reading.digits)))

    def doubted(number: Number) -> Number:
        rows = [next(place) for _ in number.digits]
        if not set(rows) & set(hidden):
            return number
        digits = tuple(
            replace(digit, digit=None) if row in hidden else digit
            for row, digit in zip(rows, number.digits, strict=True)
        )
        read = iter(digits)
        text = "".join(next(read).text if char.isdigit() or char == DOUBT else char for char in number.text)
        return Number(text, digits, 0.0)

    lines = (replace(line, numbers=tuple(map(doubted, line.numbers))) for line in reading.lines)
    return replace(reading, lines=tuple(lines))
