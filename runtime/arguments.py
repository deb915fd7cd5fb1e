"""Checks of arguments that people give: numbers of the right kind, in their range.

threads = whole("threads", threads, 1, 256)
seconds = finite("reconnect", reconnect)
"""

import math
from operator import index
from typing import Any

from digitocr.runtime.errors import UsageError


def whole(name: str, value: Any, least: int = 0, most: int | None = None) -> int:
    """The value as an int. Raises UsageError if it is no whole number, or below `least` or above `most`."""
    try:
        given = index(value)
    except TypeError:
        raise UsageError(f"{name} must be a whole number, not {value!r}") from None
    if given < least or (most is not None and given > most):
        limits = f"{least} or more" if most is None else f"from {least} to {most}"
        raise UsageError(f"{name} must be {limits}, not {given}")
    return given


def finite(name: str, value: Any, most: float = math.inf) -> float:
    """The value as a float. Raises UsageError if it is text or no number, not finite, below 0 or above `most`."""
    try:
        given = math.nan if isinstance(value, (str, bytes)) else float(value)
    except (TypeError, ValueError, OverflowError):
        given = math.nan
    if not math.isfinite(given) or not 0 <= given <= most:
        limits = "a finite number, 0 or more" if most == math.inf else f"a number from 0 to {most:g}"
        raise UsageError(f"{name} must be {limits}, not {value!r}")
    return given
