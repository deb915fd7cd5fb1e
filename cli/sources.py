"""What a person names on the command line -> pictures, read one after the other."""

import glob
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from digitocr.runtime.errors import InputError
from digitocr.runtime.image import SUFFIXES
from digitocr.runtime.reader import Reader
from digitocr.runtime.reading import Reading

MAX_STDIN = 256_000_000  # bytes; more is no picture

Source = tuple[str, Path | bytes]  # the name that is printed, and where the picture is


def is_single(sources: list[str]) -> bool:
    """Whether the sources name exactly one picture, whose digits are printed without its name."""
    return (
        len(sources) == 1
        and (Path(sources[0]).exists() or not glob.has_magic(sources[0]))
        and not Path(sources[0]).is_dir()
    )


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
        content = sys.stdin.buffer.read(MAX_STDIN + 1)
        if len(content) > MAX_STDIN:
            raise InputError(f"standard input: over {MAX_STDIN // 1_000_000} MB, which is no picture")
        return [("-", content)]
    path = Path(named)
    if path.is_dir():
        paths = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        if not paths:
            raise InputError(f"{named}: the folder holds no pictures ({', '.join(sorted(SUFFIXES))})")
    elif not path.exists() and glob.has_magic(named):
        paths = [Path(found) for found in sorted(glob.glob(named, recursive=True)) if Path(found).is_file()]
        if not paths:
            raise InputError(f"{named}: no file is named like that")
    else:
        paths = [path]
    return [(str(path), path) for path in paths]
