import numpy as np
import pytest

from digitocr.train.adapt import teach as module
from digitocr.train.adapt.teach import LOAD, is_taught, teach

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


def quiet(*_):
    """Says nothing."""


@pytest.fixture
def lone(meter):
    return [meter(label, boxed=False) for label in range(10)]


def test_own_pictures_are_learned_beside_mnist(small, few, mnist_like, lone):
    networks, history = teach(["classifier"], lone, lone, few, mnist_like, 0, quiet)
    first, best = history[0], next(row for row in history if row["kept"])
    assert best["step"] > 0
    assert best["taught_loss"] < first["taught_loss"] - 0.2
    assert best["drawn_loss"] <= 1.1 * first["drawn_loss"]
    norm = next(layer for layer in networks["classifier"].layers if "norm" in layer.name)
    assert norm.get_weights()[2].max() == 0  # it keeps its statistics


def test_the_same_seed_teaches_the_same(small, few, mnist_like, lone):
    one, same = (teach(["classifier"], lone, lone, few, mnist_like, seed, quiet)[1] for seed in (3, 3))
    assert [row["drawn_loss"] for row in one] == [row["drawn_loss"] for row in same]


def test_a_network_that_forgets_stays_as_it_was(small, few, mnist_like, lone, monkeypatch):
    monkeypatch.setattr(module, "MAX_WORSE", 0)
    said = []
    networks, history = teach(["classifier"], lone, lone, few, mnist_like, 0, lambda *words: said.append(words))
    assert [row["kept"] for row in history] == [1, 0, 0, 0]  # and it is given up after PATIENCE measurements
    assert said[-1][:3] == ("classifier", 11, 20)
    begun = module.LOAD["classifier"]()
    assert [weights.shape for weights in begun.get_weights()] == [
        weights.shape for weights in networks["classifier"].get_weights()
    ]


@pytest.mark.parametrize(("limit", "share"), [(1.0, 1.0), (-0.5, 0.0)])
def test_the_classifier_goes_back_until_it_forgets_no_more_than_allowed(
    limit, share, small, few, mnist_like, lone, monkeypatch
):
    begun = module.LOAD["classifier"]().get_weights()
    monkeypatch.setattr(module, "MAX_FORGOTTEN", 1.0)
    learned = teach(["classifier"], lone, lone, few, mnist_like, 0, quiet)[0]["classifier"].get_weights()
    assert any(np.abs(old - new).max() > 0.01 for old, new in zip(begun, learned, strict=True))
    monkeypatch.setattr(module, "MAX_FORGOTTEN", limit)
    kept = teach(["classifier"], lone, lone, few, mnist_like, 0, quiet)[0]["classifier"].get_weights()
    for old, new, weights in zip(begun, learned, kept, strict=True):
        assert np.allclose(weights, old + share * (new - old), atol=1e-5)


def test_all_three_networks_learn_what_they_can(small, few, mnist_like, meter, lone):
    pictures = [meter(label) for label in range(10)]
    said = []
    networks, history = teach(
        list(LOAD), pictures + lone, pictures + lone, few, mnist_like, 0, lambda *words: said.append(words)
    )
    assert list(networks) == ["classifier", "recognizer", "detector"]
    assert {row["network"] for row in history} == set(networks)
    assert all(np.isfinite([row[f"{name}_loss"] for name in ("taught", "held", "drawn")]).all() for row in history)
    assert {name for name, *_ in said} == set(networks)


def test_what_each_network_can_learn_from(meter):
    boxed, lone = meter(3), meter(3, boxed=False)
    part = type(boxed)(boxed.gray, boxed.boxes, boxed.labels, is_whole=False)
    assert [is_taught(one, "classifier") for one in (boxed, part, lone)] == [True, True, True]
    assert [is_taught(one, "recognizer") for one in (boxed, part, lone)] == [True, True, False]
    assert [is_taught(one, "detector") for one in (boxed, part, lone)] == [True, False, False]
