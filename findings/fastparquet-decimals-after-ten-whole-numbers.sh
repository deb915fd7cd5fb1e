#!/usr/bin/env bash
# fastparquet 2026.9.0: after ten whole readings in a column of objects, 12.5 is stored as 12, and 7 as True.
#
# Input: a table with a place for each minute, pd.DataFrame(index=range(15), columns=["value"]), which is filled
# reading by reading, so its column is of type object; 12 whole numbers, then 12.5, -0.5 and "13", written with
# fastparquet.write. Guess: floats, or an error for the text.
# Seen: 12.5 is 12, -0.5 is 0 and the text "13" is the number 13, without a warning. The type of the column is that of
# its first ten values: with 12.5 among these it is an error instead. Ten values of True and False make True of a 7
# after them. With object_encoding="float" 12.5 is stored. No issue was found.
# Why it matters: the display of a meter is whole for hours, until it shows a decimal, and the file has its readings
# cut; with a decimal in the first rows of a test nothing is amiss. Give the column a type:
# data["value"].astype(float).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  fastparquet==2026.9.0 pandas==3.1.1 pyarrow==25.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys
from pathlib import Path

import fastparquet
import pandas as pd

path = str(Path(sys.argv[1], "readings.parquet"))


def stored(values, **options):
    """The values that come back from the file, by fastparquet and by pyarrow alike."""
    data = pd.DataFrame(index=range(len(values)), columns=["value"])
    for minute, value in enumerate(values):
        data.loc[minute, "value"] = value
    assert data["value"].dtype == object and data["value"].tolist() == values
    try:
        fastparquet.write(path, data, **options)
    except ValueError as error:
        return type(error).__name__
    found = [fastparquet.ParquetFile(path).to_pandas(), pd.read_parquet(path, engine="pyarrow")]
    assert found[0]["value"].tolist() == found[1]["value"].tolist()
    return found[0]["value"].tolist()


print("fastparquet", fastparquet.__version__)
whole = [4831] * 12
found = {}
for name, values, options in (
    ("after 12 whole numbers", [*whole, 12.5, -0.5, "13"], {}),
    ("after 9 whole numbers", [*whole[:9], 12.5], {}),
    ("after 12 of True", [True] * 12 + [7], {}),
    ("told float", [*whole, 12.5], {"object_encoding": "float"}),
):
    found[name] = stored(values, **options)
    print(f"{name}: given {values[9:]}, stored {found[name][9:] if isinstance(found[name], list) else found[name]}")
same = (
    found["after 12 whole numbers"] == [*whole, 12, 0, 13]
    and found["after 9 whole numbers"] == "ValueError"
    and found["after 12 of True"][-1] is True
    and found["told float"][-1] == 12.5
)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
