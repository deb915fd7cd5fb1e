"""GrayImage and boxes -> tensors, much as MNIST was made; training uses this file, so the two cannot drift apart.

The longer side of a digit's box becomes 20 pixels of a 28x28 field, the box's middle the field's. What the field shows
beside the digit stays in it: the network has learned to read the one in the middle. The ground is taken off, ink is
made bright, and contrast is stretched, so that pencil and marker, board and paper come out alike.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.boxes import Boxes
from digitocr.runtime.image import GrayImage
from digitocr.runtime.opencv import cv2

Tensors: TypeAlias = npt.NDArray[np.float32]  # (N, 28, 28, 1), 0 to 1, ink bright
Images: TypeAlias = npt.NDArray[np.uint8]  # (N, 28, 28)

VERSION = 2  # of the preprocessing; a model says which one it was trained for
SIDE, BOX = 28, 20  # pixels
BORDER = 3  # pixels; beyond them is not asked which way the ink differs from its ground
INKED = 0.97  # of the pixels within the border are not brighter than full ink; a thin 1 leaves 6 in 100
LIT = 0.75  # of the pixels are not black: neither is the ground
FAINT = 8.0  # grey levels; a contrast that is not stretched to the full


def scale(images: Images) -> Tensors:
    """(N, 28, 28) uint8 -> (N, 28, 28, 1) float32 in [0, 1]: the one way from pixels to the network."""
    return images[..., None].astype(np.float32) / np.float32(255)


def lone(gray: GrayImage) -> Images:
    """(28, 28) uint8 that is one digit where MNIST has it, of either polarity -> (1, 28, 28), ink bright.

    The top row is ground. One whose ground is black, as MNIST's is, stays as it is; any other is normalised.
    """
    bright = gray if cv2.mean(gray)[0] >= cv2.mean(gray[0])[0] else 255 - gray
    return normalised(bright[None]) if cv2.countNonZero(bright) > LIT * SIDE * SIDE else bright[None]


def images(gray: GrayImage, boxes: Boxes) -> Images:
    """(N, 28, 28) uint8, ink bright: N boxes of an (H, W) picture of either polarity in MNIST's form."""
    return normalised(crops(gray, boxes))


def crops(gray: GrayImage, boxes: Boxes) -> Images:
    """(N, 28, 28) uint8: the square round each box, the picture's edges carried on beyond them; at least 1 pixel."""
    fields = np.empty((len(boxes), SIDE, SIDE), np.uint8)
    height, width = gray.shape
    for field, (x, y, w, h) in zip(fields, boxes.tolist(), strict=True):
        side = max(2, round(max(w, h) * SIDE / BOX))
        left, top = round(x + (w - side) / 2), round(y + (h - side) / 2)
        right, bottom = left + side, top + side
        inner = gray[max(top, 0) : max(bottom, 1), max(left, 0) : max(right, 1)]
        if left < 0 or top < 0 or right > width or bottom > height:
            inner = gray[min(max(top, 0), height - 1) : max(bottom, 1), min(max(left, 0), width - 1) : max(right, 1)]
            before_y, before_x = min(max(-top, 0), side - 1), min(max(-left, 0), side - 1)
            after_y, after_x = max(side - before_y - inner.shape[0], 0), max(side - before_x - inner.shape[1], 0)
            inner = cv2.copyMakeBorder(inner, before_y, after_y, before_x, after_x, cv2.BORDER_REPLICATE)
        way = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
        cv2.resize(inner, (SIDE, SIDE), dst=field, interpolation=way)
    return fields


def normalised(fields: Images) -> Images:
    """(N, 28, 28) uint8 of either polarity -> ink bright, the ground 0 and full ink 255.

    The ground is the median. Ink covers less than its ground, so the third moment of the differences tells its side.
    """
    if not len(fields):
        return fields
    levels = fields.reshape(len(fields), -1).astype(np.float32)
    levels -= np.partition(levels, SIDE * SIDE // 2, axis=1)[:, SIDE * SIDE // 2, None]
    square = levels.reshape(-1, SIDE, SIDE)
    inner = square[:, BORDER:-BORDER, BORDER:-BORDER].reshape(len(fields), -1)
    side = np.where(np.add.reduce(inner * inner * inner, axis=1) < 0, np.float32(-1), np.float32(1))[:, None]
    rank = int(INKED * (inner.shape[1] - 1))
    full = np.partition(inner * side, rank, axis=1)[:, rank, None]
    stretched = square * (side * 255 / np.maximum(full, FAINT))[:, :, None]
    return np.clip(stretched, 0, 255).astype(np.uint8)
