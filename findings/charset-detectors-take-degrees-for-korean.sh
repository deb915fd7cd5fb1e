#!/usr/bin/env bash
# charset-normalizer 3.5.3 and chardet 7.7.0: in Latin-1, "21.5 °C" is Korean, and "5 µm" has no digit.
#
# Input: readings with units in Latin-1, as older programs write them: a reading by itself, and a CSV of an hour of
# temperatures, 1.5 kB. Guess: Latin-1 or Windows-1252, at least for the CSV, where the one byte that is not ASCII is
# always in front of a C.
# Seen: charset-normalizer takes the CSV for Korean, so that "21.5 °C" is "21.5 캜" on each line, a list of "m³" for
# Japanese, "21.5 °C" alone for Big5, and "5 µm" for two signs of UTF-16, of which none is a digit. chardet takes the
# CSV, "21.5 °C" and "5 µm" for cp1006, with an Arabic letter for the degree and the micro, and "12.5 ±0.1" for
# Cyrillic; the list of "m³" is right. In three sentences of English both are right. The form for issues of
# charset-normalizer asks for texts of more than 32 characters; no issue about units was found.
# Why it matters: tools that guess the encoding of files and answers rely on these two, and the unit that is looked
# for is not there: readings are left out, or kept without their unit. Name the encoding: UTF-8, and else
# Windows-1252.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check charset-normalizer==3.5.3 chardet==7.7.0
cat > "$folder/show.py" << 'PYTHON'
import sys

import chardet
import charset_normalizer

hour = range(60)
temperatures = "time;temperature\n" + "".join(f"2024-11-28 12:{m:02};{21.5 - m / 10:.1f} °C\n" for m in hour)
both = "".join(f"{4831 + m / 10:.1f} m³;{21.5 - m / 10:.1f} °C\n" for m in hour)
english = "The temperature is 21.5 °C and the meter shows 4831.5 m³. " * 3
print("charset-normalizer", charset_normalizer.__version__, "and chardet", chardet.__version__)
same = True
for name, text, wanted in (
    ("5 µm", "5 µm", ("utf_16_be", "cp1006")),
    ("21.5 °C", "21.5 °C", ("big5", "cp1006")),
    ("12.5 ±0.1", "12.5 ±0.1", ("cp932", "ISO-8859-5")),
    ("CSV of °C", temperatures, ("cp949", "cp1006")),
    ("list of m³", "".join(f"{4831 + m / 10:.1f} m³\n" for m in hour), ("cp932", "Windows-1252")),
    ("list of m³ and °C", both, ("cp932", "cp1006")),
    ("English", english, ("cp1252", "Windows-1252")),
):
    data = text.encode("latin-1")
    found = (charset_normalizer.from_bytes(data).best().encoding, chardet.detect(data)["encoding"])
    last = [data.decode(encoding).strip()[-8:] for encoding in found]
    print(f"{name}, {len(data)} bytes: {found[0]} and {found[1]}, ends with {last[0]!r} and {last[1]!r}")
    same &= found == wanted
    right = [end == text.strip()[-8:] for end in last]
    same &= right == [name == "English", name in ("English", "list of m³")]
sys.exit(0 if same else "the behaviour has changed")
PYTHON
PYTHONIOENCODING=utf-8 "$folder/venv/bin/python" "$folder/show.py"
