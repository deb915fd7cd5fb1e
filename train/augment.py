"""Batches for the robust recipe: MNIST's digits written anew, and what the reading network is handed in pictures.

Of a batch a part stays as MNIST has it, a part is bent, slanted, turned and stretched, its stroke thickened or thinned,
rendered at a random size with some blur and grain, and cut out and normalised by the code that serves; the rest gives
way to crops of drawn tiles (crops.py), which hold other hands, fonts, forms, letters and no digits at all. Elastic
bending after P. Simard et al., "Best Practices for Convolutional Neural Networks" (2003).
"""

import numpy as np
import numpy.typing as npt

from digitocr.runtime import tensor
from digitocr.runtime.opencv import cv2
from digitocr.train.crops import OFF, SCALED, Crops

Images = npt.NDArray[np.uint8]  # (N, 28, 28), ink bright
Labels = npt.NDArray[np.uint8]  # (N,), 0 to 9, or 10 for no digit

PLAIN, REWRITTEN = 0.15, 0.3  # shares of a batch: left as MNIST has them, written anew; the rest are crops
_CENTRES = (np.arange(6) + 0.5) * (tensor.SIDE / 6) - tensor.SIDE / 2
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
        return made, named


def rewritten(image: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """One (28, 28) digit by another hand and pen, cut out of its page and normalised as in serving.

    The image itself where its ink was lost.
    """
    page = _page(image, rng)
    low, high = int(np.median(page[0])), int(page.max())
    strokes = (page > low + 0.35 * (high - low)).astype(np.uint8)
    x, y, w, h = cv2.boundingRect(strokes)
    if h < tensor.BOX / 4:
        return image
    side = max(w, h) * np.exp(rng.normal(0, SCALED))
    middle = np.array([x + w / 2, y + h / 2]) + rng.normal(0, OFF, 2) * side
    box = np.array([[*(middle - side / 2), side, side]], np.float32)
    made: npt.NDArray[np.uint8] = tensor.images(page, box)[0]
    return made


def _page(image: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
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
    turn, slant = rng.normal(0, 0.15), rng.normal(0, 0.18)  # radians, share of the height
    wide, high = 1.12 * np.exp(rng.normal(0, 0.12, 2))  # over 1: the digit gets smaller, and stays within the square
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[wide, slant * high], [0, high]]
    bent: npt.NDArray[np.float64] = _GRID @ matrix.T + rng.normal(0, 0.6, _GRID.shape) + (tensor.SIDE / 2 - 0.5)
    return bent.astype(np.float32)
