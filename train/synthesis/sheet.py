"""The flat sheet of a scene: glyphs, lines and areas with their places, before they are drawn and photographed.

    sheet = Sheet()
    sheet.put(glyph, 7, x=40, base=120, height=50, rng=rng)
    sheet.line(0, 121, 256, 121, thickness=1, strength=0.5)

Coordinates are pixels of the scene, x to the right and y downwards. Layouts fill a sheet (layouts.py); scenes.py draws
it.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from digitocr.train.synthesis.glyphs import Glyph
from digitocr.train.synthesis.strokes import Reals

SCENE_SIDE = 256  # pixels; of a scene and its sheet
NO_DIGIT = 10  # label of a letter or a symbol that looks like no digit
AMBIGUOUS_LABEL = 11  # label of a letter or a symbol that alone looks like a digit
_TURN_SPREAD = 0.045  # radians; standard deviation of the rotation of a glyph


class Item(NamedTuple):
    """A glyph on the sheet.

    Attributes:
        glyph: The glyph.
        label: 0 to 9, NO_DIGIT or AMBIGUOUS_LABEL.
        matrix: (2, 3), from pixels of the glyph's ink to pixels of the sheet.
        strength: Of its ink, 0 to 1.
    """

    glyph: Glyph
    label: int
    matrix: Reals
    strength: float


class Rule(NamedTuple):
    """A line on the sheet.

    Attributes:
        points: (k, 2), joined by straight lines.
        thickness: Pixels.
        strength: 0 to 1.
    """

    points: Reals
    thickness: float
    strength: float


class Area(NamedTuple):
    """A filled polygon on the sheet, below the ink.

    Attributes:
        corners: (k, 2).
        strength: 0 to 1.
    """

    corners: Reals
    strength: float


@dataclass
class Sheet:
    """The contents of a sheet.

    Attributes:
        items: Digits, letters and symbols.
        rules: Lines that are not writing.
        areas: Filled areas below the ink.
    """

    items: list[Item] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)

    def put(
        self, glyph: Glyph, label: int, x: float, base: float, height: float, rng: Generator, strength: float = 1.0
    ) -> None:
        """Adds a glyph, rotated a little: the pen at x, the line at y = base, a digit `height` pixels high."""
        scale = height / glyph.ink.shape[0] * glyph.height
        turn = rng.normal(0, _TURN_SPREAD)
        cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
        left, top = x + glyph.left * height, base + glyph.top * height
        self.items.append(Item(glyph, label, np.array([[cos, -sin, left], [sin, cos, top]]), strength))

    def line(self, x0: float, y0: float, x1: float, y1: float, thickness: float, strength: float) -> None:
        """Adds a straight line."""
        self.rules.append(Rule(np.array([[x0, y0], [x1, y1]], np.float64), thickness, strength))

    def box(self, x: float, y: float, w: float, h: float, thickness: float, strength: float) -> None:
        """Adds the outline of a rectangle."""
        corners = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h], [x, y]], np.float64)
        self.rules.append(Rule(corners, thickness, strength))

    def rectangle(self, left: float, top: float, right: float, bottom: float, strength: float) -> None:
        """Adds a filled rectangle."""
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
        self.areas.append(Area(corners, strength))
