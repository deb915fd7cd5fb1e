import json
import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digitocr.runtime import drawing
from digitocr.runtime.errors import InputError, OutputError
from digitocr.runtime.reading import Box, Digit, Line, ModelId, Number, Reading, Timing

BOXES = st.builds(Box, st.integers(-50, 500), st.integers(-50, 500), st.integers(1, 300), st.integers(1, 300))


SOMEWHERE = Box(1, 2, 3, 4)


def digit(value, confidence, box=SOMEWHERE):
    return Digit(value, confidence, box, ((value, confidence), (9, 1 - confidence)))


DOUBT = Digit(None, 0.375, SOMEWHERE, ((4, 0.5), (5, 0.375)))
READING = Reading(
    (
        Line((Number("-4.0", (digit(4, 0.75), digit(0, 0.5)), 0.25), Number("1?", (digit(1, 0.75), DOUBT), 0.0))),
        Line((Number("1", (digit(1, 0.875),), 0.875),)),
    ),
    Timing(1.25, 2, 0.5),
    ModelId("n", "s"),
)
EMPTY = Reading((), why="nothing in it looks like a digit")


def test_text_digits_and_confidence():
    assert READING.text == "40 1?\n1"
    assert [one.digit for one in READING.digits] == [4, 0, 1, None, 1]
    assert "".join(one.text for one in READING.digits) == "401?1"
    assert [number.text for number in READING.numbers] == ["-4.0", "1?", "1"]
    assert [number.digits_text for number in READING.numbers] == ["40", "1?", "1"]
    assert READING.confidence == 0.375
    assert [line.confidence for line in READING.lines] == [0.375, 0.875]
    assert (EMPTY.text, EMPTY.numbers, EMPTY.digits, EMPTY.confidence) == ("", (), (), 0.0)


def test_to_dict_is_the_documented_object():
    assert json.loads(json.dumps(READING.to_dict())) == {
        "text": "40 1?\n1",
        "confidence": 0.375,
        "turned": 0,
        "lines": [
            {
                "text": "40 1?",
                "numbers": [
                    {
                        "text": "-4.0",
                        "confidence": 0.25,
                        "box": [1, 2, 3, 4],
                        "digits": [
                            {"digit": 4, "confidence": 0.75, "box": [1, 2, 3, 4], "topk": [[4, 0.75], [9, 0.25]]},
                            {"digit": 0, "confidence": 0.5, "box": [1, 2, 3, 4], "topk": [[0, 0.5], [9, 0.5]]},
                        ],
                    },
                    {
                        "text": "1?",
                        "confidence": 0.0,
                        "box": [1, 2, 3, 4],
                        "digits": [
                            {"digit": 1, "confidence": 0.75, "box": [1, 2, 3, 4], "topk": [[1, 0.75], [9, 0.25]]},
                            {"digit": None, "confidence": 0.375, "box": [1, 2, 3, 4], "topk": [[4, 0.5], [5, 0.375]]},
                        ],
                    },
                ],
            },
            {
                "text": "1",
                "numbers": [
                    {
                        "text": "1",
                        "confidence": 0.875,
                        "box": [1, 2, 3, 4],
                        "digits": [
                            {"digit": 1, "confidence": 0.875, "box": [1, 2, 3, 4], "topk": [[1, 0.875], [9, 0.125]]}
                        ],
                    }
                ],
            },
        ],
        "why": "",
        "ms": {"decode": 1.25, "detect": 2, "classify": 0.5},
        "model": {"name": "n", "sha256": "s"},
    }
    assert EMPTY.to_dict()["why"] == "nothing in it looks like a digit"


def test_a_box_unpacks():
    x, y, w, h = Box(31, 12, 40, 66)
    assert (x, y, w, h) == (31, 12, 40, 66)
    assert Box(31, 12, 40, 66).xyxy == (31, 12, 71, 78)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(BOXES, min_size=1, max_size=6))
def test_the_box_of_a_number_and_of_a_line_is_the_smallest_around_the_digits(boxes):
    digits = tuple(digit(1, 0.5, box) for box in boxes)
    number = Number("1" * len(digits), digits, 0.5)
    left, top, right, bottom = number.box.xyxy
    assert Line((number,)).box == number.box
    assert Line(tuple(Number("1", (one,), 0.5) for one in digits)).box == number.box
    corners = [box.xyxy for box in boxes]
    assert left == min(corner[0] for corner in corners)
    assert top == min(corner[1] for corner in corners)
    assert right == max(corner[2] for corner in corners)
    assert bottom == max(corner[3] for corner in corners)


def test_values_cannot_be_changed():
    for value, field in (
        (READING, "lines"),
        (READING.lines[0], "numbers"),
        (READING.numbers[0], "text"),
        (READING.digits[0], "digit"),
    ):
        with pytest.raises(FrozenInstanceError):
            setattr(value, field, ())
    for value, field in ((Box(1, 2, 3, 4), "x"), (READING.ms, "decode"), (READING.model, "name")):
        with pytest.raises(AttributeError):
            setattr(value, field, 0)


def test_equal_values_are_equal_hash_alike_and_pass_between_processes():
    for value in (READING, READING.lines[0], READING.numbers[0], READING.digits[0], READING.digits[0].box):
        again = pickle.loads(pickle.dumps(value))
        assert again == value
        assert len({again, value}) == 1


def test_the_content_makes_readings_differ_and_no_time():
    assert replace(READING, ms=Timing(9, 9, 9)) == READING
    for change in ({"turned": 90}, {"lines": ()}, {"model": ModelId("other", "s")}, {"why": "x"}):
        assert replace(READING, **change) != READING


def test_a_reading_of_a_part_is_shifted_to_where_the_part_is():
    shifted = READING.shifted(10, 20)
    assert {one.box for one in shifted.digits} == {Box(11, 22, 3, 4)}
    assert shifted.shifted(-10, -20) == READING
    assert [number.text for number in shifted.numbers] == ["-4.0", "1?", "1"]


def test_boxes_are_given_in_the_order_of_the_digits():
    boxes = [Box(place, place, 5, 5) for place in range(5)]
    again = READING.with_boxes(boxes)
    assert [one.box for one in again.digits] == boxes
    assert again.to_dict()["text"] == READING.text


def test_the_numbers_of_a_form_and_the_main_one_are_picked():
    assert READING.matching(digits=2).text == "40"
    assert READING.matching(r"-4\.\d").numbers == READING.numbers[:1]
    assert READING.main == READING.numbers[0]
    assert EMPTY.main is None


@pytest.fixture
def stored(tmp_path):
    """A picture on its side, 60x90 as stored and 90x60 as shown, as a path."""
    picture = Image.new("RGB", (60, 90), (250, 250, 250))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "page.png", exif=exif)
    return tmp_path / "page.png"


def test_plot_draws_in_the_picture_as_shown(stored):
    reading = Reading((Line((Number("4", (digit(4, 0.99, Box(30, 20, 20, 30)),), 0.99),)),))
    with Image.open(stored) as opened:
        pictures = [stored, str(stored), stored.read_bytes(), opened, np.full((60, 90, 3), 250, np.uint8)]
        plots = [reading.plot(picture) for picture in pictures]
        assert opened.size == (60, 90)
    for plot in plots:
        assert plot.size == (90, 60)
        assert (np.asarray(plot)[20:50, 29] != 250).any(axis=1).all()
        assert (np.asarray(plot)[25:45, 35:45] == 250).all()
    assert reading.plot(plots[0]).size == (90, 60)  # what is drawn is upright, and is not turned again


def test_plot_draws_frames_of_numbers_and_places_that_cannot_be_told_in_colours_of_their_own(stored):
    digits = (digit(4, 0.99, Box(20, 20, 15, 20)), digit(None, 0.2, Box(45, 20, 15, 20)))
    plot = np.asarray(Reading((Line((Number("4?", digits, 0.0),)),)).plot(stored))
    assert plot[30, 19].tolist() == list(drawing.BOX_COLOUR)
    assert plot[30, 44].tolist() == list(drawing.DOUBT_COLOUR)
    assert plot[30, 20 - drawing.FRAME_GAP].tolist() == list(drawing.FRAME_COLOUR)


def test_plot_of_a_page(tmp_path):
    pages = [Image.new("L", (60 + number, 90)) for number in range(2)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    assert EMPTY.plot(tmp_path / "scan.tif", page=1).size == (61, 90)


def test_save_writes_what_plot_draws(stored, tmp_path):
    reading = Reading((Line((Number("4", (digit(4, 0.99, Box(30, 20, 20, 30)),), 0.99),)),))
    reading.save(tmp_path / "read.png", stored)
    with Image.open(tmp_path / "read.png") as saved:
        np.testing.assert_array_equal(np.asarray(saved), np.asarray(reading.plot(stored)))


def test_save_never_replaces_the_picture_itself(stored, tmp_path):
    before = stored.read_bytes()
    (tmp_path / "link.png").symlink_to(stored)
    for path in (stored, str(stored), tmp_path / "link.png"):
        with pytest.raises(OutputError, match="is the picture that was read"):
            READING.save(path, stored)
    assert stored.read_bytes() == before


def test_plot_and_save_raise_for_what_is_no_picture(tmp_path):
    with pytest.raises(InputError):
        READING.plot(b"no picture")
    with pytest.raises(InputError):
        READING.save(tmp_path / "read.png", tmp_path / "none.png")
    with pytest.raises(OutputError):
        READING.save(tmp_path / "read.xyz", Image.new("L", (50, 50)))
