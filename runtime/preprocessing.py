"""GrayImage and boxes -> tensors in MNIST's form. Training uses this file as well, so the two cannot drift apart.

The longer side of a digit's box is scaled to 20 pixels, and the centre of the box is the centre of a 28x28 image. What
lies beside the digit stays in the image: the network is trained to read the digit in the centre. The background becomes
0, ink becomes bright, and contrast is stretched, so that pencil and marker, board and paper look alike.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.boxes import Boxes
from digitocr.runtime.image import GrayImage
from digitocr.runtime.opencv import cv2
from digitocr.runtime.resampling import resized

Tensors: TypeAlias = npt.NDArray[np.float32]  # (N, 28, 28, 1), 0 to 1, ink bright
Images: TypeAlias = npt.NDArray[np.uint8]  # (N, 28, 28)

VERSION = 2  # of the preprocessing; a model's card says which one it was trained with
SIDE = 28  # pixels; of the network's input
DIGIT_SIDE = 20  # pixels; of the longer side of a digit in it
POLARITY_MARGIN = 3  # pixels; ink of neighbours reaches in there, so the polarity is decided inside
FULL_INK_QUANTILE = 0.97  # of the pixels inside the margin; a thin 1 covers 6 %, so the rest is not brighter than ink
MAX_LIT_SHARE = 0.75  # of the pixels of a 28x28 picture; where more are not black, its background is not black either
BLANK_BELOW = 18  # grey levels from the darkest to the brightest pixel; a 28x28 picture with less shows nothing
MIN_CONTRAST = 8.0  # grey levels; a lower contrast is not stretched to the full range
BLOCK = 256  # images that are normalised at once, to limit memory


def scale(images: Images) -> Tensors:
    """(N, 28, 28) uint8 -> (N, 28, 28, 1) float32 in [0, 1]: the one way from pixels to the network."""
    return images[..., None].astype(np.float32) / np.float32(255)


def lone(gray: GrayImage) -> Images:
    """A (28, 28) uint8 picture of one digit, of either polarity, in MNIST's form: (1, 28, 28), ink bright.

    The top row is taken for background. A picture with a black background is one of MNIST's and stays as it is; any
    other one is normalised.
    """
    bright = gray if cv2.sumElems(gray)[0] >= SIDE * cv2.sumElems(gray[0])[0] else 255 - gray
    is_normalised = cv2.countNonZero(bright) <= MAX_LIT_SHARE * SIDE * SIDE
    return bright[None] if is_normalised else normalised(bright[None])


def is_blank(gray: GrayImage) -> bool:
    """Whether a picture of one digit in MNIST's form shows nothing."""
    darkest, brightest, _, _ = cv2.minMaxLoc(gray)
    return bool(brightest - darkest < BLANK_BELOW)


def images(gray: GrayImage, boxes: Boxes) -> Images:
    """The digits in (N, 4) boxes of an (H, W) picture of either polarity in MNIST's form: (N, 28, 28), ink bright."""
    return normalised(crops(gray, boxes))


def crops(gray: GrayImage, boxes: Boxes) -> Images:
    """The squares around (N, 4) boxes of an (H, W) picture, resized: (N, 28, 28) uint8.

    A square is 28/20 of the longer side of its box, at least 2 pixels. Beyond the picture its edge pixels are repeated.
    """
    height, width = gray.shape
    squares = []
    for x, y, w, h in boxes.tolist():
        side = max(2, round(max(w, h) * SIDE / DIGIT_SIDE))
        left, top = round(x + (w - side) / 2), round(y + (h - side) / 2)
        right, bottom = left + side, top + side
        if left < 0 or top < 0 or right > width or bottom > height:
            squares.append(_beyond_edges(gray, left, top, side))
        else:
            squares.append(gray[top:bottom, left:right])
    return resized(squares, SIDE)


def _beyond_edges(gray: GrayImage, left: int, top: int, side: int) -> GrayImage:
    """(side, side): a square that lies partly or wholly outside of the (H, W) picture, its edge pixels repeated."""
    height, width = gray.shape
    # at least the nearest row and column of the picture, so that there is something to repeat
    inner = gray[
        min(max(top, 0), height - 1) : max(top + side, 1),
        min(max(left, 0), width - 1) : max(left + side, 1),
    ]
    above, before = min(max(-top, 0), side - 1), min(max(-left, 0), side - 1)
    below, behind = max(side - above - inner.shape[0], 0), max(side - before - inner.shape[1], 0)
    return np.asarray(cv2.copyMakeBorder(inner, above, below, before, behind, cv2.BORDER_REPLICATE), np.uint8)


def normalised(images: Images) -> Images:
    """(N, 28, 28) uint8 of either polarity -> ink bright, the background 0 and full ink 255.

    The background is the median. Ink covers less area than its background, so the sign of the third moment of the
    differences from it is the polarity. Full ink is FULL_INK_QUANTILE of the differences.
    """
    made = np.empty_like(images)
    for start in range(0, len(images), BLOCK):
        made[start : start + BLOCK] = _normalised(images[start : start + BLOCK])
    return made


def _normalised(images: Images) -> Images:
    levels = images.reshape(len(images), -1).astype(np.float32)
    levels -= np.partition(levels, SIDE * SIDE // 2, axis=1)[:, SIDE * SIDE // 2, None]
    square = levels.reshape(-1, SIDE, SIDE)
    inside = slice(POLARITY_MARGIN, -POLARITY_MARGIN)
    inner = square[:, inside, inside].reshape(len(images), -1)
    sign = np.where(np.add.reduce(inner * inner * inner, axis=1, dtype=np.float64) < 0, np.float32(-1), np.float32(1))[
        :, None
    ]
    rank = int(FULL_INK_QUANTILE * (inner.shape[1] - 1))
    full = np.partition(inner * sign, rank, axis=1)[:, rank, None]
    stretched = square * (sign * 255 / np.maximum(full, MIN_CONTRAST))[:, :, None]
    return np.clip(stretched, 0, 255).astype(np.uint8)
