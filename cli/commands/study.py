"""digitocr study: the paper's experiments over several seeds."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from digitocr.cli import options

EXAMPLES = "For example: digitocr study --seeds 5    digitocr study --cells table --seeds 3 --jobs 4"


def study(
    cells: Annotated[
        Literal["paper", "table", "padding", "all"],
        typer.Option(
            help="paper: its four networks. table: those between them, one thing changed at a time. padding: 1 to 3 "
            "without it."
        ),
    ] = "paper",
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each network; those that are there are kept.")] = 5,
    epochs: Annotated[int, typer.Option(min=1, help="Of every run.")] = 10,
    batch_size: Annotated[int, typer.Option(min=1, help="Images a step.")] = 128,
    jobs: options.Jobs = 1,
    data: options.Data = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder; one that is there is gone on with.")] = Path(
        "runs/study"
    ),
    quiet: options.Quiet = False,
) -> None:
    """Run the paper's experiments over several seeds, and say which of its claims hold.

    What is ended goes on when the same is typed again; more seeds and other cells can be added. Prints the verdicts and
    leaves the report, with every figure of the paper, in the folder.
    """
    from digitocr.export.classifier import int8_file
    from digitocr.train.data import load_mnist
    from digitocr.train.paper import study as studies
    from digitocr.train.paper.report import pages, write
    from digitocr.train.paper.verdicts import judge

    mnist = load_mnist(data, quiet)
    work = studies.Study(out, mnist, studies.Plan(epochs, batch_size), int8_file)
    try:
        work.run(studies.cells(cells), seeds, jobs, lambda line: None if quiet else print(line, file=sys.stderr))
    except KeyboardInterrupt:
        print("digitocr: interrupted; type the same again to go on", file=sys.stderr)
        raise
    for verdict in judge(studies.read_results(out), mnist.test_labels):
        print(f"{verdict.finding:<14}  {verdict.claim}")
    print(f"report          {write(pages(out, mnist), out / 'report')}")
