#!/usr/bin/env bash
# frictionless 5.21.0 reads "12,5" of a CSV file as a place on Earth, and "3,07" and "3,7" as the same one.
#
# Input: CSV files with semicolons, as spreadsheets write them where the comma is the decimal sign, with a column of
# readings; describe(), Resource.read_rows() and validate() without options. Guess: numbers, or text if the comma is not
# understood.
# Seen: the type is geopoint, and "12,5" is the list [12, 5], degrees east and north. "3,07" and "3,7" are both [3, 7],
# "12,50" is [12, 50]: the fraction is a whole number of its own. A column with larger readings, "4831,5", stays text,
# so the type changes with the meter. validate() finds no fault. Of its types geopoint is tried before integer and
# number. No issue was found.
# Why it matters: the readings of a whole continent are written so. A sum fails, what is stored is a pair, and the zero
# behind the comma is lost for good. Give the schema: type number, decimalChar ",".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check frictionless==5.21.0
cat > "$folder/show.py" << 'PYTHON'
import sys
from importlib.metadata import version
from pathlib import Path

from frictionless import Resource, Schema, describe, fields, validate

columns = {
    ("12.5", "3.07"): ("number", [12.5, 3.07]),
    ("12,5", "3,7"): ("geopoint", [[12, 5], [3, 7]]),
    ("12,50", "3,07"): ("geopoint", [[12, 50], [3, 7]]),
    ("-12,5", "3,7"): ("geopoint", [[-12, 5], [3, 7]]),
    ("4831,5", "4830,7"): ("string", ["4831,5", "4830,7"]),
}
as_found = True
for texts, (kind, wanted) in columns.items():
    Path("readings.csv").write_text("meter;reading\n" + "".join(f"m;{text}\n" for text in texts))
    found = describe("readings.csv").schema.get_field("reading").type
    values = [row["reading"] for row in Resource("readings.csv").read_rows()]
    plain = [[float(part) for part in value] if kind == "geopoint" else value for value in values]
    if kind == "number":
        plain = [float(value) for value in values]
    valid = validate("readings.csv").valid
    print(f"{texts}: {found}, {plain}, valid: {valid}")
    as_found &= found == kind and plain == wanted and valid
Path("readings.csv").write_text("meter;reading\nm;12,50\nm;3,07\n")
schema = Schema(fields=[fields.StringField(name="meter"), fields.NumberField(name="reading", decimal_char=",")])
named = [float(row["reading"]) for row in Resource("readings.csv", schema=schema).read_rows()]
print("with decimalChar:", named)
print("frictionless", version("frictionless"))
sys.exit(0 if as_found and named == [12.5, 3.07] else "the behaviour has changed")
PYTHON
cd "$folder"
"$folder/venv/bin/python" "$folder/show.py"
