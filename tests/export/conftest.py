"""Networks to export: the paper's four with weights that hide no mistake, and the shipped one."""

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitocr.runtime.models import shipped_model
from digitocr.train.quiet import silenced

with silenced():
    import keras

    from digitocr.train.classifier.network import build_network


@pytest.fixture(scope="session")
def make_network(images: Any) -> Callable[..., Any]:
    """make(experiment): random weights, mixed answers, batch norms that turn some channels around."""

    def make(experiment: int, spread_over: Any = images) -> Any:
        keras.utils.set_random_seed(0)
        rng = np.random.default_rng(0)
        network = build_network(experiment)
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                size = layer.gamma.shape[0]
                gamma = rng.uniform(0.3, 1.5, size) * rng.choice([-1, 1], size, p=[0.3, 0.7])
                layer.set_weights(
                    [gamma, rng.normal(0, 0.5, size), rng.normal(0, 0.2, size), rng.uniform(0.1, 2, size)]
                )
            elif isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
                kernel, bias = layer.get_weights()
                layer.set_weights([2 * kernel, rng.normal(0, 0.1, bias.shape)])
        logits = np.log(np.asarray(network(spread_over)))
        kernel, bias = network.layers[-1].get_weights()
        network.layers[-1].set_weights([kernel, bias - logits.mean(axis=0)])
        return network

    return make


@pytest.fixture(scope="session")
def random_norms() -> Callable[[Callable[[], Any]], Any]:
    """A function: build -> its network, with random weights and batch norms that turn some channels around."""

    def make(build: Callable[[], Any]) -> Any:
        keras.utils.set_random_seed(0)
        rng = np.random.default_rng(0)
        network = build()
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                size = layer.gamma.shape[0]
                gamma = rng.uniform(0.5, 1.5, size) * rng.choice([-1, 1], size, p=[0.3, 0.7])
                layer.set_weights(
                    [gamma, rng.normal(0, 0.2, size), rng.normal(0, 0.2, size), rng.uniform(0.5, 2, size)]
                )
        return network

    return make


@pytest.fixture(scope="session")
def images() -> Any:
    """(40, 28, 28, 1) float32 in [0, 1]: blocks of noise on dark, with the values 0 and 1 among them."""
    rng = np.random.default_rng(5)
    pictures = np.zeros((40, 28, 28, 1), np.float32)
    for picture in pictures:
        top, left = rng.integers(0, 12, 2)
        picture[top : top + 16, left : left + 14] = rng.integers(0, 256, (16, 14, 1)) / 255
    pictures[0, 0, 0], pictures[0, 1, 1] = 0, 1
    return pictures


@pytest.fixture(scope="session")
def source() -> Path:
    """The shipped weights: a trained network of experiment 4."""
    return shipped_model("digitocr.keras")


@pytest.fixture(scope="session")
def c_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C library of the shipped networks, as `digitocr export --format c` writes it."""
    from digitocr.export.to_c import Networks, export_c

    networks = Networks(*(shipped_model(f"{name}-int8.onnx") for name in ("digitocr", "detector", "recognizer")))
    folder = tmp_path_factory.mktemp("c") / "c"
    export_c(folder, networks, None, verify=False)
    return folder


@pytest.fixture(scope="session")
def web_folder(c_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page and the package of the shipped networks, as `digitocr export --format web` writes them."""
    from digitocr.export.to_web import export_web

    if find_spec("ziglang") is None:
        if os.environ.get("CI"):
            pytest.fail("CI must install the extra device")
        pytest.skip("install the extra device to run this test")
    folder = tmp_path_factory.mktemp("web")
    export_web(c_folder, folder)
    return folder
