"""What the reading network is handed in pictures, to train it with: crops of drawn scenes, by preprocessing.py as in
serving.

    crops = draw_crops(range(100), 1, glyphs)     # of the scenes of those numbers, about a dozen each
    crops.images, crops.labels                    # (N, 28, 28) uint8, (N,) uint8; 10 is no digit

Digits, their boxes a little off, as a detector's are; and what is no digit: letters and symbols, halves of digits, two
at once, lines and corners of forms, texture, and what the detector itself took for a digit.
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
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.layouts import NO_DIGIT, SIDE
from digitocr.train.synthesis.scenes import Scene, draw_scene
from digitocr.train.synthesis.strokes import Bytes
from digitocr.train.synthesis.workers import glyphs, worker_pool

OFF, SCALED = 0.05, 0.12  # standard deviations: of a box's middle, in sides; of the logarithm of its side
DIGITS, LETTERS, OTHERS = 10, 4, 4  # of a scene at most
CHUNK = 100  # scenes


@dataclass(frozen=True)
class Crops:
    images: Bytes  # (N, 28, 28)
    labels: Bytes  # (N,) 0 to 10


def draw_all(scenes: int, seed: int, images: Bytes, labels: Bytes, fonts: Sequence[Path]) -> Crops:
    """The crops of so many scenes, drawn by a process for each processor; images and labels of MNIST's training set."""
    chunks = [range(start, min(start + CHUNK, scenes)) for start in range(0, scenes, CHUNK)]
    with worker_pool(os.cpu_count() or 1, images, labels, fonts) as pool:
        drawn = list(pool.map(_draw_chunk, chunks, [seed] * len(chunks)))
    return Crops(np.concatenate([part.images for part in drawn]), np.concatenate([part.labels for part in drawn]))


def _draw_chunk(scenes: range, seed: int) -> Crops:
    return draw_crops(scenes, seed, glyphs(), _detector())


@cache
def _detector() -> Detector:
    return Detector()


def draw_crops(scenes: range, seed: int, glyphs: Glyphs, detector: Detector) -> Crops:
    """The crops of the scenes of those numbers; the same arguments give the same ones."""
    images, labels = [], []
    for number in scenes:
        rng = np.random.default_rng((seed, 7, number))
        scene = draw_scene(rng, glyphs)
        boxes, named = _chosen(scene, rng)
        found, truth = _judged(scene, detector.detect(scene.image)[0])
        images.append(preprocessing.images(shadeless(scene.image, found), np.concatenate([boxes, found])))
        labels.append(np.concatenate([named, truth]))
    return Crops(np.concatenate(images), np.concatenate(labels).astype(np.uint8))


def _chosen(scene: Scene, rng: Generator) -> tuple[Boxes, Bytes]:
    some = rng.permutation(len(scene.boxes))[:DIGITS]
    digits = _jittered(scene.boxes[some], rng)
    letters = _jittered(scene.others[rng.permutation(len(scene.others))[:LETTERS]], rng)
    others = _elsewhere(scene, rng)
    labels = np.concatenate([scene.labels[some], np.full(len(letters) + len(others), NO_DIGIT, np.uint8)])
    return np.concatenate([digits, letters, others]), labels


def _jittered(boxes: Boxes, rng: Generator) -> Boxes:
    """The boxes moved and scaled a little, about their middles."""
    side = boxes[:, 2:].max(1, initial=0.0, keepdims=True)
    middle = boxes[:, :2] + boxes[:, 2:] / 2 + rng.normal(0, OFF, (len(boxes), 2)) * side
    sides = boxes[:, 2:] * np.exp(rng.normal(0, SCALED, (len(boxes), 1)))
    return np.concatenate([middle - sides / 2, sides], 1).astype(np.float32)


def _elsewhere(scene: Scene, rng: Generator) -> Boxes:
    """Boxes that are no digit's: anywhere, or half beside a digit, or round two of them."""
    tried = []
    for _ in range(OTHERS):
        if len(scene.boxes) and rng.random() < 0.6:
            x, y, w, h = scene.boxes[rng.integers(len(scene.boxes))].tolist()
            side = max(w, h)
            turn = rng.uniform(0, 2 * np.pi)
            away, grown = rng.uniform(0.5, 0.9) * side, float(np.exp(rng.normal(0, 0.2)))
            if rng.random() < 0.2:
                away, grown = rng.uniform(0, 0.6) * side, rng.uniform(1.9, 3)
            middle = np.array([x + w / 2 + np.cos(turn) * away, y + h / 2 + np.sin(turn) * away])
            size = np.array([w, h]) * grown
        else:
            height = float(np.exp(rng.uniform(np.log(9), np.log(90))))
            middle, size = rng.uniform(0, SIDE, 2), np.array([rng.uniform(0.3, 1) * height, height])
        tried.append([*(middle - size / 2), *size])
    boxes = np.array(tried, np.float32)
    known = np.concatenate([scene.boxes, scene.unsure])
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    inside = ((middles > 0) & (middles < SIDE)).all(1)
    return np.asarray(boxes[inside & (iou(boxes, known).max(1, initial=0.0) < 0.25)], np.float32)


def _judged(scene: Scene, boxes: Boxes) -> tuple[Boxes, Bytes]:
    """What the detector found, with the digit that it is, or that it is none; what is neither is left out."""
    shared = iou(boxes, scene.boxes)
    best = shared.max(1, initial=0.0)
    labels = np.full(len(boxes), NO_DIGIT, np.uint8)
    if len(scene.boxes):
        labels = np.where(best >= 0.5, scene.labels[shared.argmax(1)], labels).astype(np.uint8)
    beside = np.maximum(best, iou(boxes, scene.unsure).max(1, initial=0.0))
    clear = (best >= 0.5) | (beside < 0.25)
    return boxes[clear], labels[clear]


overlaps = iou
