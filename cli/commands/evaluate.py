"""digitocr evaluate: what a model file is worth."""

import json
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
    fonts: options.Fonts = None,
    conf: options.Conf = 0.5,
    seed: options.Seed = 0,
    as_json: Annotated[bool, typer.Option("--json", help="All numbers as one JSON object.")] = False,
) -> None:
    """Say what a model file is worth.

    On MNIST's test images, as they are and in the fifteen corruptions of MNIST-C; on letters, textures, noise and
    halves of digits, which it should refuse; on drawn pages; and whether its confidence can be believed.
    """
    from digitocr.train.data import load_mnist
    from digitocr.train.evaluation.evaluate import as_text
    from digitocr.train.evaluation.evaluate import evaluate as report_on
    from digitocr.train.synthesis.fonts import find_fonts

    report = report_on(model, load_mnist(data), find_fonts(fonts), conf, seed)
    say(json.dumps(report, indent=2) if as_json else as_text(report))
