"""GrayImage -> where the digits are, in lines, in reading order: handwriting on plain paper.

The light is flattened, the ink is taken by two thresholds, and connected strokes of a like height make digits.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.image import GrayImage, level, shrunk
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reading import Box

Components: TypeAlias = npt.NDArray[np.int32]  # (H, W), the label of each pixel's component

LONG_SIDE = 1280  # pixels; larger pictures are shrunk to find digits in them
MAX_PARTS = 2000  # a picture with more of them is texture, not writing
MIN_HEIGHT = 8  # pixels; smaller specks are no digits
FAINT = 18  # grey levels between ink and ground; less is a blank picture
CLEAR = 10  # how many times further than the grain does ink stands out; pure grain comes to 6
GROUND_SIDE = 160  # pixels; the ground is smooth, so it is estimated this small


@dataclass(frozen=True, slots=True)
class Region:
    """One digit: its box in the picture, and its own strokes within the box, (h, w) uint8 0 or 255, of any scale."""

    box: Box
    strokes: npt.NDArray[np.uint8]


@dataclass(slots=True)
class _Part:
    """Connected strokes while they are put together; labels: which components, the rest in working pixels."""

    labels: list[int]
    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


def find(gray: GrayImage) -> list[list[Region]]:
    """The digits of an (H, W) uint8 picture, ink bright: lines top to bottom, digits left to right."""
    small = shrunk(gray, LONG_SIDE)
    parts, components = _parts(small, _ground(small))
    digits = _joined(_plausible(parts, small.shape))
    scale_x, scale_y = gray.shape[1] / small.shape[1], gray.shape[0] / small.shape[0]
    return [[_region(part, components, scale_x, scale_y) for part in line] for line in _lines(digits)]


def _ground(gray: GrayImage) -> GrayImage:
    """The same picture without its ink."""
    tiny = cv2.medianBlur(shrunk(gray, GROUND_SIDE), 3)
    side = max(3, min(tiny.shape) // 4 * 2 + 1)  # wider than a stroke, so that opening leaves the ground alone
    ground = cv2.morphologyEx(tiny, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    even = cv2.GaussianBlur(ground.astype(np.float32), (0, 0), side / 4)  # of bytes it takes ten times as long
    large: GrayImage = cv2.resize(np.rint(even).astype(np.uint8), gray.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return large


def _parts(gray: GrayImage, ground: GrayImage) -> tuple[list[_Part], Components]:
    """The connected strokes, and the picture of their labels: all connected faint ink that holds some full ink."""
    smooth = cv2.GaussianBlur(gray, (3, 3), 0)
    rise = cv2.subtract(smooth, ground)
    contrast = cv2.divide(rise, cv2.max(cv2.bitwise_not(ground), 32), scale=255)  # of full ink: evens out the light
    grain = cv2.absdiff(contrast, cv2.medianBlur(contrast, 5))
    floor = 4 + 3 * level(grain, 0.5)
    standing_out = contrast[contrast > floor]
    if standing_out.size == 0:
        return [], np.zeros(contrast.shape, np.int32)
    full, _ = cv2.threshold(standing_out, 0, 255, cv2.THRESH_OTSU)  # N. Otsu, 1979
    ink = cv2.threshold(contrast, full, 255, cv2.THRESH_BINARY)[1]
    roughness = cv2.mean(cv2.absdiff(smooth, cv2.medianBlur(smooth, 5)))[0]
    if level(rise, 0.5, ink) < max(FAINT, CLEAR * (roughness + 0.5)):
        return [], np.zeros(contrast.shape, np.int32)
    faint = cv2.threshold(contrast, max(floor, full / 2), 1, cv2.THRESH_BINARY)[1]
    quick = cv2.CCL_BBDT  # half the time of the default
    count, components, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(faint, 8, cv2.CV_32S, quick)
    inked = np.bincount(components[ink > 0], minlength=count) > 0
    inked[0] = False
    return [
        _Part([label], x, y, x + width, y + height)
        for label, (x, y, width, height, _) in zip(np.flatnonzero(inked).tolist(), stats[inked].tolist(), strict=True)
    ], components


def _plausible(parts: list[_Part], shape: tuple[int, ...]) -> list[_Part]:
    """The parts that may be digits or broken pieces of one: no grain, no rules, no edges of the page."""
    height, width = shape
    inside = [
        part
        for part in parts
        if max(part.width, part.height) >= MIN_HEIGHT / 2
        and not (part.width > 4 * part.height and part.width > width / 8)
        and not ((part.left == 0 or part.right == width) and part.height > height / 2)
        and not ((part.top == 0 or part.bottom == height) and part.width > width / 2)
    ]
    tall = [part for part in inside if part.height >= MIN_HEIGHT]
    if not tall:
        return []
    usual = _usual_height(tall)
    large = [part for part in inside if max(part.width, part.height) >= usual / 5]
    return large if len(large) <= MAX_PARTS else []


def _usual_height(parts: list[_Part]) -> float:
    """The upper quartile. By hand, since numpy's loads its masked arrays, a twentieth of a cold start."""
    heights = sorted(part.height for part in parts)
    rank = 0.75 * (len(heights) - 1)
    below, above = heights[math.floor(rank)], heights[math.ceil(rank)]
    return below + (rank % 1) * (above - below)


def _joined(parts: list[_Part]) -> list[_Part]:
    """Broken strokes put together: parts that stand over each other and nearly touch become one."""
    if not parts:
        return []
    usual = _usual_height(parts)
    joined: list[_Part] = []
    for part in sorted(parts, key=lambda part: -part.height):
        near = [whole for whole in joined if _is_piece(part, whole, usual)]
        if near:
            whole = min(near, key=lambda whole: _gap(part, whole))
            whole.labels += part.labels
            whole.left, whole.right = min(part.left, whole.left), max(part.right, whole.right)
            whole.top, whole.bottom = min(part.top, whole.top), max(part.bottom, whole.bottom)
        else:
            joined.append(part)
    return [part for part in joined if part.height >= max(MIN_HEIGHT, 0.4 * usual) and part.width < 2.5 * part.height]


def _is_piece(part: _Part, whole: _Part, usual: float) -> bool:
    """Whether a part is a broken piece of a taller one: near it, and too low for a digit or right above or below it."""
    reach = 0.15 * usual
    if whole.left - part.right > reach or part.left - whole.right > reach:  # most are, and to ask this alone is quick
        return False
    tall = 1.4 * max(usual, min(whole.height, 1.5 * usual))  # a digit alone in pieces makes the usual height small
    gap = _gap(part, whole)
    if max(part.bottom, whole.bottom) - min(part.top, whole.top) > tall or gap > reach:
        return False
    shared = min(part.right, whole.right) - max(part.left, whole.left)
    low = 0.7 if gap < 0.06 * usual else 0.5  # of a digit's height
    return part.height < low * usual or shared > 0.5 * min(part.width, whole.width)


def _gap(part: _Part, whole: _Part) -> int:
    """Pixels between two boxes, along the axis on which they are further apart; 0 where they overlap."""
    across = max(part.left, whole.left) - min(part.right, whole.right)
    down = max(part.top, whole.top) - min(part.bottom, whole.bottom)
    return max(across, down, 0)


def _lines(parts: list[_Part]) -> list[list[_Part]]:
    """Reading order: a part joins the line whose rightmost digit it overlaps in height by over a third."""
    lines: list[list[_Part]] = []
    for part in sorted(parts, key=lambda part: part.left):

        def overlap(line: list[_Part], part: _Part = part) -> float:
            last = line[-1]
            shared = min(part.bottom, last.bottom) - max(part.top, last.top)
            return shared / min(part.height, last.height)

        best = max(lines, key=overlap, default=None)
        if best is not None and overlap(best) > 0.34:
            best.append(part)
        else:
            lines.append([part])
    return sorted(lines, key=lambda line: sum(part.top + part.bottom for part in line) / len(line))


def _region(part: _Part, components: Components, scale_x: float, scale_y: float) -> Region:
    near = components[part.top : part.bottom, part.left : part.right]
    own = np.logical_or.reduce([near == label for label in part.labels])
    left, top = round(part.left * scale_x), round(part.top * scale_y)
    right, bottom = round(part.right * scale_x), round(part.bottom * scale_y)
    return Region(Box(left, top, right - left, bottom - top), own.astype(np.uint8) * np.uint8(255))
