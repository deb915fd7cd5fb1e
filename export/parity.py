"""The gate: an exported file in its own interpreter, compared with its Keras network on MNIST's test images.

    report = compare(path, "int8", probabilities, data, LIMITS["int8"])
    report["passed"], report["failures"]     # False, ["values: 31 of 10,000 answers changed, at most 20 may"]

Names are compared first, then shapes, then values. A stage that fails ends the comparison.
"""

import hashlib
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from digitocr.runtime.classifier import Classifier, Probabilities
from digitocr.runtime.preprocessing import SIDE, scale
from digitocr.train.data import Mnist
from digitocr.train.evaluation.metrics import mcnemar

Report: TypeAlias = dict[str, Any]

MNIST_IMAGES = 10_000  # test images, that limits on answers are stated for
DROP_DIGITS = 4  # to which a drop is rounded, in points


@dataclass(frozen=True)
class Limits:
    """What a file may lose against Keras.

    Attributes:
        max_drop: The largest allowed drop of accuracy, in points; 0.05 is 5 images of 10,000.
        max_changed: How many answers of 10,000 may differ, whether right or wrong.
    """

    max_drop: float
    max_changed: int

    def of(self, images: int) -> "Limits":
        """The limits in proportion to fewer images than MNIST's 10,000; what allows part of one image allows one."""
        if images >= MNIST_IMAGES or not images:
            return self
        changed = math.ceil(self.max_changed * images / MNIST_IMAGES)
        return Limits(max(self.max_drop, 100 / images) if self.max_drop > 0 else self.max_drop, changed)


LIMITS = {  # by quantization; float32 and float16 must give the same answers
    "none": Limits(max_drop=0.0, max_changed=0),
    "float16": Limits(max_drop=0.0, max_changed=0),
    "dynamic": Limits(max_drop=0.05, max_changed=20),
    "int8": Limits(max_drop=0.05, max_changed=20),
}


def compare(
    path: Path, quantization: str, reference: Probabilities, data: Mnist, limits: Limits, channels: int = 1
) -> Report:
    """Compares the .onnx or .tflite file at `path` with Keras.

    A defect of the file is a failure in the report, not an exception.

    Args:
        path: The file.
        quantization: "none", "float16", "dynamic" or "int8"; written to the report.
        reference: (10000, classes) float32, the Keras network's probabilities of the test images.
        data: MNIST.
        limits: What the file may lose.
        channels: Of the file's input.

    Returns:
        A JSON-ready report: schema, file, sha256, quantization, limits, images, passed, failures (one line each). If
        the values were compared also accuracy {keras, file}, drop (points), equal (share of equal answers), changed
        (index, truth, before and after of each image), difference {largest, p99} (of each image's most different
        probability), mcnemar_p and recall_change (points, by digit).
    """
    report = {**_head(path, quantization), "limits": asdict(limits), "images": len(data.test_labels)}
    try:
        failures = _interface_failures(path, reference.shape[1], channels)
        if not failures:
            probabilities = Classifier(path).predict(scale(data.test_images))
            values = _values(reference, probabilities, data)
            report |= values
            failures = _value_failures(probabilities, values, limits)
    except Exception as error:  # interpreters raise many types without a common base; any of them fails the gate
        failures = [f"load: {(str(error).strip() or type(error).__name__).splitlines()[0][:200]}"]
    return {**report, "passed": not failures, "failures": failures}


def unverified(path: Path, quantization: str) -> Report:
    """The report on a file that was not compared: passed is None."""
    return {**_head(path, quantization), "passed": None, "failures": []}


def _head(path: Path, quantization: str) -> Report:
    return {
        "schema": "digitocr-parity/1",
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "quantization": quantization,
    }


def _interface_failures(path: Path, classes: int, channels: int) -> list[str]:
    """What is wrong with the names of input and output or, if nothing is, with their shapes."""
    batch, read = (None, _onnx_interface) if path.suffix == ".onnx" else (1, _tflite_interface)
    names, shapes = read(path)
    if names != ("image", "logits"):
        return [f"names: input and output are {names[0]} and {names[1]}, not image and logits"]
    expected = ((batch, SIDE, SIDE, channels), (batch, classes))
    if shapes != expected:
        return [f"shapes: {shapes[0]} to {shapes[1]}, not {expected[0]} to {expected[1]}"]
    return []


def _onnx_interface(path: Path) -> tuple[tuple[str, ...], tuple[tuple[int | None, ...], ...]]:
    import onnx

    graph = onnx.load(str(path)).graph
    sides = [*graph.input, *graph.output]
    shapes = tuple(tuple(dim.dim_value or None for dim in side.type.tensor_type.shape.dim) for side in sides)
    return tuple(side.name for side in sides), shapes


def _tflite_interface(path: Path) -> tuple[tuple[str, ...], tuple[tuple[int | None, ...], ...]]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    sides = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    return tuple(side["name"] for side in sides), tuple(tuple(int(n) for n in side["shape"]) for side in sides)


def _values(before: Probabilities, after: Probabilities, data: Mnist) -> Report:
    truth = data.test_labels
    answers_before, answers_after = before.argmax(axis=1), after.argmax(axis=1)
    right_before, right_after = answers_before == truth, answers_after == truth
    changed = np.flatnonzero(answers_before != answers_after)
    difference = np.nan_to_num(np.abs(before - after), nan=1.0).max(axis=1)
    return {
        "accuracy": {"keras": float(right_before.mean()), "file": float(right_after.mean())},
        "drop": round(100 * float(right_before.mean() - right_after.mean()), DROP_DIGITS),
        "equal": 1 - len(changed) / len(truth),
        "changed": [
            {
                "index": int(image),
                "truth": int(truth[image]),
                "before": int(answers_before[image]),
                "after": int(answers_after[image]),
            }
            for image in changed
        ],
        "difference": {"largest": float(difference.max()), "p99": float(np.quantile(difference, 0.99))},
        "mcnemar_p": mcnemar(right_before, right_after),
        "recall_change": {
            str(digit): round(100 * float(right_after[truth == digit].mean() - right_before[truth == digit].mean()), 4)
            for digit in np.unique(truth)
        },
    }


def _value_failures(probabilities: Probabilities, values: Report, limits: Limits) -> list[str]:
    if not np.isfinite(probabilities).all():
        return ["values: some probabilities are not numbers"]
    if len(np.unique(probabilities.argmax(axis=1))) == 1:
        return [f"values: every image is answered {probabilities[0].argmax()}"]
    failures = []
    changed = len(values["changed"])
    if changed > limits.max_changed:
        total = f"{len(probabilities):,}"
        failures.append(f"values: {changed} of {total} answers changed, at most {limits.max_changed} may")
    if values["drop"] > limits.max_drop + 10**-DROP_DIGITS:
        failures.append(f"values: accuracy drops by {values['drop']:.2f} points, at most {limits.max_drop:.2f} allowed")
    return failures
