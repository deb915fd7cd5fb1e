"""Gives an exported file its name only after it has passed its gate: one procedure for all networks.

    report = publish(Path("exports/digitocr-int8.onnx"), write, judge)

leaves three files: the model, FILE.json (its card) and FILE.report.json (what the gate measured). A file that the gate
refuses leaves only its report. An interrupted export leaves no part of a model.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from digitocr.export.card import Card, card_path, write_card
from digitocr.export.parity import Report
from digitocr.runtime.errors import GateError, OutputError
from digitocr.runtime.files import is_there, remove_abandoned, replacing


def refuse_there(paths: Iterable[Path]) -> None:
    """Raises OutputError for the first of `paths` that exists already."""
    for path in paths:
        if is_there(path):
            raise OutputError(f"{path}: exists already; overwrite it with --force, or give another --out")


def refuse_existing(paths: Iterable[Path]) -> None:
    """Raises OutputError for the first model file of `paths` that exists already, or whose card does."""
    refuse_there(existing for path in paths for existing in (path, card_path(path)))


def publish(path: Path, write: Callable[[Path], object], judge: Callable[[Path], tuple[Card, Report]]) -> Report:
    """Writes a model beside `path`, judges it, and renames it to `path` if it passed.

    Args:
        path: The final name; its folder is made. An existing file is replaced.
        write: Writes the model to the path it is given, which has the suffix of `path`.
        judge: Returns the card and the gate's report on the file at the path it is given. It may change the file, for
            example to embed the card; the report is on the bytes that it leaves.

    Returns:
        The report, with "path" and "bytes" of the file added.

    Raises:
        GateError: The report lists failures. The report is kept, the file is not.
        OutputError: The folder or a file cannot be written.
    """
    report_path = path.with_name(f"{path.name}.report.json")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(path.parent, name=f"{path.stem}*")
        with replacing(path) as beside:
            write(beside)
            card, report = judge(beside)
            report["file"] = path.name
            with replacing(report_path) as unfinished:
                unfinished.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
            if report["failures"]:
                failures = "; ".join(report["failures"])
                raise GateError(f"{path} is refused and not written: {failures}; see {report_path}")
        write_card(path, card)
        return {**report, "path": str(path), "bytes": path.stat().st_size}
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error}); give another --out") from error
