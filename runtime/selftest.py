"""Golden vectors: pictures and boxes in, crops and logits out, and whether this machine gives the same.

    result = selftest(Path("exports/digitocr-int8.onnx"))     # reads digitocr-int8.onnx.golden.json beside it
    result["passed"], result["largest difference"]            # True, 0.0

`digitocr export` writes the vectors. They are for ports and boards: another processor, interpreter or program may round
elsewhere, and the file says how far its results may be from those of the machine that wrote them.
"""

import base64
import hashlib
import importlib.metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digitocr.runtime.classifier import Classifier
from digitocr.runtime.errors import InputError
from digitocr.runtime.files import read_json
from digitocr.runtime.models import model_content
from digitocr.runtime.preprocessing import SIDE, images, scale
from digitocr.runtime.schemas import NUMBER, fits

SCHEMA = "digitocr-golden/1"  # of a file of golden vectors
PACKAGES = {".onnx": "onnxruntime", ".tflite": "ai-edge-litert"}  # of the interpreters, by the model's suffix
FORM = {  # of such a file
    "schema": {SCHEMA},
    "sha256": str,
    "written by": str,
    "tolerance": {"crop": NUMBER, "logit": NUMBER},
    "vectors": [{"width": int, "height": int, "box": [NUMBER], "picture": str, "crop": str, "logits": [NUMBER]}],
}
MAX_SIDE = 1_000  # pixels of a picture in a golden file


def golden_path(path: Path) -> Path:
    """FILE.golden.json for the model FILE."""
    return path.with_name(f"{path.name}.golden.json")


def interpreter_of(path: Path) -> str:
    """The interpreter that opens a model file, and its version."""
    package = PACKAGES[path.suffix]
    return f"{package} {importlib.metadata.version(package)}"


def selftest(path: Path) -> dict[str, Any]:
    """Runs the golden vectors of a model file through the installed interpreter.

    Crops are made of the pictures and compared; logits are those of the golden crops, so that each step is compared
    alone.

    Args:
        path: A .onnx or .tflite file of the network that reads a digit, with its FILE.golden.json beside it.

    Returns:
        JSON-ready: file, interpreter, "written by" (the interpreter and processor of the vectors), pictures, "same
        answers", "crop difference" and "crop tolerance" (grey levels), "largest difference" and "tolerance" (of a
        logit), passed, failures (one line each).

    Raises:
        InputError: The vectors are missing or damaged.
        ModelError: The model cannot be used.
        MissingExtraError: The file is a .tflite file, and LiteRT is not installed.
    """
    golden = _loaded(golden_path(path))
    classifier = Classifier(path)
    try:
        vectors = [_unpacked(vector) for vector in golden["vectors"]]
        tolerance = {name: float(golden["tolerance"][name]) for name in ("crop", "logit")}
        writer, digest = str(golden["written by"]), str(golden["sha256"])
        expected = np.array([logits for _, _, _, logits in vectors], np.float32).reshape(-1, classifier.classes)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{golden_path(path)}: is damaged ({type(error).__name__}); export the model again") from error
    crops = np.stack([images(picture, box[None])[0] for picture, box, _, _ in vectors])
    right = np.stack([crop for _, _, crop, _ in vectors])
    logits = classifier.logits(scale(right))
    crop_difference = int(np.abs(crops.astype(int) - right).max())
    largest = float(np.nan_to_num(np.abs(logits - expected), nan=np.inf).max())
    failures = []
    if digest != hashlib.sha256(model_content(path)).hexdigest():
        failures.append("the vectors are of another file (SHA-256)")
    if crop_difference > tolerance["crop"]:
        failures.append(f"a crop differs by {crop_difference} grey levels, at most {tolerance['crop']:.0f} may")
    if not largest <= tolerance["logit"]:
        failures.append(f"a logit differs by {largest:.2g}, at most {tolerance['logit']:.2g} may")
    return {
        "file": path.name,
        "interpreter": interpreter_of(path),
        "written by": writer,
        "pictures": len(vectors),
        "same answers": int((logits.argmax(1) == expected.argmax(1)).sum()),
        "crop difference": crop_difference,
        "crop tolerance": tolerance["crop"],
        "largest difference": largest,
        "tolerance": tolerance["logit"],
        "passed": not failures,
        "failures": failures,
    }


def _loaded(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = read_json(path)
    except FileNotFoundError as error:
        raise InputError(f"{path}: does not exist; digitocr export writes it beside each model") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    except ValueError as error:
        raise InputError(f"{path}: is no JSON; export the model again") from error
    if not fits(content, {"schema": {SCHEMA}}):
        raise InputError(f"{path}: is no file of golden vectors ({SCHEMA}); export the model again")
    if not fits(content, FORM) or not content["vectors"]:
        raise InputError(f"{path}: is damaged; export the model again")
    return content


def _unpacked(
    vector: dict[str, Any],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], npt.NDArray[np.uint8], list[float]]:
    """Picture, box, crop and logits. Raises ValueError or OverflowError where a vector is damaged."""
    width, height = int(vector["width"]), int(vector["height"])
    box = np.array(vector["box"], np.float32)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and box.shape == (4,) and (abs(box) < MAX_SIDE).all()):
        raise ValueError("a side or a box")
    picture, crop = (np.frombuffer(base64.b64decode(vector[name]), np.uint8) for name in ("picture", "crop"))
    return picture.reshape(height, width), box, crop.reshape(SIDE, SIDE), [float(logit) for logit in vector["logits"]]
