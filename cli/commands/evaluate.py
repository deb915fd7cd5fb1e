"""digitocr evaluate: measures a model file."""

import json
from pathlib import Path
from typing import Annotated

import typer

from digitocr.cli import options
from digitocr.cli.batch.output import say
from digitocr.cli.stderr import libraries_silenced

EXAMPLES = "For example: digitocr evaluate --model exports/digitocr-int8.tflite --json > report.json"


@libraries_silenced()
def evaluate(
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A network that reads a digit, .onnx, .tflite or .keras, whoever made it, or the folder of a run or "
            "of exports; default: the shipped one.",
        ),
    ] = None,
    data: options.Data = None,
    mnist_c: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the published MNIST-C, from mnist_c.zip; default: not measured."),
    ] = None,
    fonts: options.Fonts = None,
    conf: Annotated[float, typer.Option(min=0, max=1, help="Confidence at which a picture counts as accepted.")] = 0.5,
    seed: options.Seed = 0,
    images: Annotated[
        int | None, typer.Option(min=1, help="Test images at most, for a slow network.", show_default=False)
    ] = None,
    min_accuracy: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="The share of the test images to read; with less the exit code is 6.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers as one JSON object.")] = False,
) -> None:
    """Measure a file of the network that reads a digit.

    Reports the accuracy on MNIST's test images, original and under fifteen corruptions made after the kinds of MNIST-C;
    the rejection of letters, textures, noise and halves of digits; the reading of drawn pages; and the calibration of
    the confidence. What a file that digitocr did not export takes and puts out is found out with training images, and
    said. Takes half a minute on two processors. Needs the extra "train".
    """
    from digitocr.runtime.errors import GateError
    from digitocr.train.data import fewer_tests
    from digitocr.train.evaluation.evaluate import as_text
    from digitocr.train.evaluation.evaluate import evaluate as report_on
    from digitocr.train.sources.load import load_data
    from digitocr.train.synthesis.fonts import find_fonts

    report = report_on(model, fewer_tests(load_data(data), images), find_fonts(fonts), conf, seed, mnist_c)
    say(json.dumps(report, indent=2) if as_json else as_text(report))
    accuracy = report["mnist"]["accuracy"]
    if min_accuracy is not None and accuracy < min_accuracy:
        raise GateError(
            f"{report['model']['name']} reads {accuracy:.2%} of {report['mnist']['images']:,} test images, at least "
            f"{min_accuracy:.2%} must be read"
        )
