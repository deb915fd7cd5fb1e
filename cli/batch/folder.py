"""A folder named on the command line -> its pictures by name, and one line on what else it holds.

photos: left out 1 PDF (save the pages as PNG), 2 other files, 3 subfolders (add --recursive)
"""

import os
from collections import Counter
from collections.abc import Iterator, Set
from functools import cache
from os.path import realpath, splitext
from pathlib import Path

from digitocr.runtime.errors import InputError
from digitocr.runtime.files import is_folder
from digitocr.runtime.formats import AVIF_SUFFIXES, HEIF_SUFFIXES, SUFFIXES, is_readable

# suffixes of files that `webcam` may read; only a hint is printed for them
VIDEO_SUFFIXES = frozenset((".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".3gp"))

_is_readable = cache(is_readable)  # which looks for a package

_HEIC = "HEIC"
_AVIF = "AVIF"
_PDF = "PDF"
_VIDEO = "video"
_HIDDEN = "hidden picture"
_OTHER = "other file"
_SUBFOLDER = "subfolder"
_LINK = "linked folder"
_KINDS = {
    **dict.fromkeys(HEIF_SUFFIXES, _HEIC),
    **dict.fromkeys(AVIF_SUFFIXES, _AVIF),
    **dict.fromkeys(VIDEO_SUFFIXES, _VIDEO),
    ".pdf": _PDF,
}
_WHAT_TO_DO = {  # in the order of the message
    _HEIC: "type: pip install 'digitocr[heif]'",
    _AVIF: "type: pip install --upgrade pillow",
    _PDF: "save the pages as PNG",
    _VIDEO: "use digitocr webcam --source FILE",
    _HIDDEN: "name them one by one",
    _OTHER: "",
    _SUBFOLDER: "add --recursive",
    _LINK: "to read one, name it as well",
}
_COUNTABLE = (_VIDEO, _HIDDEN, _OTHER, _SUBFOLDER, _LINK)  # words that take an s where there are several


class Folder:
    """The pictures of one folder and, after they have been listed, the files that were left out.

    Files of a folder come by name, then its subfolders' by name. Hidden files and hidden subfolders are left out, as
    a glob leaves them out. A link to a folder is not followed, since it may lead back.
    """

    def __init__(self, path: str, recursive: bool, skip: Set[str] = frozenset()) -> None:
        """A folder that is not read yet.

        Args:
            path: The folder's.
            recursive: Whether its subfolders are read as well.
            skip: Subfolders that hold results and no sources, as os.path.realpath gives them.
        """
        self._path = path
        self._recursive = recursive
        self._skip = skip
        self._left_out: Counter[str] = Counter()
        self._pictures = 0

    def __iter__(self) -> Iterator[str | InputError]:
        """Paths, and an InputError for each subfolder that cannot be read.

        Raises:
            InputError: The folder itself cannot be read, or holds no picture.
        """
        yield from self._inside(self._path)
        if not self._pictures:
            rest = f"; {self.left_out}" if self.left_out else ""
            raise InputError(f"{self._path}: the folder holds no pictures ({', '.join(sorted(SUFFIXES))}){rest}")

    @property
    def left_out(self) -> str:
        """What was left out and what to do with it, as the rest of a line; empty where nothing was."""
        kinds = [kind for kind in _WHAT_TO_DO if self._left_out[kind]]
        return f"left out {', '.join(self._counted(kind) for kind in kinds)}" if kinds else ""

    def _counted(self, kind: str) -> str:
        count, what_to_do = self._left_out[kind], _WHAT_TO_DO[kind]
        plural = "s" if kind in _COUNTABLE and count > 1 else ""
        return f"{count} {kind}{plural}" + (f" ({what_to_do})" if what_to_do else "")

    def _inside(self, folder: str) -> Iterator[str | InputError]:
        try:
            with os.scandir(folder) as entries:
                kinds = [(entry.name, self._kind(entry)) for entry in entries]
        except OSError as error:
            raise InputError(f"{folder}: the folder cannot be read ({error.strerror})") from None
        names = sorted(name for name, kind in kinds if kind == "")
        subfolders = sorted(name for name, kind in kinds if kind == _SUBFOLDER)
        self._left_out.update(kind for _, kind in kinds if kind and kind != _SUBFOLDER)
        self._pictures += len(names)
        before = str(Path(folder, "_"))[:-1]  # a Path for each name would take longer than to decode a small picture
        yield from (before + name for name in names)
        if not self._recursive:
            self._left_out[_SUBFOLDER] += len(subfolders)
            return
        for name in subfolders:
            try:
                yield from self._inside(before + name)
            except InputError as error:
                yield error

    def _kind(self, entry: "os.DirEntry[str]") -> str | None:
        """Empty for a picture, else what it is; None for what is not reported."""
        hidden = entry.name.startswith(".")
        if is_folder(entry) if entry.is_symlink() else entry.is_dir():
            if hidden or (self._skip and realpath(entry.path) in self._skip):
                return None
            return _LINK if entry.is_symlink() else _SUBFOLDER
        suffix = splitext(entry.name)[1].lower()  # noqa: PTH122  # see _inside
        if hidden:
            return _HIDDEN if _is_readable(suffix) else None
        return "" if _is_readable(suffix) else _KINDS.get(suffix, _OTHER)
