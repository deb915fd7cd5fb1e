import keras
import numpy as np
import pytest

from digitocr.runtime.models import shipped_model
from digitocr.train import levels
from digitocr.train.levels import LIMITS, main, rounded, rounded_file
from digitocr.train.synthesis.glyphs import Glyphs

# Keras's, of NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

LIMIT = 8


@pytest.fixture
def network():
    keras.utils.set_random_seed(3)
    image = keras.Input((None, None, 2))
    x = image
    for filters in (4, 40, 40):
        x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
    return keras.Model(image, keras.layers.Conv2D(3, 1)(x))


@pytest.fixture
def inputs():
    return np.random.default_rng(0).random((5, 12, 16, 2), np.float32)


@pytest.fixture(autouse=True)
def large_from_1_000(monkeypatch):
    monkeypatch.setattr(levels, "LARGE", 1_000)


def kernels(network):
    return [layer.kernel.numpy() for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]


def test_large_kernels_have_few_levels_around_zero_and_small_ones_stay(network, inputs):
    before = kernels(network)
    after = kernels(rounded(network, inputs, LIMIT))
    for was, now in zip(before, after, strict=True):
        if was.size < 1_000:
            np.testing.assert_array_equal(now, was)
            continue
        for channel in np.moveaxis(now, -1, 0):
            step = np.abs(channel).max() / LIMIT
            np.testing.assert_allclose(channel / step, np.rint(channel / step), atol=1e-4)
        assert np.abs(now - was).mean() < 0.1 * np.abs(was).mean()
    for was, same in zip(before, kernels(network), strict=True):
        np.testing.assert_array_equal(same, was)


def test_batch_norm_gives_the_mean_and_variance_of_before(network, inputs):
    """Clipping to half of the largest weight alone would make both smaller."""

    def moments(one):
        norms = [layer.output for layer in one.layers if isinstance(layer, keras.layers.BatchNormalization)]
        return [(np.mean(part, (0, 1, 2)), np.std(part, (0, 1, 2))) for part in keras.Model(one.input, norms)(inputs)]

    for exact, now in zip(moments(network), moments(rounded(network, inputs, LIMIT)), strict=True):
        np.testing.assert_allclose(now, exact, atol=0.01)


def test_channels_without_a_weight_stay_without_one(network, inputs):
    layer = network.layers[4]
    layer.kernel.assign(np.zeros(layer.kernel.shape, np.float32))
    after = rounded(network, inputs, LIMIT)
    assert not kernels(after)[1].any()
    assert np.isfinite(after(inputs)).all()


@pytest.mark.parametrize("name", ["detector", "recognizer"])
def test_the_shipped_networks_have_few_levels_in_their_large_kernels(name):
    network = keras.saving.load_model(shipped_model(f"{name}.keras"), compile=False)
    large = [kernel for kernel in kernels(network) if kernel.size >= 15_000]
    assert len(large) > 5
    for kernel in large:
        for channel in np.moveaxis(kernel, -1, 0):
            assert len(np.unique(channel)) <= 2 * LIMITS[name] + 1


def test_a_recognizer_is_rounded_by_drawn_strips(monkeypatch):
    monkeypatch.setattr(levels, "PICTURES", 1)
    glyphs = Glyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), [])
    after = rounded_file(shipped_model("recognizer.keras"), glyphs)
    assert after.name == "recognizer"


def test_what_is_no_network_is_refused_in_a_line(tmp_path, monkeypatch, mnist):
    monkeypatch.setattr(levels, "load_mnist", lambda _: mnist)
    monkeypatch.setattr(levels, "find_fonts", lambda _: [])
    (tmp_path / "no.keras").write_bytes(b"no network")
    monkeypatch.setattr("sys.argv", ["levels", str(tmp_path / "no.keras"), "--out", str(tmp_path / "out.keras")])
    with pytest.raises(SystemExit, match=r"^levels: .*no\.keras: holds no detector"):
        main()
    assert not (tmp_path / "out.keras").exists()
