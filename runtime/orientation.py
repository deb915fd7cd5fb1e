"""A picture and its boxes turned."""

import numpy as np

from digitocr.runtime.boxes import Boxes
from digitocr.runtime.image import GrayImage
from digitocr.runtime.opencv import cv2


def turned(gray: GrayImage, degrees: int) -> GrayImage:
    """The picture turned clockwise; where that leaves corners empty, its edge goes on into them."""
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(gray, -degrees // 90)) if degrees else gray
    (height, width), (high, wide) = gray.shape, _turned_shape(gray.shape, degrees)
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1)
    matrix[:, 2] += (wide - width) / 2, (high - height) / 2
    return np.asarray(cv2.warpAffine(gray, matrix, (wide, high), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _turned_shape(shape: tuple[int, ...], degrees: int) -> tuple[int, int]:
    """The (H, W) that holds all of a picture of that shape when it is turned."""
    cos, sin = abs(np.cos(np.radians(degrees))), abs(np.sin(np.radians(degrees)))
    (height, width), least = shape, 1e-6
    return int(np.ceil(sin * width + cos * height - least)), int(np.ceil(cos * width + sin * height - least))


def turned_back(boxes: Boxes, shape: tuple[int, ...], turned: int) -> Boxes:
    """Boxes of a picture that was turned clockwise by so many degrees, in the (H, W) picture as it was.

    Where that is no quarter turn, the box round the box.
    """
    if not turned:
        return boxes
    cos, sin = np.cos(np.radians(turned)), np.sin(np.radians(turned))
    back = np.array([[cos, sin], [-sin, cos]])
    size, turned_size = np.array(shape[::-1]), np.array(_turned_shape(shape, turned)[::-1])
    middles = (boxes[:, :2] + boxes[:, 2:] / 2 - turned_size / 2) @ back.T + size / 2
    sides = boxes[:, 2:] @ np.abs(back).T
    return np.concatenate([middles - sides / 2, sides], 1).astype(np.float32)
