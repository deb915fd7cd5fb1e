import keras
import numpy as np
import pytest

from digitocr.export.fuse import fuse, is_chain
from digitocr.runtime.errors import ModelError
from digitocr.runtime.preprocessing import scale
from digitocr.train.evaluation.interface import Interface
from digitocr.train.evaluation.interpreters import keras_network

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


def residual():
    """Branches, additions, a batch norm behind each kind of layer, ReLU as layers, softmax as one."""
    image = keras.Input((28, 28, 1))
    left = layers.Activation("relu")(layers.BatchNormalization()(layers.Conv2D(4, 3, use_bias=False)(image)))
    left = layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(left))
    right = layers.Dropout(0.5)(layers.Conv2D(4, 3)(image))
    joined = layers.ReLU()(layers.Add()([left, right]))
    joined = layers.BatchNormalization()(layers.Concatenate()([joined, right]))
    joined = layers.AveragePooling2D(2)(joined)
    joined = layers.LeakyReLU()(layers.BatchNormalization()(layers.SeparableConv2D(5, 3)(joined)))
    joined = layers.ReLU()(layers.BatchNormalization()(layers.Dense(8)(layers.GlobalAveragePooling2D()(joined))))
    return keras.Model(image, layers.Softmax()(layers.Dropout(0.2)(layers.Dense(10)(joined))))


def shared():
    """A layer that is called twice, an operation, an inner network and a convolution at the end."""
    image = keras.Input((28, 28, 1))
    twice = layers.Conv2D(4, 3, padding="same", activation="relu")
    inner = sequential(layers.Conv2D(4, 3), layers.BatchNormalization(), shape=(28, 28, 4))
    tensor = keras.ops.relu(inner(twice(layers.Conv2D(4, 3, padding="same")(twice(layers.Conv2D(4, 1)(image))))))
    scores = layers.GlobalMaxPooling2D(keepdims=True)(layers.Conv2D(11, 1, use_bias=False)(tensor))
    return keras.Model(image, layers.Activation("softmax")(scores))


@pytest.mark.parametrize("build", [residual, shared])
def test_a_functional_network_is_fused_where_that_applies(build, random_norms, images):
    network = random_norms(build)
    before = np.asarray(network(images)).reshape(len(images), -1)
    fused = fuse(network)
    assert np.abs(before - softmax(fused(images))).max() <= 1e-5
    assert fused.output_shape == (None, before.shape[1])


def test_batch_norm_and_relu_go_into_the_layer_before(random_norms):
    fused = kinds(fuse(random_norms(residual)))
    assert "BatchNormalization" not in fused
    assert fused.count("DepthwiseConv2D") == 3  # its own, and the batch norms behind pooling and separable convolution
    assert fused.count("ReLU") == 1  # behind the addition
    assert "Dropout" not in fused
    assert fused[-2:] == ["Dense", "Dense"]


@pytest.mark.parametrize(
    "form",
    [
        {"layout": "channels last", "size": (32, 34), "channels": 3, "fit": "padded", "levels": "0 to 255"},
        {"layout": "channels last", "size": (40, 36), "channels": 1, "fit": "resized", "inverted": True},
        {"layout": "channels last", "size": (28, 28), "channels": 3, "levels": "ImageNet's means and deviations"},
        {"layout": "no channels", "size": (28, 28), "channels": 1, "levels": "-1 to 1"},
        {"layout": "pixels in a row", "size": (28, 28), "channels": 1},
    ],
    ids=lambda form: f"{form['layout']}, {form['size']}",
)
def test_what_a_network_takes_is_made_inside_of_28x28(form, images):
    sides = {"channels last": (*form["size"], form["channels"]), "no channels": form["size"], "pixels in a row": (784,)}
    given = keras.Input(sides[form["layout"]])
    network = keras.Model(given, layers.Dense(10)(layers.Flatten()(given)))
    interface = Interface(keras_network(network).signature, classes=10, **form)
    after = np.asarray(fuse(network, interface)(images))
    np.testing.assert_allclose(after, np.asarray(network(interface.inputs(images))), atol=2e-3)


def test_whether_a_network_is_a_chain(random_norms):
    assert is_chain(
        keras.Model(*(lambda one: (one.inputs, one.outputs))(sequential(layers.Flatten(), layers.Dense(10))))
    )
    assert not is_chain(fuse(random_norms(residual)))


@pytest.mark.parametrize(
    ("network", "why"),
    [
        (
            lambda: keras.Model([a := keras.Input((28, 28, 1)), b := keras.Input((2,))], [a, b]),
            "2 inputs and 2 outputs",
        ),
        (lambda: sequential(layers.Flatten(), layers.Dense(10), shape=(32, 32, 1)), "takes (None, 32, 32, 1)"),
        (lambda: sequential(layers.Flatten(), layers.Dense(10, activation="relu")), "with relu"),
        (lambda: sequential(layers.Flatten(), layers.Dense(10, activation="relu"), layers.Softmax()), "with relu"),
        (lambda: sequential(layers.Conv2D(2, 3), layers.Flatten()), "(None, 1352), not 10 or 11 classes"),
    ],
)
def test_what_cannot_be_taken_is_said_in_a_line(network, why):
    with pytest.raises(ModelError) as error:
        fuse(network())
    assert why in str(error.value)
    assert "\n" not in str(error.value)
