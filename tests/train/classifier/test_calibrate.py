from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.runtime.boxes import iou
from digitocr.runtime.characters import Character
from digitocr.runtime.confidence import CHARACTER_FEATURES, confidence_features, load_confidence
from digitocr.runtime.reader import Reader
from digitocr.train.classifier import calibrate as module
from digitocr.train.classifier.calibrate import (
    calibrated,
    character_examples,
    fitted,
    lone_examples,
    number_examples,
    numbers_in,
    scene_examples,
)
from digitocr.train.synthesis.scenes import Scene
from digitocr.train.synthesis.strips import Mark

TRUE = np.array([0.6, 1.4, 0.2, -0.8])


def drawn(count, seed=0):
    """(count, 4) features and (count,) whether right, as by TRUE."""
    rng = np.random.default_rng(seed)
    found, read = rng.normal(1, 2, count), rng.normal(1, 2, count)
    odds = np.stack([found, read, found * read, np.ones(count)], 1)
    return odds, rng.random(count) < 1 / (1 + np.exp(-odds @ TRUE))


def boxes_of(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


SCENE = Scene(
    image=np.zeros((256, 256), np.uint8),
    boxes=boxes_of((20, 20, 20, 30), (60, 20, 20, 30), (100, 20, 20, 30)),
    labels=np.array([3, 1, 4], np.uint8),
    ignored=boxes_of((20, 100, 20, 30)),
    others=boxes_of((60, 100, 20, 30)),
    doubtful=boxes_of((20, 180, 20, 30)),
)


def reader_of(boxes, found, digits, probability=0.9):
    """In a Reader's place: what it finds and reads in every scene."""
    answers = np.full((len(boxes), 10), (1 - probability) / 9, np.float32)
    answers[np.arange(len(boxes)), digits] = probability
    detector = SimpleNamespace(detect=lambda _: (boxes, np.array(found, np.float32)), card={}, sha256="d")
    classifier = SimpleNamespace(predict=lambda tensors: answers[:1].repeat(len(tensors), 0), card={}, sha256="c")
    recognizer = SimpleNamespace(card={}, sha256="r")
    return SimpleNamespace(detector=detector, classifier=classifier, recognizer=recognizer, classify=lambda *_: answers)


@pytest.fixture
def scene(monkeypatch):
    seeds = []

    def draw(rng, *_):
        seeds.append(int(rng.integers(2**32)))
        return SCENE

    monkeypatch.setattr(module, "draw_scene", draw)
    return seeds


def test_the_weights_that_made_the_answers_are_found():
    odds, right = drawn(40_000)
    np.testing.assert_allclose(fitted(odds, right), TRUE, atol=0.1)


def test_after_fitting_the_confidence_is_the_share_that_is_right():
    odds, right = drawn(20_000)
    share = 1 / (1 + np.exp(-odds @ fitted(odds, right)))
    assert share.mean() == pytest.approx(right.mean(), abs=1e-3)
    for low, high in ((0.1, 0.4), (0.4, 0.7), (0.7, 0.95)):
        some = (share > low) & (share < high)
        assert share[some].mean() == pytest.approx(right[some].mean(), abs=0.03)


def test_a_candidate_is_right_if_a_digit_is_there_and_is_that_one(scene):
    boxes = boxes_of(
        (21, 20, 20, 30),  # a three, read as one
        (61, 20, 20, 30),  # a one, read as seven
        (60, 100, 20, 30),  # a letter
        (112, 20, 20, 30),  # a part of the four, read as a four
        (20, 100, 20, 30),  # ignored
        (20, 180, 20, 30),  # a letter like a zero
    )
    found = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
    odds, right = scene_examples(reader_of(boxes, found, [3, 7, 8, 4, 1, 0]), None, range(2))
    assert odds.dtype == np.float64
    assert right.tolist() == [True, False, False, False, False] * 2
    answers = reader_of(boxes, found, [3, 7, 8, 4, 1, 0]).classify()
    expected = confidence_features(boxes, np.array(found, np.float32), answers)[[0, 1, 2, 3, 5]]
    np.testing.assert_allclose(odds, np.concatenate([expected] * 2), atol=1e-4)


def test_a_character_is_right_if_its_digit_is_and_a_place_if_any_digit_is_there(scene):
    boxes = boxes_of(
        (18, 21, 24, 28),  # a three, read as one; the recognizer gives no sizes, so its boxes are rough
        (61, 20, 20, 30),  # a one, read as seven
        (60, 100, 20, 30),  # a letter
        (112, 20, 20, 30),  # a part of the four
        (20, 100, 20, 30),  # ignored
        (20, 20, 20, 30),  # the three once more, where the line shows less of a digit
    )
    digits = np.eye(11, dtype=np.float32)[[3, 7, 8, 4, 1, 3]]
    features = np.arange(6 * 18, dtype=np.float32).reshape(6, 18)
    lined = np.full((6, 18), 0.05, np.float32)
    lined[5] = 0.04
    found = SimpleNamespace(boxes=boxes, digits=digits, features=features, lined=lined)
    odds, right, placed = character_examples(SimpleNamespace(recognition=lambda _: found), None, range(2))
    assert odds.dtype == np.float64
    np.testing.assert_array_equal(odds, np.tile(features[[0, 1, 2, 3, 5]], (2, 1)))
    assert right.tolist() == [True, False, False, False, False] * 2
    assert placed.tolist() == [True, True, False, False, False] * 2


def test_the_place_of_a_narrow_digit_is_as_wide_as_that_of_others():
    thin, wide = boxes_of((57, 20, 6, 40)), boxes_of((48, 21, 24, 40))  # the ink of a one, and the place of it
    assert iou(thin, wide) < module.IS_PLACE_IOU < iou(module._broad(thin), module._broad(wide))
    np.testing.assert_array_equal(module._broad(boxes_of((10, 20, 30, 40))), boxes_of((10, 20, 30, 40)))


def test_characters_are_those_of_six_kinds_of_pictures_in_turn(monkeypatch):
    drawn = []
    monkeypatch.setattr(module, "draw_scene", lambda *words: (drawn.append(words[2]), SCENE)[1])
    line = SCENE.image, SCENE.boxes, SCENE.labels, SCENE.ignored
    monkeypatch.setattr(module, "draw_strip", lambda *words: words[2])
    monkeypatch.setattr(module, "_line_picture", lambda _, strip, is_lone: (drawn.append((strip, is_lone)), line)[1])
    nothing = SimpleNamespace(
        boxes=boxes_of(),
        digits=np.zeros((0, 11), np.float32),
        features=np.zeros((0, 18), np.float32),
        lined=np.zeros((0, 18), np.float32),
    )
    odds, right, placed = character_examples(SimpleNamespace(recognition=lambda _: nothing), None, range(7))
    assert (odds.shape, right.shape, placed.shape) == ((0, 18), (0,), (0,))
    assert drawn == [None, module.mixed, (None, False), (None, True), (module.row, False), module.digitless, None]


def test_every_scene_is_another_and_each_always_the_same(scene):
    reader = reader_of(boxes_of((20, 20, 20, 30)), [0.9], [3])
    scene_examples(reader, None, range(3))
    scene_examples(reader, None, range(2, 5))
    assert scene[2] == scene[3]
    assert len(set(scene)) == 5
    assert module.EXAMPLES_SEED >= 2**31  # which no training may have


def test_scenes_without_digits_and_without_candidates_count(monkeypatch):
    none = boxes_of()
    empty = Scene(SCENE.image, none, np.zeros(0, np.uint8), none, none, none)
    monkeypatch.setattr(module, "draw_scene", lambda *_: empty)
    _, right = scene_examples(reader_of(boxes_of((1, 1, 9, 9)), [0.3], [5]), None, range(2))
    assert right.tolist() == [False, False]
    odds, right = scene_examples(reader_of(none, [], []), None, range(2))
    assert (odds.shape, right.shape) == ((0, 15), (0,))


def test_pictures_of_one_digit_are_mnist_s_and_a_few_that_are_none(mnist):
    from digitocr.runtime.classifier import Classifier

    images, labels = mnist.train_images[:400], mnist.train_labels[:400]
    fonts = [Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"]
    features, right = lone_examples(Classifier(), images, labels, fonts, seed=0)
    others = len(features) - 400
    assert others / len(features) == pytest.approx(module.NON_DIGIT_SHARE, abs=0.005)
    assert not right[400:].any()
    assert right[:400].mean() > 0.95
    assert (features[:, 1] == 1).all()
    assert features[:400, 0].mean() > features[400:, 0].mean() + 3


NUMBER_WEIGHTS = np.array([1.0, 0.5, -0.25, -1.0, -0.5, 0.25, 0.5])


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("15/08/2026 09:41", ["15/08/2026", "09:41"]),
        ("-5 3-4 x=-2", ["-5", "3", "4", "-2"]),
        ("+49 170 3 +4", ["+49", "170", "3", "4"]),
        ("15-08-2026 1-2-3 978-3-16-1", ["15-08-2026", "1", "2", "3", "978", "3", "16", "1"]),
        (".5 12. B2B 1,250.50", ["5", "12", "2", "1,250.50"]),
        ("total", []),
    ],
)
def test_the_numbers_of_a_written_text(text, numbers):
    assert numbers_in(text) == numbers


def read_as(monkeypatch, written, read, visible=None):
    """What number_examples says of a scene with that text, read so."""
    digits = sum(map(str.isdecimal, written)) if visible is None else visible
    boxes = np.zeros((digits, 4), np.float32)
    monkeypatch.setattr(module, "one_line", lambda *_: written)

    def draw(rng, glyphs, layout):
        layout(None, rng, glyphs)
        return Scene(SCENE.image, boxes, np.zeros(digits, np.uint8), boxes[:0], boxes[:0], boxes[:0])

    monkeypatch.setattr(module, "draw_scene", draw)
    characters, x = [], 0.0
    for one in read:
        characters += [Character(one, (x, 0.0, 12.0, 20.0), 0.9, 0)] if one != " " else []
        x += 14.0
    attempt = SimpleNamespace(lines=lambda *_: [[0]], characters=lambda *_: characters)
    reader = SimpleNamespace(recognition=lambda _: SimpleNamespace(attempt=lambda *_: attempt))
    features, right = number_examples(reader, None, range(1), load_confidence())
    assert features.shape == (len(right), 7)
    return right.tolist()


def test_a_number_is_right_if_all_of_it_is_and_it_stands_in_its_place(monkeypatch):
    assert read_as(monkeypatch, "12 345 6", "12 345 6") == [True, True, True]
    assert read_as(monkeypatch, "12 345 6", "12 346 6") == [True, False, True]
    assert read_as(monkeypatch, "12 345 6", "12 6") == [True, True]
    assert read_as(monkeypatch, "12.50 6", "1250 6") == [False, True]
    assert read_as(monkeypatch, "12 3", "12 ? 3") == [True, True]  # what cannot be told is no example
    assert read_as(monkeypatch, "kg", "9") == [False]
    assert read_as(monkeypatch, "12 3", "12 3", visible=2) == []  # a digit is cut off
    assert read_as(monkeypatch, "kg", "") == []


@pytest.fixture
def few_examples(monkeypatch):
    """Examples whose confidence is known; the ranges of scenes that are asked for."""
    asked = []

    def scenes(reader, glyphs, numbers):
        asked.append(numbers)
        rng = np.random.default_rng(len(asked))
        features = np.concatenate([rng.normal(0, 1, (3000, 5)), np.eye(10)[rng.integers(0, 10, 3000)]], 1)
        return features, rng.random(3000) < 1 / (1 + np.exp(-features @ np.linspace(-1, 1, 15)))

    def lone(classifier, images, labels, fonts, seed):
        rng = np.random.default_rng(seed)
        features = np.stack([rng.normal(1, 2, 4000), np.ones(4000)], 1)
        return features, rng.random(4000) < 1 / (1 + np.exp(-features @ [0.8, -0.3]))

    def characters(reader, glyphs, numbers):
        features = np.random.default_rng(numbers.start).normal(0, 1, (3000, len(CHARACTER_FEATURES)))
        right = np.random.default_rng(1).random(3000) < 1 / (
            1 + np.exp(-features @ np.linspace(-1, 1, len(CHARACTER_FEATURES)))
        )
        return features, right, right

    def whole(reader, glyphs, numbers, model):
        features = np.random.default_rng(numbers.start).normal(0, 1, (4000, 7))
        return features, np.random.default_rng(2).random(4000) < 1 / (1 + np.exp(-features @ NUMBER_WEIGHTS))

    monkeypatch.setattr(module, "scene_examples", scenes)
    monkeypatch.setattr(module, "character_examples", characters)
    monkeypatch.setattr(module, "number_examples", whole)
    monkeypatch.setattr(module, "lone_examples", lone)
    monkeypatch.setattr(module, "Glyphs", lambda *_, **__: None)
    return asked


def test_all_confidences_are_fitted_and_measured_on_other_examples(mnist, few_examples):
    model, before = calibrated(reader_of(boxes_of(), [], []), mnist, [], scenes=10)
    assert few_examples == [range(10), range(10, 15)]
    assert model.networks == ("c", "d", "r")
    np.testing.assert_allclose(model.weights, np.linspace(-1, 1, 15), atol=0.35)
    np.testing.assert_allclose(model.lone_weights, [0.8, -0.3], atol=0.15)
    assert model.calibration_error["scenes"] < 0.05 < before["scenes"]
    np.testing.assert_allclose(model.right_weights, np.linspace(-1, 1, len(CHARACTER_FEATURES)), atol=0.35)
    np.testing.assert_array_equal(model.right_weights, model.place_weights)  # where each place is read right
    assert model.calibration_error["characters"] < 0.05 < before["characters"]
    assert model.calibration_error["lone"] < 0.05
    np.testing.assert_allclose(model.number_weights, NUMBER_WEIGHTS, atol=0.2)
    assert model.calibration_error["numbers"] < 0.05
    assert set(before) == set(model.calibration_error) == {"scenes", "characters", "places", "lone", "numbers"}


def test_the_command_writes_a_file_that_a_reader_takes(mnist, few_examples, monkeypatch, capsys, tmp_path):
    (tmp_path / "sans.ttf").symlink_to(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    out = tmp_path / "confidence.json"
    monkeypatch.setattr(module, "load_data", lambda *_, **__: mnist)
    monkeypatch.setattr("sys.argv", ["calibrate", "--fonts", str(tmp_path), "--scenes", "10", "--out", str(out)])
    module.main()
    printed = capsys.readouterr().out
    assert f"wrote {out}" in printed
    assert printed.count("expected calibration error") == 5
    reader = Reader(confidence=out)
    assert reader.calibrated
    np.testing.assert_allclose(load_confidence(out).weights, np.linspace(-1, 1, 15), atol=0.35)


def test_a_picture_of_one_character_mostly_shows_a_digit():
    marks = Mark(10, 40, 16), Mark(60, 70, 3), Mark(80, 90, 5)
    strip = SimpleNamespace(marks=marks, image=np.full((32, 320), 200, np.uint8))
    digits = [len(module._line_picture(np.random.default_rng(seed), strip, True)[1]) for seed in range(100)]
    assert set(digits) == {0, 1}
    assert 0.8 < np.mean(digits) < 0.98
    assert len(module._line_picture(np.random.default_rng(0), strip, False)[1]) == 2
