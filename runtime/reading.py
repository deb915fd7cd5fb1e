r"""Readings as frozen values: a Reading has Lines, a Line has Numbers, a Number has Digits, a Digit has a Box.

>>> reading.text, [number.text for number in reading.numbers]
('1409\n12 30', ['14.09', '12', '30'])
>>> reading.digits[0]
Digit(digit=1, confidence=0.991, box=Box(x=31, y=12, w=40, h=66), topk=((1, 0.998), (7, 0.001)))

All can be compared, hashed and pickled.
"""

import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from digitocr.runtime.characters import DOUBT
from digitocr.runtime.errors import OutputError
from digitocr.runtime.files import is_there
from digitocr.runtime.matching import Wanted

if TYPE_CHECKING:
    from PIL import Image

    from digitocr.runtime.image import Picture

EITHER = 2  # digits that are named where a digit cannot be told


class Box(NamedTuple):
    """A rectangle in the pixels of the picture as shown; unpacks as `x, y, w, h = box`.

    That of a digit at an edge, or of a picture that was made level, may reach beyond the picture.

    Attributes:
        x: Left border in pixels.
        y: Upper border in pixels.
        w: Width in pixels, at least 1.
        h: Height in pixels, at least 1.
    """

    x: int
    y: int
    w: int
    h: int

    @property
    def xyxy(self) -> tuple[int, int, int, int]:
        """Left, upper, right and lower border in pixels; the right and the lower one are just outside."""
        return self.x, self.y, self.x + self.w, self.y + self.h

    def shifted(self, x: int, y: int) -> "Box":
        """The box moved right by x and down by y pixels."""
        return self._replace(x=int(self.x + x), y=int(self.y + y))  # not NumPy's integers, which json refuses


@dataclass(frozen=True, slots=True)
class Digit:
    """A digit that was read, or the place of one that cannot be told.

    Attributes:
        digit: 0 to 9; None where a digit stands that cannot be told.
        confidence: The share of readings like this one that are right, 0 to 1, as calibrated; it is not the network's
            probability.
        box: Where the digit stands.
        topk: The likeliest digits with the network's probability of each, best first.
    """

    digit: int | None
    confidence: float
    box: Box
    topk: tuple[tuple[int, float], ...]

    @property
    def text(self) -> str:
        """The digit as a character; "?" where it cannot be told."""
        return DOUBT if self.digit is None else str(self.digit)


@dataclass(frozen=True, slots=True)
class Number:
    """A number that was read.

    Attributes:
        text: The number as it is written: its digits, "?" for each that cannot be told, and the signs between or
            before them, as "-12.5", "15/08/2026" or "0037281?".
        digits: At least one, from left to right.
        confidence: The share of numbers like this one of which every digit and sign is right and none is missing, 0 to
            1, as calibrated; 0 where a digit cannot be told.
    """

    text: str
    digits: tuple[Digit, ...]
    confidence: float

    @property
    def digits_text(self) -> str:
        """The digits, and "?" for each that cannot be told, without signs."""
        return "".join(digit.text for digit in self.digits)

    @property
    def box(self) -> Box:
        """The smallest box around the boxes of all digits."""
        return _around(self.digits)


@dataclass(frozen=True, slots=True)
class Line:
    """The numbers of one line.

    Attributes:
        numbers: At least one, from left to right.
    """

    numbers: tuple[Number, ...]

    @property
    def digits(self) -> tuple[Digit, ...]:
        """The digits of all numbers, from left to right."""
        return tuple(digit for number in self.numbers for digit in number.digits)

    @property
    def text(self) -> str:
        """The digits as a string, without signs, with a space between two numbers."""
        return " ".join(number.digits_text for number in self.numbers)

    @property
    def confidence(self) -> float:
        """The confidence of the least certain digit, 0 to 1."""
        return min((digit.confidence for digit in self.digits), default=0.0)

    @property
    def box(self) -> Box:
        """The smallest box around the boxes of all digits."""
        return _around(self.digits)


def _around(digits: tuple[Digit, ...]) -> Box:
    lefts, tops, rights, bottoms = zip(*(digit.box.xyxy for digit in digits), strict=True)
    x, y = min(lefts), min(tops)
    return Box(x, y, max(rights) - x, max(bottoms) - y)


class Timing(NamedTuple):
    """Milliseconds that each step took.

    Attributes:
        decode: From the file to grey levels.
        detect: To find where digits may be.
        classify: To read them.
    """

    decode: float = 0.0
    detect: float = 0.0
    classify: float = 0.0


class ModelId(NamedTuple):
    """Which classifier has read.

    Attributes:
        name: The name of the file without its suffix.
        sha256: The SHA-256 of the file, in hexadecimal.
    """

    name: str = ""
    sha256: str = ""


_NO_TIME = Timing()
_NO_MODEL = ModelId()


@dataclass(frozen=True, slots=True)
class Reading:
    """The digits read in a picture. Readings of the same content are equal, however long they took.

    Attributes:
        lines: From top to bottom; empty where nothing was read.
        ms: Milliseconds that each step took.
        model: The classifier.
        turned: Degrees clockwise by which the picture was turned to be read. Boxes are in the picture as shown.
        why: Why nothing was read, in one line; else empty.
    """

    lines: tuple[Line, ...]
    ms: Timing = field(default=_NO_TIME, compare=False)
    model: ModelId = _NO_MODEL
    turned: int = 0
    why: str = ""

    @property
    def numbers(self) -> tuple[Number, ...]:
        """All numbers in reading order."""
        return tuple(number for line in self.lines for number in line.numbers)

    @property
    def digits(self) -> tuple[Digit, ...]:
        """All digits in reading order."""
        return tuple(digit for line in self.lines for digit in line.digits)

    @property
    def text(self) -> str:
        """The digits without signs, numbers apart by a space, with a line for each line of the picture."""
        return "\n".join(line.text for line in self.lines)

    @property
    def confidence(self) -> float:
        """The confidence of the least certain digit, 0 to 1; 0 where nothing was read."""
        return min((line.confidence for line in self.lines), default=0.0)

    @property
    def main(self) -> Number | None:
        """The number that the picture is about, such as the largest row of a display or the counter of a meter.

        It is the one with the largest height of its digits times the square root of how many they are, times their mean
        confidence: a long row counts for more than one digit that is somewhat higher, and a mark that is hardly a digit
        counts for little. Of equal ones it is the first in reading order. None where there is no number.
        """
        return max(self.numbers, key=_weight, default=None)

    def only_main(self) -> "Reading":
        """The reading with its `main` number alone; the same where there is none."""
        main = self.main
        return self._with(lambda number: number is main)

    def matching(self, expect: str = "", digits: int = 0) -> "Reading":
        """The reading with the numbers of a form alone; `why` says so where none is left.

        A number with a digit that cannot be told is of no form.

        Args:
            expect: A regular expression that matches a number as a whole, as it is written, with its signs, or its
                digits alone; empty for any number.
            digits: How many digits a number has; 0 for any number of them.

        Raises:
            UsageError: An argument makes no sense, or no number can be of that form.
        """
        return self.only(Wanted(expect, digits))

    def only(self, wanted: Wanted) -> "Reading":
        """What `matching` returns, of a form that was made before."""
        left = self._with(lambda number: wanted.admits(number.text, number.digits_text))
        return left if left.lines or not self.lines else replace(left, why=wanted.why_none(len(self.numbers)))

    def _with(self, is_wanted: Callable[[Number], bool]) -> "Reading":
        lines = (Line(tuple(filter(is_wanted, line.numbers))) for line in self.lines)
        return replace(self, lines=tuple(line for line in lines if line.numbers))

    def with_boxes(self, boxes: Iterable[Box]) -> "Reading":
        """The same reading with other boxes: one for each of `digits`, in that order."""
        box = iter(boxes)
        lines = tuple(
            Line(
                tuple(
                    replace(number, digits=tuple(replace(digit, box=next(box)) for digit in number.digits))
                    for number in line.numbers
                )
            )
            for line in self.lines
        )
        return replace(self, lines=lines)

    def shifted(self, x: int, y: int) -> "Reading":
        """The reading of a part of a picture, with its boxes in the whole picture.

        Args:
            x: Where the part begins, pixels from the left border of the picture.
            y: Where it begins, pixels from the upper border.
        """
        return self.with_boxes(digit.box.shifted(x, y) for digit in self.digits)

    def to_dict(self) -> dict[str, Any]:
        """The reading as values that json.dumps takes: text, confidence, turned, lines, why, ms, model."""
        return {
            "text": self.text,
            "confidence": round(self.confidence, 4),
            "turned": self.turned,
            "lines": [
                {
                    "text": line.text,
                    "numbers": [
                        {
                            "text": number.text,
                            "confidence": round(number.confidence, 4),
                            "box": list(number.box),
                            "digits": [_digit_dict(digit) for digit in number.digits],
                        }
                        for number in line.numbers
                    ],
                }
                for line in self.lines
            ],
            "why": self.why,
            "ms": {step: round(spent, 3) for step, spent in self.ms._asdict().items()},
            "model": self.model._asdict(),
        }

    def plot(self, picture: "Picture", *, page: int = 0) -> "Image.Image":
        """Draws each digit's box, the digit and its confidence in percent on a copy of the picture.

        A digit that cannot be told is a question mark with its two likeliest digits, in another colour. A number of
        several digits has a frame with the number as it is written and its confidence below.

        Args:
            picture: The picture that was read, in any form that `Reader.read` takes.
            page: The page that was read, from 0.

        Returns:
            A PIL image of mode RGB, upright by EXIF.

        Raises:
            InputError: The picture cannot be read.
        """
        from digitocr.runtime import drawing, image

        shown = image.load_rgb(picture, page=page)
        drawing.draw_frames(
            shown,
            [(one.box, f"{one.text} {one.confidence:.0%}") for one in self.numbers if len(one.digits) > 1],
        )
        told = [(digit.box, f"{digit.text} {digit.confidence:.0%}") for digit in self.digits if digit.digit is not None]
        drawing.draw_boxes(shown, told)
        doubtful = [
            (digit.box, f"{digit.text} {'/'.join(str(label) for label, _ in digit.topk[:EITHER])}")
            for digit in self.digits
            if digit.digit is None
        ]
        drawing.draw_boxes(shown, doubtful, drawing.DOUBT_COLOUR)
        return shown

    def save(self, path: str | os.PathLike[str], picture: "Picture", *, page: int = 0) -> None:
        """Writes what `plot` draws to a file; an old file of that name is replaced, but never the picture itself.

        Args:
            path: The file to write; its suffix names the format, such as .png or .jpg.
            picture: The picture that was read, in any form that `Reader.read` takes.
            page: The page that was read, from 0.

        Raises:
            InputError: The picture cannot be read.
            OutputError: The file cannot be written, is the picture itself, or has the suffix of no picture.
        """
        from digitocr.runtime import drawing

        shown = self.plot(picture, page=page)
        path = Path(path)
        if isinstance(picture, (str, os.PathLike)) and is_there(path) and path.samefile(picture):
            raise OutputError(f"{path}: is the picture that was read; choose another name")
        drawing.save(shown, path)


def _weight(number: Number) -> float:
    heights = sorted(digit.box.h for digit in number.digits)
    return heights[len(heights) // 2] * sum(digit.confidence for digit in number.digits) / math.sqrt(len(heights))


def _digit_dict(digit: Digit) -> dict[str, Any]:
    return {
        "digit": digit.digit,
        "confidence": round(digit.confidence, 4),
        "box": list(digit.box),
        "topk": [[label, round(probability, 4)] for label, probability in digit.topk],
    }
