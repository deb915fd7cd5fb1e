"""Digits that are learned in seconds."""

import numpy as np


def bars(count: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, 28, 28) and (N,) uint8: pictures of ten kinds, a bright bar at one of ten heights over noise."""
    rng = np.random.default_rng(0)
    labels = np.resize(np.arange(10, dtype=np.uint8), count)
    images = rng.integers(0, 120, (count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 2 * label : 6 + 2 * label, 6:22] = 255
    return images, labels
