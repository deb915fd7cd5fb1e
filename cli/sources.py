"""What a person names on the command line -> pictures, read one after the other."""

import glob
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISDIR

from digitocr.runtime.errors import InputError
from digitocr.runtime.image import SUFFIXES
from digitocr.runtime.reader import Reader
from digitocr.runtime.reading import Reading

MAX_STDIN = 256_000_000  # bytes; more is no picture

Source = tuple[str, Path | bytes]  # the name that is printed, and where the picture is


def is_single(sources: list[str]) -> bool:
    """Whether the sources name exactly one picture, whose digits are printed without its name."""
    return len(sources) == 1 and not _is_glob(sources[0]) and not S_ISDIR(_mode(sources[0]))


def read_all(reader: Reader, sources: Iterable[str]) -> Iterator[tuple[Source, Reading | InputError]]:
    """Reads files, the pictures of folders, globs and standard input ("-"); what cannot be read comes as its error."""
    for named in sources:
        try:
            pictures = _expanded(named)
        except InputError as error:
            yield (named, b""), error
            continue
        for source in pictures:
            try:
                yield source, reader.read(source[1])
            except InputError as error:
                yield source, error


def _expanded(named: str) -> list[Source]:
    if named == "-":
        return [("-", _stdin())]
    if not named:
        raise InputError("an empty name is no picture; name a file, a folder, a glob, or - for standard input")
    paths = [Path(named)]
    if S_ISDIR(_mode(named)):
        try:
            inside = sorted(Path(named).iterdir())
        except OSError as error:
            raise InputError(f"{named}: the folder cannot be read ({error.strerror})") from None
        paths = [path for path in inside if path.suffix.lower() in SUFFIXES and not S_ISDIR(_mode(path))]
        if not paths:
            raise InputError(f"{named}: the folder holds no pictures ({', '.join(sorted(SUFFIXES))})")
    elif _is_glob(named):
        paths = [Path(found) for found in sorted(glob.glob(named, recursive=True)) if not S_ISDIR(_mode(found))]
        if not paths:
            raise InputError(f"{named}: no file is named like that")
    return [(str(path), path) for path in paths]


def _stdin() -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError("standard input: is a terminal or closed; pipe a picture into it")
    content = sys.stdin.buffer.read(MAX_STDIN + 1)
    if not content:
        raise InputError("standard input: is empty; pipe a picture into it")
    if len(content) > MAX_STDIN:
        raise InputError(f"standard input: over {MAX_STDIN // 1_000_000} MB, which is no picture")
    return content


def _is_glob(named: str) -> bool:
    return glob.has_magic(named) and not _mode(named)  # a file may be named like a glob


def _mode(named: str | Path) -> int:
    """The st_mode of what is named like that; 0 where there is nothing, or where there cannot be."""
    try:
        return Path(named).stat().st_mode
    except OSError:
        return 0
