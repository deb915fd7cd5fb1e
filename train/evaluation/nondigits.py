"""What is no digit, in MNIST's form: letters, textures, noise, halves of digits; to ask a network what it makes of it.

    letters(1000, find_fonts(None), np.random.default_rng(0))     # (1000, 28, 28) uint8, ink bright

Letters, textures and noise go through the code that serves, runtime/tensor.py, so they come as large, as bright and as
centred as digits do. Half digits stay as they are cut: no detector's box would hold one whole.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digitocr.runtime import preprocessing
from digitocr.runtime.opencv import cv2

Images = NDArray[np.uint8]  # (N, 28, 28), ink bright

LETTERS = "ACEFHKLMNPRTUVWXYacdefhkmnprtuvwxy"  # without those that alone may be a digit: BDGIJOQSZ bgijloqsz
_EM = 72  # pixels; the size at which letters are drawn
_SIDE = 80  # pixels; the height of the pages that textures and noise are drawn on
_INK = 96  # grey levels; brighter is ink


def letters(count: int, fonts: Sequence[Path], rng: Generator) -> Images:
    """(count, 28, 28) uint8: letters that no one takes for a digit, each in any of the fonts, of find_fonts."""
    sizes = [ImageFont.truetype(str(path), _EM) for path in fonts]
    made = np.zeros((count, preprocessing.SIDE, preprocessing.SIDE), np.uint8)
    for index in range(count):
        page = Image.new("L", (3 * _EM, 3 * _EM))
        letter = LETTERS[rng.integers(len(LETTERS))]
        ImageDraw.Draw(page).text((_EM, _EM), letter, fill=255, font=sizes[rng.integers(len(sizes))])
        made[index] = _normalised(np.asarray(page))
    return made


def textures(count: int, rng: Generator) -> Images:
    """(count, 28, 28) uint8: stains, stripes and blobs, a third of each, as wide as digits are."""
    kinds = (_stains, _stripes, _blobs)
    made = np.zeros((count, preprocessing.SIDE, preprocessing.SIDE), np.uint8)
    for index in range(count):
        made[index] = _normalised(kinds[index % 3](_width(rng), rng))
    return made


def noise(count: int, rng: Generator) -> Images:
    """(count, 28, 28) uint8: random grey levels, from 4 to 20 of them along the height, as wide as digits are."""
    made = np.zeros((count, preprocessing.SIDE, preprocessing.SIDE), np.uint8)
    for index in range(count):
        rows, width = int(rng.integers(4, 21)), _width(rng)
        grain = rng.integers(0, 256, (rows, max(2, rows * width // _SIDE)), np.uint8)
        made[index] = _normalised(cv2.resize(grain, (width, _SIDE), interpolation=cv2.INTER_NEAREST))
    return made


def halves(images: Images, labels: NDArray[np.integer], rng: Generator) -> Images:
    """(count, 28, 28) uint8: the given digits moved up, down, left or right until the field's edge cuts them in two.

    images: (N, 28, 28) uint8, ink bright; labels: (N,). Ones are left out: half a one is a one.
    """
    whole = images[labels != 1]
    made = np.zeros(whole.shape, np.uint8)
    for digit, field in zip(whole, made, strict=True):
        x, y, width, height = cv2.boundingRect(digit)
        turns = int(rng.integers(4))  # the way that the half is cut from, turned to the left edge
        middle = (
            x + width / 2,
            y + height / 2,
            preprocessing.SIDE - x - width / 2,
            preprocessing.SIDE - y - height / 2,
        )[turns]
        cut = round(middle)
        turned = np.rot90(field, turns)
        turned[:, : preprocessing.SIDE - cut] = np.rot90(digit, turns)[:, cut:]
    return made


def _width(rng: Generator) -> int:
    """Of a page, pixels: from half its height, as most digits are at least, to a square's."""
    return int(rng.integers(_SIDE // 2, _SIDE + 1))


def _stains(width: int, rng: Generator) -> NDArray[np.uint8]:
    """Smooth noise, of soft or hard contrast."""
    rough = rng.standard_normal((int(rng.integers(3, 7)), int(rng.integers(3, 7)))).astype(np.float32)
    smooth = cv2.resize(rough, (width, _SIDE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(128 + rng.uniform(60, 400) * (smooth - np.median(smooth)), 0, 255), np.uint8)


def _stripes(width: int, rng: Generator) -> NDArray[np.uint8]:
    """Parallel waves, two to five along the height, in any direction, of soft or hard contrast."""
    y, x = np.mgrid[:_SIDE, :width] / _SIDE
    way = rng.uniform(0, np.pi)
    wave = np.sin(2 * np.pi * (rng.uniform(2, 5) * (x * np.cos(way) + y * np.sin(way)) + rng.uniform()))
    return np.asarray(np.clip(128 + rng.uniform(100, 500) * wave, 0, 255), np.uint8)


def _blobs(width: int, rng: Generator) -> NDArray[np.uint8]:
    """Two to five filled ellipses."""
    page = np.zeros((_SIDE, width), np.uint8)
    for _ in range(rng.integers(2, 6)):
        place, axes = rng.uniform(0.2, 0.8, 2) * (width, _SIDE), rng.integers(_SIDE // 10, _SIDE // 3, 2)
        cv2.ellipse(page, place.astype(int).tolist(), axes.tolist(), int(rng.integers(180)), 0, 360, 255, -1)
    return page


def _normalised(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The ink of an (H, W) page, on dark ground, cut out and normalised as in serving: (28, 28)."""
    wide = np.pad(page, _SIDE // 2)  # what is beside the box is in the field as well
    box = cv2.boundingRect((wide > _INK).astype(np.uint8))
    made: NDArray[np.uint8] = preprocessing.images(wide, np.array([box], np.float32))[0]
    return made
