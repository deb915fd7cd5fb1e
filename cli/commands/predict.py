"""digitocr predict: the numbers in pictures.

The parser is not imported here, so that cli/quick.py can do without it.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from itertools import chain, islice
from os.path import realpath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from digitocr.cli.batch.output import LineFile, ResultFolder, plain, protect_inputs, result_name, say
from digitocr.cli.stderr import libraries_silenced
from digitocr.runtime.errors import NothingReadError, UsageError

if TYPE_CHECKING:  # main.py puts them here before the parser looks at the annotations
    import typer

    from digitocr.cli import options

EXAMPLES = (
    "For example: digitocr predict page.jpg    digitocr predict --main --digits 8 meter.jpg    "
    "digitocr predict --mode single --rotate 0 crop.png    "
    "digitocr predict photos/ --jobs 4 --jsonl --output readings.jsonl --resume"
)

UNTOLD = "untold"  # the folder of digits that cannot be told; --data leaves it out
CLASSES = (*map(str, range(10)), UNTOLD)


@libraries_silenced()
def predict(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="Pictures, folders, globs; - for standard input.")
    ],
    model: options.Model = None,
    detector: options.Detector = None,
    recognizer: options.Recognizer = None,
    mode: options.Mode = "auto",
    rotate: options.Rotate = "auto",
    conf: options.Conf = 0.5,
    expect: options.Expect = "",
    digits: options.Digits = 0,
    main: Annotated[
        bool,
        typer.Option(
            "--main",
            help="Only the number that the picture is about, such as the counter of a meter: with large digits, and "
            "many of them. With --expect and --digits, one of the numbers that these leave.",
        ),
    ] = False,
    roi: options.Roi = "",
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Read the subfolders of folders too.")] = False,
    jsonl: options.Jsonl = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the lines to this file instead of standard output.")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue the --output of a run that was stopped (with --jsonl): pictures that it read are skipped.",
        ),
    ] = False,
    save_image: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Save each picture with the boxes, digits and confidences drawn.")
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Save an HTML page for each picture: its lines as read, and why digits are left out.",
        ),
    ] = None,
    save_crops: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Save each digit as the network saw it, 28x28 pixels, in a folder for each class, as it was read; the "
            "names begin with the confidence in percent. Sorted by hand it is a set for --data.",
        ),
    ] = None,
    jobs: options.Jobs = 1,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Read on the workers of a Dask scheduler, tcp://HOST:8786. For a trusted network only: whoever "
            "reaches the scheduler can run code on this machine and on the workers.",
        ),
    ] = None,
    threads: options.Threads = 1,
    fail_on_empty: Annotated[
        bool, typer.Option("--fail-on-empty", help="Exit with code 8 if no number was read in any picture.")
    ] = False,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Read the numbers in pictures.

    A number is its digits and the signs that belong to it: 4831, -12.5, 20:16, 15/08/2026. ? is a digit that cannot be
    told. Letters, units and other signs are left out. Prints the numbers of one picture, a line for each line in it.
    For several pictures, or for a document of several pages (a TIFF), prints PATH<TAB>NUMBERS, with #1, #2 ... after
    the path of a page.

    A picture that cannot be read is one line on stderr, and the others are read. The exit code is then the lowest of
    1 (an unexpected error), 3 (an extra is missing) and 4 (not a readable picture) that occurred; --resume tries such
    pictures again. Unless --quiet is given, stderr also says why no number was read in a picture, and which files of
    a folder were left out.
    """
    from digitocr.cli.batch.sources import expanded, is_single, paths
    from digitocr.cli.batch.task import Task

    if cluster and jobs > 1:
        raise UsageError("--cluster reads on all its workers; leave out --jobs")
    if resume:
        if not jsonl or output is None:
            raise UsageError("--resume continues a file of JSON lines; add --jsonl --output FILE")
        if save_image or explain or save_crops or force:
            raise UsageError("--resume continues lines only; leave out --save-image, --explain, --save-crops, --force")
    drawn = ResultFolder(save_image, ".png", force) if save_image else None
    explained = ResultFolder(explain, ".html", force) if explain else None
    cut = {name: ResultFolder(save_crops / name, ".png", force) for name in CLASSES} if save_crops else {}
    folders = [one for one in (drawn, explained, *cut.values()) if one]
    results = {realpath(one.folder) for one in folders}
    protect_inputs(lambda: paths(sources, recursive, results), output, folders)
    with LineFile(output, resume, force) if output else nullcontext() as lines:
        done = lines.done if lines else {}
        left_out: list[str] = []
        todo = expanded(sources, recursive, results, left_out.append)
        named = not is_single(sources)
        task = Task(
            model,
            threads,
            conf,
            mode,
            rotate,
            jsonl,
            named,
            bool(drawn),
            bool(explained),
            detector,
            recognizer,
            options.parsed_roi(roi) if roi else None,
            expect,
            digits,
            main,
            bool(cut),
        )
        unread = (source for source in todo if source.name not in done)
        if cluster:
            from digitocr.cli.batch.cluster import read_on_cluster

            outcomes = read_on_cluster(task, unread, cluster)
        elif jobs > 1:
            from digitocr.cli.batch.parallel import read_in_processes

            outcomes = read_in_processes(task, unread, jobs)
        else:
            outcomes = task.read_all(unread)
        first = list(islice(outcomes, 1))  # raises errors of the settings before the output is opened
        failures: set[int] = set()  # exit codes of the pictures that could not be read
        read = sum(done.values())  # pictures of the resumed run in which digits were read: a lower bound of the digits
        calibrated = True
        file = lines.opened() if lines else None
        for outcome in chain(first, outcomes):
            if outcome.line is not None:
                say(outcome.line, file)
            if outcome.error:
                failures.add(outcome.exit_code)
                _print_stderr(outcome.error)
                continue
            read += outcome.digits
            if calibrated and not outcome.calibrated and not quiet:
                calibrated = False
                _print_stderr(
                    "confidences are not calibrated for these networks: they do not say how many readings are right"
                )
            if outcome.why and not quiet:
                _print_stderr(outcome.why)
            if drawn:
                drawn.save(outcome.drawn, outcome.name)
            if explained:
                explained.save(outcome.explanation, outcome.name)
            for number, crop in enumerate(outcome.crops if cut else (), 1):
                name = f"{100 * crop.confidence:03.0f}-{result_name(outcome.name)}-{number}"
                cut[UNTOLD if crop.digit is None else str(crop.digit)].save(crop.png, name)
    if not quiet:
        for line in left_out:
            _print_stderr(line)
    if failures:
        raise SystemExit(min(failures))
    if fail_on_empty and not read:
        form = " and ".join(name for name, given in (("--expect", expect), ("--digits", digits)) if given)
        raise NothingReadError(f"no number{f' of the form of {form}' if form else ''} was read in any picture")


def _print_stderr(line: str) -> None:
    print(f"digitocr: {plain(line)}", file=sys.stderr)
