"""The four networks of the paper (J. Noronha, "Fine-tuning a CNN for the MNIST Dataset", 2025), in plain Keras 3.

`Experiment` also describes networks between and around these four, for studies and searches.
"""

import math
from dataclasses import dataclass

import keras


@dataclass(frozen=True)
class Experiment:
    """A network: a row of the paper's table of experiments, and settings that the table leaves out (from `padding` on).

    Attributes:
        conv_layers: Number of convolutions, each followed by pooling.
        kernel: Side of the square kernels, pixels.
        pooling: "max" or "average", over 2x2 pixels.
        batch_norm: Whether batch norm follows each convolution.
        dropout: Whether dropout at 0.5 precedes the last layer.
        padding: "same" or "valid", of all convolutions but the first, which is always valid.
        stride: Stride of the first convolution, pixels.
        filters: Filters of the first convolution; each further one has twice as many.
        dense: Units of the layer before the last.
    """

    conv_layers: int
    kernel: int
    pooling: str
    batch_norm: bool
    dropout: bool
    padding: str = "same"
    stride: int = 1
    filters: int = 32
    dense: int = 128


EXPERIMENTS = {  # by their numbers in the paper
    1: Experiment(conv_layers=2, kernel=3, pooling="max", batch_norm=False, dropout=False),
    2: Experiment(conv_layers=3, kernel=3, pooling="max", batch_norm=True, dropout=False),
    3: Experiment(conv_layers=2, kernel=5, pooling="average", batch_norm=False, dropout=True),
    4: Experiment(conv_layers=3, kernel=3, pooling="average", batch_norm=True, dropout=True),
}


def build_network(experiment: int | Experiment = 4, classes: int = 10) -> keras.Sequential:
    """Builds the network of an experiment, not compiled, with first weights from Keras's seed.

    ReLU belongs to the convolution and so precedes batch norm. The first convolution has no padding, the others keep
    the size: this follows the summary of experiment 4 in the paper, which does not give the padding of 1 to 3.

    Args:
        experiment: Number in the paper, 1 to 4, or any other network.
        classes: 10, or 11 with "no digit".

    Returns:
        Input (N, 28, 28, 1) float32 in [0, 1], ink bright; output (N, classes) float32, softmax probabilities.

    Raises:
        KeyError: The paper has no experiment of that number.
        ValueError: No pixel is left to convolve or pool.
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
    """The multiplications for one picture in convolutions and dense layers; pooling and batch norm are not counted."""
    count = 0
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            count += math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
        elif isinstance(layer, keras.layers.Dense):
            count += math.prod(layer.kernel.shape)
    return count
