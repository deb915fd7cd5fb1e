"""The published files of MNIST-C, from the folder that mnist_c.zip unpacks to.

    for name, (images, labels) in load_mnist_c(Path("mnist_c")).items():
        ...                          # (10000, 28, 28) uint8, ink bright; (10000,) uint8

N. Mu, J. Gilmer, "MNIST-C: A Robustness Benchmark for Computer Vision" (2019). The folder holds one folder for each
corruption, with test_images.npy, (10000, 28, 28, 1) uint8, and test_labels.npy, (10000,). Only accuracies on these
files can be compared with those that others publish.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.errors import InputError
from digitocr.runtime.files import is_folder
from digitocr.runtime.preprocessing import SIDE
from digitocr.train.data import Bytes
from digitocr.train.evaluation.corruptions import CORRUPTIONS

TEST_IMAGES = 10_000  # of each corruption


def load_mnist_c(directory: Path) -> dict[str, tuple[Bytes, Bytes]]:
    """The test images and labels of each of the fifteen corruptions, by its name; in the order of CORRUPTIONS.

    Images are (10000, 28, 28) uint8, ink bright, mapped from the files and read when they are used; labels are (10000,)
    uint8. The training images and the uncorrupted ones (identity) are left out.

    Args:
        directory: The folder that holds one folder for each corruption, or has such a folder named mnist_c.

    Raises:
        InputError: The folder lacks the files, or a file is damaged or of another shape or type.
    """
    if not is_folder(directory):
        raise InputError(f"{directory}: is not a folder; give the one that mnist_c.zip unpacks to")
    root = directory / "mnist_c" if (directory / "mnist_c").is_dir() else directory
    missing = [name for name in CORRUPTIONS if not (root / name).is_dir()]
    if missing:
        raise InputError(
            f"{directory}: lacks MNIST-C's {', '.join(missing)}; give the folder that mnist_c.zip unpacks to"
        )
    return {
        name: (_images(root / name / "test_images.npy"), _labels(root / name / "test_labels.npy"))
        for name in CORRUPTIONS
    }


def _images(path: Path) -> Bytes:
    """(10000, 28, 28) uint8, mapped from the file."""
    images, shape = _array(path), (TEST_IMAGES, SIDE, SIDE, 1)
    if images.shape != shape or images.dtype != np.uint8:
        raise InputError(f"{path}: holds {images.dtype} {list(images.shape)}, not MNIST-C's uint8 {list(shape)}")
    return np.asarray(images[..., 0], np.uint8)


def _labels(path: Path) -> Bytes:
    """(10000,) uint8; the files hold any integers."""
    labels = _array(path)
    if labels.shape != (TEST_IMAGES,) or labels.dtype.kind not in "iu":
        raise InputError(f"{path}: holds {labels.dtype} {list(labels.shape)}, not {TEST_IMAGES} integer labels")
    if labels.min() < 0 or labels.max() > 9:
        raise InputError(f"{path}: holds the labels {labels.min()} to {labels.max()}, not 0 to 9")
    return labels.astype(np.uint8)


def _array(path: Path) -> NDArray[Any]:
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, EOFError, ValueError) as error:
        why = "is missing" if isinstance(error, FileNotFoundError) else "cannot be read, it is damaged or no .npy file"
        raise InputError(f"{path}: {why}; unpack mnist_c.zip again") from error
