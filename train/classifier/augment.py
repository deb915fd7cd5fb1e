"""Batches for the robust recipe: MNIST's digits written anew, and what the reading network is handed in pictures.

Of a batch a part stays as MNIST has it or is moved a little. A part is written anew: bent, slanted, turned and
stretched, its stroke thickened or thinned or left as an outline, rendered at a random size with some blur, grain and
shadow, at times with a line across, and cut out and normalised by the code that serves. The rest gives way to crops of
drawn scenes (crops.py), which hold other hands, fonts, forms, letters and no digits at all. Elastic bending after
P. Simard et al., "Best Practices for Convolutional Neural Networks" (2003).
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from digitocr.runtime import preprocessing
from digitocr.runtime.opencv import cv2
from digitocr.train.classifier.crops import OFF, SCALED, Crops

Images = npt.NDArray[np.uint8]  # (N, 28, 28), ink bright
Labels = npt.NDArray[np.uint8]  # (N,), 0 to 9, or 10 for no digit

# Shares of a batch: as MNIST has them, or moved a little; written anew; the rest are crops.
PLAIN, REWRITTEN = 0.2, 0.3
MOVED = 4  # pixels
HOLLOW, RULED, SHADED = 0.08, 0.15, 0.3  # chances of what is written anew: its outline alone, a line across, a shadow
_CENTRES = (np.arange(6) + 0.5) * (preprocessing.SIDE / 6) - preprocessing.SIDE / 2
_GRID = np.stack(np.meshgrid(_CENTRES, _CENTRES), axis=-1)  # (6, 6, 2), pixels from the middle of the digit


class Augment:
    """Makes a batch to be shown of a batch of MNIST."""

    def __init__(self, crops: Crops) -> None:
        self._crops = crops

    def __call__(self, images: Images, labels: Labels, rng: np.random.Generator) -> tuple[Images, Labels]:
        """(N, 28, 28) uint8 and (N,) uint8 -> as many, some of them others; the input is left alone."""
        made, named = images.copy(), labels.copy()
        for index, lot in enumerate(rng.random(len(images))):
            if lot < REWRITTEN:
                made[index] = rewritten(images[index], rng)
            elif lot < 1 - PLAIN:
                chosen = int(rng.integers(len(self._crops.labels)))
                made[index], named[index] = self._crops.images[chosen], self._crops.labels[chosen]
            elif lot < 1 - PLAIN / 2:
                made[index] = _moved(images[index], rng)
        return made, named


def rewritten(image: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """One (28, 28) digit by another hand and pen, cut out of its page and normalised as in serving.

    The image itself where its ink was lost.
    """
    page, (x, y, w, h) = _page(image, rng)
    if h < preprocessing.DIGIT_SIDE / 4:
        return image
    side = max(w, h) * np.exp(rng.normal(0, SCALED))
    middle = np.array([x + w / 2, y + h / 2]) + rng.normal(0, OFF, 2) * side
    box = np.array([[*(middle - side / 2), side, side]], np.float32)
    made: npt.NDArray[np.uint8] = preprocessing.images(page, box)[0]
    return made


def _page(
    image: npt.NDArray[np.uint8], rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], tuple[int, int, int, int]]:
    """One digit on a square of 24 to 80 pixels, ink bright on a ground that is not quite black; and its box."""
    side = int(rng.integers(24, 81))
    written = cv2.remap(
        image, cv2.resize(_bent(rng), (side, side), interpolation=cv2.INTER_CUBIC), None, cv2.INTER_CUBIC
    )
    pen = round(rng.uniform(-0.02, 0.05) * side)  # how much broader the stroke becomes, pixels
    if pen:
        written = (cv2.dilate if pen > 0 else cv2.erode)(written, _ellipse(abs(pen) + 1))
    box = cv2.boundingRect((written > 90).astype(np.uint8))
    if rng.random() < HOLLOW:
        written = cv2.morphologyEx(written, cv2.MORPH_GRADIENT, _ellipse(3))
    if rng.random() < RULED:
        start, end = (rng.uniform(-0.2, 1.2, (2, 2)) * side).astype(int).tolist()
        cv2.line(written, start, end, int(rng.integers(60, 256)), 1, cv2.LINE_AA)
    written = cv2.GaussianBlur(written, (0, 0), side * rng.uniform(0.004, 0.025))
    grain = rng.standard_normal(written.shape, np.float32) * np.float32(rng.uniform(0, 6 if rng.random() < 0.8 else 40))
    if rng.random() < SHADED:
        light = rng.uniform(0, 60, (3, 3)).astype(np.float32)
        grain += cv2.resize(light, (side, side), interpolation=cv2.INTER_CUBIC)
    page: npt.NDArray[np.uint8] = np.clip(written * np.float32(rng.uniform(0.4, 0.75)) + (grain + 40), 0, 255)
    return page.astype(np.uint8), (int(box[0]), int(box[1]), int(box[2]), int(box[3]))


@cache
def _ellipse(side: int) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _moved(image: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """The (28, 28) image up to MOVED pixels to the side and up or down."""
    x, y = rng.uniform(-MOVED, MOVED, 2)
    matrix = np.array([[1, 0, x], [0, 1, y]])
    return np.asarray(cv2.warpAffine(image, matrix, (preprocessing.SIDE, preprocessing.SIDE)), np.uint8)


def _bent(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Where in the 28x28 digit the points of a coarse grid over the square come from: (6, 6, 2) float32, x and y.

    Turned, slanted and stretched as a whole, then each point moved a little.
    """
    turn, slant = rng.normal(0, 0.15), rng.normal(0, 0.18)  # radians, share of the height
    wide, high = 1.12 * np.exp(rng.normal(0, 0.12, 2))  # over 1: the digit gets smaller, and stays within the square
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[wide, slant * high], [0, high]]
    bent: npt.NDArray[np.float64] = _GRID @ matrix.T + rng.normal(0, 0.6, _GRID.shape) + (preprocessing.SIDE / 2 - 0.5)
    return bent.astype(np.float32)
