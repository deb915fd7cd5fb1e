"""Seeded mutators: harmless pictures, models and JSON with a part of them changed.

    kind, content = picture(seed)     # the same for the same seed

Pictures and models are drawn or shipped ones. PNGs get right checksums, so that what lies behind them is reached.
"""

import copy
import io
import json
import random
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from digitocr.cli.batch import render
from digitocr.runtime.formats import has_avif
from digitocr.runtime.models import shipped_model

FORMS = {
    "PNG": ({}, {"interlace": 1}),
    "JPEG": ({}, {"progressive": True}, {"subsampling": 0}),
    "WEBP": ({}, {"lossless": True}),
    "BMP": ({},),
    "TIFF": ({}, {"compression": "tiff_lzw"}, {"compression": "tiff_deflate"}, {"compression": "jpeg"}),
    "GIF": ({},),
    "PPM": ({},),
    **({"AVIF": ({},)} if has_avif() else {}),
}
MODES = {
    "PNG": ("L", "RGB", "RGBA", "P", "LA", "1", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("L", "RGB", "P"),
    "TIFF": ("L", "RGB", "RGBA", "CMYK", "F", "1"),
    "GIF": ("P",),
    "PPM": ("L", "RGB"),
}
NUMBERS = (0, 1, 2, 7, 8, 127, 128, 255, 256, 1000, 32767, 32768, 65535, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
MODELS = (
    "digitocr-int8.onnx",
    "digitocr-float32.onnx",
    "digitocr-int8.tflite",
    "digitocr-float32.tflite",
    "detector-int8.onnx",
    "recognizer-int8.onnx",
)
HEAD = 400  # bytes; half of all changes are in them
DOCS = Path(__file__).parents[2] / "docs" / "paper"


def picture(seed: int) -> tuple[str, bytes]:
    """A picture with changes: its format and its content."""
    rng = random.Random(seed)
    form = rng.choice(list(FORMS))
    options = rng.choice(FORMS[form])
    mode = rng.choice(MODES.get(form, ("RGB",)))
    if options.get("compression") == "jpeg":
        mode = rng.choice(("L", "RGB"))
    content = changed(_drawn(form, mode, tuple(options.items())), rng)
    return form, _with_checksums(content) if form == "PNG" and rng.random() < 0.8 else content


def model(seed: int) -> tuple[str, bytes]:
    """A shipped model with changes: its file name and its content."""
    rng = random.Random(seed)
    name = rng.choice(MODELS)
    return name, changed(shipped_model(name).read_bytes(), rng)


def json_file(seed: int) -> tuple[str, bytes]:
    """A file of JSON with changes in its values, its structure or its bytes: its kind and its content."""
    rng = random.Random(seed)
    kind = rng.choice(list(JSONS))
    lines = JSONS[kind]()
    place = rng.randrange(len(lines))
    if rng.random() < 0.7:
        lines[place] = json.dumps(_other(json.loads(lines[place]), rng, rng.randrange(1, 6)))
    content = "".join(f"{line}\n" for line in lines).encode()
    return kind, changed(content, rng) if rng.random() < 0.5 else content


def changed(content: bytes, rng: random.Random) -> bytes:
    """The bytes with one to eight changes."""
    made = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        if not made:
            break
        place = rng.randrange(min(len(made), HEAD) if rng.random() < 0.5 else len(made))
        rng.choice(CHANGES)(made, place, rng)
    return bytes(made)


def _flip(made: bytearray, place: int, rng: random.Random) -> None:
    made[place] ^= 1 << rng.randrange(8)


def _any_byte(made: bytearray, place: int, rng: random.Random) -> None:
    made[place] = rng.randrange(256)


def _number(made: bytearray, place: int, rng: random.Random) -> None:
    form, most = rng.choice((("<H", 2**16), (">H", 2**16), ("<I", 2**32), (">I", 2**32)))
    packed = struct.pack(form, rng.choice(NUMBERS) % most)
    made[place : place + len(packed)] = packed[: len(made) - place]


def _cut(made: bytearray, place: int, rng: random.Random) -> None:
    end = len(made) if rng.random() < 0.3 else place + rng.randrange(1, 40)
    del made[place:end]


def _twice(made: bytearray, place: int, rng: random.Random) -> None:
    made[place:place] = made[place : place + rng.randrange(1, 200)]


def _run(made: bytearray, place: int, rng: random.Random) -> None:
    length = min(rng.randrange(1, 64), len(made) - place)
    made[place : place + length] = bytes((rng.choice((0, 255, 0x7F)),)) * length


CHANGES: tuple[Callable[[bytearray, int, random.Random], None], ...] = (_flip, _any_byte, _number, _cut, _twice, _run)


@lru_cache
def _drawn(form: str, mode: str, options: tuple[tuple[str, object], ...]) -> bytes:
    """A small picture of strokes in that format."""
    levels = np.full((48, 64, 3), 220, np.uint8)
    levels[8:40, 12:17] = (30, 60, 20)
    levels[20:24, 30:55] = (200, 30, 30)
    rgb = Image.fromarray(levels)
    if mode == "I;16":
        pil = Image.fromarray(np.asarray(rgb.convert("L")).astype(np.uint16) * 200)
    else:
        pil = rgb.convert("RGBA").convert("LA") if mode == "LA" else rgb.convert(mode)
    file = io.BytesIO()
    pil.save(file, form, **dict(options))
    return file.getvalue()


def _with_checksums(content: bytes) -> bytes:
    """A PNG whose chunks have right lengths and checksums, as far as they can be told apart."""
    made, place = bytearray(content[:8]), 8
    while place + 12 <= len(content):
        length = min(int.from_bytes(content[place : place + 4], "big"), len(content) - place - 12)
        body = content[place + 4 : place + 8 + length]
        made += struct.pack(">I", length) + body + struct.pack(">I", zlib.crc32(body))
        place += 12 + length
    return bytes(made)


def _other(content: object, rng: random.Random, changes: int) -> object:
    """JSON content with that many of its values replaced, dropped or nested."""
    for _ in range(changes):
        places = list(_places(content))
        if not places:
            return copy.deepcopy(rng.choice(VALUES))
        holder, key = rng.choice(places)
        if rng.random() < 0.2:
            del holder[key]  # type: ignore[attr-defined]
        elif rng.random() < 0.1:
            holder[key] = [copy.deepcopy(holder[key]) for _ in range(3)]  # type: ignore[index]
        else:
            holder[key] = copy.deepcopy(rng.choice(VALUES))  # type: ignore[index]
    return content


VALUES = (None, True, 0, -1, 0.5, 10**30, 1e400, float("nan"), "", "a\0\u202e\ud800", "9" * 400, [], {}, [[]], {"": 0})


def _places(content: object) -> list[tuple[object, object]]:
    """Each container in JSON content with each of its keys or indices; of long lists the first few."""
    found: list[tuple[object, object]] = []
    rest = [content]
    while rest:
        one = rest.pop()
        keys = list(one) if isinstance(one, dict) else range(min(len(one), 5)) if isinstance(one, list) else ()
        for key in keys:
            found.append((one, key))
            rest.append(one[key])  # type: ignore[index]
    return found


def _lines() -> list[str]:
    return [render.json_line(f"{number}.png", None, "why" if number == 2 else None) for number in range(5)]


def _record() -> list[str]:
    settings = {"experiment": 4, "recipe": "paper", "epochs": 3, "batch_size": 32, "seed": 0, "fonts": ""}
    record = {"schema": "digitocr-run/1", "kind": "classifier", "command": "digitocr train", "settings": settings}
    return [json.dumps(record | {"fonts": [], "data": {"digest": "a"}, "versions": {}, "resumed": [], "ended": None})]


@lru_cache
def _results() -> str:
    whole = json.loads((DOCS / "results.json").read_text("utf-8"))
    runs = [one for one in whole["runs"] if "int8" in one][:1]
    for one in runs:
        one["test"]["errors"] = one["test"]["errors"][:3]
        one["misclassified"] = one["misclassified"][:2]
    return json.dumps({**whole, "runs": runs})


def _vectors() -> list[str]:
    crop = "A" * 1044 + "AA=="  # 784 zeros
    vector = {"width": 28, "height": 28, "box": [4, 4, 20, 20], "picture": crop, "crop": crop, "logits": [0.0] * 11}
    head = {"schema": "digitocr-golden/1", "sha256": "0", "written by": "a", "tolerance": {"crop": 1, "logit": 0.1}}
    return [json.dumps(head | {"vectors": [vector]})]


JSONS: dict[str, Callable[[], list[str]]] = {
    "lines of predict": _lines,
    "run.json": _record,
    "results.json": lambda: [_results()],
    "confidence.json": lambda: [json.dumps(json.loads(shipped_model("confidence.json").read_text("utf-8")))],
    "golden vectors": _vectors,
    "card": lambda: [json.dumps({"preprocessing": 1, "training": {"model_sha256": "a"}, "labels": ["0"]})],
    "labels": lambda: [json.dumps({"file": "a.png", "text": "407", "boxes": [[0, 0, 5, 5]] * 3, "group": "a"})],
}
