"""Two model files, or one in two runtimes, compared on test images: answers, probabilities, time.

result = compare_files(Path("exports/digitocr-int8.tflite"), Path("exports/digitocr-int8.tflite"), "openvino", data)
result["equal"], result["largest difference"], result["time ratio"]      # 10000, 0.0, 0.95

Any runtime of runtimes.py that is installed can be the second one.
"""

import hashlib
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from digitocr.export.runtimes import RUNTIMES, Opened
from digitocr.runtime.errors import ModelError
from digitocr.runtime.interpreter import Logits
from digitocr.runtime.preprocessing import scale
from digitocr.train.data import Mnist
from digitocr.train.evaluation.interface import Interface, output_of, trial_of
from digitocr.train.evaluation.interpreters import Array
from digitocr.train.sources.labelled import NONE

ROUND = 100  # images that one file answers before it is the other one's turn
BATCH = 64  # images in one call, to see whether a file takes several
BATCH_TOLERANCE = 1e-4  # logit; integer files are exact, and float32 ones differ by 1e-5 where kernels do
SHOWN, COLUMNS = 200, 10  # pictures on a sheet, and in a row of it
CELL, GAP, LINE = 120, 8, 12  # pixels; of a picture's cell, around the picture, and of a line below it
NAME = 15  # characters of a picture's name
BACKGROUND, INK = 90, 255  # grey levels


def compare_files(a: Path, b: Path, runtime: str | None, data: Mnist, images: int | None = None) -> dict[str, Any]:
    """Compares two files of networks that read a digit, each in a process of its own, in turns, on one thread.

    Args:
        a: A .onnx, .tflite or .keras file, whoever made it, which runs in its default runtime.
        b: Another one, or the same.
        runtime: What b runs in, one of RUNTIMES; None: its default one.
        data: MNIST or own data. What a file that `digitocr export` did not write takes is found out with its training
            images.
        images: How many test images; None: all.

    Returns:
        JSON-ready: schema, images, "a" and "b" {file, sha256, runtime, version, setting, accuracy, microseconds of
        processor time for an image alone, load seconds, batch, interface (None for files of `digitocr export`)},
        equal (answers), changed (of each image with different answers the index, name, truth, and of a and b answer
        and confidence), "largest difference" of a probability, "same bits" of all outputs, "time ratio" (b's time over
        a's, median of the rounds). batch is "yes" if BATCH images in one call get the same outputs, else what happens.
        Of files with 10 and 11 classes the ten digits are compared.

    Raises:
        UsageError, MissingLibraryError, ModelError: As Opened raises them.
    """
    tensors, truth = scale(data.test_images[:images]), data.test_labels[:images]
    with Opened(a) as first, Opened(b, runtime) as second:
        files, trial = (first, second), trial_of(data)
        interfaces = [first.interface(trial)]
        if a == b:
            interfaces *= 2
        elif second.signature is not None:
            interfaces.append(second.interface(trial))
        else:
            with Opened(b) as plain:
                interfaces.append(plain.interface(trial))
        steps = [interface.signature.input.shape[0] or 1 for interface in interfaces]
        values = [interface.filled(interface.inputs(tensors)) for interface in interfaces]
        outputs: list[list[Array]] = [[], []]
        seconds: list[list[float]] = [[], []]
        for one, given, step in zip(files, values, steps, strict=True):
            one.run(given[: -(-ROUND // step) * step], step)  # the first calls are slower
        for turn in range(-(-len(tensors) // ROUND)):
            for place, (one, given, step) in enumerate(zip(files, values, steps, strict=True)):
                size = -(-ROUND // step) * step
                part = given[turn * size : turn * size + size]
                if len(part):
                    rows, taken = one.run(part, step)
                    outputs[place].append(_numbers(one, interfaces[place], rows, len(part)))
                    seconds[place].append(taken / len(part))
        numbers = [np.concatenate(rows)[: len(tensors)] for rows in outputs]
        batches = [
            _batch(one, given[:BATCH], rows[:BATCH], step, interface)
            for one, given, rows, step, interface in zip(files, values, numbers, steps, interfaces, strict=True)
        ]
    classes = min(interface.classes for interface in interfaces)
    probabilities = [  # a runtime may apply a softmax of its own
        replace(interface, output=output_of(rows)).probabilities(rows)[:, :classes]
        for interface, rows in zip(interfaces, numbers, strict=True)
    ]
    answers = [rows.argmax(1) for rows in probabilities]
    ratios = [mine / theirs for theirs, mine in zip(*seconds, strict=False)]

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
            "interface": None if one.exported else interfaces[place].described(),
        }

    names = [row[0] for row in data.origin.rows[len(data.train_labels) :]] if data.origin else []
    changed = [
        {
            "index": at,
            "name": names[at] if names else f"test image {at}",
            "truth": int(truth[at]),
            **{
                place: {"answer": int(answers[number][at]), "confidence": round(float(rows[at].max()), 4)}
                for number, (place, rows) in enumerate(zip("ab", probabilities, strict=True))
            },
        }
        for at in np.flatnonzero(answers[0] != answers[1]).tolist()
    ]
    return {
        "schema": "digitocr-compare/1",
        "images": len(tensors),
        "a": described(0),
        "b": described(1),
        "equal": len(tensors) - len(changed),
        "changed": changed,
        "largest difference": _largest(probabilities[0], probabilities[1]),
        "same bits": numbers[0].shape == numbers[1].shape and bool((numbers[0] == numbers[1]).all()),
        "time ratio": round(statistics.median(ratios), 3),
    }


def _numbers(one: Opened, interface: Interface, outputs: Array, count: int) -> Logits:
    try:
        return interface.numbers(outputs, count)
    except ModelError as error:
        raise ModelError(f"{one.path}: {error}; it does not read one digit a call in {one.runtime}") from error


def _batch(one: Opened, values: Array, alone: Logits, step: int, interface: Interface) -> str:
    """Whether the file takes these inputs in one call, and answers as it does one by one."""
    if step > 1:
        return f"it takes {step} a call"
    try:
        outputs, _ = one.run(values, len(values))
    except ModelError as error:
        return str(error).removeprefix(f"{one.path}: ")
    if outputs.size != alone.size:
        return f"{len(outputs)} of {len(values)} rows come back"
    return "yes" if _largest(interface.numbers(outputs, len(values)), alone) <= BATCH_TOLERANCE else "other answers"


def _largest(a: Logits, b: Logits) -> float:
    return float(np.nan_to_num(np.abs(a - b), nan=np.inf).max())


def sheet(data: Mnist, changed: Sequence[dict[str, Any]], letters: tuple[str, str] = ("A", "B")) -> Image.Image:
    """The first SHOWN pictures that two files answer differently, with their labels and both answers: a grey image.

    Where there is none, it says so.

    Args:
        data: What they were compared on.
        changed: Of the result of compare_files.
        letters: What the two files are called.
    """
    shown = changed[:SHOWN]
    columns = max(1, min(COLUMNS, len(shown)))
    page = Image.new("L", (columns * CELL, max(1, -(-len(shown) // columns)) * (CELL + 3 * LINE)), BACKGROUND)
    draw = ImageDraw.Draw(page)
    if not shown:
        draw.text((GAP // 2, GAP // 2), "none differs", fill=INK)
    for place, one in enumerate(shown):
        left, top = place % columns * CELL, place // columns * (CELL + 3 * LINE)
        picture = Image.fromarray(data.test_images[one["index"]])
        page.paste(
            picture.resize((CELL - GAP, CELL - GAP), Image.Resampling.NEAREST), (left + GAP // 2, top + GAP // 2)
        )
        lines = [f"{one['name'][-NAME:]} is {one['truth']}"]
        for letter, answer in zip(letters, (one["a"], one["b"]), strict=True):
            said = "no digit" if answer["answer"] == NONE else answer["answer"]
            lines.append(f"{letter}: {said} ({answer['confidence']:.2f})")
        for number, line in enumerate(lines):
            draw.text((left + GAP // 2, top + CELL - GAP // 2 + number * LINE), line, fill=INK)
    return page
