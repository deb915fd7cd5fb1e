"""The shipped model files, checked, and ONNX Runtime's sessions, which both networks run in."""

import hashlib
import json
from pathlib import Path
from stat import S_ISREG
from typing import Any

from digitocr.runtime.errors import ModelError

MODELS = Path(__file__).with_name("models")  # the shipped files
MAX_BYTES = 64_000_000  # no digit reader is larger; a wrong file is not read into memory whole


def model_card(session: Any) -> dict[str, Any]:
    """What `digitocr export` wrote into the model of an onnxruntime.InferenceSession; {} for other files."""
    return parsed_card(session.get_modelmeta().custom_metadata_map.get("digitocr"))


def parsed_card(text: str | bytes | None) -> dict[str, Any]:
    """A card's JSON object; {} for what is none."""
    try:
        card = json.loads(text or "{}")
    except ValueError:
        return {}
    return card if isinstance(card, dict) else {}


def shipped_model(name: str) -> Path:
    """Where the shipped file of that name lies."""
    return MODELS / name


def check_shipped(path: Path, content: bytes) -> str:
    """The SHA-256 of a file's content; raises ModelError if it is a shipped one that is not as it was shipped."""
    digest = hashlib.sha256(content).hexdigest()
    if path.parent == MODELS and shipped_checksums().get(path.name) != digest:
        raise ModelError(f"{path}: is not the file that was shipped (SHA-256 differs); install digitocr again")
    return digest


def shipped_checksums() -> dict[str, str]:
    """SHA-256 by file name, of every shipped model."""
    lines = shipped_model("SHA256SUMS").read_text("ascii").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def model_content(path: Path) -> bytes:
    """The bytes of a model file. Raises ModelError for what is none, is too large or cannot be read."""
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise ModelError(f"{path}: is a folder or a device; name a .onnx or .tflite file")  # a pipe might hang
        if status.st_size > MAX_BYTES:
            raise ModelError(f"{path}: has over {MAX_BYTES // 1_000_000} MB, which no model of digitocr has")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); name a .onnx or .tflite file") from error
