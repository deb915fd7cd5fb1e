"""Digits as hands and pens that MNIST does not know would have written them, made by tensor.py as in serving.

MNIST was written in the United States: crossed sevens are rare in it, and ones with a flag nearly absent. So some of
its digits give way to drawn ones, of strokes.py. Then each digit is bent, slanted, turned and stretched, its stroke
thickened or thinned, rendered at a random size with some blur and grain, and cut out and normalised by the code that
serves. So the network meets in training what it meets in pictures. Elastic bending after P. Simard et al., "Best
Practices for Convolutional Neural Networks" (2003).
"""

import numpy as np
import numpy.typing as npt

from digitocr.runtime import tensor
from digitocr.runtime.image import fitted
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reading import Box
from digitocr.runtime.regions import Region
from digitocr.train.strokes import draw_digit, random_hand

Images = npt.NDArray[np.uint8]  # (N, 28, 28), ink bright
Labels = npt.NDArray[np.uint8]  # (N,), 0 to 9

PLAIN = 0.25  # share of digits left as MNIST has them
DRAWN = 0.3  # share that gives way to drawn digits; at 0.15 some ones with a long flag are still read as sevens
_CENTRES = (np.arange(6) + 0.5) * (tensor.SIDE / 6) - tensor.SIDE / 2
_GRID = np.stack(np.meshgrid(_CENTRES, _CENTRES), axis=-1)  # (6, 6, 2), pixels from the middle of the digit


def augmented(images: Images, labels: Labels, rng: np.random.Generator) -> tuple[Images, Labels]:
    """(N, 28, 28) uint8 and (N,) uint8 -> as many digits written anew, and their labels; about 0.3 ms each."""
    made, named = images.copy(), labels.copy()
    for index, lot in enumerate(rng.random(len(images))):
        if lot < DRAWN:
            named[index] = rng.integers(10)
            made[index] = _normalised(_rewritten(_drawn(int(named[index]), rng), rng), made[index])
        elif lot < 1 - PLAIN:
            made[index] = _normalised(_rewritten(images[index], rng), images[index])
    return made, named


def _drawn(digit: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A digit of the project's own strokes, in any hand, (28, 28) uint8 with the digit within 20x20."""
    ink = draw_digit(digit, random_hand(rng), rng, height=64, stroke=rng.uniform(0.06, 0.16))
    field = np.zeros((tensor.SIDE, tensor.SIDE), np.uint8)
    width, height = fitted(ink.shape, tensor.BOX)
    small = cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA)
    top, left = (tensor.SIDE - height) // 2, (tensor.SIDE - width) // 2
    field[top : top + height, left : left + width] = small * 255
    return field


def _rewritten(image: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """One digit on a square of 24 to 80 pixels, ink bright on a ground that is not quite black."""
    side = int(rng.integers(24, 81))
    written = cv2.remap(
        image, cv2.resize(_bent(rng), (side, side), interpolation=cv2.INTER_CUBIC), None, cv2.INTER_CUBIC
    )
    pen = round(rng.uniform(-0.02, 0.05) * side)  # how much broader the stroke becomes, pixels
    if pen:
        ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(pen) + 1, abs(pen) + 1))
        written = (cv2.dilate if pen > 0 else cv2.erode)(written, ellipse)
    blurred = cv2.GaussianBlur(written, (0, 0), side * rng.uniform(0.004, 0.025))
    grain = rng.standard_normal(blurred.shape, np.float32) * np.float32(rng.uniform(0, 6))
    page: npt.NDArray[np.uint8] = np.clip(blurred * np.float32(rng.uniform(0.4, 0.75)) + (grain + 40), 0, 255)
    return page.astype(np.uint8)


def _bent(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Where in the 28x28 digit the points of a coarse grid over the square come from: (6, 6, 2) float32, x and y.

    Turned, slanted and stretched as a whole, then each point moved a little.
    """
    turn, slant = rng.normal(0, 0.1), rng.normal(0, 0.18)  # radians, share of the height
    wide, high = 1.12 * np.exp(rng.normal(0, 0.12, 2))  # over 1: the digit gets smaller, and stays within the square
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[wide, slant * high], [0, high]]
    bent: npt.NDArray[np.float64] = _GRID @ matrix.T + rng.normal(0, 0.6, _GRID.shape) + (tensor.SIDE / 2 - 0.5)
    return bent.astype(np.float32)


def _normalised(page: npt.NDArray[np.uint8], image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The digit cut out of its page and normalised as in serving; the image itself where its ink was lost."""
    low, high = int(np.median(page[0])), int(page.max())
    strokes = (page > low + 0.35 * (high - low)).astype(np.uint8) * np.uint8(255)
    x, y, width, height = cv2.boundingRect(strokes)
    if height < tensor.BOX / 4:
        return image
    region = Region(Box(x, y, width, height), strokes[y : y + height, x : x + width])
    made: npt.NDArray[np.uint8] = tensor.images(page, [region])[0]
    return made
