import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.train.synthesis import sheet as module
from digitocr.train.synthesis.glyphs import Glyph
from digitocr.train.synthesis.sheet import Area, Rule, Sheet

INK = np.full((64, 40), 255, np.uint8)


@settings(derandomize=True, deadline=None)
@given(st.floats(-100, 300), st.floats(-100, 300), st.floats(5, 900), st.floats(0.3, 2), st.floats(-0.2, 0.2))
def test_a_glyph_stands_where_the_pen_is_in_the_size_of_a_digit(x, base, height, tall, left):
    glyph = Glyph(INK, left, -tall, tall * 40 / 64, tall, tall)
    sheet, numbers = Sheet(), np.random.default_rng(0)
    sheet.put(glyph, 7, x, base, height, numbers, strength=0.5)
    ((same, label, matrix, strength),) = sheet.items
    assert (same, label, strength) == (glyph, 7, 0.5)
    np.testing.assert_allclose(matrix[:, 2], [x + left * height, base - tall * height])
    scale = np.sqrt(np.linalg.det(matrix[:, :2]))
    np.testing.assert_allclose(scale * len(INK), tall * height)
    np.testing.assert_allclose(matrix[:, :2] @ matrix[:, :2].T, scale**2 * np.eye(2), atol=1e-9)  # turned, not sheared


def test_glyphs_are_turned_a_little_each_by_itself():
    sheet, numbers = Sheet(), np.random.default_rng(0)
    for _ in range(200):
        sheet.put(Glyph(INK, 0, -1, 40 / 64, 1, 1), 1, 0, 0, 64, numbers)
    turns = [np.arctan2(item.matrix[1, 0], item.matrix[0, 0]) for item in sheet.items]
    assert abs(np.std(turns) - module._TURN_SPREAD) < 0.006
    assert abs(np.mean(turns)) < 0.01


def test_lines_outlines_and_rectangles_are_added_by_their_corners():
    sheet = Sheet()
    sheet.line(1, 2, 30, 40, 1.5, 0.5)
    sheet.box(10, 20, 5, 6, 2, 1)
    sheet.rectangle(10, 20, 15, 26, 0.25)
    line, outline = sheet.rules
    assert isinstance(line, Rule)
    assert (line.points.tolist(), line.thickness, line.strength) == ([[1, 2], [30, 40]], 1.5, 0.5)
    corners = [[10, 20], [15, 20], [15, 26], [10, 26]]
    assert outline.points.tolist() == [*corners, corners[0]]
    (area,) = sheet.areas
    assert isinstance(area, Area)
    assert (area.corners.tolist(), area.strength) == (corners, 0.25)
