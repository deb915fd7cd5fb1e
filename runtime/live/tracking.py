"""Readings of frames -> steady numbers: tracked by place, voted on over the last frames, announced once.

    tracker = Tracker()
    tracker.update(reading)   # the numbers to announce, most often none
    tracker.steady            # the numbers that are steady at the moment

The votes are on the digits; the signs are those that most of them have. A number with a digit that cannot be told is no
vote for any text, but it keeps its place, so a wheel between two digits neither ends a number nor makes a new one.
Pictures are not used here: a number is at the same place if its box overlaps that of the frame before.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import islice
from statistics import fmean
from typing import NamedTuple

import numpy as np

from digitocr.runtime.boxes import share_of_smaller
from digitocr.runtime.characters import DOUBT
from digitocr.runtime.reading import Box, Number, Reading


class Rule(NamedTuple):
    """When a text counts.

    Attributes:
        window: The number of the last frames that are looked at.
        agree: How many of them must have read the text.
    """

    window: int
    agree: int


# The rules become stricter where something that passes over a steady number may change or hide some of its digits.
NEW = Rule(9, 7)  # any other text; detection ran in three of nine frames at least, the rest are followed
DISTURBED = Rule(15, 12)  # a text that begins or ends as the steady one and is not shorter
COVERED = Rule(45, 36)  # a shorter one that does, one that is another with digits missing, or within a steady number
SURE = 0.85  # of a number's least confident digit, on average over the agreeing frames; then the rule is enough
MEMORY = 45  # frames; a number that comes back within them is the same one, and is not announced again
MIN_OVERLAP = 0.5  # share of the smaller box; numbers of two frames with at least this overlap are at one place
SAME_GROUND = 0.25  # share of the smaller box; of two numbers of one frame with this overlap the shorter one is a part


class _Place:
    """A place where numbers were read.

    Attributes:
        box: The box of the last number read there, or of the last that reads as the steady one.
        unseen: Consecutive frames without a number there.
        steady: The steady number, if there is one.
    """

    def __init__(self, box: Box) -> None:
        self.box = box
        self.unseen = 0
        self.steady: Number | None = None
        self._votes: deque[Number | None] = deque(maxlen=COVERED.window)

    @property
    def text(self) -> str:
        """The digits of the steady number; empty if there is none yet."""
        return self.steady.digits_text if self.steady else ""

    def add(self, number: Number | None, crowded: bool = False) -> None:
        """Adds the number read there in the next frame.

        Args:
            number: The number, or None if there was none.
            crowded: Whether the number stands within a steady one, or on a part of the ground of a longer one, that was
                read in this frame as well.
        """
        self._votes.append(number)
        if number is None:
            self.unseen += 1
            return
        self.unseen = 0
        if number.digits_text == self.text or not self.steady:
            self.box = number.box
        if DOUBT in number.digits_text:
            return
        texts = Counter(vote.digits_text for vote in self._newest(NEW.window) if DOUBT not in vote.digits_text)
        text = texts.most_common(1)[0][0]
        rule = self._rule(text, crowded)
        agreeing = [vote for vote in self._newest(rule.window) if vote.digits_text == text]
        if len(agreeing) < rule.agree:
            return
        if text == self.text or self._is_sure(text, agreeing):
            signed = Counter(vote.text for vote in agreeing).most_common(1)[0][0]
            self.steady, self.box = next(vote for vote in agreeing if vote.text == signed), agreeing[0].box

    def _newest(self, window: int) -> Iterator[Number]:
        """The numbers read there in the last frames, the newest first."""
        return (vote for vote in islice(reversed(self._votes), window) if vote)

    def _is_sure(self, text: str, agreeing: Sequence[Number]) -> bool:
        """Whether the text is read surely, or for long: then each frame counts as much as it is sure."""
        if fmean(map(_least, agreeing)) >= SURE:
            return True
        return sum(_least(vote) for vote in self._newest(COVERED.window) if vote.digits_text == text) >= COVERED.agree

    def _rule(self, text: str, crowded: bool) -> Rule:
        """The rule by which the text becomes the steady one."""
        if text == self.text:
            return NEW
        texts = Counter(vote.digits_text for vote in self._votes if vote)
        repeated = (other for other, count in texts.items() if count > 1)
        if crowded or any(is_part(text, other) for other in (self.text, *repeated)):
            return COVERED
        if self.text and (text[0] == self.text[0] or text[-1] == self.text[-1]):
            return COVERED if len(text) < len(self.text) else DISTURBED
        return NEW


class Tracker:
    """The numbers of one video over its frames."""

    def __init__(self) -> None:
        self._places: list[_Place] = []

    @property
    def steady(self) -> tuple[Number, ...]:
        """The numbers that are steady at the moment, in reading order."""
        return tuple(place.steady for place in self._in_order() if place.steady and place.unseen < NEW.window)

    def update(self, reading: Reading) -> tuple[Number, ...]:
        """Adds the reading of the next frame, and returns the numbers that become steady by it, in reading order."""
        before = {place: place.text for place in self._places}
        left = set(self._places)
        longer: list[Box] = []  # of the numbers of this frame that have a place already
        for number in sorted(reading.numbers, key=lambda number: len(number.digits), reverse=True):
            box = number.box
            here = self._overlapping(box)
            free = [place for place in here if place in left]
            crowded = any(before.get(place) for place in here if place not in left) or _touches(box, longer)
            longer.append(box)
            if free:  # of several places, one with a steady number
                place = max(free, key=lambda place: (before[place] != "", here[place]))
            else:
                place = _Place(box)
                self._places.append(place)
            left.discard(place)
            place.add(number, crowded)
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
        """Whether the place's steady number was steady elsewhere, and moved too fast for its boxes to overlap."""
        for other in self._places:
            if other.unseen and other.text == place.text:
                self._places.remove(other)
                return True
        return False

    def _in_order(self) -> list[_Place]:
        """The places line by line, each line from left to right."""
        lines: list[list[_Place]] = []
        for place in sorted(self._places, key=lambda place: place.box.y + place.box.h / 2):
            if lines and place.box.y + place.box.h / 2 < lines[-1][-1].box.xyxy[3]:
                lines[-1].append(place)
            else:
                lines.append([place])
        return [place for line in lines for place in sorted(line, key=lambda place: place.box.x)]


def _touches(box: Box, others: Sequence[Box]) -> bool:
    """Whether the box and one of the others stand on the same ground, as two digits of one wheel do."""
    if not others:
        return False
    return bool((share_of_smaller(np.array(others), np.array([box])) >= SAME_GROUND).any())


def is_part(text: str, other: str) -> bool:
    """Whether the text is the other one with digits missing."""
    rest = iter(other)
    return len(text) < len(other) and all(digit in rest for digit in text)


def _least(number: Number) -> float:
    """The confidence of the number's least certain digit, 0 to 1."""
    return min(digit.confidence for digit in number.digits)
