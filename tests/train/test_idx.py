import gzip

import numpy as np
import pytest

from digitocr.runtime.errors import InputError
from digitocr.train.idx import TEST, TRAIN, find_idx, is_idx, read_idx, set_of

ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def idx(array, kind=8):
    """The content of an IDX file, as its format says."""
    return bytes([0, 0, kind, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


@pytest.mark.parametrize(
    ("names", "prefix"),
    [
        (["train-images-idx3-ubyte", "train-labels-idx1-ubyte"], ""),
        (["train-images.idx3-ubyte", "train-labels.idx1-ubyte"], ""),
        (["MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-labels-idx1-ubyte.gz"], ""),
        (["train-images-idx3-ubyte/train-images-idx3-ubyte", "train-labels.idx1-ubyte"], ""),
        (["EMNIST/raw/emnist-digits-train-images-idx3-ubyte", "gzip/emnist-digits-train-labels-idx1-ubyte.gz"],
         "emnist-digits-"),
        (["qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int"], "qmnist-"),
    ],
)  # fmt: skip
def test_files_are_found_under_their_usual_names(names, prefix, tmp_path):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = find_idx(tmp_path)
    assert found == {prefix: {(TRAIN, "images"): tmp_path / names[0], (TRAIN, "labels"): tmp_path / names[1]}}
    assert all(is_idx(tmp_path / name) and set_of(tmp_path / name) == prefix for name in names)


def test_other_files_are_none_and_a_plain_file_comes_before_its_gzip(tmp_path):
    for name in ("t10k-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte", "images.png", "7"):
        (tmp_path / name).write_bytes(b"")
    assert find_idx(tmp_path) == {"": {(TEST, "images"): tmp_path / "t10k-images-idx3-ubyte"}}
    assert not is_idx(tmp_path / "images.png")
    assert find_idx(tmp_path / "7") == find_idx(tmp_path / "none") == {}


@pytest.mark.parametrize(("kind", "dtype"), [(8, "u1"), (0x0C, ">i4"), (0x0D, ">f4")])
def test_the_array_has_the_type_that_the_file_states(kind, dtype, tmp_path):
    (tmp_path / "a").write_bytes(idx(ARRAY.astype(dtype), kind))
    read = read_idx(tmp_path / "a")
    assert read.dtype == np.dtype(dtype)
    assert np.array_equal(read, ARRAY)


@pytest.mark.parametrize(
    "content", [b"", b"\0\0", b"\0\0\7\1\0\0\0\1\0", idx(ARRAY)[:-1], idx(ARRAY) + b"\0", b"\1" * 99]
)
def test_damaged_files_are_named(content, tmp_path):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError, match=r"a: .*download it again"):
        read_idx(tmp_path / "a")


def test_a_partial_gzip_is_named(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(idx(ARRAY))[:-9])
    with pytest.raises(InputError, match=r"a\.gz: cannot be read"):
        read_idx(tmp_path / "a.gz")
