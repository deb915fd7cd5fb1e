"""What is drawn to be learned beside own pictures, so that nothing is forgotten: crops, scenes and strips of lines.

    drawn = draw(seed, images, labels, fonts, scripts, scenes=640, strips=2_560)    # half a minute on two cores

It does not import Keras, and so the processes that draw do not either: each would need 400 MB.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.processes import map_interruptibly
from digitocr.train.classifier.crops import Crops, scene_crops, shipped_detector
from digitocr.train.data import Bytes
from digitocr.train.detector.targets import targets
from digitocr.train.synthesis.scenes import draw_scene
from digitocr.train.synthesis.strip_layouts import draw_strip
from digitocr.train.synthesis.strips import Strip
from digitocr.train.synthesis.workers import glyphs, worker_pool

DRAWN_SCENES = 384  # for crops and scenes; about as many as the detector is shown
DRAWN_STRIPS = 1_280  # about as many as the recognizer is shown
TASK = 32  # pictures that a process draws at a time: a second, which Ctrl-C has to wait for

Columns = NDArray[np.float16]  # (n, 160, 5), as the loss of the recognizer takes them
Targets = NDArray[np.float16]  # (n, 64, 64, 8)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Drawn pictures.

    Attributes:
        crops: Of the scenes.
        scenes: (n, 256, 256) uint8.
        targets: What the detector should see in them.
        strips: (m, 32, 320) uint8.
        columns: What the recognizer should see in them.
    """

    crops: Crops
    scenes: Bytes
    targets: Targets
    strips: Bytes
    columns: Columns


def draw(
    seed: int, images: Bytes, labels: Bytes, fonts: Sequence[Path], scripts: Sequence[Path], scenes: int, strips: int
) -> Drawn:
    """Draws with one process for each processor; the same arguments draw the same.

    Args:
        seed: Of all that is drawn.
        images: (n, 28, 28) uint8, of MNIST's training set.
        labels: (n,) uint8, the digits of the images.
        fonts: Font files.
        scripts: Font files with letters of other scripts and icons.
        scenes: How many, TASK or more.
        strips: How many, TASK or more.
    """
    with worker_pool(os.cpu_count() or 1, images, labels, fonts, scripts) as pool:
        seen = map_interruptibly(pool, _draw_scenes, repeat(seed), range(0, scenes, TASK))
        lines = map_interruptibly(pool, _draw_strips, repeat(seed), range(0, strips, TASK))
    crops, pictures, wanted = zip(*seen, strict=True)
    return Drawn(
        Crops(np.concatenate([one.images for one in crops]), np.concatenate([one.labels for one in crops])),
        np.concatenate(pictures),
        np.concatenate(wanted),
        np.concatenate([strip for strip, _ in lines]),
        np.concatenate([columns for _, columns in lines]),
    )


def _draw_scenes(seed: int, first: int) -> tuple[Crops, Bytes, Targets]:
    crops, images, wanted = [], [], []
    for number in range(first, first + TASK):
        rng = np.random.default_rng((seed, 7, number))
        scene = draw_scene(rng, glyphs())
        crops.append(scene_crops(scene, rng, shipped_detector()))
        images.append(scene.image)
        wanted.append(targets(scene).astype(np.float16))
    whole = Crops(np.concatenate([one.images for one in crops]), np.concatenate([one.labels for one in crops]))
    return whole, np.stack(images), np.stack(wanted)


def _draw_strips(seed: int, first: int) -> tuple[Bytes, Columns]:
    strips = [draw_strip(np.random.default_rng((seed, 11, number)), glyphs()) for number in range(first, first + TASK)]
    return np.stack([strip.image for strip in strips]), np.stack([wanted_columns(strip) for strip in strips])


def wanted_columns(strip: Strip) -> Columns:
    """(160, 5): the columns of a strip."""
    return np.stack([strip.first, strip.second, strip.share, strip.weight, strip.is_loose], -1).astype(np.float16)
