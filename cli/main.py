"""The command line: picks the command that was typed, and turns errors into messages and exit codes.

The commands are in commands/.
"""

import gc
import io
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from errno import ENAMETOOLONG, ENOMEM, ENOSPC
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

from digitocr import __version__
from digitocr.cli.quick import call
from digitocr.runtime.errors import DigitocrError, InputError, OutputError, UsageError

if TYPE_CHECKING:
    import typer

COMMANDS = (
    "predict",
    "webcam",
    "label",
    "data",
    "train",
    "export",
    "study",
    "search",
    "report",
    "draw",
    "info",
    "evaluate",
    "compare",
    "benchmark",
    "selftest",
)
QUICK_EXIT = ("predict", "label")  # end without taking the libraries down; docs/decisions/cold-start.md says why
LIBRARY = "numpy"  # while it is not loaded no command has begun its work: help, for instance, also ends at once
GARBAGE_THRESHOLD = 100_000  # objects; imports make many that stay, and scanning them takes time
INTERRUPTED = 130  # the exit code of what Ctrl-C ended, by the shells' convention: 128 + SIGINT


def main() -> None:
    """Runs the command line; an error ends as one line on stderr and the exit code of its class."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the name of a file may be anything
    if sys.stderr is None:  # closed: what print() writes there would come out on standard output
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  # for as long as the process lives
        os.dup2(sys.stderr.fileno(), 2)
    words = sys.argv[1:]
    try:
        quick = call(words)
        if quick:
            quick()
            _leave(words, 0)
        _leave(words, command_line(words)(prog_name="digitocr", standalone_mode=False))
    except SystemExit as ended:
        _leave(words, ended.code)
    except BrokenPipeError:  # as the parser ends it
        _leave(words, 1)
    except KeyboardInterrupt:
        _leave(words, INTERRUPTED)
    except Exception as error:
        if "--debug" in words:
            traceback.print_exc()
        if isinstance(error, DigitocrError):
            from digitocr.cli.batch.output import plain

            _tell(f"digitocr: {plain(str(error))}")
            _leave(words, error.exit_code)
        if hasattr(error, "format_message"):  # of typer: the words are no command with its options
            _leave(words, _mistyped(words, error.format_message()))
        if isinstance(error, OSError) and error.errno == ENOSPC and error.filename is None:
            _leave(words, _unwritable(error))
        # looking whether something of a name is there raises this as well
        if isinstance(error, OSError) and error.errno == ENAMETOOLONG and error.filename is not None:
            from digitocr.cli.batch.output import plain

            _tell(f"digitocr: {plain(os.fsdecode(error.filename))}: the name is too long; give a shorter one")
            _leave(words, InputError.exit_code)
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == ENOMEM):
            _tell("digitocr: there is no more memory; close other programs, or use fewer --jobs")
            _leave(words, DigitocrError.exit_code)
        _tell(f"digitocr: a bug: {error!r}; please report what `digitocr --debug ...` prints")
        _leave(words, 1)


def command_line(words: Sequence[str]) -> "typer.Typer":
    """The application with the command that those words begin with, or with all commands if they begin otherwise.

    Importing the others would make the start slower. Shell completion runs `digitocr` without words, and its options
    belong to `digitocr` itself, so only the application with all commands has them.
    """
    import typer  # here, so that main sets the garbage threshold first

    from digitocr.cli import options

    def show_version(wanted: bool) -> None:
        if wanted:
            print(f"digitocr {__version__}")
            raise typer.Exit

    def common(
        debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
        version: Annotated[
            bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version.")
        ] = False,
    ) -> None:
        pass

    first = _first(words)
    names = (first,) if first in COMMANDS else COMMANDS
    app = typer.Typer(
        help="Train small networks, export them to quantized TFLite and ONNX, read the numbers in real pictures.",
        epilog="Exit codes: 0 ok, 1 an unexpected error, 2 usage, 3 an extra is missing, 4 an input could not be read, "
        "5 model unusable, 6 a gate failed (accuracy, parity, data), 7 camera or display unavailable, 8 nothing "
        "recognised (where asked for), 9 output not writable, 10 cluster unavailable, 130 interrupted, 143 terminated. "
        "Of several pictures that could not be read the lowest code counts.",
        no_args_is_help=True,
        add_completion=len(names) > 1,
        context_settings={"help_option_names": ["-h", "--help"]},
        rich_markup_mode=None,  # rich would double the time of --help
        pretty_exceptions_enable=False,
    )
    app.callback()(common)
    for name in names:
        module = import_module(f"digitocr.cli.commands.{name}")
        vars(module).update(typer=typer, options=options)  # the annotations of predict name them
        app.command(epilog=module.EXAMPLES)(getattr(module, name))
    return app


def _first(words: Sequence[str]) -> str:
    """The command among the words, if any; options of `digitocr` itself may stand before it."""
    return next((word for word in words if word != "--debug"), "")


def _mistyped(words: Sequence[str], why: str) -> int:
    """Says what typer refuses in the words, in one line, and returns the exit code; without a word, why is the help."""
    first = _first(words)
    if first:
        command = f"digitocr {first}" if first in COMMANDS else "digitocr"
        why = f"digitocr: {why[0].lower()}{' '.join(why[1:].split()).removesuffix('.')}; see {command} --help"
    _tell(why)
    return UsageError.exit_code


def _leave(words: Sequence[str], code: str | int | None) -> NoReturn:
    """Ends the process as sys.exit(code) does, but QUICK_EXIT, and what loaded no library, at once."""
    if isinstance(code, str):
        _tell(code)
    status = 1 if isinstance(code, str) else code or 0
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except OSError as error:
            status = _unwritable(error)
            with Path(os.devnull).open("w") as nothing:
                os.dup2(nothing.fileno(), sys.stdout.fileno())  # or Python tries again as it ends, and says so
    with suppress(OSError):
        sys.stderr.flush()
    if _first(words) in QUICK_EXIT or LIBRARY not in sys.modules:
        os._exit(status)
    sys.exit(status)


def _tell(line: str) -> None:
    """Prints a line on standard error. Where that cannot be written, the exit code says it alone."""
    with suppress(OSError):
        print(line, file=sys.stderr)


def _unwritable(error: OSError) -> int:
    """Says that standard output is full, and returns the exit code. A reader that is gone needs no message."""
    if not isinstance(error, BrokenPipeError):
        _tell(f"digitocr: standard output cannot be written ({error.strerror})")
    return OutputError.exit_code


if __name__ == "__main__":
    main()
