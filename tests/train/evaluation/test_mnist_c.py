import numpy as np
import pytest

from digitocr.runtime.errors import InputError
from digitocr.train.evaluation import mnist_c as module
from digitocr.train.evaluation.corruptions import CORRUPTIONS
from digitocr.train.evaluation.mnist_c import load_mnist_c

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 28, 28, 1), np.uint8)
LABELS = np.arange(12) % 10


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The layout that mnist_c.zip unpacks to, with 12 images of each corruption."""
    monkeypatch.setattr(module, "TEST_IMAGES", 12)
    for place, name in enumerate([*CORRUPTIONS, "identity"]):
        inside = tmp_path / "mnist_c" / name
        inside.mkdir(parents=True)
        np.save(inside / "test_images.npy", np.roll(IMAGES, place, axis=0))
        np.save(inside / "test_labels.npy", np.roll(LABELS, place))
    return tmp_path / "mnist_c"


def refused(directory):
    """The message of the InputError, one line."""
    with pytest.raises(InputError) as caught:
        load_mnist_c(directory)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_fifteen_corruptions_are_read_from_the_folder_or_the_one_that_holds_it(folder):
    for directory in (folder, folder.parent):
        read = load_mnist_c(directory)
        assert list(read) == list(CORRUPTIONS)
        for place, (images, labels) in enumerate(read.values()):
            assert (images.shape, images.dtype, labels.dtype) == ((12, 28, 28), np.uint8, np.uint8)
            np.testing.assert_array_equal(images, np.roll(IMAGES, place, axis=0)[..., 0])
            np.testing.assert_array_equal(labels, np.roll(LABELS, place))


def test_a_folder_that_is_none_or_lacks_a_corruption_is_refused(folder, tmp_path):
    assert "is not a folder" in refused(tmp_path / "nothing")
    (folder / "fog").rename(folder / "mist")
    assert "lacks MNIST-C's fog; give the folder that mnist_c.zip unpacks to" in refused(folder)


@pytest.mark.parametrize("name", ["test_images.npy", "test_labels.npy"])
def test_a_file_that_is_missing_or_damaged_is_refused(name, folder):
    path = folder / "zigzag" / name
    whole = path.read_bytes()
    path.unlink()
    assert refused(folder) == f"{path}: is missing; unpack mnist_c.zip again"
    pickled = np.array([{}], object)
    for content in (b"", b"no array", whole[: len(whole) // 2]):
        path.write_bytes(content)
        assert refused(folder) == f"{path}: cannot be read, it is damaged or no .npy file; unpack mnist_c.zip again"
    np.save(path, pickled, allow_pickle=True)
    assert "no .npy file" in refused(folder)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("test_images.npy", IMAGES[:5], "uint8 [5, 28, 28, 1], not MNIST-C's uint8 [12, 28, 28, 1]"),
        ("test_images.npy", IMAGES[..., 0], "uint8 [12, 28, 28], not MNIST-C's"),
        ("test_images.npy", IMAGES / 255, "float64 [12, 28, 28, 1], not MNIST-C's uint8"),
        ("test_labels.npy", LABELS[:5], "int64 [5], not 12 integer labels"),
        ("test_labels.npy", LABELS / 1, "float64 [12], not 12 integer labels"),
        ("test_labels.npy", LABELS + 1, "the labels 1 to 10, not 0 to 9"),
    ],
)
def test_arrays_of_another_shape_type_or_range_are_refused(name, array, message, folder):
    np.save(folder / "shear" / name, array)
    assert message in refused(folder)
