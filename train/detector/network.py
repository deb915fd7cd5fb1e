"""The detection network and its loss, in plain Keras 3.

Fully convolutional, after X. Zhou et al., "Objects as Points" (2019): for each cell of 4x4 pixels it says whether a
digit's centre lies there, where exactly, how large the digit is, and which one. The last is an auxiliary task that
makes the network learn shapes; the exported file leaves it out.
"""

import json
import zipfile
from pathlib import Path

import keras
import numpy as np
from keras import ops

from digitocr.runtime.detector import PLANES
from digitocr.runtime.errors import ModelError
from digitocr.train.detector import targets

# The channels of the output.
HEAT_CHANNELS = slice(0, 1)  # logit of a digit's centre
OFFSET_CHANNELS = slice(1, 3)  # from the cell's middle to the digit's, x and y, in longer sides of the digit
SIZE_CHANNELS = slice(3, 5)  # logarithms of width and height in cells
CLASS_CHANNELS = slice(5, 15)  # logits of the ten digits
OUTPUT_CHANNELS = 15  # all of these
RARE_LOGIT = -4.0  # first bias of a centre's logit, 1.8 %: few cells hold one, and learning that takes many steps

# The loss: weights of its parts, and the exponents of the focal loss of H. Law, J. Deng, "CornerNet" (2018).
OFFSET_WEIGHT = 2  # of the L1 loss of the offset
SIZE_WEIGHT = 1  # of the L1 loss of the logarithms of the sides
DIGIT_WEIGHT = 0.3  # of the cross-entropy of the digit, an auxiliary task
FOCAL_EXPONENT = 2  # of 1 minus the probability of the right answer
HEAT_EXPONENT = 4  # of 1 - heat: cells beside a centre are punished less


def build_detector() -> keras.Model:
    """Builds the detection network, not compiled, with first weights from Keras's seed.

    Returns:
        Input (N, H, W, 3) float32 of detector.detector_input, H and W multiples of 8. Output (N, H/4, W/4, 15) float32:
        logit of a centre; its offset from the cell's middle, x and y, in longer sides of the digit; logarithm of width
        and height in cells; logits of the ten digits.
    """
    image = keras.Input((None, None, PLANES), name="image")

    def conv(
        x: keras.KerasTensor, filters: int, stride: int = 1, dilation: int = 1, kernel: int = 3
    ) -> keras.KerasTensor:
        x = keras.layers.Conv2D(
            filters, kernel, strides=stride, dilation_rate=dilation, padding="same", use_bias=False
        )(x)
        return keras.layers.BatchNormalization(momentum=0.97)(x)

    def relu(x: keras.KerasTensor) -> keras.KerasTensor:
        return keras.layers.ReLU()(x)

    x = relu(conv(image, 16, stride=2))
    x = relu(conv(x, 32, stride=2))
    fine = relu(conv(x, 32))
    x = relu(conv(fine, 64, stride=2))
    for dilation in (1, 2, 4, 8, 4, 2, 1):
        x = relu(keras.layers.Add()([x, conv(x, 64, dilation=dilation)]))
    x = relu(conv(x, 32, kernel=1))
    x = keras.layers.UpSampling2D(2, interpolation="nearest")(x)
    x = keras.layers.Concatenate()([x, fine])
    x = relu(conv(x, 48))
    head = keras.layers.Conv2D(OUTPUT_CHANNELS, 1, dtype="float32", bias_initializer=_Rare())
    return keras.Model(image, head(x), name="detector")


def load_detector(path: Path) -> keras.Model:
    """Loads a detector.keras, in float32. Raises ModelError if the file holds no detector."""
    network = build_detector()
    try:
        network.set_weights(keras.saving.load_model(path, compile=False, safe_mode=True).get_weights())
    except Exception as error:  # Keras raises whatever its parts raise
        raise ModelError(f"{path}: holds no detector; give the detector.keras of a run") from error
    return network


def holds_detector(path: Path) -> bool:
    """Whether a file is the .keras file of a detector, by the name of the model in it. The weights are not loaded."""
    try:
        with zipfile.ZipFile(path) as archive:
            return bool(json.loads(archive.read("config.json"))["config"]["name"] == "detector")
    except Exception:  # no zip, a damaged one, for which zipfile raises many types, or another one
        return False


@keras.saving.register_keras_serializable("digitocr")
class _Rare(keras.initializers.Initializer):  # type: ignore[misc]  # keras ships no types
    """Initial biases of the output: RARE_LOGIT for a centre, 0 for the rest."""

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> keras.KerasTensor:
        return ops.convert_to_tensor(np.array([RARE_LOGIT] + [0.0] * (shape[0] - 1), np.float32), dtype)

    def get_config(self) -> dict[str, object]:
        return {}


def loss(target: keras.KerasTensor, output: keras.KerasTensor) -> keras.KerasTensor:
    """The loss of a batch, a scalar: focal loss of the centres, L1 of the boxes, cross-entropy of the digits.

    Args:
        target: (N, H/4, W/4, 8), of targets.targets.
        output: (N, H/4, W/4, 15), of the network.
    """
    target, output = ops.cast(target, "float32"), ops.cast(output, "float32")
    heat, weight, near = target[..., targets.HEAT], target[..., targets.WEIGHT], target[..., targets.BOX]
    logit = output[..., 0]
    log_yes, log_no = -ops.softplus(-logit), -ops.softplus(logit)
    yes, no = ops.exp(log_yes), ops.exp(log_no)
    centre = ops.cast(heat > targets.CENTRE_HEAT, "float32")
    beside = (1 - heat) ** HEAT_EXPONENT
    focal = -(centre * no**FOCAL_EXPONENT * log_yes + (1 - centre) * beside * yes**FOCAL_EXPONENT * log_no) * weight
    centres, cells = ops.sum(centre) + 1.0, ops.sum(near) + 1.0
    offset = ops.sum(ops.abs(output[..., OFFSET_CHANNELS] - target[..., targets.DX : targets.DY + 1]), axis=-1)
    size = ops.sum(
        ops.abs(output[..., SIZE_CHANNELS] - target[..., targets.LOG_WIDTH : targets.LOG_HEIGHT + 1]), axis=-1
    )
    label = ops.one_hot(ops.cast(target[..., targets.DIGIT], "int32"), 10)
    digit = -ops.sum(label * ops.log_softmax(output[..., CLASS_CHANNELS], axis=-1), axis=-1)
    boxes = OFFSET_WEIGHT * offset + SIZE_WEIGHT * size + DIGIT_WEIGHT * digit
    return ops.sum(focal) / centres + ops.sum(boxes * near) / cells
