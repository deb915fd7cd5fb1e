"""Background, light, ink and camera: from a scene's sheet to a picture of it.

    image = photograph(ink, rules, areas, rng, natural=False)     # (256, 256) uint8
    image, whole = framed(image, rng, boxes)                      # as if the picture were smaller

Levels are 0 to 1, black to white, until the camera makes 256 grey levels of them. The numbers are ranges of random
draws.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.sheet import SCENE_SIDE
from digitocr.train.synthesis.strokes import Bytes, Floats

_MAX_LEAF = 120.0  # pixels; the largest shape of a natural background
_NOISE_SHARE = 60  # grey levels; the most noise at full contrast, a quarter of the difference between ink and paper
_CUT_TOLERANCE = 2  # pixels of a box that may be cut off before it counts as cut
_MIN_FRAME = 24  # pixels; a smaller picture is not framed
_MIN_CROP = 40  # pixels; the least side of a picture that is cropped to its digits


def photograph(ink: Bytes, rule: Bytes, area: Bytes, rng: Generator, natural: bool) -> Bytes:
    """(256, 256) uint8: the picture of a sheet by a camera or a scanner, or as a program draws it.

    Args:
        ink: (256, 256) uint8, coverage by writing.
        rule: (256, 256) uint8, coverage by lines.
        area: (256, 256) uint8, coverage by filled areas.
        rng: Determines background, light and camera.
        natural: Whether the background is a natural texture instead of paper.
    """
    clean = not natural and rng.random() < 0.18  # a scan, a drawing or a screenshot: no texture, no noise
    paper = rng.uniform(0.35, 1.0) if rng.random() < 0.5 else rng.uniform(0.8, 1.0)
    ground = _dead_leaves(rng) if natural else np.full((SCENE_SIDE, SCENE_SIDE), 1 if clean else paper, np.float32)
    if not clean and not natural:
        ground = _paper(ground, rng)
    contrast = float(rng.uniform(0.5, 1) if rng.random() < 0.65 else np.exp(rng.uniform(np.log(0.14), np.log(0.5))))
    if not clean and rng.random() < 0.2:
        ground = _show_through(ground, ink, np.float32(rng.uniform(0.05, 0.35) * contrast), rng)
    cover = ink.astype(np.float32) * np.float32(contrast / 255)
    if not clean and rng.random() < 0.35:
        cover = _rough(cover, rng)
    ruling = rule.astype(np.float32) * np.float32(rng.uniform(0.3, 1.0) * max(contrast, 0.3) / 255)
    image = ground
    if area.any():
        image, cover = _with_areas(image, cover, area, rng)
    image = image * (1 - ruling) if rng.random() < 0.9 else np.maximum(image, 1.1 * ruling * paper)
    bright = natural and rng.random() < 0.5
    image = image + (np.float32(1.0) - image) * cover if bright else image * (1 - cover)
    if not clean:
        image = image * _light(rng)
    if rng.random() < 0.22:
        image = 1.02 - image
    return taken(image, contrast * paper, rng, clean)


def taken(image: Floats, contrast: float, rng: Generator, clean: bool) -> Bytes:
    """(256, 256) uint8: a picture as a camera, a scanner or a program keeps it.

    Args:
        image: (256, 256), levels 0 to 1.
        contrast: Between ink and paper, 0 to 1; noise does not hide it.
        rng: Determines sharpness, exposure, noise and compression.
        clean: Whether it is a scan, a drawing or a screenshot.
    """
    image = _blurred(image, rng, shaken=not clean)
    low, gain = rng.uniform(-0.05, 0.1), rng.uniform(0.75, 1.05) if rng.random() < 0.75 else rng.uniform(0.15, 0.75)
    image = np.asarray((image * gain + low) * 255, np.float32)
    if not clean or rng.random() < 0.3:
        image = image + _noise(_NOISE_SHARE * contrast * gain, rng)
    return _stored(np.clip(image, 0, 255).astype(np.uint8), rng, clean)


def framed(
    image: Bytes, rng: Generator, boxes: list[tuple[float, float, float, float]]
) -> tuple[Bytes, NDArray[np.bool_]]:
    """A scene as if its picture were smaller: cropped at random, or to the boxes, and filled up with its edge pixels.

    A reader fills up small pictures in the same way.

    Args:
        image: (256, 256) uint8.
        rng: Determines the frame.
        boxes: n times x, y, width, height in pixels.

    Returns:
        The picture, of the same size, and (n,) whether each box is still whole.
    """
    margin = [int(rng.integers(0, SCENE_SIDE // 3)) for _ in range(4)]
    if boxes and rng.random() < 0.7:
        extent = np.array(boxes)
        room = rng.uniform(2, 20)
        to_boxes = (
            extent[:, 0].min() - room,
            extent[:, 1].min() - room,
            SCENE_SIDE - (extent[:, :1] + extent[:, 2:3]).max() - room,
            SCENE_SIDE - (extent[:, 1] + extent[:, 3]).max() - room,
        )
        margin = [int(np.clip(side, 0, SCENE_SIDE - _MIN_CROP)) for side in to_boxes]
    left, top, right, bottom = margin
    if left + right > SCENE_SIDE - _MIN_FRAME or top + bottom > SCENE_SIDE - _MIN_FRAME:
        return image, np.ones(len(boxes), np.bool_)
    inner = image[top : SCENE_SIDE - bottom, left : SCENE_SIDE - right]
    filled = cv2.copyMakeBorder(inner, top, bottom, left, right, cv2.BORDER_REPLICATE)
    whole = [
        x >= left - _CUT_TOLERANCE
        and y >= top - _CUT_TOLERANCE
        and x + w <= SCENE_SIDE - right + _CUT_TOLERANCE
        and y + h <= SCENE_SIDE - bottom + _CUT_TOLERANCE
        for x, y, w, h in boxes
    ]
    return np.asarray(filled, np.uint8), np.array(whole, np.bool_)


def _clouds(rng: Generator, cells: float, levels: float) -> Floats:
    """(256, 256) smooth noise, 256 / cells pixels wide, of mean 0 and a standard deviation of about `levels`."""
    side = max(2, int(cells))
    small = rng.standard_normal((side, side), np.float32) * np.float32(levels)
    return np.asarray(cv2.resize(small, (SCENE_SIDE, SCENE_SIDE), interpolation=cv2.INTER_CUBIC), np.float32)


def _dead_leaves(rng: Generator) -> Floats:
    """(256, 256) background of shapes of all sizes that cover each other, as the things in a photo do.

    The dead leaves model: D. Mumford, B. Gidas, "Stochastic models for generic images" (2001). Sometimes with the
    joints of bricks or slats on top.
    """
    canvas = np.full((SCENE_SIDE, SCENE_SIDE), rng.uniform(40, 215), np.uint8)
    least = rng.uniform(2, 8)
    kind = int(rng.integers(3))  # 0: ellipses, 1: polygons, 2: both
    spread, middle = rng.uniform(10, 70), rng.uniform(60, 200)  # of the grey levels
    turn = rng.uniform(0, 180)
    for _ in range(int(rng.integers(30, 350))):
        size = min(_MAX_LEAF, least / max(rng.random(), 0.02) ** 0.7)
        x, y = rng.uniform(0, SCENE_SIDE, 2)
        level = int(np.clip(rng.normal(middle, spread), 0, 255))
        if kind == 0 or (kind == 2 and rng.random() < 0.5):
            axes = int(max(1, size)), int(max(1, size * rng.uniform(0.2, 1)))
            angle = turn + rng.normal(0, 25)
            thickness = cv2.FILLED if rng.random() < 0.85 else 1
            cv2.ellipse(canvas, (int(x), int(y)), axes, angle, 0, 360, level, thickness, cv2.LINE_AA)
        else:
            points = np.array([x, y]) + rng.uniform(-1, 1, (int(rng.integers(3, 6)), 2)) * size
            cv2.fillPoly(canvas, [points.astype(np.int32)], level, cv2.LINE_AA)
    if rng.random() < 0.25:
        _draw_joints(canvas, rng)
    image = canvas.astype(np.float32) / 255
    image += _clouds(rng, rng.choice([16, 64, 128]), rng.uniform(0, 0.12))
    return np.asarray(image, np.float32)


def _draw_joints(canvas: Bytes, rng: Generator) -> None:
    """The joints of a wall of bricks or slats."""
    step, row, joint = rng.uniform(8, 60), rng.uniform(6, 40), int(rng.integers(0, 255))
    for place, y in enumerate(np.arange(0, SCENE_SIDE, row)):
        cv2.line(canvas, (0, int(y)), (SCENE_SIDE, int(y)), joint, int(rng.integers(1, 4)))
        for x in np.arange((place % 2) * step / 2, SCENE_SIDE, step):
            cv2.line(canvas, (int(x), int(y)), (int(x), int(y + row)), joint, 1)


def _paper(ground: Floats, rng: Generator) -> Floats:
    """Even paper made uneven, sometimes with its edge on a desk within the picture."""
    ground = ground + _clouds(rng, rng.choice([4, 12, 40, 100]), rng.uniform(0, 0.02))
    return _on_desk(ground, rng) if rng.random() < 0.15 else ground


def _on_desk(ground: Floats, rng: Generator) -> Floats:
    """The background up to the sheet's straight edge, and a desk beyond it."""
    toward, at = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 1.0) * SCENE_SIDE / 2
    along = np.array([np.cos(toward), np.sin(toward)])
    across = np.array([-along[1], along[0]])
    edge = np.array([SCENE_SIDE / 2, SCENE_SIDE / 2]) + along * at
    far = 400  # pixels; beyond every corner of the picture
    corners = np.array([edge - far * across, edge + far * across, edge + far * (across + along)])
    corners = np.vstack([corners, [edge + far * (along - across)]])
    beyond = np.zeros((SCENE_SIDE, SCENE_SIDE), np.uint8)
    cv2.fillPoly(beyond, [np.rint(corners).astype(np.int32)], 255, cv2.LINE_AA)
    desk = _dead_leaves(rng) if rng.random() < 0.4 else np.float32(rng.uniform(0.05, 0.8)) + _clouds(rng, 20, 0.03)
    share = beyond.astype(np.float32) / 255
    return np.asarray(ground * (1 - share) + desk * share, np.float32)


def _show_through(ground: Floats, ink: Bytes, strength: np.float32, rng: Generator) -> Floats:
    """The background with the writing of the sheet's other side: mirrored, moved and faint."""
    ghost = cv2.GaussianBlur(ink[:, ::-1], (0, 0), rng.uniform(0.5, 2.5)).astype(np.float32) / 255
    moved = np.roll(ghost, (int(rng.integers(-60, 60)), int(rng.integers(-60, 60))), (0, 1))
    return np.asarray(ground * (1 - strength * moved), np.float32)


def _rough(cover: Floats, rng: Generator) -> Floats:
    """The ink of a pencil or of chalk, which misses the paper's hollows."""
    tooth = rng.standard_normal((SCENE_SIDE, SCENE_SIDE), np.float32)
    tooth = cv2.blur(tooth, (2, 2)) if rng.random() < 0.5 else tooth
    return np.asarray(cover * np.clip(1 - np.float32(rng.uniform(0.1, 0.6)) * np.maximum(tooth, 0), 0, 1), np.float32)


def _with_areas(image: Floats, cover: Floats, area: Bytes, rng: Generator) -> tuple[Floats, Floats]:
    """The image with its filled areas darker or brighter, and the ink that is still to be drawn.

    On a dark field the digits may be light; then they are drawn here and no ink is left.
    """
    dark = np.float32(rng.choice([0.3, 0.8, -0.4]))
    image = np.asarray(image * (1 - area.astype(np.float32) / 255 * dark), np.float32)
    if rng.random() < 0.5 and area.max() > 90:
        lit = np.float32(rng.uniform(0.6, 1.0))
        return np.asarray(image + (lit - image) * cover, np.float32), np.zeros_like(cover)
    return image, cover


def _light(rng: Generator) -> Floats:
    """(256, 256) light of about 1: a slope, sometimes a vignette and a shadow with a soft or a hard edge."""
    y, x = np.mgrid[-1:1:32j, -1:1:32j].astype(np.float32)
    toward = rng.uniform(0, 2 * np.pi)
    light = 1 - np.float32(rng.beta(1.5, 3) * 0.35) * (1 + np.cos(toward) * x + np.sin(toward) * y)
    if rng.random() < 0.3:
        at = rng.uniform(-0.5, 0.5, 2)
        light *= 1 - np.float32(rng.uniform(0, 0.3)) * ((x - at[0]) ** 2 + (y - at[1]) ** 2)
    large = cv2.resize(light.astype(np.float32), (SCENE_SIDE, SCENE_SIDE), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.3:
        y, x = np.mgrid[-1:1:128j, -1:1:128j].astype(np.float32)
        edge = np.cos(toward) * x + np.sin(toward) * y + 0.15 * np.sin(3 * x + 2 * y + toward) - rng.uniform(-0.6, 0.6)
        shade = 1 - np.float32(rng.uniform(0.15, 0.6)) / (1 + np.exp(-edge / rng.uniform(0.01, 0.2)))
        large = large * cv2.resize(shade.astype(np.float32), (SCENE_SIDE, SCENE_SIDE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32)


def _blurred(image: Floats, rng: Generator, shaken: bool) -> Floats:
    """Out of focus by a random amount, and sometimes moved during the exposure where `shaken` allows it."""
    sigma = float(rng.gamma(1.5, 0.35))
    if sigma > 0.25:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)
    return _shaken(image, rng) if shaken and rng.random() < 0.08 else image


def _shaken(image: Floats, rng: Generator) -> Floats:
    """Motion blur of 3 to 7 pixels along an axis."""
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    if rng.random() < 0.5:
        kernel[length // 2] = 1 / length
    else:
        kernel[:, length // 2] = 1 / length
    return np.asarray(cv2.filter2D(image, -1, kernel), np.float32)


def _noise(most: float, rng: Generator) -> Floats:
    """(256, 256) noise of a sensor, in grey levels: of each pixel alone or of 2x2 pixels; most: standard deviation."""
    noise = rng.standard_normal((SCENE_SIDE, SCENE_SIDE), np.float32) * np.float32(min(rng.gamma(1.5, 2.2), most))
    return np.asarray(cv2.blur(noise, (2, 2)) * 2 if rng.random() < 0.5 else noise, np.float32)


def _stored(grey: Bytes, rng: Generator, clean: bool) -> Bytes:
    """The picture as a file keeps it: sometimes black and white, as a fax is, sometimes compressed as JPEG."""
    if clean and rng.random() < 0.2:
        level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        grey = np.where(grey > level + rng.uniform(-20, 20), np.uint8(255), np.uint8(0))
    if rng.random() < 0.35:
        _, data = cv2.imencode(".jpg", grey, (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))))
        grey = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.asarray(grey, np.uint8)
