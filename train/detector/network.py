"""The detection network, and what it is trained towards, in plain Keras 3.

Fully convolutional, after X. Zhou et al., "Objects as Points" (2019): for each cell of 4x4 pixels, whether a digit's
centre lies there, where it lies exactly, how large the digit is, and which one it is. The last is a task on the side:
it makes the network look at shapes, and the exported file leaves it out.
"""

import json
import zipfile
from pathlib import Path

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from digitocr.runtime.detector import PLANES, STRIDE
from digitocr.runtime.errors import ModelError
from digitocr.train.synthesis.scenes import Scene
from digitocr.train.synthesis.strokes import Floats

HEAT, OFFSET, SIZE, CLASSES = slice(0, 1), slice(1, 3), slice(3, 5), slice(5, 15)  # channels of the output
BLURRED = 0.35  # the target's standard deviation round a centre, in cells, for each root of a digit's side in cells
NEAR = 0.6  # of the target's peak; cells above it learn box and class too


def build_detector() -> keras.Model:
    """Input (N, H, W, 3) float32 of detector.detector_input, H and W multiples of 8; output (N, H/4, W/4, 15) float32.

    The output: logit of a centre; its offset from the cell's middle, in sides of the digit (the longer one), x and y;
    logarithm of width and height in cells; logits of the ten digits.
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
    head = keras.layers.Conv2D(15, 1, dtype="float32", bias_initializer=_Rare())
    return keras.Model(image, head(x), name="detector")


def load_detector(path: Path) -> keras.Model:
    """The network of a detector.keras, in float32. Raises ModelError for a file that holds none."""
    network = build_detector()
    try:
        network.set_weights(keras.saving.load_model(path, compile=False, safe_mode=True).get_weights())
    except Exception as error:  # Keras raises whatever its parts raise
        raise ModelError(f"{path}: holds no detector; give the detector.keras of a run") from error
    return network


def holds_detector(path: Path) -> bool:
    """Whether that is the .keras file of a detector, by the name that build_detector gives it. Nothing is loaded."""
    try:
        with zipfile.ZipFile(path) as archive:
            return bool(json.loads(archive.read("config.json"))["config"]["name"] == "detector")
    except Exception:  # no zip, a damaged one, for which zipfile raises many types, or another one
        return False


@keras.saving.register_keras_serializable("digitocr")
class _Rare(keras.initializers.Initializer):  # type: ignore[misc]  # keras ships no types
    """Few cells hold a centre: without this the first steps are spent on learning it."""

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> keras.KerasTensor:
        return ops.convert_to_tensor(np.array([-4.0] + [0.0] * (shape[0] - 1), np.float32), dtype)

    def get_config(self) -> dict[str, object]:
        return {}


def targets(scene: Scene) -> Floats:
    """(H/4, W/4, 8) float32: heat, weight, offset x and y, log width and height, near, label; see build_detector."""
    rows, columns = (side // STRIDE for side in scene.image.shape)
    target = np.zeros((rows, columns, 8), np.float32)
    target[:, :, 1] = 1
    for x, y, w, h in scene.ignored:
        top, bottom = int(y // STRIDE), int((y + h) // STRIDE) + 1
        left, right = int(x // STRIDE), int((x + w) // STRIDE) + 1
        target[max(top, 0) : bottom, max(left, 0) : right, 1] = 0
    closest = np.zeros((rows, columns), np.float32)
    for (x, y, w, h), label in zip(scene.boxes, scene.labels, strict=True):
        side = max(w, h)
        cx, cy = (x + w / 2) / STRIDE - 0.5, (y + h / 2) / STRIDE - 0.5  # in cells, from the first cell's middle
        column, row = min(max(round(float(cx)), 0), columns - 1), min(max(round(float(cy)), 0), rows - 1)
        spread = BLURRED * np.sqrt(side / STRIDE)
        reach = int(3 * spread) + 1
        ys, xs = (
            np.arange(max(row - reach, 0), min(row + reach + 1, rows)),
            np.arange(max(column - reach, 0), min(column + reach + 1, columns)),
        )
        bump = np.exp(-((ys[:, None] - row) ** 2 + (xs[None] - column) ** 2) / (2 * spread**2)).astype(np.float32)
        spot = np.ix_(ys, xs)
        target[..., 0][spot] = np.maximum(target[..., 0][spot], bump)
        mine = (bump >= NEAR) & (bump > closest[spot])
        closest[spot] = np.where(mine, bump, closest[spot])
        part = target[spot]
        part[..., 2] = np.where(mine, (cx - xs[None]) * STRIDE / side, part[..., 2])
        part[..., 3] = np.where(mine, (cy - ys[:, None]) * STRIDE / side, part[..., 3])
        part[..., 4] = np.where(mine, np.log(w / STRIDE), part[..., 4])
        part[..., 5] = np.where(mine, np.log(h / STRIDE), part[..., 5])
        part[..., 6] = np.where(mine, 1, part[..., 6])
        part[..., 7] = np.where(mine, label, part[..., 7])
        target[spot] = part
        target[row, column, 1] = 1
    return target


def loss(target: keras.KerasTensor, output: keras.KerasTensor) -> keras.KerasTensor:
    """Penalty-reduced focal loss of the centres (H. Law, J. Deng, "CornerNet", 2018), L1 of boxes, classes beside."""
    target, output = ops.cast(target, "float32"), ops.cast(output, "float32")
    heat, weight, near = target[..., 0], target[..., 1], target[..., 6]
    logit = output[..., 0]
    log_yes, log_no = -ops.softplus(-logit), -ops.softplus(logit)
    yes, no = ops.exp(log_yes), ops.exp(log_no)
    centre = ops.cast(heat > 0.999, "float32")
    focal = -(centre * no**2 * log_yes + (1 - centre) * (1 - heat) ** 4 * yes**2 * log_no) * weight
    centres, cells = ops.sum(centre) + 1.0, ops.sum(near) + 1.0
    offset = ops.sum(ops.abs(output[..., OFFSET] - target[..., 2:4]), axis=-1)
    size = ops.sum(ops.abs(output[..., SIZE] - target[..., 4:6]), axis=-1)
    label = ops.one_hot(ops.cast(target[..., 7], "int32"), 10)
    digit = -ops.sum(label * ops.log_softmax(output[..., CLASSES], axis=-1), axis=-1)
    return ops.sum(focal) / centres + ops.sum((2 * offset + size + 0.3 * digit) * near) / cells


def found_share(target: NDArray[np.floating], output: NDArray[np.floating]) -> tuple[float, float]:
    """Of the true centres the share with a cell over 0.5 next to them; of the cells over 0.5 that are peaks, the share
    near a true one. Both (N, H/4, W/4, ...); quick figures to watch a training by.
    """
    import cv2

    hit = right = centres = peaks = 0
    for true, seen in zip(target, output, strict=True):
        heat = seen[:, :, 0].copy()
        heat[true[:, :, 1] == 0] = -9
        wide = cv2.dilate(heat, np.ones((3, 3), np.uint8))
        centre = true[:, :, 0] > 0.999
        peak = (heat > 0) & (heat == wide)
        around = cv2.dilate(centre.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        centres, hit = centres + int(centre.sum()), hit + int((centre & (wide > 0)).sum())
        peaks, right = peaks + int(peak.sum()), right + int((peak & around).sum())
    return hit / max(centres, 1), right / max(peaks, 1)
