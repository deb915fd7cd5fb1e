import json

import cv2
import numpy as np
import pytest

from digitocr.runtime.errors import InputError
from digitocr.runtime.reader import Reader
from digitocr.train.adapt.own import Picture, placed, read_own
from digitocr.train.sources.labelled import NONE
from digitocr.train.synthesis.pages import Style, draw_page


def bars(number):
    """A (28, 28) picture in MNIST's form; another one for each number below 100."""
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 5:9] = image[4 + number % 10 * 2 :][:2, 12:16] = image[4 + number // 10 * 2 :][:2, 18:22] = 255
    return image


@pytest.fixture(scope="module")
def reader():
    return Reader()


@pytest.fixture(scope="module")
def page():
    """Grey levels of a page with 407 and 82, and the boxes of its digits."""
    drawn = draw_page(["407", "82"], np.random.default_rng(5), Style((320, 240), digit_height=60))
    return cv2.cvtColor(drawn.image, cv2.COLOR_RGB2GRAY), drawn.boxes.astype(np.float32)


@pytest.fixture
def source(tmp_path):
    """A function that writes pictures, of four meters, and a list of what they show; with the parts given."""

    def write(count=24, **more):
        rows = []
        for number in range(count):
            assert cv2.imwrite(str(tmp_path / f"{number}.png"), bars(number))
            rows.append({"file": f"{number}.png", "label": number % 10, "group": f"meter {number % 4}", **more})
        (tmp_path / "labels.json").write_text(json.dumps(rows))
        return tmp_path / "labels.json"

    return write


def test_no_meter_is_in_two_parts_and_the_division_is_the_same_each_time(source):
    own, again = read_own(source()), read_own(source())
    groups = [{one.group for one in some} for some in (own.taught, own.held, own.test)]
    assert all(groups)
    assert sum(map(len, groups)) == 4
    assert own.rows == again.rows
    assert own.digest == again.digest
    assert sorted(int(one.text) for one in own.taught + own.held + own.test) == sorted(n % 10 for n in range(24))


def test_the_parts_that_a_source_states_are_kept(source):
    path = source()
    rows = json.loads(path.read_text())
    for row in rows:
        row["part"] = "test" if row["group"] == "meter 2" else "train"
    path.write_text(json.dumps(rows))
    own = read_own(path)
    assert {one.group for one in own.test} == {"meter 2"}
    assert own.split == "as the source says"


def test_arrays_are_divided_as_pictures_are(tmp_path):
    labels = np.resize(np.arange(10, dtype=np.uint8), 60)
    np.savez(tmp_path / "own.npz", x=np.stack([bars(number) for number in range(60)]), y=labels)
    own = read_own(tmp_path / "own.npz")
    assert [len(some) for some in (own.taught, own.held, own.test)] == [33, 7, 20]  # of each digit 2 to test with
    assert all(isinstance(one.file, np.ndarray) for one in own.taught)


def test_too_few_pictures_and_mnist_are_refused(source, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="8, 1 and 4 are the least"):
        read_own(source(6))
    monkeypatch.setattr("digitocr.train.adapt.own.holds_mnist", lambda _: True)
    with pytest.raises(InputError, match="is MNIST"):
        read_own(tmp_path)


def test_texts_that_lack_zeros_in_front_are_told_and_judged_with(tmp_path, capsys):
    rows = ["file;text"]
    for number in range(16):
        drawn = draw_page([f"{number:03}"], np.random.default_rng(number), Style((200, 120), digit_height=60))
        assert cv2.imwrite(str(tmp_path / f"{number}.png"), drawn.image[:, :, ::-1])
        rows.append(f"{number}.png;{number if number > 13 else f'{number:03}'}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    assert len(read_own(tmp_path / "labels.csv").rows) == 16
    told = capsys.readouterr().err.splitlines()
    assert [line for line in told if "drop zeros in front" in line] == [line for line in told if "(and 1 more)" in line]
    assert len(told) == 1


def test_two_labels_for_the_same_picture_are_told_and_left_out(source, capsys):
    path = source()
    rows = json.loads(path.read_text())
    path.write_text(json.dumps([*rows, {**rows[0], "label": 7}]))
    own = read_own(path)
    assert "different labels" in capsys.readouterr().err
    assert len(own.rows) == 23


def test_stated_boxes_are_taken_as_they_are_also_on_a_side(page, reader):
    gray, boxes = page
    upright = placed(Picture("a", ("407", "82"), "", gray, boxes=tuple(map(tuple, boxes.tolist()))), reader)
    assert upright.labels.tolist() == [4, 0, 7, 8, 2]
    assert upright.is_whole
    lying = np.ascontiguousarray(np.rot90(gray))  # it has to be turned clockwise by 90 degrees
    x, y, w, h = boxes.T
    moved = np.stack([y, gray.shape[1] - x - w, h, w], 1)
    turned = placed(Picture("a", ("407", "82"), "", lying, boxes=tuple(map(tuple, moved.tolist())), turned=90), reader)
    assert np.array_equal(turned.gray, upright.gray)
    assert np.allclose(turned.boxes, upright.boxes, atol=0.01)


def test_without_boxes_those_of_a_reading_that_agrees(page, reader):
    gray, boxes = page
    found = placed(Picture("a", ("407", "82"), "", gray), reader)
    assert found.labels.tolist() == [4, 0, 7, 8, 2]
    assert np.abs(found.boxes[:, 2:] - boxes[:, 2:]).max() < 20
    corrected = placed(Picture("a", ("401", "82"), "", gray), reader)  # the 7 is misread, says its label
    assert corrected.labels.tolist() == [4, 0, 1, 8, 2]
    some = placed(Picture("a", ("4407", "83"), "", gray), reader)
    assert (some.labels.tolist(), some.is_whole) == ([4, 0, 7], False)
    assert placed(Picture("a", ("95", "3"), "", gray), reader) is None


def test_a_digit_that_nobody_can_tell_is_not_taught(page, reader):
    found = placed(Picture("a", ("4?7", "82"), "", page[0]), reader)
    assert (found.labels.tolist(), found.is_whole) == ([4, 7, 8, 2], False)


def test_a_picture_without_digits_teaches_what_is_none(page, reader):
    found = placed(Picture("a", (), "", page[0]), reader)
    assert set(found.labels.tolist()) == {NONE}


def test_the_digit_of_a_picture_that_is_misread_is_found_by_its_ink(reader):
    gray = np.full((80, 60), 230, np.uint8)
    gray[38:42, 20:40] = 20  # a dash
    found = placed(Picture("a", ("1",), "", gray), reader)
    assert found.labels.tolist() == [1]
    x, y, w, h = found.boxes[0].astype(int)
    assert (found.gray[y : y + h, x : x + w] == 20).all()
