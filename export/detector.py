"""The detection network -> ONNX, fused and quantized, and held against its Keras original on drawn scenes.

    scenes = held_out_scenes(load_mnist(), find_fonts(None))
    report = export_detector(Path("runs/detector/detector.keras"), "int8", Path("exports"), scenes)

leaves detector-int8.onnx, its card and its report. Input `image` (N, 3, H, W) float32 of regions.detector_input, H and
W multiples of 8; outputs `centres` (N, 1, H/4, W/4) and `boxes` (N, 4, H/4, W/4) float32, for detector.decoded. Batch
norm stands right behind each convolution and goes into it; the class channels, a task on the side, are left out. The
graph is so plain that it is written node by node.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from digitocr import __version__
from digitocr.export.card import LICENCE, beside, training_of, write_beside
from digitocr.export.parity import Report
from digitocr.export.to_onnx import OPSET, quantized
from digitocr.runtime.boxes import non_maximum_suppression
from digitocr.runtime.detector import PLANES, decoded, detector_input
from digitocr.runtime.errors import GateError, OutputError, UsageError
from digitocr.runtime.interpreter import onnx_session
from digitocr.train.classifier.crops import overlaps
from digitocr.train.data import Mnist, hold_out
from digitocr.train.detector.network import HEAT, OFFSET, SIZE, load_detector
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.scenes import Scene, draw_scene
from digitocr.train.synthesis.strokes import Floats

OUTPUTS = {"centres": HEAT, "boxes": slice(OFFSET.start, SIZE.stop)}  # two, since each needs an 8-bit scale of its own
CHANNELS = SIZE.stop  # that the runtime decodes
SCENES, SEED = 400, 2**31 + 3
CALIBRATION = 100  # scenes, the first of those given; the rest is what the gate compares on
# The gate: what the file may lose against Keras, in points of the F1 of found digits and of boxes that are digits, at a
# score of 0.5; and the share of its boxes that Keras has as well, overlapping by 0.7.
LIMITS = {"none": (0.0, 1.0), "int8": (0.5, 0.97)}


def held_out_scenes(data: Mnist, fonts: Sequence[Path]) -> list[Scene]:
    """SCENES scenes for export_detector, with MNIST's held-out images, other hands, and a seed that no training has."""
    _, held = hold_out(data.train_labels)
    glyphs = Glyphs(data.train_images[held], data.train_labels[held], fonts, seed=1)
    return [draw_scene(np.random.default_rng((SEED, number)), glyphs) for number in range(SCENES)]


def export_detector(source: Path, quantize: str, out: Path, scenes: Sequence[Scene], force: bool = False) -> Report:
    """Writes detector-float32.onnx (quantize "none") or detector-int8.onnx; returns the gate's report.

    scenes: of held_out_scenes. Raises UsageError, ModelError for a source that is no detector, OutputError for a
    file that exists already or cannot be written, GateError for one that differs too much; it is then not left.
    """
    if quantize not in LIMITS:
        raise UsageError(f"quantize is {quantize}; for a detector it must be {' or '.join(LIMITS)}")
    path = out / f"detector-{'float32' if quantize == 'none' else quantize}.onnx"
    for existing in (path, beside(path)):
        if existing.exists() and not force:
            raise OutputError(f"{existing}: exists already; overwrite it with --force, or give another --out")
    network = load_detector(source)
    seen = np.stack([detector_input(scene.image) for scene in scenes])  # (n, 3, 256, 256)
    model = to_onnx(network)
    if quantize == "int8":
        model = quantized(model, seen[:CALIBRATION])
    card = {
        "schema": "digitocr-model/1",
        "name": path.stem,
        "format": "onnx",
        "quantization": quantize,
        "input": {"name": "image", "shape": [None, PLANES, None, None], "dtype": "float32"},
        "output": {"names": list(OUTPUTS), "channels": CHANNELS, "dtype": "float32"},
        "weights": int(network.count_params()),
        "training": training_of(source),
        "licence": LICENCE,
        "digitocr": __version__,
    }
    helper.set_model_props(model, {"digitocr": json.dumps(card)})
    onnx.checker.check_model(model, full_check=True)
    content = model.SerializeToString()
    report = _compared(content, path, quantize, network, seen[CALIBRATION:], scenes[CALIBRATION:])
    try:
        out.mkdir(parents=True, exist_ok=True)
        proof = path.with_name(f"{path.name}.report.json")
        proof.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
        if report["failures"]:
            raise GateError(f"{path} is refused and not written: {'; '.join(report['failures'])}; see {proof}")
        partial = path.with_name(f"{path.name}.partial")
        partial.write_bytes(content)
        partial.replace(path)
        write_beside(path, card)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror}); give another --out") from error
    return {**report, "path": str(path), "bytes": len(content)}


def to_onnx(network: keras.Model) -> Any:
    """The detector as an ONNX model, float32, batch norm fused, channels first."""
    nodes: list[Any] = []
    weights: list[Any] = []
    names: dict[str, str] = {}  # of each Keras tensor, by its layer
    for layer in network.layers:
        name = layer.name
        sources = [names[node.operation.name] for node in layer._inbound_nodes[0].parent_nodes]
        if isinstance(layer, keras.layers.InputLayer):
            names[name] = "image"
        elif isinstance(layer, keras.layers.Conv2D):
            kernel, bias = _fused(layer)
            stride, dilation, size = layer.strides[0], layer.dilation_rate[0], layer.kernel_size[0]
            total = max((size - 1) * dilation + 1 - stride, 0)  # of even sides, as "same" pads: the odd pixel behind
            before, after = total // 2, total - total // 2
            parts = OUTPUTS if layer is network.layers[-1] else {name: slice(None)}
            for part, channels in parts.items():
                weights += [
                    numpy_helper.from_array(
                        np.ascontiguousarray(kernel[..., channels].transpose(3, 2, 0, 1)), f"{part}.weight"
                    ),
                    numpy_helper.from_array(bias[channels], f"{part}.bias"),
                ]
                nodes.append(
                    helper.make_node(
                        "Conv",
                        [sources[0], f"{part}.weight", f"{part}.bias"],
                        [part],
                        name=part,
                        kernel_shape=[size, size],
                        strides=[stride, stride],
                        dilations=[dilation, dilation],
                        pads=[before, before, after, after],
                    )
                )
            names[name] = name
        elif isinstance(layer, keras.layers.BatchNormalization):
            names[name] = sources[0]
        elif isinstance(layer, keras.layers.UpSampling2D):
            weights.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), f"{name}.scales"))
            nodes.append(
                helper.make_node(
                    "Resize",
                    [sources[0], "", f"{name}.scales"],
                    [name],
                    name=name,
                    mode="nearest",
                    coordinate_transformation_mode="asymmetric",
                    nearest_mode="floor",
                )
            )
            names[name] = name
        else:
            kind = {"ReLU": "Relu", "Add": "Add", "Concatenate": "Concat"}[type(layer).__name__]
            nodes.append(
                helper.make_node(kind, sources, [name], name=name, **({"axis": 1} if kind == "Concat" else {}))
            )
            names[name] = name
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", PLANES, "H", "W"])
    cells = [
        helper.make_tensor_value_info(part, TensorProto.FLOAT, ["N", channels.stop - channels.start, "rows", "columns"])
        for part, channels in OUTPUTS.items()
    ]
    graph = helper.make_graph(nodes, "detector", [image], cells, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


def _fused(layer: keras.layers.Conv2D) -> tuple[Floats, Floats]:
    """The convolution's kernel and bias with the batch norm that follows it, if one does."""
    kernel = np.asarray(layer.kernel, np.float64)
    bias = np.asarray(layer.bias, np.float64) if layer.use_bias else np.zeros(kernel.shape[-1])
    followers = [node.operation for node in layer._outbound_nodes]
    if followers and isinstance(followers[0], keras.layers.BatchNormalization):
        norm = followers[0]
        scale = np.asarray(norm.gamma, np.float64) / np.sqrt(
            np.asarray(norm.moving_variance, np.float64) + norm.epsilon
        )
        kernel = kernel * scale
        bias = np.asarray(norm.beta, np.float64) + (bias - np.asarray(norm.moving_mean, np.float64)) * scale
    return kernel.astype(np.float32), bias.astype(np.float32)


def _compared(
    content: bytes, path: Path, quantize: str, network: keras.Model, seen: Floats, scenes: Sequence[Scene]
) -> Report:
    """The report on the file's bytes: what it and Keras find in the scenes."""
    session = onnx_session(content, path, 1)
    exact = network.predict(seen.transpose(0, 2, 3, 1), batch_size=16, verbose=0)[..., :CHANNELS].transpose(0, 3, 1, 2)
    written = np.concatenate([np.concatenate(session.run(None, {"image": one[None]}), 1) for one in seen])
    difference = float(np.abs(exact - written).max())
    pairs = [(_found(a), _found(b)) for a, b in zip(exact, written, strict=True)]
    keras_score = _score([a for a, _ in pairs], scenes)
    file_score = _score([b for _, b in pairs], scenes)
    boxes = sum(len(b) for _, b in pairs)
    same = sum(int((overlaps(b, a).max(1, initial=0.0) > 0.7).sum()) for a, b in pairs) / max(boxes, 1)
    drop, (most, least) = 100 * (_f1(keras_score) - _f1(file_score)), LIMITS[quantize]
    failures = []
    if not drop <= most:
        failures.append(f"values: F1 drops by {drop:.2f} points, at most {most:.2f} allowed")
    if same < least:
        failures.append(f"values: {same:.2%} of the boxes are those of Keras, at least {least:.0%} must be")
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


def _f1(score: tuple[float, float]) -> float:
    found, right = score
    return 2 * found * right / max(found + right, 1e-9)


def _found(cells: Floats) -> Floats:
    """The boxes with a score of 0.5 or more."""
    boxes, scores = non_maximum_suppression(*decoded(cells))
    return np.asarray(boxes[scores >= 0.5], np.float32)


def _score(found: Sequence[Floats], scenes: Sequence[Scene]) -> tuple[float, float]:
    """Of the digits the share that is found, of the boxes the share that is a digit, by an overlap of 0.5."""
    hit = digits = right = boxes = 0
    for these, scene in zip(found, scenes, strict=True):
        shared = overlaps(scene.boxes, these)
        hit, digits = hit + int((shared.max(1, initial=0.0) >= 0.5).sum()), digits + len(scene.boxes)
        sure = overlaps(these, scene.ignored).max(1, initial=0.0) < 0.2
        best = shared.max(0, initial=0.0)
        right, boxes = right + int((best >= 0.5).sum()), boxes + int((sure | (best >= 0.5)).sum())
    return hit / max(digits, 1), right / max(boxes, 1)
