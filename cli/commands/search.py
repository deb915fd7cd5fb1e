"""digitocr search: networks that are accurate, small and fast."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from digitocr.cli import options
from digitocr.runtime.errors import MissingExtraError

EXAMPLES = (
    "For example: digitocr search --trials 200 --jobs 2    digitocr search --space paper --sampler grid    "
    "digitocr search --storage postgresql://HOST/trials    digitocr search --storage grpc://HOST:13000"
)


def search(
    space: Annotated[
        Literal["paper", "recipe", "all"],
        typer.Option(
            help="paper: layers, kernel, stride, pooling, sizes. recipe: how experiment 4 is trained. all: both."
        ),
    ] = "all",
    sampler: Annotated[
        Literal["tpe", "grid"], typer.Option(help="tpe: Bayesian. grid: every point of the space.")
    ] = "tpe",
    trials: Annotated[int, typer.Option(min=1, help="Finished trials at which to stop, pruned ones included.")] = 100,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of each trial.")] = 6,
    jobs: options.Jobs = 1,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Share the search with other machines: the URL of a database, or of Optuna's gRPC proxy.",
        ),
    ] = None,
    data: options.Data = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder of the search; an existing search is resumed.")
    ] = Path("runs/search"),
) -> None:
    """Search for networks that are accurate, small and fast at once, as int8 files.

    Accuracy is that of the int8 file on held-out training images; the test images are not used. A trial takes a minute
    or two on a CPU. Run the same command again to resume, or in several terminals at once to share the work; the trial
    of a killed process is repeated. Prints the Pareto front, smallest file first, and writes a report into the folder.
    """
    try:
        from digitocr.export.classifier import int8_file
        from digitocr.train.paper.report import search_pages, write
        from digitocr.train.search.front import front
        from digitocr.train.search.search import Search
        from digitocr.train.search.space import SearchPlan
        from digitocr.train.sources.load import load_data
    except MissingExtraError as error:  # of the extra that the first missing package belongs to
        raise MissingExtraError("search", "a search") from error

    work = Search(out, load_data(data, complete=True), SearchPlan(space, sampler, epochs), int8_file, storage)
    try:
        work.run(trials, jobs, _progress)
    except KeyboardInterrupt:
        print("digitocr: interrupted; run the same command again to resume", file=sys.stderr)
        raise
    results = work.results()
    for trial in front(results["trials"]):
        print(
            f"{trial['bytes'] / 1000:6.1f} KB  {trial['multiply_accumulates'] / 1e6:6.3f} M  {trial['accuracy']:.2%}  "
            f"{out / 'models' / str(trial['number'])}.keras"
        )
    print(f"report  {write(search_pages(results), out / 'report')}")


def _progress(line: str) -> None:
    """Prints a line of progress; worker processes import it by name."""
    print(line, file=sys.stderr, flush=True)
