"""digitocr search: networks that are right, small and quick."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from digitocr.cli import options

EXAMPLES = (
    "For example: digitocr search --trials 200 --jobs 2    digitocr search --space paper --sampler grid    "
    "digitocr search --storage postgresql://HOST/trials    digitocr search --storage grpc://HOST:13000"
)


def search(
    space: Annotated[
        Literal["paper", "recipe", "all"],
        typer.Option(help="paper: layers, kernel, stride, pooling, sizes. recipe: how experiment 4 is trained."),
    ] = "all",
    sampler: Annotated[Literal["tpe", "grid"], typer.Option(help="tpe: Bayesian. grid: every point.")] = "tpe",
    trials: Annotated[int, typer.Option(min=1, help="Go on until so many are over, pruned ones among them.")] = 100,
    epochs: Annotated[int, typer.Option(min=1, help="Of every trial.")] = 6,
    jobs: options.Jobs = 1,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Share the search with other machines: a database, or Optuna's proxy, grpc://HOST:PORT."
        ),
    ] = None,
    data: options.Data = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder; one that is there is gone on with.")] = Path(
        "runs/search"
    ),
) -> None:
    """Search for networks that are right, small and quick at once, as int8.

    Accuracy is that of the int8 file on held-out training images; no test image is read. What is ended goes on when the
    same is typed again, in as many terminals as there are cores to spare; the trial of a process that was killed is
    taken up again. Prints the front, smallest file first, and leaves a report in the folder.
    """
    from digitocr.export.classifier import int8_file
    from digitocr.train.data import load_mnist
    from digitocr.train.paper.report import search_pages, write
    from digitocr.train.search.search import Plan, Search, front

    work = Search(out, load_mnist(data), Plan(space, sampler, epochs), int8_file, storage)
    try:
        work.run(trials, jobs, _progress)
    except KeyboardInterrupt:
        print("digitocr: interrupted; type the same again to go on", file=sys.stderr)
        raise
    results = work.results()
    for trial in front(results["trials"]):
        print(
            f"{trial['bytes'] / 1000:6.1f} KB  {trial['multiply_accumulates'] / 1e6:6.3f} M  {trial['accuracy']:.2%}  "
            f"{out / 'models' / str(trial['number'])}.keras"
        )
    print(f"report  {write(search_pages(results), out / 'report')}")


def _progress(line: str) -> None:
    """A line of a process of the search."""
    print(line, file=sys.stderr, flush=True)
