r"""Readings as frozen values: a Reading has Lines, a Line has Digits, a Digit has a Box.

>>> reading.text, reading.lines[0].digits[0]
('407\n12', Digit(digit=4, confidence=0.991, box=Box(x=31, y=12, w=40, h=66), topk=((4, 0.998), (9, 0.001))))

All can be compared, hashed and pickled.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import OutputError

if TYPE_CHECKING:
    from PIL import Image

    from digitocr.runtime.image import Picture


class Box(NamedTuple):
    """A rectangle in the pixels of the picture as shown; unpacks as `x, y, w, h = box`.

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


@dataclass(frozen=True, slots=True)
class Digit:
    """A digit that was read.

    Attributes:
        digit: 0 to 9.
        confidence: The share of readings like this one that are right, 0 to 1, as calibrated; it is not the network's
            probability.
        box: Where the digit stands.
        topk: The likeliest digits with the network's probability of each, best first.
    """

    digit: int
    confidence: float
    box: Box
    topk: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """The digits of one line.

    Attributes:
        digits: At least one, from left to right.
    """

    digits: tuple[Digit, ...]

    @property
    def text(self) -> str:
        """The digits as a string."""
        return "".join(str(digit.digit) for digit in self.digits)

    @property
    def confidence(self) -> float:
        """The confidence of the least certain digit, 0 to 1."""
        return min((digit.confidence for digit in self.digits), default=0.0)

    @property
    def box(self) -> Box:
        """The smallest box around the boxes of all digits."""
        lefts, tops, rights, bottoms = zip(*(digit.box.xyxy for digit in self.digits), strict=True)
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
    def digits(self) -> tuple[Digit, ...]:
        """All digits in reading order."""
        return tuple(digit for line in self.lines for digit in line.digits)

    @property
    def text(self) -> str:
        """The digits, with a line for each line of the picture; empty where nothing was read."""
        return "\n".join(line.text for line in self.lines)

    @property
    def confidence(self) -> float:
        """The confidence of the least certain digit, 0 to 1; 0 where nothing was read."""
        return min((line.confidence for line in self.lines), default=0.0)

    def to_dict(self) -> dict[str, Any]:
        """The reading as values that json.dumps takes: text, confidence, turned, lines, why, ms, model."""
        return {
            "text": self.text,
            "confidence": round(self.confidence, 4),
            "turned": self.turned,
            "lines": [
                {
                    "text": line.text,
                    "digits": [
                        {
                            "digit": digit.digit,
                            "confidence": round(digit.confidence, 4),
                            "box": list(digit.box),
                            "topk": [[label, round(probability, 4)] for label, probability in digit.topk],
                        }
                        for digit in line.digits
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
        drawing.draw_boxes(shown, [(digit.box, f"{digit.digit} {digit.confidence:.0%}") for digit in self.digits])
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
        if isinstance(picture, (str, os.PathLike)) and path.exists() and path.samefile(picture):
            raise OutputError(f"{path}: is the picture that was read; choose another name")
        drawing.save(shown, path)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A region that may be a digit, whether it is in the reading or not.

    Attributes:
        box: Where the region is.
        score: The detector's score, 0 to 1.
        image: (28, 28) uint8, what the classifier got. It counts neither in comparisons nor in `repr`.
        probabilities: Of the digits 0 to 9, and after them of "no digit" if the classifier knows that class.
        confidence: Of the likeliest digit, 0 to 1, as calibrated.
        kept: Whether the region is in the reading.
        why: Why it is not; empty where it is.
    """

    box: Box
    score: float
    image: npt.NDArray[np.uint8] = field(repr=False, compare=False)
    probabilities: tuple[float, ...]
    confidence: float
    kept: bool
    why: str
