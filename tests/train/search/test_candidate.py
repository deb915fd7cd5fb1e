import dataclasses

import numpy as np
import pytest

from digitocr.runtime.classifier import Classifier
from digitocr.runtime.models import MODELS
from digitocr.runtime.preprocessing import scale
from digitocr.train.classifier.network import EXPERIMENTS
from digitocr.train.data import Mnist, split
from digitocr.train.search.candidate import TrialNetwork, held_out_accuracy
from digitocr.train.search.space import SPACES


def drawn(count: int) -> Mnist:
    """Ten kinds of picture: a bright bar at one of ten heights, over noise."""
    rng = np.random.default_rng(0)
    labels = np.resize(np.arange(10, dtype=np.uint8), count)
    images = rng.integers(0, 120, (count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 2 * label : 6 + 2 * label, 6:22] = 255
    return Mnist(images, labels, images[:0], labels[:0], digest="drawn")


def test_a_candidate_is_the_paper_s_best_but_for_what_is_given() -> None:
    assert TrialNetwork.of({}) == TrialNetwork()
    candidate = TrialNetwork.of({"filters": 8, "cutout": 6})
    assert candidate.network == dataclasses.replace(EXPERIMENTS[4], filters=8)
    assert candidate.cutout == 6


def test_every_setting_of_the_space_can_be_trained_with_and_learns() -> None:
    network = {"conv_layers": 1, "filters": 4, "dense": 16, "batch_norm": False, "dropout": False}
    descent = {"learning_rate": 0.004, "schedule": "cosine", "batch_size": 16, "weight_decay": 0.01}
    others = {"label_smoothing": 0.1, "averaging": True, "augmentation": "elastic", "cutout": 6}
    candidate = TrialNetwork.of(network | descent | others)
    assert set(network | descent | others) | {"kernel", "stride", "pooling"} == set(SPACES["all"])
    accuracies: list[float] = []
    candidate.train(drawn(720), 8, 0, lambda _, row: accuracies.append(row["val_accuracy"]))
    assert len(accuracies) == 8
    assert accuracies[-1] > max(0.3, accuracies[0])


def test_the_held_out_accuracy_is_that_of_the_held_out_images_alone() -> None:
    data, file = drawn(240), MODELS / "digitocr-int8.onnx"
    answers = Classifier(file).predict(scale(data.train_images)).argmax(axis=1)
    _, held = split(data)
    right = (answers[held] == data.train_labels[held]).mean()
    others = data.train_images.copy()
    others[np.setdiff1d(np.arange(240), held)] = 0
    assert held_out_accuracy(file, dataclasses.replace(data, train_images=others)) == pytest.approx(right)
