#!/usr/bin/env bash
# quantulum3 0.10.0 joins readings that stand beside each other, or finds none of them: "21.5 22.0" is nothing.
#
# Input: a line with two or three readings with a space between them, as a page with columns or a display with two
# rows comes out of a reader. Guess: each number is found, as with a unit behind each; at worst a space between groups
# of three digits joins them, as in "4 831 kWh", which is 4831 kWh.
# Seen: "1785 3940" is 17853940 and "0042 0017 kWh" 420017 kWh, though no group has three digits. "21.5 22.0" and "17
# 85 kWh" give an empty list, the unit too; of "12 34 56" only 56 is left. "-10 -20", two temperatures below zero, is
# 5: the second minus is taken for a range, from -10 to 20, and the value is its middle. No error or warning. With a
# unit behind each, a comma or a line break between them, all are found. No issue was found.
# Why it matters: what is joined is a plausible meter reading, what is lost looks like an empty page. Give it one
# number at a time, or put line breaks between them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check quantulum3==0.10.0
cat > "$folder/show.py" << 'PYTHON'
import sys
from importlib.metadata import version

from quantulum3 import parser

wanted = {
    "4 831 kWh": [4831],
    "21.5 °C 22.0 °C": [21.5, 22],
    "1785, 3940": [1785, 3940],
    "1785\n3940\n6821": [1785, 3940, 6821],
    "1785 3940": [17853940],
    "0042 0017 kWh": [420017],
    "21.5 22.0": [],
    "17 85 kWh": [],
    "12 34 56": [56],
    "-10 -20": [5],
}
as_found = True
for text, values in wanted.items():
    found = [quantity.value for quantity in parser.parse(text)]
    print(f"{text!r}: {found}")
    as_found &= found == values
print("quantulum3", version("quantulum3"))
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" -W ignore::UserWarning "$folder/show.py"  # its classifier of ambiguous units is left out
