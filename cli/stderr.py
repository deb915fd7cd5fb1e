"""Keeps libraries from writing to standard error, which is for messages to people."""

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class _Messages(io.TextIOWrapper):
    """Standard error that drops what it cannot write, as on a full disk: the run and its results go on without it."""

    def write(self, text: str, /) -> int:
        with suppress(OSError):
            super().write(text)
        return len(text)


@contextmanager
def libraries_silenced() -> Iterator[None]:
    """Suppresses what C libraries write to standard error, and warnings of Python libraries. No effect with --debug.

    LiteRT announces its delegate; libtiff and ONNX Runtime write to file descriptor 2 what they also raise. What Python
    prints to sys.stderr still appears, where it can be written.
    """
    if "--debug" in sys.argv or sys.stderr is None:
        yield
        return
    kept, python = os.dup(2), sys.stderr
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    if python is sys.__stderr__:  # writes to descriptor 2; the stand-in of a test does not
        sys.stderr = _Messages(os.fdopen(kept, "wb", closefd=False), errors="backslashreplace", line_buffering=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        sys.stderr = python
