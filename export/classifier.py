"""Export of the network that reads a digit: fuse, quantize, write, compare with Keras, and publish what passed.

    reports = export(Path("runs/first/model.keras"), ["onnx", "tflite"], ["int8"], Path("exports"), load_mnist())

leaves digitocr-int8.onnx, its card digitocr-int8.onnx.json, its report digitocr-int8.onnx.report.json, its golden
vectors digitocr-int8.onnx.golden.json and .golden.h, and the same five files for TFLite.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digitocr.export.card import Card, classifier_card, embed, read_json_object, training_of
from digitocr.runtime.classifier import Probabilities
from digitocr.runtime.errors import GateError, InputError, ModelError, UsageError
from digitocr.runtime.files import is_there
from digitocr.runtime.models import check_shipped, shipped_checksums, shipped_model
from digitocr.runtime.preprocessing import Tensors, scale
from digitocr.train.data import Mnist, load_mnist, split, stratified
from digitocr.train.evaluation.interface import Interface, find_interface, trial_of
from digitocr.train.evaluation.interpreters import keras_network
from digitocr.train.keras_backend import keras_needed
from digitocr.train.quiet import silenced

with keras_needed("export", "export"):
    import keras
    import tf2onnx  # noqa: F401  # it logs when it is imported, so it is imported silenced

    from digitocr.export.fuse import fuse
    from digitocr.export.golden import write_golden
    from digitocr.export.parity import LIMITS, Limits, Report, compare, unverified
    from digitocr.export.publish import publish, refuse_existing
    from digitocr.export.quantize import ONNX_WEIGHT_LIMIT, TFLITE_WEIGHT_LIMIT, correct_biases
    from digitocr.export.to_onnx import to_onnx
    from digitocr.export.to_tflite import CHANNELS, IO, to_tflite
if keras.config.backend() != "tensorflow":  # a study needs files as well: said before it has trained
    raise UsageError(
        f"files are converted by TensorFlow, and KERAS_BACKEND is {keras.config.backend()}; leave it out, or only train"
    )

MODES = {  # quantizations by format
    "onnx": ("none", "int8"),
    "tflite": ("none", "float16", "dynamic", "int8"),
}
CALIBRATION_IMAGES = 1_000  # training images by which int8 ranges are set
CALIBRATION_SEED = 0  # of the choice of these images
FUSION_TOLERANCE = 1e-5  # probability; float32 rounding alone reaches 1e-6
_PREDICT_BATCH = 500  # images

_log = logging.getLogger("digitocr.export")


def export(
    source: Path,
    formats: Sequence[str],
    quantize: Sequence[str],
    out: Path,
    data: Mnist | None = None,
    *,
    calibration: Mnist | None = None,
    verify: bool = True,
    max_drop: float | None = None,
    max_changed: int | None = None,
    io: str = "int8",
    channels: int = 1,
    force: bool = False,
) -> list[Report]:
    """Writes a .keras file in each format and quantization that go together, and compares every file with Keras.

    Args:
        source: The .keras file.
        formats: Any of "onnx" and "tflite".
        quantize: Any of "none", "float16", "dynamic" and "int8". ONNX has "none" and "int8".
        out: The folder to write to.
        data: MNIST or own data; MNIST is loaded if it is needed and none given. 1,000 training images calibrate int8;
            the gate compares answers to the test images.
        calibration: Other data, whose training images calibrate int8 in the place of those.
        verify: False skips the gate. Log, card and report then say so.
        max_drop: Replaces the gate's limit on lost accuracy, in points.
        max_changed: Replaces the gate's limit on changed answers of 10,000; of own data, in proportion to its images.
        io: Type of input and output of an int8 TFLite file: "int8", "uint8" or "float". The file's name says which, if
            it is not "int8".
        channels: Of the input of a TFLite file: 1, or 3, whose mean is the grey level; its name then ends in "-rgb".
        force: Overwrite files of an earlier export. Reports are always overwritten.

    Returns:
        A report for each file: parity.compare's, with "path" and "bytes".

    Raises:
        UsageError: A format, a quantization, a type or a number of channels does not exist, or none of the formats has
            it.
        InputError: The data have no training images to calibrate with.
        ModelError: The source cannot be exported.
        OutputError: A file exists already or cannot be written.
        GateError: The first file that fails. Its report is kept, the file is not; files written before it are kept.
    """
    targets = _targets(source, formats, quantize, out, io, channels)
    network = load(source)
    if not force:
        refuse_existing(path for path, _ in targets)
    int8 = any(mode == "int8" for _, mode in targets)
    if data is None and (verify or int8):
        data = load_mnist()
    training = training_of(source)
    interface = interface_for(network, training, data if verify else None)
    fused = fuse(network, interface)
    ranges = _calibration(calibration or data) if int8 and data is not None else None
    reference = _reference(network, interface, fused, data) if data is not None and verify else None

    def publish_one(path: Path, mode: str) -> Report:
        def judge(written: Path) -> tuple[Card, Report]:
            classes = fused.output_shape[-1]
            card = classifier_card(
                path.stem, path.suffix[1:], mode, training, None, classes, channels if path.suffix == ".tflite" else 1
            )
            if reference is None or data is None:
                _log.warning("%s is NOT VERIFIED: its answers were not compared with the Keras network's", path)
                return embed(written, card), unverified(written, mode)
            return _judged(
                written, card, reference, data, _limits(mode, max_drop, max_changed).of(len(data.test_labels))
            )

        report = publish(path, lambda beside: _write(fused, beside, mode, ranges, io, channels), judge)
        with silenced():
            write_golden(path)
        return report

    return [publish_one(path, mode) for path, mode in targets]


def int8_file(model: Path, folder: Path, data: Mnist) -> Path:
    """Writes the int8 ONNX file of a .keras file to a folder and returns its path, for a study or a search to measure.

    It is calibrated on training images and not compared with Keras: no test image is read. Raises what export raises.
    """
    with silenced():  # of the warning that it is not verified
        (report,) = export(model, ["onnx"], ["int8"], folder, data, verify=False, force=True)
    return Path(report["path"])


def default_source(runs: Path) -> Path:
    """The model.keras of the newest finished run in the folder `runs`; the shipped weights if there is none.

    Of a run that has taught other networks as well, as adapt does, the run's folder: they belong together.
    """
    finished = []
    for record in runs.glob("*/run.json"):
        ended, model = read_json_object(record).get("ended"), record.with_name("model.keras")
        if ended and model.exists():  # the run of a detector has no model.keras
            others = [model.with_name(f"{kind}.keras").exists() for kind in ("detector", "recognizer")]
            finished.append((str(ended), model.parent if any(others) else model))
    return max(finished)[1] if finished else shipped_model("digitocr.keras")


def check_source(source: Path) -> None:
    """Raises ModelError if there is no file of that name, or it is no .keras file by its name."""
    if not is_there(source):
        raise ModelError(f"{source}: does not exist; give the model.keras of a run of digitocr train")
    if source.suffix != ".keras" or not source.is_file():
        raise ModelError(f"{source}: is not a .keras file; give the model.keras of a run of digitocr train")


def load(source: Path) -> keras.Model:
    """The network in a .keras file. Code in the file is not run. Raises ModelError for any other file."""
    check_source(source)
    try:
        check_shipped(source, source.read_bytes())
    except OSError as error:
        raise ModelError(f"{source}: cannot be read ({error.strerror}); check its permissions") from error
    try:
        with silenced():
            return keras.saving.load_model(source, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its parts raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ModelError(f"{source}: Keras cannot load it ({reason}); give the model.keras of a run") from error


def _targets(
    source: Path, formats: Sequence[str], quantize: Sequence[str], out: Path, io: str, channels: int
) -> list[tuple[Path, str]]:
    """The path of each file to write, and its quantization."""
    if channels not in CHANNELS:
        raise UsageError(f"channels is {channels}; it must be {' or '.join(map(str, CHANNELS))}")
    for given, known, what in ((formats, MODES, "format"), (quantize, LIMITS, "quantize"), ([io], IO, "io")):
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
        kind = (f"-io-{io}" if mode == "int8" and io != "int8" else "") + ("-rgb" if channels > 1 else "")
        targets += [(out / f"{name}{kind if form == 'tflite' else ''}.{form}", mode) for form in taking]
    return targets


def _write(fused: keras.Model, path: Path, mode: str, calibration: Tensors | None, io: str, channels: int) -> None:
    onnx = path.suffix == ".onnx"
    if mode == "int8" and calibration is not None:
        fused = correct_biases(fused, calibration, ONNX_WEIGHT_LIMIT if onnx else TFLITE_WEIGHT_LIMIT)
    if onnx:
        to_onnx(fused, path, calibration if mode == "int8" else None)
    else:
        to_tflite(fused, path, mode, calibration, io, channels)


def _limits(mode: str, max_drop: float | None, max_changed: int | None) -> Limits:
    default = LIMITS[mode]
    return Limits(
        default.max_drop if max_drop is None else max_drop,
        default.max_changed if max_changed is None else max_changed,
    )


def _judged(path: Path, card: Card, reference: Probabilities, data: Mnist, limits: Limits) -> tuple[Card, Report]:
    """Embeds the card in a file that passes, and compares again: the report is on the bytes that are published."""
    with silenced():
        channels = card["input"]["shape"][-1]
        report = compare(path, card["quantization"], reference, data, limits, channels)
        if report["passed"]:
            card = embed(path, {**card, "accuracy": report["accuracy"]["file"]})
            report = compare(path, card["quantization"], reference, data, limits, channels)
    return card, report


def _calibration(data: Mnist) -> Tensors:
    """(1000, 28, 28, 1) float32: training images, stratified by digit, none of them held out; fewer of less data."""
    if not len(data.train_labels):
        raise InputError("the data have no training images to calibrate int8 with; give others with --calibration")
    training, _ = split(data)
    count = min(CALIBRATION_IMAGES, len(training))
    chosen = training[stratified(data.train_labels[training], count, CALIBRATION_SEED)]
    return scale(data.train_images[chosen])


def interface_for(network: keras.Model, training: dict[str, Any], data: Mnist | None) -> Interface | None:
    """What a network takes: None for (N, 28, 28, 1) in [0, 1], as `digitocr train` makes them; else what is found out.

    Args:
        network: As it was loaded.
        training: The result of training_of.
        data: What to find it out with; None: that is assumed of a network of unknown origin as well, and logged.

    Raises:
        ModelError: It is no network that reads a digit.
    """
    if training["experiment"] is not None or training["model_sha256"] in shipped_checksums().values():
        return None
    if data is None:
        _log.warning("not looked at: the network is taken to read 28x28 levels from 0 to 1, ink bright")
        return None
    with silenced():
        opened = keras_network(network)
        interface = find_interface(opened.signature, opened, trial_of(data))
    for name, line in interface.findings:
        _log.warning("%-9s%s", name, line)
    return interface


def _reference(network: keras.Model, interface: Interface | None, fused: keras.Model, data: Mnist) -> Probabilities:
    """The network's (10000, classes) probabilities of the test images. Raises GateError if the fused one's differ."""
    images = scale(data.test_images)
    with silenced():
        given = interface.inputs(images) if interface else images
        before, after = (
            model.predict(values, batch_size=_PREDICT_BATCH, verbose=0)
            for model, values in ((network, given), (fused, images))
        )
    if interface:
        before = interface.probabilities(interface.numbers(before, len(images)))
    elif network.layers[-1].activation is not keras.activations.softmax:
        before = np.asarray(keras.ops.softmax(before))
    after = np.asarray(keras.ops.softmax(after))
    difference, changed = float(np.abs(before - after).max()), int((before.argmax(1) != after.argmax(1)).sum())
    if changed or not difference <= FUSION_TOLERANCE:
        raise GateError(
            f"fusing changed {changed} answers and a probability by {difference:.1e}, over {FUSION_TOLERANCE}: "
            "a bug, or a network with weights that are not numbers"
        )
    return np.asarray(before)
