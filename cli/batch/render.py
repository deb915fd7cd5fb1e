"""Readings for people and programs: lines of text or JSON, and pictures with the digits drawn on them."""

import io
import json

from PIL import Image

from digitocr.cli.batch.output import SCHEMA, plain
from digitocr.runtime.reading import Reading

BOX_COLOUR = (0, 140, 60)  # RGB, green


def json_line(source: str, reading: Reading | None, error: str | None, page: int = 0, pages: int = 1) -> str:
    """One picture's or page's reading, or its error, as one line of JSON.

    Args:
        source: the name of the picture.
        reading: None where there is an error.
        error: None where there is a reading.
        page: counted from 0; in the JSON from 1, and null for a picture that is no document of several pages.
        pages: how many pages the picture has.
    """
    read = (
        reading.to_dict()
        if reading
        else {"text": "", "confidence": 0.0, "turned": 0, "lines": [], "ms": {}, "model": None}
    )
    where = {"source": source, "page": page + 1 if pages > 1 else None, "pages": pages}
    return json.dumps({"schema": SCHEMA, **where, **read, "error": error})


def text_line(source: str, reading: Reading) -> str:
    """One picture of many on one line: its name, a tab, its lines of digits with spaces between them."""
    return f"{plain(source)}\t{reading.text.replace(chr(10), ' ')}"


def annotated(picture: Image.Image, reading: Reading) -> Image.Image:
    """A copy of the picture as shown, RGB, with a box, the digit and its confidence in percent for each digit."""
    from PIL import ImageDraw, ImageFont  # only those who draw wait for them

    shown = picture.copy()
    draw = ImageDraw.Draw(shown)
    width = max(1, max(shown.size) // 400)
    for digit in reading.digits:
        box = digit.box
        font = ImageFont.load_default(size=max(10, min(box.h // 3, round(box.w / 3.4))))  # as wide as the box
        draw.rectangle(
            (box.x - width, box.y - width, box.x + box.w + width, box.y + box.h + width), None, BOX_COLOUR, width
        )
        label = f"{digit.digit} {digit.confidence:.0%}"
        _, top, right, bottom = draw.textbbox((0, 0), label, font)
        at = box.x, max(0, box.y - 2 * width - bottom)
        draw.rectangle((at[0] - width, at[1] + top - 1, at[0] + right + width, at[1] + bottom + 1), BOX_COLOUR)
        draw.text(at, label, (255, 255, 255), font)
    return shown


def png(picture: Image.Image) -> bytes:
    """The picture as the content of a PNG file."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
