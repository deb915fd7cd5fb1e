import keras
import numpy as np
import pytest

from digitocr.export.fuse import fuse
from digitocr.runtime.errors import ModelError
from digitocr.runtime.preprocessing import scale

layers = keras.layers


def softmax(logits):
    return np.asarray(keras.ops.softmax(logits))


def kinds(network):
    return [type(layer).__name__ for layer in network.layers]


@pytest.mark.parametrize("experiment", [1, 2, 3, 4])
def test_fused_network_is_the_same_function(experiment, make_network, mnist):
    images = scale(mnist.test_images[::5])  # each export does this with all of them
    network = make_network(experiment, images[:100])
    before = network.predict(images, batch_size=500, verbose=0)
    after = softmax(fuse(network).predict(images, batch_size=500, verbose=0))
    assert len(np.unique(before.argmax(1))) > 3  # or the next lines would say little
    assert np.abs(before - after).max() <= 1e-5
    assert (before.argmax(1) == after.argmax(1)).all()


def test_batch_norm_and_average_pooling_become_one_depthwise_convolution(make_network):
    fused = fuse(make_network(4))
    assert kinds(fused) == ["InputLayer"] + ["Conv2D", "DepthwiseConv2D"] * 3 + ["Flatten", "Dense", "Dense"]
    assert [layer.name for layer in fused.layers[:3]] == ["image", "conv2d_1", "depthwiseconv2d_1"]
    assert fused.layers[-1].activation is keras.activations.linear


def test_batch_norm_moves_behind_max_pooling_where_no_channel_is_turned_around(make_network, images):
    network = make_network(2)
    assert kinds(fuse(network))[1:4] == ["Conv2D", "DepthwiseConv2D", "MaxPooling2D"]
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            gamma, *rest = layer.get_weights()
            layer.set_weights([np.abs(gamma), *rest])
    fused = fuse(network)
    assert kinds(fused)[1:4] == ["Conv2D", "MaxPooling2D", "DepthwiseConv2D"]
    assert np.abs(np.asarray(network(images)) - softmax(fused(images))).max() <= 1e-5


def test_pooling_that_pads_and_batch_norm_without_pooling_are_kept_right(images):
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(scale=False, moving_mean_initializer=keras.initializers.Constant(0.3)),
            layers.AveragePooling2D(3, strides=2, padding="same"),
            layers.BatchNormalization(center=False, moving_variance_initializer=keras.initializers.Constant(3.0)),
            layers.Conv2D(4, 3),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    assert np.abs(np.asarray(network(images)) - np.asarray(fuse(network)(images))).max() <= 1e-5


def test_the_network_itself_is_left_alone(make_network):
    network = make_network(4)
    before = [weight.copy() for weight in network.get_weights()]
    fuse(network)
    assert all(np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True))
    assert network.layers[-1].activation is keras.activations.softmax


def sequential(*inner, shape=(28, 28, 1)):
    return keras.Sequential([keras.Input(shape), *inner])


@pytest.mark.parametrize(
    ("network", "why"),
    [
        (lambda: keras.Model(*[keras.Input((28, 28, 1))] * 2), "only a keras.Sequential"),
        (lambda: sequential(layers.Flatten(), layers.Dense(10), shape=(32, 32, 1)), "takes (None, 32, 32, 1)"),
        (lambda: sequential(layers.Flatten(), layers.LeakyReLU(), layers.Dense(10)), "is a LeakyReLU"),
        (lambda: sequential(layers.Conv2D(2, 3, use_bias=False), layers.Flatten(), layers.Dense(10)), "no bias"),
        (lambda: sequential(layers.Conv2D(2, 3, activation="gelu"), layers.Flatten(), layers.Dense(10)), "gelu"),
        (lambda: sequential(layers.Flatten(), layers.Dense(10, activation="relu")), "activation relu"),
        (lambda: sequential(layers.BatchNormalization(axis=1), layers.Flatten(), layers.Dense(10)), "axis 1 of 4"),
        (lambda: sequential(layers.Flatten(), layers.BatchNormalization(), layers.Dense(10)), "axis -1 of 2"),
        (lambda: sequential(layers.Conv2D(2, 3), layers.Flatten()), "not a Dense"),
    ],
)
def test_what_cannot_be_taken_is_said_in_a_line(network, why):
    with pytest.raises(ModelError) as error:
        fuse(network())
    assert why in str(error.value)
    assert "\n" not in str(error.value)
