"""Where results go: standard output, a file of lines that another run can resume, a folder of drawings."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from unicodedata import category

import typer

from digitocr.runtime.errors import OutputError, UsageError
from digitocr.runtime.files import replacing

CONTROL_CATEGORIES = frozenset(("Cc", "Zl", "Zp"))  # of Unicode: a terminal obeys these, or a line ends at them
OUTPUT_SCHEMA = "digitocr/2"  # of a line of JSON
LINE = f'{{"schema": "{OUTPUT_SCHEMA}", '.encode()  # the start of each line of JSON


def plain(text: str) -> str:
    """The text on one line: control characters and line separators, which names of files may hold, become escapes."""
    return "".join(repr(char)[1:-1] if category(char) in CONTROL_CATEGORIES else char for char in text)


def say(result: str, file: IO[str] | None = None) -> None:
    """Writes a result at once, to standard output by default.

    Raises:
        OutputError: It cannot be written.
        typer.Exit: the reader of a pipe is gone, as with `| head`, which needs no message.
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


class ResultFolder:
    """The files of one kind that a run writes to a folder: FOLDER/NAME.SUFFIX for each picture of that NAME.

    A second picture of the same name in a run gets a number: NAME-2.SUFFIX.
    """

    def __init__(self, folder: Path, suffix: str, force: bool) -> None:
        """Notes where files go.

        Args:
            folder: The folder; it need not exist.
            suffix: Added to the name of each picture.
            force: Whether files of an earlier run are overwritten.
        """
        self.folder = folder
        self._suffix = suffix
        self._force = force
        self._used: dict[str, int] = {}
        self._inputs: Set[tuple[int, int]] = frozenset()

    def save(self, content: bytes, source: str) -> None:
        """Writes the file of a picture.

        Raises:
            OutputError: The file exists from an earlier run, or cannot be written.
            UsageError: The file is one of the pictures to be read.
        """
        path = self._path(source, self._used)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if path.exists():
                self._refuse_input(path)
                if not self._force:
                    raise OutputError(f"{path}: exists already; name another folder or add --force")
            with replacing(path) as beside:
                beside.write_bytes(content)
        except OSError as error:
            why = error.strerror or error
            raise OutputError(f"{path}: cannot be written ({why}); name a folder that can be written to") from error

    def is_new(self) -> bool:
        """Whether the folder holds nothing that could be overwritten."""
        try:
            return not any(self.folder.iterdir())
        except OSError:
            return True

    def refuse_inputs(self, sources: Iterable[str], inputs: Set[tuple[int, int]]) -> None:
        """Raises UsageError if a file for one of these sources would be an input. inputs: their identities."""
        self._inputs = inputs
        used: dict[str, int] = {}
        for source in sources:
            self._refuse_input(self._path(source, used))

    def _refuse_input(self, path: Path) -> None:
        if self._inputs & identities([path]):
            raise UsageError(f"{path}: is a picture to be read, and would be overwritten; name another folder")

    def _path(self, source: str, used: dict[str, int]) -> Path:
        """Where the file of the source goes.

        used: names of files that are taken, to which this one is added; with the number of the last one of that name.
        """
        stem = "stdin" if source == "-" else Path(source).name
        name = first = f"{stem}{self._suffix}"
        number = used.get(first, 1)
        while name in used:
            number += 1
            name = f"{stem}-{number}{self._suffix}"
        used[name] = 1
        used[first] = number
        return self.folder / name


def protect_inputs(inputs: Callable[[], Iterable[str]], output: Path | None, folders: Sequence[ResultFolder]) -> None:
    """Raises UsageError if a file that is to be written is one of those that are to be read.

    Args:
        inputs: Lists the paths that are to be read; called only if there is something that could be overwritten.
        output: The file of lines; None for none.
        folders: For drawings and explanations.
    """
    existing = [] if output is None else identities([output])
    if not existing and all(one.is_new() for one in folders):
        return
    sources = list(inputs())
    known = identities(sources)
    if known & set(existing):
        raise UsageError(_is_input(output))
    for one in folders:
        one.refuse_inputs(sources, known)


def identities(paths: Iterable[str | Path]) -> set[tuple[int, int]]:
    """(st_dev, st_ino) of each path that exists: the same for all names of a file."""
    found = set()
    for path in paths:
        with suppress(OSError, ValueError):  # is no file, as the number of a camera, or cannot be one
            status = os.stat(path)  # noqa: PTH116  # a Path for each would take longer
            found.add((status.st_dev, status.st_ino))
    return found


@contextmanager
def opened(path: Path, resume: bool, force: bool) -> Iterator[IO[str]]:
    """Opens the file to write lines to: a new one, or with resume the existing one at its end.

    Raises:
        OutputError: It exists and neither resume nor force allows for that, or it cannot be written.
    """
    try:
        file = path.open("a" if resume else "w" if force else "x", encoding="utf-8", errors="backslashreplace")
    except FileExistsError:
        raise OutputError(f"{path}: exists already; continue it with --resume, or overwrite it with --force") from None
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); name a file that can be") from error
    try:
        yield file
    except KeyboardInterrupt:
        print(f"digitocr: interrupted; {path} holds the readings so far", file=sys.stderr)
        raise
    finally:
        with suppress(OSError):  # the same error as of the line that could not be written
            file.close()


def refuse_source(path: Path, sources: Iterable[str]) -> None:
    """Raises UsageError if the file to be written is one of the files to be read, which --force would destroy."""
    if identities([path]) & identities(sources):
        raise UsageError(_is_input(path))


def _is_input(path: Path | None) -> str:
    return f"{path}: is a file to be read, and would be overwritten; name another file to write to"


def prepare_resume(path: Path) -> dict[str, bool]:
    """Prepares the file of an earlier run to be continued, and lists the pictures that it read.

    Leaves in the file only the lines of pictures that were read as a whole. A line that a killed run left unfinished,
    lines with an error, and the pages of a document that was not finished are removed: these are read again.

    Returns:
        The name of each picture that was read, and whether digits were read in it. Empty where there is no file.

    Raises:
        OutputError: The file is not the output of `predict --jsonl`, and is left as it is; or it cannot be written.
    """
    done: dict[str, bool] = {}
    pages: dict[str, set[int]] = {}  # that were read of each document
    kept: list[str | None] = []  # the source of each line that may stay
    try:
        with path.open("rb") as earlier:
            for number, line in enumerate(earlier, 1):
                row = _row(line, f"{path}:{number}")
                if row is None or row["error"]:
                    kept.append(None)
                    continue
                source, count = row["source"], row.get("pages", 1)
                kept.append(source)
                pages.setdefault(source, set()).add(row.get("page") or 1)
                done[source] = done.get(source, False) or bool(row.get("text"))
                if len(pages[source]) >= count:
                    del pages[source]
            for source in pages:
                del done[source]
            earlier.seek(0)
            with replacing(path) as beside, beside.open("wb") as rest:
                rest.writelines(line for line, source in zip(earlier, kept, strict=True) if source in done)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); name a file that can be") from error
    return done


def _row(line: bytes, where: str) -> dict[str, Any] | None:
    """The content of a line; None for the last line of a killed run. Raises OutputError for any other line."""
    if not line.endswith(b"\n") and (line.startswith(LINE) or LINE.startswith(line)):
        return None
    try:
        row: dict[str, Any] = json.loads(line)
        page, pages = row.get("page"), row.get("pages", 1)
        numbered = isinstance(page, int | None) and isinstance(pages, int)
        if row["schema"] == OUTPUT_SCHEMA and isinstance(row["source"], str) and "error" in row and numbered:
            return row
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    raise OutputError(f"{where}: is not a line of digitocr predict --jsonl; name another file")
