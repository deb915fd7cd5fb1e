"""How long `digitocr data check` takes, beside reading and decoding its pictures alone.

    python benchmarks/data_check.py --pictures 70000 --save

Writes MNIST's images as PNG files to a folder for each class and checks these. Seconds of the processor, since other
programs' reading from the disk would weigh more than the check; a minute for 70,000 pictures.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
from timing import argument_parser, report

from digitocr.runtime.image import load
from digitocr.train.data import load_mnist
from digitocr.train.sources.check import check
from digitocr.train.sources.load import read_source


def written(folder: Path, count: int) -> list[str]:
    """The paths of the first `count` of MNIST's images, training images first."""
    data, paths = load_mnist(), []
    for part, images, labels in (
        ("train", data.train_images, data.train_labels),
        ("test", data.test_images, data.test_labels),
    ):
        for label in range(10):
            (folder / part / str(label)).mkdir(parents=True)
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            if len(paths) < count:
                paths.append(str(folder / part / str(label) / f"{number}.png"))
                cv2.imwrite(paths[-1], image)
    return paths


def seconds(function: Callable[[], object]) -> float:
    """Processor seconds of a call, of all threads."""
    began = time.process_time()
    function()
    return time.process_time() - began


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--pictures", type=int, default=70_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        paths = written(Path(name), given.pictures)
        decoding = seconds(lambda: [load(path) for path in paths])
        checking = seconds(lambda: check(read_source(Path(name))))
    row = {"pictures": len(paths), "decoded in s": round(decoding, 1), "checked in s": round(checking, 1)}
    row["times"] = round(checking / decoding, 2)
    report("data-check", "Checking a labelled set", [row], ["seconds of the processor"], given.save)


if __name__ == "__main__":
    main()
