#!/usr/bin/env bash
# agate 1.14.2, which csvkit reads with, takes "4831 m" for minutes: a reading in metres becomes 3 days, 8:31:00.
#
# Input: CSV columns of readings and labels, by Table.from_csv without options, and the table written by to_csv. Guess:
# numbers without a unit are numbers, those with one are text, 0 and 1 are numbers, 20:16 is a time of day or text; and
# what is written is what was read, but perhaps for leading zeros.
# Seen: "4831 m" and "17 m" are TimeDelta, written as "3 days, 8:31:00" and "0:17:00". "20:16" is 20 minutes and 16
# seconds. A column of the labels 0 and 1 is written as False and True. "12,5" and "13,7" are 125 and 137, with no group
# of three digits anywhere. "1-2" and "12/5" are days of the year 2001. "kWh" and "m3" keep a column text. No warning.
# csvsort of csvkit 2.2.0 takes the same types, unless --no-inference is given. Issue 752 of wireservice/csvkit has "1m"
# and 1 as True, closed in 2017 for what --no-inference does to them; its manual warns of "occasional errors".
# Why it matters: sorting a CSV file of readings rewrites them, and a table of which digits were right or wrong no
# longer adds up. Give column_types, or TypeTester(types=[Number(), Text()]); csvkit wants --no-inference.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check agate==1.14.2 pytimeparse==1.1.10 parsedatetime==2.6 \
  babel==2.19.0
cat > "$folder/show.py" << 'PYTHON'
import csv
import io
import sys
from importlib.metadata import version

import agate

columns = {
    "plain": (["4831", "17.5"], ["4831", "17.5"]),
    "in kWh": (["4831 kWh", "17 kWh"], ["4831 kWh", "17 kWh"]),
    "in m3": (["4831 m3", "17 m3"], ["4831 m3", "17 m3"]),
    "in metres": (["4831 m", "17 m"], ["3 days, 8:31:00", "0:17:00"]),
    "with a colon": (["20:16", "00:12"], ["0:20:16", "0:00:12"]),
    "labels 0 and 1": (["0", "1"], ["False", "True"]),
    "with a comma": (["12,5", "13,7"], ["125", "137"]),
    "with a hyphen": (["1-2", "3-4"], ["2001-01-02", "2001-03-04"]),
    "with a slash": (["12/5", "3/4"], ["2001-12-05", "2001-03-04"]),
}
as_found = True
for name, (texts, wanted) in columns.items():
    table = agate.Table.from_csv(io.StringIO("value\n" + "".join(f'"{text}"\n' for text in texts)))
    written = io.StringIO()
    table.to_csv(written)
    values = [row[0] for row in csv.reader(io.StringIO(written.getvalue()))][1:]
    print(f"{name}: {texts} is {type(table.columns[0].data_type).__name__}, written as {values}")
    as_found &= values == wanted
print("agate", version("agate"))
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
