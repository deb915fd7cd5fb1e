import keras
import numpy as np
import pytest

from digitocr.train.model import EXPERIMENTS, build_network


def trained(network: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)


def test_experiment_4_has_the_papers_weights_layer_by_layer() -> None:
    network = build_network(4)
    assert network.count_params() == 131_530
    assert trained(network) == 131_210
    assert network.count_params() - trained(network) == 320
    counts = [320, 128, 0, 18_496, 256, 0, 36_928, 256, 0, 0, 73_856, 0, 1_290]  # the paper's model summary, 13 layers
    assert [layer.count_params() for layer in network.layers] == counts


@pytest.mark.parametrize(("experiment", "weights"), [(1, 315_146), (2, 131_530), (3, 348_426)])
def test_the_other_three_have_the_weights_counted_by_hand(experiment: int, weights: int) -> None:
    assert build_network(experiment).count_params() == weights


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_network_gives_probabilities(experiment: int) -> None:
    images = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    probabilities = np.asarray(build_network(experiment)(images))
    assert probabilities.shape == (3, 10)
    assert probabilities.dtype == np.float32
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_the_number_of_classes_can_be_chosen() -> None:
    assert build_network(classes=11).output_shape == (None, 11)


def test_an_experiment_that_the_paper_does_not_have_is_refused() -> None:
    with pytest.raises(KeyError):
        build_network(5)
