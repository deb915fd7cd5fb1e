"""Scenes of a display, a counter or another line: a sheet of strips.py as a panel on a ground, seen by a camera.

    panel = draw_panel(rng, glyphs, ground)     # ground: (256, 256) uint8 or None
    panel.image     # (256, 256) float32, 0 to 1
    panel.told      # ((x, y, width, height), digit) of each digit

Scenes have layouts of their own for writing on paper (layouts.py). What is drawn for the recognizer in more kinds, such
as counter wheels, dot matrix, relief and rings, comes into scenes this way. The numbers are ranges of random draws.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from digitocr.runtime.opencv import cv2
from digitocr.runtime.recognizer import OTHER
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.sheet import SCENE_SIDE
from digitocr.train.synthesis.strip_displays import dots, segments, wheels
from digitocr.train.synthesis.strip_kinds import altered, ringed, touching
from digitocr.train.synthesis.strip_layouts import boxes, display
from digitocr.train.synthesis.strips import (
    BASE,
    DIGIT_HEIGHT,
    DOUBTFUL,
    SHEET_HEIGHT,
    SHEET_WIDTH,
    Bools,
    Sheet,
    pictured,
)
from digitocr.train.synthesis.strokes import Bytes, Floats, Reals

Box = tuple[float, float, float, float]  # x, y, width, height in pixels

LAYOUTS: dict[Callable[[Sheet, Generator, Glyphs], None], float] = {  # and how frequent each is
    wheels: 0.28,
    segments: 0.26,
    dots: 0.12,
    altered: 0.14,
    display: 0.06,
    ringed: 0.06,
    boxes: 0.04,
    touching: 0.04,
}
HEIGHTS = (9.0, 130.0)  # pixels of a digit
LOOSE = 0.3  # digit heights; the least of ground above and below a panel


@dataclass(frozen=True)
class Panel:
    """A line in a scene.

    Attributes:
        image: (256, 256) float32, 0 to 1, before the camera.
        contrast: Of its ink, 0 to 1.
        told: Boxes of digits and the digits.
        doubtful: Boxes of wheels between two digits.
        others: Boxes of letters, words and signs.
        covered: (256, 256), where the panel covers the ground.
    """

    image: Floats
    contrast: float
    told: list[tuple[Box, int]]
    doubtful: list[Box]
    others: list[Box]
    covered: Bools


def draw_panel(rng: Generator, glyphs: Glyphs, ground: Bytes | None) -> Panel:
    """A random line on a ground; without one, and where a picture is cut out of a line, its edges go on to all sides.

    The same arguments give the same one.
    """
    sheet = Sheet()
    layouts, shares = list(LAYOUTS), np.array(list(LAYOUTS.values()))
    layouts[int(rng.choice(len(layouts), p=shares / shares.sum()))](sheet, rng, glyphs)
    image, contrast = pictured(sheet, rng)
    left, top, right, bottom = _part(sheet, rng)
    matrix = _placed(sheet, (left, right), rng)
    inner = image[top:bottom, left:right]
    to_scene = matrix.copy()
    to_scene[:, 2] += matrix[:, :2] @ [left, top]
    size = (SCENE_SIDE, SCENE_SIDE)
    shrunk = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if shrunk < 1:  # so that no stroke is skipped
        inner = cv2.GaussianBlur(inner, (0, 0), 0.4 / shrunk)
    seen = np.asarray(
        cv2.warpAffine(inner, to_scene, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )
    covered = np.ones(size, np.bool_)
    if ground is not None and sheet.crop is None:
        covered = cv2.warpAffine(np.ones(inner.shape, np.uint8), to_scene, size, flags=cv2.INTER_NEAREST) > 0
        seen = np.where(covered, seen, ground.astype(np.float32) / 255)
    told, doubtful, others = [], [], []
    for mark in sheet.marks:
        box = _box(mark.left, mark.right, matrix)
        if mark.label >= 10:
            others += [box] if mark.label == OTHER else []
        elif DOUBTFUL < mark.share < 1 - DOUBTFUL:
            doubtful.append(box)
        else:
            told.append((box, mark.label if mark.share <= DOUBTFUL else mark.second))
    return Panel(seen, contrast, told, doubtful, others, covered)


def _part(sheet: Sheet, rng: Generator) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the part of a sheet that is the panel."""
    if sheet.crop is not None:
        left, top, right, bottom = (round(side) for side in sheet.crop)
    else:
        margin = DIGIT_HEIGHT * rng.uniform(LOOSE, 1.2, 4)
        ends = [end for mark in sheet.marks for end in (mark.left, mark.right)] or [0.0, float(SHEET_WIDTH)]
        left, right = round(min(ends) - margin[0]), round(max(ends) + margin[1])
        top, bottom = round(BASE - DIGIT_HEIGHT - margin[2]), round(BASE + margin[3])
    left, top = min(max(left, 0), SHEET_WIDTH - 8), min(max(top, 0), SHEET_HEIGHT - 8)
    return left, top, min(max(right, left + 8), SHEET_WIDTH), min(max(bottom, top + 8), SHEET_HEIGHT)


def _placed(sheet: Sheet, ends: tuple[int, int], rng: Generator) -> Reals:
    """The map (2, 3) from the sheet to the scene: scaled, turned a little, and moved so that some of it is seen."""
    height = float(np.exp(rng.uniform(*np.log(HEIGHTS))))
    if rng.random() < 0.6:  # mostly all of it
        height = max(HEIGHTS[0], min(height, 0.9 * SCENE_SIDE * DIGIT_HEIGHT / (ends[1] - ends[0])))
    scale, turn = height / DIGIT_HEIGHT, rng.normal(0, 0.05)
    wide, slant = scale * float(np.exp(rng.normal(0, 0.1))), rng.normal(0, 0.04)
    linear = np.array([[wide, slant * scale], [wide * np.sin(turn), scale]])
    middles = [(mark.left + mark.right) / 2 for mark in sheet.marks]
    whole = wide * (ends[1] - ends[0]) < SCENE_SIDE
    x = sum(ends) / 2 if whole or not middles else middles[int(rng.integers(len(middles)))]
    room = max(SCENE_SIDE - wide * (ends[1] - ends[0]), 0.3 * SCENE_SIDE) / 2, max(SCENE_SIDE - 1.2 * height, 1.0) / 2
    target = SCENE_SIDE / 2 + rng.uniform(-1, 1, 2) * room
    return np.column_stack([linear, target - linear @ [x, BASE - DIGIT_HEIGHT / 2]])


def _box(left: float, right: float, matrix: Reals) -> Box:
    """The box in the scene of what is between two columns of the line."""
    top, base = BASE - DIGIT_HEIGHT, BASE
    corners = np.array([[left, top, 1], [right, top, 1], [right, base, 1], [left, base, 1]]) @ matrix.T
    middle = corners.mean(0)
    width, height = matrix[0, 0] * (right - left), matrix[1, 1] * (base - top)
    return float(middle[0] - width / 2), float(middle[1] - height / 2), float(width), float(height)
