"""The import of Keras: silenced, and with an error of one line where something for it is missing.

    with keras_needed("train", "training"):
        import keras

Which backend Keras runs in is said by KERAS_BACKEND or keras.json.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from digitocr.runtime.errors import MissingExtraError, MissingLibraryError
from digitocr.runtime.interpreter import first_line
from digitocr.train.quiet import silenced


@contextmanager
def keras_needed(extra: str, why: str) -> Iterator[None]:
    """Silences the imports inside.

    Args:
        extra: The extra of digitocr that brings what is imported.
        why: What it is needed for.

    Raises:
        MissingExtraError: A package is not installed.
        MissingLibraryError: Keras is told to run in a backend that cannot be imported.
    """
    try:
        with silenced():
            yield
    except (ImportError, OSError, ValueError) as error:  # Keras's for a backend that is missing, damaged or unknown
        name, place = _backend()
        if name != "tensorflow" and "keras" not in sys.modules and find_spec("keras"):
            why = f"Keras cannot use the backend {name} ({first_line(error)})"
            raise MissingLibraryError(f"{place}: {why}; install it, or say tensorflow there") from error
        if isinstance(error, ImportError):
            raise MissingExtraError(extra, why) from error
        raise


def _backend() -> tuple[str, str]:
    """The name of the backend that Keras is told to use, and the place that says it."""
    if name := os.environ.get("KERAS_BACKEND"):
        return name, "KERAS_BACKEND"
    path = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser() / "keras.json"
    with suppress(OSError, ValueError, AttributeError):
        return str(json.loads(path.read_text("utf-8")).get("backend", "tensorflow")), str(path)
    return "tensorflow", str(path)
