"""digitocr label: a page to correct readings on, by keyboard."""

from pathlib import Path
from typing import Annotated

import typer

from digitocr.cli import options
from digitocr.cli.stderr import libraries_silenced

EXAMPLES = (
    "For example: digitocr label photos/    digitocr label meters/ --recursive --main --digits 8    "
    "digitocr label a.jpg b.jpg --output labels.jsonl"
)


@libraries_silenced()
def label(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Pictures, folders, globs.")],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The file of labels, JSON lines; default: labels.jsonl in the folder, if one is named, else here.",
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The page's port; 0 for any free one.")] = 8000,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Show the subfolders of folders too.")] = False,
    model: options.Model = None,
    detector: options.Detector = None,
    recognizer: options.Recognizer = None,
    mode: options.Mode = "auto",
    rotate: options.Rotate = "auto",
    conf: options.Conf = 0.5,
    expect: options.Expect = "",
    digits: options.Digits = 0,
    main: Annotated[bool, typer.Option("--main", help="Only the number that the picture is about.")] = False,
    jobs: options.Jobs = 1,
    quiet: options.Quiet = False,
) -> None:
    """Correct readings on a page in the browser, the doubtful ones first, by keyboard.

    Each label is written at once, as a line that --data takes: with the file, the text and the boxes of its digits.
    Pictures are read in the background meanwhile. A later run goes on where this one ended. The page is for this
    machine alone; Ctrl-C ends it.
    """
    from digitocr.cli.batch.task import Task
    from digitocr.cli.labelling.run import run

    task = Task(
        model,
        1,
        conf,
        mode,
        rotate,
        True,
        True,
        False,
        False,
        detector,
        recognizer,
        None,
        expect,
        digits,
        main,
    )
    run(sources, recursive, output, port, task, jobs, quiet)
