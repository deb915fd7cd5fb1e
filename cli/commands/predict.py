"""digitocr predict: the digits in pictures."""

import sys
from contextlib import nullcontext
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Literal

import typer

from digitocr.cli.batch.output import opened, plain, refuse_source, save, say, taken_up
from digitocr.cli.stderr import libraries_silenced
from digitocr.runtime.errors import InputError, NothingReadError, UsageError

EXAMPLES = (
    "For example: digitocr predict page.jpg    digitocr predict --mode single --rotate 0 crop.png    "
    "digitocr predict photos/ --jobs 4 --jsonl --output readings.jsonl --resume"
)


@libraries_silenced()
def predict(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Pictures, folders, globs; - for stdin.")],
    model: Annotated[
        Path | None, typer.Option(help="A .onnx or .tflite file; by default the shipped int8 one.")
    ] = None,
    detector: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A detector's .onnx file; by default the shipped one.")
    ] = None,
    mode: Annotated[
        Literal["auto", "single", "line"],
        typer.Option(help="single: one digit, whatever its confidence. line: one line of digits. auto: any, anywhere."),
    ] = "auto",
    rotate: Annotated[
        Literal["auto", "0", "90", "180", "270"],
        typer.Option(
            help="Degrees clockwise to turn the picture by; auto: as it reads best, where there are several digits."
        ),
    ] = "auto",
    conf: Annotated[float, typer.Option(help="Leave out digits of a lower confidence, 0 to 1.")] = 0.5,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object for each picture.")] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the lines there, and nothing to stdout.")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="With --jsonl, go on with the --output of a run that was ended: skip what it read."
        ),
    ] = False,
    save_image: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Save each picture with boxes, digits and confidence.")
    ] = None,
    explain: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Save a page for each picture: what was found, seen and refused.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that read at the same time.")] = 1,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Read on the workers of a Dask scheduler, tcp://HOST:8786.")
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads of the interpreter.")] = 1,
    fail_on_empty: Annotated[bool, typer.Option("--fail-on-empty", help="Exit with 8 if no digit was read.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files of an earlier run.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not say why nothing was read in a picture.")] = False,
) -> None:
    """Read the digits in pictures.

    Prints the digits, one line for each line in the picture; for many pictures PATH<TAB>DIGITS. A picture in which
    nothing was read is told on stderr, with why. One that cannot be read is told there as well, the others are read,
    and the exit code is 4; --resume tries it again.
    """
    from digitocr.cli.batch.sources import expanded, is_single
    from digitocr.cli.batch.task import Task

    if cluster and jobs > 1:
        raise UsageError("--cluster has as many processes as it has workers; leave out --jobs")
    if output is not None:
        refuse_source(output, sources)
    todo, done = expanded(sources), dict[str, bool]()
    if resume:
        if not jsonl or output is None:
            raise UsageError("--resume goes on with a file of lines of JSON; add --jsonl --output FILE")
        if save_image or explain or force:
            raise UsageError("--resume goes on with lines alone; leave out --save-image, --explain and --force")
        done = taken_up(output)
        todo = (source for source in todo if source.name not in done)
    single = is_single(sources)
    task = Task(
        model, threads, conf, mode, rotate, jsonl, not single, save_image is not None, explain is not None, detector
    )
    if cluster:
        from digitocr.cli.batch.cluster import read_on_cluster

        outcomes = read_on_cluster(task, todo, cluster)
    elif jobs > 1:
        from digitocr.cli.batch.parallel import read_in_processes

        outcomes = read_in_processes(task, todo, jobs)
    else:
        outcomes = task.read_all(todo)
    first = list(islice(outcomes, 1))  # what is wrong with the settings is raised before the output is opened
    unreadable, digits = 0, sum(done.values())  # of the run that is gone on with, one for each picture
    used: set[Path] = set()
    with opened(output, resume, force) if output else nullcontext() as file:
        for outcome in chain(first, outcomes):
            name = outcome.name
            if outcome.line is not None:
                say(outcome.line, file)
            if outcome.error:
                unreadable += 1
                print(f"digitocr: {plain(outcome.error)}", file=sys.stderr)
                continue
            digits += outcome.digits
            if outcome.why and not quiet:
                print(f"digitocr: {'' if single else f'{plain(name)}: '}{plain(outcome.why)}", file=sys.stderr)
            if save_image:
                save(outcome.drawn, save_image, name, ".png", used, force)
            if explain:
                save(outcome.page, explain, name, ".html", used, force)
    if unreadable:
        raise typer.Exit(InputError.exit_code)
    if fail_on_empty and not digits:
        raise NothingReadError("no digit was recognised in any picture")
