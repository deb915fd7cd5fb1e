"""Where results go: standard output, a file of lines that another run can resume, a folder of drawings."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG
from typing import IO, Any, Self
from unicodedata import category

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

from digitocr.runtime.errors import OutputError, UsageError
from digitocr.runtime.files import is_folder, parsed_json, replacing

OUTPUT_SCHEMA = "digitocr/2"  # of a line of JSON
MAX_NAME_BYTES = 230  # of a result; most file systems take 255, and a number may be added
MAX_LINE_BYTES = 64_000_000  # of the output; the 4,000 digits of the densest page take 2 million
LINE = f'{{"schema": "{OUTPUT_SCHEMA}", '.encode()  # the start of each line of JSON


def plain(text: str) -> str:
    """The text as a terminal may show it: what is not printable, which names of files may hold, becomes escapes.

    These are control characters, line separators, and what turns the direction of writing, among others. Spaces of all
    kinds stay.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or category(char) == "Zs" else repr(char)[1:-1] for char in text)


def say(result: str, file: IO[str] | None = None) -> None:
    """Writes a result at once, to standard output by default.

    Raises:
        OutputError: It cannot be written.
        SystemExit: the reader of a pipe is gone, as with `| head`, which needs no message.
    """
    out = file or sys.stdout
    try:
        if out is None:
            raise OutputError("standard output is closed; send it to a file or a pipe")
        print(result, file=out, flush=True)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise SystemExit(OutputError.exit_code) from None
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

    def save(self, content: bytes, source: str) -> Path:
        """Writes the file of a picture, and returns its path: a second one of a name has a number behind it.

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
        return path

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
        stem = _cut(result_name(source), MAX_NAME_BYTES - len(self._suffix))
        name = first = f"{stem}{self._suffix}"
        number = used.get(first, 1)
        while name in used:
            number += 1
            name = f"{stem}-{number}{self._suffix}"
        used[name] = 1
        used[first] = number
        return self.folder / name


def result_name(source: str) -> str:
    """The name of a source in those of its results: without folders, and stdin for standard input and its pages."""
    name = Path(source).name
    return f"stdin{name[1:]}" if name == "-" or name.startswith("-#") else name


def _cut(name: str, most: int) -> str:
    """The name, or as much of its start as has that many bytes."""
    content = os.fsencode(name)
    return name if len(content) <= most else content[:most].decode("utf-8", "ignore")


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


class LineFile:
    """The file that lines of results are written to, one run at a time.

    with LineFile(path, resume=True, force=False) as file:
        if "a.png" not in file.done:
            say(line, file.opened())

    Attributes:
        done: With resume, the name of each picture that the earlier run read, and whether digits were read in it.
    """

    def __init__(self, path: Path, resume: bool, force: bool) -> None:
        """Takes up the earlier run, if there is one to resume. Else the file is not touched until it is opened.

        Args:
            path: The file. Where it is a link, what it leads to is written to.
            resume: Whether an earlier run is continued: its lines with errors are removed, as those of pictures that
                were not finished.
            force: Whether an existing file is overwritten.

        Raises:
            OutputError: The file is not the output of `predict --jsonl`, and is left as it is; or another run writes
                to it, or it cannot be written.
        """
        self._path, self._resume, self._force = path, resume, force
        self._file: IO[str] | None = None
        self.done: dict[str, bool] = {}
        if resume:
            try:
                with _writable(path), suppress(FileNotFoundError):
                    self._file = _locked(path, os.O_RDWR)
                    if not S_ISREG(os.fstat(self._file.fileno()).st_mode):
                        raise OutputError(f"{path}: is a device, not a file that can be continued")
                    self.done = self._taken_up()
            except BaseException:
                self.__exit__(None)
                raise

    def opened(self) -> IO[str]:
        """The file to write to.

        Raises:
            OutputError: It exists and neither resume nor force allows for that, another run writes to it, or it cannot
                be written.
        """
        if self._file is None:
            with _writable(self._path):
                try:
                    new = os.O_CREAT if self._force else os.O_CREAT | os.O_EXCL
                    self._file = _locked(self._path, os.O_WRONLY | new)
                except FileExistsError:
                    if is_folder(self._path):
                        raise OutputError(f"{self._path}: is a folder; name a file to write to") from None
                    raise OutputError(
                        f"{self._path}: exists already; continue it with --resume, or overwrite it with --force"
                    ) from None
                if S_ISREG(os.fstat(self._file.fileno()).st_mode):
                    self._file.truncate(0)
        return self._file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._file is None:
            return
        if kind is KeyboardInterrupt:
            print(f"digitocr: interrupted; {plain(str(self._path))} holds the readings so far", file=sys.stderr)
        with suppress(OSError):  # the same error as of the line that could not be written
            self._file.close()

    def _taken_up(self) -> dict[str, bool]:
        """What the earlier run read; leaves nothing else in the file, and the file at its end."""
        assert self._file is not None
        before = self._file
        with open(before.fileno(), "rb", closefd=False) as earlier:  # a descriptor is no path
            done, kept = _read_before(earlier, self._path)
            if all(source in done for source in kept):
                return done
            earlier.seek(0)
            rest = (line for line, source in zip(_lines(earlier), kept, strict=True) if source in done)
            with replacing(Path(os.path.realpath(self._path))) as beside:
                self._file = _locked(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, self._path)  # before it gets its name
                with open(self._file.fileno(), "wb", closefd=False) as content:
                    content.writelines(rest)
        before.close()
        return done


def _locked(path: Path, flags: int, name: Path | None = None) -> IO[str]:
    """Opens a file to write text to, for this process alone.

    Args:
        path: The file.
        flags: Those of os.open.
        name: What messages call it, if not by its path.

    Raises:
        OSError: It cannot be opened.
        OutputError: Another process has opened it so. Where the file system has no locks, nobody notices.
    """
    file = open(  # noqa: SIM115
        name or path, "w", encoding="utf-8", errors="backslashreplace", opener=lambda *_: os.open(path, flags, 0o666)
    )
    descriptor = file.fileno()
    try:
        if fcntl:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        is_taken = True
    except OSError:
        is_taken = False
    else:
        now = identities([path])  # the run that had it may have replaced it in between
        is_taken = (os.fstat(descriptor).st_dev, os.fstat(descriptor).st_ino) not in now
    if is_taken:
        file.close()
        raise OutputError(f"{path}: another run writes to it; wait for its end, or name another file")
    return file


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); name a file that can be") from error


def refuse_source(path: Path, sources: Iterable[str]) -> None:
    """Raises UsageError if the file to be written is one of the files to be read, which --force would destroy."""
    if identities([path]) & identities(sources):
        raise UsageError(_is_input(path))


def _is_input(path: Path | None) -> str:
    return f"{path}: is a file to be read, and would be overwritten; name another file to write to"


def _read_before(earlier: Iterable[bytes], path: Path) -> tuple[dict[str, bool], list[str | None]]:
    """What an earlier run read, and the source of each line that may stay. Raises OutputError for another file.

    A line that a killed run left unfinished, NULs that a power cut left, lines with an error, and the pages of a
    document that was not finished may not stay: these pictures are read again.
    """
    done: dict[str, bool] = {}
    pages: dict[str, set[int]] = {}  # that were read of each document
    kept: list[str | None] = []
    for number, line in enumerate(_lines(earlier), 1):
        row = _row(line, f"{path}:{number}", number > 1)
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
    return done, kept


def _lines(file: Any) -> Iterator[bytes]:
    """The lines of a file; one that is longer than any of digitocr comes in parts."""
    return iter(lambda: file.readline(MAX_LINE_BYTES), b"")


def _row(line: bytes, where: str, follows: bool) -> dict[str, Any] | None:
    """The content of a line; None for the rest of a killed run. Raises OutputError for any other line.

    follows: whether there are lines before it. Only then NULs are taken for what a power cut leaves: the system had
    made the file longer, and had not written to it yet.
    """
    if follows and b"\0" in line:
        line = line.strip(b"\0")
        if not line.strip() or line.startswith(LINE) or LINE.startswith(line):
            return None
    if not line.endswith(b"\n") and (line.startswith(LINE) or LINE.startswith(line)):
        return None
    try:
        row: dict[str, Any] = parsed_json(line)
        page, pages = row.get("page"), row.get("pages", 1)
        numbered = isinstance(page, int | None) and isinstance(pages, int)
        if row["schema"] == OUTPUT_SCHEMA and isinstance(row["source"], str) and "error" in row and numbered:
            return row
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    raise OutputError(f"{where}: is not a line of digitocr predict --jsonl; name another file")
