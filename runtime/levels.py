"""Levels of any depth, with or without colour and opacity -> grey levels of 8 bits.

GrayImage: (H, W) uint8, 0 to 255, of either polarity.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import InputError
from digitocr.runtime.opencv import cv2

GrayImage: TypeAlias = npt.NDArray[np.uint8]


def gray_of_array(array: npt.NDArray[Any]) -> GrayImage:
    """The grey levels of a picture in an array. Raises InputError for another type or range.

    Args:
        array: (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16, bool, or float in [0, 1]. Neither side
            is 0. It is not changed, but may be returned.
    """
    if array.dtype != np.uint8:
        array = _eight_bit(array)
    if array.ndim == 2:
        return array
    if array.shape[2] == 1:
        return array[:, :, 0]
    if array.shape[2] == 4:
        return over_contrast(cv2.cvtColor(array, cv2.COLOR_RGBA2GRAY), array[:, :, 3])
    gray: GrayImage = cv2.cvtColor(array, cv2.COLOR_RGB2GRAY)
    return gray


def over_contrast(gray: GrayImage, alpha: npt.NDArray[np.uint8]) -> GrayImage:
    """(H, W) grey levels and opacity, laid on white if the opaque part is dark, on black if it is bright."""
    on_black: GrayImage = cv2.multiply(gray, alpha, scale=1 / 255)
    if cv2.mean(on_black)[0] > cv2.mean(alpha)[0] / 2:
        return on_black
    on_white: GrayImage = cv2.add(on_black, cv2.bitwise_not(alpha))
    return on_white


def stretched(levels: npt.NDArray[Any]) -> GrayImage:
    """Levels of any depth, the darkest to 0 and the brightest to 255. Raises ValueError for NaN and infinities."""
    low, high = float(levels.min()), float(levels.max())
    if not np.isfinite(high - low):
        raise ValueError("levels that are no finite numbers")
    factor = 255 / (high - low) if high > low else 0.0
    native = levels.astype(levels.dtype.newbyteorder("="), copy=False)
    gray: GrayImage = cv2.convertScaleAbs(native, alpha=factor, beta=-low * factor)
    return gray


def _eight_bit(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if np.issubdtype(array.dtype, np.uint16):
        return stretched(array)
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"an array must be uint8, uint16, bool or float in [0, 1], not {array.dtype}")
    if not (array.min() >= 0 and array.max() <= 1):  # False for NaN, too
        raise InputError("an array of floats must hold numbers from 0 to 1, and no NaN; scale it first")
    return (array * 255).round().astype(np.uint8)
