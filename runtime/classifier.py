"""Tensors -> probabilities, over ONNX Runtime or LiteRT, chosen by the model's suffix.

The files of `digitocr export` end in logits: the softmax is taken here, in float. Other files may end in a softmax of
their own; what such a file puts out is found by a probe when it is loaded.
"""

from collections.abc import Sequence
from math import exp
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import ModelError
from digitocr.runtime.interpreter import BACKENDS, CPU, Backend, Logits, finite, run
from digitocr.runtime.models import shipped_model
from digitocr.runtime.preprocessing import SIDE, VERSION, Tensors
from digitocr.runtime.trial import checked_model

Probabilities: TypeAlias = npt.NDArray[np.float32]  # (N, classes), each row sums to 1

DEFAULT_MODEL = "digitocr-int8.onnx"  # the shipped file
SHAPES = ((SIDE, SIDE, 1), (SIDE, SIDE, 3))  # of an input, without its batch; some .tflite files take colours
CLASSES = (10, 11)  # the digits, or the digits and "no digit"
PROBES = 8  # inputs of a probe; logits of all of them do not sum to 1 by chance
SUM_TOLERANCE = 0.05  # a softmax that is quantized to 1/256 may miss a sum of 1 by 0.02


class Classifier:
    """A network that reads one digit, loaded once. Any number of threads may share it.

    Args:
        path: A .onnx or .tflite file; by default the shipped DEFAULT_MODEL.
        threads: Threads of the interpreter, at least 1.
        providers: ONNX Runtime's execution providers; a .tflite file runs on the CPU, whatever they are.

    Attributes:
        name: The file's name without its suffix.
        sha256: The digest of the file.
        card: What `digitocr export` wrote into the file; {} for other files.
        classes: 10, or 11 where the last one is "no digit".
        outputs: What the file itself puts out: "logits" or "probabilities". As its card says, or by a probe where it
            has none.

    Raises:
        ModelError: The file cannot be used.
        MissingExtraError: The file is a .tflite file, and LiteRT is not installed.
        UsageError: A provider is not available.
    """

    def __init__(self, path: Path | None = None, threads: int = 1, providers: Sequence[str] = CPU) -> None:
        path = path or shipped_model(DEFAULT_MODEL)
        self.name = path.stem
        content, self.sha256 = checked_model(path)
        self._backend: Backend = BACKENDS[path.suffix](content, path, threads, providers)
        shape, out = self._backend.input_shape, self._backend.output_shape
        one_or_free = not isinstance(shape[0], int) or shape[0] == 1
        if shape[1:] not in SHAPES or len(out) != 2 or out[1] not in CLASSES or not one_or_free:
            raise ModelError(
                f"{path}: takes {list(shape)} to {list(out)}, not [N, 28, 28, 1] to [N, 10] or [N, 11]; export it again"
            )
        self.classes: int = out[1]
        self.card = self._backend.card
        version = self.card.get("preprocessing", VERSION)
        if version != VERSION:
            raise ModelError(f"{path}: was trained with preprocessing {version}, not {VERSION}; train it again")
        self.outputs: Literal["logits", "probabilities"] = "logits" if self.card else self._probed()

    def predict(self, tensors: Tensors) -> Probabilities:
        """Softmax probabilities, (N, classes) float32, of (N, 28, 28, 1) float32 in [0, 1]; N may be 0.

        Raises ModelError where the interpreter cannot run the model.
        """
        if len(tensors) == 0:
            return np.zeros((0, self.classes), np.float32)
        outputs = self.logits(tensors)
        if self.outputs == "probabilities":
            return np.asarray(outputs / outputs.sum(axis=1, keepdims=True), np.float32)
        return np.array([_softmax(row) for row in outputs.tolist()], np.float32)

    def logits(self, tensors: Tensors) -> Logits:
        """The file's own outputs, (N, classes) float32, which `outputs` names; N is at least 1.

        Raises ModelError where the interpreter cannot run the model.
        """
        logits = run(lambda: self._backend.logits(tensors), self.name)
        return finite(logits, (len(tensors), self.classes), self.name)

    def _probed(self) -> Literal["logits", "probabilities"]:
        """Probabilities if all outputs for PROBES random inputs lie in [0, 1] and each row sums to 1."""
        outputs = self.logits(np.random.default_rng(0).random((PROBES, SIDE, SIDE, 1), np.float32))
        in_range = ((outputs >= 0) & (outputs <= 1)).all()
        return "probabilities" if in_range and (abs(outputs.sum(axis=1) - 1) < SUM_TOLERANCE).all() else "logits"


def _softmax(logits: list[float]) -> list[float]:
    """Without numpy, whose calls take twice as long for a single row."""
    highest = max(logits)
    odds = [exp(logit - highest) for logit in logits]
    whole = sum(odds)
    return [odd / whole for odd in odds]
