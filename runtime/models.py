"""Model files: the shipped ones and their checksums, the cards of exported ones, and safe reading of any."""

import hashlib
import json
from pathlib import Path
from stat import S_ISREG
from typing import Any

from digitocr.runtime.errors import ModelError

MODELS = Path(__file__).with_name("models")  # the folder of the shipped files
CONFIDENCE = "confidence.json"  # the weights of the confidence, beside the networks that they belong to
MAX_MODEL_BYTES = 64_000_000  # no network of digitocr is larger; a larger file is not read into memory


def model_card(session: Any) -> dict[str, Any]:
    """What `digitocr export` wrote into the model of an onnxruntime.InferenceSession; {} for other models."""
    return parsed_card(session.get_modelmeta().custom_metadata_map.get("digitocr"))


def parsed_card(text: str | bytes | None) -> dict[str, Any]:
    """The JSON object of a card; {} where the text is no JSON object."""
    try:
        card = json.loads(text or "{}")
    except ValueError:
        return {}
    return card if isinstance(card, dict) else {}


def network_id(card: dict[str, Any], sha256: str) -> str:
    """The SHA-256 of the .keras file that a model file was exported from; for other files their own.

    All exports of one network, whatever their format and quantization, have the same id.
    """
    training = card.get("training")
    source = training.get("model_sha256") if isinstance(training, dict) else None
    return source if isinstance(source, str) and source else sha256


def exported_networks(folder: Path) -> dict[str, Path]:
    """The files of a folder that `digitocr export` has written of an adapted run, by the arguments of Reader.

    "model", and of "detector", "recognizer" and "confidence" those that there are. Raises ModelError where there is no
    "model".
    """
    found: dict[str, Path] = {}
    for name, stem in (("model", "digitocr"), ("detector", "detector"), ("recognizer", "recognizer")):
        files = [folder / f"{stem}-{mode}.onnx" for mode in ("int8", "float32")]
        if file := next(filter(Path.is_file, files), None):
            found[name] = file
    if "model" not in found:
        raise ModelError(f"{folder}: holds no digitocr-int8.onnx; write it with: digitocr export --model RUN --out DIR")
    if (folder / CONFIDENCE).is_file():
        found["confidence"] = folder / CONFIDENCE
    return found


def shipped_model(name: str) -> Path:
    """The path of a shipped file."""
    return MODELS / name


def check_shipped(path: Path, content: bytes) -> str:
    """The SHA-256 of a model file's content. Raises ModelError for a shipped file whose checksum differs."""
    digest = hashlib.sha256(content).hexdigest()
    if path.parent == MODELS and shipped_checksums().get(path.name) != digest:
        raise ModelError(f"{path}: differs from the file that was shipped (SHA-256); install digitocr again")
    return digest


def shipped_checksums() -> dict[str, str]:
    """The SHA-256 of every shipped model, by file name."""
    lines = shipped_model("SHA256SUMS").read_text("ascii").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def model_content(path: Path) -> bytes:
    """The bytes of a model file. Raises ModelError if it is no regular file, is too large or cannot be read."""
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise ModelError(f"{path}: is a folder or a device; name a .onnx or .tflite file")  # a pipe might hang
        if status.st_size > MAX_MODEL_BYTES:
            raise ModelError(f"{path}: has over {MAX_MODEL_BYTES // 1_000_000} MB, more than any model of digitocr")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); name a .onnx or .tflite file") from error
