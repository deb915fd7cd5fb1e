"""What a model file says of itself: labels, input contract, accuracy, training, licence; inside it and beside it.

    card = make_card("digitocr-int8", "onnx", "int8", training, accuracy=0.9921)
    embed(path, card)             # ONNX: metadata_props["digitocr"]; TFLite: its metadata standard
    write_beside(path, card)      # digitocr-int8.onnx.json: the same with sha256 and bytes of the finished file

TFLite's standard is a flatbuffer in the model (metadata.py) and a zip behind it: labels.txt, and the card as
digitocr.json.
"""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any, TypeAlias

from digitocr import __version__
from digitocr.export import metadata
from digitocr.runtime import preprocessing

Card: TypeAlias = dict[str, Any]

DESCRIPTION = "Reads one handwritten digit."
LICENCE = "Apache-2.0"
LABELS = [*map(str, range(10)), "no digit"]  # a network has the first ten, or all


def training_of(source: Path) -> dict[str, Any]:
    """What is known of the training of a .keras file: its digest, and the record of its run, which is FILE.run.json or
    run.json beside it where there is one.
    """
    record = source.with_suffix(".run.json")
    try:
        run = json.loads((record if record.exists() else source.with_name("run.json")).read_text("utf-8"))
    except (OSError, ValueError):
        run = {}
    settings = run.get("settings", {})
    return {
        "model_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "command": run.get("command"),
        "seed": settings.get("seed"),
        "recipe": settings.get("recipe"),
        "experiment": settings.get("experiment"),
        "data": run.get("data", {}).get("digest"),
    }


def make_card(
    name: str, form: str, quantization: str, training: dict[str, Any], accuracy: float | None, classes: int = 10
) -> Card:
    """form: onnx or tflite; quantization: none, float16, dynamic or int8; accuracy: of this file, None if unknown.

    classes: 10, or 11 with "no digit".
    """
    batch = None if form == "onnx" else 1
    return {
        "schema": "digitocr-model/1",
        "name": name,
        "format": form,
        "quantization": quantization,
        "labels": LABELS[:classes],
        "input": {
            "name": "image",
            "shape": [batch, preprocessing.SIDE, preprocessing.SIDE, 1],
            "dtype": "float32",
            "range": [0, 1],
            "polarity": "ink bright on dark",
        },
        "output": {
            "name": "logits",
            "shape": [batch, classes],
            "dtype": "float32",
            "activation": "none: apply softmax",
        },
        "preprocessing": preprocessing.VERSION,
        "accuracy": accuracy,
        "training": training,
        "licence": LICENCE,
        "digitocr": __version__,
    }


def embed(path: Path, card: Card) -> Card:
    """Puts the card into the .onnx or .tflite file at path; returns it as it stands in the file.

    The card of an int8 TFLite file tells scale and zero point of input and output as well: integer = value / scale +
    zero point.
    """
    if path.suffix == ".onnx":
        import onnx

        model = onnx.load(str(path))
        onnx.helper.set_model_props(model, {"digitocr": json.dumps(card)})
        path.write_bytes(model.SerializeToString())
        return card
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(path.read_bytes()))
    graph = model.subgraphs[0]
    for side, number in (("input", graph.inputs[0]), ("output", graph.outputs[0])):
        scales = graph.tensors[number].quantization
        if scales is not None and scales.scale is not None and len(scales.scale):
            quantized = {"dtype": "int8", "scale": float(scales.scale[0]), "zero_point": int(scales.zeroPoint[0])}
            card = {**card, side: {**card[side], **quantized}}
    metadata.append(model, card["name"], DESCRIPTION, __version__, LICENCE)
    path.write_bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    with zipfile.ZipFile(path, "a") as archive:  # ZipInfo has a fixed date, so the same model gives the same bytes
        archive.writestr(zipfile.ZipInfo(metadata.LABELS_FILE), "\n".join(card["labels"]) + "\n")
        archive.writestr(zipfile.ZipInfo("digitocr.json"), json.dumps(card))
    return card


def write_beside(path: Path, card: Card) -> None:
    """FILE.json beside the finished FILE: the card with its sha256 and its size in bytes."""
    content = path.read_bytes()
    card = {**card, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    beside(path).write_text(json.dumps(card, indent=2) + "\n", "utf-8")


def beside(path: Path) -> Path:
    """Where the card of that file lies. Not NAME.json: the .onnx and the .tflite of a mode have the same NAME."""
    return path.with_name(f"{path.name}.json")
