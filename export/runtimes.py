"""Model files in the runtimes that people use, each in a process of its own, which a file or a runtime may end.

    with Opened(path, "openvino") as model:
        outputs, seconds = model.run(values, batch=1)     # values: the inputs in the file's own form

RUNTIMES lists them. All run on one thread. docs/runtimes.md says what became of the shipped files in each.
"""

import importlib.metadata
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import DigitocrError, MissingLibraryError, ModelError, UsageError
from digitocr.runtime.interpreter import first_line, zipped_card
from digitocr.runtime.models import model_content, parsed_card
from digitocr.runtime.opencv import cv2
from digitocr.runtime.processes import begin
from digitocr.train.evaluation.interpreters import open_keras, open_onnx, open_tflite

if TYPE_CHECKING:
    from digitocr.train.evaluation.interface import Interface, Trial

Array: TypeAlias = npt.NDArray[Any]
Run: TypeAlias = Callable[[Array], Array]  # a model's input, with its own dtype and layout -> its first output

REPLY_SECONDS = 1_200.0  # s; no load and no hundred digits takes a runtime longer on a slow board
TFLITE_MICRO_ARENA = 400_000  # bytes; the float32 file needs 114,000
IREE_OPSET = 21  # of ONNX; the lowest that IREE imports


class Runtime(NamedTuple):
    """A runtime that opens model files.

    Attributes:
        load: Opens a file.
        suffixes: Of the files that it opens.
        packages: What to install for it; the version of the first one that is installed is the runtime's.
        setting: How it is set, if that is not its default.
    """

    load: Callable[[Path], Run]
    suffixes: tuple[str, ...]
    packages: tuple[str, ...]
    setting: str = ""


def _openvino(path: Path, **settings: str) -> Run:
    import openvino

    core = openvino.Core()
    model = core.read_model(path)
    fixed = [side.get_length() if side.is_static else -1 for side in model.input(0).partial_shape]
    model.reshape([-1, *fixed[1:]])
    request = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1, **settings}).create_infer_request()
    return lambda values: np.asarray(next(iter(request.infer([values]).values())))


def _opencv(path: Path) -> Run:
    cv2.setNumThreads(1)
    tflite = path.suffix == ".tflite"
    network = (cv2.dnn.readNetFromTFLite if tflite else cv2.dnn.readNetFromONNX)(str(path))

    def run(values: Array) -> Array:
        # its reader of TFLite files wants channels first, whatever the file says
        network.setInput(np.ascontiguousarray(values.transpose(0, 3, 1, 2)) if tflite else values)
        return np.asarray(network.forward())

    return run


def _tract(path: Path) -> Run:
    import tract

    runnable = tract.onnx().load(str(path)).into_model().into_runnable()
    return lambda values: np.asarray(runnable.run([values])[0].to_numpy())


def _iree(path: Path) -> Run:
    import iree.compiler
    import iree.runtime
    from iree.compiler.tools.import_onnx import __main__ as importer

    with tempfile.TemporaryDirectory() as folder:
        mlir = str(Path(folder, "model.mlir"))
        importer.main(importer.parse_arguments([str(path), "-o", mlir, "--opset-version", str(IREE_OPSET)]))
        host = ["--iree-llvmcpu-target-cpu=host"]
        compiled = iree.compiler.compile_file(mlir, input_type="onnx", target_backends=["llvm-cpu"], extra_args=host)
    module = iree.runtime.load_vm_flatbuffer(compiled, driver="local-sync")
    (name,) = (name for name in module.vm_module.function_names if not name.startswith("__") and "$" not in name)
    function = getattr(module, name)

    def run(values: Array) -> Array:
        outputs = function(values)
        return np.array((outputs[0] if isinstance(outputs, tuple) else outputs).to_host())

    return run


def _tflite_micro(path: Path) -> Run:
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(path.read_bytes(), arena_size=TFLITE_MICRO_ARENA)

    def run(values: Array) -> Array:
        interpreter.set_input(values, 0)
        interpreter.invoke()
        return np.array(interpreter.get_output(0))

    return run


def _mediapipe(path: Path) -> Run:
    import mediapipe
    from mediapipe.tasks.python import vision
    from mediapipe.tasks.python.core.base_options import BaseOptions

    options = vision.ImageClassifierOptions(BaseOptions(model_asset_path=str(path)))
    classifier = vision.ImageClassifier.create_from_options(options)

    def run(values: Array) -> Array:
        if len(values) > 1:
            raise ValueError("it takes one picture a call")
        pixels = values[0] if values.dtype == np.uint8 else np.rint(values[0] * 255).astype(np.uint8)
        picture = mediapipe.Image(mediapipe.ImageFormat.SRGB, np.ascontiguousarray(pixels))
        categories = classifier.classify(picture).classifications[0].categories
        return np.array([[category.score for category in sorted(categories, key=lambda one: one.index)]], np.float32)

    return run


_LITERT = ("ai-edge-litert",)
_ONNX, _TFLITE = (".onnx",), (".tflite",)
DEFAULTS = {".onnx": "onnxruntime", ".tflite": "litert", ".keras": "keras"}  # runtimes by a file's suffix
RUNTIMES = {
    "onnxruntime": Runtime(open_onnx, _ONNX, ("onnxruntime",)),
    "litert": Runtime(open_tflite, _TFLITE, _LITERT),
    "litert-builtin": Runtime(
        partial(open_tflite, kernels="BUILTIN_WITHOUT_DEFAULT_DELEGATES"), _TFLITE, _LITERT, "no XNNPACK"
    ),
    "litert-reference": Runtime(partial(open_tflite, kernels="BUILTIN_REF"), _TFLITE, _LITERT, "reference kernels"),
    "keras": Runtime(open_keras, (".keras",), ("keras", "tensorflow")),
    "openvino": Runtime(_openvino, (*_ONNX, *_TFLITE), ("openvino",)),
    "openvino-f32": Runtime(
        partial(_openvino, INFERENCE_PRECISION_HINT="f32"), (*_ONNX, *_TFLITE), ("openvino",), "precision hint f32"
    ),
    "opencv": Runtime(_opencv, (*_ONNX, *_TFLITE), ("opencv-python", "opencv-python-headless"), "its module dnn"),
    "tract": Runtime(_tract, _ONNX, ("tract",)),
    "iree": Runtime(
        _iree, _ONNX, ("iree-base-compiler", "iree-base-runtime", "onnx", "sympy"), "llvm-cpu for this processor"
    ),
    "mediapipe": Runtime(_mediapipe, _TFLITE, ("mediapipe",), "ImageClassifier"),
    "tflite-micro": Runtime(_tflite_micro, _TFLITE, ("tflite-micro",)),
}


class Opened:
    """A file of the network that reads a digit, opened by a runtime in a process of its own. A context manager.

    Args:
        path: A .onnx, .tflite or .keras file.
        runtime: One of RUNTIMES; by default that of DEFAULTS.

    Attributes:
        path: As given.
        runtime: The name of the runtime.
        version: Of its package.
        signature: Of the file, if the runtime is its default; else None.
        exported: Whether `digitocr export` wrote the file.
        load_seconds: The time that the runtime took to open the file, with its own import and compilation.

    Raises:
        UsageError: There is no such runtime, or it does not read such files.
        MissingLibraryError: It is not installed.
        ModelError: It cannot open the file, or the file or the runtime has ended the process.
    """

    def __init__(self, path: Path, runtime: str | None = None) -> None:
        self.path, self.runtime = path, runtime or DEFAULTS.get(path.suffix, "onnxruntime")
        if self.runtime not in RUNTIMES:
            raise UsageError(f"runtime is {self.runtime}; it must be one of {', '.join(RUNTIMES)}")
        opener = RUNTIMES[self.runtime]
        if path.suffix not in opener.suffixes:
            raise UsageError(f"{path}: {self.runtime} reads {' and '.join(opener.suffixes)} files; name such a file")
        content = model_content(path)
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self.runtime, opener, path), daemon=True)
        began = time.perf_counter()
        self._process.start()
        theirs.close()
        try:
            self.version, self.signature, card = self._reply(None)
        except BaseException:
            self.__exit__()
            raise
        self.load_seconds = time.perf_counter() - began
        self.exported = bool(parsed_card(zipped_card(content) if path.suffix == ".tflite" else card))

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._process.join(1)
        if self._process.is_alive():  # in the middle of its work
            self._process.kill()
            self._process.join()

    def interface(self, trial: "Trial") -> "Interface":
        """What the file takes and puts out, in its default runtime. Raises ModelError where it is no classifier."""
        from digitocr.train.evaluation.interface import find_interface, known_interface  # not in the file's process

        if self.exported:
            return known_interface(self.signature)
        try:
            return find_interface(self.signature, self.first_output, trial)
        except ModelError as error:
            raise ModelError(f"{self.path}: {error}; give a network that reads a digit") from error

    def run(self, values: Array, batch: int) -> tuple[Array, float]:
        """The outputs for (N, ...) inputs in the file's own form, and the seconds of processor time for all of them.

        Args:
            values: The inputs.
            batch: How many of them are given in one call.
        """
        outputs, seconds = self._reply((values, batch))
        return np.asarray(outputs), float(seconds)

    def first_output(self, values: Array) -> Array:
        """The first output for an input of a file of any network, in the file's own form."""
        return self.run(values, len(values))[0]

    def _reply(self, request: tuple[Array, int] | None) -> Any:
        """What the process sends next, after the request if there is one."""
        who = f"{self.path}: {self.runtime}"
        try:
            if request is not None:
                self._connection.send(request)
            if not self._connection.poll(REPLY_SECONDS):
                self._process.kill()
                raise ModelError(f"{who} has not answered for {REPLY_SECONDS:.0f} s; use another runtime")
            reply = self._connection.recv()
        except (EOFError, OSError) as error:
            self._process.join()
            raise ModelError(f"{who} ends its process ({_how(self._process.exitcode)}); use another runtime") from error
        if isinstance(reply, BaseException):
            raise reply
        return reply


def _serve(connection: Any, name: str, runtime: Runtime, path: Path) -> None:
    """The process of an Opened: sends version, signature and card, then answers each (inputs, batch).

    Errors are sent as what they are. Runtimes print much; none of it is shown.
    """
    begin()
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    try:
        run = runtime.load(path)
        signature, card = getattr(run, "signature", None), getattr(run, "card", None)
        connection.send((_version(runtime), signature, card))
        while True:
            inputs, batch = connection.recv()
            began = time.process_time()
            outputs = [run(inputs[at : at + batch]) for at in range(0, len(inputs), batch)]
            connection.send((np.concatenate(outputs), time.process_time() - began))
    except EOFError:  # the parent is done
        return
    except ImportError as error:
        pip = f"pip install {' '.join(runtime.packages)}"
        reason = f"the runtime {name} is not installed ({first_line(error)}); type: {pip}"
        connection.send(MissingLibraryError(reason))
    except DigitocrError as error:
        connection.send(error)
    except Exception as error:  # of any type
        connection.send(ModelError(f"{path}: {name} refuses it ({first_line(error)}); use another runtime"))


def _version(runtime: Runtime) -> str:
    for package in runtime.packages:
        with suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(package)
    return "unknown"


def _how(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
