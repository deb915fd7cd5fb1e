"""ONNX Runtime and LiteRT behind one call."""

import io
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import MissingExtraError, ModelError
from digitocr.runtime.models import model_card, parsed_card
from digitocr.runtime.preprocessing import Tensors

Logits: TypeAlias = npt.NDArray[np.float32]  # (N, classes)

MAX_CARD = 1_000_000  # bytes
BATCH = 64  # digits; larger batches take more memory, and more time for each digit as well


def onnx_session(content: bytes, path: Path, threads: int) -> Any:
    """An onnxruntime.InferenceSession on the processor, that many threads, no spinning. Raises ModelError."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # what goes wrong is raised
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no public base
        raise ModelError(f"{path}: ONNX Runtime cannot load it ({first_line(error)})") from error


class Backend(Protocol):
    """One interpreter: what it says of the model, and its one call, for any number of tensors but none."""

    card: dict[str, Any]
    input_shape: tuple[Any, ...]  # the first side is no number where it is free
    output_shape: tuple[Any, ...]

    def logits(self, tensors: Tensors) -> Logits: ...


class OnnxRuntime:
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


class LiteRT:
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


BACKENDS: dict[str, Any] = {".onnx": OnnxRuntime, ".tflite": LiteRT}


def _zipped_card(content: bytes) -> bytes | None:
    """TFLite's metadata standard appends a zip of files to the model."""
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("digitocr.json") as card:
            return card.read(MAX_CARD)
    except Exception:  # no zip, no card in it, or a damaged one, for which zipfile raises many types
        return None


def first_line(error: Exception) -> str:
    """What the interpreters' many kinds of error say, on one line."""
    return str(error).strip().split("\n")[0][:200]
