"""Networks of Keras in a Reader, so that what is being trained reads pictures as its exported file will.

reader = keras_reader({"classifier": network})      # the others are the shipped files
reader.read("meter.jpg").text
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.classifier import Classifier, Probabilities
from digitocr.runtime.detector import Detector
from digitocr.runtime.preprocessing import Images, Tensors, scale
from digitocr.runtime.reader import Reader
from digitocr.runtime.recognizer import Recognizer
from digitocr.train.quiet import silenced

PREDICT_BATCH = 100  # images of 28x28


def _answers(network: Any) -> Callable[[Tensors], Any]:
    """What a network answers, as one graph for pictures of all sizes: layer by layer a picture takes 40 times as long.

    XLA, which Keras would take, compiles each size anew.
    """
    import keras

    compiled = keras.Model(network.inputs, network.outputs)  # the network itself is saved without
    compiled.compile(jit_compile=False)

    def answers(tensors: Tensors) -> Any:
        with silenced():  # TensorFlow warns of the first few sizes
            return compiled.predict_on_batch(tensors)

    return answers


def predicted(network: Any, images: Images) -> Probabilities:
    """(n, classes) what a classifier answers to (n, 28, 28) uint8, in batches: 500 at once would take 60 MB more."""
    parts = np.array_split(images, -(-len(images) // PREDICT_BATCH))
    return np.concatenate([network.predict_on_batch(scale(part)) for part in parts])


class KerasClassifier(Classifier):
    """A Classifier whose probabilities are those of a Keras network, which ends in a softmax."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self._answers = _answers(network)
        self.classes = network.output_shape[-1]

    def predict(self, tensors: Tensors) -> Probabilities:
        """As Classifier.predict."""
        if len(tensors) == 0:
            return np.zeros((0, self.classes), np.float32)
        return np.asarray(self._answers(tensors), np.float32)


class _Session:
    """What Recognizer and Detector run: a Keras network with ONNX's order of axes, its outputs cut into parts."""

    def __init__(self, network: Any, *parts: slice) -> None:
        self._answers, self._parts = _answers(network), parts

    def run(self, _: None, inputs: Mapping[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        output = np.asarray(self._answers(inputs["image"].transpose(0, 2, 3, 1)), np.float32)
        return [output[..., part].transpose(0, 3, 1, 2) for part in self._parts]


class KerasRecognizer(Recognizer):
    """A Recognizer that runs a Keras network."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self._session = _Session(network, slice(None))


class KerasDetector(Detector):
    """A Detector that runs a Keras network."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self._session = _Session(network, slice(0, 1), slice(1, 5))


def keras_reader(networks: Mapping[str, Any], confidence: Path | None = None) -> Reader:
    """A Reader with Keras networks for some of "classifier", "recognizer" and "detector"; else the shipped files."""
    reader = Reader(confidence=confidence)
    if "classifier" in networks:
        reader.classifier = KerasClassifier(networks["classifier"])
    if "recognizer" in networks:
        reader.recognizer = KerasRecognizer(networks["recognizer"])
    if "detector" in networks:
        reader.detector = KerasDetector(networks["detector"])
    return reader
