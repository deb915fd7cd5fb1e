"""Scenes of given digits, and the answer of a network that knows their targets by heart."""

import numpy as np
import pytest

from digitocr.train.detector import targets
from digitocr.train.synthesis.scenes import Scene


@pytest.fixture(scope="session")
def scene_of():
    """A function that makes a blank scene with digits: x, y, width, height, label each."""

    def make(*digits, ignored=(), shape=(64, 96)):
        rows = np.array(digits, np.float32).reshape(-1, 5)
        none = np.zeros((0, 4), np.float32)
        lost = np.array(ignored, np.float32).reshape(-1, 4)
        return Scene(np.zeros(shape, np.uint8), rows[:, :4], rows[:, 4].astype(np.uint8), lost, none, none)

    return make


@pytest.fixture(scope="session")
def answer():
    """A function that gives the output (N, rows, columns, 15) for targets (N, rows, columns, 8) learned by heart."""
    from digitocr.train.detector.network import CLASS_CHANNELS, HEAT_CHANNELS, OFFSET_CHANNELS, SIZE_CHANNELS

    def output_for(target, sure=12.0):
        output = np.zeros((*target.shape[:3], 15), np.float32)
        heat = np.clip(target[..., targets.HEAT], 1e-6, 1 - 1e-6)
        output[..., HEAT_CHANNELS] = np.clip(np.log(heat / (1 - heat)), -sure, sure)[..., None]
        output[..., OFFSET_CHANNELS] = target[..., targets.DX : targets.DY + 1]
        output[..., SIZE_CHANNELS] = target[..., targets.LOG_WIDTH : targets.LOG_HEIGHT + 1]
        output[..., CLASS_CHANNELS] = 20 * np.eye(10)[target[..., targets.DIGIT].astype(int)]
        return output

    return output_for
