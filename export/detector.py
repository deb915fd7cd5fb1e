"""Export of the detection network: ONNX or TFLite, float32 or int8, compared with Keras on synthetic scenes.

    scenes = held_out_scenes(load_mnist(), find_fonts(None))
    report = export_detector(Path("runs/detector-0/detector.keras"), "int8", Path("exports"), scenes)

leaves detector-int8.onnx, its card, its report and its golden vectors. With sides=(384, 512) it is
detector-512x384-int8.tflite, which takes pictures of that size only.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from digitocr.export.graph_to_onnx import graph_to_onnx
from digitocr.export.graph_to_tflite import graph_to_tflite
from digitocr.export.network_file import planned, published
from digitocr.export.parity import Report
from digitocr.export.quantize import quantize_onnx
from digitocr.export.space_to_depth import space_to_depth
from digitocr.runtime.boxes import iou, non_maximum_suppression
from digitocr.runtime.detector import MULTIPLE, PLANES, decoded, detector_input
from digitocr.runtime.errors import UsageError
from digitocr.runtime.interpreter import PlanesNetwork
from digitocr.train.data import Mnist, split
from digitocr.train.detector.network import HEAT_CHANNELS, OFFSET_CHANNELS, SIZE_CHANNELS, load_detector
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.scenes import Scene, draw_scene
from digitocr.train.synthesis.strokes import Floats

OUTPUTS = {  # two tensors, so that int8 gives each its scale; the digit classes are left out
    "centres": HEAT_CHANNELS,
    "boxes": slice(OFFSET_CHANNELS.start, SIZE_CHANNELS.stop),
}
DECODED_CHANNELS = SIZE_CHANNELS.stop  # of the network's output, those that the runtime decodes
GATE_SCENES = 400  # synthetic scenes for calibration and gate together
GATE_SEED = 2**31 + 3  # of the scenes; training seeds are below 2**31
CALIBRATION_SCENES = 100  # scenes, the first of those given; the gate compares on the rest
DETECTED_SCORE = 0.5  # a box of at least this score counts as detected
FOUND_IOU = 0.5  # of a box with a digit, at least, for the digit to count as found
IGNORED_IOU = 0.2  # of a box with an ignored digit; with this much overlap a box that finds no digit is not counted
TFLITE_SIDES = ((384, 512), (96, 128))  # height and width of the inputs of TFLite files, unless others are given
MIN_SIDE, MAX_SIDE = 80, 1024  # pixels; of the input of a TFLite file. Larger pictures are seen in pieces
_PREDICT_BATCH = 16  # scenes
SAME_BOX_IOU = 0.7  # intersection over union at which a box of the file and one of Keras are the same


class DetectorLimits(NamedTuple):
    """What a file may lose against Keras.

    Attributes:
        max_drop: The largest allowed drop of the F1 of detected digits, in points.
        min_same: The least allowed share of the file's boxes that Keras detects as well, 0 to 1.
    """

    max_drop: float
    min_same: float


DETECTOR_LIMITS = {  # by quantization; float32 must be exact
    "none": DetectorLimits(max_drop=0.0, min_same=1.0),
    "int8": DetectorLimits(max_drop=0.5, min_same=0.97),
}


def held_out_scenes(data: Mnist, fonts: Sequence[Path]) -> list[Scene]:
    """SCENES scenes for export_detector, drawn with MNIST's held-out images and a seed that no training has."""
    _, held = split(data)
    glyphs = Glyphs(data.train_images[held], data.train_labels[held], fonts, seed=1)
    return [draw_scene(np.random.default_rng((GATE_SEED, number)), glyphs) for number in range(GATE_SCENES)]


def export_detector(
    source: Path,
    quantize: str,
    out: Path,
    scenes: Sequence[Scene],
    force: bool = False,
    sides: tuple[int, int] | None = None,
) -> Report:
    """Writes detector-float32.onnx (quantize "none") or detector-int8.onnx; returns the gate's report.

    Args:
        source: The detector.keras of a run.
        quantize: "none" or "int8".
        out: The folder to write to.
        scenes: The result of held_out_scenes; more than CALIBRATION_SCENES.
        force: Overwrite files of an earlier export.
        sides: Height and width of the input of a TFLite file, as detector-512x384-int8.tflite; None: ONNX, in which
            they are free. Multiples of 8, from MIN_SIDE to MAX_SIDE.

    Raises:
        UsageError: The quantization does not exist, or a side is not possible.
        ModelError: The source holds no detector.
        OutputError: A file exists already or cannot be written.
        GateError: The file differs too much from Keras. Its report is kept, the file is not.
    """
    if sides and not all(MIN_SIDE <= side <= MAX_SIDE and side % MULTIPLE == 0 for side in sides):
        raise UsageError(
            f"size is {sides[1]}x{sides[0]}; both sides must be multiples of {MULTIPLE} from {MIN_SIDE} to {MAX_SIDE}"
        )
    path = planned("detector", quantize, list(DETECTOR_LIMITS), out, force, sides)
    network = load_detector(source)
    calibration, judged = scenes[:CALIBRATION_SCENES], scenes[CALIBRATION_SCENES:]
    if sides:
        calibration, judged = (joined(part, sides) for part in (calibration, judged))
    ranges, inputs = (np.stack([detector_input(scene.image) for scene in part]) for part in (calibration, judged))
    model: Any
    if sides:
        model = graph_to_tflite(network, OUTPUTS, sides, ranges.transpose(0, 2, 3, 1) if quantize == "int8" else None)
    else:
        model = graph_to_onnx(network, OUTPUTS)
        if quantize == "int8":
            model = space_to_depth(quantize_onnx(model, ranges))
    described: dict[str, Any] = {
        "input": {"name": "image", "shape": [None, PLANES, None, None], "dtype": "float32"},
        "output": {"names": list(OUTPUTS), "channels": DECODED_CHANNELS, "dtype": "float32"},
        "weights": int(network.count_params()),
    }
    if sides:
        described["input"]["shape"] = [1, *sides, PLANES]
    return published(
        model,
        path,
        quantize,
        source,
        described,
        lambda written: _compared(written, quantize, network, inputs, judged),
    )


def joined(scenes: Sequence[Scene], sides: tuple[int, int]) -> list[Scene]:
    """Scenes of that height and width, each cut from as many scenes side by side as cover it.

    A digit that the cut leaves a part of becomes an ignored one. Scenes that are left over are left out.
    """
    height, width = sides
    rows, columns = scenes[0].image.shape
    down, across = -(-height // rows), -(-width // columns)
    places = [(x * columns, y * rows) for y in range(down) for x in range(across)]
    made = []
    for start in range(0, len(scenes) - len(places) + 1, len(places)):
        group = scenes[start : start + len(places)]
        bands = [np.hstack([scene.image for scene in group[at : at + across]]) for at in range(0, len(group), across)]
        boxes, ignored, others, doubtful = (
            np.concatenate(
                [
                    getattr(scene, name) + np.array([x, y, 0, 0], np.float32)
                    for scene, (x, y) in zip(group, places, strict=True)
                ]
            )
            for name in ("boxes", "ignored", "others", "doubtful")
        )
        whole = (boxes[:, 0] + boxes[:, 2] <= width) & (boxes[:, 1] + boxes[:, 3] <= height)
        labels = np.concatenate([scene.labels for scene in group])
        ignored = np.concatenate([ignored, boxes[~whole]])
        image = np.ascontiguousarray(np.vstack(bands)[:height, :width])
        made.append(Scene(image, boxes[whole], labels[whole], ignored, others, doubtful))
    return made


def _compared(path: Path, quantize: str, network: keras.Model, inputs: Floats, scenes: Sequence[Scene]) -> Report:
    """The gate's report: what the file and Keras detect in the scenes."""
    content, model = path.read_bytes(), PlanesNetwork(path)
    exact = network.predict(inputs.transpose(0, 2, 3, 1), batch_size=_PREDICT_BATCH, verbose=0)[..., :DECODED_CHANNELS]
    exact = exact.transpose(0, 3, 1, 2)
    written = np.stack([_cells(model.outputs(one[None])) for one in inputs])
    difference = float(np.abs(exact - written).max())
    pairs = [(_detected(a), _detected(b)) for a, b in zip(exact, written, strict=True)]
    keras_score = _score([a for a, _ in pairs], scenes)
    file_score = _score([b for _, b in pairs], scenes)
    boxes = sum(len(b) for _, b in pairs)
    same = sum(int((iou(b, a).max(1, initial=0.0) > SAME_BOX_IOU).sum()) for a, b in pairs) / max(boxes, 1)
    drop, limits = 100 * (_f1(keras_score) - _f1(file_score)), DETECTOR_LIMITS[quantize]
    failures = []
    if not drop <= limits.max_drop:
        failures.append(f"values: F1 drops by {drop:.2f} points, at most {limits.max_drop:.2f} allowed")
    if same < limits.min_same:
        failures.append(f"values: {same:.2%} of the boxes are those of Keras, at least {limits.min_same:.0%} must be")
    if not np.isfinite(written).all():
        failures = ["values: some are not numbers"]
    return {
        "schema": "digitocr-detector-parity/1",
        "file": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "quantization": quantize,
        "scenes": len(scenes),
        "digits": sum(len(scene.boxes) for scene in scenes),
        "keras": {"found": keras_score[0], "right": keras_score[1]},
        "found": file_score[0],
        "right": file_score[1],
        "drop": round(drop, 3),
        "same": same,
        "largest difference": difference,
        "passed": not failures,
        "failures": failures,
    }


def _cells(outputs: dict[str, Floats]) -> Floats:
    """(5, H/4, W/4): the outputs of a file for one picture, in the order in which `decoded` takes them."""
    return np.concatenate([outputs[name][0] for name in OUTPUTS])


def _f1(score: tuple[float, float]) -> float:
    found, right = score
    return 2 * found * right / max(found + right, 1e-9)


def _detected(cells: Floats) -> Floats:
    """The boxes with a score of DETECTED_SCORE or more."""
    boxes, scores = non_maximum_suppression(*decoded(cells))
    return np.asarray(boxes[scores >= DETECTED_SCORE], np.float32)


def _score(found: Sequence[Floats], scenes: Sequence[Scene]) -> tuple[float, float]:
    """The share of the digits that is found, and the share of the boxes that find a digit; both 0 to 1."""
    hit = digits = right = boxes = 0
    for these, scene in zip(found, scenes, strict=True):
        shared = iou(scene.boxes, these)
        hit, digits = hit + int((shared.max(1, initial=0.0) >= FOUND_IOU).sum()), digits + len(scene.boxes)
        counted = iou(these, scene.ignored).max(1, initial=0.0) < IGNORED_IOU
        best = shared.max(0, initial=0.0)
        right, boxes = right + int((best >= FOUND_IOU).sum()), boxes + int((counted | (best >= FOUND_IOU)).sum())
    return hit / max(digits, 1), right / max(boxes, 1)
