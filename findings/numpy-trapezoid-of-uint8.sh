#!/usr/bin/env bash
# numpy 2.4.6 and scipy 1.17.1: the area under a profile of uint8 by the trapezoidal rule is too small.
#
# Input: a valid row of pixels, five times 200, as uint8 and as float64.
# Guess: numpy.trapezoid gives 800.0 for both: its result is a float, and mean, sum, gradient and interp of uint8 are
# right.
# Seen: 288.0 for uint8. Two neighbours are added in uint8, which wraps at 256, before they are halved: 200 + 200 is
# 144. scipy.integrate.trapezoid and cumulative_trapezoid do the same, and simpson is right. The dark row of five times
# 100 is right everywhere.
# Why it matters: ink along a line, or light along a display, is measured as the area under a profile of grey levels.
# Dark pictures give the right area, and bright ones a part of it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1
cat > "$folder/try.py" << 'PYTHON'
import numpy as np
from scipy import integrate

for level in 200, 100:
    row = np.full(5, level, np.uint8)
    for function in (np.trapezoid, integrate.trapezoid, integrate.simpson):
        module = function.__module__.split(".")[0]
        areas = [function(one) for one in (row, row.astype(float))]
        print(f"{level} {module} {function.__name__}: {areas[0]:.1f}, of float64 {areas[1]:.1f}")
    last = [integrate.cumulative_trapezoid(one)[-1] for one in (row, row.astype(float))]
    print(f"{level} scipy cumulative_trapezoid: {last[0]:.1f}, of float64 {last[1]:.1f}")
PYTHON
"$folder/venv/bin/python" -W error "$folder/try.py" | tee "$folder/out.txt"
cat > "$folder/seen.txt" << 'TEXT'
200 numpy trapezoid: 288.0, of float64 800.0
200 scipy trapezoid: 288.0, of float64 800.0
200 scipy simpson: 800.0, of float64 800.0
200 scipy cumulative_trapezoid: 288.0, of float64 800.0
100 numpy trapezoid: 400.0, of float64 400.0
100 scipy trapezoid: 400.0, of float64 400.0
100 scipy simpson: 400.0, of float64 400.0
100 scipy cumulative_trapezoid: 400.0, of float64 400.0
TEXT
diff "$folder/seen.txt" "$folder/out.txt" || { echo "the behaviour has changed"; exit 1; }
