"""Images in MNIST's form that show no digit: letters, textures, noise and halves of digits.

    letters(1000, find_fonts(None), np.random.default_rng(0))     # (1000, 28, 28) uint8, ink bright

They measure whether a network rejects images without a digit. Letters, textures and noise go through the preprocessing
that serves pictures (runtime/preprocessing.py), so they are as large, as bright and as centred as digits are. Half
digits stay as they are cut, since no box of a detector would hold one whole.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digitocr.runtime import preprocessing
from digitocr.runtime.opencv import cv2
from digitocr.runtime.preprocessing import Images

CLEAR_LETTERS = "ACEFHKLMNPRTUVWXYacdefhkmnprtuvwxy"  # without those that look like a digit: BDGIJOQSZ bgijloqsz
_EM = 72  # pixels; the font size at which letters are drawn
_HEIGHT = 80  # pixels; the height of the canvas that textures and noise are drawn on
_INK = 96  # grey level from which on a pixel is ink


def letters(count: int, fonts: Sequence[Path], rng: Generator) -> Images:
    """(count, 28, 28) uint8: letters that nobody takes for a digit, each in a random font; fonts: from find_fonts."""
    faces = [ImageFont.truetype(str(path), _EM) for path in fonts]
    made = np.zeros((count, preprocessing.SIDE, preprocessing.SIDE), np.uint8)
    for index in range(count):
        canvas = Image.new("L", (3 * _EM, 3 * _EM))
        letter = CLEAR_LETTERS[rng.integers(len(CLEAR_LETTERS))]
        ImageDraw.Draw(canvas).text((_EM, _EM), letter, fill=255, font=faces[rng.integers(len(faces))])
        made[index] = _normalised(np.asarray(canvas))
    return made


def textures(count: int, rng: Generator) -> Images:
    """(count, 28, 28) uint8: stains, stripes and blobs in turn, as wide as digits are."""
    kinds = (_stains, _stripes, _blobs)
    made = np.zeros((count, preprocessing.SIDE, preprocessing.SIDE), np.uint8)
    for index in range(count):
        made[index] = _normalised(kinds[index % 3](_width(rng), rng))
    return made


def noise(count: int, rng: Generator) -> Images:
    """(count, 28, 28) uint8: squares of random grey levels, 4 to 20 along the height, as wide as digits are."""
    made = np.zeros((count, preprocessing.SIDE, preprocessing.SIDE), np.uint8)
    for index in range(count):
        rows, width = int(rng.integers(4, 21)), _width(rng)
        grain = rng.integers(0, 256, (rows, max(2, rows * width // _HEIGHT)), np.uint8)
        made[index] = _normalised(cv2.resize(grain, (width, _HEIGHT), interpolation=cv2.INTER_NEAREST))
    return made


def halves(images: Images, labels: NDArray[np.integer], rng: Generator) -> Images:
    """(M, 28, 28) uint8: the given digits moved up, down, left or right until the image's edge cuts them in two.

    Ones are left out, since half a one is a one; M is the number of the others.

    Args:
        images: (N, 28, 28) uint8, ink bright.
        labels: (N,), the digits of the images.
        rng: Determines the directions.
    """
    whole = images[labels != 1]
    made = np.zeros(whole.shape, np.uint8)
    for digit, field in zip(whole, made, strict=True):
        x, y, width, height = cv2.boundingRect(digit)
        turns = int(rng.integers(4))  # quarter turns that bring the cut to the left edge
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
    """Pixels, from half the height, since most digits are at least that wide, to the full height."""
    return int(rng.integers(_HEIGHT // 2, _HEIGHT + 1))


def _stains(width: int, rng: Generator) -> NDArray[np.uint8]:
    """Smooth noise of low or high contrast."""
    rough = rng.standard_normal((int(rng.integers(3, 7)), int(rng.integers(3, 7)))).astype(np.float32)
    smooth = cv2.resize(rough, (width, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(128 + rng.uniform(60, 400) * (smooth - np.median(smooth)), 0, 255), np.uint8)


def _stripes(width: int, rng: Generator) -> NDArray[np.uint8]:
    """Parallel waves in any direction, two to five along the height, of low or high contrast."""
    y, x = np.mgrid[:_HEIGHT, :width] / _HEIGHT
    angle = rng.uniform(0, np.pi)
    wave = np.sin(2 * np.pi * (rng.uniform(2, 5) * (x * np.cos(angle) + y * np.sin(angle)) + rng.uniform()))
    return np.asarray(np.clip(128 + rng.uniform(100, 500) * wave, 0, 255), np.uint8)


def _blobs(width: int, rng: Generator) -> NDArray[np.uint8]:
    """Two to five filled ellipses."""
    canvas = np.zeros((_HEIGHT, width), np.uint8)
    for _ in range(rng.integers(2, 6)):
        place, axes = rng.uniform(0.2, 0.8, 2) * (width, _HEIGHT), rng.integers(_HEIGHT // 10, _HEIGHT // 3, 2)
        cv2.ellipse(canvas, place.astype(int).tolist(), axes.tolist(), int(rng.integers(180)), 0, 360, 255, -1)
    return canvas


def _normalised(canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W), ink bright on black -> (28, 28): the box round the ink, preprocessed as a detected digit is."""
    wide = np.pad(canvas, _HEIGHT // 2)  # preprocessing takes the surroundings of the box as well
    box = cv2.boundingRect((wide > _INK).astype(np.uint8))
    made: NDArray[np.uint8] = preprocessing.images(wide, np.array([box], np.float32))[0]
    return made
