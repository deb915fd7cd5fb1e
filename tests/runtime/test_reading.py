import json
import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digitocr.runtime.errors import InputError, OutputError
from digitocr.runtime.reading import Box, Candidate, Digit, Line, ModelId, Reading, Timing

BOXES = st.builds(Box, st.integers(-50, 500), st.integers(-50, 500), st.integers(1, 300), st.integers(1, 300))


SOMEWHERE = Box(1, 2, 3, 4)


def digit(value, confidence, box=SOMEWHERE):
    return Digit(value, confidence, box, ((value, confidence), (9, 1 - confidence)))


READING = Reading(
    (Line((digit(4, 0.75), digit(0, 0.5))), Line((digit(1, 0.875),))), Timing(1.25, 2, 0.5), ModelId("n", "s")
)
EMPTY = Reading((), why="nothing in it looks like a digit")


def test_text_digits_and_confidence():
    assert READING.text == "40\n1"
    assert [one.digit for one in READING.digits] == [4, 0, 1]
    assert READING.confidence == 0.5
    assert [line.confidence for line in READING.lines] == [0.5, 0.875]
    assert (EMPTY.text, EMPTY.digits, EMPTY.confidence) == ("", (), 0.0)


def test_to_dict_is_the_documented_object():
    assert json.loads(json.dumps(READING.to_dict())) == {
        "text": "40\n1",
        "confidence": 0.5,
        "turned": 0,
        "lines": [
            {
                "text": "40",
                "digits": [
                    {"digit": 4, "confidence": 0.75, "box": [1, 2, 3, 4], "topk": [[4, 0.75], [9, 0.25]]},
                    {"digit": 0, "confidence": 0.5, "box": [1, 2, 3, 4], "topk": [[0, 0.5], [9, 0.5]]},
                ],
            },
            {
                "text": "1",
                "digits": [{"digit": 1, "confidence": 0.875, "box": [1, 2, 3, 4], "topk": [[1, 0.875], [9, 0.125]]}],
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
def test_the_box_of_a_line_is_the_smallest_around_its_digits(boxes):
    left, top, right, bottom = Line(tuple(digit(1, 0.5, box) for box in boxes)).box.xyxy
    corners = [box.xyxy for box in boxes]
    assert left == min(corner[0] for corner in corners)
    assert top == min(corner[1] for corner in corners)
    assert right == max(corner[2] for corner in corners)
    assert bottom == max(corner[3] for corner in corners)


def candidate(image=0, **changes):
    fields = {"box": Box(1, 2, 3, 4), "score": 0.5, "probabilities": (0.25, 0.75), "confidence": 0.9, "kept": True}
    return Candidate(**{**fields, "image": np.full((28, 28), image, np.uint8), "why": "", **changes})


def test_values_cannot_be_changed():
    for value, field in ((READING, "lines"), (READING.lines[0], "digits"), (READING.digits[0], "digit")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, field, ())
    for value, field in ((Box(1, 2, 3, 4), "x"), (READING.ms, "decode"), (READING.model, "name")):
        with pytest.raises(AttributeError):
            setattr(value, field, 0)


def test_equal_values_are_equal_hash_alike_and_pass_between_processes():
    for value in (READING, READING.lines[0], READING.digits[0], READING.digits[0].box, candidate()):
        again = pickle.loads(pickle.dumps(value))
        assert again == value
        assert len({again, value}) == 1


def test_the_content_makes_readings_and_candidates_differ_and_neither_time_nor_image():
    assert replace(READING, ms=Timing(9, 9, 9)) == READING
    assert candidate(image=1) == candidate(image=2)
    for change in ({"turned": 90}, {"lines": ()}, {"model": ModelId("other", "s")}, {"why": "x"}):
        assert replace(READING, **change) != READING
    assert candidate(kept=False) != candidate()


def test_repr_of_a_candidate_is_one_line():
    assert repr(candidate()) == (
        "Candidate(box=Box(x=1, y=2, w=3, h=4), score=0.5, probabilities=(0.25, 0.75), confidence=0.9, kept=True, "
        "why='')"
    )


@pytest.fixture
def stored(tmp_path):
    """A picture on its side, 60x90 as stored and 90x60 as shown, as a path."""
    picture = Image.new("RGB", (60, 90), (250, 250, 250))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "page.png", exif=exif)
    return tmp_path / "page.png"


def test_plot_draws_in_the_picture_as_shown(stored):
    reading = Reading((Line((digit(4, 0.99, Box(30, 20, 20, 30)),)),))
    with Image.open(stored) as opened:
        pictures = [stored, str(stored), stored.read_bytes(), opened, np.full((60, 90, 3), 250, np.uint8)]
        plots = [reading.plot(picture) for picture in pictures]
        assert opened.size == (60, 90)
    for plot in plots:
        assert plot.size == (90, 60)
        assert (np.asarray(plot)[20:50, 29] != 250).any(axis=1).all()
        assert (np.asarray(plot)[25:45, 35:45] == 250).all()
    assert reading.plot(plots[0]).size == (90, 60)  # what is drawn is upright, and is not turned again


def test_plot_of_a_page(tmp_path):
    pages = [Image.new("L", (60 + number, 90)) for number in range(2)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    assert EMPTY.plot(tmp_path / "scan.tif", page=1).size == (61, 90)


def test_save_writes_what_plot_draws(stored, tmp_path):
    reading = Reading((Line((digit(4, 0.99, Box(30, 20, 20, 30)),)),))
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
