#!/usr/bin/env bash
# polars 2.1.0: in a list of dicts a reading of 12.5 becomes 12 if the first 100 are whole, and new keys are lost.
#
# Input: readings as a list of dicts, as a reader gives them, to pl.DataFrame and pl.from_dicts: 100 whole ones, then
# 12.5, -0.5 and the text "0042", and a row with a key that is new. Guess: all are kept, as pandas keeps them, or an
# error, since `strict` is True by default, of which the documentation says that it throws an error if a value does not
# exactly match the inferred type.
# Seen: the column is Int64 and holds 12, 0 and 42; a box of [1.5, 2] is [1, 2]; after 100 truths, 12.5 is False. The
# new key is missing from the table. Rows as tuples are cut as well. Nothing warns. The text "4?31" raises, and so do
# the same numbers given as one column. If the 12.5 is among the first 100 rows, all is right. The documentation says
# that infer_schema_length, 100 by default, is how many rows are scanned, not what happens to the others. Issues 23152
# and 23190 of pola-rs/polars, open since June 2025, have strict=True that does not raise, and the missing keys.
# Why it matters: a log of a meter that shows whole numbers for a while loses its decimals, its small negatives and the
# marks of doubt that only some readings have. Give infer_schema_length=None, or a schema with Float64 or String.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0
cat > "$folder/show.py" << 'PYTHON'
import sys

import polars as pl

print("polars", pl.__version__)
whole = [{"reading": 12, "text": "12"}] * 100
later = [{"reading": value, "text": "?", "decimals": 1} for value in (12.5, -0.5, "0042")]


def tail(rows, **options):
    """What the rows after the first hundred become, or the name of the error."""
    try:
        return pl.DataFrame(rows, **options)[100:].to_dicts()
    except Exception as error:  # the kind of the error is what is looked at
        return type(error).__name__


cut = [{"reading": value, "text": "?"} for value in (12, 0, 42)]
found = {
    "DataFrame": tail(whole + later),
    "strict=True": tail(whole + later, strict=True),
    "from_dicts": pl.from_dicts(whole + later)[100:].to_dicts(),
    "tuples": tail([(12,)] * 100 + [(12.5,)], schema=["reading"], orient="row"),
    "boxes": tail([{"box": [1, 2]}] * 100 + [{"box": [1.5, 2]}]),
    "truths": tail([{"sure": True}] * 100 + [{"sure": 12.5}]),
    "a text that is no number": tail(whole + [{"reading": "4?31"}]),
    "one column": tail({"reading": [12] * 100 + [12.5]}),
    "12.5 as row 100": tail([{"reading": 12}] * 99 + [{"reading": 12.5}] * 2),
    "infer_schema_length=None": tail(whole + later[:2], infer_schema_length=None),
}
for name, rows in found.items():
    print(f"{name}: {rows}")
as_found = found["DataFrame"] == found["strict=True"] == found["from_dicts"] == cut
as_found &= found["tuples"] == [{"reading": 12}] and found["boxes"] == [{"box": [1, 2]}]
as_found &= found["truths"] == [{"sure": False}]
as_found &= found["a text that is no number"] == "ComputeError" and found["one column"] == "TypeError"
as_found &= found["12.5 as row 100"] == [{"reading": 12.5}]
as_found &= found["infer_schema_length=None"] == later[:2]
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
