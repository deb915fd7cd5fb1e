"""Options that several commands share, each defined once, and a check that no option is ignored.

    def evaluate(model: options.Model = None, data: options.Data = None) -> None: ...

The name of the parameter is the name of the option. An option of a single command is defined in that command.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from digitocr.runtime.errors import OutputError, UsageError
from digitocr.runtime.files import is_there, replacing

MIN_IMAGES = 120  # to train with, of which ten are held out: one of each digit

Model = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The network that reads a digit, .onnx or .tflite, or a folder of exported ones; default: shipped.",
    ),
]
Detector = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The network that finds digits in a picture, .onnx; default: the shipped one."),
]
Recognizer = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The network that reads lines, .onnx; default: the shipped one."),
]
Conf = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        help="The confidence that a digit must have. Below it, it is left out, or ? where some digit surely stands.",
    ),
]
Threads = Annotated[int, typer.Option(min=1, help="Processor threads for each network.")]
Rotate = Annotated[
    Literal["auto", "0", "90", "180", "270"],
    typer.Option(
        help="Degrees by which each picture is turned clockwise before it is read; auto tries several rotations."
    ),
]
Mode = Annotated[
    Literal["auto", "single", "line"],
    typer.Option(
        help="auto: numbers anywhere. line: all digits are one line. single: the picture is one digit, read whatever "
        "its confidence."
    ),
]
Expect = Annotated[
    str,
    typer.Option(
        metavar="REGEX",
        help="Only numbers that match it as a whole, as they are written, with their signs, or their digits alone.",
    ),
]
Digits = Annotated[int, typer.Option(min=0, help="Only numbers of that many digits.", show_default=False)]
Roi = Annotated[
    str,
    typer.Option(metavar="X,Y,W,H", help="Read only that part, in pixels. A part of 28x28 is read as one digit."),
]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="Print JSON, one object on each line.")]

Data = Annotated[
    Path | None,
    typer.Option(
        metavar="SOURCE",
        help="Folder with MNIST's IDX or npz files, or own labelled pictures: a folder for each class, a CSV, an .npz, "
        "IDX files, labels.json or JSON lines; default: MNIST of $DIGITOCR_DATA, then the cache, then a download.",
    ),
]
Fonts = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of fonts to draw with; default: the fonts of this machine.")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of all random choices.")]
Jobs = Annotated[int, typer.Option(min=1, help="Processes that work at the same time.")]

Quiet = Annotated[bool, typer.Option("--quiet", help="Print only results and errors: no progress and no hints.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files of an earlier run.")]


def parsed_roi(roi: str) -> tuple[int, int, int, int] | None:
    """The part to read, from "X,Y,WIDTH,HEIGHT"; None for all of it, where it is empty. Raises UsageError."""
    if not roi:
        return None
    numbers = re.fullmatch(r"(\d{1,6}),(\d{1,6}),(\d{1,6}),(\d{1,6})", roi)
    if not numbers:
        raise UsageError(f"--roi is X,Y,WIDTH,HEIGHT in pixels, as 100,50,400,120, not {roi}")
    x, y, w, h = map(int, numbers.groups())
    return x, y, w, h


def refuse(context: typer.Context, names: Iterable[str], why: str) -> None:
    """Refuses options that would have no effect, so that none is silently ignored.

    Args:
        context: The context of the command that runs.
        names: Parameters of the command that may not be given.
        why: The end of the message, after the option's name.

    Raises:
        UsageError: One of them was typed.
    """
    for option in context.command.params:
        name = option.name or ""
        source = context.get_parameter_source(name)
        if name in names and source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"{'/'.join([*option.opts, *option.secondary_opts])} {why}")


def refuse_overwriting(path: Path | None, force: bool) -> None:
    """Raises OutputError if a file of that name exists already and may not be overwritten."""
    if path is not None and is_there(path) and not force:
        raise OutputError(f"{path}: exists already; name another file or add --force")


def refuse_other_endings(option: str, path: Path | None, endings: Sequence[str]) -> None:
    """Raises UsageError if what an option draws would get a name that says it is something else."""
    if path is not None and path.suffix.lower() not in endings:
        raise UsageError(f"{option} draws {' and '.join(endings)} files, not {path}")


def write(path: Path, save: Callable[[Path], object]) -> None:
    """Has a file written by `save`, whole or not at all. Raises OutputError."""
    try:
        with replacing(path) as beside:
            save(beside)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error}); name another file") from error
