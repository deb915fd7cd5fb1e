"""digitocr study: the paper's experiments over several seeds, and verdicts on its claims."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from digitocr.cli import options
from digitocr.runtime.errors import MissingExtraError

EXAMPLES = (
    "For example: digitocr study --seeds 5    digitocr study --cells table --seeds 3 --jobs 4    "
    "digitocr study --images 2000 --epochs 3 --seeds 3 --out runs/lesson"
)


def study(
    cells: Annotated[
        Literal["paper", "table", "padding", "all"],
        typer.Option(
            help="paper: its four experiments. table: all combinations of their settings with three convolutions. "
            "padding: experiments 1 to 3 with valid padding."
        ),
    ] = "paper",
    seeds: Annotated[
        int, typer.Option(min=1, help="Runs of each network; a verdict needs 3. Finished runs are kept.")
    ] = 5,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of each run.")] = 10,
    batch_size: Annotated[int, typer.Option(min=1, help="Images in a training step.")] = 128,
    images: Annotated[
        int | None,
        typer.Option(
            min=options.MIN_IMAGES,
            help="Training images, and images that are corrupted to test with: for a lesson, 2000 with --epochs 3 take "
            "minutes. Default: all.",
        ),
    ] = None,
    jobs: options.Jobs = 1,
    data: options.Data = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder of the study; an existing study is resumed.")
    ] = Path("runs/study"),
    quiet: options.Quiet = False,
) -> None:
    """Run the paper's experiments over several seeds, and test its claims.

    A run of ten epochs takes about four minutes on two cores. Run the same command again to resume an interrupted
    study, or to add seeds or cells. Prints the verdicts and writes a report, with every figure of the paper, into the
    folder.
    """
    try:
        from digitocr.export.classifier import int8_file
        from digitocr.train.paper import study as studies
        from digitocr.train.paper.report import pages, write
        from digitocr.train.paper.verdicts import caution, judge
        from digitocr.train.sources.load import load_data
    except MissingExtraError as error:  # of the extra that the first missing package belongs to
        raise MissingExtraError("export", "a study") from error

    mnist = load_data(data, quiet, complete=True)
    work = studies.Study(out, mnist, studies.StudyPlan(epochs, batch_size, images), int8_file)
    word = caution(studies.read_study(out))
    if word and not quiet:
        print(f"digitocr: {word}", file=sys.stderr)
    try:
        work.run(studies.cells(cells), seeds, jobs, lambda line: None if quiet else print(line, file=sys.stderr))
    except KeyboardInterrupt:
        print("digitocr: interrupted; run the same command again to resume", file=sys.stderr)
        raise
    for verdict in judge(studies.read_results(out), mnist.test_labels):
        why = f" ({verdict.because[0].lower()}{verdict.because[1:-1]})" if verdict.finding == "not tested" else ""
        print(f"{verdict.finding:<14}  {verdict.claim}{why}")
    print(f"report          {write(pages(out, mnist), out / 'report')}")
