"""Crops of synthetic scenes to train the classifier with, made by the preprocessing that pictures go through.

    crops = draw_all(24_000, seed, images, labels, fonts)       # about a dozen of each scene
    crops.images, crops.labels                                  # (N, 28, 28) uint8, (N,) uint8; 10 is "no digit"

Digits, in boxes that are a little off as a detector's are; and crops without a digit: letters and symbols, halves of
digits, two digits at once, lines and corners of forms, texture, and false detections of the detector itself.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.random import Generator

from digitocr.runtime import preprocessing
from digitocr.runtime.background import shadeless
from digitocr.runtime.boxes import Boxes, iou
from digitocr.runtime.detector import Detector
from digitocr.runtime.processes import map_interruptibly
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.scenes import Scene, draw_scene
from digitocr.train.synthesis.sheet import NO_DIGIT, SCENE_SIDE
from digitocr.train.synthesis.strokes import Bytes
from digitocr.train.synthesis.workers import glyphs, worker_pool

BOX_SHIFT = 0.05  # standard deviation of the error of a box's middle, in longer sides of the box
BOX_SCALE = 0.12  # standard deviation of the logarithm of the factor of a box's sides
MAX_DIGIT_CROPS = 10  # crops per scene
MAX_LETTER_CROPS = 4  # crops per scene
TRIES_ELSEWHERE = 4  # boxes per scene that are drawn elsewhere; those that meet a digit are dropped
SAME_DIGIT_IOU = 0.5  # intersection over union; a box with this much of a digit is that digit's
NO_DIGIT_IOU = 0.25  # intersection over union; a box with less of every digit shows none
OTHERS_SHARE = 0.1  # of the crops are own pictures without a digit, where there are any: few would hardly be seen
SCENES_PER_TASK = 20  # that a process draws at a time: about a second, which Ctrl-C has to wait for


@dataclass(frozen=True, eq=False)
class Crops:
    """Crops with their labels.

    Attributes:
        images: (N, 28, 28) uint8, ink bright.
        labels: (N,) uint8, 0 to 9, or 10 for "no digit".
    """

    images: Bytes
    labels: Bytes


def draw_all(scenes: int, seed: int, images: Bytes, labels: Bytes, fonts: Sequence[Path]) -> Crops:
    """The crops of scenes 0 to scenes - 1 of a seed, drawn by one process per processor.

    Args:
        scenes: The number of scenes.
        seed: Seed of the scenes.
        images: (n, 28, 28) uint8, of MNIST's training set.
        labels: (n,) uint8, the digits of the images.
        fonts: Font files to draw with.
    """
    tasks = [range(start, min(start + SCENES_PER_TASK, scenes)) for start in range(0, scenes, SCENES_PER_TASK)]
    with worker_pool(os.cpu_count() or 1, images, labels, fonts) as pool:
        drawn = map_interruptibly(pool, _draw_task, tasks, [seed] * len(tasks))
    return Crops(np.concatenate([part.images for part in drawn]), np.concatenate([part.labels for part in drawn]))


def with_others(crops: Crops, others: Bytes) -> Crops:
    """The crops and own pictures without a digit, (n, 28, 28) uint8, each as often as makes OTHERS_SHARE of all."""
    if not len(others):
        return crops
    count = max(len(others), round(len(crops.labels) * OTHERS_SHARE / (1 - OTHERS_SHARE)))
    repeated = np.resize(np.arange(len(others)), count)
    labels = np.full(count, NO_DIGIT, np.uint8)
    return Crops(np.concatenate([crops.images, others[repeated]]), np.concatenate([crops.labels, labels]))


def _draw_task(scenes: range, seed: int) -> Crops:
    return draw_crops(scenes, seed, glyphs(), shipped_detector())


@cache
def shipped_detector() -> Detector:
    """The shipped detector, loaded once in each process."""
    return Detector()


def draw_crops(scenes: range, seed: int, glyphs: Glyphs, detector: Detector) -> Crops:
    """The crops of the scenes with these numbers; the same arguments give the same crops."""
    parts = []
    for number in scenes:
        rng = np.random.default_rng((seed, 7, number))
        parts.append(scene_crops(draw_scene(rng, glyphs), rng, detector))
    return Crops(np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts]))


def scene_crops(scene: Scene, rng: Generator, detector: Detector) -> Crops:
    """The crops of a scene."""
    chosen, chosen_labels = _chosen_boxes(scene, rng)
    found, found_labels = _detected_boxes(scene, detector.detect(scene.image)[0])
    images = preprocessing.images(shadeless(scene.image, found), np.concatenate([chosen, found]))
    return Crops(images, np.concatenate([chosen_labels, found_labels]).astype(np.uint8))


def _chosen_boxes(scene: Scene, rng: Generator) -> tuple[Boxes, Bytes]:
    """Boxes (n, 4) and labels (n,) of digits, letters, and places without digits."""
    some = rng.permutation(len(scene.boxes))[:MAX_DIGIT_CROPS]
    digits = jittered(scene.boxes[some], rng)
    letters = jittered(scene.others[rng.permutation(len(scene.others))[:MAX_LETTER_CROPS]], rng)
    others = _elsewhere(scene, rng)
    labels = np.concatenate([scene.labels[some], np.full(len(letters) + len(others), NO_DIGIT, np.uint8)])
    return np.concatenate([digits, letters, others]), labels


def jittered(boxes: Boxes, rng: Generator) -> Boxes:
    """The boxes (n, 4), each moved a little and scaled a little about its middle."""
    side = boxes[:, 2:].max(1, initial=0.0, keepdims=True)
    middle = boxes[:, :2] + boxes[:, 2:] / 2 + rng.normal(0, BOX_SHIFT, (len(boxes), 2)) * side
    sides = boxes[:, 2:] * np.exp(rng.normal(0, BOX_SCALE, (len(boxes), 1)))
    return np.concatenate([middle - sides / 2, sides], 1).astype(np.float32)


def _elsewhere(scene: Scene, rng: Generator) -> Boxes:
    """Boxes (n, 4) that are no digit's: anywhere, half beside a digit, or around two digits."""
    tried = []
    for _ in range(TRIES_ELSEWHERE):
        if len(scene.boxes) and rng.random() < 0.6:
            x, y, w, h = scene.boxes[rng.integers(len(scene.boxes))].tolist()
            side = max(w, h)
            turn = rng.uniform(0, 2 * np.pi)
            away, grown = rng.uniform(0.5, 0.9) * side, float(np.exp(rng.normal(0, 0.2)))  # half beside it
            if rng.random() < 0.2:  # around it and a neighbour
                away, grown = rng.uniform(0, 0.6) * side, rng.uniform(1.9, 3)
            middle = np.array([x + w / 2 + np.cos(turn) * away, y + h / 2 + np.sin(turn) * away])
            size = np.array([w, h]) * grown
        else:
            height = float(np.exp(rng.uniform(np.log(9), np.log(90))))
            middle, size = rng.uniform(0, SCENE_SIDE, 2), np.array([rng.uniform(0.3, 1) * height, height])
        tried.append([*(middle - size / 2), *size])
    boxes = np.array(tried, np.float32)
    known = np.concatenate([scene.boxes, scene.unsure])
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    inside = ((middles > 0) & (middles < SCENE_SIDE)).all(1)
    return np.asarray(boxes[inside & (iou(boxes, known).max(1, initial=0.0) < NO_DIGIT_IOU)], np.float32)


def _detected_boxes(scene: Scene, boxes: Boxes) -> tuple[Boxes, Bytes]:
    """The detector's boxes with their labels: a digit, or "no digit". Boxes in between are left out."""
    shared = iou(boxes, scene.boxes)
    best = shared.max(1, initial=0.0)
    labels = np.full(len(boxes), NO_DIGIT, np.uint8)
    if len(scene.boxes):
        labels = np.where(best >= SAME_DIGIT_IOU, scene.labels[shared.argmax(1)], labels).astype(np.uint8)
    beside = np.maximum(best, iou(boxes, scene.unsure).max(1, initial=0.0))
    clear = (best >= SAME_DIGIT_IOU) | (beside < NO_DIGIT_IOU)
    return boxes[clear], labels[clear]
