"""The font files that letters and digits are drawn with."""

from pathlib import Path
from string import ascii_letters

from PIL import ImageFont

from digitocr.runtime.errors import InputError, MissingExtraError

SUFFIXES = (".ttf", ".otf", ".ttc", ".woff", ".woff2")
_SIZE = 72  # pixels; at which a font is tried


def find_fonts(directory: Path | None) -> list[Path]:
    """The font files in a folder and its subfolders, or, where it is None, those of this machine; sorted by name.

    Raises InputError where there are none that have letters, MissingExtraError where Matplotlib, which knows the places
    of a machine's fonts, is not installed.
    """
    if directory is not None:
        found = [path for path in directory.rglob("*") if path.suffix.lower() in SUFFIXES]
    else:
        try:
            from matplotlib.font_manager import findSystemFonts
        except ImportError as error:
            raise MissingExtraError("train", "finding this machine's fonts, unless --fonts DIR names some,") from error
        found = [Path(path) for path in findSystemFonts()]
    fonts = [path for path in sorted(found, key=lambda path: (path.name, path)) if _has_letters(path)]
    if not fonts:
        place = "this machine" if directory is None else str(directory)
        raise InputError(f"{place}: no font with letters in it; give a folder of .ttf or .otf files with --fonts DIR")
    return fonts


def _has_letters(path: Path) -> bool:
    """Whether a font draws letters, each its own: one without them draws a box, or nothing, for each."""
    try:
        font = ImageFont.truetype(str(path), _SIZE)
        drawn = [bytes(font.getmask(letter)) for letter in ascii_letters]
    except (OSError, ValueError):  # damaged, or a font of pictures in one size
        return False
    return all(drawn) and len(set(drawn)) >= len(ascii_letters) / 2  # some fonts have no small letters
