"""Golden vectors: pictures in, what becomes of them out, and whether this machine gives the same.

    result = selftest(Path("exports/digitocr-int8.onnx"))     # reads digitocr-int8.onnx.golden.json beside it
    result["passed"], result["differences"][0]["largest"]     # True, 0.0
    selftest()                                                # the shipped networks together: pictures to numbers

`digitocr export` writes the vectors. They are for ports and boards: another processor, interpreter or program may round
elsewhere, and the file says how far its results may be from those of the machine that wrote them.

What a vector holds depends on the network:

- classifier: a picture, a box, the crop of 28x28 pixels, and its logits.
- detector: a picture, and the cells with the highest logits of a centre, each as row, column, the three planes of the
  input at the pixel (4 column + 2, 4 row + 2), and the five outputs: centre, dx, dy, log width, log height.
- recognizer: a strip 32 pixels high, and the 18 logits of each of its columns.
- reader, the three of them: a picture, its numbers, and each digit with its confidence and box.

Pictures of a detector or a recognizer are extended at the right and below by their edge pixels: to the sides that the
file takes, or to multiples of 8 where those are free.
"""

import base64
import hashlib
import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime.classifier import Classifier
from digitocr.runtime.detector import MULTIPLE, STRIDE, detector_input
from digitocr.runtime.errors import InputError
from digitocr.runtime.files import is_folder, read_json
from digitocr.runtime.image import GrayImage
from digitocr.runtime.interpreter import PlanesNetwork
from digitocr.runtime.models import CONFIDENCE, model_content, shipped_model
from digitocr.runtime.preprocessing import SIDE, images, scale
from digitocr.runtime.reader import Reader
from digitocr.runtime.recognizer import CLASS_COUNT, COLUMN, STRIP_HEIGHT, recognizer_input
from digitocr.runtime.schemas import fits
from digitocr.runtime.trial import checked_model

Floats: TypeAlias = npt.NDArray[np.float32]

SCHEMA = "digitocr-golden/1"  # of a file of golden vectors
READER = "reader"  # the shipped networks together; their vectors are reader.golden.json
READER_FILES = ("detector-int8.onnx", "digitocr-int8.onnx", "recognizer-int8.onnx")  # whose SHA-256 it holds
PACKAGES = {".onnx": "onnxruntime", ".tflite": "ai-edge-litert"}  # of the interpreters, by the model's suffix
MAX_SIDE = 1_000  # pixels of a picture in a golden file
CELL_PLANES = slice(2, 5)  # the numbers of a cell that are the planes of the input
CELL_CENTRE = slice(5, 6)  # the logit of a centre
CELL_BOX = slice(6, 10)  # offsets and logarithms of sides
CELL_NUMBERS = 10


class Difference(NamedTuple):
    """How far results are from the golden ones.

    Attributes:
        of: What is compared.
        largest: The largest difference.
        tolerance: The largest one that the golden file allows.
    """

    of: str
    largest: float
    tolerance: float


class _Found(NamedTuple):
    same: int  # pictures with the same answer
    differences: list[Difference]


def golden_path(path: Path) -> Path:
    """FILE.golden.json for the model FILE."""
    return path.with_name(f"{path.name}.golden.json")


def interpreter_of(path: Path) -> str:
    """The interpreter that opens a model file, and its version."""
    package = PACKAGES[path.suffix]
    return f"{package} {importlib.metadata.version(package)}"


def selftest(path: Path | None = None) -> dict[str, Any]:
    """Runs the golden vectors of a model file through the installed interpreter.

    Each step is compared alone: the network gets the golden crops, where there are any.

    Args:
        path: A .onnx or .tflite file of any of the three networks, with its FILE.golden.json beside it. None: the
            shipped networks together, as Reader has them.

    Returns:
        JSON-ready: file, network ("classifier", "detector", "recognizer" or "reader"), interpreter, "written by" (the
        interpreter and processor of the vectors), pictures, "same answers", differences (a list of: of, largest,
        tolerance), passed, failures (one line each).

    Raises:
        InputError: The vectors are missing or damaged, or `path` is a folder.
        ModelError: The model cannot be used.
        MissingExtraError: The file is a .tflite file, and LiteRT is not installed.
    """
    if path and is_folder(path):
        raise InputError(f"{path}: is a folder; name a model file in it")
    model = path or shipped_model(READER)
    golden = _loaded(golden_path(model))
    network = str(golden.get("network", "classifier"))
    if path:
        checked_model(path)
    try:
        checked = _CHECKS[network]
        found = checked(model, golden)
        writer, digest = str(golden["written by"]), str(golden["sha256"])
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(
            f"{golden_path(model)}: is damaged ({type(error).__name__}); export the model again"
        ) from error
    pictures = len(golden["vectors"])
    failures = []
    if digest != digest_of(model):
        failures.append("the vectors are of another file (SHA-256)")
    if network == READER and found.same < pictures:
        failures.append(f"other numbers are read in {pictures - found.same} of {pictures} pictures")
    for one in found.differences:
        if not one.largest <= one.tolerance:
            failures.append(f"a {one.of} differs by {one.largest:.2g}, at most {one.tolerance:.2g} may")
    return {
        "file": model.name,
        "network": network,
        "interpreter": interpreter_of(model if model.suffix else shipped_model(READER_FILES[0])),
        "written by": writer,
        "pictures": pictures,
        "same answers": found.same,
        "differences": [one._asdict() for one in found.differences],
        "passed": not failures,
        "failures": failures,
    }


def digest_of(path: Path) -> str:
    """The SHA-256 of a model file; of READER that of its networks and of the weights of the confidence."""
    names = [path] if path.suffix else [path.with_name(name) for name in (*READER_FILES, CONFIDENCE)]
    return hashlib.sha256(b"".join(model_content(name) for name in names)).hexdigest()


def framed(picture: GrayImage, sides: tuple[int | None, ...]) -> GrayImage:
    """The picture extended by its edge pixels to (height, width); to multiples of 8 where that is None.

    Raises ValueError where it is larger.
    """
    missing = [
        -length % MULTIPLE if side is None else side - length for length, side in zip(picture.shape, sides, strict=True)
    ]
    return np.pad(picture, [(0, pixels) for pixels in missing], "edge")


def cells_of(model: PlanesNetwork, picture: GrayImage) -> Floats:
    """(H/4, W/4, 8): at each cell of a detector's output the three planes of the input, and the five outputs."""
    planes = detector_input(framed(picture, model.sides))
    outputs = model.outputs(planes[None])
    seen = planes[:, STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]
    return np.concatenate([seen, outputs["centres"][0], outputs["boxes"][0]]).transpose(1, 2, 0)


def columns_of(model: PlanesNetwork, strip: GrayImage) -> Floats:
    """(n, 18): the logits of a strip's own columns, of a recognizer."""
    logits = model.outputs(recognizer_input(framed(strip, model.sides))[None])["logits"]
    return logits[0, :, 0].T.reshape(-1, CLASS_COUNT)[: -(-strip.shape[1] // COLUMN)]


def digits_of(reader: Reader, picture: GrayImage) -> tuple[list[str], list[list[float]]]:
    """The numbers in a picture, and of each digit: digit or -1 for doubt, confidence, x, y, width, height."""
    reading = reader.read(picture)
    digits = [
        [-1 if digit.digit is None else digit.digit, digit.confidence, *digit.box]
        for line in reading.lines
        for digit in line.digits
    ]
    return [number.text for number in reading.numbers], digits


def _check_classifier(path: Path, golden: dict[str, Any]) -> _Found:
    classifier = Classifier(path)
    vectors = golden["vectors"]
    boxes = [np.array(vector["box"], np.float32) for vector in vectors]
    if not all(box.shape == (4,) and (abs(box) < MAX_SIDE).all() for box in boxes):
        raise ValueError("a box")
    right = np.stack([_bytes(vector["crop"]).reshape(SIDE, SIDE) for vector in vectors])
    crops = np.stack([images(_picture(vector), box[None])[0] for vector, box in zip(vectors, boxes, strict=True)])
    expected = np.array([vector["logits"] for vector in vectors], np.float32).reshape(-1, classifier.classes)
    logits = classifier.logits(scale(right))
    return _Found(
        int((logits.argmax(1) == expected.argmax(1)).sum()),
        [
            Difference("crop", _largest(crops, right), float(golden["tolerance"]["crop"])),
            Difference("logit", _largest(logits, expected), float(golden["tolerance"]["logit"])),
        ],
    )


def _check_detector(path: Path, golden: dict[str, Any]) -> _Found:
    model = PlanesNetwork(path)
    same, given, right = 0, [], []
    for vector in golden["vectors"]:
        cells = np.array(vector["cells"], np.float32).reshape(-1, CELL_NUMBERS)
        all_cells = cells_of(model, _picture(vector))
        rows, columns = cells[:, :2].astype(int).T
        found = all_cells[rows, columns]
        best = np.unravel_index(all_cells[..., 3].argmax(), all_cells.shape[:2])
        same += tuple(best) in {(row, column) for row, column in zip(rows, columns, strict=True)}
        given.append(np.concatenate([cells[:, :2], found], 1))
        right.append(cells)
    a, b = np.concatenate(given), np.concatenate(right)
    return _Found(
        same,
        [
            Difference(name, _largest(a[:, part], b[:, part]), float(golden["tolerance"][name]))
            for name, part in (("plane", CELL_PLANES), ("centre", CELL_CENTRE), ("box", CELL_BOX))
        ],
    )


def _check_recognizer(path: Path, golden: dict[str, Any]) -> _Found:
    model = PlanesNetwork(path)
    same, largest = 0, 0.0
    for vector in golden["vectors"]:
        strip = _picture(vector)
        if len(strip) != STRIP_HEIGHT:
            raise ValueError("a strip's height")
        logits, expected = columns_of(model, strip), np.array(vector["logits"], np.float32)
        same += int((logits.argmax(1) == expected.argmax(1)).all())
        largest = max(largest, _largest(logits, expected))
    return _Found(same, [Difference("logit", largest, float(golden["tolerance"]["logit"]))])


def _check_reader(_path: Path, golden: dict[str, Any]) -> _Found:
    reader = Reader()
    same, confidence, box = 0, 0.0, 0.0
    for vector in golden["vectors"]:
        numbers, digits = digits_of(reader, _picture(vector))
        if (numbers, len(digits)) != (vector["numbers"], len(vector["digits"])):
            continue
        same += 1
        if digits:
            a, b = np.array(digits), np.array(vector["digits"], float)
            confidence, box = max(confidence, _largest(a[:, 1], b[:, 1])), max(box, _largest(a[:, 2:], b[:, 2:]))
    tolerance = golden["tolerance"]
    return _Found(
        same,
        [
            Difference("confidence", confidence, float(tolerance["confidence"])),
            Difference("box", box, float(tolerance["box"])),
        ],
    )


_CHECKS: dict[str, Callable[[Path, dict[str, Any]], _Found]] = {
    "classifier": _check_classifier,
    "detector": _check_detector,
    "recognizer": _check_recognizer,
    READER: _check_reader,
}


def _largest(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    """The largest difference; infinite where one of them is no number."""
    return float(np.nan_to_num(np.abs(a.astype(float) - b), nan=np.inf).max(initial=0.0))


def _loaded(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = read_json(path)
    except FileNotFoundError as error:
        raise InputError(f"{path}: does not exist; digitocr export writes it beside each model") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    except ValueError as error:
        raise InputError(f"{path}: is no JSON; export the model again") from error
    if not fits(content, {"schema": {SCHEMA}, "vectors": [dict]}) or not content["vectors"]:
        raise InputError(f"{path}: is no file of golden vectors ({SCHEMA}); export the model again")
    return content


def _picture(vector: dict[str, Any]) -> GrayImage:
    """Raises KeyError, TypeError or ValueError where a vector is damaged."""
    width, height = int(vector["width"]), int(vector["height"])
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError("a side")
    return _bytes(vector["picture"]).reshape(height, width)


def _bytes(text: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(base64.b64decode(text), np.uint8)
