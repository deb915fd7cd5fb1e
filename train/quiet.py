"""Output of training on stderr: libraries are silenced; a bar on a terminal, elsewhere a line per epoch."""

import io
import logging
import math
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TextIO, cast


@contextmanager
def silenced() -> Iterator[None]:
    """Discards everything that is printed, logged or warned of inside; exceptions pass.

    For TensorFlow, tf2onnx and the tools of ONNX Runtime. TensorFlow's C++ code writes to the file descriptor, some of
    it before it looks at TF_CPP_MIN_LOG_LEVEL. A user who sets that variable below 3 gets all messages.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "3":
        yield
        return
    level, stderr = logging.root.manager.disable, os.dup(2)
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
        os.dup2(stderr, 2)
        os.close(stderr)


def progress_line(text: str, quiet: bool = False) -> None:
    """Writes one line on stderr at once, unless quiet."""
    if not quiet:
        print(text, file=sys.stderr, flush=True)


def remaining(seconds: float, epochs: int) -> str:
    """How long the last epoch took and the epochs that are left will take.

    >>> remaining(35.2, 9)
    '35 s, about 6 min left'
    """
    left = f", about {math.ceil(seconds * epochs / 60)} min left" if epochs else ""
    return f"{seconds:.0f} s{left}"


def progress_stream(quiet: bool = False) -> TextIO | None:
    """The stream for Keras's progress bars: stderr if it is a terminal, else None.

    Keras draws its bars on stdout, which is for results. With NO_COLOR the stream drops colour codes.
    """
    if quiet or not sys.stderr.isatty():
        return None
    return cast(TextIO, _Colourless()) if os.environ.get("NO_COLOR") else sys.stderr


class _Colourless(io.TextIOBase):
    """stderr without the colour codes of Keras's bars."""

    def write(self, text: str) -> int:
        return sys.stderr.write(re.sub(r"\x1b\[\d+m", "", text))

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return True
