import dataclasses
import os
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitocr.runtime.errors import InputError
from digitocr.train.data import Mnist, split
from digitocr.train.idx import TEST, TRAIN
from digitocr.train.sources.labelled import NONE, Gathered, Trouble
from digitocr.train.sources.load import (
    contradictions,
    divided,
    groups_of,
    imbalance_of,
    load_data,
    read_source,
    same_pictures,
    warnings_of,
    without_contradictions,
)


def made(draw, labels, groups=None, parts=None, numbers=None):
    gathered = Gathered("here")
    for at, label in enumerate(labels):
        group, part = groups[at] if groups else "", parts[at] if parts else ""
        gathered.add(draw(label, numbers[at] if numbers else at), label, f"p{at}", group, part)
    return gathered.labelled()


def test_every_form_of_one_set_gives_the_same_pictures(folder, draw, tmp_path):
    images = np.array([draw(label, number) for label in range(10) for number in range(6)])
    labels = np.repeat(np.arange(10), 6)
    np.savez(tmp_path / "a.npz", x=images, y=labels)
    names = [f"digits/{label}/{number}.png" for label in range(10) for number in range(6)]
    rows = list(zip(names, labels.tolist(), strict=True))
    (tmp_path / "t.csv").write_text("file,label\n" + "".join(f"{name},{label}\n" for name, label in rows))
    lines = "".join(f'{{"file": "{name}", "label": {label}}}\n' for name, label in rows)
    (tmp_path / "labels.jsonl").write_text(lines)
    (tmp_path / "only").mkdir()
    shutil.copy(tmp_path / "a.npz", tmp_path / "only")
    for source in (
        folder,
        tmp_path / "a.npz",
        tmp_path / "t.csv",
        tmp_path / "labels.jsonl",
        tmp_path / "only",
        tmp_path,
    ):
        read = read_source(source)
        assert np.array_equal(read.images, images), source
        assert np.array_equal(read.labels, labels)
        assert read.source == str(source)


def write_idx(path, array):
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes())


def test_idx_files_of_own_data_under_mnist_s_names(draw, tmp_path):
    images = np.array([draw(label) for label in range(10)])
    for prefix, part in (("", "train"), ("", "t10k"), ("emnist-digits-", "train"), ("emnist-letters-", "train")):
        folder = tmp_path / ("own" if not prefix else "emnist")
        folder.mkdir(exist_ok=True)
        stored = images.swapaxes(1, 2) if prefix else images
        write_idx(folder / f"{prefix}{part}-images-idx3-ubyte", np.ascontiguousarray(stored))
        write_idx(folder / f"{prefix}{part}-labels-idx1-ubyte", np.arange(10, dtype=np.uint8))
    data = load_data(tmp_path / "own")
    assert np.array_equal(data.train_images, images)
    assert np.array_equal(data.test_images, images)
    assert data.origin is not None
    assert np.array_equal(read_source(tmp_path / "emnist").images, images)
    named = read_source(tmp_path / "emnist" / "emnist-letters-train-images-idx3-ubyte")
    assert "emnist-letters" in named.names[0]
    shutil.rmtree(tmp_path / "own")
    (tmp_path / "emnist" / "emnist-digits-train-images-idx3-ubyte").rename(
        tmp_path / "emnist" / "emnist-balanced-train-images-idx3-ubyte"
    )
    (tmp_path / "emnist" / "emnist-digits-train-labels-idx1-ubyte").unlink()
    with pytest.raises(InputError, match=r"holds the sets emnist-balanced-, emnist-letters-; name the file"):
        read_source(tmp_path / "emnist")


def test_tables_of_pixels_in_a_folder_are_parts_by_their_names(draw, tmp_path):
    for name in ("mnist_train.csv", "mnist_test.csv"):
        lines = [",".join(map(str, [label, *draw(label, 3).ravel()])) for label in range(10)]
        (tmp_path / name).write_text("\n".join(lines))
    assert read_source(tmp_path).parts == [TEST] * 10 + [TRAIN] * 10


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("none", "does not exist"),
        ("empty", "no labelled pictures in it"),
        ("a.txt", "columns"),
        ("a.zip", "is no source"),
    ],
)
def test_what_is_no_source_is_said_with_the_forms_there_are(name, why, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "a.zip").write_text("")
    with pytest.raises(InputError, match=why) as error:
        load_data(tmp_path / name)
    assert str(error.value).startswith(str(tmp_path / name))
    assert "\n" not in str(error.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.npz"])
def test_a_pipe_is_refused_and_not_waited_for(name, tmp_path):
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match="is a pipe or a device"):
        read_source(tmp_path / name)


def test_a_name_that_no_file_can_have_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_source(tmp_path / ("a" * 300))


def test_a_source_without_any_usable_picture_says_the_first_reason(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "a.png").write_text("no picture")
    with pytest.raises(InputError, match=r"no labelled picture in it can be used; .*a\.png: not a picture[^()]*$"):
        read_source(tmp_path)
    for name in ("b.png", "c.png"):
        (tmp_path / "7" / name).write_text("no picture")
    with pytest.raises(InputError, match=r"; .*a\.png: not a picture.* \(and 2 more\)$"):
        read_source(tmp_path)


def test_mnist_stays_as_it_is(mnist, tmp_path):
    """The same arrays and the same digest, under any name."""
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(tmp_path / "other.npz", **dict(zip(names, list(vars(mnist).values())[:4], strict=True)))
    again = load_data(tmp_path / "other.npz")
    assert again.digest == mnist.digest
    assert again.origin is None
    assert np.array_equal(again.train_images, mnist.train_images)
    assert np.array_equal(split(again)[1], split(mnist)[1])


def test_mnist_s_folder_and_no_source_are_loaded_as_ever(monkeypatch, tmp_path):
    (tmp_path / "mnist.npz").write_bytes(b"")
    monkeypatch.setattr("digitocr.train.data.load_mnist", lambda source, quiet: (source, quiet))
    assert load_data(None, True) == (None, True)
    assert load_data(tmp_path) == (tmp_path, False)


def test_own_pictures_are_divided_into_parts_with_every_class(folder):
    data = load_data(folder, complete=True)
    assert (len(data.train_labels), len(data.test_labels)) == (50, 10)
    assert np.bincount(data.test_labels).tolist() == [1] * 10
    training, held = split(data)
    assert len(training) + len(held) == 50
    assert len(held) > 0
    assert data.origin.split == "a share of each class, seed 0"
    names = {row[0]: row[3] for row in data.origin.rows}
    assert len(names) == 60
    assert sorted(names.values()) == [TEST] * 10 + [TRAIN] * 50
    again = load_data(folder)
    assert again.digest == data.digest
    assert again.origin == data.origin


def test_the_digest_depends_on_pictures_labels_and_parts(draw):
    labels = [0, 1, 2, 3] * 5
    parts = [TRAIN, TEST] * 10
    digests = {
        divided(made(draw, labels, parts=parts)).digest,
        divided(made(draw, labels, parts=parts[::-1])).digest,
        divided(made(draw, labels[::-1], parts=parts)).digest,
        divided(made(draw, labels, parts=parts, groups=["a", "b"] * 10)).digest,
    }
    assert len(digests) == 4


@settings(derandomize=True, deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abcdef")), min_size=12, max_size=60))
def test_a_group_is_never_divided(draw, rows):
    groups = [group for _, group in rows]
    if len(set(groups)) < 3:
        return
    data = divided(made(draw, [label for label, _ in rows], groups))
    part_of = {}
    for _, _, group, part in data.origin.rows:
        assert part_of.setdefault(group, part) == part
    assert set(part_of.values()) == {TRAIN, TEST}
    training, held = split(data)
    assert not set(data.train_groups[training]) & set(data.train_groups[held])


def test_pictures_with_the_same_pixels_stay_together(draw):
    labels = [at % 10 for at in range(120)]
    data = divided(made(draw, labels, numbers=[at // 20 for at in range(120)]))
    tested = {image.tobytes() for image in data.test_images}
    assert tested
    assert not tested & {image.tobytes() for image in data.train_images}


def test_groups_of_the_same_pictures_stay_together(draw):
    labels = [at % 10 for at in range(120)]
    names = [f"photo {at // 5 % 12}{' (copy)' if at >= 60 else ''}" for at in range(120)]
    data = divided(made(draw, labels, names, numbers=[at % 60 for at in range(120)]))
    tested = {image.tobytes() for image in data.test_images}
    assert 10 <= len(tested) <= 15
    assert not tested & {image.tobytes() for image in data.train_images}


def test_a_single_group_is_divided_as_if_there_were_none(draw):
    labelled = made(draw, [at % 10 for at in range(60)], ["m"] * 60)
    data = divided(labelled)
    assert len(data.test_labels) == 10
    assert data.origin.split == "a share of each class, seed 0"
    assert len(split(data)[1]) > 0


def test_parts_that_the_source_states_are_kept(draw):
    data = divided(made(draw, [1, 2, 3, 4], parts=[TEST, "", TRAIN, TEST]))
    assert (data.train_labels.tolist(), data.test_labels.tolist()) == ([2, 3], [1, 4])
    assert data.origin.split == "as the source says"


def test_pictures_without_a_digit_are_apart(draw):
    data = divided(made(draw, [1, NONE, 2, NONE], parts=[TRAIN, TRAIN, TEST, TEST]))
    assert np.array_equal(data.train_others, [draw(NONE, 1)])
    assert np.array_equal(data.test_others, [draw(NONE, 3)])
    assert (data.train_labels.tolist(), data.test_labels.tolist()) == ([1], [2])
    assert [row[1] for row in data.origin.rows] == ["1", "2", "none", "none"]


def test_a_class_that_is_missing_is_refused_where_it_has_to_occur(folder, capsys):
    shutil.rmtree(folder / "7")
    assert isinstance(load_data(folder), Mnist)
    with pytest.raises(InputError, match="has no picture of 7 to train with"):
        load_data(folder, complete=True)


def test_too_few_pictures_are_refused(draw, tmp_path):
    np.savez(tmp_path / "a.npz", x_train=np.array([draw(n) for n in range(10)]), y_train=np.arange(10),
             x_test=np.array([draw(0, 5)]), y_test=np.zeros(1))  # fmt: skip
    with pytest.raises(InputError, match="10 digits to train with; 12 are the least"):
        load_data(tmp_path / "a.npz", complete=True)
    with pytest.raises(InputError, match=r"fewer than 2 labelled pictures can be used$"):
        divided(made(draw, [3]))
    with pytest.raises(InputError, match="no digit to test with"):
        divided(made(draw, [3, NONE], parts=[TRAIN, TEST]))


def test_where_too_few_can_be_used_the_first_that_cannot_is_told(folder, tmp_path):
    (tmp_path / "l.csv").write_text("file,label\ndigits/3/0.png,3\ngone.png,4\n")
    with pytest.raises(InputError, match=r"labelled pictures can be used; .*l\.csv:3 \(gone\.png\): cannot be read"):
        load_data(tmp_path / "l.csv")


def test_a_label_that_is_no_digit_is_refused_and_said_with_its_line(folder, tmp_path):
    (tmp_path / "l.csv").write_text("file,label\ndigits/3/0.png,3\ndigits/3/1.png,x\ndigits/3/2.png,77\n")
    with pytest.raises(InputError, match=r"l\.csv:3: its label is 'x', which is no digit.*; 1 more are wrong"):
        load_data(tmp_path / "l.csv")


def test_what_is_left_out_is_told_by_file(folder, draw, write, capsys):
    (folder / "3" / "bad.png").write_text("no picture")
    write(folder / "4" / "same.png", draw(5, 2))
    data = load_data(folder)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert told[0].startswith(f"digitocr: left out: {folder}/3/bad.png: not a picture")
    assert "same pixels and different labels" in told[1]
    assert f"{folder}/4/same.png (4)" in told[1]
    assert f"{folder}/5/2.png (5)" in told[1]
    assert len(data.train_labels) + len(data.test_labels) == 59  # both are left out


def test_of_many_troubles_the_first_are_named():
    troubles = [Trouble("unreadable", f"p{at}", "is damaged") for at in range(9)] + [Trouble("left out", "q", "is x")]
    lines = warnings_of(troubles)
    assert len(lines) == 7
    assert lines[0] == "left out: p0: is damaged"
    assert lines[5] == "left out: 4 more (unreadable); digitocr data check lists them"
    assert lines[6] == "left out: q: is x"


def test_contradictions(draw):
    labelled = made(draw, [3, 3, 4, 5], numbers=[0, 0, 1, 1])
    labelled = dataclasses.replace(labelled, images=labelled.images[[0, 0, 2, 2]])
    same = same_pictures(labelled)
    assert same.tolist() == [0, 0, 1, 1]
    assert contradictions(labelled.labels.astype(np.int64), same).tolist() == [2, 3]
    usable, line = without_contradictions(labelled)
    assert usable.names == ["p0", "p1"]
    assert "p2 (4), p3 (5); correct the labels" in line
    assert without_contradictions(usable) == (usable, "")
    assert groups_of(usable).tolist() == [0, 0]


@pytest.mark.parametrize(("few", "is_told"), [(1, True), (2, False)])
def test_a_thousandfold_imbalance_is_told(few, is_told, draw):
    labelled = made(draw, [3, 4])
    labels = np.array([3] * 1000 + [4] * few + [NONE], np.uint8)
    line = imbalance_of(dataclasses.replace(labelled, labels=labels))
    assert bool(line) == is_told
    assert not line or "1,000 pictures of 3 and 1 of 4" in line


@pytest.mark.parametrize("suffix", ["npz", "csv"])
def test_what_macos_leaves_beside_a_copied_file_is_no_set(suffix, draw, tmp_path):
    images = np.array([draw(label, 0) for label in range(10)])
    if suffix == "npz":
        np.savez(tmp_path / "a.npz", x=images, y=np.arange(10))
    else:
        head = ["label", *(f"pixel{at}" for at in range(images[0].size))]
        lines = [",".join(map(str, [label, *image.ravel()])) for label, image in enumerate(images)]
        (tmp_path / "a.csv").write_text("\n".join([",".join(head), *lines]))
    (tmp_path / f"._a.{suffix}").write_bytes(b"\x00\x05\x16\x07 no data")
    assert len(read_source(tmp_path).labels) == 10
