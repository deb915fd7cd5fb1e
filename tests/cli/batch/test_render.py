import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from digitocr import Reader
from digitocr.cli.batch import render
from digitocr.runtime.reading import Box, Digit, Line, Number, Reading
from digitocr.train.synthesis.pages import draw_page, random_style


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    rng = np.random.default_rng(4)
    path = tmp_path_factory.mktemp("page") / "page.png"
    Image.fromarray(draw_page(["604"], rng, random_style(rng, (480, 320), light_on_dark=False)).image).save(path)
    return path


def test_a_reading_as_json_and_an_error_as_json(picture):
    reader = Reader()
    row = json.loads(render.json_line("page.png", reader.read(picture), None))
    assert (row["text"], row["error"]) == ("604", None)
    failed = json.loads(render.json_line("ä\n.png", None, "why"))
    assert (failed["source"], failed["text"], failed["error"]) == ("ä\n.png", "", "why")
    assert set(failed) == set(row)
    assert (row["page"], row["pages"]) == (failed["page"], failed["pages"]) == (None, 1)
    second = json.loads(render.json_line("scan.tif", reader.read(picture), None, 1, 3))
    assert (second["source"], second["page"], second["pages"]) == ("scan.tif", 2, 3)


def test_a_line_of_text_is_one_line(picture):
    reading = Reader().read(picture)
    assert render.text_line("new\nline.png", reading) == "new\\nline.png\t604"
    two = dataclasses.replace(reading, lines=reading.lines * 2)
    assert render.text_line("a.png", two) == "a.png\t604 604"


def test_numbers_are_shown_as_they_are_written():
    digit = Digit(4, 0.9, Box(0, 0, 9, 9), ((4, 0.9),))
    first = Line((Number("-4.4", (digit, digit), 0.9), Number("4?", (digit, digit), 0.0)))
    reading = Reading((first, Line((Number("4/4", (digit, digit), 0.9),))))
    assert render.text(reading) == "-4.4 4?\n4/4"
    assert render.text_line("a.png", reading) == "a.png\t-4.4 4? 4/4"
    assert render.text(Reading(())) == ""
