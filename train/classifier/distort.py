"""Makes other pictures of the same digits, to train for MNIST: turned, slanted, stretched, moved, bent, cut out.

    made = Distort(elastic=True, cutout=8)(images, rng)        # (N, 28, 28) uint8 -> the same shape

augment.py bends digits with a grid of its own, more strongly, and renders them at other sizes.

Elastic bending after P. Simard et al., "Best Practices for Convolutional Neural Networks" (2003); cutout after T.
DeVries, G. Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout" (2017).
"""

from dataclasses import dataclass

import numpy as np

from digitocr.runtime.opencv import cv2
from digitocr.runtime.preprocessing import SIDE, Images

# Standard deviations of the changes; docs/decisions/recipe.md says what was tried.
TURN = 0.078  # radians
SLANT = 0.09  # share of the height
STRETCH = 0.048  # logarithm of the factor of width and of height
MOVE = 0.5  # pixels
DISTORT_BEND = 0.3  # pixels, of each knot of a coarse grid
DISTORT_KNOTS = 5  # along each side of the grid
# (SIDE, DISTORT_KNOTS) float32: from shifts of knots to shifts of pixels
_SPREAD = cv2.resize(np.eye(DISTORT_KNOTS, dtype=np.float32), (DISTORT_KNOTS, SIDE), interpolation=cv2.INTER_CUBIC)
_MIDDLE = (SIDE - 1) / 2
_PLACES = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).astype(np.float32) - np.float32(_MIDDLE)


@dataclass(frozen=True)
class Distort:
    """The kinds of changes.

    Attributes:
        affine: Whether digits are turned, slanted, stretched and moved.
        elastic: Whether digits are bent.
        cutout: Side of a black square in pixels, 0 for none. Its middle is anywhere, so a part of it may be outside.
    """

    affine: bool = True
    elastic: bool = False
    cutout: int = 0

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """(N, 28, 28) uint8, ink bright -> the same shape; the input is not changed."""
        made = self._warped(images, rng) if self.affine or self.elastic else images.copy()
        if self.cutout:
            for image, (y, x) in zip(made, rng.integers(0, SIDE, (len(made), 2)), strict=True):
                top, left = max(y - self.cutout // 2, 0), max(x - self.cutout // 2, 0)
                image[top : y - self.cutout // 2 + self.cutout, left : x - self.cutout // 2 + self.cutout] = 0
        return made

    def _warped(self, images: Images, rng: np.random.Generator) -> Images:
        count = len(images)
        places = np.broadcast_to(_PLACES, (count, *_PLACES.shape))
        if self.affine:
            turn, slant = rng.normal(0, TURN, count), rng.normal(0, SLANT, count)
            wide, high = np.exp(rng.normal(0, STRETCH, (2, count)))
            cos, sin = np.cos(turn), np.sin(turn)
            columns = [[wide * cos, wide * sin], [high * (slant * cos - sin), high * (slant * sin + cos)]]
            moved = rng.normal(0, MOVE, (count, 1, 1, 2))
            places = places @ np.array(columns, np.float32).transpose(2, 0, 1)[:, None] + moved.astype(np.float32)
        if self.elastic:
            knots = rng.normal(0, DISTORT_BEND, (count, 2, DISTORT_KNOTS, DISTORT_KNOTS)).astype(np.float32)
            places = places + (_SPREAD @ knots @ _SPREAD.T).transpose(0, 2, 3, 1)
        made = np.empty_like(images)
        for image, where, out in zip(images, places + np.float32(_MIDDLE), made, strict=True):
            cv2.remap(image, where, None, cv2.INTER_LINEAR, out)
        return made
