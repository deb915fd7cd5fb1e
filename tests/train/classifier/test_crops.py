from dataclasses import replace

import numpy as np
import pytest

from digitocr.runtime import preprocessing
from digitocr.runtime.background import shadeless
from digitocr.runtime.boxes import iou
from digitocr.train.classifier import crops as module
from digitocr.train.classifier.crops import draw_all, draw_crops, with_others
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.scenes import Scene
from digitocr.train.synthesis.sheet import NO_DIGIT, SCENE_SIDE

NOTHING = np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8)


def boxes_of(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


class Found:
    """In the detector's place: these boxes in every scene."""

    def __init__(self, *boxes):
        self.boxes = boxes_of(*boxes)

    def detect(self, _):
        return self.boxes, np.full(len(self.boxes), 0.9, np.float32)


DIGITS = [(20, 20, 20, 30), (60, 20, 20, 30), (100, 20, 20, 30)]
SCENE = Scene(
    image=np.random.default_rng(0).integers(0, 256, (SCENE_SIDE, SCENE_SIDE), np.uint8),
    boxes=boxes_of(*DIGITS),
    labels=np.array([3, 1, 4], np.uint8),
    ignored=boxes_of((20, 100, 20, 30)),
    others=boxes_of((60, 100, 20, 30), (100, 100, 20, 30)),
    doubtful=boxes_of((20, 180, 20, 30)),
)


@pytest.fixture
def one_scene(monkeypatch):
    monkeypatch.setattr(module, "draw_scene", lambda *_: SCENE)


@pytest.fixture(scope="module")
def glyphs():
    return Glyphs(*NOTHING, [], hands=4)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_digits_keep_their_labels_and_letters_are_no_digits():
    boxes, labels = module._chosen_boxes(SCENE, rng())
    assert labels[:3].tolist() == [int(SCENE.labels[iou(boxes[:3], SCENE.boxes).argmax(1)[i]]) for i in range(3)]
    assert sorted(labels[:3].tolist()) == [1, 3, 4]
    assert iou(boxes[:3], SCENE.boxes).max(1).min() > 0.5
    assert iou(boxes[3:5], SCENE.others).max(1).min() > 0.5
    assert (labels[3:] == NO_DIGIT).all()
    assert len(boxes) == len(labels) <= 5 + module.TRIES_ELSEWHERE


def test_no_more_than_so_many_of_a_scene(monkeypatch):
    many = boxes_of(*((10 * place, 5, 8, 12) for place in range(25)))
    crowded = replace(SCENE, boxes=many, labels=np.zeros(25, np.uint8), others=many + 60)
    monkeypatch.setattr(module, "TRIES_ELSEWHERE", 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_elsewhere", lambda *_: boxes_of())
        boxes, labels = module._chosen_boxes(crowded, rng())
    assert (labels == 0).sum() == module.MAX_DIGIT_CROPS
    assert len(boxes) == module.MAX_DIGIT_CROPS + module.MAX_LETTER_CROPS
    assert len(np.unique(boxes[: module.MAX_DIGIT_CROPS].round(), axis=0)) == module.MAX_DIGIT_CROPS  # none twice


def test_boxes_are_off_by_as_much_as_a_detector_s():
    exact = np.tile(boxes_of((100, 50, 30, 60)), (4000, 1))
    off = module.jittered(exact, rng())
    assert off.dtype == np.float32
    middles = off[:, :2] + off[:, 2:] / 2
    np.testing.assert_allclose(middles.mean(0), [115, 80], atol=0.3)
    np.testing.assert_allclose(middles.std(0), module.BOX_SHIFT * 60, rtol=0.1)
    np.testing.assert_allclose(off[:, 2] / off[:, 3], 0.5, rtol=1e-5)
    np.testing.assert_allclose(np.log(off[:, 3] / 60).std(), module.BOX_SCALE, rtol=0.1)
    assert module.jittered(exact[:0], rng()).shape == (0, 4)


def test_what_is_elsewhere_is_no_digit_and_nothing_that_might_be_one():
    kinds = []
    for seed in range(80):
        boxes = module._elsewhere(SCENE, rng(seed))
        known = np.concatenate([SCENE.boxes, SCENE.ignored, SCENE.doubtful])
        assert iou(boxes, known).max(initial=0.0) < 0.25
        middles = boxes[:, :2] + boxes[:, 2:] / 2
        assert ((middles > 0) & (middles < SCENE_SIDE)).all()
        kinds += (iou(boxes, SCENE.boxes).max(1, initial=0.0) > 0.02).tolist()
    assert 60 < len(kinds) <= 80 * module.TRIES_ELSEWHERE
    assert 0.1 < np.mean(kinds) < 0.9  # halves of digits as well as anything else
    empty = replace(SCENE, boxes=boxes_of(), labels=np.zeros(0, np.uint8))
    assert len(module._elsewhere(empty, rng())) > 0


def test_what_the_detector_found_is_named_by_what_it_is():
    found = boxes_of(
        (21, 21, 20, 30),  # the three
        (58, 22, 22, 30),  # the one
        (60, 100, 20, 30),  # a letter
        (200, 200, 20, 30),  # nothing
        (112, 20, 20, 30),  # a quarter of the four: who knows
        (20, 100, 20, 30),  # what is ignored
        (20, 180, 20, 30),  # what is doubtful
    )
    boxes, labels = module._detected_boxes(SCENE, found)
    assert labels.tolist() == [3, 1, NO_DIGIT, NO_DIGIT]
    np.testing.assert_array_equal(boxes, found[:4])
    empty = replace(SCENE, boxes=boxes_of(), labels=np.zeros(0, np.uint8))
    assert module._detected_boxes(empty, found[:1])[1].tolist() == [NO_DIGIT]
    assert module._detected_boxes(SCENE, found[:0])[0].shape == (0, 4)


def test_crops_are_cut_out_as_in_serving(one_scene, glyphs):
    detector = Found(*DIGITS)
    crops = draw_crops(range(2), 5, glyphs, detector)
    assert crops.images.shape[1:] == (28, 28)
    assert crops.images.dtype == crops.labels.dtype == np.uint8
    assert len(crops.images) == len(crops.labels)
    served = preprocessing.images(shadeless(SCENE.image, detector.boxes), detector.boxes)
    for digit, label in zip(served, SCENE.labels, strict=True):
        rows = np.flatnonzero((crops.images == digit).all((1, 2)))
        assert len(rows) == 2  # one a scene
        assert (crops.labels[rows] == label).all()


def test_the_same_arguments_give_the_same_crops(glyphs):
    one, same, other = (draw_crops(range(6), seed, glyphs, Found(*DIGITS)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.images, same.images)
    np.testing.assert_array_equal(one.labels, same.labels)
    assert one.images.shape != other.images.shape or (one.images != other.images).any()
    parts = [draw_crops(part, 1, glyphs, Found(*DIGITS)) for part in (range(2), range(2, 6))]
    np.testing.assert_array_equal(np.concatenate([part.images for part in parts]), one.images)


def test_all_processes_together_draw_what_one_would(monkeypatch):
    """The chunks of a small run, done one after the other, come in order and from the same seed."""

    class Here:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        map = staticmethod(map)

    some = Glyphs(*NOTHING, [], hands=2)
    monkeypatch.setattr(module, "worker_pool", lambda count, *given: Here() if count >= 1 and len(given) == 3 else None)
    monkeypatch.setattr(module, "glyphs", lambda: some)
    monkeypatch.setattr(module, "shipped_detector", lambda: Found(*DIGITS))
    monkeypatch.setattr(module, "SCENES_PER_TASK", 3)
    drawn = draw_all(7, 4, *NOTHING, [])
    whole = draw_crops(range(7), 4, some, Found(*DIGITS))
    np.testing.assert_array_equal(drawn.images, whole.images)
    np.testing.assert_array_equal(drawn.labels, whole.labels)


def test_own_pictures_without_a_digit_are_a_share_of_the_crops():
    crops = module.Crops(np.zeros((90, 28, 28), np.uint8), np.full(90, 3, np.uint8))
    others = np.arange(3, dtype=np.uint8)[:, None, None] + np.ones((3, 28, 28), np.uint8)
    assert with_others(crops, others[:0]) is crops
    made = with_others(crops, others)
    assert (len(made.images), np.bincount(made.labels).tolist()) == (100, [0, 0, 0, 90, *[0] * 6, 10])
    assert np.bincount(made.images[90:, 0, 0]).tolist() == [0, 4, 3, 3]
    many = np.repeat(others, 20, 0)
    assert len(with_others(crops, many).images) == 150
