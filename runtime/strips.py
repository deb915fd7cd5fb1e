"""Lines of candidates -> strips of the picture, as the recognizer reads them, and back.

    places = find_lines(boxes, rows)              # the Places of lines
    strip = cut(gray, places[0])                  # (32, W) uint8
    x, y = places[0].to_picture(u, v)             # a pixel of the strip in the picture

A strip shows a line level, with digits DIGIT_HEIGHT pixels high, and what stands before and after it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digitocr.runtime.boxes import Boxes
from digitocr.runtime.image import GrayImage
from digitocr.runtime.lines import reading_order, slope
from digitocr.runtime.recognizer import DIGIT_HEIGHT, MULTIPLE, STRIP_HEIGHT, Segment
from digitocr.runtime.resampling import averaged, warped

MAX_GAP = 3.5  # heights of the line; boxes that are farther apart are of two lines
MAX_HEIGHT_RATIO = 1.7  # of a box and its line; a line of other digits begins there
CONTEXT = 2.2  # heights of the line that a strip reaches beyond its first and last box
MAX_WIDTH = 6000  # pixels of a strip; a longer one is cut off
MIN_SLOPE_BOXES = 3  # boxes of a line whose own slope is measured
LEVEL_SAMPLES = 1_000  # pixels, about, whose median is the level beyond the picture
MAX_RATIO = 1.15  # of a line's scales by all boxes and by its clear digits; with a larger one it is cut out again
MAX_SHIFT = 0.15  # digit heights; where an end of its middle line moves farther, it is cut out again, too
CLOSER = 1.15  # times as large, a line at the second look
SHRINK = 2.0  # pixels of the picture for one that is interpolated, at most, so that no stroke is skipped


class Place(NamedTuple):
    """Where a line stands in the picture.

    Attributes:
        x: Of the middle of the strip's left border, pixels.
        y: The same.
        cos: Of the line's angle.
        sin: Of the line's angle.
        scale: Pixels of the picture for one of the strip.
        width: Of the strip, in pixels of the strip; a multiple of MULTIPLE.
        rows: The boxes of the line, from left to right.
    """

    x: float
    y: float
    cos: float
    sin: float
    scale: float
    width: int
    rows: tuple[int, ...]

    def to_picture(self, u: float, v: float) -> tuple[float, float]:
        """A point of the strip in the picture."""
        along, across = u * self.scale, (v - STRIP_HEIGHT / 2) * self.scale
        return self.x + along * self.cos - across * self.sin, self.y + along * self.sin + across * self.cos

    def to_strip(self, x: float, y: float) -> tuple[float, float]:
        """A point of the picture in the strip."""
        dx, dy = x - self.x, y - self.y
        return (
            (dx * self.cos + dy * self.sin) / self.scale,
            (dy * self.cos - dx * self.sin) / self.scale + STRIP_HEIGHT / 2,
        )

    def closer(self) -> "Place":
        """The same line, CLOSER times as large in its strip."""
        width = -int(-self.width * CLOSER // MULTIPLE) * MULTIPLE
        return self._replace(scale=self.scale / CLOSER, width=width)


class ReadStrip(NamedTuple):
    """A line as the recognizer saw it, and what it read.

    Attributes:
        place: Where the line stands.
        image: (32, W) uint8.
        segments: From left to right.
    """

    place: Place
    image: GrayImage
    segments: list[Segment]


def find_lines(boxes: Boxes, rows: npt.NDArray[np.int64]) -> list[Place]:
    """The lines that some rows of (n, 4) boxes stand in, each of them in one."""
    places = []
    some = boxes[rows]
    common = slope(some)
    for line in reading_order(some):
        parts: list[list[int]] = []  # a taller mark between its digits, such as a slash, does not end a line
        for row in rows[line].tolist():
            for part in reversed(parts):
                if _belongs(boxes, part, row):
                    part.append(row)
                    break
            else:
                parts.append([row])
        places += [_place(boxes, part, part, lambda: common) for part in parts]
    return places


def fitted(boxes: Boxes, place: Place, fit: list[int], seeds: npt.NDArray[np.int64]) -> Place:
    """The place by those of its rows that are in `fit` alone, if that moves or scales its digits; else as it is.

    Letters may be higher or lower than digits, and g hangs below the line: a line that has some is cut out wrongly.

    Args:
        boxes: (n, 4) float32, the candidates.
        place: Of find_lines.
        fit: Some of its rows.
        seeds: The rows that find_lines got.
    """
    if not 0 < len(fit) < len(place.rows):
        return place
    left_out = set(place.rows) - set(fit)
    again = _place(
        boxes, list(place.rows), fit, lambda: slope(boxes[[row for row in seeds.tolist() if row not in left_out]])
    )
    ratio = place.scale / again.scale
    ends = [again.to_strip(*place.to_picture(u, STRIP_HEIGHT / 2))[1] - STRIP_HEIGHT / 2 for u in (0, place.width)]
    is_off = max(ratio, 1 / ratio) > MAX_RATIO or max(map(abs, ends)) > MAX_SHIFT * DIGIT_HEIGHT
    return again if is_off else place


def _belongs(boxes: Boxes, part: list[int], row: int) -> bool:
    """Whether a box continues the line that the boxes of `part` make."""
    height = float(np.sort(boxes[part, 3])[len(part) // 2])
    x, _, _, own = boxes[row].tolist()
    last = boxes[part[-1]].tolist()
    near = x - last[0] - last[2] < MAX_GAP * max(height, own)
    return bool(near and max(height, own) < MAX_HEIGHT_RATIO * min(height, own))


def _place(boxes: Boxes, part: list[int], fit: list[int], common: Callable[[], float]) -> Place:
    """The place of the rows `part`, with the slope, the height and the middle of the rows `fit` of them.

    common: The slope where these are too few or too near to have one. It takes time on a page of many lines.
    """
    every, those = boxes[part], boxes[fit]
    centres, some = every[:, :2] + every[:, 2:] / 2, those[:, :2] + those[:, 2:] / 2
    height = float(np.sort(those[:, 3])[len(fit) // 2])
    if len(fit) >= MIN_SLOPE_BOXES and float(np.ptp(some[:, 0])) > 2 * height:
        dx, dy = some[:, 0] - some[:, 0].mean(), some[:, 1] - some[:, 1].mean()
        angle = float(np.arctan(float((dx * dy).sum()) / float((dx * dx).sum())))
    else:
        angle = common()
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    middle = some.mean(0)
    along = (centres - middle) @ np.array([cos, sin])
    half = every[:, 2] / 2
    scale = height / DIGIT_HEIGHT
    left, right = float((along - half).min()) - CONTEXT * height, float((along + half).max()) + CONTEXT * height
    width = min(-int(-(right - left) / scale // MULTIPLE) * MULTIPLE, MAX_WIDTH)
    x, y = middle.tolist()
    return Place(x + left * cos, y + left * sin, cos, sin, scale, width, tuple(part))


def cut(gray: GrayImage, place: Place) -> GrayImage:
    """The (32, W) strip of a line in an (H, W) picture; beyond the picture it has the median level around the line.

    Repeated edge pixels would draw out a digit that the edge cuts.
    """
    # A picture much larger than the strip is halved first, which costs little for each pixel. What is left is
    # interpolated at twice the strip's size and averaged, so that no stroke is skipped.
    scale, halvings, (x, y) = place.scale, 0, place.to_picture(0, 0)
    while scale > 2 * SHRINK and min(gray.shape) >> halvings > 1:
        scale, x, y = scale / 2, x / 2, y / 2
        halvings += 1
    factor = 2 if scale > SHRINK else 1
    scale /= factor
    # from pixels of the strip, `factor` times as large, to pixels of the halved picture
    shift = (
        0.5 * scale * place.cos - 0.5 * scale * place.sin - 0.5,
        0.5 * scale * place.sin + 0.5 * scale * place.cos - 0.5,
    )
    matrix = np.array(
        [
            [scale * place.cos, -scale * place.sin, x + shift[0]],
            [scale * place.sin, scale * place.cos, y + shift[1]],
        ]
    )
    size = place.width * factor, STRIP_HEIGHT * factor
    strip = warped(gray, matrix, size, _level(gray, place), halvings)
    return strip if factor == 1 else averaged(strip, (place.width, STRIP_HEIGHT))


def _level(gray: GrayImage, place: Place) -> int:
    """The median grey level of the picture around a line."""
    corners = np.array([place.to_picture(u, v) for u in (0, place.width) for v in (0, STRIP_HEIGHT)])
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    height, width = gray.shape
    around = gray[
        min(max(int(top), 0), height - 1) : max(int(bottom), 1), min(max(int(left), 0), width - 1) : max(int(right), 1)
    ]
    step = max(1, int(np.sqrt(around.size / LEVEL_SAMPLES)))
    some = np.sort(around[::step, ::step], axis=None)
    return int(some[len(some) // 2])
