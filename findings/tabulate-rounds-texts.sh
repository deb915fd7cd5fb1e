#!/usr/bin/env bash
# tabulate 0.10.0 rewrites texts that look like numbers: "1234567.8" is printed as 1.23457e+06.
#
# Input: columns of readings as texts, zeros in front and behind as they were read. Guess: a text is printed as it is;
# numbers may be aligned.
# Seen: "12345.678" is 12345.7, "1234567.8" is 1.23457e+06, "12.50" is 12.5, and "1e5", the text of a label, is 100000.
# "0042" keeps its zeros in a column of whole numbers, and loses them as soon as one text of the column has a point:
# "0042" and "0017.5" are 42 and 17.5. One unreadable reading, "4?31", makes the whole column text again, so that the
# same reading looks otherwise in two tables. It is documented, as numparse: six digits are kept, "g" of floatfmt, for
# texts as well.
# Why it matters: a table of wanted and read texts shows equal rows for different readings, and the last digit of a
# meter is gone. Give disable_numparse=True.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tabulate==0.10.0
cat > "$folder/show.py" << 'PYTHON'
import sys
from importlib.metadata import version

from tabulate import tabulate

columns = {
    ("0042", "0017"): ["0042", "0017"],
    ("0042", "0017.5"): ["42", "17.5"],
    ("0042", "0017.5", "4?31"): ["0042", "0017.5", "4?31"],
    ("12345.678", "12345.712"): ["12345.7", "12345.7"],
    ("1234567.8",): ["1.23457e+06"],
    ("12.50",): ["12.5"],
    ("1e5",): ["100000"],
}
as_found = True
for texts, wanted in columns.items():
    printed = [line.strip() for line in tabulate([[text] for text in texts], tablefmt="plain").splitlines()]
    print(f"{texts} is printed as {printed}")
    as_found &= printed == wanted
    kept = tabulate([[text] for text in texts], tablefmt="plain", disable_numparse=True).split()
    as_found &= kept == list(texts)
print("tabulate", version("tabulate"))
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
