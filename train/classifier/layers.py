"""What each layer of a network makes of one digit, and which patches of it the answer hangs on.

network = load_network(Path("runs/first/model.keras"))
seen = Layers(network)
seen.of(image)[0].maps.shape      # (32, 26, 26): the first convolution's, for a (28, 28) uint8 image, ink bright
seen.probabilities(image[None])   # (1, 10)
seen.changed(image, INK)          # what it would answer if a patch was full of ink, for each patch
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import ModelError
from digitocr.runtime.files import is_there
from digitocr.runtime.preprocessing import SIDE, Images, scale
from digitocr.train.keras_backend import keras_needed
from digitocr.train.quiet import silenced

with keras_needed("train", "looking into a network"):
    import keras

    from digitocr.train.detector.network import holds_detector
    from digitocr.train.recognizer.network import holds_recognizer

Floats: TypeAlias = npt.NDArray[np.float32]

CLASSES = (10, 11)  # the digits, and with "no digit"
PATCH = 4  # pixels; the side of a patch: about as wide as two strokes of MNIST
STEP = 2  # pixels from patch to patch
ERASED, INK = 0, 255  # grey levels that a patch is filled with
PLACES = range(0, SIDE - PATCH + 1, STEP)  # left and upper edges of the patches, pixels
SUM_TOLERANCE = 1e-3  # from 1, of what is taken for probabilities; other outputs are taken for logits


@dataclass(frozen=True)
class LayerOutput:
    """What a layer makes of one image.

    Attributes:
        name: The layer's name in the network.
        kind: The layer's class in Keras, such as "Conv2D".
        weights: How many weights it has.
        window: Side of the square of pixels that each of its pixels is made of, for a convolution or pooling; else 0.
        maps: (C, H, W) float32; of a layer without pixels (C, 1, 1).
    """

    name: str
    kind: str
    weights: int
    window: int
    maps: Floats


def load_network(path: Path) -> keras.Model:
    """The Keras network in a file, (N, 28, 28, 1) -> 10 or 11 classes. Raises ModelError."""
    if not is_there(path) or not path.is_file():
        raise ModelError(f"{path}: there is no such file; name a .keras file, or the folder of a run that has one")
    if path.suffix != ".keras":
        raise ModelError(f"{path}: is no .keras file, which alone tells what each layer makes; name one")
    no_classifier = f"{path}: is no network that reads a digit of {SIDE}x{SIDE} pixels; name another file"
    if holds_detector(path) or holds_recognizer(path):  # whose layers Keras does not know without these modules
        raise ModelError(no_classifier)
    try:
        with silenced():
            network = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras documents no particular one
        raise ModelError(f"{path}: cannot be loaded; train again, or name another file") from error
    shapes = network.input_shape, network.output_shape
    if shapes not in [((None, SIDE, SIDE, 1), (None, classes)) for classes in CLASSES]:
        raise ModelError(no_classifier)
    return network


class Layers:
    """A network with all that happens in it.

    Attributes:
        network: The network.
    """

    def __init__(self, network: keras.Model) -> None:
        self.network = network
        self._layers = [layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]
        self._all = keras.Model(network.inputs, [layer.output for layer in self._layers])

    def of(self, image: Images) -> list[LayerOutput]:
        """What each layer makes of a (28, 28) uint8 image, from the first to the last."""
        outputs = self._all.predict_on_batch(scale(image[None]))
        return [
            LayerOutput(layer.name, type(layer).__name__, layer.count_params(), _window(layer), _maps(output))
            for layer, output in zip(self._layers, outputs, strict=True)
        ]

    def probabilities(self, images: Images) -> Floats:
        """(N, 28, 28) uint8 -> (N, classes) float32, also where the network ends in logits."""
        outputs = np.asarray(self.network.predict_on_batch(scale(images)), np.float32)
        if (outputs >= 0).all() and (abs(outputs.sum(axis=1) - 1) < SUM_TOLERANCE).all():
            return outputs
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)

    def changed(self, image: Images, level: int) -> Floats:
        """The probabilities if one patch of a (28, 28) uint8 image was of that level.

        Returns:
            (rows, columns, classes), for each patch whose upper left corner is in PLACES.
        """
        images = np.repeat(image[None], len(PLACES) ** 2, axis=0)
        for number, changed in enumerate(images):
            top, left = (PLACES[place] for place in divmod(number, len(PLACES)))
            changed[top : top + PATCH, left : left + PATCH] = level
        return self.probabilities(images).reshape(len(PLACES), len(PLACES), -1)


def _window(layer: keras.layers.Layer) -> int:
    """The side of the square that a pixel of the layer is made of; 0 for other layers."""
    size = getattr(layer, "kernel_size", getattr(layer, "pool_size", (0,)))
    return int(size[0])


def _maps(output: npt.NDArray[np.floating]) -> Floats:
    """(1, H, W, C) or (1, C) -> (C, H, W)."""
    one = np.asarray(output[0], np.float32)
    return np.moveaxis(one, -1, 0) if one.ndim == 3 else one.reshape(-1, 1, 1)
