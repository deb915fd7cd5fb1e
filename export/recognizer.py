"""Export of the recognition network: ONNX or TFLite, float32 or int8, compared with Keras on drawn strips.

    strips = held_out_strips(load_mnist(), find_fonts(None))
    report = export_recognizer(Path("runs/recognizer-0/recognizer.keras"), "int8", Path("exports"), strips)

leaves recognizer-int8.onnx, its card, its report and its golden vectors. With tflite=True it is
recognizer-320x32-int8.tflite, which takes strips of that size only.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from digitocr.export.graph_to_onnx import graph_to_onnx
from digitocr.export.graph_to_tflite import graph_to_tflite
from digitocr.export.network_file import planned, published
from digitocr.export.parity import Report
from digitocr.export.quantize import quantize_onnx
from digitocr.export.space_to_depth import space_to_depth
from digitocr.runtime.interpreter import PlanesNetwork
from digitocr.runtime.recognizer import (
    CLASS_COUNT,
    CLASSES,
    OUTPUT_STRIDE,
    PLANES,
    STRIP_HEIGHT,
    recognizer_input,
    softmax,
)
from digitocr.train.data import Mnist, split
from digitocr.train.recognizer.network import SPLIT, columns, load_recognizer
from digitocr.train.recognizer.score import digits, read_share
from digitocr.train.synthesis.fonts import held_out
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.strip_layouts import draw_strip
from digitocr.train.synthesis.strips import Strip
from digitocr.train.synthesis.strokes import Floats

OUTPUTS = {"logits": slice(0, SPLIT * CLASS_COUNT)}  # all channels of the network's output
LABELS = [*CLASSES, "other", "gap"]  # of the classes, in the card
GATE_STRIPS = 1_400  # drawn strips for calibration and gate together
GATE_SEED = 2**31 + 5  # of the strips; training seeds are below 2**31, and fit.HELD_OUT_SEED is another one
CALIBRATION_STRIPS = 400  # strips, the first of those given; the gate compares on the rest
PERCENTILE = 99.995  # of a layer's values that its int8 range holds; rare large ones would make its steps coarse
RECOGNIZER_LIMITS = {"none": 0.0, "int8": 0.3}  # by quantization: points of the digits that may be lost against Keras
_PREDICT_BATCH = 64  # strips


def held_out_strips(data: Mnist, fonts: Sequence[Path]) -> list[Strip]:
    """GATE_STRIPS strips for export_recognizer, drawn with a seed, fonts and images of MNIST that no training has."""
    _, held = split(data)
    fonts = list(fonts)
    glyphs = Glyphs(data.train_images[held], data.train_labels[held], held_out(fonts) or fonts, seed=1)
    return [draw_strip(np.random.default_rng((GATE_SEED, number)), glyphs) for number in range(GATE_STRIPS)]


def export_recognizer(
    source: Path, quantize: str, out: Path, strips: Sequence[Strip], force: bool = False, tflite: bool = False
) -> Report:
    """Writes recognizer-float32.onnx (quantize "none") or recognizer-int8.onnx; returns the gate's report.

    Args:
        source: The recognizer.keras of a run.
        quantize: "none" or "int8".
        out: The folder to write to.
        strips: The result of held_out_strips; more than CALIBRATION_STRIPS.
        force: Overwrite files of an earlier export.
        tflite: Write a TFLite file, as wide as the strips, in the place of ONNX.

    Raises:
        UsageError: The quantization does not exist.
        ModelError: The source holds no recognizer.
        OutputError: A file exists already or cannot be written.
        GateError: The file reads too many digits worse than Keras. Its report is kept, the file is not.
    """
    height, width = strips[0].image.shape
    path = planned("recognizer", quantize, list(RECOGNIZER_LIMITS), out, force, (height, width) if tflite else None)
    network = load_recognizer(source)
    given = np.stack([recognizer_input(strip.image) for strip in strips[:CALIBRATION_STRIPS]])
    model: Any
    if tflite:
        ranges = given.transpose(0, 2, 3, 1) if quantize == "int8" else None
        model = graph_to_tflite(network, OUTPUTS, (height, width), ranges)
    else:
        model = graph_to_onnx(network, OUTPUTS)
        if quantize == "int8":
            model = space_to_depth(quantize_onnx(model, given, PERCENTILE))
    described: dict[str, Any] = {
        "labels": LABELS,
        "input": {"name": "image", "shape": [None, PLANES, STRIP_HEIGHT, None], "dtype": "float32", "range": [0, 1]},
        "output": {
            "name": "logits",
            "shape": [None, SPLIT * CLASS_COUNT, 1, None],
            "dtype": "float32",
            "activation": "none: apply softmax",
        },
        "weights": int(network.count_params()),
    }
    if tflite:
        described["input"]["shape"] = [1, height, width, PLANES]
        described["output"]["shape"] = [1, 1, width // OUTPUT_STRIDE, SPLIT * CLASS_COUNT]
    return published(
        model,
        path,
        quantize,
        source,
        described,
        lambda written: _compared(written, quantize, network, strips[CALIBRATION_STRIPS:]),
    )


def _compared(path: Path, quantize: str, network: keras.Model, strips: Sequence[Strip]) -> Report:
    """The gate's report: what the file and Keras read in the strips."""
    texts = [strip.text for strip in strips]
    inputs = np.stack([recognizer_input(strip.image).transpose(1, 2, 0) for strip in strips])
    exact = softmax(np.asarray(columns(network.predict(inputs, batch_size=_PREDICT_BATCH, verbose=0))))
    written = _written(path, strips)
    (keras_digits, keras_exact), (file_digits, file_exact) = (read_share(lines, texts) for lines in (exact, written))
    drop = 100 * (keras_digits - file_digits)
    failures = []
    if not drop <= RECOGNIZER_LIMITS[quantize]:
        allowed = RECOGNIZER_LIMITS[quantize]
        failures.append(f"values: {drop:.2f} points of the digits are lost, at most {allowed:.2f} allowed")
    if not np.isfinite(written).all():
        failures = ["values: some are not numbers"]
    return {
        "schema": "digitocr-recognizer-parity/1",
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "quantization": quantize,
        "strips": len(strips),
        "keras": {"digits": keras_digits, "exact": keras_exact},
        "digits": file_digits,
        "exact": file_exact,
        "drop": round(drop, 3),
        "same": float(np.mean([digits(a) == digits(b) for a, b in zip(exact, written, strict=True)])),
        "largest difference": float(np.abs(exact - written).max()),
        "passed": not failures,
        "failures": failures,
    }


def _written(path: Path, strips: Sequence[Strip]) -> Floats:
    """(n, W / 2, 18): the probabilities of a file's columns for strips of one width."""
    model = PlanesNetwork(path)
    logits = np.stack([model.outputs(recognizer_input(strip.image)[None])["logits"][0, :, 0].T for strip in strips])
    return softmax(logits.reshape(len(strips), -1, CLASS_COUNT))
