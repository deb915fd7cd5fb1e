"""How many digits a recognizer reads in lines whose text is known.

digits, exact = read_share(lines, texts)
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.recognizer import CLASSES, DIGIT, segments


def read_share(lines: Iterable[NDArray[np.float32]], texts: Iterable[str]) -> tuple[float, float]:
    """What is right in lines: 1 - edit distance / length of their digits, and the share of those with all digits right.

    Args:
        lines: (n, 18) probabilities of the columns of each line.
        texts: What is written in each; only its digits count.
    """
    edits = length = exact = count = 0
    for line, text in zip(lines, texts, strict=True):
        truth = "".join(character for character in text if character.isdigit())
        read = digits(line)
        edits, length = edits + distance(truth, read), length + len(truth)
        exact, count = exact + (truth == read), count + 1
    return 1 - edits / max(length, 1), exact / max(count, 1)


def digits(line: NDArray[np.float32]) -> str:
    """The digits of a line, of the (n, 18) probabilities of its columns."""
    return "".join(CLASSES[int(part.probabilities[:10].argmax())] for part in segments(line) if part.kind == DIGIT)


def distance(one: str, other: str) -> int:
    """The edit distance (V. Levenshtein, 1966)."""
    row = list(range(len(other) + 1))
    for place, a in enumerate(one, 1):
        corner, row[0] = row[0], place
        for at, b in enumerate(other, 1):
            corner, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, corner + (a != b))
    return row[-1]
