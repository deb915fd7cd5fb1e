"""digitocr info: the card in a model file."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from digitocr.cli.batch.output import say
from digitocr.cli.stderr import libraries_silenced

EXAMPLES = "For example: digitocr info exports/digitocr-int8.tflite"


@libraries_silenced()
def info(file: Annotated[Path, typer.Argument(metavar="FILE", help="A .onnx or .tflite file.")]) -> None:
    """Print the card in a model file, as JSON: labels, input, preprocessing, accuracy, training, and its SHA-256."""
    from digitocr.runtime.classifier import Classifier
    from digitocr.runtime.detector import Detector
    from digitocr.runtime.errors import ModelError
    from digitocr.runtime.recognizer import Recognizer

    model: Detector | Recognizer | Classifier | None = None
    for network in (Detector, Recognizer):
        with suppress(ModelError):
            model = model or network(file)
    model = model or Classifier(file)  # it raises a helpful error if the file is no model at all
    say(json.dumps({**model.card, "sha256": model.sha256}, indent=2))
