"""The shipped files in the runtimes that people use: answers, differences, time and batches, beside our own runtimes.

    pip install openvino tract iree-base-compiler iree-base-runtime onnx sympy tflite-micro mediapipe
    digitocr export --model runtime/models/digitocr.keras --format tflite --io uint8 --channels 3
    DIGITOCR_DATA=mnist/ python benchmarks/runtimes.py --rgb exports/digitocr-int8-io-uint8-rgb.tflite --save

Each row is a `digitocr compare`: the file in ONNX Runtime or LiteRT, and in another runtime, in turns, each in a
process of its own, on one thread. Slow runtimes answer 1,000 of MNIST's 10,000 test images. The detector is run on an
example picture at three sizes. A runtime that is not installed is marked as not run. Takes a quarter of an hour.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from timing import ROOT, argument_parser, report

from digitocr.export.compare import compare_files
from digitocr.export.runtimes import RUNTIMES, Opened
from digitocr.runtime.detector import detector_input
from digitocr.runtime.errors import DigitocrError, MissingLibraryError
from digitocr.runtime.models import shipped_model
from digitocr.runtime.opencv import cv2
from digitocr.train.data import Mnist, load_mnist

FILES = ("digitocr-int8.onnx", "digitocr-float32.onnx", "digitocr-int8.tflite", "digitocr-float32.tflite")
DETECTOR = "detector-int8.onnx"
SLOW = {"iree": 1_000, "litert-reference": 1_000, "tflite-micro": 1_000}  # test images; of others all
SIZES = ((128, 96), (256, 192), (512, 384))  # width and height in pixels; multiples of 8
MESSAGE = 200  # characters of a message in the table


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--images", type=int, default=10_000, help="test images at most")
    parser.add_argument("--rgb", type=Path, metavar="FILE", help="a file of three channels, for MediaPipe")
    arguments = parser.parse_args()
    data = load_mnist()
    rows = []
    for name, runtime in RUNTIMES.items():
        paths = [shipped_model(file) for file in (*FILES, DETECTOR)]
        for path in [*paths, arguments.rgb] if name == "mediapipe" and arguments.rgb else paths:
            if path.suffix in runtime.suffixes:
                count = min(arguments.images, SLOW.get(name, arguments.images))
                rows.append(row(name, path, data, count) if path.name != DETECTOR else detector_row(name, path))
                print(rows[-1], file=sys.stderr, flush=True)
    notes = [
        "beside the same file in ONNX Runtime or LiteRT (with XNNPACK), the first rows of each; time: median ratio of "
        "processor times of a digit alone, in turns",
        "the detector: largest difference of a centre's logit in examples/marker.jpg at "
        f"{', '.join(f'{width}x{height}' for width, height in SIZES)}",
        "`python benchmarks/runtimes.py`",
    ]
    report("runtimes", "The shipped files in other runtimes", rows, notes, arguments.save)


def row(name: str, path: Path, data: Mnist, images: int) -> dict[str, Any]:
    try:
        result = compare_files(path, path, name, data, images)
    except DigitocrError as error:
        return cells(name, path, failed=error)
    difference = "same bits" if result["same bits"] else f"{result['largest difference']:.0e}"
    equal = f"{result['equal']:,} of {result['images']:,}"
    return cells(
        name, path, result["b"]["version"], equal, difference, f"{result['time ratio']:.2f}", result["b"]["batch"]
    )


def detector_row(name: str, path: Path) -> dict[str, Any]:
    try:
        with Opened(path) as ours, Opened(path, name) as theirs:
            largest = 0.0
            for size in SIZES:
                picture = cv2.imread(str(ROOT / "examples" / "marker.jpg"), cv2.IMREAD_GRAYSCALE)
                planes = detector_input(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))[None]
                largest = max(largest, float(np.abs(ours.first_output(planes) - theirs.first_output(planes)).max()))
            version = theirs.version
    except DigitocrError as error:
        return cells(name, path, failed=error)
    return cells(name, path, version, f"{len(SIZES)} sizes run", "same bits" if largest == 0 else f"{largest:.0e}")


def cells(
    name: str,
    path: Path,
    version: str = "-",
    equal: str = "-",
    difference: str = "-",
    time: str = "-",
    batch: str = "-",
    failed: DigitocrError | None = None,
) -> dict[str, Any]:
    if failed is not None:
        missing = isinstance(failed, MissingLibraryError)
        equal = "not run: not installed" if missing else short(str(failed).removeprefix(f"{path}: "))
    return {
        "runtime": name,
        "version": version,
        "setting": RUNTIMES[name].setting or "-",
        "file": path.name,
        "answers equal": equal,
        "largest difference": difference,
        "time": time,
        "64 at once": short(batch),
    }


def short(message: str) -> str:
    """One cell of the table: no bar, no advice, MESSAGE characters at most."""
    return message.removesuffix("; use another runtime").replace("|", "/")[:MESSAGE].strip()


if __name__ == "__main__":
    main()
