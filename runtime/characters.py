"""Characters: what stands on a line, from left to right.

Character("4", (31.0, 12.0, 40.0, 66.0), 0.99, 0)
"""

from typing import NamedTuple

DOUBT = "?"  # the text of a place where a digit stands that cannot be told
SIGNS = ".,-+:/"  # the signs that may belong to a number, in the order of the recognizer's classes
OTHER = "*"  # the text of anything else


class Character(NamedTuple):
    """A character of a line.

    Attributes:
        text: "0" to "9"; DOUBT where a digit stands that cannot be told; one of SIGNS; OTHER for anything else: a
            letter, a word, another sign, a rule between two cells.
        box: x, y, width, height in pixels of the picture as it was read, that is, with its lines level.
        confidence: That it is what `text` says, 0 to 1, as calibrated.
        row: The candidate's, for digits and DOUBT; -1 for the others.
    """

    text: str
    box: tuple[float, float, float, float]
    confidence: float
    row: int

    @property
    def is_place(self) -> bool:
        """Whether a digit stands here, told or not."""
        return self.text == DOUBT or self.text.isdigit()
