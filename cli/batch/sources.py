"""What a person names on the command line -> pictures, one after the other."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple

from digitocr.runtime.errors import InputError
from digitocr.runtime.formats import SUFFIXES, is_readable

MAX_BYTES = 256_000_000  # bytes; more is no picture


class Source(NamedTuple):
    """A picture: the name that is printed, and its path, its content, or why there is none."""

    name: str
    picture: str | bytes | InputError


def is_single(named: list[str]) -> bool:
    """Whether what is named is exactly one picture, whose digits are printed without its name."""
    return len(named) == 1 and not _is_glob(named[0]) and not S_ISDIR(_mode(named[0]))


def expanded(named: Iterable[str]) -> Iterator[Source]:
    """Files, the pictures of folders, globs and standard input ("-"), in order, folders and globs by name.

    Of a folder or a glob no more than the names are held, however many there are.
    """
    for one in named:
        try:
            if one == "-":
                yield Source(one, _stdin())
            else:
                yield from (Source(path, path) for path in _paths(one))
        except InputError as error:
            yield Source(one, error)


def loaded(source: Source) -> Source:
    """The source with its picture's content in place of its path; that of a small file is there sooner than opened."""
    name, path = source
    if not isinstance(path, str):
        return source
    try:
        status = os.stat(path)  # noqa: PTH116  # see _inside
        if not S_ISREG(status.st_mode):
            raise InputError(f"{name}: is a folder or a device, not the file of a picture")  # a pipe might hang
        if status.st_size > MAX_BYTES:
            raise InputError(f"{name}: over {MAX_BYTES // 1_000_000} MB, which is no picture")
        with open(path, "rb", 0) as file:  # noqa: PTH123  # see _inside
            return Source(name, file.read())
    except InputError as error:
        return Source(name, error)
    except OSError as error:
        return Source(name, InputError(f"{name}: cannot be read ({error.strerror})"))


def _paths(named: str) -> Iterable[str]:
    if not named:
        raise InputError("an empty name is no picture; name a file, a folder, a glob, or - for standard input")
    if S_ISDIR(_mode(named)):
        return _inside(named)
    if _is_glob(named):
        found = [path for path in sorted(glob.glob(named, recursive=True)) if not S_ISDIR(_mode(path))]
        if not found:
            raise InputError(f"{named}: no file is named like that")
        return map(_tidy, found)
    return [_tidy(named)]


def _inside(folder: str) -> Iterable[str]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if _is_picture(entry))
    except OSError as error:
        raise InputError(f"{folder}: the folder cannot be read ({error.strerror})") from None
    if not names:
        raise InputError(f"{folder}: the folder holds no pictures ({', '.join(sorted(SUFFIXES))})")
    before = _tidy(os.path.join(folder, "_"))[:-1]  # noqa: PTH118  # a Path for each would take longer than to decode it
    return (before + name for name in names)


def _is_picture(entry: os.DirEntry[str]) -> bool:
    return is_readable(os.path.splitext(entry.name)[1]) and not entry.is_dir()  # noqa: PTH122  # see _inside


def _tidy(path: str) -> str:
    """Without the dots and slashes that say nothing: ./a.png is a.png."""
    return str(Path(path))


def _stdin() -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError("standard input: is a terminal or closed; pipe a picture into it")
    content = sys.stdin.buffer.read(MAX_BYTES + 1)
    if not content:
        raise InputError("standard input: is empty; pipe a picture into it")
    if len(content) > MAX_BYTES:
        raise InputError(f"standard input: over {MAX_BYTES // 1_000_000} MB, which is no picture")
    return content


def _is_glob(named: str) -> bool:
    return glob.has_magic(named) and not _mode(named)  # a file may be named like a glob


def _mode(named: str) -> int:
    """The st_mode of what is named like that; 0 where there is nothing, or where there cannot be."""
    try:
        return Path(named).stat().st_mode
    except OSError:
        return 0
