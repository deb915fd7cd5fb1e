"""Files that are either whole or not there: written beside, synced, then renamed.

    with replacing(Path("report.json")) as beside:
        beside.write_text(text, "utf-8")

A crash, a kill or a power cut at any moment leaves the old file or the new one.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a path beside `path` to write to; renames it to `path` on success, removes it on any exception.

    The name yielded is hidden and has the suffix of `path`, since some writers choose a format by it. The content is
    synced to the disk before the rename: otherwise a power cut can leave an empty file under the final name. Raises
    the OSError of what fails.
    """
    beside = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield beside
        _sync(beside, os.O_RDWR)
        beside.replace(path)
        if os.name == "posix":  # Windows opens no folders
            _sync(path.parent, os.O_RDONLY)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
