"""What is done with a mutated picture, model or file of JSON: the same code that a user's file meets."""

import io
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from digitocr.runtime.errors import DigitocrError

sys.path.insert(0, str(Path(__file__).parent))

import mutators

KINDS = ("pictures", "models", "json")


def outcome(kind: str, seed: int, folder: Path) -> str:
    """What became of a case: "read", the class of a DigitocrError, or "untyped" with what was raised.

    Args:
        kind: One of KINDS.
        seed: Of the mutator.
        folder: Where files may be written; one at a time.
    """
    return became(lambda: {"pictures": _picture, "models": _model, "json": _json}[kind](seed, folder))


def became(read: Callable[[], object]) -> str:
    """What became of reading something, as of a case."""
    try:
        read()
    except DigitocrError as error:
        return type(error).__name__ if "\n" not in str(error) else "untyped: a message of several lines"
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"untyped: {type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
    return "read"


# Each imports what it calls: a process of `make fuzz` does one kind only.


def _picture(seed: int, _: Path) -> None:
    from digitocr.runtime import image

    _, content = mutators.picture(seed)
    for page in range(min(image.page_count(content), 3)):
        image.load_reduced(content, page=page)
        if seed % 2:
            image.load_rgb(content, page=page)


def _model(seed: int, folder: Path) -> None:
    from digitocr.runtime.classifier import Classifier
    from digitocr.runtime.detector import Detector
    from digitocr.runtime.recognizer import Recognizer

    name, content = mutators.model(seed)
    path = folder / name
    path.write_bytes(content)
    if name.startswith("detector"):
        Detector(path).detect(np.full((64, 64), 200, np.uint8))
    elif name.startswith("recognizer"):
        Recognizer(path).columns([np.full((32, 64), 200, np.uint8)])
    else:
        Classifier(path).predict(np.zeros((2, 28, 28, 1), np.float32))


def try_models_in_forks() -> None:
    """From now on a model is tried in a fork of this process, which has loaded the interpreters: 30 times as many.

    All else is as in a process of its own: the limits, and what its end means.
    """
    from digitocr.runtime import trial
    from digitocr.runtime.interpreter import litert_library

    import_module("onnxruntime")
    litert_library()

    def run(command: Sequence[str], *, input: bytes, **_: object) -> SimpleNamespace:
        ours, theirs = os.pipe()
        if not (pid := os.fork()):
            os.dup2(theirs, 1)
            sys.argv[1:], sys.stdin = command[-1:], io.TextIOWrapper(io.BytesIO(input))
            trial.main()
        os.close(theirs)
        with os.fdopen(ours, "rb") as pipe:
            said = pipe.read()
        return SimpleNamespace(returncode=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), stdout=said)

    subprocess.run = run


def _json(seed: int, folder: Path) -> None:
    kind, content = mutators.json_file(seed)
    # confidence.json is read once under each name
    read_json_file(
        kind, content, folder / {"run.json": "run.json", "confidence.json": f"{seed}.json"}.get(kind, "a.json")
    )


def read_json_file(kind: str, content: bytes, path: Path) -> None:
    """Writes a file of a kind in mutators.JSONS, and reads it as a command would."""
    from digitocr.cli.batch.output import LineFile
    from digitocr.export.card import training_of
    from digitocr.runtime import models, selftest
    from digitocr.runtime.confidence import load_confidence
    from digitocr.train.paper.schemas import fits_results, read_json
    from digitocr.train.runs import read_record
    from digitocr.train.sources.labelled import Gathered
    from digitocr.train.sources.tables import entries_of_json

    path.write_bytes(content)
    if kind == "lines of predict":
        with LineFile(path, resume=True, force=False) as lines:
            lines.opened()
    elif kind == "run.json":
        training_of(path)
        read_record(path.parent)
    elif kind == "results.json":
        read_json(path, fits_results, "make it again")
    elif kind == "confidence.json":
        load_confidence(path).as_json()
    elif kind == "golden vectors":
        model = path.parent / "digitocr-int8.onnx"
        if not model.exists():
            model.write_bytes(models.shipped_model(model.name).read_bytes())
        path.rename(selftest.golden_path(model))
        selftest.selftest(model)
    elif kind == "card":
        models.network_id(models.parsed_card(content), "0")
    else:
        list(entries_of_json(path, Gathered(str(path))))
