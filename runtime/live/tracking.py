"""Readings of frames -> lines that hold: tracked by place, voted over the last frames, announced once.

    tracker = Tracker()
    tracker.update(reading)   # the lines to announce, most often none
    tracker.steady            # the lines that hold at the moment

Nothing here looks at pictures: a line is in the place where its box overlaps that of the frame before.
"""

from collections import Counter, deque
from itertools import islice
from statistics import fmean

from digitocr.runtime.reading import Box, Line, Reading

# Of the last VOTES frames HELD must agree on a text before it counts: more of them where it may be that something
# passes over the line that held before, and makes some of its digits look like others, or hides them.
VOTES, HELD = 9, 7  # for another text; digits of these frames were sought three times at least
DISTURBED_VOTES, DISTURBED_HELD = 15, 12  # for one that begins or ends as the one that held
COVERED_VOTES, COVERED_HELD = 45, 36  # for one with digits missing, also of one that was read there more than once,
# and for one that stands within a line that holds, and is read beside it
SURE = 0.7  # confidence of a line's least sure digit, on average over the frames that agree; less does not count
REMEMBERED = 45  # frames; a line that is back within so many is the same one, not announced again
SHARED = 0.5  # of the smaller box; lines of two frames that overlap by so much are in one place


class _Place:
    """A place where lines were read. box: of the last one, or of the last that reads as the one that holds; unseen:
    frames without any; steady: the line that holds.
    """

    def __init__(self, box: Box) -> None:
        self.box = box
        self.unseen = 0
        self.steady: Line | None = None
        self._votes: deque[Line | None] = deque(maxlen=COVERED_VOTES)

    @property
    def text(self) -> str:
        """Of the line that holds; empty where none does yet."""
        return self.steady.text if self.steady else ""

    def add(self, line: Line | None, crowded: bool = False) -> None:
        """Takes what was read there in the next frame; crowded: within a line that holds, and was read as well."""
        self._votes.append(line)
        if line is None:
            self.unseen += 1
            return
        self.unseen = 0
        if line.text == self.text or not self.steady:
            self.box = around(line)
        texts = Counter(vote.text for vote in islice(reversed(self._votes), VOTES) if vote)
        text = texts.most_common(1)[0][0]
        votes, held = self._hold(text, crowded)
        agreeing = [vote for vote in islice(reversed(self._votes), votes) if vote and vote.text == text]
        if len(agreeing) >= held and (text == self.text or fmean(map(_confidence, agreeing)) >= SURE):
            self.steady, self.box = agreeing[0], around(agreeing[0])

    def _hold(self, text: str, crowded: bool) -> tuple[int, int]:
        """Of how many frames how many must agree on the text."""
        if text == self.text:
            return VOTES, HELD
        texts = Counter(vote.text for vote in self._votes if vote)
        more_than_once = (other for other, count in texts.items() if count > 1)
        if crowded or any(_is_part(text, other) for other in (self.text, *more_than_once)):
            return COVERED_VOTES, COVERED_HELD
        if self.text and (text[0] == self.text[0] or text[-1] == self.text[-1]):
            return DISTURBED_VOTES, DISTURBED_HELD
        return VOTES, HELD


class Tracker:
    """Lines over the frames of one video."""

    def __init__(self) -> None:
        self._places: list[_Place] = []

    @property
    def steady(self) -> tuple[Line, ...]:
        """The lines that hold at the moment, in reading order."""
        return tuple(place.steady for place in self._in_order() if place.steady and place.unseen < VOTES)

    def update(self, reading: Reading) -> tuple[Line, ...]:
        """Takes the reading of the next frame; the lines that hold from this frame on, in reading order."""
        before = {place: place.text for place in self._places}
        left = set(self._places)
        for line in sorted(reading.lines, key=lambda line: len(line.digits), reverse=True):
            box = around(line)
            here = [place for place in self._places if overlap(place.box, box) >= SHARED]
            free = [place for place in here if place in left]
            crowded = any(before.get(place) for place in here if place not in left)
            if free:  # a line that holds there is what this one says something of
                place = max(free, key=lambda place: (before[place] != "", overlap(place.box, box)))
            else:
                place = _Place(box)
                self._places.append(place)
            left.discard(place)
            place.add(line, crowded)
        for place in left:
            place.add(None)
        self._places = [place for place in self._places if place.unseen < REMEMBERED]
        return tuple(
            place.steady
            for place in self._in_order()
            if place.steady and place.text != before.get(place, "") and not self._moved(place)
        )

    def _moved(self, place: _Place) -> bool:
        """Whether the line that holds there held elsewhere before, and moved too fast to be followed."""
        for other in self._places:
            if other.unseen and other.text == place.text:
                self._places.remove(other)
                return True
        return False

    def _in_order(self) -> list[_Place]:
        return sorted(self._places, key=lambda place: (place.box.y, place.box.x))


def _is_part(text: str, other: str) -> bool:
    """Whether the text is the other one with digits missing."""
    rest = iter(other)
    return len(text) < len(other) and all(digit in rest for digit in text)


def _confidence(line: Line) -> float:
    """Of the least sure digit."""
    return min(digit.confidence for digit in line.digits)


def around(line: Line) -> Box:
    """The box around a line's digits."""
    boxes = [digit.box for digit in line.digits]
    x, y = min(box.x for box in boxes), min(box.y for box in boxes)
    return Box(x, y, max(box.x + box.w for box in boxes) - x, max(box.y + box.h for box in boxes) - y)


def overlap(one: Box, other: Box) -> float:
    """The share of the smaller box that both cover, 0 to 1."""
    across = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    down = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    return max(0, across) * max(0, down) / min(one.w * one.h, other.w * other.h)
