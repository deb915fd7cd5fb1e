"""Which files are pictures, by the suffixes of their names. Imports no library, so that a list of files costs no start.

>>> is_readable(".JPG"), is_readable(".pdf")
(True, False)
"""

from functools import cache
from importlib.util import find_spec

MAX_BYTES = 256_000_000  # bytes; no picture has a larger file
JPEG_SUFFIXES = frozenset((".jpg", ".jpeg", ".jpe", ".jfif"))
TIFF_SUFFIXES = frozenset((".tif", ".tiff"))
NETPBM_SUFFIXES = frozenset((".pbm", ".pgm", ".ppm", ".pnm"))
SUFFIXES = JPEG_SUFFIXES | TIFF_SUFFIXES | NETPBM_SUFFIXES | {".png", ".webp", ".bmp", ".gif"}  # always readable
AVIF_SUFFIXES = frozenset((".avif",))  # readable where Pillow is built with AVIF, from 11.3 on
HEIF_SUFFIXES = frozenset((".heic", ".heif", ".hif"))  # readable with the extra "heif"


def is_readable(suffix: str) -> bool:
    """Whether files with that suffix, such as ".png" in upper or lower case, hold pictures that can be read here."""
    suffix = suffix.lower()
    if suffix in AVIF_SUFFIXES:
        return has_avif()
    if suffix in HEIF_SUFFIXES:
        return has_heif()
    return suffix in SUFFIXES


@cache
def has_avif() -> bool:
    """Whether Pillow is built with AVIF."""
    return find_spec("PIL._avif") is not None


@cache
def has_heif() -> bool:
    """Whether the package that reads HEIF, pillow-heif, is installed."""
    return find_spec("pillow_heif") is not None
