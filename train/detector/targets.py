"""The targets of the detector: the output that it should give for a scene.

    target = targets(scene)                 # (64, 64, 8) float32 of a 256x256 scene
    target[..., HEAT].max()                 # 1.0, in the cell of each digit's centre
    found, right = found_share(truth, output)

After X. Zhou et al., "Objects as Points" (2019): a cell has STRIDE x STRIDE pixels, and a digit is the cell that its
centre lies in.

    heat around a centre      cells above NEAR_HEAT, which learn box and digit as well
    0.1 0.4 0.5 0.4 0.1         .   .   .   .   .
    0.4 0.8 0.9 0.8 0.4         .   x   x   x   .
    0.5 0.9 1.0 0.9 0.5         .   x   x   x   .
    0.4 0.8 0.9 0.8 0.4         .   x   x   x   .
"""

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.detector import STRIDE
from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.scenes import Scene
from digitocr.train.synthesis.strokes import Floats

# The channels of a target.
HEAT = 0  # 1 in the cell of a centre, falling to 0 around it
WEIGHT = 1  # 0 where a centre is neither wanted nor refused, else 1
DX = 2  # x from the cell's middle to the digit's, in longer sides of the digit
DY = 3  # the same for y
LOG_WIDTH = 4  # logarithm of the digit's width in cells
LOG_HEIGHT = 5  # logarithm of the digit's height in cells
BOX = 6  # 1 where the cell learns box and digit
DIGIT = 7  # 0 to 9
TARGET_CHANNELS = 8  # all of these

HEAT_SPREAD = 0.35  # standard deviation of the heat, in cells per square root of the digit's side in cells
NEAR_HEAT = 0.6  # a cell with this much heat or more learns box and digit
CENTRE_HEAT = 0.999  # heat above which a cell is a centre; it has 1, its neighbours at most 0.9


def targets(scene: Scene) -> Floats:
    """(H/STRIDE, W/STRIDE, TARGET_CHANNELS) float32 of a scene of H x W pixels."""
    rows, columns = (side // STRIDE for side in scene.image.shape)
    target = np.zeros((rows, columns, TARGET_CHANNELS), np.float32)
    target[..., WEIGHT] = 1
    for x, y, w, h in scene.ignored:
        top, bottom = int(y // STRIDE), int((y + h) // STRIDE) + 1
        left, right = int(x // STRIDE), int((x + w) // STRIDE) + 1
        target[max(top, 0) : bottom, max(left, 0) : right, WEIGHT] = 0
    closest = np.zeros((rows, columns), np.float32)  # heat of the digit that a cell learns: the one with the most heat
    for (x, y, w, h), label in zip(scene.boxes, scene.labels, strict=True):
        side = max(w, h)
        cx, cy = (x + w / 2) / STRIDE - 0.5, (y + h / 2) / STRIDE - 0.5  # in cells, from the first cell's middle
        column, row = min(max(round(float(cx)), 0), columns - 1), min(max(round(float(cy)), 0), rows - 1)
        deviation = HEAT_SPREAD * np.sqrt(side / STRIDE)
        reach = int(3 * deviation) + 1
        ys = np.arange(max(row - reach, 0), min(row + reach + 1, rows))
        xs = np.arange(max(column - reach, 0), min(column + reach + 1, columns))
        squared = (ys[:, None] - row) ** 2 + (xs[None] - column) ** 2
        heat = np.exp(-squared / (2 * deviation**2)).astype(np.float32)
        spot = np.ix_(ys, xs)
        mine = (heat >= NEAR_HEAT) & (heat > closest[spot])
        closest[spot] = np.where(mine, heat, closest[spot])
        part = target[spot]
        part[..., HEAT] = np.maximum(part[..., HEAT], heat)
        for channel, value in (
            (DX, (cx - xs[None]) * STRIDE / side),
            (DY, (cy - ys[:, None]) * STRIDE / side),
            (LOG_WIDTH, np.log(w / STRIDE)),
            (LOG_HEIGHT, np.log(h / STRIDE)),
            (BOX, 1),
            (DIGIT, label),
        ):
            part[..., channel] = np.where(mine, value, part[..., channel])
        target[spot] = part
        target[row, column, WEIGHT] = 1
    return target


def found_share(target: NDArray[np.floating], output: NDArray[np.floating]) -> tuple[float, float]:
    """Two quick measures of a training's progress.

    Args:
        target: (N, rows, columns, TARGET_CHANNELS), of `targets`.
        output: (N, rows, columns, channels) of the network; the first channel is the logit of a centre.

    Returns:
        Of the true centres the share that has an output over 0 in its cell or next to it; of the peaks of the output
        over 0 the share that lies in the cell of a true centre or next to it.
    """
    hit = right = centres = peaks = 0
    around = np.ones((3, 3), np.uint8)
    for true, seen in zip(target, output, strict=True):
        heat = seen[:, :, 0].copy()
        heat[true[:, :, WEIGHT] == 0] = -np.inf
        highest = cv2.dilate(heat, around)
        centre = true[:, :, HEAT] > CENTRE_HEAT
        peak = (heat > 0) & (heat == highest)
        beside = cv2.dilate(centre.astype(np.uint8), around) > 0
        centres, hit = centres + int(centre.sum()), hit + int((centre & (highest > 0)).sum())
        peaks, right = peaks + int(peak.sum()), right + int((peak & beside).sum())
    return hit / max(centres, 1), right / max(peaks, 1)
