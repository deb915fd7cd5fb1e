"""The recognition network and its loss, in plain Keras 3.

Convolutions shrink a strip of 32 rows to one row of columns, then residual blocks look along the line. The output has
two columns for each of the last row, so that two narrow characters are not in the same one.
"""

import json
import zipfile
from pathlib import Path

import keras
from keras import ops

from digitocr.runtime.errors import ModelError
from digitocr.runtime.recognizer import CLASS_COUNT, GAP, OTHER, PLANES, STRIP_HEIGHT

SPLIT = 2  # columns of the output for each of the last row
STEM = (20, 40, 72, 128)  # channels of the four convolutions before
BLOCKS = (1, 2, 1, 4, 1, 2)  # dilations of the residual blocks along the line
WIDTH = 192  # channels of the residual blocks
CHARACTER_WEIGHT = 4.0  # of a column of a digit or a sign in the loss; most columns are gap
WORD_WEIGHT = 2.0  # of a column of a letter or another sign; twice as many of a letter's columns are marked
KERNEL = 5  # columns that a block looks at


def build_recognizer() -> keras.Model:
    """Builds the recognition network, not compiled, with first weights from Keras's seed.

    Returns:
        Input (N, 32, W, 2) float32 of recognizer.recognizer_input, W a multiple of 8. Output (N, 1, W/4, 36) float32:
        logits of the classes of recognizer.CLASSES, other and gap, for the left and the right 2 of 4 columns of pixels.
    """
    image = keras.Input((STRIP_HEIGHT, None, PLANES), name="image")

    def conv(
        x: keras.KerasTensor,
        filters: int,
        kernel: tuple[int, int] = (3, 3),
        stride: tuple[int, int] = (1, 1),
        padding: str = "same",
    ) -> keras.KerasTensor:
        x = keras.layers.Conv2D(filters, kernel, strides=stride, padding=padding, use_bias=False)(x)
        return keras.layers.BatchNormalization(momentum=0.97)(x)

    def relu(x: keras.KerasTensor) -> keras.KerasTensor:
        return keras.layers.ReLU()(x)

    x = relu(conv(image, STEM[0], stride=(2, 2)))
    x = relu(conv(x, STEM[1]))
    x = relu(conv(x, STEM[2], stride=(2, 2)))
    x = relu(conv(x, STEM[3], stride=(2, 1)))
    x = relu(conv(x, WIDTH, (4, 1), padding="valid"))
    for dilation in BLOCKS:
        y = keras.layers.DepthwiseConv2D((1, KERNEL), dilation_rate=(1, dilation), padding="same", use_bias=False)(x)
        y = relu(keras.layers.BatchNormalization(momentum=0.97)(y))
        x = relu(keras.layers.Add()([x, conv(y, WIDTH, (1, 1))]))
    head = keras.layers.Conv2D(SPLIT * CLASS_COUNT, 1, dtype="float32")
    return keras.Model(image, head(x), name="recognizer")


def loss(target: keras.KerasTensor, output: keras.KerasTensor) -> keras.KerasTensor:
    """The weighted cross-entropy of the columns, a scalar.

    A column that may be a gap as well costs nothing whichever of its classes and the gap it is.

    Args:
        target: (N, W/2, 5): class, second class, share of the second, weight, whether it may be a gap; as in
            strips.Strip.
        output: (N, 1, W/4, 36), of the network.
    """
    target = ops.cast(target, "float32")
    log = ops.log_softmax(columns(output), axis=-1)
    first = ops.one_hot(ops.cast(target[..., 0], "int32"), CLASS_COUNT)
    second = ops.one_hot(ops.cast(target[..., 1], "int32"), CLASS_COUNT)
    share, weight, is_loose = target[..., 2:3], target[..., 3], target[..., 4]
    entropy = -ops.sum((first * (1 - share) + second * share) * log, axis=-1)
    gap = ops.one_hot(ops.full_like(weight, GAP, dtype="int32"), CLASS_COUNT)
    allowed = ops.sum(ops.exp(log) * ops.minimum(first + second * ops.cast(share > 0, "float32") + gap, 1.0), axis=-1)
    loose = -ops.log(ops.maximum(allowed, 1e-6))
    weights = ops.convert_to_tensor([CHARACTER_WEIGHT] * OTHER + [WORD_WEIGHT, 1.0], "float32")
    own = ops.sum(first * weights, axis=-1)
    weight = weight * (own * (1 - is_loose) + is_loose)
    return ops.sum((is_loose * loose + (1 - is_loose) * entropy) * weight) / (ops.sum(weight) + 1.0)


def columns(output: keras.KerasTensor) -> keras.KerasTensor:
    """(N, 1, W/4, 36) of the network as (N, W/2, 18) float32."""
    _, _, wide, _ = ops.shape(output)
    return ops.reshape(ops.cast(output, "float32"), (-1, SPLIT * wide, CLASS_COUNT))


def load_recognizer(path: Path) -> keras.Model:
    """Loads a recognizer.keras, in float32. Raises ModelError if the file holds no recognizer."""
    network = build_recognizer()
    try:
        network.set_weights(keras.saving.load_model(path, compile=False, safe_mode=True).get_weights())
    except Exception as error:  # Keras raises whatever its parts raise
        raise ModelError(f"{path}: holds no recognizer; give the recognizer.keras of a run") from error
    return network


def holds_recognizer(path: Path) -> bool:
    """Whether a file is the .keras file of a recognizer, by the name of the model in it. The weights are not loaded."""
    try:
        with zipfile.ZipFile(path) as archive:
            return bool(json.loads(archive.read("config.json"))["config"]["name"] == "recognizer")
    except Exception:  # no zip, a damaged one, for which zipfile raises many types, or another one
        return False
