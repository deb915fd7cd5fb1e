import keras
import numpy as np
import pytest

from digitocr.train.classifier.batch_norm import debias


def network(*momenta: float) -> keras.Sequential:
    layers = [keras.layers.BatchNormalization(momentum=momentum) for momentum in momenta]
    return keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(2)])


def test_what_is_left_is_the_weighted_mean_of_the_batches() -> None:
    """By hand: a layer that saw batches b1 and b2 keeps m * m * start + m * (1 - m) * b1 + (1 - m) * b2."""
    model = network(0.9)
    rng = np.random.default_rng(0)
    batches = [rng.normal(5, 2, (16, 3)).astype(np.float32) for _ in range(2)]
    for batch in batches:
        model(batch, training=True)
    weights = np.array([0.9 * 0.1, 0.1]) / (1 - 0.9**2)
    assert debias(model, 2) == pytest.approx(0.81)
    layer = model.layers[0]
    mean = sum(weight * batch.mean(0) for weight, batch in zip(weights, batches, strict=True))
    variance = sum(weight * batch.var(0) for weight, batch in zip(weights, batches, strict=True))
    np.testing.assert_allclose(layer.moving_mean.numpy(), mean, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), variance, rtol=1e-4)


def test_a_channel_that_never_varied_keeps_no_variance() -> None:
    model = network(0.99)
    for _ in range(50):
        model(np.zeros((4, 3), np.float32), training=True)
    debias(model, 50)
    variance = model.layers[0].moving_variance.numpy()
    assert (variance >= 0).all()
    np.testing.assert_allclose(variance, 0, atol=1e-5)


def test_each_layer_has_its_own_momentum() -> None:
    assert debias(network(0.5, 0.9), 10) == pytest.approx(0.9**10)


@pytest.mark.parametrize("momenta", [(), (0.99,)])
def test_after_many_steps_or_without_batch_norm_not_a_bit_changes(momenta: tuple[float, ...]) -> None:
    model = network(*momenta)
    before = model.get_weights()
    assert debias(model, 4_300) == 0.0  # the paper's recipe: 10 epochs of 430 steps
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
