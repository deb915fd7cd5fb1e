"""The four networks of the paper (J. Noronha, "Fine-tuning a CNN for the MNIST Dataset", 2025), in plain Keras 3.

And what lies between and around them: other rows of its table, and the sizes that a search looks through.
"""

import math
from dataclasses import dataclass

import keras


@dataclass(frozen=True)
class Experiment:
    """A row of the paper's table of experiments, and below it what the table leaves out: the same in all four."""

    conv_layers: int
    kernel: int  # side of the square kernel, pixels
    pooling: str  # "max" or "average"
    batch_norm: bool
    dropout: bool
    padding: str = "same"  # or "valid": of all convolutions but the first, which is always valid
    stride: int = 1  # of the first convolution, pixels
    filters: int = 32  # of the first convolution; each further one has twice as many
    dense: int = 128  # units of the layer before the last


EXPERIMENTS = {
    1: Experiment(conv_layers=2, kernel=3, pooling="max", batch_norm=False, dropout=False),
    2: Experiment(conv_layers=3, kernel=3, pooling="max", batch_norm=True, dropout=False),
    3: Experiment(conv_layers=2, kernel=5, pooling="average", batch_norm=False, dropout=True),
    4: Experiment(conv_layers=3, kernel=3, pooling="average", batch_norm=True, dropout=True),
}


def build_network(experiment: int | Experiment = 4, classes: int = 10) -> keras.Sequential:
    """The network of that experiment (1 to 4 are the paper's), weights fresh from Keras's seed, not compiled.

    Input (N, 28, 28, 1) float32 in [0, 1], ink bright; output (N, classes) float32, softmax probabilities.
    ReLU sits inside the convolution, before batch norm. The first convolution pads nothing and the others keep the
    size: that is experiment 4's summary in the paper, which is silent on the padding of 1 to 3.

    Raises KeyError for a number that the paper does not have, ValueError where nothing is left to convolve or pool.
    """
    spec = experiment if isinstance(experiment, Experiment) else EXPERIMENTS[experiment]
    name = "network" if isinstance(experiment, Experiment) else f"experiment{experiment}"
    pool = keras.layers.AveragePooling2D if spec.pooling == "average" else keras.layers.MaxPooling2D
    network = keras.Sequential([keras.Input((28, 28, 1), name="image")], name=name)
    for number in range(spec.conv_layers):
        filters, stride, padding = (
            (spec.filters, spec.stride, "valid") if number == 0 else (2 * spec.filters, 1, spec.padding)
        )
        network.add(keras.layers.Conv2D(filters, spec.kernel, stride, padding, activation="relu"))
        if spec.batch_norm:
            network.add(keras.layers.BatchNormalization())
        network.add(pool(2))
    network.add(keras.layers.Flatten())
    network.add(keras.layers.Dense(spec.dense, activation="relu"))
    if spec.dropout:
        network.add(keras.layers.Dropout(0.5))
    network.add(keras.layers.Dense(classes, activation="softmax"))
    return network


def multiply_accumulates(network: keras.Sequential) -> int:
    """How many products one picture costs in the convolutions and dense layers; pooling and batch norm are left out."""
    count = 0
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            count += math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
        elif isinstance(layer, keras.layers.Dense):
            count += math.prod(layer.kernel.shape)
    return count
