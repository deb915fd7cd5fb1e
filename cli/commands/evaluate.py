"""digitocr evaluate: what a model file is worth."""

import json
from pathlib import Path
from typing import Annotated

import typer

from digitocr.cli.batch.output import say
from digitocr.cli.stderr import libraries_silenced

EXAMPLES = "For example: digitocr evaluate --model exports/digitocr-int8.tflite --json > report.json"


@libraries_silenced()
def evaluate(
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A .onnx or .tflite file; by default the shipped int8 one.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="MNIST's IDX or npz files; else DIGITOCR_DATA, the cache, a download."),
    ] = None,
    mnist_c: Annotated[
        Path | None,
        typer.Option(
            "--mnist-c", metavar="DIR", help="The published MNIST-C, unpacked from mnist_c.zip: measured as well."
        ),
    ] = None,
    fonts: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Fonts to draw letters with; by default this machine's.")
    ] = None,
    conf: Annotated[
        float, typer.Option(min=0, max=1, help="The confidence from which on a picture is accepted as a digit.")
    ] = 0.5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything that is drawn.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers as one JSON object.")] = False,
) -> None:
    """Measure a model file.

    Its accuracy on MNIST's test images, as they are and in fifteen corruptions made after the kinds of MNIST-C; how
    well it refuses letters, textures, noise and halves of digits; how well it reads drawn pages; and whether its
    confidence is calibrated. Takes half a minute on two processors. Needs the extra "train".
    """
    from digitocr.train.data import load_mnist
    from digitocr.train.evaluation.evaluate import as_text
    from digitocr.train.evaluation.evaluate import evaluate as report_on
    from digitocr.train.synthesis.fonts import find_fonts

    report = report_on(model, load_mnist(data), find_fonts(fonts), conf, seed, mnist_c)
    say(json.dumps(report, indent=2) if as_json else as_text(report))
