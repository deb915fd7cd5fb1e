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
    model: options.Model = None,
    data: options.Data = None,
    mnist_c: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the published MNIST-C, from mnist_c.zip; default: not measured."),
    ] = None,
    fonts: options.Fonts = None,
    conf: Annotated[float, typer.Option(min=0, max=1, help="Confidence at which a picture counts as accepted.")] = 0.5,
    seed: options.Seed = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers as one JSON object.")] = False,
) -> None:
    """Measure a file of the network that reads a digit.

    Reports the accuracy on MNIST's test images, original and under fifteen corruptions made after the kinds of MNIST-C;
    the rejection of letters, textures, noise and halves of digits; the reading of drawn pages; and the calibration of
    the confidence. Takes half a minute on two processors. Needs the extra "train".
    """
    from digitocr.train.evaluation.evaluate import as_text
    from digitocr.train.evaluation.evaluate import evaluate as report_on
    from digitocr.train.sources.load import load_data
    from digitocr.train.synthesis.fonts import find_fonts

    report = report_on(model, load_data(data), find_fonts(fonts), conf, seed, mnist_c)
    say(json.dumps(report, indent=2) if as_json else as_text(report))
