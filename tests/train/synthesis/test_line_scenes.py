from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import get_data_path

from digitocr.train.synthesis import line_scenes
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.line_scenes import draw_panel
from digitocr.train.synthesis.sheet import SCENE_SIDE
from digitocr.train.synthesis.strip_displays import segments, wheels

FONT = Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"  # Matplotlib brings some fonts along
WHITE = np.full((SCENE_SIDE, SCENE_SIDE), 255, np.uint8)


@pytest.fixture(scope="module")
def glyphs():
    return Glyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), [FONT], hands=4)


def panels(glyphs, count, ground=None):
    return [draw_panel(np.random.default_rng(seed), glyphs, ground) for seed in range(count)]


def only(monkeypatch, layout):
    monkeypatch.setattr(line_scenes, "LAYOUTS", {layout: 1.0})


def part(image, box):
    x, y, w, h = box
    return image[max(0, round(y)) : max(0, round(y + h)), max(0, round(x)) : max(0, round(x + w))]


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 2**32))
def test_a_panel_has_levels_of_a_picture_and_boxes_of_digits(glyphs, seed):
    panel, same = (draw_panel(np.random.default_rng(seed), glyphs, WHITE) for _ in range(2))
    np.testing.assert_array_equal(panel.image, same.image)
    assert (panel.image.shape, panel.image.dtype, panel.covered.shape) == (WHITE.shape, np.float32, WHITE.shape)
    assert np.isfinite(panel.image).all()
    assert 0 < panel.contrast <= 1.1
    assert all(0 <= digit <= 9 for _, digit in panel.told)
    for *_, w, h in [box for box, _ in panel.told] + panel.doubtful + panel.others:
        assert w > 0
        assert h > 0


def test_a_ground_is_seen_where_the_panel_is_not(glyphs):
    for panel in panels(glyphs, 20, WHITE):
        np.testing.assert_array_equal(panel.image[~panel.covered], 1)
    assert 0.15 < np.mean([panel.covered.mean() for panel in panels(glyphs, 40, WHITE)]) < 0.95
    assert all(panel.covered.all() for panel in panels(glyphs, 20))


def test_a_box_is_where_its_digit_is(glyphs, monkeypatch):
    only(monkeypatch, segments)
    inside, outside = [], []
    for panel in panels(glyphs, 40):
        for box, _ in panel.told:
            x, y, w, h = box
            if min(x, y) > 0 and max(x + w, y + h) < SCENE_SIDE and h > 20:
                inside.append(part(panel.image, box).std() / panel.contrast)
                outside.append(part(panel.image, (x, y + 1.15 * h, w, 0.15 * h)).std() / panel.contrast)
    assert np.median(inside) > 5 * np.median(np.nan_to_num(outside))


def test_wheels_between_two_digits_are_told_apart_from_others(glyphs, monkeypatch):
    only(monkeypatch, wheels)
    drawn = panels(glyphs, 60)
    told, doubtful = (sum(map(len, parts)) for parts in zip(*((p.told, p.doubtful) for p in drawn), strict=True))
    assert told > 100
    assert 0.02 < doubtful / (told + doubtful) < 0.4
