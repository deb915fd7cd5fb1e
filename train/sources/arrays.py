"""Labelled sets that are arrays: .npz files, IDX files of MNIST's kind, and tables of pixels, all into one Gathered.

    read_npz(Path("digits.npz"), gathered)       # x, y; x_train, y_train, x_test, y_test; or other usual names
    read_idx_set(files, gathered)                # the result of idx.find_idx for one set
    read_pixels(Path("train.csv"), gathered)     # a label and 784 pixels in each line

Whatever their type and size, pictures are added as those of files are.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import InputError
from digitocr.runtime.image import load
from digitocr.train.data import Bytes
from digitocr.train.idx import TEST, TRAIN, IdxFiles, read_idx
from digitocr.train.sources.labelled import NONE, Gathered
from digitocr.train.sources.tables import delimiter_of

NPZ_NAMES = (  # of pictures and labels, the part, and the name of their groups
    ("x_train", "y_train", TRAIN, "groups_train"),
    ("x_test", "y_test", TEST, "groups_test"),
    ("train_images", "train_labels", TRAIN, "train_groups"),
    ("test_images", "test_labels", TEST, "test_groups"),
    ("x", "y", "", "groups"),
    ("images", "labels", "", "groups"),
    ("data", "target", "", "groups"),
)
TRANSPOSED = "emnist-"  # what the names of files begin with whose pictures have rows and columns swapped
WRITER = 2  # the column of QMNIST's labels that says who wrote the digit; the first one is the digit


def read_npz(path: Path, gathered: Gathered) -> None:
    """Adds the pictures of an .npz file.

    Pictures are (N, H, W), (N, H, W, 1), (N, H, W, 3) or (N, side * side), uint8 or floats to 1 or to 255; labels are
    (N,) or (N, 1) whole numbers, or (N, classes) with a 1 at the class.

    Raises:
        InputError: The file is damaged, or holds no such arrays.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as npz:
            members = ((name.lower(), npz[name]) for name in npz.files)  # one that is no array is given as bytes
            arrays = {name: array for name, array in members if isinstance(array, np.ndarray)}
    except Exception as error:  # whatever zipfile, NumPy and the tokenizer with which it reads old headers raise
        raise InputError(f"{path}: cannot be read, it is damaged or no .npz file of numbers") from error
    found = [names for names in NPZ_NAMES if names[0] in arrays and names[1] in arrays]
    if not found:
        pairs = ", ".join(f"{images} and {labels}" for images, labels, _, _ in NPZ_NAMES)
        raise InputError(f"{path}: holds {', '.join(arrays) or 'nothing'}; it must hold {pairs}")
    for images, labels, part, groups in found:
        name = f"{path}: {images}"
        add_arrays(gathered, name, arrays[images], arrays[labels], part, arrays.get(groups))


def read_idx_set(files: IdxFiles, gathered: Gathered) -> None:
    """Adds the pictures of a set of IDX files; those of EMNIST are turned upright, QMNIST's groups are its writers.

    Raises:
        InputError: A file is missing or damaged.
    """
    for part in (TRAIN, TEST):
        images, labels = files.get((part, "images")), files.get((part, "labels"))
        if images is None and labels is None:
            continue
        if images is None or labels is None:
            there, lacking = (images, "labels") if labels is None else (labels, "images")
            raise InputError(f"{there}: has no file of {lacking} beside it; add it")
        pictures, truth = read_idx(images), read_idx(labels)
        if images.name.lower().startswith(TRANSPOSED):
            pictures = pictures.swapaxes(1, 2)
        groups = truth[:, WRITER] if truth.ndim == 2 and truth.shape[1] > WRITER else None
        add_arrays(gathered, str(images), pictures, truth if groups is None else truth[:, 0], part, groups)


def read_pixels(path: Path, gathered: Gathered, part: str = "") -> None:
    """Adds the pictures of a table with a label and the pixels of a square picture in each line.

    Raises:
        InputError: The table is damaged, or not of this form.
    """
    try:
        with path.open(encoding="utf-8-sig") as lines:
            first = next(lines, "")
        names = 0 if first.lstrip(' "')[:1].isdigit() else 1
        cells = np.loadtxt(
            path,
            np.float32,
            delimiter=delimiter_of(first),
            skiprows=names,
            ndmin=2,
            encoding="utf-8-sig",
            quotechar='"',
        )
    except (OSError, ValueError) as error:
        why = str(error).partition(";")[0]  # what NumPy advises behind it is for programmers
        raise InputError(
            f"{path}: its pixels cannot be read ({why}); each line is a label and as many pixels"
        ) from error
    add_arrays(gathered, str(path), cells[:, 1:], cells[:, 0], part)


def add_arrays(
    gathered: Gathered,
    name: str,
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    part: str,
    groups: npt.NDArray[Any] | None = None,
) -> None:
    """Adds pictures and labels as read_npz describes them; name: of the array, for messages.

    Raises:
        InputError: Their shapes or types do not fit.
    """
    pictures, truth = _pictures(name, images), _whole_numbers(name, labels)
    if len(pictures) != len(truth):
        raise InputError(f"{name}: has {len(pictures)} pictures and {len(truth)} labels; they must be as many")
    if groups is not None and len(groups) != len(truth):
        raise InputError(f"{name}: has {len(pictures)} pictures and {len(groups)} groups; they must be as many")
    whose = [""] * len(truth) if groups is None else np.asarray(groups).astype(str).tolist()
    for number, (picture, label, group) in enumerate(zip(pictures, truth.tolist(), whose, strict=True)):
        where = f"{name}[{number}]"
        if 0 <= label <= NONE:
            gray = picture if picture.ndim == 2 else load(picture)
            gathered.add(gray, label, where, group, part)
        else:
            gathered.trouble("no digit", where, f"its label is {label}, which is no digit; 0 to 9, or {NONE} for none")


def _pictures(name: str, images: npt.NDArray[Any]) -> Bytes:
    """(N, H, W) or (N, H, W, 3) uint8."""
    if images.ndim == 2:
        side = round(images.shape[1] ** 0.5)
        if side * side == images.shape[1]:
            images = images.reshape(len(images), side, side)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    colours = images.ndim == 4 and images.shape[3] == 3
    if not (images.ndim == 3 or colours) or min(images.shape[1:3]) < 5 or images.dtype.kind not in "buif":
        raise InputError(f"{name}: is {images.dtype} {list(images.shape)}, not pictures as [N, 28, 28]")
    if images.dtype != np.uint8:
        levels = images.astype(np.float32, copy=False)
        low, high = levels.min(initial=0), levels.max(initial=0)
        if not (low >= 0 and high <= 255):  # as of NaN
            raise InputError(f"{name}: has levels from {low:g} to {high:g}; give grey levels of 0 to 255, or 0 to 1")
        images = np.rint(levels * 255 if images.dtype.kind in "bf" and high <= 1 else levels)
    return np.ascontiguousarray(images, np.uint8)


def _whole_numbers(name: str, labels: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """(N,) int64."""
    if labels.ndim == 2 and labels.shape[1] in (10, 11) and labels.dtype.kind in "buif":
        return np.asarray(labels.argmax(axis=1), np.int64)  # one column for each class
    flat = labels.reshape(-1)
    if labels.ndim > 2 or len(flat) != len(labels) or labels.dtype.kind not in "uif" or (flat != np.rint(flat)).any():
        raise InputError(f"{name}: its labels are {labels.dtype} {list(labels.shape)}, not whole numbers as [N]")
    return flat.astype(np.int64)
