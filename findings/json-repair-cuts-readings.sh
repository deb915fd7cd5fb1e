#!/usr/bin/env bash
# json_repair 0.64.6 cuts readings short: of `{"reading": 4?31}` it makes 4, of `1 785` 1 and of `20:16` 20.
#
# Input: JSON as a language model writes it that was asked what a display shows: the reading stands without quotation
# marks as it is seen, with a "?", a space between thousands, an apostrophe, or a colon. It is what the package is for.
# Guess: the text, as it makes "12,5", "4831m" and "12-5" texts, or an error with strict=True.
# Seen: the number ends at the first sign that is none, and the rest of the reading is dropped: "4?31" is 4, "1 785" is
# 1, "12'345" is 12, "20:16" is 20, and of "4831, 3940" only 4831 is left. A "?" in front is skipped: "?831" is 831, and
# "0042" is 42. strict=True gives the same. No error or warning; logging=True returns a list of what was done, which is
# empty for "?831" and "0042". The README does not mention it; issue 174 of mangiucugna/json_repair has identifiers that
# were cut in this way, and was closed as mended.
# Why it matters: the result is a plausible reading of another size, and the sign that a digit could not be read is gone.
# Ask for the reading as a string, and refuse a number that does not stand in the answer as a whole.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check json_repair==0.64.6
cat > "$folder/show.py" << 'PYTHON'
import sys
from importlib.metadata import version

import json_repair

wanted = {
    "4831": 4831, '"4?31"': "4?31", "12,5": "12,5", "4831m": "4831m", "12-5": "12-5", "15/08/2026": "15/08/2026",
    "4?31": 4, "1 785": 1, "12'345": 12, "20:16": 20, "4831, 3940": 4831, "4 831,5": 4, "?831": 831, "0042": 42,
}  # fmt: skip
as_found = True
for text, value in wanted.items():
    answer = f'{{"reading": {text}}}'
    found, strict = json_repair.loads(answer), json_repair.loads(answer, strict=True)
    logged, log = json_repair.loads(answer, logging=True)
    print(f"{answer}: {found}, strict {strict}, {len(log)} entries in the log")
    as_found &= found == strict == logged == {"reading": value}
    as_found &= text not in ("?831", "0042") or log == []
print("json_repair", version("json_repair"))
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
