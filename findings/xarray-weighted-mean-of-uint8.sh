#!/usr/bin/env bash
# xarray 2026.9.0: a mean weighted by uint8 is thirty times too large, and that of uint8 pixels is 0.1.
#
# Input: valid pixels from 180 to 220 as uint8 and float64, and weights from 0 to 100 (how sure one is of each), as
# uint8 and float64.
# Guess: DataArray.weighted(weights).mean() is between 180 and 220, as the mean and numpy.average with these weights
# are.
# Seen: it is 200.4 with weights of float64. With weights of uint8 it is 6056.5: their sum is added up in uint8, which
# wraps at 256, and the mean is divided by it. Of pixels of uint8 the sum of the products wraps too, and the mean is
# 0.1. sum_of_weights is 184 instead of 5560. sum() of a DataArray does not wrap.
# Why it matters: masks and pictures of cameras are uint8, and so are shares in percent. The centre of a digit by its
# ink, or the level of a display by what is sure, is a float far away, without a warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xarray==2026.9.0 numpy==2.4.6
cat > "$folder/try.py" << 'PYTHON'
import numpy as np
import xarray as xr

rng = np.random.default_rng(0)
levels = xr.DataArray(rng.integers(180, 221, 100).astype(np.uint8), dims="pixel")
sure = xr.DataArray(rng.integers(0, 101, 100).astype(np.uint8), dims="pixel")
print(f"numpy.average: {np.average(levels, weights=sure):.1f}")
for kind in "uint8", "float64":
    for weights in "uint8", "float64":
        way = levels.astype(kind).weighted(sure.astype(weights))
        total = float(way.sum_of_weights())
        print(f"{kind} weighted by {weights}: mean {float(way.mean()):.1f}, sum of weights {total:.0f}")
PYTHON
"$folder/venv/bin/python" -W error "$folder/try.py" | tee "$folder/out.txt"
cat > "$folder/seen.txt" << 'TEXT'
numpy.average: 200.4
uint8 weighted by uint8: mean 0.1, sum of weights 184
uint8 weighted by float64: mean 200.4, sum of weights 5560
float64 weighted by uint8: mean 6056.5, sum of weights 184
float64 weighted by float64: mean 200.4, sum of weights 5560
TEXT
diff "$folder/seen.txt" "$folder/out.txt" || { echo "the behaviour has changed"; exit 1; }
