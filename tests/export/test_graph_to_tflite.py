import numpy as np
import pytest

from digitocr.export.card import tensors_of
from digitocr.export.graph_to_tflite import graph_to_tflite
from digitocr.runtime.interpreter import PlanesNetwork
from digitocr.train.quiet import silenced

with silenced():
    import keras


@pytest.fixture(scope="module")
def network():
    """A small network with all the layers of a detector."""
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3), name="image")
    fine = keras.layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(image)
    fine = keras.layers.ReLU()(keras.layers.BatchNormalization()(fine))
    coarse = keras.layers.Conv2D(8, 3, strides=2, padding="same")(fine)
    coarse = keras.layers.Add()([coarse, keras.layers.Conv2D(8, 3, dilation_rate=2, padding="same")(coarse)])
    both = keras.layers.Concatenate()([keras.layers.UpSampling2D(2)(coarse), fine])
    return keras.Model(image, keras.layers.Conv2D(5, 1)(both))


@pytest.mark.parametrize("quantize", ["none", "int8"])
def test_a_file_computes_what_keras_does_under_the_outputs_names(quantize, network, tmp_path):
    given = np.random.default_rng(0).uniform(-4, 4, (4, 16, 24, 3)).astype(np.float32)
    given[:, 0, 0] = [-4, 4, 0]  # the whole range
    outputs = {"centres": slice(0, 1), "boxes": slice(1, 5)}
    content = graph_to_tflite(network, outputs, (16, 24), given if quantize == "int8" else None)
    (tmp_path / "n.tflite").write_bytes(content)
    model = PlanesNetwork(tmp_path / "n.tflite")
    assert model.sides == (16, 24)
    found = model.outputs(given[:1].transpose(0, 3, 1, 2))
    exact = np.asarray(network(given[:1])).transpose(0, 3, 1, 2)
    away = {name: np.abs(found[name] - exact[:, channels]).max() for name, channels in outputs.items()}
    assert max(away.values()) < (1e-4 if quantize == "none" else 0.1 * exact.std())
    tensors = tensors_of(content)
    assert {name: tensor["shape"] for name, tensor in tensors.items()} == {
        "image": [1, 16, 24, 3],
        "centres": [1, 8, 12, 1],
        "boxes": [1, 8, 12, 4],
    }
    kinds = {tensor["dtype"] for tensor in tensors.values()}
    if quantize == "none":
        assert kinds == {"float32"}
    else:
        assert kinds == {"int8"}
        assert max(away.values()) > 1e-4
        assert tensors["centres"]["scale"] != tensors["boxes"]["scale"]  # each has its own
