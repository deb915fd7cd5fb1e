"""The card of an exported model, in the file and beside it: labels, input contract, accuracy, training, licence.

    card = classifier_card("digitocr-int8", "onnx", "int8", training, accuracy=0.9921)
    card = embed(path, card)      # ONNX: metadata_props["digitocr"]; TFLite: its metadata standard
    write_card(path, card)        # digitocr-int8.onnx.json: the same, with sha256 and bytes of the finished file

The metadata standard of TFLite is a flatbuffer in the model (metadata.py) and a zip archive appended to it, which holds
labels.txt and the card as digitocr.json.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from digitocr import __version__
from digitocr.export import metadata
from digitocr.runtime import preprocessing
from digitocr.runtime.files import replacing

Card: TypeAlias = dict[str, Any]

CARD_SCHEMA = "digitocr-model/1"  # of the card
DESCRIPTION = "Reads one handwritten digit."  # in the TFLite metadata
CARD_FILE = "digitocr.json"  # in the zip that is appended to a TFLite file
LICENCE = "Apache-2.0"  # of the exported files; SPDX identifier
_TYPES = {0: "float32", 9: "int8", 3: "uint8"}  # TFLite's TensorType
LABELS = [*map(str, range(10)), "no digit"]  # a network of ten classes has the first ten


def training_of(source: Path) -> dict[str, Any]:
    """What is known of the training of a .keras file: its SHA-256, and settings of its run.

    The run's record is FILE.run.json or run.json in the file's folder. Entries that it lacks are None.
    """
    record = source.with_suffix(".run.json")
    run = read_json_object(record if record.exists() else source.with_name("run.json"))
    settings, data = (run[key] if isinstance(run.get(key), dict) else {} for key in ("settings", "data"))
    return {
        "model_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "command": run.get("command"),
        "seed": settings.get("seed"),
        "recipe": settings.get("recipe"),
        "experiment": settings.get("experiment"),
        "data": data.get("digest"),
    }


def read_json_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; {} for a file that is missing, damaged or holds something else."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def classifier_card(
    name: str,
    form: str,
    quantization: str,
    training: dict[str, Any],
    accuracy: float | None,
    classes: int = 10,
    channels: int = 1,
) -> Card:
    """The card of a classifier.

    Args:
        name: The file's stem.
        form: "onnx" or "tflite".
        quantization: "none", "float16", "dynamic" or "int8".
        training: The result of training_of.
        accuracy: Accuracy of this file on MNIST's test images, 0 to 1; None if it was not measured.
        classes: 10, or 11 with "no digit".
        channels: Of the input: 1, or 3 whose mean is the grey level.
    """
    batch = None if form == "onnx" else 1
    return {
        "schema": CARD_SCHEMA,
        "name": name,
        "format": form,
        "quantization": quantization,
        "labels": LABELS[:classes],
        "input": {
            "name": "image",
            "shape": [batch, preprocessing.SIDE, preprocessing.SIDE, channels],
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
    """Writes the card into the .onnx or .tflite file at `path`; returns the card as it stands in the file.

    The card of a TFLite file with integers as input and output also holds their scale and zero point: integer = value /
    scale + zero point.
    """
    if path.suffix == ".onnx":
        import onnx

        model = onnx.load(str(path))
        onnx.helper.set_model_props(model, {"digitocr": json.dumps(card)})
        path.write_bytes(model.SerializeToString())
        return card
    from ai_edge_litert.tools import flatbuffer_utils

    content = path.read_bytes()
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    tensors = tensors_of(content)
    for side in ("input", "output"):
        tensor = tensors[card[side]["name"]]
        if "scale" in tensor:
            quantized = {name: tensor[name] for name in ("dtype", "scale", "zero_point")}
            card = {**card, side: {**card[side], **quantized}}
    metadata.append(model, card["name"], DESCRIPTION, __version__, LICENCE, card["input"]["shape"][-1])
    path.write_bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    pack(path, {metadata.LABELS_FILE: "\n".join(card["labels"]) + "\n", CARD_FILE: json.dumps(card)})
    return card


def tensors_of(content: bytes) -> dict[str, dict[str, Any]]:
    """The inputs and outputs of a TFLite file by name: shape, dtype and, of integers, scale and zero point."""
    from ai_edge_litert.tools import flatbuffer_utils

    graph = flatbuffer_utils.read_model_from_bytearray(bytearray(content)).subgraphs[0]
    found = {}
    for tensor in (graph.tensors[number] for number in (*graph.inputs, *graph.outputs)):
        entry: dict[str, Any] = {"shape": [int(side) for side in tensor.shape], "dtype": _TYPES[tensor.type]}
        if entry["dtype"] != "float32":
            quantization = tensor.quantization
            entry |= {"scale": float(quantization.scale[0]), "zero_point": int(quantization.zeroPoint[0])}
        found[tensor.name.decode()] = entry
    return found


def pack(path: Path, files: Mapping[str, str]) -> None:
    """Appends a zip of text files to a TFLite file, as its metadata standard has it."""
    with zipfile.ZipFile(path, "a") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)  # it has a fixed date: the same model gives the same bytes


def write_card(path: Path, card: Card) -> None:
    """Writes the card of the finished file at `path` to card_path(path), with the file's SHA-256 and size in bytes."""
    content = path.read_bytes()
    card = {**card, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    with replacing(card_path(path)) as beside:
        beside.write_text(json.dumps(card, indent=2) + "\n", "utf-8")


def card_path(path: Path) -> Path:
    """FILE.json for the model FILE. Not NAME.json: the .onnx and the .tflite file of one mode share their NAME."""
    return path.with_name(f"{path.name}.json")
