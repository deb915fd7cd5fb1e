"""Writes what the shipped models make of fixed pictures: the golden files that tests/test_golden.py compares with.

    python tests/golden/make.py

Run it once for new model files, and look at the differences. No test runs it: that would make the comparison void.
"""

import json
from pathlib import Path

import numpy as np

from digitocr import Reader
from digitocr.runtime.classifier import Classifier
from digitocr.runtime.models import MODELS
from digitocr.runtime.preprocessing import SIDE, Images, images, scale
from digitocr.train.synthesis.pages import draw_page, random_style
from digitocr.train.synthesis.strokes import draw_digit, random_hand

GOLDEN = Path(__file__).parent
CLASSIFIERS = sorted(path.name for path in MODELS.glob("digitocr-*") if path.suffix in (".onnx", ".tflite"))
PAGES = 10


def digits() -> Images:
    """Twenty drawn digits, two of each, badly cropped and noisy, so that no answer is certain: (20, 28, 28) uint8."""
    made = np.zeros((20, SIDE, SIDE), np.uint8)
    for number in range(20):
        rng = np.random.default_rng((2024, number))
        ink = np.asarray(draw_digit(number % 10, random_hand(rng), rng, height=60, stroke=0.13))
        paper = np.pad(235 - 60 * ink, 60, constant_values=235) + rng.normal(0, 18, np.add(ink.shape, 120))
        height, width = ink.shape
        x, y = np.array([60.0, 60.0]) + rng.normal(0, 8, 2)
        box = np.array([[x, y, width, height]], np.float32) * np.array([1, 1, *rng.uniform(0.7, 1.6, 2)], np.float32)
        made[number] = images(np.clip(paper, 0, 255).astype(np.uint8), box)[0]
    return made


def page(number: int) -> Images:
    """(H, W, 3) uint8: one of PAGES drawn pages."""
    rng = np.random.default_rng((2025, number))
    lines = ["".join(map(str, rng.integers(0, 10, rng.integers(2, 7)))) for _ in range(rng.integers(1, 4))]
    return draw_page(lines, rng, random_style(rng, (640, 480))).image


def classified(name: str, pictures: Images) -> dict[str, object]:
    """The probabilities of each picture, by a shipped model."""
    classifier = Classifier(MODELS / name)
    probabilities = classifier.predict(scale(pictures)).astype(float)
    return {"sha256": classifier.sha256, "probabilities": np.round(probabilities, 5).tolist()}


def read(number: int) -> dict[str, object]:
    """The reading of a page: its text and every digit's confidence and box."""
    reading = Reader().read(page(number))
    return {
        "text": reading.text,
        "turned": reading.turned,
        "digits": [
            [round(digit.confidence, 4), digit.box.x, digit.box.y, digit.box.w, digit.box.h] for digit in reading.digits
        ],
    }


def main() -> None:
    pictures = digits()
    np.savez_compressed(GOLDEN / "digits.npz", digits=pictures)
    for name in CLASSIFIERS:
        (GOLDEN / f"{name}.json").write_text(json.dumps(classified(name, pictures)) + "\n", "utf-8")
    (GOLDEN / "readings.json").write_text(
        json.dumps([read(number) for number in range(PAGES)], indent=1) + "\n", "utf-8"
    )


if __name__ == "__main__":
    main()
