#!/usr/bin/env bash
# polars 2.1.0: the sum along a row of UInt8 pixels wraps at 256, while the sum of a column and the mean of a row do not.
#
# Input: two pictures as rows of 28 UInt8 columns, all 200, as digits stand in a CSV file of one picture a line after a
# cast that saves memory. Guess: 5600 from sum_horizontal as from sum, whose documentation promises Int64 for small types.
# Seen: sum_horizontal gives 224 in a UInt8 column, without a warning; mean_horizontal gives 200.0, so mean times 28 is not the
# sum. sum, cum_sum_horizontal and list.sum give Int64. `dot` names its result Int64 and wraps as well: 28 pixels of 200
# times themselves are 1792 instead of 1120000.
# Issue 21515 of pola-rs/polars has it for Int8, open since February 2025; the documentation of sum_horizontal is silent.
# Why it matters: the amount of ink of each digit, by which blank cells are left out and pictures are checked, is a number below
# 256 that looks like a mean. Cast to Int64, or take concat_list(...).list.sum().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
import polars as pl

print("polars", pl.__version__)
rows = pl.DataFrame(np.full((2, 28), 200, np.uint8), schema=[f"pixel{place}" for place in range(28)])
ways = {
    "sum_horizontal": pl.sum_horizontal(pl.all()),
    "mean_horizontal": pl.mean_horizontal(pl.all()),
    "cum_sum_horizontal, last": pl.cum_sum_horizontal(pl.all()).struct[-1],
    "concat_list, list.sum": pl.concat_list(pl.all()).list.sum(),
    "cast to Int64, sum_horizontal": pl.sum_horizontal(pl.all().cast(pl.Int64)),
}
found = {name: rows.select(way.alias("row")).to_series() for name, way in ways.items()}
column = rows[:1].transpose().to_series()
found["sum of a column"] = pl.Series([column.sum()])
found["dot of a column with itself"] = pl.Series([column.dot(column)])
for name, series in found.items():
    print(f"{name}: {series[0]} ({series.dtype})")
right = all(found[name][0] == 5600 for name in list(ways)[2:] + ["sum of a column"])
as_found = found["sum_horizontal"].dtype == pl.UInt8 and found["sum_horizontal"][0] == 224
as_found &= found["mean_horizontal"][0] == 200 and found["dot of a column with itself"][0] == 1792
sys.exit(0 if right and as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
