"""What has changed since another frame: in each digit, and beside the digits.

Digits are compared as they are cropped for the classifier, so that one thin segment counts, however small they are. The
rest is compared in a reduced frame, in which a pixel may have moved by REACH without having changed.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime import preprocessing
from digitocr.runtime.boxes import Boxes
from digitocr.runtime.image import GrayImage
from digitocr.runtime.opencv import cv2
from digitocr.runtime.preprocessing import DIGIT_SIDE, SIDE

Looks: TypeAlias = npt.NDArray[np.float32]  # (n, DIGIT_SIDE, DIGIT_SIDE): grey levels of digits, averaged over BLOCK
Mask: TypeAlias = npt.NDArray[np.bool_]  # (h, w), of a reduced frame

REDUCED_SIDE = 320  # pixels; a frame is halved as long as its longer side stays as long as that
BLOCK = 4  # pixels of a digit's crop that are averaged, against noise and small shifts; a stroke is three wide
REACH = 2  # pixels of the reduced frame; what moved by no more, as at the edges of a turned frame, has not changed
LEVELS = 12  # grey levels of the reduced frame; compression and focus change a pixel by less
NOISES = 4.0  # median differences of a pixel between two frames; noise changes none by more
EVERY = 6  # pixels; every sixth row and column is enough for the median brightness
LEAST = 12  # pixels of the reduced frame; fewer are specks
NEIGHBOURS = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)


class Scene(NamedTuple):
    """A reduced frame, (h, w) uint8, with the darkest and the brightest level within REACH of each pixel."""

    small: GrayImage
    low: GrayImage
    high: GrayImage


def scene(gray: GrayImage) -> Scene:
    """The scene of an (H, W) uint8 frame."""
    while max(gray.shape) >= 2 * REDUCED_SIDE and min(gray.shape) > 1:
        height, width = (length // 2 for length in gray.shape)
        gray = cv2.resize(gray[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    return Scene(gray, cv2.erode(gray, NEIGHBOURS), cv2.dilate(gray, NEIGHBOURS))


def strange(after: Scene, before: Scene, shift: tuple[int, int]) -> Mask:
    """(h, w): the pixels of a frame that an earlier one, moved by `shift` pixels right and down, does not explain.

    A change of brightness of the whole frame is no change. Pixels beyond the edges of the earlier frame are left out.
    """
    (height, width), (x, y) = after.small.shape, shift
    here = slice(max(y, 0), max(height + min(y, 0), 0)), slice(max(x, 0), max(width + min(x, 0), 0))
    there = slice(max(-y, 0), max(height - max(y, 0), 0)), slice(max(-x, 0), max(width - max(x, 0), 0))
    is_strange = np.zeros((height, width), np.bool_)
    seen = after.small[here]
    if not seen.size:
        return is_strange
    some, before_some = (part[::EVERY, ::EVERY].astype(np.float32) for part in (seen, before.small[there]))
    brighter = _median((some + 1) / (before_some + 1))
    noise = _median(np.abs(some - brighter * before_some))
    low, high = (cv2.convertScaleAbs(level[there], alpha=brighter) for level in (before.low, before.high))
    is_strange[here] = cv2.max(cv2.subtract(seen, high), cv2.subtract(low, seen)) > max(LEVELS, NOISES * noise)
    return is_strange


def _median(values: npt.NDArray[np.float32]) -> float:
    """The middle one, or the upper one of two: np.median takes several times as long."""
    middle = values.size // 2
    return float(np.partition(values, middle, None)[middle])


def looks(gray: GrayImage, boxes: Boxes) -> Looks:
    """The digits in (n, 4) boxes of an (H, W) uint8 frame, to be compared."""
    crops = preprocessing.crops(gray, boxes).astype(np.float32)
    averaged = cv2.blur(crops.reshape(-1, SIDE), (BLOCK, BLOCK)).reshape(-1, SIDE, SIDE)
    inside = slice((SIDE - DIGIT_SIDE) // 2, (SIDE + DIGIT_SIDE) // 2)
    return np.asarray(averaged[:, inside, inside], np.float32)


def differences(after: Looks, before: Looks) -> npt.NDArray[np.float32]:
    """(n,): the largest difference in each digit, as a share of the contrast that it had, whatever its brightness."""
    difference = after - before
    difference -= difference.mean((1, 2), keepdims=True)
    contrast = before.max((1, 2), initial=0.0) - before.min((1, 2), initial=255.0)
    return np.asarray(np.abs(difference).max((1, 2), initial=0.0) / np.maximum(contrast, 1), np.float32)


def squares(boxes: Boxes, scale: float, shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    """The parts of a reduced frame that (n, 4) boxes of the frame as it was are cropped from.

    Args:
        boxes: In pixels of the frame as it was.
        scale: Pixels of the reduced frame for one of these.
        shape: (h, w) of the reduced frame.
    """
    centres = (boxes[:, :2] + boxes[:, 2:] / 2) * scale
    half = np.maximum(boxes[:, 2:].max(1, keepdims=True) * (scale * SIDE / DIGIT_SIDE / 2), 1)
    sides = np.array(shape[::-1])
    low = np.clip(np.floor(centres - half), 0, sides).astype(int).tolist()
    high = np.clip(np.ceil(centres + half), 0, sides).astype(int).tolist()
    return [(slice(top, bottom), slice(left, right)) for (left, top), (right, bottom) in zip(low, high, strict=True)]


def whole(parts: Mask, chosen: Mask) -> Mask:
    """(h, w): of the connected parts of a mask those of which a pixel is chosen."""
    if not (parts & chosen).any():
        return np.zeros_like(parts)
    _, labels = cv2.connectedComponents(cv2.dilate(parts.view(np.uint8), NEIGHBOURS))
    is_chosen = np.zeros(int(labels.max()) + 1, np.bool_)
    is_chosen[labels[parts & chosen]] = True
    return np.asarray(is_chosen[labels] & parts, np.bool_)
