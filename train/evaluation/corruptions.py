"""Fifteen corruptions of 28x28 digits, made after the kinds of MNIST-C: inputs that no training image looks like.

    corrupted(images, "fog", seed=0)     # (N, 28, 28) uint8 -> the same images in fog

The kinds, their formulas and their severities are those of N. Mu, J. Gilmer, "MNIST-C: A Robustness Benchmark for
Computer Vision" (2019), as the authors' code sets them by default. The implementation and the random numbers are the
project's own, and edges are thinned differently, so the images are not those of the published files and accuracies on
them cannot be compared with published ones. mnist_c.py reads the published files. None of this is used in training.
"""

from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from digitocr.runtime.opencv import cv2
from digitocr.runtime.preprocessing import SIDE, Images

Floats = NDArray[np.float32]  # images with levels from 0 to 1
Corruption = Callable[[Images, Generator], Images]

_FOG_BATCH = 16  # maps of fog made at once; this number of them fits into a processor's cache
_FOG_SIDE = 256  # pixels; of a map of fog, of which a corner is used
_FOG_DECAY = 1.4**2  # the random part of a map becomes smaller by this factor from round to round
_FOG_STRENGTH = 3  # of the fog, in full ink
_LINE_REACH = 2.3  # pixels; sets how fast a line's ink falls off: it ends at 1 - 1/e of this distance


def corrupted(images: Images, name: str, seed: int) -> Images:
    """(N, 28, 28) uint8, ink bright -> the same shape and type, corrupted.

    The same images, name and seed give the same result. All fifteen corruptions of 10,000 images take about 7 s.

    Args:
        images: (N, 28, 28) uint8, ink bright.
        name: A key of CORRUPTIONS.
        seed: 0 or more.

    Raises:
        KeyError: There is no corruption of that name.
    """
    return CORRUPTIONS[name](images, np.random.default_rng((seed, list(CORRUPTIONS).index(name))))


def _shot_noise(images: Images, rng: Generator) -> Images:
    """Photon noise in low light: full ink sends three photons on average."""
    return _bytes(rng.poisson(3 * _floats(images)) / 3)


def _impulse_noise(images: Images, rng: Generator) -> Images:
    """Salt and pepper noise: 8.5 % of the pixels become black and 8.5 % white."""
    chance = rng.random(images.shape, np.float32)
    return np.where(chance < 0.085, 0, np.where(chance >= 1 - 0.085, 255, images)).astype(np.uint8)


def _glass_blur(images: Images, rng: Generator) -> Images:
    """Blurred, pixels swapped with neighbours, blurred again.

    In two passes from the lower right, each pixel is swapped with probability 1/2 with one that is up to a pixel higher
    and up to a pixel further left. The blur is vertical only: that is what the authors' call of their library does to
    a grey image.
    """
    vertical = (1, 7)
    pixels = _blurred(_floats(images), 0.7, vertical).reshape(len(images), -1).T.copy()  # (784, N): all images at once
    every = np.arange(len(images))
    for _ in range(2):
        for y in range(SIDE - 1, 1, -1):
            for x in range(SIDE - 1, 1, -1):
                coin, up, left = rng.integers(0, 2, (3, len(images)))
                here, there = y * SIDE + x, y * SIDE + x - coin * (up * SIDE + left)
                kept = pixels[here].copy()
                pixels[here] = pixels[there, every]
                pixels[there, every] = kept
    return _bytes(_blurred(pixels.T.reshape(images.shape), 0.7, vertical))


def _motion_blur(images: Images, rng: Generator) -> Images:
    """Smeared to one side, within 45 degrees of horizontal: half a Gaussian of 3 pixels, cut off after 20."""
    steps = np.arange(21)
    weights = np.exp(-(steps**2) / (2 * 3**2))
    made = np.empty_like(images)
    for index, angle in enumerate(np.deg2rad(rng.uniform(-45, 45, len(images)))):
        kernel = np.zeros((41, 41))
        rows, columns = (np.rint(steps * along).astype(int) for along in (np.sin(angle), np.cos(angle)))
        np.add.at(kernel, (20 + rows, 20 + columns), weights / weights.sum())
        made[index] = cv2.filter2D(images[index], -1, kernel, borderType=cv2.BORDER_REPLICATE)
    return made


def _shear(images: Images, rng: Generator) -> Images:
    """Sheared by 0.4 radians to the left or right; as the authors define it, the height grows by a twelfth as well."""
    angle = 0.4 * _signs(rng, len(images))
    return _warped(images, [[np.ones_like(angle), -np.sin(angle)], [np.zeros_like(angle), np.cos(angle)]])


def _scale(images: Images, _: Generator) -> Images:
    """Shrunk to 70 %."""
    return _warped(images, np.broadcast_to(np.eye(2)[:, :, None] / 0.7, (2, 2, len(images))))


def _rotate(images: Images, rng: Generator) -> Images:
    """Rotated by 0.4 radians in either direction."""
    angle = 0.4 * _signs(rng, len(images))
    return _warped(images, [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _brightness(images: Images, _: Generator) -> Images:
    """Half of full ink added to every pixel."""
    return _bytes(_floats(images) + np.float32(0.5))


def _translate(images: Images, rng: Generator) -> Images:
    """Moved by three pixels left or right and by three up or down."""
    made = np.zeros_like(images)
    for image, field, (x, y) in zip(images, made, 3 * _signs(rng, (len(images), 2)).astype(int), strict=True):
        field[max(y, 0) : SIDE + y, max(x, 0) : SIDE + x] = image[max(-y, 0) : SIDE - y, max(-x, 0) : SIDE - x]
    return made


def _stripe(images: Images, _: Generator) -> Images:
    """The left and the right quarter of the image inverted."""
    made = images.copy()
    for side in (made[:, :, :7], made[:, :, 21:]):
        np.subtract(255, side, out=side)
    return made


def _fog(images: Images, rng: Generator) -> Images:
    """A corner of a plasma fractal added, _FOG_STRENGTH times full ink; then scaled back to the range of the ink."""
    values = _floats(images)
    brightest = values.max(axis=(1, 2), keepdims=True)
    for start in range(0, len(values), _FOG_BATCH):
        block = values[start : start + _FOG_BATCH]
        block += _FOG_STRENGTH * _plasma(len(block), rng)[:, :SIDE, :SIDE]
    return _bytes(values * brightest / (brightest + _FOG_STRENGTH))


def _plasma(count: int, rng: Generator) -> Floats:
    """(count, 256, 256) clouds from 0 to 1: A. Fournier, D. Fussell, L. Carpenter, "Stochastic models" (1982).

    The diamond-square algorithm on a torus. Each round doubles the grid: a new point is the mean of its four neighbours
    (first the diagonal ones, then the adjacent ones) plus a random part that shrinks by _FOG_DECAY from round to round.
    """
    field, size = np.zeros((count, 1, 1), np.float32), 1.0

    def between(one: Floats, other: Floats, third: Floats, fourth: Floats) -> Floats:
        wobble = rng.uniform(-size, size, one.shape).astype(np.float32)
        return np.asarray((one + other + third + fourth) / 4 + wobble, np.float32)

    while field.shape[1] < _FOG_SIDE:
        right, below = np.roll(field, -1, axis=2), np.roll(field, -1, axis=1)
        middle = between(field, right, below, np.roll(right, -1, axis=1))
        finer = np.empty((count, 2 * field.shape[1], 2 * field.shape[1]), np.float32)
        finer[:, ::2, ::2], finer[:, 1::2, 1::2] = field, middle
        finer[:, ::2, 1::2] = between(field, right, middle, np.roll(middle, 1, axis=1))
        finer[:, 1::2, ::2] = between(field, below, middle, np.roll(middle, 1, axis=2))
        field, size = finer, size / _FOG_DECAY
    field -= field.min(axis=(1, 2), keepdims=True)
    field /= field.max(axis=(1, 2), keepdims=True)
    return field


def _spatter(images: Images, rng: Generator) -> Images:
    """Grey mud where smoothed normal noise is high over a whole neighbourhood."""
    liquid = _blurred(rng.normal(0.65, 0.3, images.shape).astype(np.float32), 1, (9, 9))
    mud = _blurred((liquid > 0.65).astype(np.float32), 1.5, (13, 13))
    mud[mud < 0.8] = 0
    return _bytes(_floats(images) * (1 - mud) + np.float32(63 / 255) * mud)


def _dotted_line(images: Images, rng: Generator) -> Images:
    """A line from edge to edge that is drawn in two columns of every four."""
    ends = rng.integers(0, 27, (len(images), 2)).tolist()
    return _bytes(_floats(images) + np.stack([_dots(first, last) for first, last in ends]))


@cache
def _dots(first: int, last: int) -> Floats:
    """(28, 28): the dotted line from row `first` at the left edge to row `last` at the right one."""
    line = _line(0, first, 27, last)
    line[:, np.arange(SIDE) % 4 < 2] = 0
    return line


def _zigzag(images: Images, rng: Generator) -> Images:
    """A zigzag line from left to right, nearly horizontal."""
    first, rise = rng.integers(0, 27, len(images)).tolist(), rng.integers(-5, 5, len(images)).tolist()
    return _bytes(_floats(images) + np.stack([_zigzags(*path) for path in zip(first, rise, strict=True)]))


@cache
def _zigzags(first: int, rise: int) -> Floats:
    """(28, 28): a zigzag from column 2 and row `first` to column 25 and row `first + rise`.

    Its corners lie alternately two pixels to either side of that line, four pixels apart along it. The position of the
    last corner follows the authors' formula.
    """
    turn = np.arctan(rise / 23)
    length = 23 / np.cos(turn)  # 23 to 23.6, so there are always six corners
    along = np.array([0, 2, 6, 10, 14, 18, 22, length])
    aside = np.array([0, 2, -2, 2, -2, 2, -2, -1 / (length - 20)])
    columns = 2 + along * np.cos(turn) - aside * np.sin(turn)
    rows = first + along * np.sin(turn) + aside * np.cos(turn)
    corners = np.column_stack([columns, rows]).tolist()
    return np.asarray(np.sum([_line(*begin, *end) for begin, end in pairwise(corners)], axis=0), np.float32)


def _line(left: float, top: float, right: float, bottom: float) -> Floats:
    """(28, 28), 0 to 1: the line between two points; its ink falls off with the vertical distance from it."""
    slope = (bottom - top) / (right - left)
    columns, rows = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    away = np.abs(rows - (top + slope * (columns - left)))
    ink = 1 + np.log(1 - np.minimum(away, _LINE_REACH * (1 - np.exp(-1))) / _LINE_REACH)  # 0 at the greatest distance
    ink[(columns < np.floor(left)) | (columns >= np.ceil(right))] = 0
    return np.asarray(np.maximum(ink, 0), np.float32)


def _canny_edges(images: Images, _: Generator) -> Images:
    """Edges instead of strokes (J. Canny, 1986): sigma 1, thresholds 0.1 and 0.2 of full ink on the Sobel gradient."""
    made = np.empty_like(images)
    # full ink is scaled to 4000, since cv2.Canny takes gradients of 16 bits
    for index, image in enumerate(_blurred(_floats(images), 1, (9, 9))):
        across, down = (cv2.Sobel(image * 4000, cv2.CV_32F, *order).astype(np.int16) for order in ((1, 0), (0, 1)))
        made[index] = cv2.Canny(across, down, 400, 800, L2gradient=True)
    return made


def _signs(rng: Generator, shape: int | tuple[int, int]) -> NDArray[np.float64]:
    return rng.choice([-1.0, 1.0], shape)


def _warped(images: Images, matrices: object) -> Images:
    """Each image resampled bilinearly, black outside: the value at a point comes from matrix @ point.

    matrices: (2, 2, N), one for each image; points are (x, y) from the image's middle.
    """
    turned = np.moveaxis(np.asarray(matrices, np.float64), -1, 0)  # (N, 2, 2)
    middle = np.full(2, SIDE / 2 - 0.5)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    made = np.empty_like(images)
    for index, matrix in enumerate(turned):
        made[index] = cv2.warpAffine(
            images[index], np.column_stack([matrix, middle - matrix @ middle]), (SIDE, SIDE), flags=flags
        )
    return made


def _blurred(values: Floats, sigma: float, size: tuple[int, int]) -> Floats:
    """Each of (N, 28, 28) images under a Gaussian of sigma pixels; size: width and height of its kernel."""
    made = np.empty_like(values)
    for index, value in enumerate(values):
        made[index] = cv2.GaussianBlur(value, size, sigma, borderType=cv2.BORDER_REPLICATE)
    return made


def _floats(images: Images) -> Floats:
    return images.astype(np.float32) / np.float32(255)


def _bytes(values: NDArray[np.floating]) -> Images:
    return np.asarray(np.clip(values, 0, 1) * 255 + 0.5, np.uint8)


CORRUPTIONS: Mapping[str, Corruption] = {  # by the names of MNIST-C, in its order
    "shot_noise": _shot_noise,
    "impulse_noise": _impulse_noise,
    "glass_blur": _glass_blur,
    "motion_blur": _motion_blur,
    "shear": _shear,
    "scale": _scale,
    "rotate": _rotate,
    "brightness": _brightness,
    "translate": _translate,
    "stripe": _stripe,
    "fog": _fog,
    "spatter": _spatter,
    "dotted_line": _dotted_line,
    "zigzag": _zigzag,
    "canny_edges": _canny_edges,
}
