r"""digitocr reads numbers in pictures on any CPU.

>>> import digitocr
>>> digitocr.read("page.jpg").text
'407\n12'

`read` reads a picture, a `Reader` reads many with the same settings, a `VideoReader` reads cameras and videos.
Every exception raised on purpose is a DigitocrError.
"""

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitocr.runtime.candidates import Candidate, Mark, Span, Strip
    from digitocr.runtime.errors import (
        ClusterError,
        DeviceError,
        DigitocrError,
        GateError,
        InputError,
        MissingExtraError,
        MissingLibraryError,
        ModelError,
        NothingReadError,
        OutputError,
        SourceOffError,
        UsageError,
    )
    from digitocr.runtime.image import Picture, Roi, page_count
    from digitocr.runtime.live.frames import FramePixels, FrameSource
    from digitocr.runtime.live.video import FrameReading, SteadyReading, VideoReader
    from digitocr.runtime.reader import Reader
    from digitocr.runtime.reading import Box, Digit, Line, ModelId, Number, Reading, Timing

__version__ = "0.1.0"
__all__ = [
    "Box",
    "Candidate",
    "ClusterError",
    "DeviceError",
    "Digit",
    "DigitocrError",
    "FramePixels",
    "FrameReading",
    "FrameSource",
    "GateError",
    "InputError",
    "Line",
    "Mark",
    "MissingExtraError",
    "MissingLibraryError",
    "ModelError",
    "ModelId",
    "NothingReadError",
    "Number",
    "OutputError",
    "Reader",
    "Reading",
    "SourceOffError",
    "Span",
    "SteadyReading",
    "Strip",
    "Timing",
    "UsageError",
    "VideoReader",
    "__version__",
    "page_count",
    "read",
]

_MODULES = {
    "candidates": ("Candidate", "Mark", "Span", "Strip"),
    "errors": (
        "ClusterError",
        "DeviceError",
        "DigitocrError",
        "GateError",
        "InputError",
        "MissingExtraError",
        "MissingLibraryError",
        "ModelError",
        "NothingReadError",
        "OutputError",
        "SourceOffError",
        "UsageError",
    ),
    "image": ("page_count",),
    "live.frames": ("FramePixels", "FrameSource"),
    "live.video": ("FrameReading", "SteadyReading", "VideoReader"),
    "reader": ("Reader",),
    "reading": ("Box", "Digit", "Line", "ModelId", "Number", "Reading", "Timing"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}
_KEPT_READERS = 4  # settings of which `read` keeps a Reader; each takes some 30 MB


def read(picture: "Picture", *, page: int = 0, roi: "Roi | None" = None, **options: Any) -> "Reading":
    """Reads the digits of one picture. Loads the networks at the first call and keeps them for the next ones.

    Args:
        picture: A path, the bytes of a file, a PIL image or an array of RGB or grey levels.
        page: The page of a TIFF, from 0; `page_count` says how many there are.
        roi: x, y, width, height in pixels of the picture as shown: only that part is read.
        **options: The settings of a Reader, such as `conf=0.8` or `mode="single"`.

    Raises:
        InputError: The argument is not a picture, is damaged, too large or too small, or has no such page or part.
        MissingExtraError: A HEIF picture or a .tflite model needs an extra that is not installed.
        UsageError: An option makes no sense.
        ModelError: A model that is named cannot be used.
    """
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    return _reader(**dict(sorted(settings.items()))).read(picture, page=page, roi=roi)


@lru_cache(_KEPT_READERS)
def _reader(**options: Any) -> "Reader":
    reader: type[Reader] = import_module("digitocr.runtime.reader").Reader
    return reader(**options)


def __getattr__(name: str) -> Any:  # so that `digitocr --help` need not load an interpreter (PEP 562)
    if name not in _HOMES:
        raise AttributeError(f"module 'digitocr' has no attribute {name!r}")
    return getattr(import_module(f"digitocr.runtime.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
