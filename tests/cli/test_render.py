import json

import numpy as np
import pytest
from PIL import Image

from digitocr import Reader
from digitocr.cli import render
from digitocr.runtime import image
from digitocr.runtime.errors import OutputError
from digitocr.runtime.reader import normalised
from digitocr.train.scenes import draw_page, random_style


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


def test_boxes_are_drawn_around_the_digits_and_nowhere_else(picture):
    reading = Reader().read(picture)
    plain, drawn = (
        np.asarray(Image.open(picture)).astype(int),
        np.asarray(render.annotated(picture, reading)).astype(int),
    )
    assert drawn.shape == plain.shape
    changed = (drawn != plain).any(axis=2)
    for digit in reading.digits:
        box = digit.box
        assert changed[box.y : box.y + box.h, box.x - 1].all()
        assert not changed[box.y + 2 : box.y + box.h - 2, box.x + 2 : box.x + box.w - 2].any()


def test_a_picture_in_which_nothing_was_found_is_explained_as_well(tmp_path):
    path = tmp_path / "blank.png"
    Image.new("L", (200, 100), 200).save(path)
    assert render.explained(path, Reader()).size[0] > 0


def test_names_do_not_collide_and_earlier_files_are_kept(tmp_path):
    drawn, used = Image.new("RGB", (4, 4)), set()
    for source in ("a/1.png", "b/1.png", "-"):
        render.save(drawn, tmp_path / "out", source, used, force=False)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["1.png-2.png", "1.png.png", "stdin.png"]
    with pytest.raises(OutputError, match="exists already"):
        render.save(drawn, tmp_path / "out", "a/1.png", set(), force=False)
    render.save(drawn, tmp_path / "out", "a/1.png", set(), force=True)


def test_a_folder_that_cannot_be_made_is_an_error_and_leaves_nothing(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        render.save(Image.new("RGB", (4, 4)), tmp_path / "file", "a.png", set(), force=False)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_drawing_follows_the_picture_as_it_is_shown(tmp_path, picture):
    turned = tmp_path / "turned.png"
    with Image.open(picture) as upright:
        stored = upright.transpose(Image.Transpose.ROTATE_90)
        exif = stored.getexif()
        exif[0x0112] = 6
        stored.save(turned, exif=exif)
        shown = render.annotated(turned, Reader().read(turned))
        assert shown.size == upright.size


def test_an_explanation_shows_what_the_network_saw(picture):
    reader = Reader()
    sheet = np.asarray(render.explained(picture, reader))
    _, tensors = normalised(image.load(picture))
    for row, tensor in enumerate(tensors):
        top, left = row * (render.TILE + 8), render.TILE + 8
        tile = sheet[top + 2 : top + render.TILE : 4, left + 2 : left + render.TILE : 4, 0]
        assert abs(tile - tensor[:, :, 0] * 255).max() <= 1


def test_a_disk_that_is_full_is_an_error_and_leaves_nothing(tmp_path, monkeypatch):
    def fill(drawn, path, form):
        path.write_bytes(b"half a pic")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fill)
    with pytest.raises(OutputError, match=r"a\.png\.png: cannot be written \(No space left on device\)"):
        render.save(Image.new("RGB", (4, 4)), tmp_path, "a.png", set(), force=False)
    assert list(tmp_path.iterdir()) == []
