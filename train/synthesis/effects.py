"""What happens to ink before a picture is taken of it: outlines, relief, pens, rings, worn stamps, glow, scan lines.

Each function takes a plane of ink, (H, W) uint8 with 255 for ink, and returns one of the same size. Lengths are in
pixels. `relief` alone returns a signed plane: light on one side of the strokes, dark on the other.
"""

import numpy as np
from numpy.random import Generator

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.strokes import Bytes, Floats

_FRACTION_BITS = 4  # of OpenCV's fixed-point coordinates: sixteenths of a pixel
_BLOTCH = 0.3  # of the height of a character: the size of the worn places of a stamp


def outlined(ink: Bytes, width: int = 1) -> Bytes:
    """The contours of the strokes alone, `width` pixels outside of them; what is within is empty."""
    kernel = _disc(2 * width + 1)
    return np.asarray(cv2.subtract(cv2.dilate(ink, kernel), ink), np.uint8)


def hollowed(ink: Bytes, width: int = 1) -> Bytes:
    """The strokes with their inside taken away, so that a rim of `width` pixels stays; thin strokes stay whole."""
    kernel = _disc(2 * width + 1)
    inside = cv2.erode(ink, kernel)
    return np.asarray(cv2.subtract(ink, inside), np.uint8)


def relief(ink: Bytes, rng: Generator, depth: float = 1.0) -> Floats:
    """(H, W) float32 in [-1, 1]: characters pressed into a surface or out of it, lit from a random side.

    Args:
        ink: The characters.
        rng: Determines where the light comes from.
        depth: How far the edges reach, in pixels.
    """
    angle = rng.uniform(0, 2 * np.pi)
    smooth = cv2.GaussianBlur(ink.astype(np.float32) / 255, (0, 0), max(0.4, 0.6 * depth))
    dx, dy = depth * np.cos(angle), depth * np.sin(angle)
    size = ink.shape[1], ink.shape[0]
    towards, away = (
        cv2.warpAffine(smooth, np.array([[1, 0, way * dx], [0, 1, way * dy]]), size, flags=cv2.INTER_LINEAR)
        for way in (1, -1)
    )
    return np.asarray(np.clip(towards - away, -1, 1), np.float32)


def penned(ink: Bytes, broader: float) -> Bytes:
    """The strokes broader by that many pixels, or thinner where it is below 0; thin ones fade before they vanish."""
    whole = int(np.ceil(abs(broader)))
    if whole == 0:
        return ink
    kernel = _disc(whole + 1)
    changed = cv2.dilate(ink, kernel) if broader > 0 else cv2.erode(ink, kernel)
    share = abs(broader) / whole
    if broader < 0:  # a hairline keeps a part of its ink
        changed = cv2.max(changed, (ink * 0.35).astype(np.uint8))
    return np.asarray(cv2.addWeighted(ink, 1 - share, changed, share, 0), np.uint8)


def ringed(shape: tuple[int, int], box: tuple[float, float, float, float], rng: Generator, thick: float) -> Bytes:
    """A ring or a box around a character, to be added to its ink.

    Args:
        shape: (H, W) of the plane.
        box: x, y, w, h of the character.
        rng: Determines whether it is a circle, an ellipse, a box or a rounded box, drawn neatly or by hand.
        thick: Of its line.
    """
    x, y, w, h = box
    kind = int(rng.integers(3))
    loose = float(rng.choice([0.0, 0.03]))
    turn = np.linspace(0, 2 * np.pi, 49)
    if kind == 0:  # a circle
        half = np.array([0.5, 0.5]) * float(np.hypot(w, h)) * rng.uniform(1.05, 1.3)
    else:
        half = np.array([w / 2 + h * rng.uniform(0.12, 0.35), h / 2 * rng.uniform(1.2, 1.5)])
    power = (1.0, 1.0, rng.choice([0.12, 0.3]))[kind]  # of a superellipse: towards 0 it becomes a box
    points = np.stack([np.cos(turn), np.sin(turn)], 1)
    points = np.sign(points) * np.abs(points) ** power * half
    waves = np.cumsum(rng.normal(0, loose * h / 4, points.shape), axis=0) if loose else 0.0
    points = points + waves + (x + w / 2, y + h / 2)
    canvas: Bytes = np.zeros(shape, np.uint8)
    fixed = np.rint(points * 2**_FRACTION_BITS).astype(np.int32)
    cv2.polylines(canvas, [fixed], not loose, 255, max(1, round(thick)), cv2.LINE_AA, _FRACTION_BITS)
    return canvas


def stamped(ink: Bytes, rng: Generator, height: float, wear: float = 0.5) -> Bytes:
    """Worn like a stamp, dry like chalk or a bad print: ink is missing in spots and grains.

    Args:
        ink: The characters.
        rng: Determines the spots.
        height: Of a character, in pixels.
        wear: 0 for none, 1 for half of the ink.
    """
    rows, columns = ink.shape
    cell = max(1.5, _BLOTCH * height * rng.uniform(0.2, 1))
    coarse = rng.random((max(2, round(rows / cell)), max(2, round(columns / cell))), np.float32)
    spots = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    grain = rng.random((rows, columns), np.float32)
    level = 0.65 * spots + 0.35 * grain
    kept = np.clip((level - 0.5 * wear) * 6 + 0.5, 0, 1)
    return np.asarray(ink * kept, np.uint8)


def glowing(ink: Bytes, radius: float, strength: float = 0.6) -> Bytes:
    """With the light of a bright display around the strokes, as a camera sees it.

    Args:
        ink: The lit segments.
        radius: Of the light, in pixels.
        strength: Of the light, 0 to 1.
    """
    light = cv2.GaussianBlur(ink, (0, 0), max(0.3, radius))
    return np.asarray(cv2.add(ink, cv2.convertScaleAbs(light, alpha=strength)), np.uint8)


def scanned(ink: Bytes, period: float, strength: float, across: bool = False) -> Bytes:
    """With the dark lines between the rows of a screen, or its columns.

    Args:
        ink: The characters.
        period: From a line to the next, in pixels.
        strength: 0 for none, 1 for lines without any ink.
        across: Whether the lines are upright.
    """
    count = ink.shape[1] if across else ink.shape[0]
    wave = 1 - strength * (0.5 + 0.5 * np.cos(2 * np.pi * np.arange(count) / period)) ** 2
    return np.asarray(ink * (wave[None, :] if across else wave[:, None]), np.uint8)


def _disc(side: int) -> Bytes:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
