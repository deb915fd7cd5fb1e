from pathlib import Path

import keras
import numpy as np
import pytest

from digitocr.runtime.errors import ModelError
from digitocr.runtime.models import shipped_model
from digitocr.train.classifier.layers import ERASED, INK, PATCH, PLACES, Layers, load_network
from digitocr.train.classifier.network import Experiment, build_network
from digitocr.train.paper.report import feature_maps
from digitocr.train.quiet import silenced

SMALL = Experiment(2, 3, "average", True, True, filters=2, dense=8)


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(3)
    return build_network(SMALL)


@pytest.fixture(scope="module")
def layers(network):
    return Layers(network)


@pytest.fixture(scope="module")
def digit():
    """(28, 28) uint8: a bar."""
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 12:16] = 255
    return image


def test_each_layer_shows_its_maps(layers, digit):
    seen = layers.of(digit)
    assert [(layer.kind, layer.window, layer.maps.shape) for layer in seen] == [
        ("Conv2D", 3, (2, 26, 26)),
        ("BatchNormalization", 0, (2, 26, 26)),
        ("AveragePooling2D", 2, (2, 13, 13)),
        ("Conv2D", 3, (4, 13, 13)),
        ("BatchNormalization", 0, (4, 13, 13)),
        ("AveragePooling2D", 2, (4, 6, 6)),
        ("Flatten", 0, (144, 1, 1)),
        ("Dense", 0, (8, 1, 1)),
        ("Dropout", 0, (8, 1, 1)),
        ("Dense", 0, (10, 1, 1)),
    ]
    assert sum(layer.weights for layer in seen) == layers.network.count_params()


def test_the_first_maps_are_those_of_the_report(layers, network, digit):
    kernel, bias = network.layers[0].get_weights()
    np.testing.assert_allclose(layers.of(digit)[0].maps, feature_maps(digit, kernel[:, :, 0], bias), atol=1e-5)


def test_probabilities_are_the_network_s_also_where_it_ends_in_logits(layers, network, digit):
    given = layers.probabilities(digit[None])
    np.testing.assert_allclose(given, network.predict(digit[None, ..., None] / 255, verbose=0), atol=1e-6)
    np.testing.assert_allclose(layers.of(digit)[-1].maps.ravel(), given[0], atol=1e-6)
    bare = keras.models.clone_model(network)
    bare.set_weights(network.get_weights())
    bare.layers[-1].activation = keras.activations.linear
    np.testing.assert_allclose(Layers(bare).probabilities(digit[None]), given, atol=1e-5)


@pytest.mark.parametrize("level", [ERASED, INK])
def test_a_patch_is_changed_and_nothing_else(layers, digit, level):
    before = digit.copy()
    given = layers.changed(digit, level)
    assert given.shape == (len(PLACES), len(PLACES), 10)
    for row, column in ((0, 0), (6, 5), (12, 12)):
        image = digit.copy()
        image[PLACES[row] : PLACES[row] + PATCH, PLACES[column] : PLACES[column] + PATCH] = level
        np.testing.assert_allclose(given[row, column], layers.probabilities(image[None])[0], atol=1e-6)
    assert (digit == before).all()
    assert PLACES[-1] + PATCH == 28  # the patches reach every pixel


def test_a_file_of_anything_else_is_refused(tmp_path: Path):
    with pytest.raises(ModelError, match="there is no such file"):
        load_network(tmp_path / "model.keras")
    with pytest.raises(ModelError, match=r"is no \.keras file"):
        load_network(shipped_model("digitocr-int8.onnx"))
    (tmp_path / "model.keras").write_bytes(b"PK nothing")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_network(tmp_path / "model.keras")
    other = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    with silenced():
        other.save(tmp_path / "other.keras")
    with pytest.raises(ModelError, match="is no network that reads a digit of 28x28 pixels"):
        load_network(tmp_path / "other.keras")
