"""Resizing and turning of pictures in whole numbers, so that the pixels are the same on every machine.

OpenCV's INTER_AREA, INTER_CUBIC and warpAffine compute in float, and round by the processor that they run on.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.opencv import cv2

GrayImage: TypeAlias = npt.NDArray[np.uint8]  # (H, W), 0 to 255
Weights: TypeAlias = npt.NDArray[np.float64]  # (new, old) whole numbers; each row has the same sum
Unsigned: TypeAlias = type[np.uint32] | type[np.uint64]

BAND = 1 << 18  # pixels that are averaged at once, to limit memory
LINES = 1 << 16  # pixels of rows as wide as before and as many as made, at once; more of them leave the cache
LARGE = 256  # pixels; larger squares are reduced one by one, which is faster
BLOCK = 1 << 18  # pixels of the squares that are reduced at once, to limit memory
CUBIC_BITS = 11  # of a cubic weight
PLACE_BITS = 10  # of the fraction of a pixel, in which places are added up; twice FRACTION_BITS
FRACTION_BITS = 5  # of the fraction of a pixel between which is interpolated
ROUND = 1 << (PLACE_BITS - FRACTION_BITS - 1)  # half of what is left of a place
WHOLE_BITS = 16  # of a place's fraction beside 16 bits for the pixel, so that both are halves of a number
FAR = 1 << 30  # fractions of WHOLE_BITS; a place that is farther from the picture shows the same
TILE_WIDTH, TILE_HEIGHT = 512, 128  # pixels that are warped at once; the places of more leave the cache


def averaged(gray: GrayImage, size: tuple[int, int]) -> GrayImage:
    """An (H, W) picture reduced to that width and height: (height, width), the means over the areas of its pixels.

    A pixel that lies partly in an area counts by that part. All numbers are whole; the means are rounded to the nearest
    level, halves upwards.
    """
    (old_height, old_width), (width, height) = gray.shape, size
    if (old_height, old_width) == (2 * height, 2 * width):
        return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)  # the same, in whole numbers
    area = old_height * old_width
    # what is larger on the way to a mean wraps around, which does no harm where the mean's own sum does not
    kind: Unsigned = np.uint32 if 256 * area <= 1 << 32 else np.uint64
    columns, next_columns, right_shares = _corners(old_width, width, kind)
    step = max(1, min(BAND * height // area, LINES // old_width))
    made = np.empty((height, width), np.uint8)
    for first in range(0, height, step):
        last = min(first + step, height)
        rows, lower_shares = np.divmod(np.arange(first, last + 1) * old_height, height)
        top, bottom = int(rows[0]), min(int(rows[-1]) + 1, old_height)
        rows -= top
        fits = 256 * (bottom - top) * old_width <= 1 << 32
        sums = cv2.integral(gray[top:bottom], sdepth=cv2.CV_32S if fits else cv2.CV_64F)
        sums = (sums.view(np.uint32) if fits else sums).astype(kind, copy=False)  # above and left of a corner
        above = sums.take(rows, 0)
        down = sums.take(np.minimum(rows + 1, bottom - top), 0)
        down = _between(above, down, lower_shares.astype(kind)[:, None], height)
        lines = down[1:] - down[:-1]
        along = _between(lines.take(columns, 1), lines.take(next_columns, 1), right_shares, width)
        made[first:last] = _means(along[:, 1:] - along[:, :-1], kind(area))
    return made


def resized(squares: Sequence[GrayImage], side: int) -> GrayImage:
    """(S, S) squares of any sides resized to (N, side, side): averaged if larger, else bicubically (a = -0.75).

    Bicubically, pixel centres lie at i + 0.5, and edge pixels are repeated beyond the edge. The weights are whole
    numbers, so that float64 holds the sums exactly, in whichever order they are added.
    """
    made = np.empty((len(squares), side, side), np.uint8)
    small: dict[int, list[int]] = {}  # rows by the side of their squares
    larger: list[list[int]] = [[]]  # rows that are reduced together
    pixels = 0
    for row, square in enumerate(squares):
        old = len(square)
        if old <= side:
            small.setdefault(old, []).append(row)
        elif old > LARGE:
            made[row] = averaged(square, (side, side))
        else:
            pixels += old * old
            if pixels > BLOCK:
                larger.append([])
                pixels = old * old
            larger[-1].append(row)
    for rows in filter(None, larger):
        made[rows] = _reduced([squares[row] for row in rows], side)
    for old, rows in small.items():
        made[rows] = _enlarged(np.stack([squares[row] for row in rows]), _cubic_weights(old, side))
    return made


def _reduced(squares: list[GrayImage], side: int) -> GrayImage:
    """(N, side, side): what `averaged` makes of each of the squares, which have LARGE pixels a side at most."""
    lengths = np.array([len(square) for square in squares])[:, None]
    strides = lengths + 1
    starts = np.cumsum(strides * strides, 0) - strides * strides
    sums = np.empty(int((strides * strides).sum()), np.int32)
    for square, stride, start in zip(squares, strides[:, 0].tolist(), starts[:, 0].tolist(), strict=True):
        cv2.integral(square, sums[start : start + stride * stride].reshape(stride, stride))
    columns, next_columns, shares = _corners(lengths, side, np.uint32)  # (N, side + 1)
    down, across = shares[:, :, None], shares[:, None]
    rows, next_rows = ((starts + place * strides)[:, :, None] for place in (columns, next_columns))
    flat = sums.view(np.uint32)
    left, right = (
        _between(flat.take(rows + place[:, None]), flat.take(next_rows + place[:, None]), down, side)
        for place in (columns, next_columns)
    )
    corners = _between(left, right, across, side)
    lines = corners[:, 1:] - corners[:, :-1]
    return _means(lines[:, :, 1:] - lines[:, :, :-1], (lengths * lengths).astype(np.uint32)[:, :, None])


def _corners(old: Any, new: int, kind: Unsigned) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Any]:
    """Where the new + 1 corners of new pixels lie along a side of `old` pixels, (n, new + 1) for (n, 1) sides.

    Returns:
        The old corner before each of them, the one behind it, and how far it lies from the first, in parts of 1 / new.
    """
    places, shares = np.divmod(np.arange(new + 1) * old, new)
    return places, np.minimum(places + 1, old), shares.astype(kind)


def _between(
    first: npt.NDArray[Any], second: npt.NDArray[Any], shares: npt.NDArray[Any], whole: int
) -> npt.NDArray[Any]:
    """`whole` times what lies `shares` / `whole` behind the first values; both arrays are overwritten."""
    second -= first
    second *= shares
    first *= first.dtype.type(whole)
    second += first
    return second


def _means(sums: npt.NDArray[Any], area: Any) -> GrayImage:
    """Sums over an area as grey levels: divided, and rounded to the nearest level, halves upwards."""
    sums += area // area.dtype.type(2)
    return np.asarray(sums // area, np.uint8)


def _enlarged(squares: GrayImage, weights: Weights) -> GrayImage:
    """(N, S, S) squares resized by (side, S) weights: (N, side, side)."""
    total = float(weights[0].sum()) ** 2
    levels = weights @ squares.astype(np.float64) @ weights.T
    levels += total / 2  # to the nearest level, halves upwards
    levels /= total
    return np.clip(levels, 0, 255, out=levels).astype(np.uint8)


@cache
def _cubic_weights(old: int, new: int) -> Weights:
    """The weights of bicubic interpolation along one side, times 1 << CUBIC_BITS."""
    weights = np.zeros((new, old))
    one = 2 * new  # the denominator of a place; that of a weight is 4 * one**3
    for i in range(new):
        first, f = divmod((2 * i + 1) * old - new, one)  # the pixel left of the place, and the fraction behind it
        g = one - f
        exact = (-3 * f * g * g, *(5 * t**3 - 9 * one * t**2 + 4 * one**3 for t in (f, g)), -3 * f * f * g)
        taps = [((value << (CUBIC_BITS + 1)) + 4 * one**3) // (8 * one**3) for value in exact]  # to the nearest
        taps[1 if f < g else 2] += (1 << CUBIC_BITS) - sum(taps)
        for place, tap in enumerate(taps, first - 1):
            weights[i, min(max(place, 0), old - 1)] += tap
    return weights


def warped(
    gray: GrayImage,
    matrix: npt.NDArray[np.float64],
    size: tuple[int, int],
    beyond: int | None = None,
    halvings: int = 0,
) -> GrayImage:
    """An (H, W) picture mapped bilinearly.

    Args:
        gray: (H, W) uint8.
        matrix: (2, 3); pixel (u, v) shows the place x, y = matrix @ (u, v, 1) of the picture, whose pixel (i, j) has
            its centre at (i, j).
        size: Width and height of the result.
        beyond: The level beyond the picture; None: its edge pixels are repeated.
        halvings: How often the picture is halved before; the matrix's places are pixels of that. A last row or column
            that is left over is dropped. No side is less than 1 << halvings.

    Returns:
        (height, width) uint8.
    """
    width, height = size
    sides = [side >> halvings for side in gray.shape[::-1]]
    made = np.empty((height, width), np.uint8)
    one = float(1 << PLACE_BITS)
    # a pixel's place is the sum of what its column and its row have, in fractions of PLACE_BITS
    along = [np.rint(line[0] * np.arange(width) * one).astype(np.int64) for line in matrix]
    down = [np.rint((line[1] * np.arange(height) + line[2]) * one).astype(np.int64) + ROUND for line in matrix]
    for top in range(0, height, TILE_HEIGHT):
        for left in range(0, width, TILE_WIDTH):
            rows, columns = slice(top, top + TILE_HEIGHT), slice(left, left + TILE_WIDTH)
            (x, low_x, high_x), (y, low_y, high_y) = (
                _places(of_columns[columns], of_rows[rows], side)
                for of_columns, of_rows, side in zip(along, down, sides, strict=True)
            )
            part = made[rows, columns]
            # OpenCV takes both fractions in one number, that of y above, and both pixels as 16 bits each, x first
            fractions, pixels = np.empty(part.shape, np.uint16), np.empty(part.shape, np.uint32)
            np.bitwise_or(_fractions(x), _fractions(y) << FRACTION_BITS, out=fractions)
            np.bitwise_or(x >> WHOLE_BITS, y & ~np.uint32(0xFFFF), out=pixels)
            cv2.remap(
                halved(gray[low_y << halvings : high_y << halvings, low_x << halvings : high_x << halvings], halvings),
                pixels.view(np.dtype("<i2")).reshape(*part.shape, 2),
                fractions,
                cv2.INTER_LINEAR,
                dst=part,
                borderMode=cv2.BORDER_REPLICATE if beyond is None else cv2.BORDER_CONSTANT,
                borderValue=0 if beyond is None else beyond,
            )
    return made


def halved(gray: GrayImage, times: int) -> GrayImage:
    """An (H, W) picture halved so often, each time by the rounded means of 2x2 pixels.

    What is left over of the last rows or columns is dropped. No side is less than 1 << times.
    """
    height, width = ((side >> times) << times for side in gray.shape)
    gray = gray[:height, :width]
    for _ in range(times):
        gray = averaged(gray, (gray.shape[1] // 2, gray.shape[0] // 2))
    return gray


def _places(
    along: npt.NDArray[np.int64], down: npt.NDArray[np.int64], side: int
) -> tuple[npt.NDArray[np.uint32], int, int]:
    """Where pixels show a picture, along one of its sides.

    Args:
        along: (w,) what the columns of the pixels add to their places, in fractions of PLACE_BITS; it rises or falls.
        down: (h,) what their rows add, in the same form.
        side: The length of the picture's side.

    Returns:
        Places from the first of the picture's pixels that are needed, in fractions of WHOLE_BITS, as the bits of int32:
        (h, w), with h or w 1 where all rows or columns have the same. Far beyond the picture, they are moved nearer to
        it. And that first pixel, and the one behind the last.
    """
    start, across, tall = int(along[0]), int(along[-1] - along[0]), int(down[-1] - down[0])
    base = start + int(down[0])
    low = base + min(across, 0) + min(tall, 0) >> PLACE_BITS
    high = base + max(across, 0) + max(tall, 0) >> PLACE_BITS
    first, end = min(max(low, 0), side - 1), max(min(high + 2, side), 1)
    finer = WHOLE_BITS - PLACE_BITS
    near = np.clip(down + (start - (first << PLACE_BITS)) << finer, -FAR, FAR).astype(np.int32)
    columns = (along - start << finer).astype(np.int32)
    places = (columns if across else columns[:1]) + (near if tall else near[:1])[:, None]
    if low < first - 1 or high > end:
        np.clip(places, -2 << WHOLE_BITS, end - first + 1 << WHOLE_BITS, out=places)
    return places.view(np.uint32), first, end


def _fractions(places: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint16]:
    """The upper FRACTION_BITS of the fractions of places of WHOLE_BITS."""
    fractions = places.astype(np.uint16)
    fractions >>= WHOLE_BITS - FRACTION_BITS
    return fractions
