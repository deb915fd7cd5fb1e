r"""What was read, as frozen dataclasses: a Reading has Lines, a Line has Digits, a Digit has a Box.

>>> reading.text, reading.lines[0].digits[0]
('407\n12', Digit(digit=4, confidence=0.991, box=Box(x=31, y=12, w=40, h=66), topk=((4, 0.998), (9, 0.001))))
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in the pixels of the picture as shown: left, top, width, height."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class Digit:
    """digit: 0 to 9; confidence: the share of such readings that is right, 0 to 1, as calibrated, so not the network's
    probability; topk: the likeliest (digit, probability) of the network, best first.
    """

    digit: int
    confidence: float
    box: Box
    topk: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """The digits of one line, left to right."""

    digits: tuple[Digit, ...]

    @property
    def text(self) -> str:
        return "".join(str(digit.digit) for digit in self.digits)


@dataclass(frozen=True, slots=True)
class Reading:
    """lines: top to bottom; ms: milliseconds spent to decode, find and classify; model: its name and sha256.

    turned: degrees clockwise that the picture was turned by to be read; boxes are those of the picture as shown.
    why: where nothing was read, one line on why; else empty.
    """

    lines: tuple[Line, ...]
    ms: dict[str, float]
    model: dict[str, str]
    turned: int = 0
    why: str = ""

    @property
    def digits(self) -> tuple[Digit, ...]:
        """All digits in reading order."""
        return tuple(digit for line in self.lines for digit in line.digits)

    @property
    def text(self) -> str:
        """The digits, a line for each line of the picture; empty where there are none."""
        return "\n".join(line.text for line in self.lines)

    @property
    def confidence(self) -> float:
        """Of the least sure digit, 0 to 1; 0 where nothing was read."""
        return min((digit.confidence for digit in self.digits), default=0.0)

    def to_dict(self) -> dict[str, Any]:
        """The reading as JSON-ready values: text, confidence, turned, lines, ms, model."""
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
                            "box": [digit.box.x, digit.box.y, digit.box.w, digit.box.h],
                            "topk": [[label, round(probability, 4)] for label, probability in digit.topk],
                        }
                        for digit in line.digits
                    ],
                }
                for line in self.lines
            ],
            "ms": {step: round(spent, 3) for step, spent in self.ms.items()},
            "model": self.model,
        }


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be a digit, whether it was kept or not.

    score: the detector's, 0 to 1; image: (28, 28) uint8 as the network saw it first; probabilities: of the
    digits 0 to 9 and, from a network that knows what no digit looks like, of "no digit"; confidence: of the likeliest
    digit; kept: whether it is in the reading; why: where it is not, why.
    """

    box: Box
    score: float
    image: npt.NDArray[np.uint8]
    probabilities: tuple[float, ...]
    confidence: float
    kept: bool
    why: str
