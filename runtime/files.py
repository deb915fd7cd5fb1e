"""Files that are either whole or not there, and files of others read without waiting and without filling the memory.

    with replacing(Path("report.json")) as beside:
        beside.write_text(text, "utf-8")           # written beside, synced, then renamed

    read_json(Path("run.json"))                    # whatever it holds; OSError or ValueError, nothing else

A crash, a kill or a power cut at any moment leaves the old file or the new one.
"""

import errno
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_IMODE, S_ISREG
from typing import Any, BinaryIO

MAX_JSON_BYTES = 64_000_000  # bytes; no record of digitocr is larger
ABANDONED_SECONDS = 3600  # after which a file beside is what a killed process left; writing one takes seconds

NAME_KEPT = 40  # characters of a name that the one beside keeps, so that it is not too long for the file system
NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # 0 where the system has no such flag


class NotRegularError(OSError):
    """A folder, a pipe or a device stands where a file is wanted."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(errno.EINVAL, "is a folder or a device, not a file", os.fspath(path))


class TooLargeError(OSError):
    """A file is larger than any that is of use."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(errno.EFBIG, os.strerror(errno.EFBIG), os.fspath(path))


def open_regular(path: str | os.PathLike[str], most: int) -> BinaryIO:
    """Opens a file to read. A pipe that nobody writes to, or a device, is refused and not waited for.

    Raises NotRegularError, TooLargeError where it has more than `most` bytes, or another OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | NO_WAITING)
    try:
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode):
            raise NotRegularError(path)
        if status.st_size > most:
            raise TooLargeError(path)
        return open(descriptor, "rb")  # noqa: PTH123  # a descriptor is no path
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: str | os.PathLike[str], most: int) -> bytes:
    """The content of a file. Raises what open_regular raises, also for a file that grows while it is read."""
    with open_regular(path, most) as file:
        content = file.read(os.fstat(file.fileno()).st_size + 1) or b""
        while len(content) <= most and (rest := file.read(1_000_000)):
            content += rest
    if len(content) > most:
        raise TooLargeError(path)
    return content


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        OSError: It cannot be read, is no file, or has over MAX_JSON_BYTES.
        ValueError: It is no JSON in UTF-8, or is nested too deep.
    """
    return parsed_json(read_regular(path, MAX_JSON_BYTES))


def parsed_json(text: bytes | str) -> Any:
    """The content of JSON in UTF-8. Raises ValueError, also where it is nested too deep."""
    try:
        return json.loads(text.decode("utf-8") if isinstance(text, bytes) else text)
    except RecursionError:
        raise ValueError("is nested too deep") from None


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a folder is there. Path.is_dir raises for a name that is too long, and where nobody may look."""
    return os.path.isdir(path)  # noqa: PTH112


def is_there(path: str | os.PathLike[str]) -> bool:
    """Whether something of that name is there. Path.exists raises as Path.is_dir does."""
    return os.path.exists(path)  # noqa: PTH110


def shown_files(folder: Path, pattern: str) -> list[Path]:
    """What matches a pattern in a folder, sorted, without hidden files, which Path.glob finds as well.

    Hidden are the parts that `replacing` writes, and what macOS leaves beside the files of a copied folder (`._a.npz`).
    """
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a path beside `path` to write to; renames it to `path` on success, removes it on any exception.

    Nothing has the name yielded, and nobody can guess it to put a link there. It is hidden and has the suffix of
    `path`, since some writers choose a format by it. A file that is replaced keeps its permissions; a link is replaced
    and not followed. The content is synced to the disk before the rename: otherwise a power cut can leave an empty file
    under the final name. Raises the OSError of what fails.
    """
    beside = path.with_name(f".{path.stem[:NAME_KEPT]}.{os.urandom(4).hex()}.part{path.suffix}")
    try:
        yield beside
        with suppress(FileNotFoundError):
            before = path.lstat().st_mode
            if S_ISREG(before):
                beside.chmod(S_IMODE(before))
        _sync(beside, os.O_RDWR)
        beside.replace(path)
        if os.name == "posix":  # Windows opens no folders
            _sync(path.parent, os.O_RDONLY)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def remove_abandoned(folder: Path, alone: bool = False, name: str = "*") -> None:
    """Removes the hidden files that processes which were killed inside `replacing` have left in a folder.

    Args:
        folder: The folder.
        alone: Whether no other process writes there. If one may, only what is old is removed.
        name: The stem of the files that were to be written, as a glob.
    """
    with suppress(OSError):
        for left in folder.glob(f".{name}.{'[0-9a-f]' * 8}.part*"):
            with suppress(OSError):
                if alone or time.time() - left.lstat().st_mtime > ABANDONED_SECONDS:
                    left.unlink()


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
