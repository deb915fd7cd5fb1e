"""ONNX Runtime and LiteRT behind one call, which any number of threads may make at once."""

import io
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import MissingExtraError, ModelError, UsageError
from digitocr.runtime.models import check_shipped, model_card, model_content, parsed_card

if TYPE_CHECKING:
    from digitocr.runtime.preprocessing import Tensors

T = TypeVar("T")
Logits: TypeAlias = npt.NDArray[np.float32]  # (N, classes)
Planes: TypeAlias = npt.NDArray[np.float32]  # (1, C, H, W)

CPU = ("CPUExecutionProvider",)  # the default providers; every build of ONNX Runtime has this one
MAX_CARD_BYTES = 1_000_000  # read from a model's zip; a card has some 2,000
RUN_TENSORS = 64  # tensors in one call; larger calls take more memory, and more time for each tensor as well
_INTEGERS = (np.int8, np.uint8)  # of a quantized file's input and output
ARENA_BYTES = 1 << 26  # of the block that the arena begins with; the system gives a page when it is first used
SPARE_BYTES = 1 << 16  # of a free block, at most, that are not divided from what is taken
MAX_MESSAGE = 200  # characters of a library's error that are passed on


def onnx_session(content: bytes, path: Path, threads: int, providers: Sequence[str] = CPU) -> Any:
    """An onnxruntime.InferenceSession of a model file.

    Args:
        content: The bytes of the .onnx file.
        path: The name of the file, for messages.
        threads: Threads of the interpreter; they sleep between two calls instead of spinning.
        providers: ONNX Runtime's execution providers, the preferred one first.

    Raises:
        ModelError: ONNX Runtime cannot load the file.
        UsageError: A provider is not part of this build of ONNX Runtime, or does not start on this machine.
    """
    import onnxruntime

    if isinstance(providers, str):
        raise UsageError(f'providers must be a list of names, as ["{providers}"], not "{providers}"')
    available = onnxruntime.get_available_providers()
    if not set(providers) <= set(available) or not providers:
        raise UsageError(f"providers must be among {', '.join(available)}, not {', '.join(providers) or 'empty'}")
    if path.suffix == ".tflite":
        raise ModelError(f"{path}: is for phones; on a computer a detector or a recognizer is a .onnx file: give that")
    _share_arena()
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False  # pictures have many sizes: what is planned for one is hardly used again
    options.log_severity_level = 4  # fatal errors only; errors are raised
    # PyTorch writes weights to a file beside the model's; else they are looked for where one works (before 1.19 always)
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path.parent))
    try:
        session = onnxruntime.InferenceSession(content, options, providers=list(providers))
    except Exception as error:  # its exceptions share no public base
        raise ModelError(f"{path}: ONNX Runtime cannot load it ({first_line(error)})") from error
    missing = set(providers) - set(session.get_providers())
    if missing:  # ONNX Runtime falls back to the CPU without a word
        raise UsageError(f"{', '.join(sorted(missing))} does not start on this machine; are its libraries installed?")
    return session


@cache
def _share_arena() -> None:
    """Has this process's networks take their memory from one arena that begins with a large block.

    By default each session grows an arena of its own by what it needs next, so that a picture of another size fits into
    none of its blocks. Sessions of others in the same process keep their own.
    """
    import onnxruntime

    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    with suppress(Exception):  # where the process has registered one, that is shared
        onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg(0, 0, ARENA_BYTES, SPARE_BYTES))


def litert_interpreter(content: bytes, path: Path, threads: int) -> Any:
    """A LiteRT Interpreter of a .tflite file, with its tensors allocated.

    Raises ModelError where LiteRT cannot load the file, and MissingExtraError where it is not installed.
    """
    interpreter = litert_library()
    try:
        loaded = interpreter(model_content=content, num_threads=threads)
        loaded.allocate_tensors()
    except Exception as error:  # its exceptions share no public base
        raise ModelError(f"{path}: LiteRT cannot load it ({first_line(error)})") from error
    return loaded


def litert_library() -> Any:
    """LiteRT's class Interpreter. Raises MissingExtraError."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise MissingExtraError("tflite", "reading a .tflite model") from error
    return Interpreter


class Backend(Protocol):
    """An interpreter with one model.

    Attributes:
        card: What `digitocr export` wrote into the model; {} for other files.
        input_shape: Sides of the input. The first one is no int where the batch size is free.
        output_shape: Sides of the output, in the same form.
    """

    card: dict[str, Any]
    input_shape: tuple[Any, ...]
    output_shape: tuple[Any, ...]

    def logits(self, tensors: "Tensors") -> Logits:
        """The model's outputs, (N, classes) float32, for (N, 28, 28, 1) float32; N is at least 1."""


class OnnxRuntime:
    """A Backend; ONNX Runtime's sessions may be run by several threads at once."""

    def __init__(self, content: bytes, path: Path, threads: int, providers: Sequence[str] = CPU) -> None:
        self._session = onnx_session(content, path, threads, providers)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise _not_a_classifier(path, len(inputs), len(outputs))
        if (inputs[0].type, outputs[0].type) != ("tensor(float)", "tensor(float)"):
            raise ModelError(f"{path}: takes {inputs[0].type} to {outputs[0].type}, not tensor(float); export it again")
        self._input, self._outputs = inputs[0].name, [outputs[0].name]
        self.input_shape, self.output_shape = tuple(inputs[0].shape), tuple(outputs[0].shape)
        self.card = model_card(self._session)

    def logits(self, tensors: "Tensors") -> Logits:
        step = 1 if isinstance(self.input_shape[0], int) else RUN_TENSORS
        if len(tensors) <= step:
            single: Logits = self._session.run(self._outputs, {self._input: tensors})[0]
            return single
        parts = [tensors[start : start + step] for start in range(0, len(tensors), step)]
        return np.concatenate([self._session.run(self._outputs, {self._input: part})[0] for part in parts])


class LiteRT:
    """A Backend; threads wait for each other, since a LiteRT interpreter holds one input and one output."""

    def __init__(self, content: bytes, path: Path, threads: int, _providers: Sequence[str] = CPU) -> None:
        self._interpreter = litert_interpreter(content, path, threads)
        self._lock = threading.Lock()
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise _not_a_classifier(path, len(inputs), len(outputs))
        self._input, self._output = inputs[0], outputs[0]
        for end in (self._input, self._output):
            if end["dtype"] is not np.float32 and not (end["dtype"] in _INTEGERS and end["quantization"][0] > 0):
                raise ModelError(
                    f"{path}: {end['name']} is neither float32 nor quantized int8 or uint8; export it again"
                )
        self.input_shape = tuple(int(side) for side in self._input["shape"])
        self.output_shape = tuple(int(side) for side in self._output["shape"])
        self.card = parsed_card(zipped_card(content))

    def logits(self, tensors: "Tensors") -> Logits:
        # one channel, or three of a colour
        values = _quantized(tensors.repeat(self.input_shape[-1], axis=3), self._input)
        rows = []
        for row in range(len(values)):  # the graph's batch is 1
            with self._lock:
                self._interpreter.set_tensor(self._input["index"], values[row : row + 1])
                self._interpreter.invoke()
                rows.append(self._interpreter.get_tensor(self._output["index"]))  # a copy
        return _dequantized(np.concatenate(rows), self._output)


def _quantized(values: npt.NDArray[np.float32], end: dict[str, Any]) -> npt.NDArray[Any]:
    """Values as the input of a TFLite file takes them: unchanged, or rounded to its integers."""
    if end["dtype"] not in _INTEGERS:
        return values
    scale, zero_point = end["quantization"]
    kind = np.iinfo(end["dtype"])
    return np.asarray(np.clip(np.rint(values / scale) + zero_point, kind.min, kind.max).astype(kind.dtype))


def _dequantized(values: npt.NDArray[Any], end: dict[str, Any]) -> npt.NDArray[np.float32]:
    """The values that the output of a TFLite file stands for."""
    if end["dtype"] not in _INTEGERS:
        return values
    scale, zero_point = end["quantization"]
    return np.asarray((values.astype(np.float32) - zero_point) * np.float32(scale))


class PlanesNetwork:
    """A file of a detector or a recognizer in its interpreter, on one thread and for one thread.

    Args:
        path: A .onnx or .tflite file.

    Attributes:
        sha256: The digest of the file.
        card: What `digitocr export` wrote into the file; {} for other files.
        sides: Height and width that the input must have; None where they are free.

    Raises:
        ModelError: The file cannot be used.
        MissingExtraError: It is a .tflite file, and LiteRT is not installed.
    """

    def __init__(self, path: Path) -> None:
        content = model_content(path)
        self.sha256 = check_shipped(path, content)
        self.sides: tuple[int | None, ...]
        if path.suffix == ".tflite":
            interpreter = litert_interpreter(content, path, 1)
            self._run = partial(_run_litert, interpreter)
            self.card = parsed_card(zipped_card(content))
            self.sides = tuple(int(side) for side in interpreter.get_input_details()[0]["shape"][1:3])
        else:
            session = onnx_session(content, path, 1)
            self._run = partial(_run_onnx, session)
            self.card = model_card(session)
            self.sides = tuple(side if isinstance(side, int) else None for side in session.get_inputs()[0].shape[-2:])

    def outputs(self, planes: Planes) -> dict[str, Planes]:
        """The outputs by their names, (1, C, H, W) each, for an input of the same form."""
        return self._run(planes)


def _run_onnx(session: Any, planes: Planes) -> dict[str, Planes]:
    names = [end.name for end in session.get_outputs()]
    return dict(zip(names, session.run(None, {session.get_inputs()[0].name: planes}), strict=True))


def _run_litert(interpreter: Any, planes: Planes) -> dict[str, Planes]:
    """Tensors of TFLite have their channels last."""
    (image,) = interpreter.get_input_details()
    interpreter.set_tensor(image["index"], _quantized(planes.transpose(0, 2, 3, 1), image))
    interpreter.invoke()
    return {
        end["name"]: _dequantized(interpreter.get_tensor(end["index"]), end).transpose(0, 3, 1, 2)
        for end in interpreter.get_output_details()
    }


def _not_a_classifier(path: Path, inputs: int, outputs: int) -> ModelError:
    return ModelError(
        f"{path}: inputs: {inputs}, outputs: {outputs}; a network that reads a digit has one of each. A detector is "
        "given by --detector"
    )


BACKENDS: dict[str, Any] = {".onnx": OnnxRuntime, ".tflite": LiteRT}


def zipped_card(content: bytes) -> bytes | None:
    """TFLite's metadata standard appends a zip of files to the model."""
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("digitocr.json") as card:
            return card.read(MAX_CARD_BYTES)
    except Exception:  # no zip, no card in it, or a damaged one, for which zipfile raises many types
        return None


def run(call: Callable[[], T], name: str) -> T:
    """What the call of an interpreter gives. Raises ModelError with the model's name for whatever it raises."""
    try:
        return call()
    except Exception as error:  # the interpreters' exceptions share no base
        raise ModelError(f"{name}: fails where it is run ({first_line(error)}); export it again") from error


def finite(output: npt.NDArray[np.float32], shape: tuple[int, ...], name: str) -> npt.NDArray[np.float32]:
    """The output of a model. Raises ModelError unless it has that shape and all its numbers are finite."""
    if output.shape != shape or not np.isfinite(output).all():
        sides = "x".join(map(str, shape))
        raise ModelError(f"{name}: puts out something else than {sides} finite numbers; export it again")
    return output


def first_line(error: Exception) -> str:
    """The first line of an error of an interpreter, MAX_MESSAGE characters at most."""
    return str(error).strip().split("\n")[0][:MAX_MESSAGE]
