import keras
import numpy as np
import pytest

from digitocr.train.drawn import CLIP_NORM, LEARNING_RATE, WEIGHT_DECAY, compiled


def tiny():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


@pytest.mark.parametrize(("given", "highest"), [(False, LEARNING_RATE), (True, LEARNING_RATE / 2)])
def test_a_network_begins_with_the_weights_it_is_given_at_a_lower_rate(given, highest):
    weights = tiny() if given else None
    network = compiled(tiny, weights, "mse", 100, 2)
    if weights is not None:
        for mine, theirs in zip(network.get_weights(), weights.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, theirs)
    rate = network.optimizer._learning_rate
    assert float(rate(50)) == pytest.approx(highest, rel=1e-4)  # after warming up, before falling
    assert float(rate(100)) == pytest.approx(0, abs=1e-6)
    assert (network.optimizer.weight_decay, network.optimizer.clipnorm) == (WEIGHT_DECAY, CLIP_NORM)
    assert keras.config.dtype_policy().name == "float32"
