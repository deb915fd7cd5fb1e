"""The drawn lines: what they show, and how a reading of them is judged."""

import io
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import get_data_path
from PIL import Image

from digitocr import Box

FONT = Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


@pytest.fixture
def lines(benchmark_module):
    return benchmark_module("lines")


def reading(*numbers):
    """A reading of (text, x, y of the middle), a line for each number."""
    return SimpleNamespace(
        lines=[
            SimpleNamespace(numbers=[SimpleNamespace(text=text, box=Box(x, y - 5, 20, 10))]) for text, x, y in numbers
        ]
    )


def test_a_form_is_filled_with_digits_and_says_which_numbers_it_shows(lines):
    assert lines.filled("#{1/2} x{-3.4}", np.random.default_rng(0)) == ("#1/2 x-3.4", ("1/2", "-3.4"))
    assert len(set(lines.FORMS)) == 56
    for seed, form in enumerate(lines.FORMS):
        line = lines.filled(form, np.random.default_rng(seed))
        assert line == lines.filled(form, np.random.default_rng(seed))
        assert line.numbers
        assert re.findall("[0-9]", line.text) == list(lines.digits(line.numbers))
        assert "".join(line.numbers) in re.sub(r"[^0-9.,:/+-]", "", line.text).replace(" ", "") or len(line.numbers) > 1
        assert not any(re.match(r"[+-]?0[0-9]", number) for number in line.numbers)
    assert not any(re.search("[0-9]", words) for words in lines.WORDS)


@pytest.mark.parametrize("light_on_dark", [False, True])
def test_digits_have_the_height_and_the_polarity_of_the_style(lines, light_on_dark):
    style = lines.Style(FONT, 40.0, light_on_dark)
    file, middles = lines.draw(["00", "00"], style, np.random.default_rng(3))
    assert (file, middles) == lines.draw(["00", "00"], style, np.random.default_rng(3))
    gray = np.asarray(Image.open(io.BytesIO(file)).convert("L"), float)
    ground, ink = (gray.min(), gray.max()) if light_on_dark else (gray.max(), gray.min())
    is_inked = np.abs(gray - ink) < np.abs(gray - ground)
    inked = np.flatnonzero(is_inked.any(1))
    first, second = np.split(inked, np.flatnonzero(np.diff(inked) > 1) + 1)
    assert [len(first), len(second)] == pytest.approx([40, 40], abs=2)
    assert [first.mean(), second.mean()] == pytest.approx(middles, abs=2)
    assert is_inked.mean() < 0.5


def test_a_font_draws_only_characters_that_it_has(lines):
    assert lines.drawable("12 € 48°", FONT)
    assert not lines.drawable("12 \u6f22", FONT)


def test_numbers_are_those_of_the_line_that_is_nearest_from_left_to_right(lines):
    found = reading(("2", 90, 21), ("-1.5", 10, 18), ("77", 10, 62))
    assert lines.numbers_by_line(found, [20.0, 60.0, 100.0]) == [["-1.5", "2"], ["77"], []]


@pytest.mark.parametrize(
    ("found", "digits", "numbers"),
    [
        ([("12", 10, 20), ("3.5", 90, 20)], True, True),
        ([("12", 10, 20), ("35", 90, 20)], True, False),
        ([("123.5", 10, 20)], True, False),
        ([("1?", 10, 20), ("3.5", 90, 20)], False, False),
        ([("12", 10, 20), ("3.5", 90, 20), ("9", 190, 20)], False, False),
        ([], False, False),
    ],
)
def test_a_line_is_right_by_its_digits_and_by_its_numbers(lines, found, digits, numbers):
    reader = SimpleNamespace(read=lambda _: reading(*found))
    line = lines.Line("12 x 3.5", ("12", "3.5"))
    (result,) = lines.read(reader, [line], lines.Style(FONT, 20.0, False), np.random.default_rng(0))
    assert (result.digits, result.numbers, result.alone) == (digits, numbers, True)
