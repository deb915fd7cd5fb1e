"""Readings for people and programs: lines of JSON, and pictures with what was read drawn on them."""

import contextlib
import json
from pathlib import Path

import numpy as np
from PIL import Image

from digitocr.runtime import image
from digitocr.runtime.errors import OutputError
from digitocr.runtime.reader import Reader, normalised
from digitocr.runtime.reading import Reading

SCHEMA = "digitocr/1"
SURE, UNSURE = (0, 140, 60), (215, 40, 40)  # colours, RGB
TILE = 112  # pixels; four times the 28 that the network sees


def json_line(source: str, reading: Reading | None, error: str | None) -> str:
    """One picture's reading, or its error, as one line of JSON."""
    read = (
        reading.to_dict()
        if reading
        else {"text": "", "confidence": 0.0, "turned": 0, "lines": [], "ms": {}, "model": None}
    )
    return json.dumps({"schema": SCHEMA, "source": source, **read, "error": error})


def annotated(picture: Path | bytes, reading: Reading) -> Image.Image:
    """The picture as shown, with a box, the digit and its confidence in percent for each digit."""
    from PIL import ImageDraw, ImageFont  # only those who draw wait for them

    shown = image.show(picture)
    draw = ImageDraw.Draw(shown)
    width = max(1, max(shown.size) // 400)
    for digit in reading.digits:
        box = digit.box
        font = ImageFont.load_default(size=max(10, min(box.h // 3, round(box.w / 3.4))))  # as wide as the box
        draw.rectangle((box.x - width, box.y - width, box.x + box.w + width, box.y + box.h + width), None, SURE, width)
        label = f"{digit.digit} {digit.confidence:.0%}"
        _, top, right, bottom = draw.textbbox((0, 0), label, font)
        at = box.x, max(0, box.y - 2 * width - bottom)
        draw.rectangle((at[0] - width, at[1] + top - 1, at[0] + right + width, at[1] + bottom + 1), SURE)
        draw.text(at, label, (255, 255, 255), font)
    return shown


def explained(picture: Path | bytes, reader: Reader) -> Image.Image:
    """A row for each region: the region as found, the 28x28 that the network saw, and the likeliest answers."""
    from PIL import ImageDraw, ImageFont

    gray = image.load(picture)
    boxes, tensors = normalised(gray)
    probabilities = reader.classifier.predict(tensors)
    rows = [box for line in boxes for box in line]
    sheet = Image.new("RGB", (TILE * 5, max(TILE, (TILE + 8) * len(rows))), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=18)
    if not rows:
        draw.text((8, TILE // 2), "nothing that could be a digit was found", "black", font)
    for row, (box, tensor, answer) in enumerate(zip(rows, tensors, probabilities, strict=True)):
        top = row * (TILE + 8)
        region = Image.fromarray(gray[box.y : box.y + box.h, box.x : box.x + box.w])
        region.thumbnail((TILE, TILE))
        sheet.paste(region, (0, top))
        seen = Image.fromarray((tensor[:, :, 0] * 255).astype(np.uint8))
        sheet.paste(seen.resize((TILE, TILE), Image.Resampling.NEAREST), (TILE + 8, top))
        for place, digit in enumerate(np.argsort(-answer)[:3].tolist()):
            kept = place == 0 and answer[digit] >= reader.conf
            text = f"{digit}  {answer[digit]:.3f}" + ("" if place or kept else f"  below {reader.conf:g}: left out")
            draw.text(
                (2 * TILE + 24, top + 30 * place + 8), text, SURE if kept else UNSURE if not place else "gray", font
            )
    return sheet


def save(drawn: Image.Image, folder: Path, source: str, used: set[Path], force: bool) -> None:
    """Writes FOLDER/NAME.png, NAME being the source's; a second source of that name in this run gets a number.

    Raises OutputError where the file is there from an earlier run, or cannot be written.
    """
    stem, number = "stdin" if source == "-" else Path(source).name, 1
    path = folder / f"{stem}.png"
    while path in used:
        number += 1
        path = folder / f"{stem}-{number}.png"
    used.add(path)
    part = path.with_name(f".{path.name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists() and not force:
            raise OutputError(f"{path}: exists already; name another folder or add --force")
        drawn.save(part, "PNG")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise OutputError(f"{path}: cannot be written ({error.strerror or error}); name a folder that can") from error
