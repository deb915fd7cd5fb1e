"""Grey pictures to train the detector and the reader with, drawn by the thousand from a seed: 256x256, about 8 ms each.

    scene = draw_scene(np.random.default_rng(7), glyphs)
    scene.image     # (256, 256) uint8
    scene.boxes     # (n, 4) float32: x, y, width, height of each digit's ink
    scene.labels    # (n,) uint8
    scene.ignored   # (m, 4) float32: what is neither a digit nor none: too small, or cut off by the edge

What stands on a scene is set on a flat sheet (layouts.py); a homography puts it into the picture; ground, light, ink
and camera follow (camera.py). scenes.py draws whole pages in
colour, for people to look at; these are many, small and grey.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.camera import framed, photograph
from digitocr.train.synthesis.glyphs import Glyph, Glyphs, hull
from digitocr.train.synthesis.layouts import (
    DOUBTFUL,
    LAYOUTS,
    NO_DIGIT,
    ODDS,
    SIDE,
    Sheet,
    close_up,
    lines,
    ruled,
    scattered,
    texture,
)
from digitocr.train.synthesis.strokes import Bytes, Floats, Reals

LEAST, MOST = 9.0, 140.0  # pixels; the longer side of a digit that the detector is asked to find
VISIBLE, LOST = 0.75, 0.25  # of a digit's box: from here on it counts; up to here it is not there
LEVELS = 6  # of 256 grey levels; a digit that stands out by less is none that can be asked for
FADED = 110  # of 255; the ink of a digit's darkest pixel


@dataclass(frozen=True)
class Scene:
    image: Bytes  # (256, 256)
    boxes: Floats  # (n, 4)
    labels: Bytes  # (n,)
    ignored: Floats  # (m, 4)
    others: Floats  # (k, 4): boxes of letters and symbols that are like no digit
    doubtful: Floats  # (j, 4): boxes of those that alone could be taken for one

    @property
    def unsure(self) -> Floats:
        """(m + j, 4): boxes of which nobody can say whether a digit is there, seen by themselves."""
        return np.concatenate([self.ignored, self.doubtful])


def draw_scene(rng: Generator, glyphs: Glyphs) -> Scene:
    """A scene by chance. The same state of rng and the same glyphs give the same one."""
    sheet = Sheet()
    layout = LAYOUTS[int(rng.choice(len(LAYOUTS), p=ODDS))]
    layout(sheet, rng, glyphs)
    if rng.random() < 0.3 and layout not in (texture, close_up):
        ruled(sheet, rng)
    view = _view(rng, steep=layout in (lines, scattered, close_up) and rng.random() < 0.22)
    ink, rule, area = (np.zeros((SIDE, SIDE), np.uint8) for _ in range(3))
    found: list[tuple[float, float, float, float]] = []
    labels: list[int] = []
    ignored: list[tuple[float, float, float, float]] = []
    others: list[tuple[float, float, float, float]] = []
    doubtful: list[tuple[float, float, float, float]] = []
    for points, strength in sheet.areas:
        cv2.fillPoly(area, [np.rint(_project(view, points) * 16).astype(np.int32)], int(255 * strength), cv2.LINE_AA, 4)
    for points, thick, strength in sheet.rules:
        _draw_rule(rule, _project(view, points), thick, strength)
    for glyph, label, matrix, strength in sheet.items:
        box = _draw_item(ink, glyph, view, matrix, strength)
        if box is None:
            continue
        x, y, w, h, seen = box
        if label == DOUBTFUL:
            doubtful.append((x, y, w, h))
        elif label == NO_DIGIT:
            others.append((x, y, w, h))
        elif seen >= VISIBLE and LEAST <= max(w, h) <= MOST:
            found.append((x, y, w, h))
            labels.append(label)
        elif seen > LOST and max(w, h) <= 1.3 * MOST:  # larger ones are to be found at a coarser scale, not here
            ignored.append((x, y, w, h))
    image = photograph(ink, rule, area, rng, natural=layout is texture or rng.random() < 0.06)
    plain = [_legible(image, ink, box) for box in found]
    ignored += [box for box, seen in zip(found, plain, strict=True) if not seen]
    labels = [label for label, seen in zip(labels, plain, strict=True) if seen]
    found = [box for box, seen in zip(found, plain, strict=True) if seen]
    if rng.random() < 0.15:
        image, kept = framed(image, rng, found)
        keep = [i for i, inside in enumerate(kept) if inside]
        ignored += [box for box, inside in zip(found, kept, strict=True) if not inside]
        found, labels = [found[i] for i in keep], [labels[i] for i in keep]
    return Scene(image, _boxes(found), np.array(labels, np.uint8), _boxes(ignored), _boxes(others), _boxes(doubtful))


def _boxes(boxes: list[tuple[float, float, float, float]]) -> Floats:
    return np.array(boxes, np.float32).reshape(-1, 4)


def _view(rng: Generator, steep: bool) -> Reals:
    """The homography (3, 3) of the sheet into the picture: turned, slanted, seen aslant."""
    turn = rng.uniform(-0.8, 0.8) if steep else rng.normal(0, 0.06) if rng.random() < 0.8 else rng.normal(0, 0.2)
    slant, aspect = rng.normal(0, 0.07), float(np.exp(rng.normal(0, 0.06)))
    matrix = np.eye(3)
    matrix[:2, :2] = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[aspect, slant], [0, 1]]
    matrix[2, :2] = rng.normal(0, 0.0006, 2) if rng.random() < 0.5 else 0
    middle = np.array([[1, 0, SIDE / 2], [0, 1, SIDE / 2], [0, 0, 1]])
    return np.asarray(middle @ matrix @ np.linalg.inv(middle))


def _project(view: Reals, points: Reals) -> Reals:
    moved = points @ view[:, :2].T + view[:, 2]
    return np.asarray(moved[:, :2] / np.maximum(moved[:, 2:], 0.2))


def _draw_item(
    ink: Bytes, glyph: Glyph, view: Reals, matrix: Reals, strength: float
) -> tuple[float, float, float, float, float] | None:
    """Draws the glyph; returns its box in the scene and the share of it that is seen, None where that is nothing."""
    height, width = glyph.ink.shape
    centre = matrix @ [width / 2, height / 2, 1]
    depth = max(0.2, float(view[2, :2] @ centre + view[2, 2]))
    origin = _project(view, centre[None])[0]
    # near the glyph the homography is its derivative there
    local = (view[:2, :2] - np.outer(origin, view[2, :2])) / depth
    linear = local @ matrix[:, :2]
    shift = origin - linear @ [width / 2, height / 2]
    points = hull(glyph.ink) @ linear.T + shift
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    left, top = max(0.0, x0), max(0.0, y0)
    right, bottom = min(float(SIDE), x1), min(float(SIDE), y1)
    if right <= left or bottom <= top:
        return None
    shrink = np.sqrt(abs(np.linalg.det(linear)))
    source = glyph.ink
    while shrink < 0.5 and min(source.shape) > 3:  # halved first, so that no stroke is skipped
        smaller = (max(1, source.shape[1] // 2), max(1, source.shape[0] // 2))
        ratio = np.array([source.shape[1] / smaller[0], source.shape[0] / smaller[1]])
        source = cv2.resize(source, smaller, interpolation=cv2.INTER_AREA)
        linear, shrink = linear * ratio, shrink * 2
    px, py = int(np.floor(left)) - 1, int(np.floor(top)) - 1
    px, py = max(px, 0), max(py, 0)
    qx, qy = min(SIDE, int(np.ceil(right)) + 2), min(SIDE, int(np.ceil(bottom)) + 2)
    offset = shift - [px, py] + linear @ [0.5, 0.5] - 0.5
    placed = cv2.warpAffine(source, np.column_stack([linear, offset]), (qx - px, qy - py), flags=cv2.INTER_LINEAR)
    if shrink > 1.5:  # enlarged, an edge would be as soft as the scale is large
        placed = cv2.convertScaleAbs(cv2.max(placed, int(128 - 128 / shrink)), alpha=shrink, beta=128 - 128 * shrink)
    faded = placed.max(initial=0) < FADED
    if strength < 1:
        placed = cv2.convertScaleAbs(placed, alpha=strength)
    spot = ink[py:qy, px:qx]
    np.maximum(spot, placed, out=spot)
    seen = (right - left) * (bottom - top) / max((x1 - x0) * (y1 - y0), 1e-6)
    if faded:  # so thin and small that hardly a pixel is inked: nobody could say whether it is there
        seen = min(seen, (LOST + VISIBLE) / 2)
    return float(left), float(top), float(right - left), float(bottom - top), float(seen)


def _legible(image: Bytes, ink: Bytes, box: tuple[float, float, float, float]) -> bool:
    """Whether the digit in the box stands out of its ground by as much as the ground varies, and by LEVELS."""
    x, y, w, h = box
    spot = np.s_[max(0, int(y) - 1) : int(y + h) + 2, max(0, int(x) - 1) : int(x + w) + 2]
    grey, cover = image[spot], ink[spot]
    stroke = (cover > 120).astype(np.uint8)
    if not stroke.any():
        return False
    inked = cv2.mean(grey, stroke)[0]
    ground, varies = cv2.meanStdDev(grey, mask=(cover < 30).astype(np.uint8))
    return bool(abs(inked - ground[0, 0]) >= max(LEVELS, varies[0, 0]))


def _draw_rule(rule: Bytes, points: Reals, thick: float, strength: float) -> None:
    if not np.isfinite(points).all() or np.abs(points).max() > 4000:
        return
    whole = max(1, round(thick))
    level = int(255 * strength * min(1.0, thick))
    cv2.polylines(rule, [np.rint(points * 16).astype(np.int32)], False, level, whole, cv2.LINE_AA, 4)
