"""Readings for people and programs: lines of text or of JSON."""

import json

from digitocr.cli.batch.output import SCHEMA, plain
from digitocr.runtime.reading import Reading


def json_line(source: str, reading: Reading | None, error: str | None) -> str:
    """One picture's reading, or its error, as one line of JSON."""
    read = (
        reading.to_dict()
        if reading
        else {"text": "", "confidence": 0.0, "turned": 0, "lines": [], "why": "", "ms": {}, "model": None}
    )
    return json.dumps({"schema": SCHEMA, "source": source, **read, "error": error})


def text_line(source: str, reading: Reading) -> str:
    """One picture of many on one line: its name, a tab, its lines of digits with spaces between them."""
    return f"{plain(source)}\t{reading.text.replace(chr(10), ' ')}"
