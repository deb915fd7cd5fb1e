#!/usr/bin/env bash
# gspread 6.2.1 reads the 12,5 of a German, French or Spanish sheet as 125, and -0,5 as -5.
#
# Input: a sheet of readings as the service answers for a sheet whose language writes a comma before the decimals. By
# default gspread asks for values as the sheet shows them, so 12.5 comes as the text "12,5". The answer is given by a
# client without a network here. As controls the same sheet in English, and the option that asks for plain numbers.
# Guess: get_all_records gives 12.5, or the text "12,5"; its documentation says that strings which can be read as ints
# or floats are converted.
# Seen: 12,5 is 125, -0,5 is -5, 4831,50 is 483150, and 4,8,3, a list, is 483. 1.785,5 is 1.7855, and 1.785, which is
# 1785 there, is 1.785. Cell.numeric_value is the same. Nothing warns. In the code, numericise leaves out all commas
# before int and float, for the thousands of English sheets (issue 132 of burnash/gspread, closed). With the option
# UNFORMATTED_VALUE the numbers are right. No issue about reading decimals was found.
# Why it matters: a temperature of 12,5 degrees is 125, while 12 in the next line is right, and who sees the sheet sees
# nothing wrong. Ask for UNFORMATTED_VALUE, or give numericise_ignore=["all"].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gspread==6.2.1
cat > "$folder/show.py" << 'PYTHON'
import sys

import gspread

GERMAN = ["12", "12,5", "-0,5", "4831,50", "1.785", "1.785,5", "4,8,3", "0042"]
ENGLISH = ["12", "12.5", "-0.5", "4831.50", "1,785", "1,785.5"]
PLAIN = [12, 12.5, -0.5, 4831.5, 1785, 1785.5]


class Canned(gspread.HTTPClient):
    """Answers as the service would, without a network."""

    def __init__(self, shown, plain=()):
        self.answers = {"UNFORMATTED_VALUE": plain}
        self.shown = shown

    def values_get(self, id, range, params=None):
        kind = (params or {}).get("valueRenderOption")
        column = self.answers.get(getattr(kind, "value", kind), self.shown)
        return {"range": range, "majorDimension": "ROWS", "values": [["reading"]] + [[value] for value in column]}


def records(shown, plain=(), **options):
    """The column of readings in get_all_records."""
    properties = {"sheetId": 0, "title": "meters", "index": 0, "gridProperties": {"rowCount": 20, "columnCount": 1}}
    sheet = gspread.Worksheet(None, properties, "id", Canned(shown, plain))
    return [record["reading"] for record in sheet.get_all_records(**options)]


found = {
    "German": records(GERMAN),
    "English": records(ENGLISH),
    "German, UNFORMATTED_VALUE": records(GERMAN, PLAIN, value_render_option="UNFORMATTED_VALUE"),
    "German, numericise_ignore": records(GERMAN, numericise_ignore=["all"]),
    "numeric_value of 12,5": [gspread.Cell(2, 1, "12,5").numeric_value],
}
print("gspread", gspread.__version__, "of the German sheet", GERMAN)
for name, values in found.items():
    print(f"{name}: {values}")
wanted = {
    "German": [12, 125, -5, 483150, 1.785, 1.7855, 483, 42],
    "English": PLAIN,
    "German, UNFORMATTED_VALUE": PLAIN,
    "German, numericise_ignore": GERMAN,
    "numeric_value of 12,5": [125],
}
sys.exit(0 if found == wanted else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
