"""Small networks in the place of the shipped ones, and a few drawn pictures."""

import keras
import numpy as np
import pytest

from digitocr.train.adapt import teach
from digitocr.train.adapt.drawing import Drawn
from digitocr.train.adapt.lessons import Placed
from digitocr.train.classifier.crops import Crops
from digitocr.train.data import Mnist
from digitocr.train.sources.labelled import NONE

SIDE = 28
FIRST = keras.initializers.GlorotUniform(seed=1)  # the same weights whenever a network is loaded


def _classifier():
    image = keras.Input((SIDE, SIDE, 1))
    x = keras.layers.BatchNormalization()(keras.layers.AveragePooling2D(4)(image))
    return keras.Model(image, keras.layers.Dense(11, "softmax", kernel_initializer=FIRST)(keras.layers.Flatten()(x)))


def _recognizer():
    image = keras.Input((32, None, 2), name="image")
    x = keras.layers.Conv2D(8, (32, 4), strides=(32, 4), activation="relu")(image)
    return keras.Model(image, keras.layers.Conv2D(36, 1)(x), name="recognizer")


def _detector():
    image = keras.Input((None, None, 3), name="image")
    return keras.Model(image, keras.layers.Conv2D(15, 4, strides=4)(image), name="detector")


@pytest.fixture
def small(monkeypatch):
    """Small networks that learn for a few steps."""
    monkeypatch.setattr(teach, "LOAD", {"classifier": _classifier, "recognizer": _recognizer, "detector": _detector})
    courses = {
        "classifier": teach.Course(rate=0.02, steps=20, own=16, drawn=16),
        "recognizer": teach.Course(rate=0.01, steps=4, own=2, drawn=2),
        "detector": teach.Course(rate=0.01, steps=4, own=2, drawn=2, first_layer=1),
    }
    for name, course in courses.items():
        monkeypatch.setitem(teach.COURSES, name, course)
    for name, value in (("CHECK", 4), ("MEASURED", 4), ("HELD_DRAWN", 2), ("MEMORY", 0.5)):
        monkeypatch.setattr(teach, name, value)


def digit(label):
    """A (28, 28) bar in MNIST's form, at a height that says the digit."""
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[4 + 2 * label : 6 + 2 * label, 6:22] = 255
    return image


@pytest.fixture
def mnist_like():
    labels = np.resize(np.arange(10, dtype=np.uint8), 240)
    images = np.stack([digit(label) for label in labels.tolist()])
    return Mnist(images, labels, images[:50], labels[:50], "drawn")


@pytest.fixture
def few():
    """A few drawn pictures: of each kind what a step needs."""
    rng = np.random.default_rng(0)
    columns = np.zeros((6, 160, 5), np.float16)
    columns[..., 0], columns[..., 3] = 17, 1
    targets = np.zeros((6, 64, 64, 8), np.float16)
    targets[..., 1] = 1
    return Drawn(
        Crops(np.stack([digit(label % 10) for label in range(60)]), np.arange(60, dtype=np.uint8) % 10),
        rng.integers(0, 256, (6, 256, 256), np.uint8),
        targets,
        rng.integers(0, 256, (6, 32, 320), np.uint8),
        columns,
    )


@pytest.fixture
def meter():
    """A function that gives a picture of a meter's digit, dark on light, with its box, or with none as it is 28x28."""

    def picture(label, boxed=True):
        if not boxed:
            return Placed(digit(9 - label), np.zeros((0, 4), np.float32), np.array([label], np.uint8))
        gray = np.full((60, 40), 210, np.uint8)
        gray[10:50, 10:30] = 210 - 2 * digit(9 - label)[::1, 4:24][:40:1].repeat(2, 0)[8:48] // 3
        return Placed(gray, np.array([[10, 10, 20, 40]], np.float32), np.array([label], np.uint8))

    assert NONE == 10
    return picture
