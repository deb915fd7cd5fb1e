"""Readings of frames -> steady lines: tracked by place, voted on over the last frames, announced once.

    tracker = Tracker()
    tracker.update(reading)   # the lines to announce, most often none
    tracker.steady            # the lines that are steady at the moment

Pictures are not used here: a line is at the same place if its box overlaps that of the frame before.
"""

from collections import Counter, deque
from itertools import islice
from statistics import fmean
from typing import NamedTuple

import numpy as np

from digitocr.runtime.boxes import share_of_smaller
from digitocr.runtime.reading import Box, Line, Reading


class Rule(NamedTuple):
    """When a text counts.

    Attributes:
        window: The number of the last frames that are looked at.
        agree: How many of them must have read the text.
    """

    window: int
    agree: int


# The rules become stricter where something that passes over a steady line may change or hide some of its digits.
NEW = Rule(9, 7)  # any other text; detection ran in three of nine frames at least, the rest are followed
DISTURBED = Rule(15, 12)  # a text that begins or ends as the steady one
COVERED = Rule(45, 36)  # a text that is another one with digits missing, or that stands within a steady line
MIN_CONFIDENCE = 0.7  # of a line's least confident digit, on average over the agreeing frames; below it nothing counts
MEMORY = 45  # frames; a line that comes back within them is the same one, and is not announced again
MIN_OVERLAP = 0.5  # share of the smaller box; lines of two frames with at least this overlap are at one place


class _Place:
    """A place where lines were read.

    Attributes:
        box: The box of the last line read there, or of the last that reads as the steady one.
        unseen: Consecutive frames without a line there.
        steady: The steady line, if there is one.
    """

    def __init__(self, box: Box) -> None:
        self.box = box
        self.unseen = 0
        self.steady: Line | None = None
        self._votes: deque[Line | None] = deque(maxlen=COVERED.window)

    @property
    def text(self) -> str:
        """The text of the steady line; empty if there is none yet."""
        return self.steady.text if self.steady else ""

    def add(self, line: Line | None, crowded: bool = False) -> None:
        """Adds the line read there in the next frame.

        Args:
            line: The line, or None if there was none.
            crowded: Whether the line stands within a steady line that was read in this frame as well.
        """
        self._votes.append(line)
        if line is None:
            self.unseen += 1
            return
        self.unseen = 0
        if line.text == self.text or not self.steady:
            self.box = line.box
        texts = Counter(vote.text for vote in islice(reversed(self._votes), NEW.window) if vote)
        text = texts.most_common(1)[0][0]
        rule = self._rule(text, crowded)
        agreeing = [vote for vote in islice(reversed(self._votes), rule.window) if vote and vote.text == text]
        if len(agreeing) < rule.agree:
            return
        if text == self.text or fmean(one.confidence for one in agreeing) >= MIN_CONFIDENCE:
            self.steady, self.box = agreeing[0], agreeing[0].box

    def _rule(self, text: str, crowded: bool) -> Rule:
        """The rule by which the text becomes the steady one."""
        if text == self.text:
            return NEW
        texts = Counter(vote.text for vote in self._votes if vote)
        repeated = (other for other, count in texts.items() if count > 1)
        if crowded or any(is_part(text, other) for other in (self.text, *repeated)):
            return COVERED
        if self.text and (text[0] == self.text[0] or text[-1] == self.text[-1]):
            return DISTURBED
        return NEW


class Tracker:
    """The lines of one video over its frames."""

    def __init__(self) -> None:
        self._places: list[_Place] = []

    @property
    def steady(self) -> tuple[Line, ...]:
        """The lines that are steady at the moment, in reading order."""
        return tuple(place.steady for place in self._in_order() if place.steady and place.unseen < NEW.window)

    def update(self, reading: Reading) -> tuple[Line, ...]:
        """Adds the reading of the next frame, and returns the lines that become steady by it, in reading order."""
        before = {place: place.text for place in self._places}
        left = set(self._places)
        for line in sorted(reading.lines, key=lambda line: len(line.digits), reverse=True):
            box = line.box
            here = self._overlapping(box)
            free = [place for place in here if place in left]
            crowded = any(before.get(place) for place in here if place not in left)
            if free:  # of several places, one with a steady line
                place = max(free, key=lambda place: (before[place] != "", here[place]))
            else:
                place = _Place(box)
                self._places.append(place)
            left.discard(place)
            place.add(line, crowded)
        for place in left:
            place.add(None)
        self._places = [place for place in self._places if place.unseen < MEMORY]
        return tuple(
            place.steady
            for place in self._in_order()
            if place.steady and place.text != before.get(place, "") and not self._moved(place)
        )

    def _overlapping(self, box: Box) -> dict[_Place, float]:
        """The places at which the box is, each with the share of the smaller box that is covered."""
        if not self._places:
            return {}
        shares = share_of_smaller(np.array([place.box for place in self._places]), np.array([box]))[:, 0]
        return {
            place: share for place, share in zip(self._places, shares.tolist(), strict=True) if share >= MIN_OVERLAP
        }

    def _moved(self, place: _Place) -> bool:
        """Whether the place's steady line was steady elsewhere, and moved too fast for its boxes to overlap."""
        for other in self._places:
            if other.unseen and other.text == place.text:
                self._places.remove(other)
                return True
        return False

    def _in_order(self) -> list[_Place]:
        return sorted(self._places, key=lambda place: (place.box.y, place.box.x))


def is_part(text: str, other: str) -> bool:
    """Whether the text is the other one with digits missing."""
    rest = iter(other)
    return len(text) < len(other) and all(digit in rest for digit in text)
