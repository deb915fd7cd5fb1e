"""digitocr report: a report on a run."""

from pathlib import Path
from typing import Annotated

import typer

from digitocr.cli import options

EXAMPLES = "For example: digitocr report runs/paper-4-0    digitocr report runs/study --out docs/paper"


def report(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="RUN", help="The folder of a run of digitocr train, study or search, or a results.json."
        ),
    ],
    data: options.Data = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder of the report; by default report in RUN.")
    ] = None,
) -> None:
    """Write a report on a run: one HTML file, and the same in Markdown with its figures beside it.

    The report has the paper's figures of its best network (filters, feature maps, classification report, confusion
    matrix, misclassified images with their probabilities) and the results of the run.
    """
    from digitocr.train.paper.report import check_source, pages, write
    from digitocr.train.sources.load import load_data

    check_source(source)  # before MNIST is loaded, which may be a download
    print(write(pages(source, load_data(data)), out or (source if source.is_dir() else source.parent) / "report"))
