import numpy as np

from digitocr.train.synthesis.camera import framed, photograph
from digitocr.train.synthesis.sheet import SCENE_SIDE


def test_ink_is_seen_on_the_ground_and_nothing_where_there_is_none():
    ink, none = np.zeros((2, SCENE_SIDE, SCENE_SIDE), np.uint8)
    ink[80:170, 110:150] = 255
    seen = []
    for seed in range(20):
        image = photograph(ink, none, none, np.random.default_rng(seed), natural=False)
        assert (image.shape, image.dtype) == ((SCENE_SIDE, SCENE_SIDE), np.uint8)
        np.testing.assert_array_equal(image, photograph(ink, none, none, np.random.default_rng(seed), natural=False))
        inside, beside = image[100:150, 118:142].mean(), image[100:150, 60:90].mean()
        seen.append(abs(inside - beside))
    assert np.median(seen) > 25


def test_a_framed_scene_carries_its_picture_s_edges_on_and_drops_what_is_cut():
    image = np.random.default_rng(0).integers(0, 256, (SCENE_SIDE, SCENE_SIDE), np.uint8)
    boxes = [(120.0, 120.0, 10.0, 20.0), (3.0, 3.0, 10.0, 10.0), (100.0, 30.0, 9.0, 200.0)]
    cut = 0
    for seed in range(30):
        made, kept = framed(image, np.random.default_rng(seed), boxes)
        assert made.shape == image.shape
        same = made == image  # by chance one pixel in 256 is
        rows, columns = (np.flatnonzero(same.mean(axis) > 0.06) for axis in (1, 0))
        top, bottom, left, right = rows.min(), rows.max(), columns.min(), columns.max()
        assert same[top : bottom + 1, left : right + 1].all()
        assert (made[:top] == made[top]).all()
        assert (made[bottom + 1 :] == made[bottom]).all()
        assert (made[:, :left] == made[:, left : left + 1]).all()
        assert (made[:, right + 1 :] == made[:, right : right + 1]).all()
        for (x, y, w, h), whole in zip(boxes, kept, strict=True):
            inside = x >= left - 2 and y >= top - 2 and x + w <= right + 3 and y + h <= bottom + 3
            assert bool(whole) == inside
        cut += (~kept).any()
    assert 3 < cut < 30
