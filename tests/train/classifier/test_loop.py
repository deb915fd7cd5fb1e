from typing import Any

import keras
import numpy as np
import pytest

from digitocr.train.classifier.loop import probabilities, train
from digitocr.train.data import Mnist, split


def drawn(count: int = 240) -> Mnist:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    nothing: Any = None
    return Mnist(images, np.resize(np.arange(10, dtype=np.uint8), count), nothing, nothing, digest="drawn")


def small() -> keras.Sequential:
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    network = keras.Sequential([keras.Input((28, 28, 1)), *layers])
    network.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


def test_one_in_twelve_is_held_out() -> None:
    training, held = split(drawn())
    assert (len(training), len(held)) == (220, 20)
    assert not set(training) & set(held)


def test_every_epoch_is_a_row_that_is_told_and_the_network_learns() -> None:
    data, told = drawn(), []
    history = train(small(), data, split(data), 3, 32, 0, watch=told.append)
    assert history == told
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert set(history[0]) == {"epoch", "accuracy", "loss", "val_accuracy", "val_loss", "seconds"}
    assert history[2]["loss"] < history[0]["loss"]


def test_the_seed_gives_the_order_and_every_image_is_seen_once_an_epoch() -> None:
    data, seen = drawn(), []

    def watched(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        seen.append(images)
        return images

    losses = [train(small(), data, split(data), 1, 50, seed, watched)[0]["loss"] for seed in (0, 0, 1)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert losses[0] != pytest.approx(losses[2], rel=1e-5)
    training, _ = split(data)
    first = np.concatenate(seen[:5])
    assert [len(images) for images in seen[:5]] == [50, 50, 50, 50, 20]
    assert sorted(image.tobytes() for image in first) == sorted(
        image.tobytes() for image in data.train_images[training]
    )


def test_what_the_watcher_raises_ends_the_training() -> None:
    def stop(row: dict[str, float]) -> None:
        raise InterruptedError(row["epoch"])

    data = drawn()
    with pytest.raises(InterruptedError, match="1"):
        train(small(), data, split(data), 3, 32, 0, watch=stop)


def test_probabilities_are_of_bytes() -> None:
    given = probabilities(small(), drawn(7).train_images)
    assert given.shape == (7, 10)
    np.testing.assert_allclose(given.sum(axis=1), 1, atol=1e-5)
