"""The characters of a line -> its numbers: which characters belong together, and how each number is written.

    for group in grouped(characters):
        group.text      # "-12.5"
        group.places    # (1, 2, 4): which of the characters are its digits

Digits belong together unless the gap between them is wide for the digits of their line, something else stands between,
or one is much higher than the other, as the reading of a display is than what is printed beside it. Digits at even
distances are one number however far apart they are, up to a limit: so are comb fields, cells and the wheels of a
counter. Where some gaps are clearly wider than the others, the line is several numbers.

Gaps are measured in digit heights. The ink of a 1 is narrow. In most print, which gives all digits the same room, and
in cells its edges are far from its neighbours; in handwriting they are not; on displays of seven segments only its left
edge is. So gaps are measured between the edges of the ink, between those of the room, between the middles of both, and
with all of the room at the left. That one is taken by which the gaps inside numbers are most alike and the fewest gaps
are between numbers. Which gap is clearly wider depends on how much the others differ and, where there are few of them,
on how much the heights of the digits differ: in print both hardly do.

Signs: a point, a comma, a colon or a slash belongs to a number if it stands close between two of its digits. A minus
belongs to the number that it stands close before, unless a digit stands close before the minus: "189-82" is two
numbers, and neither is negative. A plus belongs to a number, as that of a telephone, where no digit stands in front of
it on the line. Two hyphens or slashes make a date of three groups of digits: "15-08-2026". Colons that take no room are
signs in a time only; else they are the frames of wheels. All other signs belong to no number.
"""

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from digitocr.runtime.characters import OTHER, Character
from digitocr.runtime.lines import MAX_HEIGHT_RATIO

# in digit heights, unless another unit is stated
ROOM = 0.6  # that a digit takes where all of a line are as narrow as a 1
NARROW = 0.4  # width; what is narrower says nothing about the room of the others
ROOM_SHARES = (  # of the width by which a digit's ink is narrower than its room, added to its left and its right side
    (0.5, 0.5),
    (0.25, 0.25),
    (0.0, 0.0),
    (1.0, 0.0),  # the 1 of seven segments
)
SPLIT_COST = 0.25  # by which gaps inside numbers may differ more where no gap is between numbers
MORE_COST = 0.07  # x
SHIFT_COST = 0.08  # as SPLIT_COST, of the last of these
EVEN_SPREAD = 0.05  # standard deviation of the gaps inside numbers, in pitches, where all digits are equally high
SPREAD_OF_HEIGHTS = 2.0  # by which it grows with the mean deviation of the digits' heights: so are digits by hand
SPREAD_WEIGHT = 2.0  # gaps that this expectation counts for, beside those of the line
MAX_DEVIATION = 0.3  # of one digit's height from that of its line; more is another kind of thing
MIN_WIDE = 0.22  # a gap below it, and the spread in addition, is never wide; a space in print is 0.25 to 0.5
MIN_JUMP = 0.24  # from the widest gap inside numbers to the narrowest between them
JUMP_OF_SPREAD = 2.2  # as MIN_JUMP, in standard deviations of the gaps inside numbers
FEW_GAPS = 0.4  # by which that is larger for a single gap, half of it for two: of few gaps the largest is not known
MAX_GAP = 0.9  # between digits of a number, where nothing shows that they are evenly spaced
MAX_EVEN_GAP = 2.0  # as MAX_GAP, where they are
EVEN_RANGE = 0.35  # of the pitch; the gaps of evenly spaced digits differ by less
TIGHT = 0.15  # the gap inside numbers, where no two digits of the line are neighbours
SIGN_GAP = 0.25  # by which the gap beside a sign of a number is wider than between its digits, at most
SLASH_GAP = 0.3  # as SIGN_GAP, beside a slash, whose ends reach out
DATE_SLASH_GAP = 0.6  # as SLASH_GAP, where two slashes stand between three groups of digits, as by hand
MINUS_GAP = 0.3  # as SIGN_GAP, between a minus that begins the line and the number after it
SIGN_PITCH = 2.2  # pitches from digit to digit, at most, where a sign has the room of a digit: in type of one width
OFF_MIDDLE = 0.15  # by which such a sign is nearer to one of the digits, at most
RULE_WIDTH = 0.25  # of a rule between two cells, at most; letters but l and I are wider
MIN_CELLS = 3  # digits, each in a cell of its own, that are one number
MAX_CELL = 2.0  # from one such digit to the next
CELL_RATIO = 1.25  # of the largest such distance of a number to the smallest, at most
MIN_CROWD = 4  # digits of a line whose usual distance is known
MAX_CROWDED = 1.25  # from digit to digit, at most, where there is no room for a letter between them
MAX_DATE_GROUP = 4  # digits of the groups of a date with hyphens
NEAR = 1.0  # a digit of another number that is nearer might belong to this one

_TIME = re.compile("[0-9?]{1,2}(:[0-9?]{2})+([.,][0-9?]+)?")

FEATURES = (
    "all",  # log-odds of the product of the characters' confidences
    "least",  # log-odds of the least of them
    "digits",  # how many
    "hole",  # by how much the widest gap inside is wider than most of the line, at most 1
    "touched",  # ends at which something that is no digit stands close, 0 to 2
    "near",  # ends at which a digit of another number is NEAR, 0 to 2
    "constant",  # 1
)
MAX_CERTAINTY = 0.999  # confidences are limited to this and to 1 minus this; their log-odds stay finite


class Group(NamedTuple):
    """The characters of a number.

    Attributes:
        text: The number as it is written: its digits, "?" for each that cannot be told, and its signs.
        places: Which of the line's characters are its digits, from left to right.
        features: FEATURES.
    """

    text: str
    places: tuple[int, ...]
    features: tuple[float, ...]


def grouped(characters: Sequence[Character]) -> list[Group]:
    """The numbers of a line, from left to right. Each digit is in exactly one of them.

    Args:
        characters: Of one line, from left to right.
    """
    kept = [index for index, one in enumerate(characters) if one.text != OTHER or not _is_on_digit(characters, index)]
    shown = [characters[index] for index in kept]
    places = [index for index, one in enumerate(shown) if one.is_place]
    groups = [group for run in _of_one_size(shown, places) for group in _grouped(shown, run)]
    return [group._replace(places=tuple(kept[place] for place in group.places)) for group in groups]


def _of_one_size(characters: Sequence[Character], places: list[int]) -> list[list[int]]:
    """The places of digits, parted where one of two neighbours is much higher than the other."""
    runs: list[list[int]] = []
    for place in places:
        if runs and _has_one_size(characters[runs[-1][-1]].box[3], characters[place].box[3]):
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _has_one_size(height: float, other: float) -> bool:
    """Whether digits of these heights may be of one number."""
    return max(height, other) <= MAX_HEIGHT_RATIO * min(height, other)


def _grouped(characters: Sequence[Character], places: list[int]) -> list[Group]:
    """The numbers that the digits at these places of a line make."""
    line = _Line(characters, places)
    links = [line.is_joined(left, right) for left, right in pairwise(places)]
    _join_cells(line, places, links)
    _join_crowded(line, characters, places, links)
    _join_dates(line, places, links)
    ends = [number for number, joined in enumerate(links, 1) if not joined]
    return [line.group(places[first:last]) for first, last in pairwise([0, *ends, len(places)])]


def _is_on_digit(characters: Sequence[Character], index: int) -> bool:
    """Whether the middle of a character lies within the digit before or after it, so that it separates nothing."""
    box = characters[index].box
    middle = box[0] + box[2] / 2
    beside = [*characters[max(index - 1, 0) : index], *characters[index + 1 : index + 2]]
    return any(one.is_place and one.box[0] <= middle <= one.box[0] + one.box[2] for one in beside)


def why_apart(characters: Sequence[Character], left: int, right: int) -> str:
    """Why two digits with no digit between them are of two numbers."""
    between = [one.text for one in characters[left + 1 : right]]
    if OTHER in between:
        return "a letter or another sign stands before it"
    if between:
        return f"the sign {' '.join(between)} before it belongs to no number"
    (x, _, w, h), (other_x, _, _, other_h) = characters[left].box, characters[right].box
    if not _has_one_size(h, other_h):
        return f"it is {other_h / h:.1f} times as high as the digit before it"
    return f"the gap before it is {max(other_x - x - w, 0) / max(h, other_h):.1f} digit heights"


class _Line:
    """A line's characters and how far apart its digits stand.

    Attributes:
        height: Of its digits, in pixels. All other lengths are in this unit.
        room: That a digit takes.
        typical: The gap inside numbers.
        pitch: The distance of two neighbours in a number.
        max_gap: The widest gap inside numbers.
    """

    def __init__(self, characters: Sequence[Character], places: list[int]) -> None:
        self._characters = characters
        boxes = [characters[place].box for place in places]
        self.height = max(_median([box[3] for box in boxes]), math.ulp(1.0))
        widths = [box[2] / self.height for box in boxes]
        self.room = _median([width for width in widths if width >= NARROW] or [ROOM])
        deviations = [min(abs(box[3] / self.height - 1), MAX_DEVIATION) for box in boxes]
        spread = EVEN_SPREAD + SPREAD_OF_HEIGHTS * sum(deviations) / len(deviations)
        neighbours = [(left, right) for left, right in pairwise(places) if right == left + 1]
        best = math.inf
        inside = gaps = list[float]()
        for shares in ROOM_SHARES:
            self._shares = shares
            found = sorted(self.gap(*pair) for pair in neighbours)
            count = _count_inside(found, self.room, spread)
            wide = len(found) - count
            cost = (found[count - 1] - found[0] if count else 0.0) + SHIFT_COST * (shares[0] != shares[1])
            cost += SPLIT_COST * (wide > 0) + MORE_COST * max(wide - 1, 0)
            if cost < best:
                best, best_shares, inside, gaps = cost, shares, found[:count], found
        self._shares = best_shares
        self.pitch = _median(inside or [TIGHT]) + self.room
        is_even = len(inside) > 1 and inside[-1] - inside[0] < EVEN_RANGE * self.pitch
        limit = MAX_EVEN_GAP if is_even else MAX_GAP
        between = (inside[-1] + gaps[len(inside)]) / 2 if len(inside) < len(gaps) else limit
        self.max_gap = min(between, limit)
        self.typical = min(max(_median(inside or [TIGHT]), 0.0), limit)

    def gap(self, left: int, right: int) -> float:
        """From one character to another on its right."""
        one, other = self._characters[left].box, self._characters[right].box
        return (other[0] - one[0] - one[2]) / self.height - self._spare(left, 1) - self._spare(right, 0)

    def _spare(self, index: int, side: int) -> float:
        """What is added to a digit's ink on its left (0) or right (1); less than 0 for ink wider than the room.

        Where the sides differ, as on displays of seven segments, this is for a 1 alone: the others fill their room.
        """
        one = self._characters[index]
        width = one.box[2] / self.height
        if not one.is_place or (self._shares[0] > self._shares[1] and width >= NARROW):
            return 0.0
        return self._shares[side] * (self.room - width)

    def distance(self, left: int, right: int) -> float:
        """From the centre of one character to that of another on its right."""
        one, other = self._characters[left].box, self._characters[right].box
        return (other[0] + other[2] / 2 - one[0] - one[2] / 2) / self.height

    def is_joined(self, left: int, right: int) -> bool:
        """Whether two digits, with no digit between them, belong together; hyphens and cells are left to others."""
        if right == left + 1:
            return self.gap(left, right) <= self.max_gap
        sign = self._characters[left + 1].text
        return right == left + 2 and sign in (".", ",", ":", "/") and self.is_close_between(left, right)

    def is_close_between(self, left: int, right: int) -> bool:
        """Whether the character between two digits is close to both, or has the room of a digit between them."""
        if self.is_close(left, left + 1) and self.is_close(right - 1, right):
            return True
        middle = abs(self.gap(left, left + 1) - self.gap(right - 1, right)) <= OFF_MIDDLE
        return middle and self.distance(left, right) <= SIGN_PITCH * self.pitch

    def is_close(self, left: int, right: int) -> bool:
        """Whether two neighbours, one of which is no digit, are as close as a digit and a sign of one number."""
        signs = self._characters[left].text, self._characters[right].text
        return self.gap(left, right) <= self.typical + (SLASH_GAP if "/" in signs else SIGN_GAP)

    def has_between(self, sign: str, left: int, right: int) -> bool:
        """Whether that sign alone stands between two digits."""
        return right == left + 2 and self._characters[left + 1].text == sign

    def is_date_sign(self, left: int, right: int, sign: str) -> bool:
        """Whether that sign alone stands between two digits, as close as in a date."""
        if not self.has_between(sign, left, right):
            return False
        if sign == "/":
            return max(self.gap(left, left + 1), self.gap(left + 1, right)) <= self.typical + DATE_SLASH_GAP
        return self.is_close_between(left, right)

    def is_ruled(self, left: int, right: int) -> bool:
        """Whether what separates two digits may be the rule between their cells."""
        between = self._characters[left + 1]
        return (
            right == left + 2
            and between.text == OTHER
            and between.box[2] <= RULE_WIDTH * self.height
            and self.distance(left, right) <= MAX_CELL
        )

    def group(self, places: list[int]) -> Group:
        """The number that these digits are."""
        first, last = places[0], places[-1]
        if self._has_sign(first):
            first -= 1
        parts = [one for one in self._characters[first : last + 1] if one.text != OTHER]
        if self._has_frames(places, "".join(one.text for one in parts)):
            parts = [one for one in parts if one.text != ":"]
        return Group("".join(one.text for one in parts), tuple(places), self._features(parts, places, first))

    def _has_frames(self, places: list[int], text: str) -> bool:
        """Whether the colons of a number are the frames of wheels: they take no room, and it is no time."""
        if ":" not in text or _TIME.fullmatch(text) or len(places) < MIN_CROWD:
            return False
        distances = [self.distance(left, right) for left, right in pairwise(places)]
        return max(distances) <= CELL_RATIO * min(distances)

    def _has_sign(self, first: int) -> bool:
        """Whether a minus or a plus stands before a number's first digit and belongs to it."""
        sign = self._characters[first - 1].text if first else ""
        if sign == "-" and first == 1 and self._minus_gap() <= self.typical + MINUS_GAP:
            return True
        if sign not in ("-", "+") or not self.is_close(first - 1, first):
            return False
        if first == 1 or not self._characters[first - 2].is_place:
            return True
        return sign == "-" and not self.is_close(first - 2, first - 1)

    def _minus_gap(self) -> float:
        """From a minus that begins the line to the room of the digit after it, where that ends with its ink."""
        minus, one = self._characters[0].box, self._characters[1].box
        narrower = max(self.room - one[2] / self.height, 0.0)
        return min(self.gap(0, 1), (one[0] - minus[0] - minus[2]) / self.height - narrower)

    def _features(self, parts: list[Character], places: list[int], first: int) -> tuple[float, ...]:
        confidences = [one.confidence for one in parts]
        gaps = [self.gap(left, right) for left, right in pairwise(places) if right == left + 1]
        hole = min(max([0.0, *(gap - self.typical for gap in gaps)]), 1.0)
        ends = [(index, index + 1) for index in (first - 1,) if index >= 0]
        ends += [(index - 1, index) for index in (places[-1] + 1,) if index < len(self._characters)]
        touched = near = 0
        for left, right in ends:
            outside = self._characters[left if right == first else right]
            touched += not outside.is_place and self.is_close(left, right)
            near += outside.is_place and self.gap(left, right) <= NEAR
        return (
            _log_odds(math.prod(confidences)),
            _log_odds(min(confidences)),
            float(len(places)),
            hole,
            float(touched),
            float(near),
            1.0,
        )


def _count_inside(gaps: list[float], room: float, spread: float) -> int:
    """How many of the sorted gaps are inside numbers: those before the first clear jump; all where there is none.

    Args:
        gaps: In ascending order.
        room: That a digit takes.
        spread: The expected standard deviation of gaps inside numbers, in pitches.
    """
    total = squares = 0.0
    for count, (gap, after) in enumerate(pairwise(gaps), 1):
        total, squares = total + gap, squares + gap * gap
        pitch = max(gaps[count // 2] + room, 0.0)
        expected = SPREAD_WEIGHT * (spread * pitch) ** 2
        deviation = math.sqrt((max(squares - total * total / count, 0.0) + expected) / (count - 1 + SPREAD_WEIGHT))
        jump = max(MIN_JUMP, JUMP_OF_SPREAD * (1 + FEW_GAPS / count) * deviation)
        if after >= MIN_WIDE + spread and after - gap >= jump:
            return count
    return len(gaps)


def _join_cells(line: _Line, places: list[int], links: list[bool]) -> None:
    """Joins digits at even distances that stand one in a cell, with a rule between each two. Changes the links."""
    start = 0
    for end in range(len(places)):
        if end + 1 < len(places) and line.is_ruled(places[end], places[end + 1]):
            continue
        cells = places[start : end + 1]
        alone = not (start and links[start - 1]) and not (end < len(links) and links[end])
        if len(cells) >= MIN_CELLS and alone:
            distances = [line.distance(left, right) for left, right in pairwise(cells)]
            if max(distances) <= CELL_RATIO * min(distances):
                links[start:end] = [True] * (end - start)
        start = end + 1


def _join_crowded(line: _Line, characters: Sequence[Character], places: list[int], links: list[bool]) -> None:
    """Joins digits at the line's usual distance, between which there is no room for a letter. Changes the links.

    The frames of a counter's wheels, specks and glare are taken for other writing; they separate nothing there.
    """
    if len(places) < MIN_CROWD:
        return
    usual = _median([line.distance(left, right) for left, right in pairwise(places)])
    for number, (left, right) in enumerate(pairwise(places)):
        is_other = all(one.text == OTHER for one in characters[left + 1 : right])
        if is_other and usual < MAX_CROWDED and line.distance(left, right) <= CELL_RATIO * usual:
            links[number] = links[number] or right > left + 1


def _join_dates(line: _Line, places: list[int], links: list[bool]) -> None:
    """Joins three groups of digits with two hyphens or two slashes, unless all are single digits. Changes the links."""
    for sign in "-/":
        has_sign = [line.has_between(sign, left, right) for left, right in pairwise(places)]
        ends = [number for number, joined in enumerate(links, 1) if not joined or has_sign[number - 1]]
        groups = [places[first:last] for first, last in pairwise([0, *ends, len(places)])]
        signs = [line.is_date_sign(left[-1], right[0], sign) for left, right in pairwise(groups)]
        for number in range(len(signs) - 1):
            three = groups[number : number + 3]
            sizes = [len(group) for group in three]
            is_chain = signs[number : number + 2] == [True, True] and not any(
                signs[max(number - 1, 0) : number] + signs[number + 2 : number + 3]
            )
            is_plain = all(group[-1] - group[0] == len(group) - 1 for group in three)  # with no sign inside
            if is_chain and is_plain and 1 < max(sizes) <= MAX_DATE_GROUP:
                links[ends[number] - 1] = links[ends[number + 1] - 1] = True


def _median(values: list[float]) -> float:
    """The upper median; statistics.median would load modules that cost each start some milliseconds."""
    return sorted(values)[len(values) // 2]


def _log_odds(share: float) -> float:
    share = min(max(share, 1 - MAX_CERTAINTY), MAX_CERTAINTY)
    return math.log(share / (1 - share))
