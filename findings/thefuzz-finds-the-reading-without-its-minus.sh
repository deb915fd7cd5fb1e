#!/usr/bin/env bash
# thefuzz 0.22.1: the best match of -12.5 among 12.5 and -12.5 is 12.5, with a score of 100.
#
# Input: readings as texts, given to process.extractOne with the texts to choose from, to process.dedupe, and to
# fuzz.ratio and fuzz.WRatio. Guess: the equal text is the best match, and a missing sign costs something, as with
# fuzz.ratio.
# Seen: extractOne("-12.5", ["12.5", "-12.5"]) is 12.5 with 100, and extractOne("12.5", ["12:5", "12,5", "12.5"]) is
# 12:5: all but letters and digits becomes spaces first, and of equals the first one is taken. dedupe leaves one of
# 12.5, -12.5 and 12,5. WRatio is 100, fuzz.ratio 89. Neither scorer=fuzz.ratio nor processor=None alone helps, as
# each of the two makes spaces; both together give -12.5. Issue 319 of seatgeek/fuzzywuzzy, the former name, has the
# second for "123" and "123   ....". rapidfuzz 3.14.6, with the same names of functions, is right.
# Why it matters: answers are scored against labels, or a reading is matched to the allowed ones, and 20.5 below zero
# is right for 20.5, and 20:16 for 20.16. Use rapidfuzz, which thefuzz is built on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check thefuzz==0.22.1 rapidfuzz==3.14.6
cat > "$folder/show.py" << 'PYTHON'
import importlib.metadata
import sys

import rapidfuzz
from thefuzz import fuzz, process

print("thefuzz", importlib.metadata.version("thefuzz"))
signs = ("-12.5", ["12.5", "-12.5"])
points = ("12.5", ["12:5", "12,5", "12.5"])
found = {
    "best of signs": process.extractOne(*signs),
    "best of points": process.extractOne(*points),
    "by ratio": process.extractOne(*signs, scorer=fuzz.ratio),
    "no processor": process.extractOne(*signs, processor=None),
    "by ratio, no processor": process.extractOne(*signs, scorer=fuzz.ratio, processor=None),
    "left by dedupe": sorted(process.dedupe(["12.5", "-12.5", "12,5"])),
    "WRatio": fuzz.WRatio("-12.5", "12.5"),
    "ratio": fuzz.ratio("-12.5", "12.5"),
    "rapidfuzz, signs": rapidfuzz.process.extractOne(*signs)[:2],
    "rapidfuzz, points": rapidfuzz.process.extractOne(*points)[:2],
}
for name, value in found.items():
    print(f"{name}: {value}")
same = (
    found["best of signs"] == found["by ratio"] == found["no processor"] == ("12.5", 100)
    and found["best of points"] == ("12:5", 100)
    and found["by ratio, no processor"] == ("-12.5", 100)
    and len(found["left by dedupe"]) == 1
    and (found["WRatio"], found["ratio"]) == (100, 89)
    and found["rapidfuzz, signs"] == ("-12.5", 100)
    and found["rapidfuzz, points"] == ("12.5", 100)
)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
