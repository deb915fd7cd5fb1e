"""Readings for people and programs: lines of text or of JSON."""

import json

from digitocr.cli.batch.output import OUTPUT_SCHEMA, plain
from digitocr.runtime.reading import Reading


def json_line(source: str, reading: Reading | None, error: str | None, page: int = 0, pages: int = 1) -> str:
    """One picture's or page's reading, or its error, as one line of JSON.

    Args:
        source: The name of the picture.
        reading: None where there is an error.
        error: None where there is a reading.
        page: The page, from 0; in the JSON it counts from 1, and is null for a picture with one page.
        pages: How many pages the picture has.
    """
    read = (
        reading.to_dict()
        if reading
        else {"text": "", "confidence": 0.0, "turned": 0, "lines": [], "why": "", "ms": {}, "model": None}
    )
    where = {"source": source, "page": page + 1 if pages > 1 else None, "pages": pages}
    return json.dumps({"schema": OUTPUT_SCHEMA, **where, **read, "error": error})


def text(reading: Reading) -> str:
    """The numbers as they are written, with their signs, apart by a space; a line for each line of the picture."""
    return "\n".join(" ".join(number.text for number in line.numbers) for line in reading.lines)


def text_line(source: str, reading: Reading) -> str:
    """One picture of many on one line: its name, a tab, all its numbers apart by a space."""
    return f"{plain(source)}\t{' '.join(number.text for number in reading.numbers)}"
