import zipfile

import numpy as np
import pytest

from digitocr.runtime.errors import InputError
from digitocr.train.idx import TEST, TRAIN
from digitocr.train.sources.arrays import add_arrays, read_idx_set, read_npz, read_pixels
from digitocr.train.sources.labelled import NONE, Gathered


@pytest.fixture
def gathered():
    return Gathered("here")


@pytest.fixture
def images(draw):
    return np.array([draw(label) for label in range(11)])


LABELS = np.arange(11)


@pytest.mark.parametrize(
    "form",
    [
        lambda images: images,
        lambda images: images[..., None],
        lambda images: images.reshape(11, 784),
        lambda images: np.stack([images] * 3, -1),
        lambda images: images / 255,
        lambda images: images.astype(np.float32),
        lambda images: images.astype(np.int64),
        lambda images: 255 - images,
    ],
)
def test_pictures_of_any_type_and_shape_are_the_same(form, images, gathered):
    add_arrays(gathered, "x", form(images), LABELS, "")
    made = gathered.labelled()
    assert np.array_equal(made.images, images)
    assert made.labels.tolist() == [*range(10), NONE]
    assert made.names[3] == "x[3]"


@pytest.mark.parametrize(
    "labels", [LABELS.astype(np.uint8), LABELS[:, None], LABELS.astype(float), np.eye(11), np.eye(11, dtype=np.uint8)]
)
def test_labels_of_any_type_and_shape_are_the_same(labels, images, gathered):
    add_arrays(gathered, "x", images, labels, TEST)
    assert gathered.labels == [*range(10), NONE]
    assert set(gathered.parts) == {TEST}


@pytest.mark.parametrize(
    ("images", "labels", "why"),
    [
        (np.zeros((2, 28, 28)), np.zeros(3), "2 pictures and 3 labels"),
        (np.zeros((2, 28)), np.zeros(2), "not pictures as"),
        (np.zeros((2, 28, 28, 2)), np.zeros(2), "not pictures as"),
        (np.zeros((2, 28, 28), complex), np.zeros(2), "not pictures as"),
        (np.zeros((2, 3, 3)), np.zeros(2), "not pictures as"),
        (np.zeros((2, 28, 28)), np.array([0.5, 1]), "not whole numbers"),
        (np.zeros((2, 28, 28)), np.array(["a", "b"]), "not whole numbers"),
        (np.zeros((2, 28, 28)), np.zeros((2, 2, 2)), "not whole numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(images, labels, why, gathered):
    with pytest.raises(InputError, match=rf"^x: .*{why}"):
        add_arrays(gathered, "x", images, labels, "")


def test_groups_of_another_number_are_refused(images, gathered):
    with pytest.raises(InputError, match=rf"has {len(images)} pictures and 2 groups"):
        add_arrays(gathered, "x", images, np.zeros(len(images), np.int64), "", np.arange(2))


def test_labels_that_are_no_digit_are_told_with_their_number(images, gathered):
    add_arrays(gathered, "x", images[:4], np.array([0, 11, -1, 3]), "")
    assert gathered.labels == [0, 3]
    assert [(one.kind, one.name) for one in gathered.troubles] == [("no digit", "x[1]"), ("no digit", "x[2]")]


def test_npz(images, gathered, tmp_path):
    groups = np.array(["ann", "bob"])
    np.savez(tmp_path / "a.npz", x_train=images[:2], y_train=LABELS[:2], x_test=images[2:4], y_test=LABELS[2:4])
    np.savez(tmp_path / "b.npz", X=images[4:6], y=LABELS[4:6], groups=groups)
    read_npz(tmp_path / "a.npz", gathered)
    read_npz(tmp_path / "b.npz", gathered)
    assert gathered.labels == [0, 1, 2, 3, 4, 5]
    assert gathered.parts == [TRAIN, TRAIN, TEST, TEST, "", ""]
    assert gathered.groups == ["", "", "", "", "ann", "bob"]


def test_an_npz_that_holds_something_else_is_refused(gathered, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(3), z=np.zeros(3))
    with pytest.raises(InputError, match="holds x, z; it must hold x_train and y_train"):
        read_npz(tmp_path / "a.npz", gathered)
    np.savez(tmp_path / "o.npz", x=np.array([{}], object), y=np.zeros(1))
    (tmp_path / "t.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-30])
    (tmp_path / "n.npz").write_bytes(b"no")
    with zipfile.ZipFile(tmp_path / "h.npz", "w") as archive:  # NumPy reads this header as a program's text
        archive.writestr("x.npy", b"\x93NUMPY\1\0\x20\0{'descr': '<f8', 'shape': (2\0\0\0\0")
    for name in ("o.npz", "t.npz", "n.npz", "h.npz", "missing.npz"):
        with pytest.raises(InputError, match=rf"{name}: cannot be read"):
            read_npz(tmp_path / name, gathered)


def test_a_member_of_an_npz_that_is_no_array_counts_as_missing(gathered, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", b"no array")
        archive.writestr("y.npy", b"")
    with pytest.raises(InputError, match=r"a.npz: (holds nothing|cannot be read)"):
        read_npz(tmp_path / "a.npz", gathered)


def write_idx(path, array, kind=8):
    head = bytes([0, 0, kind, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    path.write_bytes(head + array.tobytes())
    return path


def test_pictures_of_emnist_are_turned_upright(images, gathered, tmp_path):
    for prefix, stored in (("", images), ("emnist-digits-", images.swapaxes(1, 2))):
        pictures = write_idx(tmp_path / f"{prefix}train-images-idx3-ubyte", np.ascontiguousarray(stored))
        labels = write_idx(tmp_path / f"{prefix}train-labels-idx1-ubyte", LABELS.astype(np.uint8))
        read_idx_set({(TRAIN, "images"): pictures, (TRAIN, "labels"): labels}, gathered)
    made = gathered.labelled()
    assert np.array_equal(made.images[:11], images)
    assert np.array_equal(made.images[11:], images)
    assert set(made.parts) == {TRAIN}


def test_writers_of_qmnist_are_groups(images, gathered, tmp_path):
    pictures = write_idx(tmp_path / "qmnist-test-images-idx3-ubyte", images[:2])
    labels = write_idx(tmp_path / "l", np.array([[0, 4, 300, 0], [1, 4, 301, 0]], ">i4"), 0x0C)
    read_idx_set({(TEST, "images"): pictures, (TEST, "labels"): labels}, gathered)
    assert (gathered.labels, gathered.groups, gathered.parts) == ([0, 1], ["300", "301"], [TEST, TEST])


def test_pictures_without_labels_are_refused(images, gathered, tmp_path):
    pictures = write_idx(tmp_path / "train-images-idx3-ubyte", images)
    with pytest.raises(InputError, match="no file of labels beside it"):
        read_idx_set({(TRAIN, "images"): pictures}, gathered)


def test_a_table_of_pixels(images, gathered, tmp_path):
    lines = [",".join(map(str, [label, *image.ravel()])) for label, image in zip(LABELS, images, strict=True)]
    head = ",".join(["label", *(f"pixel{at}" for at in range(784))])
    (tmp_path / "train.csv").write_text("\n".join([head, *lines]))
    (tmp_path / "headless.csv").write_text("\n".join(lines))
    read_pixels(tmp_path / "train.csv", gathered, TRAIN)
    read_pixels(tmp_path / "headless.csv", gathered)
    made = gathered.labelled()
    assert np.array_equal(made.images, np.concatenate([images, images]))
    assert made.labels.tolist() == [*range(11)] * 2
    (tmp_path / "bad.csv").write_text("\n".join([head, "7,x"]))
    with pytest.raises(InputError, match=r"bad\.csv: its pixels"):
        read_pixels(tmp_path / "bad.csv", gathered)
    (tmp_path / "short.csv").write_text("\n".join([*lines, "7,0,0"]))
    with pytest.raises(InputError, match=r"3 at row 12\); each line is a label and as many pixels$"):
        read_pixels(tmp_path / "short.csv", gathered)


@pytest.mark.parametrize("has_names", [False, True])
@pytest.mark.parametrize(
    ("mark", "cell", "delimiter", "end"),
    [
        ("\ufeff", "{}", ",", "\r\n"),
        ("", '"{}"', ",", "\n"),
        ("\ufeff", '"{}"', ";", "\r\n"),
        ("", "{}", "\t", "\n"),
    ],
)
@pytest.mark.parametrize("most", [255, 1])
def test_a_table_of_pixels_as_other_programs_write_it(
    has_names, mark, cell, delimiter, end, most, images, gathered, tmp_path
):
    levels = images if most == 255 else np.round(images / 255, 4)
    rows = [[label, *image.ravel()] for label, image in zip(LABELS, levels, strict=True)]
    rows = [["label", *(f"pixel{at}" for at in range(784))], *rows] if has_names else rows
    lines = [delimiter.join(map(cell.format, row)) for row in rows]
    (tmp_path / "pixels.csv").write_bytes((mark + end.join([*lines, ""])).encode())
    read_pixels(tmp_path / "pixels.csv", gathered)
    made = gathered.labelled()
    assert np.array_equal(made.images, images)
    assert made.labels.tolist() == [*range(11)]


@pytest.mark.parametrize(
    ("low", "high", "label", "why"),
    [
        (-1, 1, 7, "has levels from -1 to 1"),
        (0, 65535, 7, "has levels from 0 to 65535"),
        (0, np.nan, 7, "has levels from nan"),
        (0, 255, 7.5, "its labels are float32"),
    ],
)
def test_levels_and_labels_of_another_scale_are_refused_in_each_form(low, high, label, why, gathered, tmp_path):
    cells = np.array([[label, low, *[high] * 783]] * 2, np.float32)
    np.savetxt(tmp_path / "pixels.csv", cells, delimiter=",", fmt="%g")
    np.savez(tmp_path / "own.npz", x=cells[:, 1:], y=cells[:, 0])
    for read, name in ((read_pixels, "pixels.csv"), (read_npz, "own.npz")):
        with pytest.raises(InputError, match=why):
            read(tmp_path / name, gathered)
