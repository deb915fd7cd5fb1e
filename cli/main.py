"""The command line: which command was typed, and what an error ends in. The commands are in commands/."""

import io
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from digitocr import __version__
from digitocr.cli.batch.output import plain
from digitocr.runtime.errors import DigitocrError, OutputError

COMMANDS = ("predict", "webcam", "train", "export", "study", "search", "report", "info", "evaluate")


def main() -> None:
    """Runs the command line; an error ends as one line on stderr and the exit code of its class."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the name of a file may be anything
    if sys.stderr is None:  # closed: what print() writes there would come out on standard output
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  # for as long as the process lives
        os.dup2(sys.stderr.fileno(), 2)
    try:
        command_line(sys.argv[1:])(prog_name="digitocr")
    except SystemExit as ended:  # typer's way to end
        _leave(ended.code)
    except Exception as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        if isinstance(error, DigitocrError):
            print(f"digitocr: {plain(str(error))}", file=sys.stderr)
            _leave(error.exit_code)
        print(f"digitocr: a bug: {error!r}; please report what `digitocr --debug ...` prints", file=sys.stderr)
        _leave(1)


def command_line(words: Sequence[str]) -> typer.Typer:
    """The application for those words: with the command that they begin with, or with all where they begin otherwise.

    To make the eight others is 4 % of the time of a cold `predict`.
    """
    app = typer.Typer(
        help="Train a digit-reading network, export it to quantized TFLite and ONNX, read digits from real pictures.",
        epilog="Exit codes: 0 ok, 1 a bug, 2 usage, 3 an extra is missing, 4 an input could not be read, 5 model "
        "unusable, 6 accuracy or parity gate failed, 7 camera or display unavailable, 8 nothing recognised (where "
        "asked for), 9 output not writable, 10 cluster unavailable, 130 interrupted, 143 terminated.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,  # rich would double the time of --help
        pretty_exceptions_enable=False,
    )
    app.callback()(_common)
    first = next((word for word in words if word != "--debug"), "")
    for name in (first,) if first in COMMANDS else COMMANDS:
        module = import_module(f"digitocr.cli.commands.{name}")
        app.command(epilog=module.EXAMPLES)(getattr(module, name))
    return app


def _leave(code: str | int | None) -> NoReturn:
    """Ends the process without taking the libraries down, which would be a fifth of the time of a cold `predict`."""
    status = code if isinstance(code, int) else 0
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            status = OutputError.exit_code
    os._exit(status)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"digitocr {__version__}")
        raise typer.Exit


def _common(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


if __name__ == "__main__":
    main()
