"""Trains a network in memory, without a run's folder: for studies and searches, which train many. fit.py makes runs.

    history = train(network, data, split(data), epochs=10, batch_size=128, seed=0)
    history[-1]["val_accuracy"]       # 0.9912

The order of the images depends only on the seed and the epoch, so networks with the same seed see the same batches.
"""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import keras
import numpy as np

from digitocr.runtime.preprocessing import Tensors, scale
from digitocr.train.data import Bytes, Indices, Mnist
from digitocr.train.memory import keep_freed

Row: TypeAlias = dict[str, float]  # epoch, accuracy, loss, val_accuracy, val_loss, seconds
Augment: TypeAlias = Callable[[Bytes, np.random.Generator], Bytes]  # (N, 28, 28) uint8 -> the same shape
COLUMNS = ("accuracy", "loss", "val_accuracy", "val_loss")  # measures of an epoch, as Keras names them
_PREDICT_BATCH = 500  # images per call


def train(
    network: keras.Model,
    data: Mnist,
    parts: tuple[Indices, Indices],
    epochs: int,
    batch_size: int,
    seed: int,
    augment: Augment | None = None,
    callbacks: tuple[keras.callbacks.Callback, ...] = (),
    watch: Callable[[Row], None] = lambda _: None,
) -> list[Row]:
    """Trains a compiled network; returns one row per epoch.

    Makes the whole process keep freed memory (memory.keep_freed). The test images are not used.

    Args:
        network: Takes (N, 28, 28, 1) float32 in [0, 1] and integer labels, and has the metric "accuracy".
        data: Its training images are used.
        parts: Indices of the images to train with and of the held-out images, as `data.split` returns them.
        epochs: Number of epochs.
        batch_size: Images per step; the last batch of an epoch is shorter.
        seed: Seed of the order of the images and of `augment`.
        augment: Makes other images of a batch.
        callbacks: Keras's.
        watch: Called with each row at the end of its epoch; an exception that it raises ends the training.

    Returns:
        epoch (from 1), accuracy and loss on the training images, val_accuracy and val_loss on the held-out images,
        seconds.
    """
    keep_freed()
    training, held = parts
    steps = math.ceil(len(training) / batch_size)
    history: list[Row] = []
    began = time.perf_counter()

    def batches() -> Iterator[tuple[Tensors, Bytes]]:
        for epoch in range(epochs):
            rng = np.random.default_rng((seed, epoch))
            order = rng.permutation(training)
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                images = data.train_images[rows]
                yield scale(augment(images, rng) if augment else images), data.train_labels[rows]

    def on_epoch_end(epoch: int, logs: dict[str, float]) -> None:
        nonlocal began
        row = {name: round(float(logs[name]), 6) for name in COLUMNS}
        history.append({"epoch": epoch + 1, **row, "seconds": round(time.perf_counter() - began, 2)})
        began = time.perf_counter()
        watch(history[-1])

    network.fit(
        batches(),
        steps_per_epoch=steps,
        epochs=epochs,
        shuffle=False,  # batches() shuffles
        validation_data=(scale(data.train_images[held]), data.train_labels[held]),
        validation_batch_size=_PREDICT_BATCH,
        callbacks=[*callbacks, keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)],
        verbose=0,
    )
    return history


def probabilities(network: keras.Model, images: Bytes) -> Any:
    """The (N, classes) float32 output of a network for (N, 28, 28) uint8 images."""
    return network.predict(scale(images), batch_size=_PREDICT_BATCH, verbose=0)
