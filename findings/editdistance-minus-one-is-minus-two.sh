#!/usr/bin/env bash
# editdistance 0.8.1 takes -1 and -2 for the same item; rapidfuzz 3.14.6 takes 55 and "7" for the same.
#
# Input: lists of items, as in error rates by number or by class: the numbers that a thermometer's display shows, and
# class numbers with -1 for "no digit" and -2 for "unreadable". Guess: items are compared by ==, as lists are.
# Seen: editdistance compares hashes, and hash(-1) is -2 in CPython: [21, -1, 4] and [21, -2, 4] are 0 apart, while -2
# and -3 are 1 apart. rapidfuzz treats -1 and -2 apart, but takes a string of one character as its code: [12, 55] and
# ["12", "7"] are 1 apart, the 55 being "7", while [12, 7] and ["12", "7"] are 2 apart. Levenshtein 0.27.5, built upon
# it, does the same. Issue 37 of roy-ht/editdistance, open since 2019, has values of equal hash, without these; for
# rapidfuzz none was found.
# Why it matters: confusing the two classes that mean "nothing here" and "something unreadable", or the two most usual
# temperatures below zero, costs nothing in the error rate. Compare with ==, or give lists of strings.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  editdistance==0.8.1 rapidfuzz==3.14.6 Levenshtein==0.27.5
cat > "$folder/show.py" << 'PYTHON'
import sys
from importlib.metadata import version

import editdistance
import Levenshtein
from rapidfuzz.distance import Levenshtein as rapidfuzz

pairs = [([21, -1, 4], [21, -2, 4]), ([21, -2, 4], [21, -3, 4]), ([12, 55], ["12", "7"]), ([12, 7], ["12", "7"])]
print(*(f"{name} {version(name)}" for name in ("editdistance", "rapidfuzz", "Levenshtein")))
found = []
for first, second in pairs:
    ways = editdistance.eval(first, second), rapidfuzz.distance(first, second), Levenshtein.distance(first, second)
    print(f"{first} and {second}: editdistance {ways[0]}, rapidfuzz {ways[1]}, Levenshtein {ways[2]}")
    found.append(ways)
sys.exit(0 if found == [(0, 1, 1), (1, 1, 1), (2, 1, 1), (2, 2, 2)] else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
