"""Standard error is for people: what libraries write there of themselves is kept away."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def libraries_silenced() -> Iterator[None]:
    """Inside, and with --debug nowhere, what C libraries write and Python libraries warn of does not come out.

    LiteRT announces its delegate, libtiff and ONNX Runtime write to file descriptor 2 what they raise as well.
    """
    if "--debug" in sys.argv or sys.stderr is None:
        yield
        return
    kept, python = os.dup(2), sys.stderr
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    if python is sys.__stderr__:  # which writes to 2 as well; a test's does not
        sys.stderr = os.fdopen(kept, "w", 1, errors="backslashreplace", closefd=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        sys.stderr = python
