"""Processes that draw, each with its glyphs loaded once.

    with worker_pool(2, images, labels, fonts) as pool:
        pool.submit(work, 7)        # work(7) may call glyphs()

They start anew, and so hold nothing of the process that asks them but what they draw with.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from digitocr.runtime.opencv import cv2
from digitocr.runtime.processes import begin
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.strokes import Bytes

_glyphs: Glyphs | None = None


def worker_pool(count: int, images: Bytes, labels: Bytes, fonts: Sequence[Path]) -> ProcessPoolExecutor:
    """That many processes; images (n, 28, 28) and labels (n,) of MNIST's training set, and font files, to draw with."""
    return ProcessPoolExecutor(count, get_context("spawn"), _start, (images, labels, list(fonts)))


def glyphs() -> Glyphs:
    """In such a process, what it draws with."""
    if _glyphs is None:
        raise RuntimeError("glyphs() is for processes that worker_pool() started")
    return _glyphs


def _start(images: Bytes, labels: Bytes, fonts: Sequence[Path]) -> None:
    global _glyphs
    begin()
    cv2.setNumThreads(1)
    if hasattr(os, "nice"):
        os.nice(1)  # what is trained with comes first
    _glyphs = Glyphs(images, labels, fonts)
