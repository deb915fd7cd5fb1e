"""MNIST's digits as other hands and other pens would have written them, made by tensor.py as in serving.

Each digit is bent, slanted, turned and stretched, its stroke thickened or thinned, rendered at a random size with some
blur and grain, and then cut out and normalised by the code that serves. So the network meets in training what it meets
in pictures. Elastic bending after P. Simard et al., "Best Practices for Convolutional Neural Networks" (2003).
"""

import numpy as np
import numpy.typing as npt

from digitocr.runtime import tensor
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reading import Box
from digitocr.runtime.regions import Region

Images = npt.NDArray[np.uint8]  # (N, 28, 28), ink bright

PLAIN = 0.25  # share of digits left as MNIST has them


def augmented(images: Images, rng: np.random.Generator) -> Images:
    """(N, 28, 28) uint8 -> the same digits written anew, (N, 28, 28) uint8; about 0.2 ms each."""
    made = images.copy()
    for index in np.flatnonzero(rng.random(len(images)) >= PLAIN):
        made[index] = _normalised(_rewritten(images[index], rng), images[index])
    return made


def _rewritten(image: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """One digit on a square of 24 to 80 pixels, ink bright on a ground that is not quite black."""
    side = int(rng.integers(24, 81))
    warped = cv2.remap(image, *_bent(side, rng), cv2.INTER_CUBIC)
    pen = round(rng.uniform(-0.02, 0.05) * side)  # how much broader the stroke becomes, pixels
    if pen:
        ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(pen) + 1, abs(pen) + 1))
        warped = (cv2.dilate if pen > 0 else cv2.erode)(warped, ellipse)
    blurred = cv2.GaussianBlur(warped, (0, 0), side * rng.uniform(0.004, 0.025))
    ground, contrast = rng.uniform(0, 60), rng.uniform(0.4, 0.75)
    grain = rng.normal(0, rng.uniform(0, 6), blurred.shape).astype(np.float32)
    page: npt.NDArray[np.uint8] = np.clip(blurred * np.float32(contrast) + grain + ground, 0, 255).astype(np.uint8)
    return page


def _bent(side: int, rng: np.random.Generator) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Where in the 28x28 digit each pixel of the (side, side) square comes from: x and y, (side, side) float32."""
    turn, slant = rng.normal(0, 0.13), rng.normal(0, 0.18)  # radians, share of the height
    wide, high = 1.12 * np.exp(rng.normal(0, 0.12, 2))  # over 1: the digit gets smaller, and stays within the square
    step = (np.arange(side, dtype=np.float32) + 0.5) * (tensor.SIDE / side) - tensor.SIDE / 2
    x, y = np.meshgrid(step * np.float32(wide), step * np.float32(high))
    x, y = x + np.float32(slant) * y, y
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    bend = cv2.resize(rng.normal(0, 0.75, (4, 4, 2)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    middle = np.float32(tensor.SIDE / 2 - 0.5)
    return cosine * x - sine * y + bend[:, :, 0] + middle, sine * x + cosine * y + bend[:, :, 1] + middle


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
