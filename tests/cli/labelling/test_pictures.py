import io
import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digitocr import Reader
from digitocr.cli.batch.render import json_line
from digitocr.cli.labelling.labels import Labels
from digitocr.cli.labelling.pictures import (
    SHOWN_SIDE,
    Guess,
    Pictures,
    boxes_turned,
    guess_of,
    listed,
    shown,
)
from digitocr.runtime.errors import InputError, OutputError, UsageError
from digitocr.runtime.image import load
from digitocr.runtime.orientation import turned_back
from digitocr.train.sources.labelled import NONE
from digitocr.train.sources.load import read_source, refuse_wrong_labels

BOXES = [[20, 30, 20, 40], [60, 30, 20, 40], [100, 30, 20, 40]]


def row(name, text="407", confidence=0.9, page=None, boxes=BOXES, turned=0, error=None):
    """A line of predict --jsonl."""
    digits = [{"digit": int(one), "confidence": 0.95, "box": box} for one, box in zip(text, boxes, strict=True)]
    numbers = [{"text": text, "confidence": confidence, "digits": digits}] if text else []
    lines = [{"numbers": numbers}] if text else []
    return {"source": str(name), "page": page, "turned": turned, "lines": lines, "error": error}


@pytest.fixture
def folder(tmp_path):
    """Pictures a.png to d.png, 160x100, of which nothing can be read."""
    for number, name in enumerate("abcd"):
        Image.new("RGB", (160, 100), (40 * number, 200, 90)).save(tmp_path / f"{name}.png")
    return tmp_path


def opened(folder, settings="s"):
    """The pictures of the folder, as a run finds them."""
    found, _ = listed([str(folder)], recursive=True)
    return Pictures(found, Labels(folder / "labels.jsonl"), settings)


def closed(pictures):
    pictures._labels.close()


@pytest.fixture
def pictures(folder):
    pictures = opened(folder)
    yield pictures
    closed(pictures)


def read(pictures, *confidences):
    """Takes a reading of each picture."""
    for picture, confidence in zip(pictures.pictures, confidences, strict=True):
        pictures.take(row(picture.name, confidence=confidence))


def test_the_doubtful_ones_come_first(pictures):
    assert pictures.next(set()) is None
    read(pictures, 0.9, 0.2, 0.7, 0.2)
    order, have = [], set()
    while (index := pictures.next(have)) is not None:
        order.append(index)
        have.add(index)
    assert order == [1, 3, 2, 0]
    pictures.label(1, "407", BOXES, 0, (160, 100))
    pictures.skip(3)
    assert pictures.next(set()) == 2
    assert pictures.counts() == {"pictures": 4, "read": 4, "labelled": 1, "skipped": 1, "unreadable": 0}


def test_a_guess_is_of_whole_numbers_with_their_signs():
    line = row("a", "40712", boxes=[*BOXES, [20, 90, 9, 9], [40, 90, 9, 9]])
    number = line["lines"][0]["numbers"][0]
    split = [{**number, "text": "40.7", "digits": number["digits"][:3]}, {**number, "confidence": 0.3, "text": "1"}]
    split[1]["digits"] = number["digits"][3:4]
    line["lines"] = [{"numbers": split}, {"numbers": [{**number, "text": "-2", "digits": number["digits"][4:]}]}]
    line["turned"] = 348
    guess = guess_of(line)
    assert guess[:4] == ("40.7 1\n-2", [*BOXES, [20, 90, 9, 9], [40, 90, 9, 9]], [0.95] * 5, 0.3)
    assert guess.turned == 0
    assert guess_of(row("a", "", boxes=[])) == Guess("", [], [], 0.0, 0)


def test_a_reading_is_not_made_again_unless_something_changed(folder):
    pictures = opened(folder)
    assert [source.picture for source in pictures.unread()] == [str(folder / f"{name}.png") for name in "abcd"]
    read(pictures, 0.9, 0.2, 0.7, 0.2)
    pictures.label(3, "407", BOXES, 0, (160, 100))
    closed(pictures)
    Image.new("RGB", (10, 10)).save(folder / "b.png")
    (folder / "c.png").unlink()
    pictures = opened(folder)
    assert [source.name for source in pictures.unread()] == [str(folder / "b.png")]
    assert pictures.guess(0) == Guess("407", BOXES, [0.95] * 3, 0.9, 0)
    closed(pictures)
    pictures = opened(folder, "another network")
    assert len(list(pictures.unread())) == 2
    closed(pictures)


def test_the_next_run_goes_on(folder):
    pictures = opened(folder)
    read(pictures, 0.1, 0.2, 0.3, 0.4)
    pictures.label(0, "40.7", BOXES, 0, (160, 100))
    pictures.skip(1)
    closed(pictures)
    pictures = opened(folder)
    assert pictures.next(set()) == 2
    assert pictures.counts() == {"pictures": 4, "read": 4, "labelled": 1, "skipped": 1, "unreadable": 0}
    assert [pictures.undo(), pictures.undo(), pictures.undo()] == [0, 1, None]
    closed(pictures)
    pictures = opened(folder)
    assert pictures.counts()["skipped"] == pictures.counts()["labelled"] == 0
    closed(pictures)


def test_undo_shows_what_was_said_and_comes_next(pictures):
    read(pictures, 0.1, 0.2, 0.3, 0.4)
    pictures.label(0, "1\n23", BOXES, 90, (160, 100))
    pictures.label(1, "", [BOXES[0]], 0, (160, 100))
    pictures.skip(2)
    assert [pictures.undo() for _ in range(3)] == [2, 1, 0]
    assert pictures.guess(0) == Guess("1\n23", BOXES, [1.0] * 3, 0.1, 90)
    assert pictures.guess(1).boxes == [BOXES[0]]
    assert [pictures.next(set()), pictures.next({0}), pictures.next({0, 1}), pictures.next({0, 1, 2})] == [0, 1, 2, 3]
    assert pictures.undo() is None


def test_a_label_of_a_table_that_writes_null_for_nothing_can_be_undone(folder):
    rows = [
        {"file": "a.png", "text": "407", "label": None, "boxes": None, "turned": None, "page": None},
        {"file": "b.png", "text": None, "label": 7},
        {"file": "c.png", "text": "", "label": None},
    ]
    (folder / "labels.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    pictures = opened(folder)
    assert [pictures.undo() for _ in rows] == [2, 1, 0]
    assert [pictures.guess(index) for index in range(3)] == [Guess(text, [], [], 0.0, 0) for text in ("407", "7", "")]
    closed(pictures)


def test_what_was_skipped_comes_again_if_asked(pictures):
    read(pictures, 0.1, 0.2, 0.3, 0.4)
    for index in range(4):
        pictures.skip(index)
    assert pictures.next(set()) is None
    pictures.show_skipped()
    assert pictures.next(set()) == 0
    assert pictures.undo() is None
    pictures.skip(0)
    assert pictures.undo() == 0


def test_a_label_that_cannot_be_written_is_none(pictures, monkeypatch):
    read(pictures, 0.1, 0.2, 0.3, 0.4)
    pictures.label(0, "407", BOXES, 0, (160, 100))

    def refuse(*_):
        raise OutputError("no")

    monkeypatch.setattr(pictures._labels, "put", refuse)
    monkeypatch.setattr(pictures._labels, "remove", refuse)
    with pytest.raises(OutputError):
        pictures.label(1, "407", BOXES, 0, (160, 100))
    assert pictures.next(set()) == 1
    with pytest.raises(OutputError):
        pictures.undo()
    monkeypatch.undo()
    assert pictures.undo() == 0


@pytest.mark.parametrize(
    ("text", "boxes", "size"),
    [("40", BOXES, (160, 100)), ("4071", BOXES, (160, 100)), ("40", None, (28, 28)), ("?", None, (28, 28))],
)
def test_a_label_that_makes_no_sense_is_refused(text, boxes, size, pictures):
    read(pictures, 0.1, 0.2, 0.3, 0.4)
    with pytest.raises(UsageError):
        pictures.label(0, text, boxes, 0, size)
    assert pictures.counts()["labelled"] == 0


def test_two_windows_may_show_the_same_picture(pictures):
    read(pictures, 0.1, 0.2, 0.3, 0.4)
    for text in ("407", "507"):
        pictures.label(0, text, BOXES, 0, (160, 100))
    assert pictures.undo() == 0
    assert pictures.guess(0).text == "507"
    assert pictures.undo() is None


def test_what_cannot_be_read_is_told_and_never_shown(pictures, folder):
    pictures.take(row(folder / "a.png", "", boxes=[], error="a.png: is damaged"))
    pictures.take(row(folder / "elsewhere.png"))
    pictures.take(row(folder / "b.png"))
    assert (pictures.next(set()), pictures.next({1})) == (1, None)
    pictures.lose(1, "b.png: is gone")
    assert pictures.next(set()) is None
    assert pictures.errors() == ["a.png: is damaged", "b.png: is gone"]
    assert pictures.counts()["unreadable"] == 2


def test_each_picture_is_listed_once(folder):
    found, left_out = listed([str(folder / "b.png"), str(folder), f"{folder}/*.png", str(folder / "no.png")])
    assert [os.path.basename(picture.path) for picture in found] == ["b.png", "a.png", "c.png", "d.png", "no.png"]  # noqa: PTH119
    assert left_out == []
    frames = [Image.new("L", (60, 40), 90 * number) for number in range(3)]
    frames[0].save(folder / "pages.tif", save_all=True, append_images=frames[1:])
    (folder / "broken.tif").write_bytes(b"II*\0")
    (folder / "notes.txt").write_text("")
    found, left_out = listed([str(folder)])
    assert [picture.name for picture in found if "tif" in picture.name] == [
        f"{folder}/broken.tif",
        *(f"{folder}/pages.tif#{number}" for number in (1, 2, 3)),
    ]
    assert left_out == [f"{folder}: left out 1 other file"]


def test_a_source_without_pictures_is_an_error(tmp_path):
    for named, error in (
        ([str(tmp_path)], InputError),
        ([f"{tmp_path}/*.png"], InputError),
        (["http://camera/a.jpg"], InputError),
        (["-"], UsageError),
    ):
        with pytest.raises(error):
            listed(named)


def test_a_picture_is_shown_turned_and_of_a_size_that_a_browser_takes(tmp_path):
    levels = np.zeros((100, 160, 3), np.uint8)
    levels[:20, :20] = (250, 40, 40)  # above, left
    Image.fromarray(levels).save(tmp_path / "a.png")
    (picture,), _ = listed([str(tmp_path)])
    for turned, size, corner in ((0, (160, 100), (5, 5)), (90, (100, 160), (95, 5)), (270, (100, 160), (5, 155))):
        made = shown(picture, turned)
        image = Image.open(io.BytesIO(made.content))
        assert (made.kind, made.size, image.size) == ("image/png", (160, 100), size)
        assert image.getpixel(corner) == (250, 40, 40)
    Image.new("RGB", (3000, 1500)).save(tmp_path / "a.png")
    made = shown(picture, 180)
    assert (made.kind, made.size) == ("image/jpeg", (3000, 1500))
    assert Image.open(io.BytesIO(made.content)).size == (SHOWN_SIDE, SHOWN_SIDE // 2)
    (tmp_path / "a.png").unlink()
    with pytest.raises(InputError):
        shown(picture, 0)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    st.sampled_from([0, 90, 180, 270]),
    st.tuples(st.integers(1, 999), st.integers(1, 999)),
    st.lists(st.tuples(*[st.integers(1, 900)] * 4).map(list), max_size=3),
)
def test_boxes_are_turned_there_and_back(turned, size, boxes):
    there = boxes_turned(boxes, size, turned)
    assert boxes_turned(there, size, turned, back=True) == boxes
    if boxes:
        again = turned_back(np.array(there, np.float32), size[::-1], turned)
        assert np.abs(again - np.array(boxes)).max() <= 1


def test_the_file_of_labels_is_a_source_that_data_takes(tmp_path):
    """Each kind of label, of pictures that are read as `label` reads them, comes back as what was said."""
    from digitocr.train.synthesis.pages import Style, draw_page

    rng = np.random.default_rng(5)
    (tmp_path / "meter 3").mkdir()
    page = draw_page(["407", "82"], rng, Style((320, 240), digit_height=70)).image
    odd = os.fsdecode(b" \xff\xe4 #1.png")
    for name in ("a.png", "bars.png", odd, f"meter 3{os.sep}b.png"):
        Image.fromarray(page).save(tmp_path / name)
    Image.fromarray(np.rot90(page)).save(tmp_path / "sideways.png")  # turning it clockwise makes it upright
    frames = [Image.fromarray(page).convert("L")] * 2
    frames[0].save(tmp_path / "pages.tif", save_all=True, append_images=frames[1:])
    lone = np.zeros((28, 28), np.uint8)
    lone[5:23, 13:16] = 255
    for name, light in (("one.png", 0), ("nothing.png", 60)):
        Image.fromarray(np.maximum(lone, light)).save(tmp_path / name)

    reader = Reader()
    reading = reader.read(page)
    assert reading.text == "407\n82"
    pictures = opened(tmp_path)
    for picture in pictures.pictures:
        pages = 2 if "tif" in picture.name else 1
        same = os.path.basename(picture.path) not in ("sideways.png", "one.png", "nothing.png")  # noqa: PTH119
        read = reading if same else reader.read(picture.path)
        pictures.take(json.loads(json_line(picture.source.name, read, None, picture.page, pages)))
    expected = {"one.png": [1], "nothing.png": [NONE], "bars.png": [NONE] * 5}
    for index, picture in enumerate(pictures.pictures):
        name, size = os.path.basename(picture.path), load(picture.path).shape[::-1]  # noqa: PTH119
        guess = pictures.guess(index)
        text = {"one.png": "1", "nothing.png": "", "bars.png": "", "a.png": "4?7\n82"}.get(name, "40.7\n-82")
        boxes = None if name == "b.png" else guess.boxes
        pictures.label(index, text, boxes, guess.turned, size)
    closed(pictures)

    labelled = read_source(tmp_path)
    refuse_wrong_labels(labelled)
    assert labelled.troubles == []
    for picture in pictures.pictures:
        name = os.path.basename(picture.path)  # noqa: PTH119
        if picture.page:
            continue
        made = [int(label) for label, named in zip(labelled.labels, labelled.names, strict=True) if f"{name})" in named]
        assert made == expected.get(
            name, [4, 7, 8, 2] if name == "a.png" else [4, 0, 7, 8, 2] * (2 if "tif" in name else 1)
        )
    cut = {
        name.partition(", box")[0].partition(" (")[2]: image
        for name, image in zip(labelled.names, labelled.images, strict=True)
    }
    upright, sideways = (cut[f"{name}.png)"].astype(int) for name in ("bars", "sideways"))
    assert np.abs(upright - sideways).mean() < 12
    assert {group for group in labelled.groups if "meter" in group} == {"meter 3"}
