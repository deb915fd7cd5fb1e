"""Keeps the chatter of TensorFlow, tf2onnx and ONNX Runtime's tools away: stdout is for results, stderr for us."""

import io
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path


@contextmanager
def silenced() -> Iterator[None]:
    """Nothing that is printed, logged or warned of inside comes out; exceptions do.

    TensorFlow's C++ writes to the file descriptor, some of it before it looks at TF_CPP_MIN_LOG_LEVEL; setting that
    variable below 3 lets everything through.
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
