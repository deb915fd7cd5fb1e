"""Export, whole: fuse, quantize, write, prove, and only then give the file its name.

    reports = export(Path("runs/first/model.keras"), ["onnx", "tflite"], ["int8"], Path("exports"), load_mnist())

leaves digitocr-int8.onnx, its card digitocr-int8.onnx.json, its proof digitocr-int8.onnx.report.json, and the same for
TFLite. A file is written under another name first; what the gate refuses never gets this one.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from digitocr.export import card as cards
from digitocr.runtime.classifier import Probabilities
from digitocr.runtime.errors import GateError, MissingExtraError, ModelError, OutputError, UsageError
from digitocr.runtime.models import check_shipped, shipped_model
from digitocr.runtime.preprocessing import Tensors, scale
from digitocr.train.data import Mnist, hold_out, load_mnist, stratified
from digitocr.train.quiet import silenced

try:
    with silenced():
        import keras
        import tf2onnx  # noqa: F401  # loaded here so that what it logs at import is silenced

        from digitocr.export.fuse import fuse
        from digitocr.export.parity import LIMITS, Limits, Report, compare, unverified
        from digitocr.export.quantize import correct_biases
        from digitocr.export.to_onnx import WEIGHT_LIMIT as ONNX_WEIGHT_LIMIT
        from digitocr.export.to_onnx import to_onnx
        from digitocr.export.to_tflite import WEIGHT_LIMIT as TFLITE_WEIGHT_LIMIT
        from digitocr.export.to_tflite import to_tflite
except ImportError as error:
    raise MissingExtraError("export", "export") from error

MODES = {"onnx": ("none", "int8"), "tflite": ("none", "float16", "dynamic", "int8")}
CALIBRATION_IMAGES, CALIBRATION_SEED = 1_000, 0
FUSION_TOLERANCE = 1e-5  # in probability
_BATCH = 500  # images

_log = logging.getLogger("digitocr.export")


def export(
    source: Path,
    formats: Sequence[str],
    quantize: Sequence[str],
    out: Path,
    data: Mnist | None = None,
    *,
    verify: bool = True,
    max_drop: float | None = None,
    max_changed: int | None = None,
    force: bool = False,
) -> list[Report]:
    """Writes the .keras file at source in each of the formats and modes that go together; returns a report for each.

    formats: onnx, tflite; quantize: none, float16, dynamic, int8, of which ONNX has none and int8. data: MNIST, loaded
    if not given and needed: 1,000 training images calibrate int8, the test images prove every file. max_drop (points)
    and max_changed (answers) replace the gate's limits. verify=False skips the gate and says so in log, card and
    report. A report is what parity.compare says, and path and bytes of the file. Without force nothing is overwritten
    but reports.

    Raises UsageError for a format or mode that does not exist or go together, ModelError for a source that cannot be
    exported, OutputError for files that exist already or cannot be written, and GateError for the first file that
    fails: its report is then left, the file is not, and files written before it are kept.
    """
    targets = _targets(source, formats, quantize, out)
    network = load(source)
    if not force:
        for path, _ in targets:
            for existing in (path, cards.beside(path)):
                if existing.exists():
                    raise OutputError(f"{existing}: exists already; overwrite it with --force, or give another --out")
    if data is None and (verify or any(mode == "int8" for _, mode in targets)):
        data = load_mnist()
    training, fused = cards.training_of(source), fuse(network)
    calibration = _calibration(data) if data is not None else None
    reference = _proved(network, fused, data) if data is not None and verify else None
    reports = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, mode in targets:
            partial = path.with_name(f"{path.stem}.partial{path.suffix}")
            try:
                _write(fused, partial, mode, calibration)
                classes = fused.output_shape[-1]
                card = cards.make_card(path.stem, path.suffix[1:], mode, training, accuracy=None, classes=classes)
                if reference is None or data is None:
                    _log.warning("%s is NOT VERIFIED: nobody has looked what this file answers", path)
                    card, report = cards.embed(partial, card), unverified(partial, mode)
                else:
                    card, report = _judged(partial, card, reference, data, _limits(mode, max_drop, max_changed))
                report["file"] = path.name
                proof = path.with_name(f"{path.name}.report.json")
                proof.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
                if report["failures"]:
                    raise GateError(f"{path} is refused and not written: {'; '.join(report['failures'])}; see {proof}")
                partial.replace(path)
                cards.write_beside(path, card)
            finally:
                partial.unlink(missing_ok=True)
            reports.append({**report, "path": str(path), "bytes": path.stat().st_size})
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror}); give another --out") from error
    return reports


def default_source(runs: Path) -> Path:
    """The model of the newest finished run in that folder, or the shipped weights where there is none."""
    finished = []
    for record in runs.glob("*/run.json"):
        try:
            ended = json.loads(record.read_text("utf-8"))["ended"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # no run
        if ended and record.with_name("model.keras").exists():  # a detector's run has another
            finished.append((str(ended), record.with_name("model.keras")))
    return max(finished)[1] if finished else shipped_model("digitocr.keras")


def load(source: Path) -> keras.Model:
    """The network in a .keras file, without running code from it. Raises ModelError for what is not one."""
    if source.suffix != ".keras" or not source.is_file():
        raise ModelError(f"{source}: is not a .keras file; give the model.keras of a run of digitocr train")
    check_shipped(source, source.read_bytes())
    try:
        with silenced():
            return keras.saving.load_model(source, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its parts raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ModelError(f"{source}: Keras cannot load it ({reason}); give the model.keras of a run") from error


def _targets(source: Path, formats: Sequence[str], quantize: Sequence[str], out: Path) -> list[tuple[Path, str]]:
    """Each file to write and its mode."""
    for given, known, what in ((formats, MODES, "format"), (quantize, LIMITS, "quantize")):
        for name in given:
            if name not in known:
                raise UsageError(f"{what} is {name}; it must be one of {', '.join(known)}")
    stem = "digitocr" if source.stem == "model" else source.stem
    targets = []
    for mode in dict.fromkeys(quantize):
        taking = [form for form in dict.fromkeys(formats) if mode in MODES[form]]
        if not taking:
            raise UsageError(f"{mode} is for tflite; onnx has {' and '.join(MODES['onnx'])}")
        name = f"{stem}-{'float32' if mode == 'none' else mode}"
        targets += [(out / f"{name}.{form}", mode) for form in taking]
    return targets


def _write(fused: keras.Model, path: Path, mode: str, calibration: Tensors | None) -> None:
    onnx = path.suffix == ".onnx"
    if mode == "int8" and calibration is not None:
        fused = correct_biases(fused, calibration, ONNX_WEIGHT_LIMIT if onnx else TFLITE_WEIGHT_LIMIT)
    if onnx:
        to_onnx(fused, path, calibration if mode == "int8" else None)
    else:
        to_tflite(fused, path, mode, calibration)


def _limits(mode: str, max_drop: float | None, max_changed: int | None) -> Limits:
    usual = LIMITS[mode]
    return Limits(
        usual.max_drop if max_drop is None else max_drop, usual.max_changed if max_changed is None else max_changed
    )


def _judged(
    path: Path, card: cards.Card, reference: Probabilities, data: Mnist, limits: Limits
) -> tuple[cards.Card, Report]:
    """The card, which is put into the file if that passes, and the report on the very bytes that are left behind."""
    with silenced():
        report = compare(path, card["quantization"], reference, data, limits)
        if report["passed"]:
            card = cards.embed(path, {**card, "accuracy": report["accuracy"]["file"]})
            report = compare(path, card["quantization"], reference, data, limits)
    return card, report


def _calibration(data: Mnist) -> Tensors:
    """(1000, 28, 28, 1): of the training images that are trained on, so that the held-out ones stay unseen."""
    training, _ = hold_out(data.train_labels)
    chosen = training[stratified(data.train_labels[training], CALIBRATION_IMAGES, CALIBRATION_SEED)]
    return scale(data.train_images[chosen])


def _proved(network: keras.Model, fused: keras.Model, data: Mnist) -> Probabilities:
    """The network's (10000, 10) probabilities of the test images, which the fused one has as well."""
    images = scale(data.test_images)
    with silenced():
        before, after = (model.predict(images, batch_size=_BATCH, verbose=0) for model in (network, fused))
    if network.layers[-1].activation is not keras.activations.softmax:
        before = np.asarray(keras.ops.softmax(before))
    after = np.asarray(keras.ops.softmax(after))
    difference, changed = float(np.abs(before - after).max()), int((before.argmax(1) != after.argmax(1)).sum())
    if changed or not difference <= FUSION_TOLERANCE:
        raise GateError(
            f"fusing changed {changed} answers and a probability by {difference:.1e}, over {FUSION_TOLERANCE}: "
            "a bug, or a network with weights that are not numbers"
        )
    return np.asarray(before)
