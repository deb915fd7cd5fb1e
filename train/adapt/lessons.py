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
from digitocr.train.data import Bytes
from digitocr.train.detector.targets import targets
from digitocr.train.sources.labelled import NONE
from digitocr.train.synthesis.scenes import Scene
from digitocr.train.synthesis.sheet import SCENE_SIDE
from digitocr.train.synthesis.strips import WIDTH, Mark, marked

Columns = Callable[[GrayImage], NDArray[np.float32]]  # (32, W) uint8 -> (W / 2, 18), as Recognizer reads one strip


@dataclass(frozen=True, eq=False)
class Placed:
    """A picture with the places of its digits.

    Attributes:
        gray: (H, W) uint8, upright.
        boxes: (n, 4) float32, x, y, width, height in pixels.
        labels: (n,) uint8, 0 to 9, or NONE: what looks like a digit there is none.
    """

    gray: GrayImage
    boxes: Boxes
    labels: Bytes


def photographed(gray: GrayImage, rng: Generator) -> GrayImage:
    """The (H, W) picture in other light, by a camera with another focus and noise."""
    made = gray.astype(np.float32)
    middle = float(made.mean())
    made = (made - middle) * np.float32(np.exp(rng.normal(0, 0.25))) + np.float32(middle + rng.normal(0, 15))
    if rng.random() < 0.4:
        slope = rng.normal(0, 20, 2)
        height, width = gray.shape
        made += (np.linspace(-1, 1, width)[None] * slope[0] + np.linspace(-1, 1, height)[:, None] * slope[1]).astype(
            np.float32
        )
    if rng.random() < 0.5:
        made = cv2.GaussianBlur(made, (0, 0), float(rng.uniform(0.3, 0.02 * min(gray.shape) + 0.5)))
    made += rng.standard_normal(gray.shape, np.float32) * np.float32(rng.uniform(0, 6))
    return np.asarray(np.clip(made, 0, 255), np.uint8)


def crops(pictures: Sequence[Placed], rng: Generator) -> tuple[Bytes, Bytes]:
    """A crop of each digit, as a detector's box that is a little off: (n, 28, 28) uint8, (n,) uint8."""
    made = []
    for picture in pictures:
        gray = photographed(picture.gray, rng)
        made.append(preprocessing.images(shadeless(gray, picture.boxes), jittered(picture.boxes, rng)))
    return np.concatenate(made), np.concatenate([picture.labels for picture in pictures])


def strip(picture: Placed, columns: Columns, rng: Generator) -> tuple[Bytes, NDArray[np.float32]] | None:
    """A line of the picture as a strip, and its columns: (32, 320) uint8, (160, 5) float32; None without a digit.

    Args:
        picture: The picture.
        columns: What the recognizer sees; where no digit stands that stays, but for digits.
        rng: Of the line, its light and its place.
    """
    rows = np.arange(len(picture.boxes))
    places = find_lines(picture.boxes, rows) if len(rows) else []
    if not places:
        return None
    place = moved(places[int(rng.integers(len(places)))], rng)
    image = cut(photographed(picture.gray, rng), place)
    seen = columns(image)
    marks = []
    for box, label in zip(picture.boxes.tolist(), picture.labels.tolist(), strict=True):
        x, y, w, h = box
        u, v = place.to_strip(x + w / 2, y + h / 2)
        half = w / place.scale / 2
        if abs(v - STRIP_HEIGHT / 2) < STRIP_HEIGHT / 3 and -half < u < WIDTH + half:
            marks.append(Mark(u - half, u + half, OTHER if label == NONE else label))
    first, second, share, weight, is_loose, _ = marked(sorted(marks))
    blank = first == GAP
    best = np.where(seen.argmax(1) < OTHER, GAP, seen.argmax(1))
    near = np.zeros(len(first), np.bool_)
    middles = (np.arange(len(first)) + 0.5) * COLUMN
    for mark in marks:
        near |= (middles > mark.left - COLUMN) & (middles < mark.right + COLUMN)
    first = np.where(blank & ~near, best, first).astype(np.uint8)
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
    """The picture at a random size and place in a scene, and what the detector should see there."""
    digits = picture.labels != NONE
    gray, boxes = photographed(picture.gray, rng), picture.boxes
    height, width = gray.shape
    longer = boxes[:, 2:].max() if len(boxes) else max(gray.shape) / 2
    side = np.exp(rng.uniform(np.log(24), np.log(110)))
    factor = float(min(side / longer, (SCENE_SIDE - 8) / max(height, width) * np.exp(rng.uniform(0, 0.7))))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    level = int(np.median(gray)) if rng.random() < 0.7 else int(rng.integers(0, 256))
    if rng.random() < 0.5:
        x, y = (int(rng.integers(min(0, SCENE_SIDE - one), max(0, SCENE_SIDE - one) + 1)) for one in size)
    else:
        x, y = ((SCENE_SIDE - one) // 2 for one in size)
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    border = cv2.BORDER_REPLICATE if rng.random() < 0.5 else cv2.BORDER_CONSTANT
    image = cv2.warpAffine(small, matrix, (SCENE_SIDE, SCENE_SIDE), borderMode=border, borderValue=level)
    own = boxes * np.float32(factor) + np.array([x, y, 0, 0], np.float32)
    middles = own[:, :2] + own[:, 2:] / 2
    inside = ((own[:, :2] > -2) & (own[:, :2] + own[:, 2:] < SCENE_SIDE + 2)).all(1) & ((middles > 0) & (middles < SCENE_SIDE)).all(1)
    empty = np.zeros((0, 4), np.float32)
    drawn = Scene(
        np.asarray(image, np.uint8),
        own[digits & inside],
        picture.labels[digits & inside],
        own[digits & ~inside],
        own[~digits],
        empty,
    )
    return drawn.image, targets(drawn)
