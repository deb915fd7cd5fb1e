"""Font files to draw letters and digits with: where they are, and which look written by hand."""

import zlib
from pathlib import Path
from string import ascii_letters

from PIL import ImageFont

from digitocr.runtime.errors import InputError, MissingExtraError

FONT_SUFFIXES = (".ttf", ".otf", ".ttc", ".woff", ".woff2")  # FreeType reads all of them
_TRIAL_SIZE = 72  # pixels; the size at which a font is tried
_HELD_OUT = 4  # of so many families, one is held out on average
# Parts of the file names of fonts that look written by hand: first words that many such fonts have, then families.
_HANDWRITTEN_NAMES = (
    "comic hand humor marker script "
    "amatic annie- architects belle-aurore bilbo caveat cedarville chilanka coming-soon cookie courgette "
    "covered-by crafty damion dancing dawning dekko delius dokdo edu- engagement felipa gaegu gamja give-you "
    "gloria gochi grand-hotel grape-nuts handlee hi-melody homemade hubballi indie-flower italianno itim jim- "
    "just- kalam kavivanar kirang klee kristi liu-jian long-cang loved-by ma-shan mali- mansalva meddon merienda "
    "mr-dafoe nanum- neucha niconne norican nothing-you over-the pacifico pangolin parisienne patrick-hand "
    "permanent-marker playpen playwrite poor-story quintessential qwigley rancho redressed reenie rock-salt ruge- "
    "ruthie sacramento satisfy schoolbell sedgwick shadows-into shantell short-stack single-day sofia sriracha "
    "sue-ellen sunshiney swanky the-girl vibur waiting-for walter- yellowtail yomogi zeyada zhi-mang"
)


def find_fonts(directory: Path | None) -> list[Path]:
    """The font files with letters, in a folder and its subfolders or on this machine; sorted by name.

    Args:
        directory: The folder; None for the fonts that are installed on this machine.

    Raises:
        InputError: There is no font with letters.
        MissingExtraError: This machine's fonts are needed, and Matplotlib, which finds them, is not installed.
    """
    if directory is not None:
        found = [path for path in directory.rglob("*") if path.suffix.lower() in FONT_SUFFIXES]
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


def is_handwritten(path: Path) -> bool:
    """Whether a font looks written by hand, judged by the name of its file."""
    return any(part in path.name.lower() for part in _HANDWRITTEN_NAMES.split())


def held_out(fonts: list[Path]) -> list[Path]:
    """Those of the fonts that no recognizer is trained with, so that what it reads in unknown fonts can be measured.

    About every fourth family is held out, and the same on every machine: the first word of the family's name decides.
    Families that share it, such as "Playwrite AT" and "Playwrite IT Moderna", are often one design.

    Args:
        fonts: Font files, from find_fonts.
    """
    return [path for path in fonts if zlib.crc32(_first_word(path).encode()) % _HELD_OUT == 0]


def _first_word(path: Path) -> str:
    """The first word of the name of a font's family, in small letters; "" if it has no name."""
    family = ImageFont.truetype(str(path)).getname()[0] or ""
    return (family.lower().split() or [""])[0]


def _has_letters(path: Path) -> bool:
    """Whether a font draws a shape of its own for each letter; one without letters draws one box, or nothing."""
    try:
        font = ImageFont.truetype(str(path), _TRIAL_SIZE)
        drawn = [bytes(font.getmask(letter)) for letter in ascii_letters]
    except (OSError, ValueError):  # damaged, or a bitmap font without this size
        return False
    return all(drawn) and len(set(drawn)) >= len(ascii_letters) / 2  # some fonts have no small letters
