from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from digitocr.train.adapt import drawing as module
from digitocr.train.adapt.drawing import draw
from digitocr.train.detector.targets import CENTRE_HEAT, HEAT
from digitocr.train.synthesis import workers
from digitocr.train.synthesis.glyphs import Glyphs


@pytest.fixture
def here(monkeypatch):
    """Draws two pictures at a time, in this process, by hand strokes alone."""
    none = np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8)
    monkeypatch.setattr(module, "TASK", 2)
    monkeypatch.setattr(workers, "_glyphs", Glyphs(*none, [], hands=2))
    monkeypatch.setattr(module, "worker_pool", lambda *_: nullcontext(SimpleNamespace(map=map)))
    return lambda seed: draw(seed, *none, [], [], 4, 2)


def test_scenes_have_their_crops_and_strips_their_columns(here):
    drawn = here(3)
    assert (drawn.scenes.shape, drawn.targets.shape) == ((4, 256, 256), (4, 64, 64, 8))
    assert (drawn.strips.shape, drawn.columns.shape) == ((2, 32, 320), (2, 160, 5))
    assert drawn.crops.images.shape == (len(drawn.crops.labels), 28, 28)
    digits = int((drawn.targets[..., HEAT] > CENTRE_HEAT).sum())
    assert (drawn.crops.labels < 10).sum() >= min(digits, 4) > 0


def test_the_seed_alone_says_what_is_drawn(here):
    one, same, other = here(3), here(3), here(4)
    assert np.array_equal(one.strips, same.strips)
    assert np.array_equal(one.crops.images, same.crops.images)
    assert not np.array_equal(one.scenes, other.scenes)
