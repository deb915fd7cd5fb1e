"""digitocr report: pages on a run."""

from pathlib import Path
from typing import Annotated

import typer

from digitocr.cli import options

EXAMPLES = "For example: digitocr report runs/paper-4-0    digitocr report runs/study --out docs/paper"


def report(
    source: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a run of digitocr train, study or search.")
    ],
    data: options.Data = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where it goes; by default the folder report in RUN.")
    ] = None,
) -> None:
    """Write a report of a run: one HTML file, and the same in Markdown with its figures beside it.

    It shows what the paper shows of its best network: filters, feature maps, classification report, confusion,
    misclassified images with their probabilities; and more.
    """
    from digitocr.train.data import load_mnist
    from digitocr.train.paper.report import pages, write

    print(write(pages(source, load_mnist(data)), out or (source if source.is_dir() else source.parent) / "report"))
