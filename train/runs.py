"""A training run's folder: begun, written to, read again."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from digitocr.runtime.errors import InputError, OutputError
from digitocr.train.data import Mnist, split


def new_folder(folder: Path, run: dict[str, Any]) -> None:
    """Makes a run's folder, with its run.json in it. Raises OutputError if it exists or cannot be written."""
    try:
        folder.mkdir(parents=True)
        write_json(folder / "run.json", run)
    except FileExistsError as error:
        raise OutputError(f"{folder}: exists already; give another folder, or go on with it with --resume") from error
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}); give another folder") from error


def data_card(data: Mnist) -> dict[str, Any]:
    """What a record of a training says of its data."""
    training, held = split(data)
    return {"digest": data.digest, "training": len(training), "held_out": len(held), "test": len(data.test_labels)}


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of a history.csv, one at least. Raises InputError where it is missing or damaged."""
    try:
        with path.open(newline="") as file:
            rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: is missing or damaged; train again") from error
    if not rows:
        raise InputError(f"{path}: is empty; train again")
    return rows


def write_json(path: Path, content: dict[str, Any]) -> None:
    replace(path, lambda beside: beside.write_text(json.dumps(content, indent=2) + "\n"))


def replace(path: Path, write: Callable[[Path], Any]) -> None:
    """Writes beside, then renames: whoever reads the path finds the old file or the new one, whole."""
    beside = path.with_name(f"writing-{path.name}")
    write(beside)
    beside.replace(path)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
