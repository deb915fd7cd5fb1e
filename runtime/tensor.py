"""GrayImage and regions -> tensors, the way MNIST was made; training uses this file, so the two cannot drift apart.

LeCun, Cortes and Burges (the MNIST database, 1998): the digit is fitted into a 20x20 box without changing its aspect,
with anti-aliasing, and laid into a 28x28 field with its centre of mass at the field's centre.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.image import GrayImage, fitted, level
from digitocr.runtime.opencv import cv2
from digitocr.runtime.regions import Region

Tensors: TypeAlias = npt.NDArray[np.float32]  # (N, 28, 28, 1), 0 to 1, ink bright

VERSION = 1  # of the preprocessing; a model says which one it was trained for
SIDE, BOX = 28, 20  # pixels
FINE = 80  # pixels; the side at which ink is worked on, four times the box
THIN = 2.5  # pixels of the 20x20 box; a quarter of MNIST's digits have thinner strokes


def scale(images: npt.NDArray[np.uint8]) -> Tensors:
    """(N, 28, 28) uint8 -> (N, 28, 28, 1) float32 in [0, 1]: the one way from pixels to the network."""
    return images[..., None].astype(np.float32) / np.float32(255)


def images(gray: GrayImage, regions: Sequence[Region]) -> npt.NDArray[np.uint8]:
    """(N, 28, 28) uint8, ink bright: N regions of an (H, W) picture in MNIST's form."""
    fields = np.zeros((len(regions), SIDE, SIDE), np.uint8)
    for field, region in zip(fields, regions, strict=True):
        _lay(_fitted(gray, region), field)
    return fields


def _fitted(gray: GrayImage, region: Region) -> npt.NDArray[np.uint8]:
    """The region's ink in at most 20x20 pixels: the ground taken off, other strokes masked, contrast stretched."""
    box = region.box
    crop = gray[box.y : box.y + box.h, box.x : box.x + box.w]
    size = fitted(crop.shape, FINE)
    crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if size < crop.shape[::-1] else cv2.INTER_CUBIC)
    own = cv2.resize(region.strokes, size, interpolation=cv2.INTER_NEAREST)
    ground, full = level(crop, 0.5, cv2.bitwise_not(own)), level(crop, 0.75, own)
    ink = (crop - np.float32(ground)) * np.float32(255 / max(full - ground, 1))
    ink = np.clip(ink, 0, 255) * (cv2.dilate(own, np.ones((3, 3), np.uint8)) > 0)
    ink = _broadened(ink, own)
    small: npt.NDArray[np.float32] = cv2.resize(ink, fitted(ink.shape, BOX), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8)


def _broadened(ink: npt.NDArray[np.float32], own: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """MNIST was written with broad pens: a stroke that would come out thinner than THIN is broadened to that."""
    framed = cv2.copyMakeBorder(own, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)  # beyond the box is no ink
    width = 4 * float(cv2.distanceTransform(framed, cv2.DIST_L2, 3)[framed > 0].mean())  # exact for a long stroke
    margin = round((THIN * max(own.shape) / BOX - width) / 2)
    if margin < 1:
        return ink
    ink = cv2.copyMakeBorder(ink, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
    broad: npt.NDArray[np.float32] = cv2.dilate(ink, pen)
    return broad


def _lay(digit: npt.NDArray[np.uint8], field: npt.NDArray[np.uint8]) -> None:
    """Writes the digit into the 28x28 field, its centre of mass at the centre."""
    moments = cv2.moments(digit)
    mass = moments["m00"] or 1.0
    x = round(SIDE / 2 - moments["m10"] / mass)
    y = round(SIDE / 2 - moments["m01"] / mass)
    height, width = digit.shape
    x, y = min(max(x, 0), SIDE - width), min(max(y, 0), SIDE - height)
    field[y : y + height, x : x + width] = digit
