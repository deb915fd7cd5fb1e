#!/usr/bin/env bash
# statsmodels 0.15.0: rmse, mse, meanabs, bias and all other eval_measures are wrong for readings of uint8.
#
# Input: 200 readings of a dial with 256 steps, and what a reader made of them, up to 30 steps off, both as uint8. As
# controls the same as int16 and float64 in statsmodels, and as uint8 in scikit-learn.
# Guess: the root mean square error does not depend on the type, or there is an error. The docstrings name array
# subclasses as a danger, and no types.
# Seen: rmse is 9.3 instead of 16.8, and mse 86.8 instead of 282.6, so a reader looks better than it is. maxabs is 255
# instead of 30, meanabs 112 instead of 14.3, and bias 112 instead of 0.8. medianabs, medianbias, vare, stde and iqr are
# wrong too. The code subtracts and squares in uint8, where -1 is 255, and 16 times 16 is 0. int16 is right, except in
# rmspe: it cuts shares to whole numbers, and gives 3.0 instead of 4.2. Only there NumPy warns, of a cast.
# scikit-learn's mean_squared_error and mean_absolute_error are right for uint8. No issue was found.
# Why it matters: pixels and labels come as uint8, and a root mean square error that is half of the true one is not
# suspected. Convert both to float first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check statsmodels==0.15.0 scikit-learn==1.9.1 \
  numpy==2.4.6 scipy==1.17.1 pandas==2.3.3
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
import statsmodels
from sklearn.metrics import mean_absolute_error, mean_squared_error
from statsmodels.tools import eval_measures

print("statsmodels", statsmodels.__version__)
random = np.random.default_rng(0)
truth = random.integers(0, 256, 200)
found = np.clip(truth + random.integers(-30, 31, 200), 0, 255)
others = {"mse": mean_squared_error, "meanabs": mean_absolute_error}
wrong, values = set(), {}
names = ["rmse", "mse", "maxabs", "meanabs", "bias", "rmspe", "medianabs", "medianbias", "vare", "stde", "iqr"]
for name in names:
    values[name] = byte, short, true = [float(getattr(eval_measures, name)(found.astype(kind), truth.astype(kind)))
                                        for kind in (np.uint8, np.int16, np.float64)]
    print(f"{name}: {byte:.1f} of uint8, {short:.1f} of int16, {true:.1f} of float64")
    if not np.isclose(byte, true, rtol=0.05):
        wrong.add(name)
    if name in others:
        other = float(others[name](truth.astype(np.uint8), found.astype(np.uint8)))
        print(f"    scikit-learn gives {other:.1f} of uint8")
        if not np.isclose(other, true):
            sys.exit("scikit-learn is wrong: the behaviour has changed")
    if name != "rmspe" and not np.isclose(short, true):
        sys.exit("int16 is wrong: the behaviour has changed")
expected = [round(value, 1) for value in values["rmse"]] == [9.3, 16.8, 16.8] and values["maxabs"] == [255, 30, 30]
sys.exit(0 if wrong == set(names) and expected else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" -W default "$folder/show.py"
