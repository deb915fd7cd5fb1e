"""Averages the weights of two networks, one trained on from the other or both from a third.

    python -m digitocr.train.average before.keras after.keras --share 0.3 --out mean.keras

What one run learned and another knew can be had in one network that way, at no cost when it is used (M. Wortsman et
al., "Model soups", 2022). Networks that do not come from the same weights have nothing in common, and their mean is
worthless: measure it on held-out data. The weights of all layers are averaged, those of batch normalization too.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.errors import DigitocrError, ModelError, UsageError
from digitocr.runtime.files import replacing
from digitocr.train.keras_backend import keras_needed

with keras_needed("train", "training"):
    import keras

    import digitocr.train.detector.network  # noqa: F401  # registers the initializer that detector.keras names

MANTISSA = 23  # bits of a float32
KEPT = 15  # of these, with `short`: a relative error of 1.5e-5, and a file that is a fifth smaller when compressed


def averaged(before: Path, after: Path, share: float, short: bool = False) -> keras.Model:
    """The network `before` with (1 - share) of its own weights and `share` of those of `after`.

    Args:
        before: A .keras file.
        after: A .keras file of the same layers.
        share: 0 to 1.
        short: Whether the weights are rounded to KEPT bits.

    Raises:
        UsageError: The share is outside its range.
        ModelError: A file is missing or no network of Keras, or the weights of the networks have other shapes.
    """
    if not 0 <= share <= 1:
        raise UsageError(f"share is {share}; it must be 0 to 1")
    network, other = _loaded(before), _loaded(after)
    own, others = network.get_weights(), other.get_weights()
    if [weights.shape for weights in own] != [weights.shape for weights in others]:
        raise ModelError(f"{after}: has other layers than {before}; average two networks of one kind")
    mean = [(1 - share) * first + share * second for first, second in zip(own, others, strict=True)]
    network.set_weights([_rounded(weights) for weights in mean] if short else mean)
    return network


def _loaded(path: Path) -> keras.Model:
    if not path.is_file():
        raise ModelError(f"{path}: there is no such file; give the .keras file of a run")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its parts raise
        raise ModelError(f"{path}: Keras cannot load it; give the .keras file of a run") from error


def _rounded(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weights with KEPT bits, those nearest to them."""
    rest = MANTISSA - KEPT
    bits = np.asarray(weights, np.float32).view(np.uint32).astype(np.uint64)
    return (((bits + (1 << (rest - 1))) >> rest) << rest).astype(np.uint32).view(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("before", type=Path, help="a .keras file")
    parser.add_argument("after", type=Path, help="a .keras file that was trained on from it, or from the same one")
    parser.add_argument("--share", type=float, default=0.5, help="of the second one's weights (default %(default)s)")
    parser.add_argument("--short", action="store_true", help=f"round to {KEPT} bits, for a smaller file")
    parser.add_argument("--out", type=Path, required=True, help="the .keras file to write")
    arguments = parser.parse_args()
    if arguments.out.suffix != ".keras":  # Keras chooses the format by it
        parser.error(f"--out is {arguments.out}; its name must end with .keras")
    try:
        network = averaged(arguments.before, arguments.after, arguments.share, arguments.short)
        with replacing(arguments.out) as beside:
            network.save(beside)
    except (DigitocrError, OSError) as error:
        sys.exit(f"average: {error}")
    print(f"wrote {arguments.out}")


if __name__ == "__main__":
    main()
