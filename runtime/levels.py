"""Levels of any depth, with or without colour and opacity -> grey levels of 8 bits.

GrayImage: (H, W) uint8, 0 to 255, of either polarity.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import InputError
from digitocr.runtime.opencv import cv2

GrayImage: TypeAlias = npt.NDArray[np.uint8]
Rgb: TypeAlias = npt.NDArray[np.uint8]  # (H, W, 3)

MASK_RANGE = 18  # grey levels; two levels that are no further apart cannot be seen, so they stand for black and white
FLAT_SPREAD = 8.0  # grey levels; the standard deviation below which the colours are looked at
COLOUR_GAIN = 4.0  # times the standard deviation of the grey levels that the colours must have to be used instead
MIN_COLOUR_SPREAD = 8.0  # levels of colour; less is noise
SAMPLES = 256  # rows and columns, at most, of which the standard deviations are taken
RANGE_ROWS = 512  # rows that are computed at once with more bits, to limit memory
RUN = 3  # pixels in a row, column or diagonal that have a level of the range; a hot pixel or two have not


def gray_of_array(array: npt.NDArray[Any]) -> GrayImage:
    """The grey levels of a picture in an array. Raises InputError for another type or range.

    Args:
        array: (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16, bool, or float in [0, 1]. Neither side
            is 0. It is not changed, but may be returned.
    """
    if array.dtype != np.uint8:
        array = _eight_bit(array)
    if array.ndim == 2:
        return unmasked(array)
    if array.shape[2] == 1:
        return unmasked(array[:, :, 0])
    if array.shape[2] == 4:
        if array[:, :, 3].min() < 255:
            return over_contrast(cv2.cvtColor(array, cv2.COLOR_RGBA2GRAY), array[:, :, 3])
        array = array[:, :, :3]
    gray: GrayImage = cv2.cvtColor(array, cv2.COLOR_RGB2GRAY)
    return unmasked(told_apart_by_colour(gray, lambda: array))


def unmasked(gray: GrayImage) -> GrayImage:
    """The (H, W) picture; one of two levels MASK_RANGE apart at most, such as 0 and 1, in black and white."""
    low, high, _, _ = cv2.minMaxLoc(gray)
    if not 0 < high - low <= MASK_RANGE:
        return gray
    bright = gray == high
    if np.count_nonzero(bright) + np.count_nonzero(gray == low) < gray.size:
        return gray
    return np.where(bright, np.uint8(255), np.uint8(0))


def told_apart_by_colour(gray: GrayImage, rgb: Callable[[], Rgb]) -> GrayImage:
    """The (H, W) grey levels, or the colours on the line through them on which they differ most.

    That line is used where the grey levels hardly differ and the colours do, such as red digits on a green of the same
    brightness.

    Args:
        gray: (H, W) uint8.
        rgb: Gives the (H, W, 3) colours; called where the grey levels hardly differ.
    """
    if not is_flat(gray):
        return gray
    colours = rgb()
    samples = _sampled(colours).reshape(-1, 3).astype(np.float32)
    variances, directions = np.linalg.eigh(np.cov(samples, rowvar=False))  # ascending
    if np.sqrt(max(variances[-1], 0)) < max(MIN_COLOUR_SPREAD, COLOUR_GAIN * float(_sampled(gray).std())):
        return gray
    direction = directions[:, -1] * np.sign(directions[np.abs(directions[:, -1]).argmax(), -1])
    places = samples @ direction
    factor = 255 / float(np.ptp(places))
    contrasted: GrayImage = cv2.transform(colours, np.append(direction, -float(places.min()))[None] * factor)
    return contrasted


def is_flat(gray: GrayImage) -> bool:
    """Whether the grey levels of an (H, W) picture hardly differ."""
    return bool(cv2.meanStdDev(_sampled(gray))[1].item() < FLAT_SPREAD)  # a fifth of the time of NumPy's std


def _sampled(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Evenly spaced pixels of an (H, W) or (H, W, 3) picture, SAMPLES to 2 SAMPLES a side where it has as many."""
    return picture[:: max(1, picture.shape[0] // SAMPLES), :: max(1, picture.shape[1] // SAMPLES)]


def over_contrast(gray: GrayImage, alpha: npt.NDArray[np.uint8]) -> GrayImage:
    """(H, W) grey levels and opacity, laid on white if the opaque part is dark, on black if it is bright."""
    on_black = np.empty_like(gray)
    for top in range(0, len(gray), RANGE_ROWS):  # in whole numbers, since cv2.multiply rounds by the processor
        rows = slice(top, top + RANGE_ROWS)
        on_black[rows] = (gray[rows].astype(np.uint16) * alpha[rows] + np.uint16(127)) // np.uint16(255)
    if cv2.mean(on_black)[0] > cv2.mean(alpha)[0] / 2:
        return on_black
    on_white: GrayImage = cv2.add(on_black, cv2.bitwise_not(alpha))
    return on_white


def stretched(levels: npt.NDArray[Any]) -> GrayImage:
    """Levels of any depth, the darkest to 0 and the brightest to 255. Raises ValueError for NaN and infinities.

    Levels that only a few stray pixels have, such as a sensor's hot ones, are clipped.
    """
    low, high = float(levels.min()), float(levels.max())
    if not np.isfinite(high - low):
        raise ValueError("levels that are no finite numbers")
    native = levels.astype(levels.dtype.newbyteorder("="), copy=False)
    lowest, highest = _range_of_runs(native)
    if lowest < highest:
        if low < lowest:
            native = np.maximum(native, native.dtype.type(lowest))
        low, high = lowest, highest
    factor = 255 / (high - low) if high > low else 0.0
    gray: GrayImage = cv2.convertScaleAbs(native, alpha=factor, beta=-low * factor)
    return gray


def _range_of_runs(levels: npt.NDArray[Any]) -> tuple[float, float]:
    """The lowest and the highest level that RUN pixels in a row, column or diagonal have or go beyond."""
    diagonal = np.eye(RUN, dtype=np.uint8)
    runs = (np.ones((1, RUN), np.uint8), np.ones((RUN, 1), np.uint8), diagonal, np.ascontiguousarray(diagonal[::-1]))
    lowest, highest = np.inf, -np.inf
    for start in range(0, len(levels), RANGE_ROWS):
        part = levels[max(start - RUN, 0) : start + RANGE_ROWS + RUN]
        if part.dtype not in (np.uint16, np.float32):  # the depths that OpenCV's filters take
            part = part.astype(np.float64)
        for run in runs:
            # outside of the picture its rows and columns are mirrored, so that no pixel stands in for its neighbour
            lowest = min(lowest, float(cv2.dilate(part, run, borderType=cv2.BORDER_REFLECT_101).min()))
            highest = max(highest, float(cv2.erode(part, run, borderType=cv2.BORDER_REFLECT_101).max()))
    return lowest, highest


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
