import numpy as np

from digitocr.train.synthesis.blank import blank, ruled, speckle
from digitocr.train.synthesis.sheet import SCENE_SIDE, Sheet


def test_a_blank_sheet_has_no_writing():
    sheet = Sheet()
    for seed in range(10):
        blank(sheet, np.random.default_rng(seed), None)
    assert not sheet.items
    assert sheet.rules


def rings(sheet):
    """Of each closed line on the sheet, whether it is a circle's."""
    return [
        np.ptp(np.linalg.norm(points - points[:-1].mean(0), axis=1)) < 0.1
        for points, _, _ in sheet.rules
        if len(points) > 10 and np.allclose(points[0], points[-1])
    ]


def test_whole_rings_stand_where_no_digits_do():
    alone, among = Sheet(), Sheet()
    for seed in range(60):
        blank(alone, np.random.default_rng(seed), None)
        ruled(among, np.random.default_rng(seed))
    assert sum(rings(alone)) >= 20
    assert rings(among) == []


def test_ruled_lines_reach_beyond_the_sheet():
    sheet = Sheet()
    ruled(sheet, np.random.default_rng(1))
    across = [points for points, _, _ in sheet.rules if points[0, 1] == points[1, 1]]
    assert len(across) > 3
    assert all(points[0, 0] < 0 and points[1, 0] > SCENE_SIDE for points in across)


def test_specks_are_small():
    sheet = Sheet()
    for seed in range(10):
        speckle(sheet, np.random.default_rng(seed), 40)
    assert sheet.rules
    assert max(np.ptp(points, axis=0).max() for points, _, _ in sheet.rules) < 20
