import importlib
import sys
from dataclasses import replace

import numpy as np
import pytest

from digitocr.runtime.errors import MissingExtraError
from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis import strokes as module
from digitocr.train.synthesis.strokes import GLYPHS, Hand, draw_digit, random_hand


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("digit", range(10))
def test_every_form_of_a_digit_can_be_drawn_by_many_hands(digit):
    for form in range(len(GLYPHS[digit])):
        for seed in range(20):
            hand = random_hand(rng(seed))
            hand = replace(hand, forms=(*hand.forms[:digit], form, *hand.forms[digit + 1 :]))
            ink = draw_digit(digit, hand, rng(seed), height=40)
            assert ink.dtype == np.float32
            assert ink.min() == 0
            assert ink.max() == 1
            assert 30 <= ink.shape[0] <= 60
            assert ink.shape[1] <= 60
            assert 0.04 < ink.mean() < 0.95


def test_forms_of_a_digit_differ():
    for digit, forms in GLYPHS.items():
        drawn = [draw_digit(digit, Hand(forms=(form,) * 10, jitter=0), rng(), height=40) for form in range(len(forms))]
        pictures = [cv2.resize(ink, (28, 28), interpolation=cv2.INTER_AREA) for ink in drawn]
        for i, one in enumerate(pictures):
            assert all(np.abs(one - other).mean() > 0.02 for other in pictures[i + 1 :])


def test_a_hand_writes_alike_and_hands_differ():
    hand, other = Hand(forms=(0,) * 10, habit=1), Hand(forms=(1,) * 10, habit=2, slant=0.4, width=1.3)
    own = [cv2.resize(draw_digit(2, hand, rng(seed)), (28, 28)) for seed in range(8)]
    foreign = [cv2.resize(draw_digit(2, other, rng(seed)), (28, 28)) for seed in range(8)]
    assert any((one != own[0]).any() for one in own[1:])
    within = np.mean([np.abs(one - own[0]).mean() for one in own[1:]])
    across = np.mean([np.abs(one - own[0]).mean() for one in foreign])
    assert across > 1.5 * within


def test_a_curve_passes_through_its_knots_and_is_smooth_but_for_its_corners():
    knots = np.array([[0, 0], [0.5, 0.1], [0.6, 0.6], [0.1, 0.9], [0.4, 1.4]])
    for corners in ([False] * 5, [False, False, True, False, False]):
        points = module._basis(knots, corners) @ knots
        np.testing.assert_allclose(points[[*range(0, len(points), module._SAMPLES), -1]], knots, atol=1e-12)
        steps = np.diff(points, axis=0)
        turns = np.abs(np.diff(np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))))
        assert turns.argmax() == 2 * module._SAMPLES - 1 or not corners[2]
        assert (turns.max() > 0.5) == corners[2]


def test_without_scipy_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.interpolate", None)
    monkeypatch.delitem(sys.modules, module.__name__)
    with pytest.raises(MissingExtraError, match=r"digitocr\[train\]"):
        importlib.import_module(module.__name__)
