"""Processes that draw scenes; each loads its glyphs once.

    with worker_pool(2, images, labels, fonts) as pool:
        pool.submit(work, 7)        # work(7) may call glyphs()

They are spawned, not forked, so they share nothing with the process that started them.
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


def worker_pool(
    count: int, images: Bytes, labels: Bytes, fonts: Sequence[Path], scripts: Sequence[Path] = ()
) -> ProcessPoolExecutor:
    """A pool of `count` processes that draw with these glyphs.

    Args:
        count: The number of processes.
        images: (n, 28, 28) uint8 of MNIST's training set; n may be 0.
        labels: (n,) uint8, the digits of the images.
        fonts: Font files.
        scripts: Font files with letters of other scripts and icons.
    """
    return ProcessPoolExecutor(count, get_context("spawn"), _start, (images, labels, list(fonts), list(scripts)))


def glyphs() -> Glyphs:
    """The glyphs of a worker process. Raises RuntimeError in any other process."""
    if _glyphs is None:
        raise RuntimeError("glyphs() works only in processes that worker_pool() started")
    return _glyphs


def _start(images: Bytes, labels: Bytes, fonts: Sequence[Path], scripts: Sequence[Path] = ()) -> None:
    global _glyphs
    begin()
    cv2.setNumThreads(1)
    if hasattr(os, "nice"):
        os.nice(1)  # training, which waits for the scenes, comes first
    _glyphs = Glyphs(images, labels, fonts, scripts=scripts)
