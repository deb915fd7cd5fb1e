"""The JSON files of studies and searches, checked once, where they are read.

    study = read_json(Path("runs/study/study.json"), STUDY, "give another --out")

A schema has the form of the content: a type, or a tuple of types; a set of allowed texts; a list of one schema, that of
each item; or a dict of the keys that must be there, in which `...: schema` is that of all other keys' values.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from digitocr.runtime.errors import InputError

Content = dict[str, Any]

NUMBER = (int, float)  # JSON has whole numbers as int
# what each file must hold; it may hold more
DATA = {"digest": str, "training": int, "held_out": int, "test": int}
STUDY: Content = {
    "schema": {"digitocr-study/1"},
    "plan": {"epochs": int, "batch_size": int, ...: int},  # and images, where not all were used
    "data": DATA,
    "versions": {"digitocr": str, "keras": str},
}
RUN: Content = {
    "schema": {"digitocr-study-run/1"},
    "cell": str,
    "experiment": {
        "conv_layers": int,
        "kernel": int,
        "pooling": str,
        "batch_norm": bool,
        "dropout": bool,
        "padding": str,
    },
    "seed": int,
    "weights": int,
    "multiply_accumulates": int,
    "history": {"val_accuracy": [NUMBER]},
    "test": {"images": int, "errors": [[int]], "log_loss": NUMBER, "calibration_error": NUMBER},
}
PAPER_RUN: Content = {  # a run of one of the paper's four networks holds these as well
    "layers": [list],
    "first_layer": {"kernel": [list], "bias": [NUMBER], "stride": int},
    "misclassified": [{"index": int, "probabilities": [NUMBER]}],
    "corruptions": {...: NUMBER},
    "int8": {"bytes": int, "microseconds": NUMBER, "errors": [[int]]},
}
TRAINING_RUN: Content = {"command": str, "data": DATA, "versions": {"digitocr": str, "keras": str}, "ended": object}
ADAPT_RUN: Content = {
    "command": str,
    "own": {"source": str, "taught": int, "held": int, "test": int, "split": str},
    "versions": {"digitocr": str, "keras": str},
}
_DRAWN: Content = {"digits": int, "right": int, "invented": int, "calibration_error": NUMBER}
ADAPT_REPORT: Content = {
    "schema": {"digitocr-adapt/1"},
    "limits": {...: NUMBER},
    "own": {
        "pictures": int,
        "before": int,
        "after": int,
        "mended": int,
        "broken": int,
        "p": NUMBER,
        "digits": int,
        "wrong_before": int,
        "wrong_after": int,
    },
    "mnist": {"before": NUMBER, "after": NUMBER},
    "drawn": {"before": _DRAWN, "after": _DRAWN},
    "pictures": [{"name": str, "file": str, "page": int, "text": str, "before": str, "after": str, "right": [bool]}],
    "failures": [str],
}
SEARCH: Content = {
    "schema": {"digitocr-search/1"},
    "plan": {"space": str, "sampler": str, "epochs": int},
    "data": {"digest": str},
}
TRIAL: Content = {"number": int, "state": str, "params": dict}
COMPLETE_TRIAL: Content = {"accuracy": NUMBER, "bytes": NUMBER, "multiply_accumulates": NUMBER, "weights": int}


def fits(content: Any, schema: Any) -> bool:
    """Whether JSON content has the form of a schema."""
    if isinstance(schema, set):
        return isinstance(content, str) and content in schema
    if isinstance(schema, list):
        return isinstance(content, list) and all(fits(item, schema[0]) for item in content)
    if isinstance(schema, dict):
        if not isinstance(content, dict) or not all(key in content for key in schema if key is not ...):
            return False
        known = ((key, schema.get(key, schema.get(..., object))) for key in content)
        return all(fits(content[key], expected) for key, expected in known)
    if isinstance(content, bool) and schema is not object:
        return schema is bool  # which Python counts as int
    return isinstance(content, schema)


def fits_run(content: Any) -> bool:
    """Whether content is the record of a finished run of a study."""
    if not fits(content, RUN) or not (PAPER_RUN.keys().isdisjoint(content) or fits(content, PAPER_RUN)):
        return False
    return all(len(pair) == 2 for pair in content["test"]["errors"])  # [index, answer]


def fits_trial(content: Any) -> bool:
    """Whether content is the record of a finished trial of a search."""
    return fits(content, TRIAL) and (content["state"] != "complete" or fits(content, COMPLETE_TRIAL))


def fits_results(content: Any) -> bool:
    """Whether content is a results.json, of a study or of a search."""
    if fits(content, STUDY | {"runs": list}):
        return all(map(fits_run, content["runs"]))
    return fits(content, SEARCH | {"trials": list}) and all(map(fits_trial, content["trials"]))


def read_json(path: Path, check: Content | Callable[[Any], bool], remedy: str) -> Content:
    """The content of a JSON file. check: a schema, or a function that says whether the content is as it must be.

    Raises InputError, with the remedy, where the file cannot be read or fails the check.
    """
    try:
        content: Content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is damaged ({getattr(error, 'strerror', None) or error}); {remedy}") from error
    if not (check(content) if callable(check) else fits(content, check)):
        raise InputError(f"{path}: is damaged or of another version; {remedy}")
    return content
