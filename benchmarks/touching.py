"""Numbers of touching handwritten digits: whether none is lost, by the gap between them.

    DIGITOCR_DATA=mnist/ python benchmarks/touching.py --save

Six digits of MNIST's test images stand side by side, each cut to the columns of its ink, with a gap of some of the 28
pixels of an image; with a gap below zero they overlap. They are shown three times as large, dark on white, with a
margin. Forty seconds.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image
from timing import argument_parser, report

from digitocr import Reader
from digitocr.train.data import load_mnist

GAPS = (2, 0, -1, -2)  # pixels of an image of 28
NUMBERS = 500  # for each gap; of 60 one in twenty more or less is chance
DIGITS = 6  # of a number
SCALE = 3  # times the size of MNIST's pixels
MARGIN = 16  # pixels of an image of 28, around a number
INK = 128  # of 255; a column with an ink of this much is part of the digit: paler edges lie in the gap

Bytes = npt.NDArray[np.uint8]


def cut(image: Bytes) -> Bytes:
    """A digit without the empty columns beside it; image: (28, 28), ink bright."""
    columns = np.flatnonzero(image.max(0) >= INK)
    return image[:, columns[0] : columns[-1] + 1]


def number(images: Bytes, gap: int) -> Bytes:
    """A picture of a number; images: (n, 28, 28), ink bright."""
    digits = [cut(image) for image in images]
    width = sum(digit.shape[1] + gap for digit in digits) - gap
    ink = np.zeros((images.shape[1], width), np.uint8)
    left = 0
    for digit in digits:
        place = ink[:, left : left + digit.shape[1]]
        np.maximum(place, digit, out=place)
        left += digit.shape[1] + gap
    paper = Image.fromarray(255 - np.pad(ink, MARGIN))
    return np.asarray(paper.resize((SCALE * paper.width, SCALE * paper.height), Image.Resampling.BICUBIC))


def main() -> None:
    arguments = argument_parser(__doc__).parse_args()
    data, reader = load_mnist(), Reader()
    chosen = np.random.default_rng(0).integers(len(data.test_images), size=(NUMBERS, DIGITS))
    rows = []
    for gap in GAPS:
        right = 0
        for indices in chosen:
            text = reader.read(number(data.test_images[indices], gap)).text
            right += text == "".join(map(str, data.test_labels[indices]))
        rows.append({"gap": f"{gap} pixels of 28", "numbers": NUMBERS, "wholly right": f"{right / NUMBERS:.1%}"})
    notes = [f"{DIGITS} digits a number; the same {NUMBERS} numbers for each gap; right: all digits as one number"]
    report("touching", "Touching handwritten digits", rows, notes, arguments.save)


if __name__ == "__main__":
    main()
