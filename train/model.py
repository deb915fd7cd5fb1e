"""The four networks of the paper (J. Noronha, "Fine-tuning a CNN for the MNIST Dataset", 2025), in plain Keras 3."""

from dataclasses import dataclass

import keras


@dataclass(frozen=True)
class Experiment:
    """A row of the paper's table of experiments."""

    conv_layers: int
    kernel: int  # side of the square kernel, pixels
    pooling: str  # "max" or "average"
    batch_norm: bool
    dropout: bool


EXPERIMENTS = {
    1: Experiment(conv_layers=2, kernel=3, pooling="max", batch_norm=False, dropout=False),
    2: Experiment(conv_layers=3, kernel=3, pooling="max", batch_norm=True, dropout=False),
    3: Experiment(conv_layers=2, kernel=5, pooling="average", batch_norm=False, dropout=True),
    4: Experiment(conv_layers=3, kernel=3, pooling="average", batch_norm=True, dropout=True),
}


def build_network(experiment: int = 4, classes: int = 10) -> keras.Sequential:
    """The paper's network of that experiment (1 to 4), weights fresh from Keras's seed, not compiled.

    Input (N, 28, 28, 1) float32 in [0, 1], ink bright; output (N, classes) float32, softmax probabilities.
    ReLU sits inside the convolution, before batch norm. The first convolution pads nothing and the others keep the
    size: that is experiment 4's summary in the paper, which is silent on the padding of 1 to 3.

    Raises KeyError for an experiment that the paper does not have.
    """
    spec = EXPERIMENTS[experiment]
    pool = keras.layers.AveragePooling2D if spec.pooling == "average" else keras.layers.MaxPooling2D
    network = keras.Sequential([keras.Input((28, 28, 1), name="image")], name=f"experiment{experiment}")
    for number in range(spec.conv_layers):
        filters, padding = (32, "valid") if number == 0 else (64, "same")
        network.add(keras.layers.Conv2D(filters, spec.kernel, padding=padding, activation="relu"))
        if spec.batch_norm:
            network.add(keras.layers.BatchNormalization())
        network.add(pool(2))
    network.add(keras.layers.Flatten())
    network.add(keras.layers.Dense(128, activation="relu"))
    if spec.dropout:
        network.add(keras.layers.Dropout(0.5))
    network.add(keras.layers.Dense(classes, activation="softmax"))
    return network
