"""Own pictures with the places of their digits -> what each network learns from, every time as another photograph.

    picture = Placed(gray, boxes, labels)
    images, labels = crops([picture], rng)          # (n, 28, 28) uint8, (n,): for the classifier
    image, wanted = strip(picture, columns, rng)    # (32, 320) uint8, (160, 5): for the recognizer
    image, wanted = scene(picture, rng)             # (256, 256) uint8, (64, 64, 8): for the detector

A fixed camera shows the same digits in other light, a little moved, sharper or less sharp; so does a lesson. All goes
through the preprocessing of the Reader.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from digitocr.runtime import preprocessing
from digitocr.runtime.background import shadeless
from digitocr.runtime.boxes import Boxes
from digitocr.runtime.image import GrayImage
from digitocr.runtime.opencv import cv2
from digitocr.runtime.recognizer import COLUMN, GAP, OTHER, STRIP_HEIGHT
from digitocr.runtime.strips import Place, cut, find_lines
from digitocr.train.classifier.crops import jittered
from digitocr.train.classifier.distort import Distort
from digitocr.train.data import Bytes
from digitocr.train.detector.targets import targets
from digitocr.train.sources.labelled import NONE
from digitocr.train.synthesis.scenes import Scene
from digitocr.train.synthesis.sheet import SCENE_SIDE
from digitocr.train.synthesis.strips import WIDTH, Mark, marked

DIGIT_SIDES = (20.0, 110.0)  # pixels; of the longest digit of a picture in a scene
MAX_PICTURE = 1.8  # of a scene's side; the longer side of a picture in it, at most
SLOPE = 0.12  # of a picture's contrast; standard deviation by which light falls off towards an edge
GRAIN = 0.04  # of a picture's contrast; the most that a camera's noise deviates
ON_LINE = 1 / 3  # of a strip's height; from its middle to that of a digit on its line, at most
_DISTORT = Distort(affine=True, elastic=True)

Columns = Callable[[GrayImage], NDArray[np.float32]]  # (32, W) uint8 -> (W / 2, 18), as Recognizer reads one strip


@dataclass(frozen=True, eq=False)
class Placed:
    """A picture with the places of its digits.

    Attributes:
        gray: (H, W) uint8, upright.
        boxes: (n, 4) float32, x, y, width, height in pixels; none where the picture has 28x28 pixels and is the digit.
        labels: (n,) uint8, 0 to 9, or NONE: what looks like a digit there is none.
        is_whole: Whether it shows no other digits.
    """

    gray: GrayImage
    boxes: Boxes
    labels: Bytes
    is_whole: bool = True


def photographed(gray: GrayImage, rng: Generator) -> GrayImage:
    """The (H, W) picture in other light, by a camera with another focus and noise.

    Light and noise change with its contrast: those that a display of little contrast drowns in teach nothing.
    """
    made = gray.astype(np.float32)
    middle = float(made.mean())
    contrast = float(np.subtract(*np.percentile(gray, (95, 5))))
    made = (made - middle) * np.float32(np.exp(rng.normal(0, 0.25))) + np.float32(middle + rng.normal(0, 15))
    if rng.random() < 0.4:
        slope = rng.normal(0, SLOPE * contrast, 2)
        height, width = gray.shape
        made += (np.linspace(-1, 1, width)[None] * slope[0] + np.linspace(-1, 1, height)[:, None] * slope[1]).astype(
            np.float32
        )
    if rng.random() < 0.5:
        made = cv2.GaussianBlur(made, (0, 0), float(rng.uniform(0.3, 0.02 * min(gray.shape) + 0.5)))
    made += rng.standard_normal(gray.shape, np.float32) * np.float32(rng.uniform(0, GRAIN * contrast))
    return np.asarray(np.clip(made, 0, 255), np.uint8)


def crops(pictures: Sequence[Placed], rng: Generator) -> tuple[Bytes, Bytes]:
    """A crop of each digit, as a detector's box that is a little off: (n, 28, 28) uint8, (n,) uint8."""
    made = []
    for picture in pictures:
        if not len(picture.boxes):  # 28x28 pixels: read as they are
            made.append(_DISTORT(preprocessing.lone(picture.gray), rng))
            continue
        gray = photographed(picture.gray, rng)
        made.append(preprocessing.images(shadeless(gray, picture.boxes), jittered(picture.boxes, rng)))
    return np.concatenate(made), np.concatenate([picture.labels for picture in pictures])


def strip(picture: Placed, columns: Columns, rng: Generator) -> tuple[Bytes, NDArray[np.float32]]:
    """A line of the picture as a strip, and its columns: (32, 320) uint8, (160, 5) float32.

    Args:
        picture: The picture, with a box at least.
        columns: What the recognizer sees. Where no digit is known that stays, but it shall not be a digit.
        rng: Of the line, its light and its place.
    """
    places = find_lines(picture.boxes, np.arange(len(picture.boxes)))
    place = moved(places[int(rng.integers(len(places)))], rng)
    image = cut(photographed(picture.gray, rng), place)
    marks = []
    for (x, y, w, h), label in zip(picture.boxes.tolist(), picture.labels.tolist(), strict=True):
        u, v = place.to_strip(x + w / 2, y + h / 2)
        half = w / place.scale / 2
        if abs(v - STRIP_HEIGHT / 2) < ON_LINE * STRIP_HEIGHT and -half < u < WIDTH + half:
            marks.append(Mark(u - half, u + half, OTHER if label == NONE else label))
    first, second, share, weight, is_loose, _ = marked(sorted(marks))
    middles = (np.arange(len(first)) + 0.5) * COLUMN
    is_known = np.zeros(len(first), np.bool_)
    for mark in marks:
        is_known |= (middles > mark.left - COLUMN) & (middles < mark.right + COLUMN)
    seen = columns(image).argmax(1)
    first = np.where(is_known, first, np.where(seen < OTHER, GAP, seen)).astype(np.uint8)
    if not picture.is_whole:
        weight = np.where(is_known | (seen >= OTHER), weight, 0)
    return image, np.stack([first, second, share, weight, is_loose], -1).astype(np.float32)


def moved(place: Place, rng: Generator) -> Place:
    """The place of a line as it might be found as well: a little turned, larger or smaller, WIDTH pixels wide."""
    scale = place.scale * float(np.exp(rng.normal(0, 0.13)))
    angle = np.arctan2(place.sin, place.cos) + np.radians(rng.normal(0, 1.5))
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    room = max(place.width * place.scale / scale - WIDTH, 0.0) / 2
    x, y = place.to_picture(place.width / 2, STRIP_HEIGHT / 2 + float(rng.normal(0, 1.2)))
    along = WIDTH / 2 + float(rng.normal(0, 4)) + float(rng.uniform(-room, room))
    return Place(x - along * scale * cos, y - along * scale * sin, cos, sin, scale, WIDTH, place.rows)


def scene(picture: Placed, rng: Generator) -> tuple[Bytes, NDArray[np.float32]]:
    """The picture at a random size and place in a scene, and what the detector should see there.

    Returns:
        (256, 256) uint8, and (64, 64, 8) float32 of targets.targets.
    """
    gray = photographed(picture.gray, rng)
    height, width = gray.shape
    side = float(np.exp(rng.uniform(*np.log(DIGIT_SIDES))))
    factor = min(side / float(picture.boxes[:, 2:].max()), SCENE_SIDE * MAX_PICTURE / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    x, y = (int(rng.integers(min(0, SCENE_SIDE - one), max(0, SCENE_SIDE - one) + 1)) for one in size)
    border = cv2.BORDER_REPLICATE if rng.random() < 0.5 else cv2.BORDER_CONSTANT
    image = cv2.warpAffine(
        small,
        np.array([[1, 0, x], [0, 1, y]], np.float32),
        (SCENE_SIDE, SCENE_SIDE),
        borderMode=border,
        borderValue=int(np.median(gray)),
    )
    boxes = picture.boxes * np.float32(factor) + np.array([x, y, 0, 0], np.float32)
    is_inside = ((boxes[:, :2] > -1) & (boxes[:, :2] + boxes[:, 2:] < SCENE_SIDE + 1)).all(1)
    is_digit = picture.labels != NONE
    drawn = Scene(
        np.asarray(image, np.uint8),
        boxes[is_digit & is_inside],
        picture.labels[is_digit & is_inside],
        boxes[is_digit & ~is_inside],
        boxes[~is_digit],
        np.zeros((0, 4), np.float32),
    )
    return drawn.image, targets(drawn)
