"""Batches for the robust recipe: MNIST's digits rewritten, and crops of synthetic scenes.

    images, labels = Augment(draw_all(...))(images, labels, rng)        # of the same number; label 10 is "no digit"

Of a batch one part stays as in MNIST or is moved a little. One part is rewritten: bent, slanted, turned and
stretched, with a thicker or thinner stroke or only its outline, rendered at a random size with blur, grain and shadow,
sometimes crossed by a line, then cut out and normalised by the preprocessing that pictures go through. The rest is
replaced by crops (crops.py), which add other hands, fonts, forms, letters, and no digits at all. Elastic bending after
P. Simard et al., "Best Practices for Convolutional Neural Networks" (2003).
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from digitocr.runtime import preprocessing
from digitocr.runtime.opencv import cv2
from digitocr.runtime.preprocessing import Images
from digitocr.train.classifier.crops import BOX_SCALE, BOX_SHIFT, Crops

Labels = npt.NDArray[np.uint8]  # (N,), 0 to 9, or 10 for no digit

PLAIN = 0.2  # share of a batch that stays as it is; half of it is moved
REWRITTEN = 0.3  # share of a batch that is rewritten; the rest are crops
MAX_SHIFT = 4  # pixels by which an image is moved
OUTLINED = 0.08  # share of the rewritten digits that are only an outline
CROSSED = 0.15  # share of the rewritten digits with a line across
SHADED = 0.3  # share of the rewritten digits with a shadow
PICTURE_SIDES = (24, 80)  # pixels; smallest and largest picture of a rewritten digit
STROKE_LEVEL = 90  # of 255; grey level above which a pixel belongs to the stroke
REWRITE_KNOTS = 6  # along each side of the grid that bends a digit
REWRITE_BEND = 0.6  # pixels of 28; standard deviation of a knot's shift
_CENTRES = (np.arange(REWRITE_KNOTS) + 0.5) * (preprocessing.SIDE / REWRITE_KNOTS) - preprocessing.SIDE / 2
_GRID = np.stack(np.meshgrid(_CENTRES, _CENTRES), axis=-1)  # (knots, knots, 2), pixels from the middle of the digit


class Augment:
    """Makes a batch to train with from a batch of MNIST."""

    def __init__(self, crops: Crops) -> None:
        self._crops = crops

    def __call__(self, images: Images, labels: Labels, rng: np.random.Generator) -> tuple[Images, Labels]:
        """(N, 28, 28) uint8 images and (N,) uint8 labels -> both of the same shape, some replaced."""
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
    """A (28, 28) digit as by another hand and pen, cut out and normalised as a digit in a picture.

    Returns the image itself if its ink got lost.
    """
    page, (x, y, w, h) = _page(image, rng)
    if h < preprocessing.DIGIT_SIDE / 4:
        return image
    side = max(w, h) * np.exp(rng.normal(0, BOX_SCALE))
    middle = np.array([x + w / 2, y + h / 2]) + rng.normal(0, BOX_SHIFT, 2) * side
    box = np.array([[*(middle - side / 2), side, side]], np.float32)
    made: npt.NDArray[np.uint8] = preprocessing.images(page, box)[0]
    return made


def _page(
    image: npt.NDArray[np.uint8], rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], tuple[int, int, int, int]]:
    """A square picture of the digit, ink bright on a background that is not quite black; and the digit's box in it."""
    side = int(rng.integers(PICTURE_SIDES[0], PICTURE_SIDES[1] + 1))
    written = cv2.remap(
        image, cv2.resize(_bent(rng), (side, side), interpolation=cv2.INTER_CUBIC), None, cv2.INTER_CUBIC
    )
    pen = round(rng.uniform(-0.02, 0.05) * side)  # how much broader the stroke becomes, pixels
    if pen:
        written = (cv2.dilate if pen > 0 else cv2.erode)(written, _ellipse(abs(pen) + 1))
    box = cv2.boundingRect((written > STROKE_LEVEL).astype(np.uint8))
    if rng.random() < OUTLINED:
        written = cv2.morphologyEx(written, cv2.MORPH_GRADIENT, _ellipse(3))
    if rng.random() < CROSSED:
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
    """The (28, 28) image, moved by up to MAX_SHIFT pixels in both directions."""
    x, y = rng.uniform(-MAX_SHIFT, MAX_SHIFT, 2)
    matrix = np.array([[1, 0, x], [0, 1, y]])
    return np.asarray(cv2.warpAffine(image, matrix, (preprocessing.SIDE, preprocessing.SIDE)), np.uint8)


def _bent(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """A random map for cv2.remap: where in the 28x28 digit each knot of the grid comes from, x and y.

    (REWRITE_KNOTS, REWRITE_KNOTS, 2) float32: turned, slanted and stretched as a whole, then each knot moved a little.
    """
    turn, slant = rng.normal(0, 0.15), rng.normal(0, 0.18)  # radians, share of the height
    wide, high = 1.12 * np.exp(rng.normal(0, 0.12, 2))  # above 1: the digit gets smaller and stays inside
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[wide, slant * high], [0, high]]
    bent: npt.NDArray[np.float64] = (
        _GRID @ matrix.T + rng.normal(0, REWRITE_BEND, _GRID.shape) + (preprocessing.SIDE / 2 - 0.5)
    )
    return bent.astype(np.float32)
