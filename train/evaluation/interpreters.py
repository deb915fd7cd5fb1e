"""Model files in the interpreters that they are made for, and a bare loop over one of them, as a script by itself.

    network = open_onnx("model.onnx")
    network.signature.input                    # End(shape=(None, 1, 28, 28), dtype='float32', scale=0.0, zero_point=0)
    network(values)                            # the output for an input of that shape and type

    python interpreters.py MODEL INPUT.npy     # one thread; answers lines "CALLS SIZE" by JSON lines of seconds

The script imports nothing of digitocr, so that what it measures is the interpreter alone.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Run: TypeAlias = Callable[[Array], Array]  # an input with the file's own dtype and layout -> the output

CLASSES = (10, 11)  # of a network that reads a digit: the digits, or the digits and "no digit"
FREE_BATCH = None  # the first side of a shape that takes any number of pictures
_ONNX_TYPES = {"float": "float32", "double": "float64"}  # others have numpy's names


class End(NamedTuple):
    """An input or an output, as the file states it.

    Attributes:
        shape: Its sides, the batch first; None where a side is free.
        dtype: Its type, by numpy's name.
        scale: Of integers that stand for numbers: number = (integer - zero_point) * scale. 0 where they do not.
        zero_point: The integer that stands for 0.
    """

    shape: tuple[int | None, ...]
    dtype: str
    scale: float = 0.0
    zero_point: int = 0


class Signature(NamedTuple):
    """The input and the output of a model file."""

    input: End
    output: End


class Network:
    """A model file in an interpreter; called with an input, it returns the output.

    Attributes:
        signature: Its input and output.
        card: The text of digitocr's card in an ONNX file; elsewhere None.
    """

    def __init__(self, signature: Signature, run: Run, card: str | None = None) -> None:
        self.signature, self._run, self.card = signature, run, card

    def __call__(self, values: Array) -> Array:
        return self._run(values)


def open_onnx(path: str | Path) -> Network:
    """An .onnx file in ONNX Runtime on one thread. The output is that of 10 or 11 classes, or else the first one.

    Raises whatever ONNX Runtime raises, and ValueError for a network of several inputs.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # fatal errors only; errors are raised
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (given,) = _only(session.get_inputs(), "inputs")
    ends = session.get_outputs()
    scores = [end for end in ends if end.shape and end.shape[-1] in CLASSES]
    result = scores[0] if len(scores) == 1 else ends[0]
    run, given_name, result_names = session.run, given.name, [result.name]
    signature = Signature(_onnx_end(given), _onnx_end(result))
    card = session.get_modelmeta().custom_metadata_map.get("digitocr")
    return Network(signature, lambda values: np.asarray(run(result_names, {given_name: values})[0]), card)


def open_tflite(path: str | Path, kernels: str = "AUTO") -> Network:
    """A .tflite file in LiteRT on one thread; kernels: a name of its OpResolverType. Raises what open_onnx raises."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = getattr(OpResolverType, kernels)
    interpreter = Interpreter(str(path), num_threads=1, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    (given,) = _only(interpreter.get_input_details(), "inputs")
    (result,) = _only(interpreter.get_output_details(), "outputs")
    batch = int(given["shape"][0])

    def run(values: Array) -> Array:
        nonlocal batch
        if len(values) != batch:
            batch = len(values)
            interpreter.resize_tensor_input(given["index"], values.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], values)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(result["index"]))

    return Network(Signature(_tflite_end(given), _tflite_end(result)), run)


def open_keras(path: str | Path) -> Network:
    """A .keras file in Keras. Code in the file is not run. Raises what open_onnx raises."""
    import keras

    return keras_network(keras.saving.load_model(str(path), compile=False, safe_mode=True))


def keras_network(model: Any) -> Network:
    """A keras.Model, called as the files are."""
    (given,), (result,) = _only(model.inputs, "inputs"), _only(model.outputs, "outputs")
    ends = [End(tuple(end.shape), str(end.dtype)) for end in (given, result)]
    return Network(Signature(*ends), lambda values: np.asarray(model.predict_on_batch(values)))


OPENERS: dict[str, Callable[[str | Path], Network]] = {
    ".onnx": open_onnx,
    ".tflite": open_tflite,
    ".keras": open_keras,
}


def _only(ends: Any, what: str) -> list[Any]:
    if len(ends) != 1:
        raise ValueError(f"it has {len(ends)} {what}; a network that reads a digit has one")
    return list(ends)


def _onnx_end(end: Any) -> End:
    name = end.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(side if isinstance(side, int) else None for side in end.shape)
    return End(shape, _ONNX_TYPES.get(name, name))


def _tflite_end(end: Any) -> End:
    scale, zero_point = end["quantization"]
    return End(tuple(int(side) for side in end["shape"]), np.dtype(end["dtype"]).name, float(scale), int(zero_point))


def main() -> None:
    """Opens the file, answers the first picture, then measures: each line "CALLS SIZE" asks for calls of SIZE pictures.

    Prints "ready" and one JSON list of seconds for each line; at the end of the lines the peak of the memory in bytes.
    """
    path, pictures = Path(sys.argv[1]), np.load(sys.argv[2])
    network = OPENERS[path.suffix](path)
    network(pictures[: network.signature.input.shape[0] or 1])
    print("ready", flush=True)
    clock = time.perf_counter
    for line in sys.stdin:
        calls, size = map(int, line.split())
        seconds = []
        for call in range(calls):
            start = call * size % max(len(pictures) - size + 1, 1)
            values = pictures[start : start + size]
            began = clock()
            network(values)
            seconds.append(clock() - began)
        print(json.dumps(seconds), flush=True)
    status = Path("/proc/self/status").read_text("ascii")
    (peak,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    print(json.dumps(int(peak) * 1024), flush=True)


if __name__ == "__main__":
    main()
