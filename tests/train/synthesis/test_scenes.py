import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis import layouts
from digitocr.train.synthesis import scenes as module
from digitocr.train.synthesis.glyphs import Alphabet, Glyph, Glyphs
from digitocr.train.synthesis.scenes import MAX_DIGIT, MIN_DIGIT, draw_line_scene, draw_scene
from digitocr.train.synthesis.sheet import SCENE_SIDE, Item

NOTHING = np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8)
NAMES = [layout.__name__.strip("_") for layout in module.LAYOUTS]


@pytest.fixture(scope="module")
def glyphs():
    return Glyphs(*NOTHING, [], hands=6)


class Blocks(Glyphs):
    """Full blocks in the place of digits, the darker the higher: 105 for a zero, 15 more for each."""

    def __init__(self):
        super().__init__(*NOTHING, [], hands=1)

    def alphabet(self, *_):
        return Alphabet("blocks", lambda digit, _: self.block(digit))

    @staticmethod
    def block(digit):
        return Glyph(np.full((64, 40), 105 + 15 * digit, np.uint8), 0.0, -1.0, 40 / 64, 1.0, 0.9)


@pytest.fixture
def ink_alone(monkeypatch):
    """Scenes show their ink and nothing else, bright on black, all of it as strong; none is framed."""
    monkeypatch.setattr(layouts, "FADING", 0)
    monkeypatch.setattr(module, "photograph", lambda ink, *_, **__: ink.copy())
    monkeypatch.setattr(module, "framed", lambda image, _, boxes: (image, np.ones(len(boxes), bool)))


def only(monkeypatch, name):
    monkeypatch.setattr(module, "ODDS", np.eye(len(NAMES))[NAMES.index(name)])


def drawn(glyphs, count, seed=0):
    return [draw_scene(np.random.default_rng((seed, number)), glyphs) for number in range(count)]


def everything(scene):
    return np.concatenate([scene.boxes, scene.ignored, scene.others, scene.doubtful])


def apart(box, others, room=6):
    """Whether the box is at least `room` pixels away from all others but itself."""
    x, y, w, h = box
    touching = (
        (others[:, 0] < x + w + room)
        & (others[:, 0] + others[:, 2] > x - room)
        & (others[:, 1] < y + h + room)
        & (others[:, 1] + others[:, 3] > y - room)
    )
    return touching.sum() == 1


def inked(image, box, room=3):
    """The rectangle of what is a quarter as bright as the brightest in the box and `room` pixels round it, or more."""
    x, y, w, h = box
    left, top = max(0, int(x) - room), max(0, int(y) - room)
    part = image[top : int(y + h) + room + 1, left : int(x + w) + room + 1]
    dx, dy, wide, high = cv2.boundingRect((part > part.max() / 4).astype(np.uint8))
    return left + dx, top + dy, wide, high


def test_the_same_seed_draws_the_same_scene(glyphs):
    again = Glyphs(*NOTHING, [], hands=6)
    for one, same, other in zip(drawn(glyphs, 12), drawn(again, 12), drawn(glyphs, 12, seed=1), strict=True):
        for name, value in vars(one).items():
            np.testing.assert_array_equal(value, getattr(same, name))
        assert (one.image != other.image).any()


@pytest.mark.parametrize(
    ("seed", "labels", "first", "mean"),
    [
        (1, "3", (93.1, 16.7, 12.9, 29.2), 162.9),
        (2, "352", (71.6, 117.8, 49.2, 73.9), 39.5),
        (3, "51779721293780536331444696", (52.5, 52.3, 12.1, 14.6), 80.9),
        (6, "088448195951", (66.9, 44.7, 16.3, 25.9), 173.2),
        (11, "13720", (0.0, 58.1, 32.1, 42.1), 142.2),
        (15, "985975", (70.1, 183.4, 16.9, 24.2), 23.2),
    ],
)
def test_the_scenes_of_a_seed_stay_the_same_since_runs_are_repeated_by_their_seed(seed, labels, first, mean, glyphs):
    scene = draw_scene(np.random.default_rng(seed), glyphs)
    assert "".join(map(str, scene.labels)) == labels
    np.testing.assert_allclose(scene.boxes[0], first, atol=0.1)
    assert scene.image.mean() == pytest.approx(mean, abs=0.5)  # libraries round and blur a little differently


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 2**32))
def test_boxes_lie_within_the_scene_and_labels_and_sizes_in_their_ranges(glyphs, seed):
    scene = draw_scene(np.random.default_rng(seed), glyphs)
    assert (scene.image.shape, scene.image.dtype) == ((SCENE_SIDE, SCENE_SIDE), np.uint8)
    assert (scene.labels.shape, scene.labels.dtype) == ((len(scene.boxes),), np.uint8)
    assert (scene.labels <= 9).all()
    for boxes in (scene.boxes, scene.ignored, scene.others, scene.doubtful):
        assert (boxes.dtype, boxes.shape[1:]) == (np.float32, (4,))
        assert (boxes[:, 2:] > 0).all()
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, :2] + boxes[:, 2:] <= SCENE_SIDE + 1e-3).all()
    sides = scene.boxes[:, 2:].max(1, initial=0)
    assert ((sides >= MIN_DIGIT) & (sides <= MAX_DIGIT)).all()
    np.testing.assert_array_equal(scene.unsure, np.concatenate([scene.ignored, scene.doubtful]))


def test_every_digit_is_drawn_about_as_often(glyphs):
    labels = np.concatenate([scene.labels for scene in drawn(glyphs, 60)])
    counts = np.bincount(labels, minlength=10)
    assert counts.min() > 0.4 * counts.mean()


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 2**32), st.booleans(), st.floats(-300, 500), st.floats(-300, 500), st.floats(0.05, 20))
def test_near_a_glyph_its_affine_map_is_the_homography(seed, steep, x, y, scale):
    view = module._view(np.random.default_rng(seed), steep)
    glyph = Blocks.block(0)
    item = Item(glyph, 0, np.array([[scale, 0.1, x], [-0.1, scale, y]]), 1.0)
    linear, shift = module._local_map(item, view)
    height, width = glyph.ink.shape
    middle = np.array([width / 2, height / 2])
    if (view[2, :2] @ (item.matrix[:, :2] @ middle + item.matrix[:, 2]) + view[2, 2]) < 0.5:
        return  # near the horizon
    for step in ([0, 0], [1e-4, 0], [0, 1e-4]):
        exact = module._project(view, (item.matrix[:, :2] @ (middle + step) + item.matrix[:, 2])[None])[0]
        np.testing.assert_allclose(linear @ (middle + step) + shift, exact, atol=1e-6)


@pytest.mark.parametrize("name", ["lines", "close_up", "form", "grid", "column", "scattered", "display"])
def test_boxes_fit_the_ink_that_is_drawn(name, glyphs, ink_alone, monkeypatch):
    only(monkeypatch, name)
    compared = 0
    for scene in drawn(glyphs, 12):
        known = everything(scene)
        for x, y, w, h in scene.boxes[:20]:
            if apart((x, y, w, h), known) and min(x, y, SCENE_SIDE - x - w, SCENE_SIDE - y - h) > 12:
                left, top, wide, high = inked(scene.image, (x, y, w, h))
                slack = 1.6 + 0.02 * max(w, h)
                assert abs(left - x) <= slack
                assert abs(top - y) <= slack
                assert abs(left + wide - x - w) <= slack
                assert abs(top + high - y - h) <= slack
                compared += 1
    assert compared >= 5


def test_no_ink_lies_outside_of_all_boxes(glyphs, ink_alone, monkeypatch):
    for name in ("lines", "grid", "text", "scattered", "display"):
        only(monkeypatch, name)
        for scene in drawn(glyphs, 6):
            rest = scene.image.copy()
            for x, y, w, h in everything(scene):
                rest[max(0, int(y) - 3) : int(y + h) + 4, max(0, int(x) - 3) : int(x + w) + 4] = 0
            # what is seen of a digit by less than a quarter, at the edge, is in no list
            assert (rest[12:-12, 12:-12] > 0).mean() < 0.002, name


@pytest.mark.parametrize("name", ["lines", "form", "grid", "column", "display"])
def test_labels_are_those_of_the_digits_in_the_boxes(name, ink_alone, monkeypatch):
    only(monkeypatch, name)
    seen = 0
    for scene in drawn(Blocks(), 10):
        known = everything(scene)
        for box, label in zip(scene.boxes, scene.labels, strict=True):
            x, y, w, h = box
            if apart(box, known):
                middle = scene.image[int(y + h / 2) - 1 : int(y + h / 2) + 2, int(x + w / 2) - 1 : int(x + w / 2) + 2]
                assert abs(int(np.median(middle)) - (105 + 15 * label)) <= 4
                seen += 1
    assert seen >= 8


def test_letters_are_others_or_doubtful_and_never_digits(glyphs, ink_alone, monkeypatch):
    texts = []

    def text(sheet, rng, glyphs):
        words = glyphs.words(rng)
        layouts._write(sheet, texts[-1], words, 20, 150, 40, 0.4, rng)

    monkeypatch.setattr(module, "LAYOUTS", (text,))
    monkeypatch.setattr(module, "ODDS", np.ones(1))
    monkeypatch.setattr(module, "_view", lambda *_, **__: np.eye(3))
    for letters, digits, others, doubtful in (("amk", 0, 3, 0), ("OlS", 0, 0, 3), ("7xO", 1, 1, 1), ("+4", 1, 1, 0)):
        texts.append(letters)
        (scene,) = drawn(glyphs, 1)
        assert (len(scene.boxes), len(scene.others), len(scene.doubtful)) == (digits, others, doubtful)
        assert scene.ignored.shape == (0, 4)


@pytest.mark.parametrize(
    ("height", "x", "found", "ignored"),
    [
        (8, 100, 0, 1),  # too small
        (10, 100, 1, 0),
        (130, 60, 1, 0),
        (150, 60, 0, 1),  # too large
        (190, 60, 0, 0),  # far too large: its strokes are no digit at this scale
        (60, -8, 1, 0),  # four fifths are seen
        (60, -20, 0, 1),  # half is
        (60, -33, 0, 0),  # a ninth is
        (60, -80, 0, 0),
        (60, SCENE_SIDE - 20, 0, 1),
    ],
)
def test_what_is_too_small_too_large_or_cut_off_is_ignored_and_what_is_hardly_there_is_not_there(
    height, x, found, ignored, ink_alone, monkeypatch
):
    def one(sheet, rng, glyphs):
        sheet.put(glyphs.block(3), 3, x, 200, height, rng)

    monkeypatch.setattr(module, "LAYOUTS", (one,))
    monkeypatch.setattr(module, "ODDS", np.ones(1))
    monkeypatch.setattr(module, "_view", lambda *_, **__: np.eye(3))
    monkeypatch.setattr(module.Sheet, "put", _straight)
    (scene,) = drawn(Blocks(), 1)
    assert (len(scene.boxes), len(scene.ignored)) == (found, ignored)
    if found:
        left, top, w, h = scene.boxes[0]
        np.testing.assert_allclose([left, top, h], [max(x, 0), 200 - height, height], atol=0.8 + height / 50)
        assert w == pytest.approx(height * 40 / 64 + min(x, 0), abs=0.8 + height / 50)


def _straight(self, glyph, label, x, base, height, rng, strength=1.0):
    scale = height / glyph.ink.shape[0]
    self.items.append(Item(glyph, label, np.array([[scale, 0, x], [0, scale, base - height]]), strength))


@pytest.mark.parametrize("name", ["texture", "blank", "scribbles", "giant", "text"])
def test_some_scenes_have_hardly_a_digit(name, glyphs, monkeypatch):
    only(monkeypatch, name)
    scenes = drawn(glyphs, 20)
    with_digits = sum(len(scene.boxes) > 0 for scene in scenes)
    assert with_digits == 0 if name == "blank" else with_digits <= 12
    if name == "text":
        assert sum(len(scene.others) for scene in scenes) > 100
    if name in ("texture", "scribbles"):
        assert np.mean([scene.image.std() for scene in scenes]) > 8


def test_scenes_are_of_either_polarity_and_of_many_contrasts(glyphs, monkeypatch):
    only(monkeypatch, "lines")
    brighter, spread = [], []
    for scene in drawn(glyphs, 40):
        for x, y, w, h in scene.boxes[:1]:
            part = scene.image[int(y) : int(y + h), int(x) : int(x + w)].astype(float)
            low, middle, high = np.quantile(part, [0.02, 0.5, 0.98])
            brighter.append(high - middle > middle - low)
            spread.append(high - low)
    assert 0.08 < np.mean(brighter) < 0.7
    assert min(spread) < 50
    assert max(spread) > 150


def test_a_digit_that_the_frame_cuts_off_is_ignored(glyphs, monkeypatch):
    only(monkeypatch, "close_up")
    monkeypatch.setattr(module, "framed", lambda image, _, boxes: (image, np.zeros(len(boxes), bool)))
    moved = 0
    for scene, framed in zip(drawn(glyphs, 40), drawn(glyphs, 40), strict=True):
        np.testing.assert_array_equal(scene.boxes, framed.boxes)
        moved += len(scene.boxes) == 0 and len(scene.ignored) > 0
    assert moved > 0


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(0, 2**32))
def test_scenes_of_lines_have_boxes_in_the_scene_that_differ_from_what_is_around(glyphs, seed):
    scene = draw_line_scene(np.random.default_rng(seed), glyphs)
    assert (scene.image.shape, scene.image.dtype) == ((SCENE_SIDE, SCENE_SIDE), np.uint8)
    assert scene.labels.shape == (len(scene.boxes),)
    for x, y, w, h in scene.boxes:
        assert MIN_DIGIT <= max(w, h) <= MAX_DIGIT
        assert np.ptp(scene.image[max(0, int(y)) : int(y + h) + 1, max(0, int(x)) : int(x + w) + 1]) >= 14


def test_a_scene_behind_a_line_loses_what_is_covered(glyphs):
    below = max(drawn(glyphs, 8), key=lambda scene: len(scene.boxes))
    truth, half = module._Truth(), np.zeros((SCENE_SIDE, SCENE_SIDE), bool)
    module._add_below(truth, below, half)
    assert len(truth.boxes) == len(below.boxes) > 0
    truth = module._Truth()
    module._add_below(truth, below, ~half)
    assert truth.boxes == truth.ignored == truth.others == []
