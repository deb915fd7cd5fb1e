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
    "aguafina akaya- alex-brush allison allura amatic amita annie- architects arizonia babylonica ballet "
    "belle-aurore bilbo birthstone bonheur borel butterfly-kids calligraffitti caramel caveat cedarville charm "
    "chilanka comforter coming-soon condiment cookie corinthia courgette covered-by crafty damion dancing "
    "darumadrop dawning dekko delicious delius devonshire dokdo dr-sugiyama eagle-lake edu- engagement ephesis "
    "estonia euphoria explora felipa finger-paint fleur-de fuggles fuzzy-bubbles gaegu gamja give-you gloria "
    "gochi grand-hotel grape-nuts grechen grey-qo gwendolyn hachi-maru handlee henny-penny herr-von hi-melody "
    "homemade hubballi hurricane imperial- indie-flower ingrid- inspiration island-moments italianno itim jim- "
    "just- kalam kapakana kavivanar kirang klee knewave kolker- kranky kristi lacquer leckerli lemonada lily- "
    "liu-jian long-cang love-light love-ya loved-by lovers- luxurious ma-shan mali- mansalva mea-culpa meddon "
    "meow- merienda miss-faj monsieur montez mountains-of mr-bedfort mr-dafoe mr-de- mrs-saint ms-madi my-soul "
    "mynerve nanum- neucha niconne norican nothing-you oregano over-the pacifico pangolin parisienne patrick-hand "
    "permanent-marker petit-formal pinyon playpen playwrite poor-story puppies quintessential qwigley rancho "
    "redressed reenie rock-salt rouge- ruge- ruthie sacramento sarina sassy- satisfy schoolbell seaweed sedgwick "
    "send-flowers shadows-into shantell short-stack single-day slackside sofia square-peg sriracha stalemate "
    "style- sue-ellen sunshiney swanky tangerine the-girl the-nautigal tillana trade-winds twinkle- unkempt vibur "
    "vujahday waiting-for walter- waterfall windsong yellowtail yesteryear yomogi yusei- zen-kurenaido zeyada "
    "zhi-mang"
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
    """Those of the fonts that no network is trained with, so that what it reads in unknown fonts can be measured.

    About every fourth family is held out, and the same on every machine: the first word of the family's name decides.
    Families that share it, such as "Playwrite AT" and "Playwrite IT Moderna", are often one design.

    Args:
        fonts: Font files, from find_fonts.
    """
    return [path for path in fonts if zlib.crc32(_first_word(path).encode()) % _HELD_OUT == 0]


def seen(fonts: list[Path]) -> list[Path]:
    """Those of the fonts that networks are trained with: all but the held out ones, or all where none are left."""
    kept_out = set(held_out(fonts))
    return [font for font in fonts if font not in kept_out] or fonts


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
