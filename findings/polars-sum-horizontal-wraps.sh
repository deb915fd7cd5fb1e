#!/usr/bin/env bash
# polars 2.1.0: the sum and the mean along a row of UInt8 pixels wrap at 256, while the sum and mean of a column do not.
#
# Input: two pictures as rows of 28 UInt8 columns, all 200, as digits stand in a CSV file of one picture a line after a
# cast that saves memory. Guess: 5600 from sum_horizontal as from sum, whose documentation promises Int64 for small
# types, and 200 from mean_horizontal, which is Float64.
# Seen: sum_horizontal gives 224 in a UInt8 column, and mean_horizontal 8.0: the wrapped sum by 28. cum_sum_horizontal
# wraps too. None warns. sum and mean of a column, and list.sum, are right. `dot` names its result Int64 and wraps as
# well: 28 pixels of 200 times themselves are 1792 instead of 1120000. Issue 21515 of pola-rs/polars has sum_horizontal
# for Int8, open since February 2025; it does not mention the mean, and the documentation of either is silent.
# Why it matters: the mean grey of each picture, by which blank cells are left out and sets are checked, is a plausible
# number that is wrong: a bright picture is as dark as 8. Cast to Int64 first, or take concat_list(...).list.sum().
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
right = all(found[name][0] == 5600 for name in [*list(ways)[3:], "sum of a column"])
right &= column.mean() == 200
wrapped = {"sum_horizontal": 224, "cum_sum_horizontal, last": 224, "mean_horizontal": 8, "dot of a column with itself": 1792}
as_found = all(found[name][0] == value for name, value in wrapped.items())
sys.exit(0 if right and as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
