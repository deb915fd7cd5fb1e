"""MNIST (Y. LeCun, C. Cortes, C. Burges, 1998), from a folder, the cache or Keras's mirror, always checked.

    data = load_mnist()
    data.train_images                             # (60000, 28, 28) uint8, ink bright on dark
    training, held = split(data)                  # indices: 55,000 to train with, 5,000 to choose with

The content of every file is compared with the published MD5 of the four IDX files. Own data have the same form
(sources/load.py).
"""

import hashlib
import io
import os
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import InputError, UsageError
from digitocr.runtime.files import is_folder
from digitocr.train.idx import TEST, TRAIN, IdxFiles, find_idx, idx_bytes
from digitocr.train.keras_backend import keras_needed
from digitocr.train.quiet import progress_stream

Bytes: TypeAlias = npt.NDArray[np.uint8]
Indices: TypeAlias = npt.NDArray[np.int64]

URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"  # of mnist.npz
HELD_OUT = 5_000  # of the training images, to make choices with


@dataclass(frozen=True)
class _File:
    """One of MNIST's four files.

    Attributes:
        key: What it holds, as a key of IdxFiles.
        idx: Name of the IDX file.
        npz: Name of the array in mnist.npz.
        shape: Shape of the array.
        md5: MD5 of the uncompressed IDX file.
    """

    key: tuple[str, str]
    idx: str
    npz: str
    shape: tuple[int, ...]
    md5: str

    @property
    def header(self) -> bytes:
        """The head of the IDX file: two zeros, 8 for unsigned bytes, number of dimensions, each dimension (32 bit)."""
        return bytes([0, 0, 8, len(self.shape)]) + b"".join(side.to_bytes(4, "big") for side in self.shape)


_FILES = (
    _File(
        (TRAIN, "images"), "train-images-idx3-ubyte", "x_train", (60_000, 28, 28), "6bbc9ace898e44ae57da46a324031adb"
    ),
    _File((TRAIN, "labels"), "train-labels-idx1-ubyte", "y_train", (60_000,), "a25bea736e30d166cdddb491f175f624"),
    _File((TEST, "images"), "t10k-images-idx3-ubyte", "x_test", (10_000, 28, 28), "2646ac647ad5339dbf082846283269ea"),
    _File((TEST, "labels"), "t10k-labels-idx1-ubyte", "y_test", (10_000,), "27ae3e4e09519cfbb04c329615203637"),
)
DIGEST = hashlib.sha256("".join(file.md5 for file in _FILES).encode()).hexdigest()  # of this data, in cards and runs


def _no_images() -> Bytes:
    return np.zeros((0, 28, 28), np.uint8)


@dataclass(frozen=True)
class Origin:
    """Where own data come from, for the record of a run.

    Attributes:
        source: The file or folder as it was named.
        split: How training and test images were told apart.
        rows: Of each picture its name, label, group and part (TRAIN or TEST): the training images, the test images,
            then those without a digit, each in the order of the arrays.
    """

    source: str
    split: str
    rows: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, eq=False)
class Mnist:
    """A data set of 28x28 digits: MNIST, or own data in its form. Sizes are MNIST's.

    Attributes:
        train_images: (60000, 28, 28) uint8, 0 is background and 255 is ink.
        train_labels: (60000,) uint8, 0 to 9.
        test_images: (10000, 28, 28) uint8.
        test_labels: (10000,) uint8.
        digest: Identifies the data in records: SHA-256 of the MD5s of the four IDX files; of own data, of all arrays.
        train_groups: (60000,) int64; images of one group are held out together. None for MNIST, which states none.
        train_others: (n, 28, 28) uint8, images to train with that show no digit; MNIST has none.
        test_others: (n, 28, 28) uint8, images to test with that show no digit.
        origin: Where own data come from; None for MNIST.
    """

    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes
    digest: str
    train_groups: Indices | None = None
    train_others: Bytes = field(default_factory=_no_images)
    test_others: Bytes = field(default_factory=_no_images)
    origin: Origin | None = None


def load_mnist(directory: Path | None = None, quiet: bool = False) -> Mnist:
    """Loads MNIST from a folder, else from the folder in DIGITOCR_DATA, else from the cache, else from the network.

    Args:
        directory: Holds, itself or in a subfolder `mnist`, the four IDX files (plain or .gz) or mnist.npz.
        quiet: Whether to draw no progress bar of a download. It is drawn on stderr only if that is a terminal.

    The cache is Keras's: datasets/mnist.npz in KERAS_HOME, by default ~/.keras.

    Raises:
        InputError: The folder has no MNIST, a file is damaged, partial or different (in the cache it is also deleted),
            or the download failed.
        MissingExtraError: The data has to be downloaded and Keras is not installed.
    """
    if directory is None and os.environ.get("DIGITOCR_DATA"):
        directory = Path(os.environ["DIGITOCR_DATA"])
    if directory is not None:
        return _from_directory(directory)
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser()
    cached = home / "datasets" / "mnist.npz"
    if not cached.is_file():
        cached = _download(home, quiet)
    try:
        return _from_npz(cached)
    except InputError as error:
        cached.unlink(missing_ok=True)
        raise InputError(f"{error}; it is deleted from the cache: run again to download it") from error


def split(data: Mnist) -> tuple[Indices, Indices]:
    """Indices of the training images to train with, and of the one in twelve that is held out.

    The same for every run, whatever its seed: (55000,) and (5000,) int64 of MNIST, both sorted. Of own data, images of
    one group stay together.
    """
    count = len(data.train_labels) // 12
    if data.train_groups is None:
        return hold_out(data.train_labels, count)
    held = by_group(data.train_groups, data.train_labels, count, seed=0)
    return np.setdiff1d(np.arange(len(data.train_labels)), held), held


def fewer_tests(data: Mnist, count: int | None) -> Mnist:
    """The data with `count` of the test images, in which the digits keep their shares; None: with all of them."""
    if count is None or count >= len(data.test_labels):
        return data
    chosen = stratified(data.test_labels, count, seed=0)
    return replace(data, test_images=data.test_images[chosen], test_labels=data.test_labels[chosen])


def fewer(data: Mnist, images: int) -> Mnist:
    """The data with that many of its training images, drawn so that each class keeps its share; always the same ones.

    The digest stays, as it says where the images come from; the rows of own data are those of the images that are left.
    Raises UsageError if there are not so many.
    """
    if images > len(data.train_labels):
        raise UsageError(f"there are {len(data.train_labels):,} training images, not {images:,}; ask for fewer")
    rows = stratified(data.train_labels, images, seed=0)
    origin = data.origin
    if origin:
        kept = tuple(origin.rows[at] for at in rows.tolist())
        origin = replace(origin, rows=kept + origin.rows[len(data.train_labels) :])
    return replace(
        data,
        train_images=data.train_images[rows],
        train_labels=data.train_labels[rows],
        train_groups=None if data.train_groups is None else data.train_groups[rows],
        origin=origin,
    )


def stratified(labels: Bytes, count: int, seed: int) -> Indices:
    """Draws indices without replacement so that each class keeps its share.

    Args:
        labels: (N,) labels.
        count: Number of indices, 0 to N.
        seed: The same arguments give the same indices.

    Returns:
        (count,) int64, sorted. Shares are rounded by largest remainder; ties go to the lower label.

    Raises:
        ValueError: Count is below 0 or above N.
    """
    if not 0 <= count <= len(labels):
        raise ValueError(f"count is {count}; it must be 0 to {len(labels)}, the number of labels")
    rng = np.random.default_rng(seed)
    classes, sizes = np.unique(labels, return_counts=True)
    whole, remainder = np.divmod(sizes * count, len(labels))
    whole[np.argsort(-remainder, kind="stable")[: count - int(whole.sum())]] += 1
    drawn = [
        rng.choice(np.flatnonzero(labels == c), size, replace=False) for c, size in zip(classes, whole, strict=True)
    ]
    return np.sort(np.concatenate(drawn)).astype(np.int64)


def hold_out(labels: Bytes, count: int = HELD_OUT, seed: int = 0) -> tuple[Indices, Indices]:
    """Divides (N,) labels; the arguments are those of `stratified`.

    Returns:
        Indices to train with, (N - count,) int64, and of a stratified part to make choices with, (count,); sorted.
    """
    held = stratified(labels, count, seed)
    return np.setdiff1d(np.arange(len(labels)), held), held


def by_group(groups: Indices, labels: Bytes, count: int, seed: int) -> Indices:
    """Draws whole groups, about `count` of the images; the classes keep their shares where each group is of one class.

    Args:
        groups: (N,) int64, the group of each image.
        labels: (N,) labels.
        count: How many images to draw. At least one group is drawn if it is above 0, and one stays.
        seed: The same arguments give the same indices.

    Returns:
        Sorted indices, int64; their number is near `count` as far as the sizes of the groups allow.
    """
    known, first, ids, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    strata = labels[first] if (labels == labels[first][ids]).all() else np.zeros(len(known), np.uint8)
    rng, share = np.random.default_rng(seed), count / max(len(labels), 1)
    drawn, place = np.zeros(len(known), np.bool_), np.zeros(len(known))  # place: in its class, from 0 to 1
    for stratum in np.unique(strata):
        order = rng.permutation(np.flatnonzero(strata == stratum))
        reached = np.cumsum(sizes[order])
        middle = reached - sizes[order] / 2
        drawn[order] = middle <= share * reached[-1]  # where half of a group still fits
        place[order] = middle / reached[-1]
    if abs(int(sizes[drawn].sum()) - count) > count / 4:
        # Of classes with one or two groups each, the rounded shares add up to far too few or too many.
        order = np.lexsort((rng.random(len(known)), place))
        drawn[order] = np.cumsum(sizes[order]) - sizes[order] / 2 <= count
    if count > 0 and len(known) > 1:
        if not drawn.any():
            drawn[int(np.argmin(sizes))] = True
        if drawn.all():
            drawn[int(np.argmax(sizes))] = False
    return np.flatnonzero(drawn[ids]).astype(np.int64)


def holds_mnist(directory: Path) -> bool:
    """Whether load_mnist takes the folder for MNIST: mnist.npz, or an IDX file of MNIST's name and size.

    A damaged IDX file of MNIST's name counts as well, so that the damage is told.
    """
    files = find_idx(directory).get("", {})
    claimed = [file for file in _FILES if file.key in files]
    if not claimed:
        return any((folder / "mnist.npz").is_file() for folder in (directory, directory / "mnist"))
    try:
        return any(idx_bytes(files[file.key], len(file.header)) == file.header for file in claimed)
    except InputError:
        return True


def known_mnist(arrays: Sequence[Bytes]) -> Mnist | None:
    """MNIST, if the training images and labels and the test images and labels are MNIST's own; else None."""
    for array, file in zip(arrays, _FILES, strict=True):
        content = file.header + array.tobytes() if array.shape == file.shape else b""
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != file.md5:
            return None
    return _mnist(arrays)


def _from_directory(directory: Path) -> Mnist:
    if not is_folder(directory):
        raise InputError(f"{directory}: is not a folder; give the one that holds MNIST's four IDX files or mnist.npz")
    files: IdxFiles = find_idx(directory).get("", {})
    missing = [file.idx for file in _FILES if file.key not in files]
    if not missing:
        return _mnist([_from_idx(files[file.key], file) for file in _FILES])
    for folder in (directory, directory / "mnist"):
        if (folder / "mnist.npz").is_file():
            return _from_npz(folder / "mnist.npz")
    if files:
        raise InputError(f"{directory}: MNIST is not complete, {', '.join(missing)} missing; add the missing files")
    names = ", ".join(file.idx for file in _FILES)
    raise InputError(f"{directory}: no MNIST in it; it must hold {names} (each plain or .gz), or mnist.npz")


def _mnist(arrays: Sequence[Bytes]) -> Mnist:
    """The data set of checked arrays in the order of _FILES."""
    return Mnist(arrays[0], arrays[1], arrays[2], arrays[3], DIGEST)


def _from_idx(path: Path, file: _File) -> Bytes:
    size = len(file.header) + int(np.prod(file.shape))
    content = idx_bytes(path, size + 1)  # one more byte shows a file that is too long, however much it unpacks to
    _check(path, file, content)
    return np.frombuffer(content, np.uint8, offset=len(file.header)).reshape(file.shape)


def _from_npz(path: Path) -> Mnist:
    arrays = []
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as npz:
            for file in _FILES:
                array = npz[file.npz]
                _check(path, file, file.header + array.tobytes())
                arrays.append(array.reshape(file.shape))
    except (
        OSError,
        EOFError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        zlib.error,
        zipfile.BadZipFile,
    ) as error:
        raise InputError(f"{path}: cannot be read, it is damaged, partial or not MNIST's mnist.npz") from error
    return _mnist(arrays)


def _check(path: Path, file: _File, content: bytes) -> None:
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != file.md5:
        raise InputError(f"{path}: its content is not MNIST's published {file.idx} (MD5 differs)")


def _download(home: Path, quiet: bool) -> Path:
    with keras_needed("train", "downloading MNIST"):
        import keras
    with redirect_stdout(progress_stream(quiet) or io.StringIO()):
        try:
            home.mkdir(parents=True, exist_ok=True)  # where it is missing, Keras would take /tmp instead
            return Path(keras.utils.get_file("mnist.npz", URL, file_hash=SHA256, cache_dir=str(home)))
        except Exception as error:  # Keras raises bare Exceptions and, for a wrong hash, leaves the file where it is
            (home / "datasets" / "mnist.npz").unlink(missing_ok=True)
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise InputError(
                f"MNIST could not be downloaded ({reason}); connect to the network, "
                "or give a folder that holds it with --data DIR or DIGITOCR_DATA"
            ) from error
