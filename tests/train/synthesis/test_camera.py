import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

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


boxes_of_a_scene = st.tuples(st.floats(0, 200), st.floats(0, 200), st.floats(8, 56), st.floats(8, 56))


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 2**32), st.lists(boxes_of_a_scene, max_size=6))
def test_what_a_frame_leaves_whole_still_shows_its_own_pixels(seed, boxes):
    y, x = np.mgrid[:SCENE_SIDE, :SCENE_SIDE]
    image = ((7 * x + 31 * y) % 251).astype(np.uint8)  # a pixel differs from its neighbours
    made, whole = framed(image, np.random.default_rng(seed), boxes)
    assert (made.shape, made.dtype, whole.shape) == (image.shape, np.uint8, (len(boxes),))
    for (left, top, width, height), kept in zip(boxes, whole, strict=True):
        if kept:  # but for the two pixels that may be cut off at each side
            inner = np.s_[int(top) + 3 : int(top + height) - 2, int(left) + 3 : int(left + width) - 2]
            np.testing.assert_array_equal(made[inner], image[inner])


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(0, 2**32), st.booleans(), st.booleans())
def test_every_picture_is_of_grey_levels_and_depends_on_its_seed_alone(seed, natural, fields):
    planes = np.zeros((3, SCENE_SIDE, SCENE_SIDE), np.uint8)
    planes[0, 60:120, 40:90] = 255
    planes[1, 30:32] = 128
    planes[2, 50:130, 30:100] = 120 * fields
    before = planes.copy()
    first, again = (photograph(*planes, np.random.default_rng(seed), natural) for _ in range(2))
    assert (first.shape, first.dtype) == ((SCENE_SIDE, SCENE_SIDE), np.uint8)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(planes, before)
