import io

import numpy as np
import pytest
from PIL import Image

from digitocr.runtime import drawing
from digitocr.runtime.errors import OutputError


def test_boxes_are_drawn_around_their_pixels_and_nowhere_else():
    picture = Image.new("RGB", (200, 160), (250, 250, 250))
    boxes = [(20, 60, 40, 50), (120, 50, 30, 60)]
    drawing.draw_boxes(picture, [(box, "4 99%") for box in boxes])
    changed = (np.asarray(picture) != 250).any(axis=2)
    inside = np.zeros_like(changed)
    for x, y, w, h in boxes:
        assert changed[y : y + h, x - 1].all()
        assert changed[y : y + h, x + w + 1].all()
        assert changed[y - 1, x : x + w].all()
        assert changed[y + h + 1, x : x + w].all()
        assert not changed[y + 2 : y + h - 2, x + 2 : x + w - 2].any()
        inside[y - 30 : y + h + 3, x - 3 : x + w + 12] = True
    assert not changed[~inside].any()


def test_frames_keep_a_distance_and_have_their_label_below():
    picture = Image.new("RGB", (200, 160), (250, 250, 250))
    x, y, w, h = 60, 30, 80, 50
    drawing.draw_frames(picture, [((x, y, w, h), "407 98%")])
    changed = (np.asarray(picture) != 250).any(axis=2)
    gap = drawing.FRAME_GAP
    assert not changed[: y - gap].any()
    assert changed[y - gap, x : x + w].all()
    assert not changed[y - gap + 1 : y + h + gap, x - gap + 1 : x + w + gap].any()
    assert changed[y + h + gap + 5, x : x + w // 2].any()


def test_boxes_have_the_colour_that_is_asked_for():
    picture = Image.new("RGB", (200, 160))
    drawing.draw_boxes(picture, [((60, 60, 40, 50), "?")], drawing.DOUBT_COLOUR)
    assert np.asarray(picture)[80, 59].tolist() == list(drawing.DOUBT_COLOUR)


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (0, 0, 200, 160), (190, 150, 10, 10), (-5, -5, 8, 8), (3, 3, 2, 150)])
def test_boxes_at_the_border_are_drawn(box):
    picture = Image.new("RGB", (200, 160))
    drawing.draw_boxes(picture, [(box, "7 50%")])
    drawing.draw_frames(picture, [(box, "7 50%")])
    assert np.asarray(picture).any()
    assert picture.size == (200, 160)


def test_the_line_is_as_wide_as_the_picture_is_large():
    picture = Image.new("RGB", (2400, 1600))
    drawing.draw_boxes(picture, [((1000, 800, 100, 200), "7 50%")])
    column = np.asarray(picture)[900, 950:1050].any(axis=1)
    assert column.sum() == 2400 // drawing.LINES_PER_SIDE


def test_png_is_the_picture_as_a_file():
    picture = Image.fromarray(np.arange(300, dtype=np.uint8).reshape(10, 10, 3))
    content = drawing.png(picture)
    assert content[:4] == b"\x89PNG"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), np.asarray(picture))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".TIFF", ".webp"])
def test_a_picture_is_saved_as_its_suffix_says_and_replaces_an_old_one(tmp_path, suffix):
    path = tmp_path / f"read{suffix}"
    path.write_text("old")
    drawing.save(Image.new("RGB", (20, 10), (200, 0, 0)), path)
    with Image.open(path) as saved:
        assert saved.size == (20, 10)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["read.xyz", "read", "none/read.png"])
def test_what_cannot_be_saved_is_an_output_error(tmp_path, name):
    with pytest.raises(OutputError, match=name):
        drawing.save(Image.new("RGB", (20, 10)), tmp_path / name)
    assert not list(tmp_path.iterdir())
