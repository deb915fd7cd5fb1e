"""Where results go: standard output, a file of lines that another run can go on with, a folder of drawings."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import typer

from digitocr.runtime.errors import OutputError, UsageError

SCHEMA = "digitocr/1"
LINE = f'{{"schema": "{SCHEMA}", '.encode()  # how each line of JSON begins


def plain(text: str) -> str:
    """The text on one line: a control character, which the name of a file may hold, as its escape."""
    return "".join(repr(char)[1:-1] if char < " " or char == "\x7f" else char for char in text)


def say(result: str, file: IO[str] | None = None) -> None:
    """Writes a result at once, to standard output by default.

    A reader that has gone, as `| head` does, ends the run without a word.
    """
    out = file or sys.stdout
    try:
        if out is None:
            raise OutputError("standard output is closed; send it to a file or a pipe")
        print(result, file=out, flush=True)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(OutputError.exit_code) from None
        name = file.name if file else "standard output"
        raise OutputError(f"{name} cannot be written ({error.strerror}); send it elsewhere") from error


def save(content: bytes, folder: Path, source: str, suffix: str, used: set[Path], force: bool) -> None:
    """Writes FOLDER/NAME.SUFFIX, NAME being the source's; a second source of that name in this run gets a number.

    Raises OutputError where the file is there from an earlier run, or cannot be written.
    """
    stem, number = "stdin" if source == "-" else Path(source).name, 1
    path = folder / f"{stem}{suffix}"
    while path in used:
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    used.add(path)
    part = path.with_name(f".{path.name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists() and not force:
            raise OutputError(f"{path}: exists already; name another folder or add --force")
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise OutputError(f"{path}: cannot be written ({error.strerror or error}); name a folder that can") from error


@contextmanager
def opened(path: Path, resume: bool, force: bool) -> Iterator[IO[str]]:
    """The file to write lines to: a new one, or with resume what is there, to go on behind it.

    Raises OutputError where it is there and neither resume nor force allows for that, or where it cannot be written.
    """
    try:
        file = path.open("a" if resume else "w" if force else "x", encoding="utf-8", errors="backslashreplace")
    except FileExistsError:
        raise OutputError(f"{path}: exists already; go on with it by --resume, or add --force") from None
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); name a file that can") from error
    try:
        yield file
    except KeyboardInterrupt:
        print(f"digitocr: interrupted; {path} holds what was read so far", file=sys.stderr)
        raise
    finally:
        with suppress(OSError):  # of a line that could not be written, which has been told
            file.close()


def refuse_source(path: Path, sources: Iterable[str]) -> None:
    """Raises UsageError where what is to be written is one of the files to be read, which --force would destroy."""
    for source in sources:
        with suppress(OSError, ValueError):  # no file, as the number of a camera
            if path.samefile(source):
                raise UsageError(f"{path}: is what is to be read; name another file to write to")


def taken_up(path: Path) -> dict[str, bool]:
    """The names of the pictures that are read in the lines of an earlier run, and whether digits were read in them.

    Nothing else is left in the file.

    What goes is a line that a killed run left unfinished, and lines with an error, whose pictures are tried again.
    Raises OutputError, and leaves the file alone, where it is no file of `predict --jsonl`.
    """
    done: dict[str, bool] = {}
    part = path.with_name(f".{path.name}.part")
    try:
        with path.open("rb") as earlier, part.open("wb") as kept:
            for number, line in enumerate(earlier, 1):
                row = _row(line, f"{path}:{number}")
                if row and not row["error"]:
                    done[row["source"]] = bool(row.get("text"))
                    kept.write(line)
        part.replace(path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); name a file that can") from error
    finally:
        with suppress(OSError):
            part.unlink()
    return done


def _row(line: bytes, where: str) -> dict[str, Any] | None:
    """What a line says; None where it was left unfinished."""
    if not line.endswith(b"\n") and (line.startswith(LINE) or LINE.startswith(line)):
        return None
    try:
        row: dict[str, Any] = json.loads(line)
        if row["schema"] == SCHEMA and {"source", "error"} <= row.keys():
            return row
    except (ValueError, TypeError, KeyError):
        pass
    raise OutputError(f"{where}: is no line of digitocr predict --jsonl; name another file")
