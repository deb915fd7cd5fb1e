"""Tensors -> probabilities, over ONNX Runtime or LiteRT, chosen by the model's suffix.

A model ends in logits: the softmax is taken here, in float.
"""

import io
from math import exp
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import MissingExtraError, ModelError
from digitocr.runtime.interpreter import (
    check_shipped,
    first_line,
    model_card,
    model_content,
    onnx_session,
    parsed_card,
    shipped_model,
)
from digitocr.runtime.tensor import SIDE, VERSION, Tensors

Probabilities: TypeAlias = npt.NDArray[np.float32]  # (N, classes), each row sums to 1
Logits: TypeAlias = npt.NDArray[np.float32]  # (N, classes)

DEFAULT_MODEL = "digitocr-int8.onnx"
CLASSES = (10, 11)  # the digits, or the digits and "no digit"
MAX_CARD = 1_000_000  # bytes
BATCH = 64  # digits; larger batches take more memory, and more time for each digit as well


class _Backend(Protocol):
    """One interpreter: what it says of the model, and its one call, for any number of tensors but none."""

    card: dict[str, Any]
    input_shape: tuple[Any, ...]  # the first side is no number where it is free
    output_shape: tuple[Any, ...]

    def logits(self, tensors: Tensors) -> Logits: ...


class Classifier:
    """A digit-reading network, loaded once.

    path: a .onnx or .tflite file, by default the shipped DEFAULT_MODEL; threads: of the interpreter, at least 1.
    name, sha256, card: the file's stem, its digest, and what `digitocr export` wrote into it ({} for other files);
    classes: 10, or 11 where the last one is "no digit".

    Raises ModelError for a file that cannot be used, MissingExtraError where LiteRT is not installed.
    """

    def __init__(self, path: Path | None = None, threads: int = 1) -> None:
        path = path or shipped_model(DEFAULT_MODEL)
        backend = _BACKENDS.get(path.suffix)
        if backend is None:
            raise ModelError(f"{path}: a model file ends in {' or '.join(_BACKENDS)}; make one with: digitocr export")
        content = model_content(path)
        self.name = path.stem
        self.sha256 = check_shipped(path, content)
        self._backend: _Backend = backend(content, path, threads)
        shape, out = self._backend.input_shape, self._backend.output_shape
        one_or_free = not isinstance(shape[0], int) or shape[0] == 1
        if shape[1:] != (SIDE, SIDE, 1) or len(out) != 2 or out[1] not in CLASSES or not one_or_free:
            raise ModelError(
                f"{path}: takes {list(shape)} to {list(out)}, not [N, 28, 28, 1] to [N, 10] or [N, 11]; export it again"
            )
        self.classes: int = out[1]
        self.card = self._backend.card
        version = self.card.get("preprocessing", VERSION)
        if version != VERSION:
            raise ModelError(f"{path}: was trained with preprocessing {version}, not {VERSION}; train it again")

    def predict(self, tensors: Tensors) -> Probabilities:
        """Softmax probabilities, (N, classes) float32, of (N, 28, 28, 1) float32 in [0, 1]; N may be 0.

        Raises ModelError where the interpreter cannot run the model.
        """
        if len(tensors) == 0:
            return np.zeros((0, self.classes), np.float32)
        try:
            logits = self._backend.logits(tensors)
        except Exception as error:  # the interpreters' exceptions share no base
            raise ModelError(f"{self.name}: fails where it is run ({first_line(error)}); export it again") from error
        return np.array([_softmax(row) for row in logits.tolist()], np.float32)


class _OnnxRuntime:
    def __init__(self, content: bytes, path: Path, threads: int) -> None:
        self._session = onnx_session(content, path, threads)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(f"{path}: has {len(inputs)} inputs and {len(outputs)} outputs, not one of each")
        if (inputs[0].type, outputs[0].type) != ("tensor(float)", "tensor(float)"):
            raise ModelError(f"{path}: takes {inputs[0].type} to {outputs[0].type}, not tensor(float); export it again")
        self._input, self._outputs = inputs[0].name, [outputs[0].name]
        self.input_shape, self.output_shape = tuple(inputs[0].shape), tuple(outputs[0].shape)
        self.card = model_card(self._session)

    def logits(self, tensors: Tensors) -> Logits:
        step = 1 if isinstance(self.input_shape[0], int) else BATCH
        if len(tensors) <= step:
            alone: Logits = self._session.run(self._outputs, {self._input: tensors})[0]
            return alone
        parts = [tensors[start : start + step] for start in range(0, len(tensors), step)]
        return np.concatenate([self._session.run(self._outputs, {self._input: part})[0] for part in parts])


class _LiteRT:
    def __init__(self, content: bytes, path: Path, threads: int) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise MissingExtraError("tflite", "reading a .tflite model") from error
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{path}: LiteRT cannot load it ({first_line(error)})") from error
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(f"{path}: has {len(inputs)} inputs and {len(outputs)} outputs, not one of each")
        self._input, self._output = inputs[0], outputs[0]
        for end in (self._input, self._output):
            if end["dtype"] is not np.float32 and not (end["dtype"] is np.int8 and end["quantization"][0] > 0):
                raise ModelError(f"{path}: {end['name']} is neither float32 nor quantized int8; export it again")
        self.input_shape = tuple(int(side) for side in self._input["shape"])
        self.output_shape = tuple(int(side) for side in self._output["shape"])
        self.card = parsed_card(_zipped_card(content))

    def logits(self, tensors: Tensors) -> Logits:
        values = tensors
        if self._input["dtype"] is np.int8:
            scale, zero_point = self._input["quantization"]
            values = np.clip(np.rint(tensors / scale) + zero_point, -128, 127).astype(np.int8)
        rows = []
        for row in range(len(values)):  # the graph's batch is 1
            self._interpreter.set_tensor(self._input["index"], values[row : row + 1])
            self._interpreter.invoke()
            rows.append(self._interpreter.get_tensor(self._output["index"]))
        logits: Logits = np.concatenate(rows)
        if self._output["dtype"] is np.int8:
            scale, zero_point = self._output["quantization"]
            logits = (logits.astype(np.float32) - zero_point) * np.float32(scale)
        return logits


_BACKENDS: dict[str, Any] = {".onnx": _OnnxRuntime, ".tflite": _LiteRT}


def _zipped_card(content: bytes) -> bytes | None:
    """TFLite's metadata standard appends a zip of files to the model."""
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("digitocr.json") as card:
            return card.read(MAX_CARD)
    except Exception:  # no zip, no card in it, or a damaged one, for which zipfile raises many types
        return None


def _softmax(logits: list[float]) -> list[float]:
    """By hand, since for the one digit that is waited for numpy's calls take twice the time."""
    highest = max(logits)
    odds = [exp(logit - highest) for logit in logits]
    whole = sum(odds)
    return [odd / whole for odd in odds]
