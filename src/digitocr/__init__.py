r"""digitocr reads digits from pictures on any CPU.

>>> from digitocr import Reader
>>> Reader().read("page.jpg").text
'407\n12'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitocr.runtime.errors import DigitocrError
    from digitocr.runtime.live.video import FrameReading, SteadyReading, VideoReader
    from digitocr.runtime.reader import Reader
    from digitocr.runtime.reading import Box, Candidate, Digit, Line, Reading

__version__ = "0.1.0"
__all__ = [
    "Box",
    "Candidate",
    "Digit",
    "DigitocrError",
    "FrameReading",
    "Line",
    "Reader",
    "Reading",
    "SteadyReading",
    "VideoReader",
    "__version__",
]

_HOMES = {
    "Box": "reading",
    "Candidate": "reading",
    "Digit": "reading",
    "DigitocrError": "errors",
    "FrameReading": "live.video",
    "Line": "reading",
    "Reader": "reader",
    "Reading": "reading",
    "SteadyReading": "live.video",
    "VideoReader": "live.video",
}


def __getattr__(name: str) -> Any:  # so that `digitocr --help` need not load an interpreter (PEP 562)
    if name not in _HOMES:
        raise AttributeError(f"module 'digitocr' has no attribute {name!r}")
    return getattr(import_module(f"digitocr.runtime.{_HOMES[name]}"), name)
