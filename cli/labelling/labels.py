"""The file of labels: JSON lines that `--data` takes, of one writer at a time, whole at every moment.

    labels = Labels(Path("photos/labels.jsonl"))
    labels.put(("/home/ann/photos/a.jpg", 0), {"text": "407", "boxes": [[31, 12, 40, 66], ...]})
    labels.remove(("/home/ann/photos/a.jpg", 0))

Beside it lies a hidden file with what is no label: readings that need not be made again, and which pictures were
skipped. It can be deleted.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from errno import EISDIR, ENOSPC
from pathlib import Path
from typing import IO, Any, TypeAlias

from digitocr.runtime.errors import OutputError
from digitocr.runtime.files import is_folder, replacing

Key: TypeAlias = tuple[str, int]  # the absolute path of a picture's file, and its page from 0
Row: TypeAlias = dict[str, Any]

OWN_KEYS = ("label", "text", "boxes", "turned")  # of a line; what else stands in it was written by others, and stays


class Labels:
    """The labels of pictures, in the order in which they were given. Nobody else may write them meanwhile.

    Attributes:
        path: The file.
        rows: The lines.
    """

    def __init__(self, path: Path) -> None:
        """Opens the file, or a new one. A line that a power cut left unfinished is removed.

        Raises:
            OutputError: It cannot be written, another process writes it, or it is no file of labels; then it stays as
                it is.
        """
        self.path = path
        self._folder = os.path.abspath(path.parent)  # noqa: PTH100  # a link to a picture is not followed
        self._notes = _locked(path)
        try:
            content = path.read_bytes() if path.exists() else b""
            self.rows: dict[Key, Row] = {}
            for number, line in enumerate(content.splitlines(keepends=True), 1):
                if (row := _row(line, f"{path}:{number}")) is not None:
                    self.rows[self._key(row)] = row
            if content and not content.endswith(b"\n"):
                self._rewrite()
            if path.exists():
                path.open("ab").close()  # is refused now and not at the first label
        except OSError as error:
            self.close()
            raise _unwritable(path, error) from error
        except OutputError:
            self.close()
            raise

    def close(self) -> None:
        """Lets others write the file."""
        self._notes.close()

    def put(self, key: Key, row: Row) -> None:
        """Writes what a picture shows, in place of what was said before. row: some of OWN_KEYS.

        When it returns, the line outlives the end of this process, and after `sync` a power cut.

        Raises:
            OutputError: It cannot be written; the file is as before.
        """
        before = self.rows.get(key)
        kept = {name: value for name, value in (before or self._head(key)).items() if name not in OWN_KEYS}
        self.rows[key] = {**kept, **row}
        try:
            if before is None:
                _append(self.path, _line(self.rows[key]))
            else:
                self._rewrite()
        except OSError as error:
            if before is None:
                del self.rows[key]
            else:
                self.rows[key] = before
            raise _unwritable(self.path, error) from error

    def remove(self, key: Key) -> Row:
        """Removes the line of a picture, and returns it. Raises OutputError as `put` does."""
        rows = dict(self.rows)
        row = self.rows.pop(key)
        try:
            self._rewrite()
        except OSError as error:
            self.rows = rows
            raise _unwritable(self.path, error) from error
        return row

    def sync(self) -> None:
        """Waits until the lines are on the disk."""
        with suppress(OSError):  # the next line that is written says what is wrong
            descriptor = os.open(self.path, os.O_RDWR)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def note(self, what: Row) -> None:
        """Keeps something that is no label for the next start, if there is room on the disk and nobody closed it."""
        with suppress(OSError, ValueError):
            self._notes.write(_line(what))

    def notes(self) -> Iterator[Row]:
        """What was kept, oldest first; a line that a killed process left unfinished is passed over."""
        with Path(self._notes.name).open("rb") as lines:
            for line in lines:
                with suppress(ValueError):
                    row = json.loads(line)
                    if isinstance(row, dict):
                        yield row

    def file_of(self, key: Key) -> str:
        """How the file names a picture: relative to its own folder where the picture lies in it."""
        path, start = key[0], os.path.join(self._folder, "")  # noqa: PTH118
        name = path[len(start) :] if path.startswith(start) else path
        return f".{os.sep}{name}" if name != name.strip() else name  # a space before a name would not count

    def _head(self, key: Key) -> Row:
        """The line of a picture without what it shows."""
        name = self.file_of(key)
        group = os.path.dirname(os.path.normpath(name))  # noqa: PTH120
        head: Row = {"file": name}
        if key[1]:
            head["page"] = key[1] + 1
        if group and not os.path.isabs(name):  # noqa: PTH117
            head["group"] = group  # the pictures of a subfolder belong together
        return head

    def _key(self, row: Row) -> Key:
        path = os.path.normpath(os.path.join(self._folder, row["file"].strip()))  # noqa: PTH118
        return path, int(row.get("page") or 1) - 1

    def _rewrite(self) -> None:
        with replacing(self.path) as beside:
            beside.write_bytes(b"".join(map(_line, self.rows.values())))


def _line(row: Row) -> bytes:
    return json.dumps(row).encode() + b"\n"


def _row(line: bytes, where: str) -> Row | None:
    """The content of a line; None for an empty line or an unfinished last one. Raises OutputError for another line."""
    with suppress(ValueError, TypeError, LookupError, AttributeError, RecursionError):
        row = json.loads(line) if line.strip() else None
        if row is None or (isinstance(row["file"], str) and int(row.get("page") or 1) > 0):
            return row
    if not line.endswith(b"\n"):
        return None
    raise OutputError(f"{where}: is not a line of digitocr label; name another file by --output")


def _append(path: Path, line: bytes) -> None:
    """Adds a line by one write, and takes back the part of it that fitted where the disk is full. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        before = os.fstat(descriptor).st_size
        try:
            if os.write(descriptor, line) < len(line):
                raise OSError(ENOSPC, os.strerror(ENOSPC))
        except OSError:
            os.ftruncate(descriptor, before)
            raise
    finally:
        os.close(descriptor)


def _locked(path: Path) -> IO[bytes]:
    """The file of notes, open and locked until it is closed, or this process ends. Raises OutputError."""
    if is_folder(path):
        raise _unwritable(path, IsADirectoryError(EISDIR, os.strerror(EISDIR)))
    beside = path.with_name(f".{path.name}.notes")
    try:
        file = beside.open("ab+", buffering=0)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise OutputError(
            f"{path}: another digitocr label is writing it; end that one, or name another file by --output"
        ) from None
    return file


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path}: cannot be written ({error.strerror}); name a file that can be by --output")
