#!/usr/bin/env bash
# krippendorff 0.9.0: the agreement of two people who labelled digits is another one if the labels are of type uint8.
#
# Input: the labels that two people gave to 100 digits, equal but for five, where the second took a 1 for a 7, a 0 for a
# 9, or an 8 for a 9. Guess: one alpha, whatever the type of the array; the parameter dtype, float64 by default, is
# documented as that of the computation.
# Seen: with alpha's default, the interval level, int64 and float64 give 0.889, 0.754 and 0.997, and uint8 gives 0.946,
# 0.947 and 0.943: the difference of two labels is taken modulo 256 before it becomes a float, so that 0 minus 9 is 247.
# The ratio level differs too; nominal and ordinal are right. No error or warning. No issue was found.
# Why it matters: the labels of MNIST and EMNIST are uint8, and a doubtful agreement looks good, or a good one doubtful.
# Digits are names here, not quantities: give level_of_measurement="nominal", which is right for each type.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check krippendorff==0.9.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys
from importlib.metadata import version

import krippendorff
import numpy as np

print("krippendorff", version("krippendorff"))
first = np.arange(100) % 10
as_found = True
for one, other, right, wrong in ((1, 7, 0.889, 0.946), (0, 9, 0.754, 0.947), (8, 9, 0.997, 0.943)):
    second = first.copy()
    second[np.flatnonzero(first == one)[:5]] = other
    for level in ("interval", "ratio", "nominal", "ordinal"):
        alphas = [
            float(krippendorff.alpha(np.stack([first, second]).astype(kind), level_of_measurement=level))
            for kind in (np.int64, np.float64, np.uint8)
        ]
        print(f"{one} taken for {other}, {level}: int64 {alphas[0]:.3f}, float64 {alphas[1]:.3f}, uint8 {alphas[2]:.3f}")
        as_found &= alphas[0] == alphas[1] and (alphas[1] == alphas[2]) == (level in ("nominal", "ordinal"))
        if level == "interval":
            as_found &= abs(alphas[0] - right) < 0.001 and abs(alphas[2] - wrong) < 0.001
    as_found &= krippendorff.alpha(np.stack([first, second])) == krippendorff.alpha(
        np.stack([first, second]), level_of_measurement="interval"
    )
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
