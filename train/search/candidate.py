"""One candidate of a search: how it is made from the values of a space, trained, and measured.

candidate = TrialNetwork.of({"filters": 8, "learning_rate": 0.002})
network = candidate.train(load_mnist(), epochs=6, seed=0)
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from digitocr.runtime.classifier import Classifier
from digitocr.runtime.preprocessing import scale
from digitocr.train.classifier.distort import Distort
from digitocr.train.data import Mnist, split
from digitocr.train.keras_backend import keras_needed

with keras_needed("search", "a search"):
    import keras

    from digitocr.train.classifier.loop import Row, train
    from digitocr.train.classifier.network import EXPERIMENTS, Experiment, build_network

AVERAGING_MOMENTUM = 0.999  # per step: weights are averaged over about a thousand steps
_NETWORK_SETTINGS = {field.name for field in fields(Experiment)}


@dataclass(frozen=True)
class TrialNetwork:
    """A network and the way it is trained; by default the paper's best, trained the paper's way.

    Attributes:
        network: Its layers.
        learning_rate: Learning rate of AdamW at the first step.
        schedule: "constant", or "cosine", which falls to 0 over all steps.
        batch_size: Images in a step.
        weight_decay: Weight decay of AdamW.
        label_smoothing: The share of each label that is spread evenly over all classes.
        averaging: Whether the network has the moving average of its weights, not the last ones.
        augmentation: "none", "affine", or "elastic", which is affine as well.
        cutout: The side in pixels of the square that is erased in each image; 0 for none.
    """

    network: Experiment = EXPERIMENTS[4]
    learning_rate: float = 0.001
    schedule: str = "constant"
    batch_size: int = 128
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    averaging: bool = False
    augmentation: str = "none"
    cutout: int = 0

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> "TrialNetwork":
        """The candidate with these values of a space, and the defaults for the others."""
        network = {name: value for name, value in params.items() if name in _NETWORK_SETTINGS}
        training = {name: value for name, value in params.items() if name not in _NETWORK_SETTINGS}
        return cls(Experiment(**{**asdict(cls.network), **network}), **training)

    def train(
        self, data: Mnist, epochs: int, seed: int, watch: Callable[[keras.Sequential, Row], None] = lambda *_: None
    ) -> Any:
        """The trained network. The seed determines the initial weights and the order of the images.

        Args:
            data: MNIST; its test images are not used.
            epochs: Number of epochs.
            seed: Seed of the weights and of the order.
            watch: Called after each epoch with the network and the row of the epoch; an exception from it ends the
                training.
        """
        keras.utils.clear_session()  # frees the network of the previous trial
        keras.utils.set_random_seed(seed)
        network = build_network(self.network)
        parts = split(data)
        rate: Any = self.learning_rate
        if self.schedule == "cosine":
            steps = epochs * math.ceil(len(parts[0]) / self.batch_size)
            rate = keras.optimizers.schedules.CosineDecay(self.learning_rate, steps)
        optimizer = keras.optimizers.AdamW(
            rate, weight_decay=self.weight_decay, use_ema=self.averaging, ema_momentum=AVERAGING_MOMENTUM
        )
        network.compile(
            optimizer=optimizer,
            loss=self._loss,
            metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        )
        augment = None
        if self.augmentation != "none" or self.cutout:
            augment = Distort(self.augmentation != "none", self.augmentation == "elastic", self.cutout)
        callbacks = (keras.callbacks.SwapEMAWeights(),) if self.averaging else ()
        train(network, data, parts, epochs, self.batch_size, seed, augment, callbacks, lambda row: watch(network, row))
        return network

    def _loss(self, labels: Any, given: Any) -> Any:
        """Cross-entropy with smoothed labels, which Keras offers for one-hot labels only."""
        one_hot = keras.ops.one_hot(keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32"), given.shape[-1])
        return keras.losses.categorical_crossentropy(one_hot, given, label_smoothing=self.label_smoothing)


def held_out_accuracy(file: Path, data: Mnist) -> float:
    """The accuracy, 0 to 1, of an exported file on the held-out training images."""
    _, held = split(data)
    answers = Classifier(file).predict(scale(data.train_images[held])).argmax(axis=1)
    return float((answers == data.train_labels[held]).mean())
