import numpy as np
import pytest

from digitocr.runtime.recognizer import CLASS_COUNT, CLASSES, GAP, OTHER
from digitocr.train.synthesis import strip_layouts as module
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.strip_kinds import KINDS
from digitocr.train.synthesis.strip_layouts import LAYOUTS, draw_strip, neighbours, rules, scribbles
from digitocr.train.synthesis.strip_writing import pen, write
from digitocr.train.synthesis.strips import LEFT, Sheet


@pytest.fixture(scope="module")
def glyphs():
    return Glyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), [], hands=2)


def rng(*seed):
    return np.random.default_rng(seed)


def test_every_layout_has_a_share():
    assert min(LAYOUTS.values()) > 0


@pytest.mark.parametrize("layout", [one for one in LAYOUTS if one not in KINDS], ids=lambda layout: layout.__name__)
def test_the_same_seed_sets_the_same_sheet_and_its_marks_are_characters(layout, glyphs):
    def told(seed):
        sheets = [Sheet() for _ in range(6)]
        for number, sheet in enumerate(sheets):
            layout(sheet, rng(seed, number), glyphs)
            for mark in sheet.marks:
                assert 0 <= mark.label <= OTHER
                assert mark.left < mark.right
        return [(sheet.marks, sheet.ink.tobytes(), sheet.rule.tobytes(), sheet.area.tobytes()) for sheet in sheets]

    assert told(3) == told(3) != told(4)


def test_what_is_no_part_of_the_line_is_not_marked(glyphs):
    for seed in range(10):
        sheet = Sheet()
        write(sheet, "12", pen(rng(seed), glyphs), LEFT, rng(seed, 1))
        before, ink = list(sheet.marks), sheet.ink.copy()
        neighbours(sheet, rng(seed), glyphs)
        assert sheet.marks == before
        assert (sheet.ink >= ink).all()
        drawn = sheet.ink.copy()
        rules(sheet, rng(seed))
        assert sheet.marks == before
        np.testing.assert_array_equal(sheet.ink, drawn)


def test_scribbles_are_no_writing(glyphs):
    inked = 0
    for seed in range(20):
        sheet = Sheet()
        scribbles(sheet, rng(seed), glyphs)
        assert sheet.marks == []
        inked += bool(sheet.ink.any())
    assert inked > 10


def test_lines_above_and_rules_are_drawn_at_times(glyphs):
    counts = np.zeros(2, int)
    for seed in range(60):
        sheet = Sheet()
        neighbours(sheet, rng(seed), glyphs)
        rules(sheet, rng(seed))
        counts += [bool(sheet.ink.any()), bool(sheet.rule.any())]
    assert (counts > 5).all()
    assert (counts < 55).all()


def test_a_strip_is_drawn_from_its_seed_and_its_columns_are_those_of_its_text(glyphs):
    for seed in range(60):
        strip = draw_strip(rng(seed), glyphs)
        if seed < 5:
            np.testing.assert_array_equal(strip.image, draw_strip(rng(seed), glyphs).image)
        assert strip.first.max() < CLASS_COUNT
        assert set(np.unique(strip.weight)) <= {0.0, 1.0}
        certain = strip.first[(strip.weight > 0) & (strip.share == 0) & (strip.first < OTHER) & ~strip.is_loose]
        assert {CLASSES[label] for label in certain} <= set(strip.text)
        assert (strip.first == GAP).any()


def test_every_layout_is_drawn(glyphs, monkeypatch):
    drawn = []
    shares = {(lambda *_, layout=layout: drawn.append(layout)): share for layout, share in LAYOUTS.items()}
    monkeypatch.setattr(module, "LAYOUTS", shares)
    monkeypatch.setattr(module.strips, "finished", lambda *_: None)
    for seed in range(400):
        draw_strip(rng(seed), glyphs)
    assert set(drawn) == set(LAYOUTS)
