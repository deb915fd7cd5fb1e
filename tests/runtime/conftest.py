"""Stand-ins that several tests of the runtime use."""

import numpy as np
import pytest

from digitocr.runtime.recognizer import CLASS_COUNT, CLASSES, COLUMN, DIGIT_HEIGHT, GAP, OTHER
from digitocr.runtime.strips import CONTEXT

START = CONTEXT * DIGIT_HEIGHT / COLUMN  # the column of a strip at which its first box begins


class Written:
    """In the recognizer's place: sees given characters at given columns, from the first box of each line on."""

    def __init__(self, *characters):
        self.characters = characters
        self.widths = []  # of the strips that were read

    def columns(self, strips):
        return [self._line(-(-strip.shape[1] // COLUMN)) for strip in strips]

    def _line(self, width):
        self.widths.append(width)
        line = np.full((width, CLASS_COUNT), 0.001, np.float32)
        line[:, GAP] = 1
        for character, left, right in self.characters:
            spot = slice(round(START + left), round(START + right))
            line[spot] = 0.001
            line[spot, CLASSES.find(character) if character in CLASSES else OTHER] = 1
        return line / line.sum(1, keepdims=True)


@pytest.fixture(scope="session")
def written():
    """The class of recognizers that see given characters, each with its first and last column."""
    return Written
