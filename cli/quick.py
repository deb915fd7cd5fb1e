"""`digitocr predict` of pictures and switches alone, without the parser: importing it takes a tenth of such a run."""

import os
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any


def call(words: Sequence[str]) -> Callable[[], None] | None:
    """What the parser would call for those words; None where it has to look at them."""
    if os.name != "posix" or words[:1] != ["predict"]:  # on Windows the parser expands names as well
        return None
    typed = {word for word in words[1:] if word.startswith("-") and word != "-"}  # - is standard input
    names = [word for word in words[1:] if word not in typed]
    if not names or not all(word.startswith("--") for word in typed):
        return None
    from digitocr.cli.commands.predict import predict

    switches = {f"--{name.replace('_', '-')}": name for name, default in _defaults(predict) if default is False}
    if not switches.keys() >= typed:
        return None
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy and OpenCV would start threads that have no work here
    threading.Thread(target=_load_opencv, daemon=True).start()
    chosen: dict[str, Any] = {switches[word]: True for word in typed}
    return partial(predict, names, **chosen)


def _defaults(function: Callable[..., object]) -> list[tuple[str, object]]:
    """The parameters of a decorated function that have defaults; inspect takes longer to import than the parser."""
    plain = vars(function)["__wrapped__"]
    defaults = plain.__defaults__
    names = plain.__code__.co_varnames[: plain.__code__.co_argcount]
    return list(zip(names[-len(defaults) :], defaults, strict=True))


def _load_opencv() -> None:
    """Loads OpenCV's libraries while Python code is imported.

    An import holds the interpreter's lock while it loads a library, a foreign call does not. What fails here is told by
    the import.
    """
    import ctypes
    from importlib.util import find_spec

    spec = find_spec("cv2")
    for folder in (spec and spec.submodule_search_locations) or ():
        for library in Path(folder).glob("cv2*.so"):
            ctypes.CDLL(None).dlopen(os.fsencode(library), os.RTLD_NOW)
