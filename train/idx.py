"""IDX files, the form that MNIST is published in: found under their usual names, and read.

    files = find_idx(Path("EMNIST/raw"))["emnist-digits-"]
    images = read_idx(files[TRAIN, "images"])        # (240000, 28, 28) uint8

An IDX file begins with two zeros, a byte for the type, a byte for the number of dimensions, and each dimension as 32
bits, the highest byte first.
"""

import gzip
import re
import zlib
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import InputError

TRAIN, TEST = "train", "test"  # parts of a data set
IdxFiles: TypeAlias = dict[tuple[str, str], Path]  # (TRAIN or TEST, "images" or "labels") -> the file

# As published, and as Kaggle and torchvision keep them: train-images-idx3-ubyte, train-images.idx3-ubyte,
# t10k-labels-idx1-ubyte.gz, emnist-digits-test-images-idx3-ubyte, qmnist-train-labels-idx2-int.gz
_NAME = re.compile(r"(.*?)(train|t10k|test)-(images|labels)[-.]idx\d-(?:ubyte|int)(?:\.gz)?")
_FOLDERS = frozenset(("mnist", "emnist", "qmnist", "raw", "gzip"))  # that the files lie in, in lower case
_DEPTH = 2  # such folders inside each other, as torchvision's MNIST/raw
_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_BYTES = 2**31  # of a file once it is unpacked; EMNIST's largest file has 0.6 GB


def find_idx(directory: Path, depth: int = _DEPTH) -> dict[str, IdxFiles]:
    """The sets of IDX files in a folder and in its folders of the usual names, by what their names begin with.

    MNIST's own begin with nothing. A plain file comes before its .gz, and a folder before those inside it. Kaggle packs
    each file in a folder of its own name.
    """
    sets: dict[str, IdxFiles] = {}
    inside = []
    for path in sorted(directory.iterdir()) if directory.is_dir() else []:
        name = _NAME.fullmatch(path.name)
        if path.is_dir():
            if name and (path / path.name).is_file():
                path = path / path.name
            elif path.name.lower() in _FOLDERS:
                inside.append(path)
        if name and path.is_file():
            part = TRAIN if name[2] == "train" else TEST
            sets.setdefault(name[1].lower(), {}).setdefault((part, name[3]), path)
    for folder in inside if depth else []:
        for prefix, files in find_idx(folder, depth - 1).items():
            sets[prefix] = files | sets.get(prefix, {})
    return sets


def is_idx(path: Path) -> bool:
    """Whether the file's name is that of an IDX file."""
    return _NAME.fullmatch(path.name) is not None


def set_of(path: Path) -> str:
    """What the name of an IDX file begins with: the key of its set in find_idx."""
    name = _NAME.fullmatch(path.name)
    return name[1].lower() if name else ""


def idx_bytes(path: Path, count: int = MAX_BYTES) -> bytes:
    """The first bytes of an IDX file, unpacked. Raises InputError where it is damaged or partial."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            return stream.read(count)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read, it is damaged or partial ({error})") from error


def read_idx(path: Path) -> npt.NDArray[Any]:
    """The array in an IDX file, of the type that it states. Raises InputError where it is damaged or partial."""
    content = idx_bytes(path)
    kind = _TYPES.get(content[2]) if len(content) >= 4 and content[:2] == b"\0\0" else None
    head = 4 + 4 * content[3] if kind else 0
    if kind is None or len(content) < head:
        raise InputError(f"{path}: is no IDX file; download it again")
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, head, 4)]
    if len(content) != head + np.dtype(kind).itemsize * prod(shape):
        raise InputError(f"{path}: does not hold the {shape} values that it states; download it again")
    return np.frombuffer(content, kind, offset=head).reshape(shape)
