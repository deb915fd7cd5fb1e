#!/usr/bin/env bash
# num2words 0.5.14 speaks -0.5 as "zero point five" in English and most other languages, and 12.05 as 12.5 in some.
#
# Input: readings of a thermometer and of a meter, -0.5, -12.5, 12.05 and 12.5, in every language of the package, as a
# voice or a screen reader gets them. Guess: another number has other words; the words of -12.5 begin with "minus", and
# so do those of -0.5.
# Seen: between -1 and 0 the minus is dropped in most languages, English, German, French and Spanish among them: the
# sign is taken from the part before the point, which is 0. Bengali and Persian have the same words for 12.05 and 12.5,
# since they leave out zeros after the point. Of Decimal("12.05"), the exact form that a careful reader passes on,
# Italian and Welsh give "twelve" and Turkish gives an empty text. Nothing warns. Issues 402 and 644 of
# savoirfairelinux/num2words have the minus for English, German and Turkish, open since 2021; for the others none was
# found.
# Why it matters: half a degree of frost is announced as half a degree above, which is where the sign matters most. Tell
# the sign apart and give abs(value), as a float.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check num2words==0.5.14
cat > "$folder/show.py" << 'PYTHON'
import sys
from decimal import Decimal
from importlib.metadata import version

from num2words import CONVERTER_CLASSES, num2words

print("num2words", version("num2words"))


def spoken(value: object, language: str) -> str | None:
    """Return the words, or nothing where the language says that it cannot."""
    try:
        return str(num2words(value, lang=language)).strip()
    except (TypeError, KeyError, ValueError, NotImplementedError):
        return None


languages = sorted(CONVERTER_CLASSES)
half = [name for name in languages if spoken(-0.5, name) and spoken(0.5, name)]
lost = [name for name in half if spoken(-0.5, name) == spoken(0.5, name)]
kept = [name for name in languages if spoken(-12.5, name) and spoken(-12.5, name) != spoken(12.5, name)]
print(f"-0.5 is spoken as 0.5 in {len(lost)} of {len(half)} languages: {' '.join(lost)}")
print(f"-12.5 differs from 12.5 in {len(kept)}")
same = [name for name in languages if spoken(12.05, name) and spoken(12.05, name) == spoken(12.5, name)]
print(f"12.05 is spoken as 12.5 in {' '.join(same)}")
exact = {name: spoken(Decimal("12.05"), name) for name in languages}
cut = [name for name, words in exact.items() if words is not None and words in {"", spoken(12, name)}]
print(f"Decimal('12.05') loses its places in {' '.join(cut)}")
for value, language in ((-0.5, "en"), (-12.5, "en"), (-0.5, "de"), (Decimal("12.05"), "it"), (Decimal("12.05"), "tr")):
    print(f"{value!r} in {language}: {spoken(value, language)!r}")
as_found = {"en", "de", "fr", "es"} <= set(lost) & set(kept) and same == ["bn", "fa"] and cut == ["cy", "it", "tr"]
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
