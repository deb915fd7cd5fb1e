"""Tensors -> probabilities, over ONNX Runtime or LiteRT, chosen by the model's suffix.

A model ends in logits: the softmax is taken here, in float.
"""

import hashlib
import io
import json
from math import exp
from pathlib import Path
from stat import S_ISREG
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import MissingExtraError, ModelError
from digitocr.runtime.tensor import SIDE, Tensors

Probabilities: TypeAlias = npt.NDArray[np.float32]  # (N, classes), each row sums to 1
Logits: TypeAlias = npt.NDArray[np.float32]  # (N, classes)

MODELS = Path(__file__).with_name("models")  # the shipped files
DEFAULT_MODEL = "digitocr-int8.onnx"
CLASSES = 10
MAX_BYTES = 64_000_000  # no digit reader is larger; a wrong file is not read into memory whole
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
    name, sha256, card: the file's stem, its digest, and what `digitocr export` wrote into it ({} for other files).

    Raises ModelError for a file that cannot be used, MissingExtraError where LiteRT is not installed.
    """

    def __init__(self, path: Path | None = None, threads: int = 1) -> None:
        path = path or shipped_model(DEFAULT_MODEL)
        backend = _BACKENDS.get(path.suffix)
        if backend is None:
            raise ModelError(f"{path}: a model file ends in {' or '.join(_BACKENDS)}; make one with: digitocr export")
        content = _content(path)
        self.name = path.stem
        self.sha256 = check_shipped(path, content)
        self._backend: _Backend = backend(content, path, threads)
        shape, out = self._backend.input_shape, self._backend.output_shape
        if shape[1:] != (SIDE, SIDE, 1) or out[1:] != (CLASSES,) or (isinstance(shape[0], int) and shape[0] != 1):
            raise ModelError(
                f"{path}: takes {list(shape)} to {list(out)}, not [N, 28, 28, 1] to [N, 10]; export it again"
            )
        self.card = self._backend.card

    def predict(self, tensors: Tensors) -> Probabilities:
        """Softmax probabilities, (N, classes) float32, of (N, 28, 28, 1) float32 in [0, 1]; N may be 0.

        Raises ModelError where the interpreter cannot run the model.
        """
        if len(tensors) == 0:
            return np.zeros((0, CLASSES), np.float32)
        try:
            logits = self._backend.logits(tensors)
        except Exception as error:  # the interpreters' exceptions share no base
            raise ModelError(f"{self.name}: fails where it is run ({_first_line(error)}); export it again") from error
        return np.array([_softmax(row) for row in logits.tolist()], np.float32)


class _OnnxRuntime:
    def __init__(self, content: bytes, path: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4  # what goes wrong is raised
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions share no public base
            raise ModelError(f"{path}: ONNX Runtime cannot load it ({_first_line(error)})") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(f"{path}: has {len(inputs)} inputs and {len(outputs)} outputs, not one of each")
        if (inputs[0].type, outputs[0].type) != ("tensor(float)", "tensor(float)"):
            raise ModelError(f"{path}: takes {inputs[0].type} to {outputs[0].type}, not tensor(float); export it again")
        self._input, self._outputs = inputs[0].name, [outputs[0].name]
        self.input_shape, self.output_shape = tuple(inputs[0].shape), tuple(outputs[0].shape)
        self.card = _card(self._session.get_modelmeta().custom_metadata_map.get("digitocr"))

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
            raise ModelError(f"{path}: LiteRT cannot load it ({_first_line(error)})") from error
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(f"{path}: has {len(inputs)} inputs and {len(outputs)} outputs, not one of each")
        self._input, self._output = inputs[0], outputs[0]
        for end in (self._input, self._output):
            if end["dtype"] is not np.float32 and not (end["dtype"] is np.int8 and end["quantization"][0] > 0):
                raise ModelError(f"{path}: {end['name']} is neither float32 nor quantized int8; export it again")
        self.input_shape = tuple(int(side) for side in self._input["shape"])
        self.output_shape = tuple(int(side) for side in self._output["shape"])
        self.card = _card(_zipped_card(content))

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


def shipped_model(name: str) -> Path:
    """Where the shipped file of that name lies."""
    return MODELS / name


def check_shipped(path: Path, content: bytes) -> str:
    """The SHA-256 of a file's content; raises ModelError if it is a shipped one that is not as it was shipped."""
    digest = hashlib.sha256(content).hexdigest()
    if path.parent == MODELS and shipped_checksums().get(path.name) != digest:
        raise ModelError(f"{path}: is not the file that was shipped (SHA-256 differs); install digitocr again")
    return digest


def shipped_checksums() -> dict[str, str]:
    """SHA-256 by file name, of every shipped model."""
    lines = shipped_model("SHA256SUMS").read_text("ascii").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def _content(path: Path) -> bytes:
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise ModelError(f"{path}: is a folder or a device; name a .onnx or .tflite file")  # a pipe might hang
        if status.st_size > MAX_BYTES:
            raise ModelError(f"{path}: has over {MAX_BYTES // 1_000_000} MB, which no model of digitocr has")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); name a .onnx or .tflite file") from error


def _card(text: str | bytes | None) -> dict[str, Any]:
    try:
        card = json.loads(text or "{}")
    except ValueError:
        return {}
    return card if isinstance(card, dict) else {}


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


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200]
