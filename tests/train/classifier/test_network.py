import keras
import numpy as np
import pytest

from digitocr.train.classifier.network import EXPERIMENTS, Experiment, build_network, multiply_accumulates


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


def test_networks_between_the_paper_s_have_the_weights_counted_by_hand() -> None:
    small = Experiment(2, 3, "max", True, False, stride=2, filters=4, dense=16)  # 28 -> 13 -> 6 -> 3 pixels
    assert build_network(small).count_params() == 40 + 16 + 296 + 32 + 9 * 8 * 16 + 16 + 170
    valid = Experiment(2, 3, "max", False, False, padding="valid")  # 28 -> 26 -> 13 -> 11 -> 5 pixels
    assert build_network(valid).count_params() == 320 + 18_496 + 25 * 64 * 128 + 128 + 1_290


def test_multiply_accumulates_are_those_counted_by_hand() -> None:
    assert multiply_accumulates(build_network(4)) == (
        26 * 26 * 288 + 13 * 13 * 18_432 + 6 * 6 * 36_864 + 576 * 128 + 1_280
    )


def test_a_network_without_a_pixel_left_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        build_network(Experiment(3, 5, "max", False, False, padding="valid"))
