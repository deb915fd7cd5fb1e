from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.runtime.confidence import confidence_features
from digitocr.train.classifier import calibrate as module
from digitocr.train.classifier.calibrate import fitted, observed
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.scenes import Scene

TRUE = np.array([0.6, 1.4, 0.2, -0.8])


def drawn(count, seed=0):
    """(count, 4) of evidence and (count,) whether right, as by TRUE."""
    rng = np.random.default_rng(seed)
    found, read = rng.normal(1, 2, count), rng.normal(1, 2, count)
    odds = np.stack([found, read, found * read, np.ones(count)], 1)
    return odds, rng.random(count) < 1 / (1 + np.exp(-odds @ TRUE))


def boxes_of(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


TILE = Scene(
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
    detector = SimpleNamespace(find=lambda _: (boxes, np.array(found, np.float32)))
    return SimpleNamespace(detector=detector, digits=lambda *_: answers)


@pytest.fixture
def scene(monkeypatch):
    seeds = []

    def draw(rng, _):
        seeds.append(int(rng.integers(2**32)))
        return TILE

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
    odds, right = observed(reader_of(boxes, found, [3, 7, 8, 4, 1, 0]), None, range(2))
    assert odds.dtype == np.float64
    assert right.tolist() == [True, False, False, False, False] * 2
    answers = reader_of(boxes, found, [3, 7, 8, 4, 1, 0]).digits()
    expected = confidence_features(boxes, np.array(found, np.float32), answers)[[0, 1, 2, 3, 5]]
    np.testing.assert_allclose(odds, np.concatenate([expected] * 2), atol=1e-4)


def test_every_scene_is_another_and_each_always_the_same(scene):
    reader = reader_of(boxes_of((20, 20, 20, 30)), [0.9], [3])
    observed(reader, None, range(3))
    observed(reader, None, range(2, 5))
    assert scene[2] == scene[3]
    assert len(set(scene)) == 5
    assert module.SEED >= 2**31  # which no training may have


def test_scenes_without_digits_and_without_candidates_count(monkeypatch):
    none = boxes_of()
    empty = Scene(TILE.image, none, np.zeros(0, np.uint8), none, none, none)
    monkeypatch.setattr(module, "draw_scene", lambda *_: empty)
    _, right = observed(reader_of(boxes_of((1, 1, 9, 9)), [0.3], [5]), None, range(2))
    assert right.tolist() == [False, False]
    odds, right = observed(reader_of(none, [], []), None, range(2))
    assert (odds.shape, right.shape) == ((0, 15), (0,))


def test_the_command_prints_the_numbers_and_what_they_are_worth(mnist, monkeypatch, capsys, tmp_path):
    (tmp_path / "sans.ttf").symlink_to(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    asked = []

    def watched(reader, glyphs, scenes):
        assert isinstance(glyphs, Glyphs)
        asked.append(scenes)
        return drawn(6000, seed=len(asked))

    monkeypatch.setattr(module, "observed", watched)
    monkeypatch.setattr(module, "WEIGHTS", np.zeros(4))
    monkeypatch.setattr(module, "Glyphs", lambda *given, seed: Glyphs(*given, hands=1, seed=seed))
    monkeypatch.setattr(module, "load_mnist", lambda _: mnist)
    monkeypatch.setattr("sys.argv", ["calibrate", "--fonts", str(tmp_path), "--scenes", "10"])
    module.main()
    assert asked == [range(10), range(10, 15)]
    first, *errors = capsys.readouterr().out.splitlines()
    numbers = [float(number) for number in first.removeprefix("WEIGHTS = ").split(",")]
    np.testing.assert_allclose(numbers, TRUE, atol=0.25)
    before, after = (float(line.split(": ")[1].split()[0]) for line in errors)
    assert after < 0.03 < before
