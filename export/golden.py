"""Golden vectors beside an exported file: twenty drawn pictures and boxes, their crops, and the file's logits.

    write_golden(Path("exports/digitocr-int8.onnx"))     # exports/digitocr-int8.onnx.golden.json

runtime/selftest.py reads them. For the shipped files: python -m digitocr.export.golden runtime/models/digitocr-*.*x
"""

import base64
import json
import platform
import sys
from pathlib import Path

import numpy as np

from digitocr.runtime.classifier import Classifier
from digitocr.runtime.errors import OutputError
from digitocr.runtime.files import replacing
from digitocr.runtime.image import GrayImage
from digitocr.runtime.preprocessing import VERSION, images, scale
from digitocr.runtime.selftest import SCHEMA, golden_path, interpreter_of
from digitocr.train.synthesis.strokes import draw_digit, random_hand

PICTURES = 20  # two of each digit
HEIGHTS = (16, 24, 36)  # pixels of a digit, in turn: crops are enlarged or shrunk
PAPER, INK = 225.0, 150.0  # grey levels of paper, and how much darker ink is
NOISE = 8.0  # grey levels, standard deviation; answers are then not all certain
CROP_TOLERANCE = 4  # grey levels; OpenCV's resizing differs by 1 between machines, and contrast is stretched
FLOAT_TOLERANCE = 1e-3  # of a logit; float32 kernels differ by 1e-5
STEPS = 2  # of 255 over the range of the logits: what integer kernels may differ by


def write_golden(path: Path) -> None:
    """Writes FILE.golden.json for a file of the network that reads a digit.

    Raises ModelError where the file cannot be used, and OutputError where the vectors cannot be written.
    """
    classifier = Classifier(path)
    drawn = pictures()
    crops = np.concatenate([images(gray, box[None]) for gray, box in drawn])
    logits = classifier.logits(scale(crops))
    exact = classifier.card.get("quantization") == "none"
    golden = {
        "schema": SCHEMA,
        "file": path.name,
        "sha256": classifier.sha256,
        "preprocessing": VERSION,
        "written by": f"{interpreter_of(path)}, {platform.machine()}",
        "tolerance": {
            "crop": CROP_TOLERANCE,
            "logit": FLOAT_TOLERANCE if exact else round(STEPS * float(np.ptp(logits)) / 255, 4),
        },
        "vectors": [
            {
                "width": gray.shape[1],
                "height": gray.shape[0],
                "picture": base64.b64encode(gray.tobytes()).decode(),
                "box": box.tolist(),
                "crop": base64.b64encode(crop.tobytes()).decode(),
                "logits": [float(logit) for logit in row],
            }
            for (gray, box), crop, row in zip(drawn, crops, logits, strict=True)
        ],
    }
    try:
        with replacing(golden_path(path)) as beside:
            beside.write_text(json.dumps(golden, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise OutputError(f"{golden_path(path)}: cannot be written ({error.strerror or error})") from error


def pictures() -> list[tuple[GrayImage, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]]:
    """Drawn digits with their boxes, (4,) float32 x, y, w, h. Every second one is bright on dark."""
    made = []
    for number in range(PICTURES):
        rng = np.random.default_rng((2026, number))
        ink = draw_digit(number % 10, random_hand(rng), rng, HEIGHTS[number % len(HEIGHTS)], stroke=0.13)
        height, width = ink.shape
        margin = height // 3  # squares reach beyond some pictures
        gray = np.pad(PAPER - INK * ink, margin, constant_values=PAPER)
        gray = np.clip(gray + rng.normal(0, NOISE, gray.shape), 0, 255).astype(np.uint8)
        places = np.array([margin, margin, width, height]) + rng.normal(0, height / 12, 4)
        made.append((255 - gray if number % 2 else gray, np.round(places, 2).astype(np.float32)))
    return made


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write_golden(Path(name))
