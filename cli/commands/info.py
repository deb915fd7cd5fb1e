"""digitocr info: the card in a model file."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from digitocr.cli.batch.output import say
from digitocr.cli.stderr import libraries_silenced

EXAMPLES = "For example: digitocr info exports/digitocr-int8.tflite"


@libraries_silenced()
def info(file: Annotated[Path, typer.Argument(metavar="FILE", help="A .onnx or .tflite file.")]) -> None:
    """Print the card in a model file of any of the networks, as JSON: labels, input, training, and its SHA-256."""
    model = _loaded(file)
    say(json.dumps({**model.card, "sha256": model.sha256}, indent=2))


def _loaded(file: Path) -> Any:
    """The network in a file, whichever it is. Raises ModelError."""
    from digitocr.runtime.classifier import Classifier
    from digitocr.runtime.detector import Detector
    from digitocr.runtime.errors import ModelError
    from digitocr.runtime.interpreter import PlanesNetwork
    from digitocr.runtime.recognizer import Recognizer

    for kind in (Detector, Recognizer):
        with suppress(ModelError):
            return kind(file)
    if file.suffix == ".tflite":
        model = PlanesNetwork(file)
        if "tensors" in model.card:  # a detector or a recognizer
            return model
    return Classifier(file)  # raises a helpful error if the file is no model at all
