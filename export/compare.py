"""Two model files, or one in two runtimes, compared on MNIST's test images: answers, probabilities, time.

result = compare_files(Path("exports/digitocr-int8.tflite"), Path("exports/digitocr-int8.tflite"), "openvino", data)
result["equal"], result["largest difference"], result["time ratio"]      # 10000, 0.0, 0.95

Any runtime of runtimes.py that is installed can be the second one.
"""

import hashlib
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from digitocr.export.runtimes import RUNTIMES, Opened
from digitocr.runtime.classifier import Probabilities
from digitocr.runtime.errors import ModelError
from digitocr.runtime.interpreter import Logits
from digitocr.runtime.preprocessing import scale
from digitocr.runtime.recognizer import softmax
from digitocr.train.data import Mnist

ROUND = 100  # images that one file answers before it is the other one's turn
BATCH = 64  # images in one call, to see whether a file takes several
BATCH_TOLERANCE = 1e-4  # logit; integer files are exact, and float32 ones differ by 1e-5 where kernels do
SUM_TOLERANCE = 0.05  # a softmax that is quantized to 1/256 may miss a sum of 1 by 0.02


def compare_files(a: Path, b: Path, runtime: str | None, data: Mnist, images: int | None = None) -> dict[str, Any]:
    """Compares two files of the network that reads a digit, each in a process of its own, in turns, on one thread.

    Args:
        a: A .onnx or .tflite file, which runs in ONNX Runtime or LiteRT.
        b: Another one, or the same.
        runtime: What b runs in, one of RUNTIMES; None: ONNX Runtime or LiteRT.
        data: MNIST.
        images: How many test images; None: all 10,000.

    Returns:
        JSON-ready: schema, images, "a" and "b" {file, sha256, runtime, version, setting, accuracy, microseconds of
        processor time for an image alone, load seconds, batch}, equal (answers), "largest difference" of a
        probability, "same bits" of all outputs, "time ratio" (b's time over a's, median of the rounds). batch is "yes"
        if BATCH images in one call get the same outputs, else what happens.

    Raises:
        UsageError, MissingLibraryError, ModelError: As Opened raises them.
    """
    tensors, truth = scale(data.test_images[:images]), data.test_labels[:images]
    with Opened(a) as first, Opened(b, runtime) as second:
        files = (first, second)
        logits: list[list[Logits]] = [[], []]
        seconds: list[list[float]] = [[], []]
        for one in files:
            one.one_by_one(tensors[:ROUND])  # the first calls are slower
        for start in range(0, len(tensors), ROUND):
            part = tensors[start : start + ROUND]
            for place, one in enumerate(files):
                rows, taken = one.one_by_one(part)
                if rows.shape[:1] != part.shape[:1] or rows.ndim != 2:
                    raise ModelError(f"{one.path}: answers {list(rows.shape)}; it does not read one digit a call")
                logits[place].append(rows)
                seconds[place].append(taken / len(part))
        outputs = [np.concatenate(rows) for rows in logits]
        batches = [_batch(one, tensors[:BATCH], rows[:BATCH]) for one, rows in zip(files, outputs, strict=True)]
    if outputs[0].shape != outputs[1].shape:
        raise ModelError(f"{a} has {outputs[0].shape[1]} classes, {b} has {outputs[1].shape[1]}; compare other files")
    probabilities = [_probabilities(rows) for rows in outputs]
    answers = [rows.argmax(1) for rows in probabilities]
    ratios = [mine / theirs for theirs, mine in zip(*seconds, strict=True)]

    def described(place: int) -> dict[str, Any]:
        one = files[place]
        return {
            "file": one.path.name,
            "sha256": hashlib.sha256(one.path.read_bytes()).hexdigest(),
            "runtime": one.runtime,
            "version": one.version,
            "setting": RUNTIMES[one.runtime].setting,
            "accuracy": float((answers[place] == truth).mean()),
            "microseconds": round(1e6 * statistics.median(seconds[place]), 1),
            "load seconds": round(one.load_seconds, 3),
            "batch": batches[place],
        }

    return {
        "schema": "digitocr-compare/1",
        "images": len(tensors),
        "a": described(0),
        "b": described(1),
        "equal": int((answers[0] == answers[1]).sum()),
        "largest difference": _largest(probabilities[0], probabilities[1]),
        "same bits": bool((outputs[0] == outputs[1]).all()),
        "time ratio": round(statistics.median(ratios), 3),
    }


def _batch(one: Opened, tensors: Any, alone: Logits) -> str:
    """Whether the file takes these tensors in one call, and answers as it does one by one."""
    try:
        rows, _ = one.at_once(tensors)
    except ModelError as error:
        return str(error).removeprefix(f"{one.path}: ")
    if rows.shape != alone.shape:
        return f"{len(rows)} of {len(tensors)} rows come back"
    return "yes" if _largest(rows, alone) <= BATCH_TOLERANCE else "other answers"


def _largest(a: Logits, b: Logits) -> float:
    return float(np.nan_to_num(np.abs(a - b), nan=np.inf).max())


def _probabilities(outputs: Logits) -> Probabilities:
    """The outputs where they are probabilities, else their softmax."""
    in_range = ((outputs >= 0) & (outputs <= 1)).all()
    if in_range and (abs(outputs.sum(axis=1) - 1) < SUM_TOLERANCE).all():
        return outputs
    return softmax(outputs)
