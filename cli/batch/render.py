"""Readings for people and programs: lines of text or JSON, and pictures with what was read drawn on them."""

import io
import json

from PIL import Image

from digitocr.cli.batch.output import SCHEMA, plain
from digitocr.runtime import image
from digitocr.runtime.reading import Reading

SURE = (0, 140, 60)  # a colour, RGB


def json_line(source: str, reading: Reading | None, error: str | None) -> str:
    """One picture's reading, or its error, as one line of JSON."""
    read = (
        reading.to_dict()
        if reading
        else {"text": "", "confidence": 0.0, "turned": 0, "lines": [], "ms": {}, "model": None}
    )
    return json.dumps({"schema": SCHEMA, "source": source, **read, "error": error})


def text_line(source: str, reading: Reading) -> str:
    """One picture of many on one line: its name, a tab, its lines of digits with spaces between them."""
    return f"{plain(source)}\t{reading.text.replace(chr(10), ' ')}"


def annotated(picture: bytes, reading: Reading) -> Image.Image:
    """The picture as shown, with a box, the digit and its confidence in percent for each digit."""
    from PIL import ImageDraw, ImageFont  # only those who draw wait for them

    shown = image.load_rgb(picture)
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


def png(picture: Image.Image) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
