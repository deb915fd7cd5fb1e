"""Golden vectors beside an exported file: twenty drawn pictures, and what becomes of them, as JSON and for C programs.

    write_golden(Path("exports/digitocr-int8.onnx"))     # exports/digitocr-int8.onnx.golden.json and .golden.h

runtime/selftest.py reads them, and says what they hold for each network. For the shipped files, and for the shipped
networks together, as JSON only:

    python -m digitocr.export.golden runtime/models
"""

import base64
import json
import platform
import sys
from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digitocr.runtime.classifier import Classifier
from digitocr.runtime.errors import OutputError
from digitocr.runtime.files import replacing, shown_files
from digitocr.runtime.image import GrayImage
from digitocr.runtime.interpreter import PlanesNetwork
from digitocr.runtime.preprocessing import VERSION, images, scale
from digitocr.runtime.reader import Reader
from digitocr.runtime.recognizer import DIGIT_HEIGHT, STRIP_HEIGHT
from digitocr.runtime.selftest import (
    CELL_BOX,
    CELL_CENTRE,
    READER,
    READER_FILES,
    SCHEMA,
    cells_of,
    columns_of,
    digest_of,
    digits_of,
    golden_path,
    interpreter_of,
)
from digitocr.train.synthesis.strokes import Floats, draw_digit, random_hand

PICTURES = 20  # two of each digit
HEIGHTS = (16, 24, 36)  # pixels of a digit, in turn: crops are enlarged or shrunk
PAPER, INK = 225.0, 150.0  # grey levels of paper, and how much darker ink is
NOISE = 8.0  # grey levels, standard deviation; answers are then not all certain
NOISE_STEP = 16  # grey levels, of which noise is a multiple, so that the files can be compressed
STROKE = 0.13  # of a digit's height
GAP = 0.15  # of a digit's height; between two digits of a line
STRIP_DIGITS = 4  # of a strip
LINE_DIGITS = (3, 5, 7)  # of a line of a whole picture, in turn
LINE_HEIGHTS = (24, 32)  # pixels of its digits, in turn
CELLS = 12  # of a detector's output, those with the highest logits of a centre
CROP_TOLERANCE = 4  # grey levels; resizing differs by 1 between machines, and contrast is stretched
PLANE_TOLERANCE = 0.01  # of -4 to 4; means of windows in float32 differ by less
FLOAT_TOLERANCE = 1e-3  # of a logit; float32 kernels differ by 1e-5
STEPS = {"classifier": 2, "detector": 20, "recognizer": 12}  # of 255 over an output's range; integer kernels differ so
CONFIDENCE_TOLERANCE = 0.02  # of a digit in a whole picture
BOX_TOLERANCE = 2  # pixels, of its box

_Vectors = tuple[list[dict[str, Any]], dict[str, float]]  # and their tolerances


def write_golden(path: Path, header: bool = True) -> None:
    """Writes FILE.golden.json and FILE.golden.h for a file of any of the three networks.

    Args:
        path: The .onnx or .tflite file; or the folder's READER, for the shipped networks together.
        header: Whether FILE.golden.h is written.

    Raises ModelError where the file cannot be used, and OutputError where the vectors cannot be written.
    """
    network = path.name if path.name == READER else network_of(path)
    vectors, tolerance = _MADE[network](path)
    golden = {
        "schema": SCHEMA,
        "network": network,
        "file": path.name,
        "sha256": digest_of(path),
        "preprocessing": VERSION,
        "written by": f"{interpreter_of(path if path.suffix else Path(READER_FILES[0]))}, {platform.machine()}",
        "tolerance": tolerance,
        "vectors": vectors,
    }
    _write(golden_path(path), _json(golden))
    if header:
        _write(golden_path(path).with_suffix(".h"), c_header(golden))


def network_of(path: Path) -> str:
    """Which network a file holds, by its name: "classifier", "detector" or "recognizer"."""
    return next((name for name in ("detector", "recognizer") if path.name.startswith(name)), "classifier")


def c_header(golden: dict[str, Any]) -> str:
    """The vectors as a C99 header: arrays of bytes and floats, and a table `golden_vectors` of pointers to them."""
    types: dict[str, str] = {}
    arrays, rows = [], []
    for number, vector in enumerate(golden["vectors"]):
        entries = []
        for name, value in vector.items():
            if isinstance(value, int):
                types[name] = f"int32_t {name};"
                entries.append(str(value))
                continue
            if name == "numbers":
                types[name] = "const char *numbers; /* each ends with a line feed */"
                entries.append(json.dumps("".join(f"{text}\n" for text in value)))
                continue
            is_bytes = isinstance(value, str)
            kind = "uint8_t" if is_bytes else "float"
            values = [
                str(one) if is_bytes else f"{float(one)!r}f"
                for one in (base64.b64decode(value) if is_bytes else np.ravel(value))
            ]
            types[name] = f"const {kind} *{name}; int32_t {name}_count;"
            text = "\n    ".join(", ".join(values[at : at + 16]) + "," for at in range(0, len(values), 16))
            arrays.append(f"static const {kind} golden_{name}_{number}[] = {{\n    {text or '0'}\n}};\n")
            entries.append(f"golden_{name}_{number}, {len(values)}")
        rows.append(f"    {{{', '.join(entries)}}},\n")
    fields = "".join(f"    {text}\n" for text in types.values())
    limits = "".join(
        f"#define GOLDEN_{name.upper()}_TOLERANCE {float(limit)!r}f\n" for name, limit in golden["tolerance"].items()
    )
    return (
        f"/* Golden vectors of {golden['file']}, written by {golden['written by']}.\n"
        f" * SHA-256 of the file: {golden['sha256']} */\n"
        f"#include <stdint.h>\n\n#define GOLDEN_COUNT {len(rows)}\n{limits}\n"
        f"struct golden_vector {{\n{fields}}};\n\n{''.join(arrays)}\n"
        f"static const struct golden_vector golden_vectors[GOLDEN_COUNT] = {{\n{''.join(rows)}}};\n"
    )


def pictures() -> list[tuple[GrayImage, Floats]]:
    """Drawn digits with their boxes, (4,) float32 x, y, w, h. Every second one is bright on dark."""
    made = []
    for number in range(PICTURES):
        rng = np.random.default_rng((2026, number))
        ink = draw_digit(number % 10, random_hand(rng), rng, HEIGHTS[number % len(HEIGHTS)], stroke=STROKE)
        height, width = ink.shape
        margin = height // 3  # squares reach beyond some pictures
        gray = np.pad(PAPER - INK * ink, margin, constant_values=PAPER)
        noise = NOISE_STEP * np.rint(rng.normal(0, NOISE, gray.shape) / NOISE_STEP)
        gray = np.clip(np.rint(gray) + noise, 0, 255).astype(np.uint8)
        places = np.array([margin, margin, width, height]) + rng.normal(0, height / 12, 4)
        made.append((255 - gray if number % 2 else gray, np.round(places, 2).astype(np.float32)))
    return made


def strips() -> list[GrayImage]:
    """(32, W) lines of STRIP_DIGITS drawn digits."""
    made = []
    for number in range(PICTURES):
        line = _line(range(number, number + STRIP_DIGITS), DIGIT_HEIGHT, np.random.default_rng((2027, number)))
        above = (STRIP_HEIGHT - len(line)) // 2
        line = np.pad(line, [(above, STRIP_HEIGHT - len(line) - above), (DIGIT_HEIGHT // 2, DIGIT_HEIGHT // 2)])
        made.append(_paper(line, number))
    return made


def pages() -> list[GrayImage]:
    """Pictures of one number, or of two below each other."""
    made = []
    for number in range(PICTURES):
        rng = np.random.default_rng((2028, number))
        count, height = LINE_DIGITS[number % len(LINE_DIGITS)], LINE_HEIGHTS[number % len(LINE_HEIGHTS)]
        lines = [_line(rng.integers(0, 10, count), height, rng) for _ in range(2 if number % 4 == 3 else 1)]
        width = max(line.shape[1] for line in lines)
        lines = [np.pad(line, [(height // 2, height // 2), (height, height + width - line.shape[1])]) for line in lines]
        made.append(_paper(np.concatenate(lines), number))
    return made


def _line(digits: Any, height: int, rng: np.random.Generator) -> Floats:
    """The ink, 0 to 1, of digits side by side in one hand."""
    hand = random_hand(rng)
    drawn = [draw_digit(int(digit) % 10, hand, rng, height, stroke=STROKE) for digit in digits]
    rows = max(len(ink) for ink in drawn)
    parts = [np.pad(ink, [(0, rows - len(ink)), (0, round(GAP * height))]) for ink in drawn]
    return np.concatenate(parts, 1)


def _paper(ink: Floats, number: int) -> GrayImage:
    """Ink on paper; every second picture is bright on dark."""
    gray = np.rint(PAPER - INK * ink).astype(np.uint8)
    return np.asarray(255 - gray if number % 2 else gray)


def _of_classifier(path: Path) -> _Vectors:
    classifier = Classifier(path)
    drawn = pictures()
    crops = np.concatenate([images(gray, box[None]) for gray, box in drawn])
    logits = classifier.logits(scale(crops))
    vectors = [
        {**_packed(gray), "box": box.tolist(), "crop": _text(crop), "logits": _rounded(row)}
        for (gray, box), crop, row in zip(drawn, crops, logits, strict=True)
    ]
    return vectors, {"crop": CROP_TOLERANCE, "logit": _tolerance(path, logits)}


def _of_detector(path: Path) -> _Vectors:
    model = PlanesNetwork(path)
    vectors, found = [], []
    for gray, _ in pictures():
        cells = cells_of(model, gray)
        best = np.sort(np.argsort(-cells[..., 3].ravel(), kind="stable")[:CELLS])
        rows, columns = np.unravel_index(best, cells.shape[:2])
        numbers = np.concatenate([np.stack([rows, columns], 1), cells[rows, columns]], 1)
        vectors.append({**_packed(gray), "cells": [_rounded(row) for row in numbers]})
        found.append(numbers)
    numbers = np.concatenate(found)
    return vectors, {
        "plane": PLANE_TOLERANCE,
        "centre": _tolerance(path, numbers[:, CELL_CENTRE]),
        "box": _tolerance(path, numbers[:, CELL_BOX]),
    }


def _of_recognizer(path: Path) -> _Vectors:
    model = PlanesNetwork(path)
    drawn = strips()
    logits = [columns_of(model, strip) for strip in drawn]
    vectors = [
        {**_packed(strip), "logits": [_rounded(row) for row in rows]} for strip, rows in zip(drawn, logits, strict=True)
    ]
    return vectors, {"logit": _tolerance(path, np.concatenate(logits))}


def _of_reader(_path: Path) -> _Vectors:
    reader = Reader()
    vectors = []
    for page in pages():
        numbers, digits = digits_of(reader, page)
        vectors.append({**_packed(page), "numbers": numbers, "digits": [_rounded(np.array(row)) for row in digits]})
    return vectors, {"confidence": CONFIDENCE_TOLERANCE, "box": BOX_TOLERANCE}


_MADE: dict[str, Callable[[Path], _Vectors]] = {
    "classifier": _of_classifier,
    "detector": _of_detector,
    "recognizer": _of_recognizer,
    READER: _of_reader,
}


def _tolerance(path: Path, outputs: Floats) -> float:
    """How far outputs of another machine may be from these."""
    if "-int8" not in path.name and "-dynamic" not in path.name:
        return FLOAT_TOLERANCE
    return ceil(1e4 * STEPS[network_of(path)] * float(np.ptp(outputs)) / 255) / 1e4


def _packed(gray: GrayImage) -> dict[str, Any]:
    height, width = gray.shape
    return {"width": width, "height": height, "picture": _text(gray)}


def _text(pixels: npt.NDArray[np.uint8]) -> str:
    return base64.b64encode(pixels.tobytes()).decode()


def _rounded(row: npt.NDArray[Any]) -> list[float]:
    """Six significant digits, which float32 has; whole numbers as such."""
    return [int(value) if value == int(value) else float(f"{value:.6g}") for value in row]


def _json(golden: dict[str, Any]) -> str:
    """JSON with a line for each vector."""
    *head, (_, vectors) = golden.items()
    lines = [f"{json.dumps(name)}: {json.dumps(value)},\n" for name, value in head]
    rows = ",\n".join(json.dumps(vector) for vector in vectors)
    return "{\n" + "".join(lines) + f'"vectors": [\n{rows}\n]\n}}\n'


def _write(path: Path, text: str) -> None:
    try:
        with replacing(path) as beside:
            beside.write_text(text, "utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for model in sorted([*shown_files(folder, "*.onnx"), *shown_files(folder, "*.tflite"), folder / READER]):
        write_golden(model, header=False)
