"""The numbers in runtime/reader.py that make a confidence the share of readings that are right.

    python -m digitocr.train.classifier.calibrate --data mnist/ --fonts fonts/

Reads synthetic scenes, asks of each candidate whether it is a digit and read right, and fits a logistic regression on
confidence.confidence_features (after J. Platt, 1999). Prints the numbers, and the expected calibration error on scenes
that they were not fitted on, before and after. Four minutes on one core.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.confidence import WEIGHTS, confidence_features
from digitocr.runtime.reader import Reader
from digitocr.train.classifier.crops import overlaps
from digitocr.train.data import hold_out, load_mnist
from digitocr.train.evaluation.metrics import calibration_error
from digitocr.train.synthesis.fonts import find_fonts
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.scenes import draw_scene

Reals = NDArray[np.float64]
SEED = 2**31 + 2  # of scenes that nothing was trained on
SCENES = 4_000  # to fit on, and half as many to measure on


def observed(reader: Reader, glyphs: Glyphs, scenes: range) -> tuple[Reals, NDArray[np.bool_]]:
    """(n, 15) reader.confidence_features, (n,) whether right: of all candidates in the scenes of those numbers.

    A letter that alone could be a digit is none: it stands among others. What is cut off or too faint is left out.
    """
    seen, rights = [], []
    for number in scenes:
        scene = draw_scene(np.random.default_rng((SEED, number)), glyphs)
        boxes, found = reader.detector.detect(scene.image)
        digits = reader.digits(scene.image, boxes)
        shared = overlaps(boxes, scene.boxes)
        best = shared.max(1, initial=0.0)
        right = best >= 0.5
        if len(scene.boxes):
            right &= scene.labels[shared.argmax(1)] == digits.argmax(1)
        clear = (best >= 0.5) | (overlaps(boxes, scene.ignored).max(1, initial=0.0) < 0.25)
        seen.append(confidence_features(boxes, found, digits)[clear])
        rights.append(right[clear])
    return np.concatenate(seen).astype(np.float64), np.concatenate(rights)


def fitted(seen: Reals, right: NDArray[np.bool_], rounds: int = 30) -> Reals:
    """The weights of the logistic regression, one for each column, by Newton's method."""
    weights = np.zeros(seen.shape[1])
    for _ in range(rounds):
        share = 1 / (1 + np.exp(-seen @ weights))
        curve = (seen * (share * (1 - share))[:, None]).T @ seen + 1e-6 * np.eye(len(weights))
        weights = weights + np.linalg.solve(curve, seen.T @ (right - share))
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, help="MNIST's folder")
    parser.add_argument("--fonts", type=Path, help="a folder of fonts")
    parser.add_argument("--scenes", type=int, default=SCENES)
    arguments = parser.parse_args()
    data = load_mnist(arguments.data)
    _, held = hold_out(data.train_labels)
    glyphs = Glyphs(data.train_images[held], data.train_labels[held], find_fonts(arguments.fonts), seed=1)
    reader = Reader()
    weights = fitted(*observed(reader, glyphs, range(arguments.scenes)))
    seen, right = observed(reader, glyphs, range(arguments.scenes, arguments.scenes * 3 // 2))
    print("WEIGHTS =", ", ".join(f"{weight:.3f}" for weight in weights))
    for name, used in (("as they are", WEIGHTS), ("fitted", weights)):
        error = calibration_error(1 / (1 + np.exp(-seen @ used)), right)
        print(f"expected calibration error, {name}: {error:.4f} of {len(right)} candidates")


if __name__ == "__main__":
    main()
