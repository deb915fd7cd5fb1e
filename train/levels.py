"""Rounds the large kernels of a detector or a recognizer to few levels, so that files of it compress well.

    python -m digitocr.train.levels network.keras --fonts fonts --out rounded.keras

A weight of 8 bits holds little more than 4 bits of what the network knows. With 15 or 31 levels for a channel a
compressed file of it has 0.7 or 0.8 of its size, which is what a page in the browser loads. Each output channel has a
scale of its own. Clipped and rounded weights are smaller than before, and so is what they give: batch norm behind each
convolution is corrected for the mean and the variance of its input, on drawn pictures (for the mean as in M. Nagel et
al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019).
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.detector import detector_input
from digitocr.runtime.errors import DigitocrError
from digitocr.runtime.files import replacing
from digitocr.runtime.recognizer import recognizer_input
from digitocr.train.data import load_mnist, split
from digitocr.train.keras_backend import keras_needed
from digitocr.train.synthesis.fonts import find_fonts, seen
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.scenes import draw_scene
from digitocr.train.synthesis.strip_layouts import draw_strip

with keras_needed("train", "training"):
    import keras

    from digitocr.train.detector.network import load_detector
    from digitocr.train.recognizer.network import holds_recognizer, load_recognizer

LIMITS = {"detector": 15, "recognizer": 7}  # largest whole number of a weight, by the name of the network
LARGE = 15_000  # weights of a kernel; smaller kernels stay as they are: they hold few of the weights, and lose most
CLIPPED = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)  # shares of a channel's largest weight that the largest level may be
PICTURES = 64  # drawn, by which batch norm is corrected
PICTURES_SEED = 2**31 + 9  # of these; no training has this seed
_BATCH = 16  # pictures


def rounded(network: keras.Model, inputs: NDArray[np.float32], limit: int) -> keras.Model:
    """A float32 copy of a network whose large kernels have 2 * limit + 1 levels at most in each output channel.

    Args:
        network: Convolutions, each but the last with batch norm behind it.
        inputs: (N, H, W, C) float32, of the network.
        limit: The largest whole number of a weight.
    """
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    behind = {
        node.operation: layer
        for layer in copy.layers
        if isinstance(layer, keras.layers.BatchNormalization)
        for node in layer._inbound_nodes[0].parent_nodes  # Keras has no public way to the layer before
    }
    convolutions = list(behind)
    exact = _moments(copy, convolutions, inputs)
    for layer in convolutions:
        kernel = np.asarray(layer.kernel)
        if kernel.size >= LARGE:
            layer.kernel.assign(_few_levels(kernel, limit))
    for layer, (mean, variance) in zip(convolutions, exact, strict=True):
        norm = behind[layer]
        ((now, spread),) = _moments(copy, [layer], inputs)  # all layers before it are corrected
        norm.moving_mean.assign(np.asarray(norm.moving_mean) + (now - mean))
        ratio = np.divide(spread, variance, out=np.ones_like(spread), where=variance > 0)
        norm.moving_variance.assign(np.asarray(norm.moving_variance) * ratio)
    return copy


def _moments(
    network: keras.Model, layers: list[keras.layers.Layer], inputs: NDArray[np.float32]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Mean and variance of each channel of the outputs of layers."""
    ends = keras.Model(network.input, {layer.name: layer.output for layer in layers})
    parts = [ends(inputs[at : at + _BATCH], training=False) for at in range(0, len(inputs), _BATCH)]
    moments = []
    for layer in layers:
        output = np.concatenate([np.asarray(part[layer.name]) for part in parts])
        moments.append((output.mean((0, 1, 2), dtype=np.float64), output.var((0, 1, 2), dtype=np.float64)))
    return moments


def _few_levels(kernel: NDArray[np.float32], limit: int) -> NDArray[np.float32]:
    """Rounded symmetrically, with the scale of least squared error for each output channel, the last axis."""
    axes = tuple(range(kernel.ndim - 1))
    largest = np.abs(kernel).max(axes, keepdims=True)
    best, least = np.zeros_like(kernel), np.full_like(largest, np.inf)
    for share in CLIPPED:
        scale = largest * np.float32(share / limit)
        scale[scale == 0] = 1
        levels = np.clip(np.rint(kernel / scale), -limit, limit) * scale
        error = np.square(levels - kernel).sum(axes, keepdims=True)
        best, least = np.where(error < least, levels, best), np.minimum(error, least)
    return best


def rounded_file(path: Path, glyphs: Glyphs) -> keras.Model:
    """The network of a detector.keras or a recognizer.keras, rounded. Raises ModelError."""
    rngs = [np.random.default_rng((PICTURES_SEED, number)) for number in range(PICTURES)]
    if holds_recognizer(path):
        network = load_recognizer(path)
        inputs = [recognizer_input(draw_strip(rng, glyphs).image) for rng in rngs]
    else:
        network = load_detector(path)
        inputs = [detector_input(draw_scene(rng, glyphs).image) for rng in rngs]
    return rounded(network, np.stack(inputs).transpose(0, 2, 3, 1), LIMITS[network.name])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("network", type=Path, help="a detector.keras or a recognizer.keras")
    parser.add_argument("--fonts", type=Path, help="the folder of the fonts to draw with (default: those installed)")
    parser.add_argument("--data", type=Path, help="the folder of MNIST (default: DIGITOCR_DATA, or downloaded)")
    parser.add_argument("--out", type=Path, required=True, help="the .keras file to write")
    arguments = parser.parse_args()
    if arguments.out.suffix != ".keras":  # Keras chooses the format by it
        parser.error(f"--out is {arguments.out}; its name must end with .keras")
    try:
        data = load_mnist(arguments.data)
        training, _ = split(data)
        fonts = seen(find_fonts(arguments.fonts))
        glyphs = Glyphs(data.train_images[training], data.train_labels[training], fonts, seed=1)
        network = rounded_file(arguments.network, glyphs)
        with replacing(arguments.out) as beside:
            network.save(beside)
    except (DigitocrError, OSError) as error:
        sys.exit(f"levels: {error}")
    print(f"wrote {arguments.out}")


if __name__ == "__main__":
    main()
