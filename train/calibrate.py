"""The numbers in runtime/reader.py that make a confidence the share of readings that are right.

    python -m digitocr.train.calibrate --data mnist/ --fonts fonts/

Reads drawn tiles, asks of each candidate whether it is a digit and read right, and fits a logistic regression on
reader.evidence (after J. Platt, 1999). Prints the numbers, and the expected calibration error on tiles that they were
not fitted on, before and after. Four minutes on one core.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.reader import WEIGHTS, Reader, evidence
from digitocr.train.crops import overlaps
from digitocr.train.data import hold_out, load_mnist
from digitocr.train.fonts import find_fonts
from digitocr.train.glyphs import Glyphs
from digitocr.train.metrics import calibration_error
from digitocr.train.tiles import draw_tile

Reals = NDArray[np.float64]
SEED = 2**31 + 2  # of tiles that nothing was trained on
TILES = 4_000  # to fit on, and half as many to measure on


def observed(reader: Reader, glyphs: Glyphs, tiles: range) -> tuple[Reals, NDArray[np.bool_]]:
    """(n, 15) reader.evidence, (n,) whether right: of all candidates in the tiles of those numbers.

    A letter that alone could be a digit is none: it stands among others. What is cut off or too faint is left out.
    """
    seen, rights = [], []
    for number in tiles:
        tile = draw_tile(np.random.default_rng((SEED, number)), glyphs)
        boxes, found = reader.finder.find(tile.image)
        digits = reader.digits(tile.image, boxes)
        shared = overlaps(boxes, tile.boxes)
        best = shared.max(1, initial=0.0)
        right = best >= 0.5
        if len(tile.boxes):
            right &= tile.labels[shared.argmax(1)] == digits.argmax(1)
        clear = (best >= 0.5) | (overlaps(boxes, tile.ignored).max(1, initial=0.0) < 0.25)
        seen.append(evidence(boxes, found, digits)[clear])
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
    parser.add_argument("--tiles", type=int, default=TILES)
    arguments = parser.parse_args()
    data = load_mnist(arguments.data)
    _, held = hold_out(data.train_labels)
    glyphs = Glyphs(data.train_images[held], data.train_labels[held], find_fonts(arguments.fonts), seed=1)
    reader = Reader()
    weights = fitted(*observed(reader, glyphs, range(arguments.tiles)))
    seen, right = observed(reader, glyphs, range(arguments.tiles, arguments.tiles * 3 // 2))
    print("WEIGHTS =", ", ".join(f"{weight:.3f}" for weight in weights))
    for name, used in (("as they are", WEIGHTS), ("fitted", weights)):
        error = calibration_error(1 / (1 + np.exp(-seen @ used)), right)
        print(f"expected calibration error, {name}: {error:.4f} of {len(right)} candidates")


if __name__ == "__main__":
    main()
