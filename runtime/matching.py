r"""The numbers that are wanted: those of a known form, and the one that a picture is about.

wanted = Wanted(expect=r"\\d{2}:\\d{2}")
wanted.admits(number)           # True for "20:16"
wanted.only(reading)            # the Reading with these numbers alone
main_number(reading.numbers)    # the largest
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import sqrt

from digitocr.runtime.characters import DOUBT
from digitocr.runtime.errors import UsageError
from digitocr.runtime.patterns import Pattern
from digitocr.runtime.reading import Line, Number, Reading


class Wanted:
    """A form that numbers have. A number with a digit that cannot be told has none."""

    def __init__(self, expect: str = "", digits: int = 0) -> None:
        """Checks that there are such numbers.

        Args:
            expect: A regular expression that matches a number as a whole, as it is written, with its signs, or its
                digits alone; empty for any number.
            digits: How many digits a number has; 0 for any number of them.

        Raises:
            UsageError: An argument makes no sense, or no number is of that form.
        """
        if digits < 0:
            raise UsageError(f"digits is 0, for any number of them, or more, not {digits}")
        self._digits = digits
        self._pattern = Pattern(expect) if expect else None
        if self._pattern and not self._pattern.can_match():
            raise UsageError(f"{expect} matches no number; a number has digits and . , - + : / only")
        if self._pattern and not self._pattern.can_match(digits):
            raise UsageError(f"{expect} matches no number of {digits} digits; leave one of the two out")

    def admits(self, number: Number) -> bool:
        """Whether the number is of that form."""
        if not self:
            return True
        if DOUBT in number.text or (self._digits and len(number.digits) != self._digits):
            return False
        return self._pattern is None or any(map(self._pattern.fullmatch, (number.text, number.digits_text)))

    def __bool__(self) -> bool:
        return bool(self._digits or self._pattern)

    def only(self, reading: Reading) -> Reading:
        """The reading with the numbers of that form alone; its `why` says so where none is left."""
        if not self:
            return reading
        left = _with(reading, self.admits)
        if left.lines or not reading.lines:
            return left
        forms = [f"has {self._digits} digit{'s' * (self._digits != 1)}"] if self._digits else []
        forms += [f"matches {self._pattern.text}"] if self._pattern else []
        count = len(reading.numbers)
        read = f"{count} numbers were" if count > 1 else "1 number was"
        return replace(left, why=f"{read} read, but none {' and '.join(forms)}")


def main_number(numbers: Sequence[Number]) -> Number | None:
    """The number that a picture is about, such as the largest row of a display or the counter of a meter.

    It is the one with the largest height of its digits times the square root of how many they are, times their mean
    confidence: a long row counts for more than one digit that is somewhat higher, and a mark that is hardly a digit
    counts for little. Of equal ones it is the first in reading order. None where there is no number.
    """
    return max(numbers, key=_weight, default=None)


def _weight(number: Number) -> float:
    heights = sorted(digit.box.h for digit in number.digits)
    return heights[len(heights) // 2] * sum(digit.confidence for digit in number.digits) / sqrt(len(heights))


def only_main(reading: Reading) -> Reading:
    """The reading with the number alone that the picture is about; the same where there is none."""
    main = main_number(reading.numbers)
    return _with(reading, lambda number: number is main)


def _with(reading: Reading, is_wanted: Callable[[Number], bool]) -> Reading:
    lines = (Line(tuple(filter(is_wanted, line.numbers))) for line in reading.lines)
    return replace(reading, lines=tuple(line for line in lines if line.numbers))
