from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.train.synthesis.digitless import alphabet, diagram, digitless, words
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.scenes import draw_scene
from digitocr.train.synthesis.sheet import AMBIGUOUS_LABEL, NO_DIGIT, SCENE_SIDE, Sheet

SANS = Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"  # Matplotlib brings it along; it has Cyrillic letters


@pytest.fixture(scope="module", params=[False, True], ids=["Latin", "other scripts too"])
def glyphs(request):
    nothing = np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8)
    return Glyphs(*nothing, [SANS], hands=1, scripts=[SANS] if request.param else [])


@pytest.mark.parametrize("layout", [words, alphabet, diagram, digitless])
def test_there_are_letters_and_no_digit(layout, glyphs):
    written = 0
    for seed in range(12):
        sheet = Sheet()
        layout(sheet, np.random.default_rng(seed), glyphs)
        assert {item.label for item in sheet.items} <= {NO_DIGIT, AMBIGUOUS_LABEL}
        written += len(sheet.items)
        scene = draw_scene(np.random.default_rng(seed), glyphs, layout)
        assert len(scene.boxes) == 0
        assert scene.image.shape == (SCENE_SIDE, SCENE_SIDE)
    assert written > 40


@pytest.mark.parametrize("layout", [words, alphabet, diagram, digitless])
def test_the_same_seed_draws_the_same(layout, glyphs):
    one, same, other = (draw_scene(np.random.default_rng(seed), glyphs, layout).image for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_diagrams_have_whole_and_dashed_lines_and_arrows(glyphs):
    sheet = Sheet()
    for seed in range(20):
        diagram(sheet, np.random.default_rng(seed), glyphs)
    lengths = {len(rule.points) for rule in sheet.rules}
    assert {3, 40} <= lengths  # barbs, and lines in one part
    assert lengths & {2, 4, 5}  # dashes


def test_an_alphabet_s_letters_stand_apart(glyphs):
    for seed in range(12):
        sheet = Sheet()
        alphabet(sheet, np.random.default_rng(seed), glyphs)
        corners = np.array([item.matrix[:, 2] for item in sheet.items]).reshape(-1, 2)
        apart = np.abs(corners[:, None] - corners[None]).max(2) + 1e9 * np.eye(len(corners))
        assert (apart.min(1, initial=1e9) > 8).all()
