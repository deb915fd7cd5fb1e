from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.recognizer import COLUMN, GAP, OTHER, STRIP_HEIGHT
from digitocr.train.synthesis import strips as module
from digitocr.train.synthesis.glyphs import Glyph
from digitocr.train.synthesis.strips import (
    BASE,
    SHEET_HEIGHT,
    SHEET_WIDTH,
    WIDTH,
    Mark,
    Sheet,
    finished,
    label_of,
    paste,
    resized,
)

DOT = label_of(".")
laws = settings(derandomize=True, deadline=None, max_examples=100)


def columns(*marks):
    """What is wanted of a strip with those marks, whose pixels are those of the sheet."""
    return module.marked(sorted(marks))


def runs(first):
    """The classes from left to right, gaps left out."""
    return [label for label, _ in groupby(first.tolist()) if label != GAP]


def test_labels_are_digits_then_signs_and_one_for_all_else():
    assert [label_of(character) for character in "07.,-+:/"] == [0, 7, 10, 11, 12, 13, 14, 15]
    assert {label_of(character) for character in "aO%$(|é"} == {OTHER}


# What a strip is to be read as


def test_an_empty_strip_is_gap_that_counts():
    first, _, share, weight, is_loose, text = columns()
    assert set(first) == {GAP}
    assert (set(weight), set(share), set(is_loose), text) == ({1.0}, {0.0}, {False}, "")


@laws
@given(st.lists(st.tuples(st.integers(0, 9), st.floats(8, 24), st.floats(0, 12)), min_size=1, max_size=8))
def test_digits_that_touch_have_a_gap_between_them(drawn):
    """Digits, their widths and the room behind each; even equal ones that touch are told apart."""
    marks, x = [], 6.0
    for label, width, room in drawn:
        marks.append(Mark(x, x + width, label))
        x += width + room
    first, _, _, weight, is_loose, text = columns(*marks)
    assert runs(first) == [mark.label for mark in marks]
    assert text == "".join(str(mark.label) for mark in marks)
    middles = (np.arange(len(first)) + 0.5) * COLUMN
    for mark in marks:
        inside = (middles > mark.left) & (middles < mark.right)
        assert set(first[inside]) <= {mark.label, GAP}
        core = inside & (first == mark.label) & ~is_loose
        assert core.any()
        assert np.abs(middles[core] - (mark.left + mark.right) / 2).max() <= module.MAX_CORE + 1e-6
    assert (weight == 1).all()
    assert not is_loose[first == GAP].any()


@laws
@given(st.floats(-30, 300), st.floats(8, 120))
def test_a_word_is_other_throughout(left, width):
    first, _, _, weight, is_loose, text = columns(Mark(left, left + width, OTHER))
    middles = (np.arange(len(first)) + 0.5) * COLUMN
    inside = (middles > left + 1) & (middles < left + width - 1)
    assert (first[inside] == OTHER).all()
    assert (first[(middles < left - 1) | (middles > left + width + 1)] == GAP).all()
    assert (weight == 1).all()
    assert not is_loose[inside].any()  # only its ends may be a gap as well
    assert set(text) <= {"*"}


@pytest.mark.parametrize(("left", "right"), [(-6.0, 14.0), (306.0, 326.0)])
def test_a_cut_character_has_no_weight(left, right):
    first, _, _, weight, _, _ = columns(Mark(left, right, 7))
    assert (first == 7).any()
    assert (weight[first == 7] == 0).all()
    assert columns(Mark(-2, 18, 7))[3][4] == 1  # hardly cut


def test_a_character_outside_is_not_there():
    first, _, _, weight, _, text = columns(Mark(-40, -20, 7), Mark(340, 360, 8))
    assert (set(first), set(weight), text) == ({GAP}, {1.0}, "")


def test_what_was_written_beyond_the_sheet_is_not_there():
    marks = [Mark(2, 12, 3), Mark(14, 26, 4), Mark(30, 40, 5), Mark(280, 318, OTHER)]
    first, _, _, weight, _, text = module.marked(marks, (19.0, 300.0))
    assert runs(first) == [4, 5, OTHER]
    assert (weight[first == 4] == 0).all()
    assert (weight[first == 5] == 1).all()
    assert (first[150:] == GAP).all()
    assert text == "5"  # of the others too much is not seen


def test_a_digit_on_a_word_s_columns_is_a_digit():
    first, *_, text = columns(Mark(100, 140, OTHER), Mark(136, 152, 5), Mark(160, 164, DOT))
    assert runs(first) == [OTHER, 5, DOT]
    assert text == "*5."


@pytest.mark.parametrize("narrow", [(110.0, 118.0), (112.0, 120.0), (114.0, 124.0)])
def test_a_narrow_digit_below_the_roof_of_another_keeps_columns_of_its_own_and_so_does_the_other(narrow):
    first, _, _, weight, _, text = columns(Mark(98, 120, 7), Mark(*narrow, 1))
    assert runs(first) == [7, 1]
    assert text == "71"
    for label in (7, 1):
        assert ((first == label) & (weight > 0)).any()


def test_a_wheel_between_two_digits_has_both_and_their_shares():
    first, second, share, _, _, text = columns(Mark(100, 120, 3, 4, 0.4), Mark(124, 144, 5, 6, 0.1))
    own = first == 3
    assert own.any()
    assert (set(second[own]), set(share[own])) == ({4}, {np.float32(0.4)})
    assert text == "?5"


# The sheet and its picture


def test_ink_is_pasted_where_it_lies_within_and_the_stronger_one_stays():
    plane = np.full((4, 4), 50, np.uint8)
    paste(plane, np.full((3, 3), 200, np.uint8), 2, -1)
    paste(plane, np.full((3, 3), 100, np.uint8), 2, -1)
    np.testing.assert_array_equal(plane, [[50, 50, 200, 200], [50, 50, 200, 200], [50] * 4, [50] * 4])
    paste(plane, np.full((2, 2), 255, np.uint8), 9, 9)
    assert plane.max() == 200
    paste(plane, np.full((1, 1), 200, np.uint8), 0, 3, strength=0.5)
    assert plane[3, 0] == 100


def test_a_glyph_stands_on_its_line_and_its_borders_are_said():
    sheet = Sheet()
    glyph = Glyph(np.full((20, 10), 255, np.uint8), left=0.1, top=-1.0, width=0.5, height=1.0, advance=0.7)
    borders = sheet.put(glyph, 100, 60, 40)
    assert borders == (104, 124)
    rows, across = np.nonzero(sheet.ink)
    assert (rows.min(), rows.max() + 1, across.min(), across.max() + 1) == (20, 60, 104, 124)


def test_resizing_keeps_the_coverage():
    ink = np.zeros((40, 40), np.uint8)
    ink[10:30, 10:30] = 255
    for wide, high in ((20, 20), (80, 60), (7, 33)):
        small = resized(ink, wide, high)
        assert small.shape == (high, wide)
        assert small.mean() == pytest.approx(ink.mean(), rel=0.05)


def bar(left, wide=12):
    """A sheet with a bar as high as a digit, marked as 1."""
    sheet = Sheet()
    sheet.ink[int(BASE) - 40 : int(BASE), left : left + wide] = 255
    sheet.marks.append(Mark(left, left + wide, 1))
    return sheet


def test_a_strip_has_the_form_of_the_reader_s_and_the_same_seed_gives_the_same():
    strip, again, other = (finished(bar(300), np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert (strip.image.shape, strip.image.dtype) == ((STRIP_HEIGHT, WIDTH), np.uint8)
    for part in (strip.first, strip.second, strip.share, strip.weight, strip.is_loose):
        assert part.shape == (WIDTH // COLUMN,)
    np.testing.assert_array_equal(strip.image, again.image)
    np.testing.assert_array_equal(strip.first, again.first)
    assert (strip.image != other.image).any()
    assert bar(300).ink.shape == (SHEET_HEIGHT, SHEET_WIDTH)


def test_the_columns_of_a_digit_are_where_it_is_in_the_picture():
    away = []
    for seed in range(40):
        strip = finished(bar(200 + 8 * seed), np.random.default_rng(seed))
        own = np.flatnonzero(strip.first == 1)
        assert strip.text == "1"
        assert len(own) >= 1
        middle = strip.image[12:20].astype(float).mean(0)
        ink = np.abs(middle - np.median(middle))
        ink[ink < 0.5 * ink.max()] = 0
        away.append((ink * np.arange(WIDTH)).sum() / ink.sum() - COLUMN * (own.mean() + 0.5))
    assert np.median(np.abs(away)) < 1.5


def test_beyond_the_picture_a_strip_has_the_median_of_what_is_within():
    for seed in range(8):
        sheet = bar(300)
        sheet.crop = (280, BASE - 50, 340, BASE + 10)
        image = finished(sheet, np.random.default_rng(seed)).image
        outside = np.concatenate([image[:, :100].ravel(), image[:, -100:].ravel()])
        assert len(np.unique(outside)) == 1
        assert len(np.unique(image)) > 2


def test_faint_ink_is_still_seen():
    for seed in range(40):
        sheet = bar(300)
        sheet.contrast = 0.15
        image = finished(sheet, np.random.default_rng(seed)).image[8:24].astype(float).mean(0)
        near = image[120:180]
        assert np.ptp(near) > 2


def test_a_shadow_is_darker_on_one_side():
    for seed in range(10):
        light = module._shadow(np.random.default_rng(seed))
        assert light.shape == (SHEET_HEIGHT, SHEET_WIDTH)
        assert 0.39 < light.min() < light.max() <= 1


def block():
    """A sheet with a block of ink in its middle, and the mark of a digit on it."""
    sheet, middle = Sheet(), SHEET_WIDTH / 2
    sheet.ink[round(BASE - 40) : round(BASE), round(middle - 10) : round(middle + 10)] = 255
    sheet.marks.append(Mark(middle - 10, middle + 10, 8))
    return sheet


def test_digits_become_narrower_and_wider_than_they_were_drawn():
    strips = [finished(block(), np.random.default_rng(seed)) for seed in range(300)]
    widths = np.array([mark.right - mark.left for strip in strips for mark in strip.marks])
    assert np.log(widths).std() > 0.155  # 0.144 by size alone


def test_what_is_beyond_the_sheet_is_even():
    ended = 0
    for seed in range(300):
        sheet = block()
        sheet.ink[::6] = 255  # stripes, which a border that goes on would draw out
        strip = finished(sheet, np.random.default_rng(seed))
        (mark,) = strip.marks
        if (mark.right - mark.left) / 20 * SHEET_WIDTH < WIDTH - 60:  # the sheet ends far within the strip
            ended += 1
            assert np.ptp(strip.image[:, :3]) == 0
            assert np.ptp(strip.image[:, -3:]) == 0
    assert ended > 5
