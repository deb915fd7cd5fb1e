"""Paper without writing: blank pages, ruled and squared paper, holes, stains, specks.

    ruled(sheet, rng)       # the lines of ruled paper below what a layout writes

The numbers are ranges of random draws, as in layouts.py.
"""

import numpy as np
from numpy.random import Generator

from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.sheet import SCENE_SIDE, Area, Rule, Sheet
from digitocr.train.synthesis.strokes import Reals

_FAR = 80  # pixels beyond the scene's edges that ruled lines reach, so that they fill it when it is turned


def blank(sheet: Sheet, rng: Generator, glyphs: Glyphs) -> None:  # noqa: ARG001  # all layouts take the same
    """A page without writing: sometimes ruled, with holes, stains or specks."""
    if rng.random() < 0.5:
        ruled(sheet, rng)
    if rng.random() < 0.5:  # whole rings are allowed: without digits around, a ring is no zero
        _holes(sheet, rng, whole=True)
    for _ in range(int(rng.integers(0, 4))):  # stains and rings
        _ring(sheet, rng.uniform(0, SCENE_SIDE, 2), rng.uniform(2, 14), *_ring_look(rng, whole=rng.random() < 0.5))
    if rng.random() < 0.3:
        speckle(sheet, rng, 40)


def _holes(sheet: Sheet, rng: Generator, whole: bool) -> None:
    """A row or a column of equal holes, as of a binder or a spiral."""
    (x, y), radius, look = rng.uniform(0, SCENE_SIDE, 2), rng.uniform(3, 16), _ring_look(rng, whole)
    step = max(3 * radius, rng.uniform(20, 160))
    along = np.array([0.0, 1.0] if rng.random() < 0.8 else [1.0, 0.0])
    for place in np.arange(-SCENE_SIDE, SCENE_SIDE, step):
        _ring(sheet, np.array([x, y]) + place * along, radius, *look)


def _ring_look(rng: Generator, whole: bool) -> tuple[float, float, float, float]:
    """A ring's start and sweep in radians, its thickness in pixels, 0 for a disc, and its strength.

    It is an arc or a disc; a full circle only where `whole` allows it, since that looks like a zero.
    """
    sweep = 2 * np.pi if whole and rng.random() < 0.8 else float(rng.uniform(2, 5))
    thick = 0.0 if rng.random() < 0.3 else float(rng.uniform(0.7, 2.5))
    return float(rng.uniform(0, 2 * np.pi)), sweep if thick else 2 * np.pi, thick, float(rng.uniform(0.1, 1))


def _ring(
    sheet: Sheet, centre: Reals, radius: float, start: float, sweep: float, thick: float, strength: float
) -> None:
    """Adds a ring; start, sweep, thick and strength: the result of _ring_look."""
    angle = start + np.linspace(0, sweep, 33)
    points = centre + radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    if not thick:
        sheet.areas.append(Area(points, strength))
        return
    sheet.rules.append(Rule(points, thick, strength))
    if sweep > 6 and strength > 0.5:  # lit from one side: half of the rim is thicker
        sheet.rules.append(Rule(points[:17], 1.8 * thick, strength))


def ruled(sheet: Sheet, rng: Generator) -> None:
    """Adds the lines of ruled or squared paper, sometimes with a margin line or the holes of a binder."""
    step, thick, strength = rng.uniform(8, 70), float(rng.choice([0.6, 1.0, 1.6])), float(rng.uniform(0.05, 0.8))
    for y in np.arange(rng.uniform(-60, 0), SCENE_SIDE + 60, step):
        sheet.line(-_FAR, float(y), SCENE_SIDE + _FAR, float(y), thick, strength)
    if rng.random() < 0.45:
        for x in np.arange(rng.uniform(-60, 0), SCENE_SIDE + 60, step):
            sheet.line(float(x), -_FAR, float(x), SCENE_SIDE + _FAR, thick, strength)
    elif rng.random() < 0.4:
        x = rng.uniform(0, SCENE_SIDE)
        sheet.line(x, -_FAR, x, SCENE_SIDE + _FAR, thick, strength)
    if rng.random() < 0.08:
        _holes(sheet, rng, whole=False)


def speckle(sheet: Sheet, rng: Generator, height: float) -> None:
    """Adds specks; height: pixels, of the digits around."""
    for _ in range(int(rng.integers(1, 12))):
        at, size = rng.uniform(0, SCENE_SIDE, 2), rng.uniform(0.01, 0.12) * height
        speck = np.array([at, at + rng.normal(0, size, 2)])
        sheet.rules.append(Rule(speck, max(1.0, size), rng.uniform(0.3, 1)))
