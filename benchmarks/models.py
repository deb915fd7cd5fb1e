"""Accuracy, size and speed of the shipped network in every format, one thread, beside the same network unfused.

    DIGITOCR_DATA=mnist/ python benchmarks/models.py --save

Takes five minutes. Each file runs as in `digitocr.runtime`, softmax included. The floor is the time that one core needs
for as many multiply-accumulates in a matrix product of 1,024 x 1,024 x 1,024, with OpenBLAS in float32 and with ONNX
Runtime in int8. Targets: fused int8 TFLite takes at most half the time of unfused float32 TFLite, fused int8 ONNX is
faster than fused float32 ONNX, and int8 files have at most 165 KB.
"""

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3")

import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from floor import floors
from timing import argument_parser, interleaved, report, spread

from digitocr.export.fuse import fuse
from digitocr.export.quantize import ONNX_WEIGHT_LIMIT as ONNX_LIMIT
from digitocr.export.quantize import TFLITE_WEIGHT_LIMIT as TFLITE_LIMIT
from digitocr.export.quantize import correct_biases
from digitocr.export.to_onnx import to_onnx
from digitocr.export.to_tflite import to_tflite
from digitocr.runtime.classifier import Classifier
from digitocr.runtime.models import shipped_model
from digitocr.runtime.preprocessing import scale
from digitocr.train.classifier.network import multiply_accumulates
from digitocr.train.data import hold_out, load_mnist, stratified

ROUNDS = 40  # of measurements, all models in turn
CALLS = 100  # single digits in a measurement
BATCH = 1000  # digits in a batch


def written(network: keras.Sequential, folder: Path, calibration: np.ndarray) -> dict[str, Path]:
    """Exports the unfused network in float32 and int8 and the fused one in every format; files by name in the table."""
    fused = fuse(network)
    files = {
        name: folder / name.replace(" ", "-").replace(",", "")
        for name in (
            "unfused, float32.onnx", "unfused, int8.onnx", "unfused, float32.tflite", "unfused, int8.tflite",
            "float32.onnx", "int8.onnx", "float32.tflite", "float16.tflite", "dynamic.tflite", "int8.tflite",
        )
    }  # fmt: skip
    to_onnx(network, files["unfused, float32.onnx"])
    to_onnx(network, files["unfused, int8.onnx"], calibration)
    to_tflite(network, files["unfused, float32.tflite"])
    to_tflite(network, files["unfused, int8.tflite"], "int8", calibration)
    to_onnx(fused, files["float32.onnx"])
    to_onnx(correct_biases(fused, calibration, ONNX_LIMIT), files["int8.onnx"], calibration)
    to_tflite(fused, files["float32.tflite"])
    to_tflite(fused, files["float16.tflite"], "float16")
    to_tflite(fused, files["dynamic.tflite"], "dynamic")
    to_tflite(correct_biases(fused, calibration, TFLITE_LIMIT), files["int8.tflite"], "int8", calibration)
    return files


def main() -> None:
    arguments = argument_parser(__doc__).parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    data = load_mnist()
    path = shipped_model("digitocr.keras")
    network = keras.saving.load_model(path)
    products = multiply_accumulates(network)
    training, _ = hold_out(data.train_labels)
    chosen = training[stratified(data.train_labels[training], 1000, seed=0)]
    tests = scale(data.test_images)
    with tempfile.TemporaryDirectory() as folder:
        files = written(network, Path(folder), scale(data.train_images[chosen]))
        predictors: dict[str, Callable[[np.ndarray], np.ndarray]] = {"Keras": network.predict_on_batch}
        predictors |= {name: Classifier(file).predict for name, file in files.items()}
        sizes = {"Keras": path.stat().st_size} | {name: file.stat().st_size for name, file in files.items()}

    def repeated(predict: Callable[[np.ndarray], np.ndarray]) -> None:
        for _ in range(CALLS):
            predict(tests[:1])

    answers = {name: np.concatenate([predict(tests[i : i + BATCH]) for i in range(0, len(tests), BATCH)]).argmax(axis=1)
               for name, predict in predictors.items()}  # fmt: skip
    single = interleaved({name: partial(repeated, predict) for name, predict in predictors.items()}, ROUNDS)
    batch = interleaved({name: partial(predict, tests[:BATCH]) for name, predict in predictors.items()}, ROUNDS // 4)
    floor = floors(products)
    rows = []
    for name, taken in single.items():
        us = spread(taken, CALLS * 1e-6)
        kind = "int8" if "int8" in name or "dynamic" in name else "float32"
        rows.append(
            {
                "model": name,
                "KB": round(sizes[name] / 1000),
                "accuracy": f"{(answers[name] == data.test_labels).mean():.2%}",
                "answers changed": int((answers[name] != answers["Keras"]).sum()),
                "one digit, us": f"{us['median']:.0f} ({us['low']:.0f} to {us['high']:.0f})",
                "of 1,000, us each": round(statistics.median(batch[name]) / BATCH * 1e6),
                "times the floor": round(us["median"] * 1e-6 / floor[kind], 1),
            }
        )

    def ratio(one: str, other: str) -> str:
        return f"{statistics.median(a / b for a, b in zip(single[one], single[other], strict=True)):.2f}"

    notes = [
        f"time of int8.tflite, relative to unfused float32: {ratio('int8.tflite', 'unfused, float32.tflite')}",
        f"time of int8.onnx, relative to float32.onnx: {ratio('int8.onnx', 'float32.onnx')}",
        f"floor: {floor['float32'] * 1e6:.0f} us in float32, {floor['int8'] * 1e6:.0f} us in int8, for {products:,} "
        "multiply-accumulates at the rate of a large matrix product on the same core",
        "one digit: median (quartiles); a TFLite graph takes one digit a call, so a batch of 1,000 is 1,000 calls",
        "10,000 test images; one thread; all models in turn; `python benchmarks/models.py`",
    ]
    report("models", "The shipped network in every format", rows, notes, arguments.save)


if __name__ == "__main__":
    main()
