"""Words in letters of other scripts, and icons: what stands beside numbers and is no digit.

    scripts = Scripts(script_fonts("fonts"))        # those in fonts-scripts/
    word, letter = scripts.word(rng)                # e.g. "привет", and what draws its letters
    glyphs = [letter(character, rng) for character in word]

Numerals of other scripts are never drawn. The words are random letters.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.fonts import FONT_SUFFIXES
from digitocr.train.synthesis.glyphs import Glyph

_BESIDE = "-scripts"  # at the end of the name of the folder with these fonts
_SIZE = 72  # pixels
_TRIAL_SIZE = 14  # pixels; the size at which a font is asked what it has
_DIGIT = 0.7  # of the size: the height of the digits that would stand beside the letters
_NO_CHARACTER = "\uffff"  # in no font, so it is drawn as a missing character
_FEWEST = 8  # characters; a font with fewer of a script is not used for it
_INK = 48  # of 255; pixels with more belong to the cut-out
_ICONS = (  # of Material Icons: bell, wireless, battery, arrows, gear, heart, check mark, crosses, stars and the like
    0xE7F4, 0xE7F5, 0xE63E, 0xE1A4, 0xE1A3, 0xE5C8, 0xE5C4, 0xE5D8, 0xE5DB, 0xE8B8, 0xE87D, 0xE87E, 0xE5CA, 0xE5CD,
    0xE5C9, 0xE838, 0xE83A, 0xE88A, 0xE8B6, 0xE0BE, 0xE0B0, 0xE3B0, 0xE037, 0xE8B5, 0xE8CC, 0xE7FD, 0xE80D, 0xE872,
    0xE3C9, 0xE897, 0xE55F, 0xE1A7, 0xE1C8, 0xE5D2, 0xE5D4, 0xE2C4, 0xE3E7, 0xE050, 0xE87C, 0xE8DC, 0xE531, 0xE56C,
    0xE539, 0xE192, 0xE0C9, 0xE430, 0xE2BD, 0xE86C, 0xE000, 0xE002, 0xE88E, 0xE887, 0xE866, 0xE868, 0xE8A6, 0xE25B,
)  # fmt: skip
# Letters of each script, as first and last of a range or one by one. Chinese, Japanese and Korean: common ones.
_LETTERS: Mapping[str, str] = {
    "cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюяАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЭЮЯ",
    "greek": "αβγδεζηθικλμνξοπρστυφχψωςΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ",
    "hebrew": "אבגדהוזחטיכלמנסעפצקרשתםןףץ",
    "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "devanagari": "अआइईउऊएऐओऔकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह",
    "thai": "กขคฆงจฉชซญฎฏฐณดตถทธนบปผฝพฟภมยรลวศษสหอฮ",
    "kana": "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれわをん"
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレワヲン",
    "han": "日月火水木金土人大小中上下左右年本生学先今時分間国語文字手目耳足車電話電気天雨山川田男女子名前会社東西南北"
    "高安新古長白赤青黒店駅行来見食飲出入開我"
    "你他的是不在有和这们说为以要到就可也得着过对里后自之多么好看起发成只如事"
    "把还用第样道想作种美总从无情己面最但现些所同方身下而又理",
    "hangul": "가나다라마바사아자차카타파하고노도로모보소오조초코토포호구누두루무부수"
    "우주추기니디리미비시이지치에서의를은는"
    "한국사람말글집물불산강학교선생일월년시간오늘내전화번호주소성명금액합계",
}
_WORD = {"han": (1, 5), "kana": (2, 7), "hangul": (2, 6), "icons": (1, 4)}  # letters; of others 2 to 9
_LONGEST = (2, 9)
ALIKE = frozenset("ОоЗзЧчбэІΙΟοוןסง〇口日")  # alone or in a short word nothing tells these from digits
_SHORT = 3  # letters; words below that are short
_FORMS = ("isolated", "final", "initial", "medial")  # of an Arabic letter


class _Source(NamedTuple):
    """A font and the characters that it has of a script."""

    script: str
    font: ImageFont.FreeTypeFont
    letters: str


class Scripts:
    """Words of other scripts and rows of icons.

    Args:
        fonts: Font files, of which those with letters of a script that is known are used.
    """

    def __init__(self, fonts: Sequence[Path]) -> None:
        self._sources = [source for path in fonts for source in _sources(path)]
        self._scripts = sorted({source.script for source in self._sources})
        self._glyph = lru_cache(maxsize=None)(self._drawn)

    @property
    def scripts(self) -> tuple[str, ...]:
        """What can be drawn: the names of scripts, and "icons"; empty without fonts."""
        return tuple(self._scripts)

    def word(self, rng: Generator, script: str | None = None) -> tuple[str, Callable[[str, Generator], Glyph]]:
        """A random word from left to right, and what draws its letters.

        Args:
            rng: Determines the word and its font.
            script: One of `scripts`; None for any.
        """
        script = script or str(rng.choice(self._scripts))
        places = [place for place, source in enumerate(self._sources) if source.script == script]
        place = places[int(rng.integers(len(places)))]
        least, most = _WORD.get(script, _LONGEST)
        count = int(rng.integers(least, most + 1))
        letters = self._sources[place].letters
        if count < _SHORT:
            letters = "".join(letter for letter in letters if letter not in ALIKE)
        word = "".join(letters[int(at)] for at in rng.integers(0, len(letters), count))
        if script in ("cyrillic", "greek"):  # capitals stand at the beginning, or everywhere
            word = word.upper() if rng.random() < 0.25 else word.lower()
            word = word.capitalize() if rng.random() < 0.25 else word
        elif script == "arabic":
            word = joined(word)[::-1]
        elif script == "hebrew":
            word = word[::-1]
        return word, lambda character, _: self._glyph(place, character)

    def _drawn(self, place: int, character: str) -> Glyph:
        source = self._sources[place]
        unit, font = _DIGIT * _SIZE, source.font
        left, top, right, bottom = font.getbbox(character, anchor="ls")
        image = Image.new("L", (max(1, int(right - left) + 8), max(1, int(bottom - top) + 8)))
        ImageDraw.Draw(image).text((4 - left, 4 - top), character, 255, font, anchor="ls")
        ink = np.asarray(image)
        x, y, w, h = cv2.boundingRect((ink > _INK).astype(np.uint8))
        tight = np.ascontiguousarray(ink[y : y + max(h, 1), x : x + max(w, 1)])
        # icons hang below the line as far as they stand above the digits
        drop = (bottom + top) / 2 + unit / 2 if source.script == "icons" else 0.0
        advance = font.getlength(character) / unit
        return Glyph(tight, (left - 4 + x) / unit, (top - 4 + y - drop) / unit, w / unit, h / unit, advance)


@lru_cache(maxsize=2)
def scripts_of(fonts: tuple[Path, ...]) -> Scripts:
    """The Scripts of these fonts, made once."""
    return Scripts(fonts)


def script_fonts(fonts: str) -> list[Path]:
    """The fonts of other scripts: those in the folder beside `fonts` whose name has "-scripts" at its end.

    Sorted by name; none where there is no such folder, or for "", the fonts of this machine.
    """
    folder = Path(fonts).resolve()
    found = folder.with_name(folder.name + _BESIDE).rglob("*") if fonts else []
    return sorted((path for path in found if path.suffix.lower() in FONT_SUFFIXES), key=lambda path: (path.name, path))


def joined(word: str) -> str:
    """An Arabic word in the forms that its letters have beside each other, in the order in which it is written."""
    forms = _arabic_forms()
    shaped = []
    before = False  # whether the last letter joins to this one
    for place, letter in enumerate(word):
        own = forms.get(letter, {})
        after = place + 1 < len(word) and "final" in forms.get(word[place + 1], {}) and "initial" in own
        form = ("medial" if after else "final") if before else ("initial" if after else "isolated")
        shaped.append(own.get(form, letter))
        before = after
    return "".join(shaped)


@lru_cache(maxsize=1)
def _arabic_forms() -> Mapping[str, Mapping[str, str]]:
    """For each letter its presentation forms, by their names in Unicode."""
    forms: dict[str, dict[str, str]] = {}
    for code in range(0xFE80, 0xFEF5):
        form, *letters = unicodedata.decomposition(chr(code)).split()
        if len(letters) == 1 and form.strip("<>") in _FORMS:
            forms.setdefault(chr(int(letters[0], 16)), {})[form.strip("<>")] = chr(code)
    return forms


def _sources(path: Path) -> list[_Source]:
    """What a font file has of each script; nothing for a file that is no font."""
    try:
        font = ImageFont.truetype(str(path), _SIZE, layout_engine=ImageFont.Layout.BASIC)
        trial = ImageFont.truetype(str(path), _TRIAL_SIZE, layout_engine=ImageFont.Layout.BASIC)
        missing = bytes(trial.getmask(_NO_CHARACTER))
    except OSError:
        return []

    def known(letters: str) -> str:
        shapes = {letter: bytes(trial.getmask(letter)) for letter in letters}
        return "".join(letter for letter, shape in shapes.items() if any(shape) and shape != missing)

    if "icons" in path.name:
        letters = known("".join(map(chr, _ICONS)))
        return [_Source("icons", font, letters)] if letters else []
    found = []
    for script, letters in _LETTERS.items():
        own = known(letters)
        if script == "arabic" and own != known_forms(own, known):
            continue  # without the joined forms it would be no Arabic
        if len(own) >= _FEWEST:
            found.append(_Source(script, font, own))
    return found


def known_forms(letters: str, known: Callable[[str], str]) -> str:
    """The letters of which a font has all joined forms."""
    forms = _arabic_forms()
    return "".join(letter for letter in letters if len(known("".join(forms[letter].values()))) == len(forms[letter]))
