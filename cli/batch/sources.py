"""Names given on the command line -> pictures, one after the other."""

import glob
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Set
from pathlib import Path
from stat import S_ISDIR
from typing import NamedTuple

from digitocr.cli.batch.folder import VIDEO_SUFFIXES, Folder
from digitocr.runtime.errors import DigitocrError, InputError
from digitocr.runtime.files import NotRegularError, TooLargeError, read_regular
from digitocr.runtime.formats import MAX_BYTES

STDIN = "-"  # the name of standard input on the command line

_STARS = re.compile(r"(?:\*\*/)+")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Source(NamedTuple):
    """A picture that is named or found.

    Attributes:
        name: The picture's name in the output.
        picture: The path, the content of the file, or the error that prevents reading it.
    """

    name: str
    picture: str | bytes | DigitocrError


def is_single(named: list[str]) -> bool:
    """Whether the names stand for exactly one picture, whose digits are printed without its name."""
    return len(named) == 1 and not _is_glob(named[0]) and not S_ISDIR(_mode(named[0]))


def expanded(
    named: Iterable[str],
    recursive: bool = False,
    skip: Set[str] = frozenset(),
    note: Callable[[str], None] = lambda _: None,
) -> Iterator[Source]:
    """The pictures of files, folders, globs and standard input, in the order of the names.

    Folders and globs come by name; no more than their names is held in memory.

    Args:
        named: Paths, globs, and "-" for standard input.
        recursive: Whether subfolders of folders are read as well.
        skip: Subfolders that hold results and no sources, as os.path.realpath gives them.
        note: Called with one line for each folder of which files were left out.
    """
    for one in named:
        try:
            if one == STDIN:
                yield Source(one, _stdin())
            else:
                yield from _pictures(one, recursive, skip, note)
        except InputError as error:
            yield Source(_shown(one), error)


def paths(named: Iterable[str], recursive: bool = False, skip: Set[str] = frozenset()) -> Iterator[str]:
    """The paths of all that `expanded` yields, without reading standard input."""
    for source in expanded((one for one in named if one != STDIN), recursive, skip):
        if isinstance(source.picture, str):
            yield source.picture


def loaded(source: Source) -> Source:
    """The source with the content of its file in place of its path, or with the InputError of what cannot be read.

    The size is checked first. Reading a small file whole is faster than letting a decoder open it.
    """
    name, path = source
    if not isinstance(path, str):
        return source
    try:
        _refuse_other_kinds(name, path)
        return Source(name, read_regular(path, MAX_BYTES))
    except NotRegularError:
        return Source(name, InputError(f"{name}: is a folder or a device, not the file of a picture"))
    except TooLargeError:
        return Source(name, InputError(f"{name}: over {MAX_BYTES // 1_000_000} MB, too large for a picture"))
    except InputError as error:
        return Source(name, error)
    except OSError as error:
        return Source(name, InputError(f"{name}: cannot be read ({error.strerror})"))
    except ValueError:
        return Source(name, InputError(f"{name}: cannot be the name of a file"))
    except MemoryError:
        return Source(name, DigitocrError(f"{name}: there is not enough memory to read it"))


def _refuse_other_kinds(name: str, path: str) -> None:
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122
    if (suffix not in VIDEO_SUFFIXES and suffix != ".pdf") or not os.path.isfile(path):  # noqa: PTH113
        return
    if suffix in VIDEO_SUFFIXES:
        raise InputError(f"{name}: is a video; read it with: digitocr webcam --source {shlex.quote(name)}")
    raise InputError(f"{name}: is a PDF; save its pages as PNG first, for example with pdftoppm -r 200 -png")


def _pictures(named: str, recursive: bool, skip: Set[str], note: Callable[[str], None]) -> Iterator[Source]:
    if not named:
        raise InputError("an empty name names no picture; name a file, a folder, a glob, or - for standard input")
    if S_ISDIR(_mode(named)):
        folder = Folder(named, recursive, skip)
        for path in folder:
            yield Source(path, path) if isinstance(path, str) else Source(named, path)
        if folder.left_out:
            note(f"{named}: {folder.left_out}")
    elif _ADDRESS.match(named) and not _mode(named):
        raise InputError(
            f"{_shown(named)}: is an address and not a file; download the picture first, or read a stream "
            "with: digitocr webcam --source ADDRESS"
        )
    elif _is_glob(named):
        found = [path for path in sorted(_matches(named)) if not S_ISDIR(_mode(path))]
        if not found:
            raise InputError(f"{named}: no file matches the pattern")
        yield from (Source(path, path) for path in map(_tidy, found))
    else:
        yield Source(_tidy(named), _tidy(named))


def _matches(pattern: str) -> set[str]:
    """The paths that match a pattern. ** stands for folders below each other, as in glob, but follows no links.

    Links may lead back to the folder that they are in, and glob would follow them until a path is too long.
    """
    head, stars, tail = _STARS.sub("**/", pattern).partition("**/")
    if pattern.endswith("/**") or pattern == "**":
        return _matches(pattern[:-2] + "**/*")
    if not stars or (head and not head.endswith("/")):
        return set(glob.glob(pattern))
    found: set[str] = set()
    for start in glob.glob(head) if head else [""]:
        for folder, below, _ in os.walk(start or "."):
            below[:] = [name for name in below if not name.startswith(".")]
            within = folder if start else os.path.normpath(folder)
            inside = "" if within == "." else glob.escape(within.rstrip("/")) + "/"
            found |= _matches(inside + tail) if tail else {within + "/"}
    return found


def _shown(named: str) -> str:
    """The name as it may be printed: an address without user and password."""
    if not _ADDRESS.match(named):
        return named
    from digitocr.runtime.live.addresses import without_credentials  # here: files need no parser of addresses

    return without_credentials(named)


def _tidy(path: str) -> str:
    """The path without dots and slashes that mean nothing: ./a.png is a.png."""
    return str(Path(path))


def _stdin() -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError("standard input: is a terminal or closed; pipe a picture into it")
    content = sys.stdin.buffer.read(MAX_BYTES + 1)
    if not content:
        raise InputError("standard input: is empty; pipe a picture into it")
    if len(content) > MAX_BYTES:
        raise InputError(f"standard input: over {MAX_BYTES // 1_000_000} MB, too large for a picture")
    return content


def _is_glob(named: str) -> bool:
    return glob.has_magic(named) and not _mode(named)  # a file may have a name that looks like a glob


def _mode(named: str) -> int:
    """The st_mode of the file or folder; 0 where there is none, or where there can be none of that name."""
    try:
        return Path(named).stat().st_mode
    except (OSError, ValueError):
        return 0
