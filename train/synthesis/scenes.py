"""Grey pictures to train detector and classifier with, drawn from a seed: 256x256 pixels, about 8 ms each.

    scene = draw_scene(np.random.default_rng(7), glyphs)
    scene.image     # (256, 256) uint8
    scene.boxes     # (n, 4) float32: x, y, width, height of each digit's ink
    scene.labels    # (n,) uint8
    scene.ignored   # (m, 4) float32: digits that are too small, too large, cut off or illegible

A layout fills a flat sheet (layouts.py), a homography maps the sheet to the picture, and ground, light, ink and camera
follow (camera.py). pages.py draws whole pages in colour, which look like photos; scenes are small, grey and fast.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.blank import blank, ruled
from digitocr.train.synthesis.camera import framed, photograph, taken
from digitocr.train.synthesis.glyphs import Glyphs, hull
from digitocr.train.synthesis.layouts import (
    LAYOUTS,
    ODDS,
    Layout,
    close_up,
    lines,
    scattered,
    text,
    texture,
)
from digitocr.train.synthesis.line_scenes import draw_panel
from digitocr.train.synthesis.sheet import AMBIGUOUS_LABEL, NO_DIGIT, SCENE_SIDE, Item, Sheet
from digitocr.train.synthesis.strokes import Bytes, Floats, Reals

MIN_DIGIT = 9.0  # pixels; the longer side of the smallest digit that the detector has to find
MAX_DIGIT = 140.0  # pixels; the longer side of the largest digit that the detector has to find
IGNORED_DIGIT = 1.3 * MAX_DIGIT  # pixels; a larger digit is not marked: at this scale its strokes count as no digit
MIN_VISIBLE = 0.75  # share of a digit's box; with this much within the picture the digit has to be found
MAX_LOST = 0.25  # share of a digit's box; with no more within the picture the digit is not marked
MIN_LEGIBLE_CONTRAST = 6  # grey levels by which a legible digit differs from its background
MIN_PEAK = 110  # of 255; ink of the darkest pixel of a digit that has to be found
GROUNDS = (texture, blank, text, lines)  # what such a line stands on
GROUND_SHARE = 0.6  # of such lines stand on a ground of another kind
TIGHT_SHARE = 0.3  # of such scenes are cut out at the digits
MAX_COVERED = 0.05  # share of a box behind such a line that may be covered
LEAST_RANGE = 14  # grey levels within the box of a legible digit of such a line
_STROKE_INK = 120  # of 255; pixels with more ink belong to a stroke
_BACKGROUND_INK = 30  # of 255; pixels with less ink belong to the background
_MIN_DEPTH = 0.2  # of the homography's denominator, so that nothing near or behind the horizon becomes huge
_MAX_COORDINATE = 4000  # pixels; a line that reaches further is not drawn
_FRACTION_BITS = 4  # of OpenCV's fixed-point coordinates: sixteenths of a pixel

Box: TypeAlias = tuple[float, float, float, float]  # x, y, width, height in pixels


@dataclass(frozen=True)
class Scene:
    """A picture and the boxes in it; a box is x, y, width, height in pixels.

    Attributes:
        image: (256, 256) grey levels.
        boxes: (n, 4) of the digits that have to be found.
        labels: (n,) the digit in each of them, 0 to 9.
        ignored: (m, 4) of digits that are too small, too large, cut off or illegible.
        others: (k, 4) of letters and symbols that look like no digit.
        doubtful: (j, 4) of letters and symbols that alone look like a digit.
    """

    image: Bytes
    boxes: Floats
    labels: Bytes
    ignored: Floats
    others: Floats
    doubtful: Floats

    @property
    def unsure(self) -> Floats:
        """(m + j, 4): the boxes that are neither digits to be found nor certainly none."""
        return np.concatenate([self.ignored, self.doubtful])


def draw_scene(rng: Generator, glyphs: Glyphs, layout: Layout | None = None) -> Scene:
    """A random scene, of a random layout unless one is given. The same arguments give the same one."""
    sheet = Sheet()
    layout = layout or LAYOUTS[int(rng.choice(len(LAYOUTS), p=ODDS))]
    layout(sheet, rng, glyphs)
    if rng.random() < 0.3 and layout not in (texture, close_up):
        ruled(sheet, rng)
    view = _view(rng, steep=layout in (lines, scattered, close_up) and rng.random() < 0.22)
    ink, truth = _drawn_items(sheet.items, view)
    rules, areas = _drawn_rules(sheet, view), _drawn_areas(sheet, view)
    image = photograph(ink, rules, areas, rng, natural=layout is texture or rng.random() < 0.06)
    truth.keep([_legible(image, ink, box) for box in truth.boxes])
    if rng.random() < 0.15:
        image, whole = framed(image, rng, truth.boxes)
        truth.keep(whole)
    return truth.scene(image)


@dataclass
class _Truth:
    """The boxes of a scene while it is drawn.

    Attributes:
        boxes: As in Scene.
        labels: As in Scene.
        ignored: As in Scene.
        others: As in Scene.
        doubtful: As in Scene.
    """

    boxes: list[Box] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    ignored: list[Box] = field(default_factory=list)
    others: list[Box] = field(default_factory=list)
    doubtful: list[Box] = field(default_factory=list)

    def add(self, box: Box, label: int, visible: float) -> None:
        """Adds a glyph; visible: the share of its box that lies within the picture."""
        side = max(box[2:])
        if label == AMBIGUOUS_LABEL:
            self.doubtful.append(box)
        elif label == NO_DIGIT:
            self.others.append(box)
        elif visible >= MIN_VISIBLE and MIN_DIGIT <= side <= MAX_DIGIT:
            self.boxes.append(box)
            self.labels.append(label)
        elif visible > MAX_LOST and side <= IGNORED_DIGIT:
            self.ignored.append(box)

    def keep(self, good: Iterable[bool]) -> None:
        """Moves the digits that are not good to the ignored ones; good: a flag for each digit."""
        flags = list(good)
        self.ignored += [box for box, flag in zip(self.boxes, flags, strict=True) if not flag]
        self.labels = [label for label, flag in zip(self.labels, flags, strict=True) if flag]
        self.boxes = [box for box, flag in zip(self.boxes, flags, strict=True) if flag]

    def scene(self, image: Bytes) -> Scene:
        """The finished scene."""
        boxes, ignored, others, doubtful = (
            np.array(some, np.float32).reshape(-1, 4) for some in (self.boxes, self.ignored, self.others, self.doubtful)
        )
        return Scene(image, boxes, np.array(self.labels, np.uint8), ignored, others, doubtful)


def draw_line_scene(rng: Generator, glyphs: Glyphs) -> Scene:
    """A random scene of a display, a counter or the like, on a ground of its own or on another scene."""
    truth, ground = _Truth(), None
    if rng.random() < GROUND_SHARE:
        layout = GROUNDS[int(rng.integers(len(GROUNDS)))]
        below = draw_scene(rng, glyphs, layout)
        ground = below.image
    panel = draw_panel(rng, glyphs, ground)
    image = taken(panel.image, panel.contrast, rng, clean=rng.random() < 0.18)
    for box, digit in panel.told:
        truth.add(box, digit, _visible(box))
    truth.keep([_differs(image, box) for box in truth.boxes])
    truth.ignored += panel.doubtful
    truth.others += panel.others
    if ground is not None:
        _add_below(truth, below, panel.covered)
    if rng.random() < TIGHT_SHARE:
        image, whole = framed(image, rng, truth.boxes)
        truth.keep(whole)
    return truth.scene(image)


def _visible(box: Box) -> float:
    """The share of a box within the picture."""
    x, y, w, h = box
    wide, high = min(x + w, SCENE_SIDE) - max(x, 0.0), min(y + h, SCENE_SIDE) - max(y, 0.0)
    return max(wide, 0.0) * max(high, 0.0) / (w * h)


def _differs(image: Bytes, box: Box) -> bool:
    """Whether the grey levels in a box differ by LEAST_RANGE, so that something may be seen there."""
    x, y, w, h = box
    grey = image[max(0, int(y)) : int(y + h) + 1, max(0, int(x)) : int(x + w) + 1]
    return bool(grey.size and np.ptp(cv2.blur(grey, (3, 3))) >= LEAST_RANGE)


def _add_below(truth: _Truth, below: Scene, covered: NDArray[np.bool_]) -> None:
    """Adds the boxes of a scene that a panel covers in part: what is half covered is neither to be found nor none."""

    def hidden(box: Box) -> float:
        x, y, w, h = box
        return float(covered[max(0, int(y)) : int(y + h) + 1, max(0, int(x)) : int(x + w) + 1].mean())

    for boxes, into in ((below.ignored, truth.ignored), (below.others, truth.others), (below.doubtful, truth.doubtful)):
        into += [box for box in map(_as_box, boxes) if hidden(box) < MAX_COVERED]
    for row, label in zip(below.boxes, below.labels, strict=True):
        box = _as_box(row)
        if hidden(box) < MAX_COVERED:
            truth.boxes.append(box)
            truth.labels.append(int(label))
        elif hidden(box) < 1 - MAX_COVERED:
            truth.ignored.append(box)


def _as_box(row: Floats) -> Box:
    x, y, w, h = row.tolist()
    return x, y, w, h


def _view(rng: Generator, steep: bool) -> Reals:
    """The homography (3, 3) from the sheet to the picture: rotated, slanted and tilted about the middle.

    steep: up to 46 degrees of rotation instead of a few.
    """
    turn = rng.uniform(-0.8, 0.8) if steep else rng.normal(0, 0.06) if rng.random() < 0.8 else rng.normal(0, 0.2)
    slant, aspect = rng.normal(0, 0.07), float(np.exp(rng.normal(0, 0.06)))
    matrix = np.eye(3)
    matrix[:2, :2] = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[aspect, slant], [0, 1]]
    matrix[2, :2] = rng.normal(0, 0.0006, 2) if rng.random() < 0.5 else 0
    middle = np.array([[1, 0, SCENE_SIDE / 2], [0, 1, SCENE_SIDE / 2], [0, 0, 1]])
    return np.asarray(middle @ matrix @ np.linalg.inv(middle))


def _project(view: Reals, points: Reals) -> Reals:
    """(n, 2) points of the sheet in the picture."""
    moved = points @ view[:, :2].T + view[:, 2]
    return np.asarray(moved[:, :2] / np.maximum(moved[:, 2:], _MIN_DEPTH))


def _drawn_areas(sheet: Sheet, view: Reals) -> Bytes:
    """(256, 256) coverage of the sheet's filled areas."""
    plane = np.zeros((SCENE_SIDE, SCENE_SIDE), np.uint8)
    for corners, strength in sheet.areas:
        fixed = np.rint(_project(view, corners) * 2**_FRACTION_BITS).astype(np.int32)
        cv2.fillPoly(plane, [fixed], int(255 * strength), cv2.LINE_AA, _FRACTION_BITS)
    return plane


def _drawn_rules(sheet: Sheet, view: Reals) -> Bytes:
    """(256, 256) coverage of the sheet's lines. Lines thinner than a pixel are drawn a pixel wide and fainter."""
    plane = np.zeros((SCENE_SIDE, SCENE_SIDE), np.uint8)
    for line, thickness, strength in sheet.rules:
        points = _project(view, line)
        if not np.isfinite(points).all() or np.abs(points).max() > _MAX_COORDINATE:
            continue
        level = int(255 * strength * min(1.0, thickness))
        fixed = np.rint(points * 2**_FRACTION_BITS).astype(np.int32)
        cv2.polylines(plane, [fixed], False, level, max(1, round(thickness)), cv2.LINE_AA, _FRACTION_BITS)
    return plane


def _drawn_items(items: Iterable[Item], view: Reals) -> tuple[Bytes, _Truth]:
    """(256, 256) coverage of the glyphs, and their boxes."""
    ink, truth = np.zeros((SCENE_SIDE, SCENE_SIDE), np.uint8), _Truth()
    for item in items:
        drawn = _draw_item(ink, item, view)
        if drawn:
            truth.add(drawn.box, item.label, drawn.visible)
    return ink, truth


class _Drawn(NamedTuple):
    """The part of a glyph within the picture.

    Attributes:
        box: The box of its ink.
        visible: The area of that box as a share of the whole glyph's, 0 to 1.
    """

    box: Box
    visible: float


def _draw_item(ink: Bytes, item: Item, view: Reals) -> _Drawn | None:
    """Draws a glyph on the ink plane; None if it lies outside of the picture."""
    linear, shift = _local_map(item, view)
    outline = hull(item.glyph.ink) @ linear.T + shift
    (x0, y0), (x1, y1) = outline.min(0), outline.max(0)
    left, top = max(0.0, x0), max(0.0, y0)
    right, bottom = min(float(SCENE_SIDE), x1), min(float(SCENE_SIDE), y1)
    if right <= left or bottom <= top:
        return None
    # a window of whole pixels round the visible box, with room for soft edges
    columns = slice(max(int(np.floor(left)) - 1, 0), min(SCENE_SIDE, int(np.ceil(right)) + 2))
    rows = slice(max(int(np.floor(top)) - 1, 0), min(SCENE_SIDE, int(np.ceil(bottom)) + 2))
    coverage = _resampled(item.glyph.ink, linear, shift, rows, columns)
    faded = coverage.max(initial=0) < MIN_PEAK
    if item.strength < 1:
        coverage = np.asarray(cv2.convertScaleAbs(coverage, alpha=item.strength), np.uint8)
    np.maximum(ink[rows, columns], coverage, out=ink[rows, columns])
    visible = (right - left) * (bottom - top) / max((x1 - x0) * (y1 - y0), 1e-6)
    if faded:  # so thin and small that hardly a pixel is inked: neither a digit to be found nor none
        visible = min(visible, (MAX_LOST + MIN_VISIBLE) / 2)
    return _Drawn((float(left), float(top), float(right - left), float(bottom - top)), float(visible))


def _local_map(item: Item, view: Reals) -> tuple[Reals, Reals]:
    """(2, 2) and (2,): the affine map from the glyph's pixels to the picture's.

    It is the derivative of the homography at the glyph's middle, which is exact enough over the size of a glyph.
    """
    height, width = item.glyph.ink.shape
    centre = item.matrix @ [width / 2, height / 2, 1]
    depth = max(_MIN_DEPTH, float(view[2, :2] @ centre + view[2, 2]))
    origin = _project(view, centre[None])[0]
    derivative = (view[:2, :2] - np.outer(origin, view[2, :2])) / depth
    linear = derivative @ item.matrix[:, :2]
    return linear, origin - linear @ [width / 2, height / 2]


def _resampled(ink: Bytes, linear: Reals, shift: Reals, rows: slice, columns: slice) -> Bytes:
    """A window of the picture with the ink mapped to it by x -> linear @ x + shift."""
    scale = np.sqrt(abs(np.linalg.det(linear)))
    while scale < 0.5 and min(ink.shape) > 3:  # halved first, so that bilinear sampling skips no stroke
        smaller = (max(1, ink.shape[1] // 2), max(1, ink.shape[0] // 2))
        ratio = np.array([ink.shape[1] / smaller[0], ink.shape[0] / smaller[1]])
        ink = np.asarray(cv2.resize(ink, smaller, interpolation=cv2.INTER_AREA), np.uint8)
        linear, scale = linear * ratio, scale * 2
    offset = shift - [columns.start, rows.start] + linear @ [0.5, 0.5] - 0.5  # from pixel corners to pixel middles
    size = columns.stop - columns.start, rows.stop - rows.start
    coverage = cv2.warpAffine(ink, np.column_stack([linear, offset]), size, flags=cv2.INTER_LINEAR)
    if scale > 1.5:  # sharpened, since an enlarged edge is as soft as the scale is large
        floor = int(128 - 128 / scale)
        coverage = cv2.convertScaleAbs(cv2.max(coverage, floor), alpha=scale, beta=128 - 128 * scale)
    return np.asarray(coverage, np.uint8)


def _legible(image: Bytes, ink: Bytes, box: Box) -> bool:
    """Whether a digit differs from its background by MIN_LEGIBLE_CONTRAST and by the deviation of that background."""
    x, y, w, h = box
    window = np.s_[max(0, int(y) - 1) : int(y + h) + 2, max(0, int(x) - 1) : int(x + w) + 2]
    grey, cover = image[window], ink[window]
    stroke = (cover > _STROKE_INK).astype(np.uint8)
    if not stroke.any():
        return False
    inked = cv2.mean(grey, stroke)[0]
    ground, spread = cv2.meanStdDev(grey, mask=(cover < _BACKGROUND_INK).astype(np.uint8))
    return bool(abs(inked - ground[0, 0]) >= max(MIN_LEGIBLE_CONTRAST, spread[0, 0]))
