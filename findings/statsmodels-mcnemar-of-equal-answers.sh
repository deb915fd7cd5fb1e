#!/usr/bin/env bash
# statsmodels 0.15.0: McNemar's test of two networks that answer alike gives p = 0, the strongest evidence there is.
#
# Input: 10,000 digits, of which two networks read the same 9,900 right, as a float32 network and a good int8 file of it do;
# mcnemar(table, exact=False), the form that is recommended for many digits. Guess: p = 1, or nan: not one digit differs.
# Seen: p = 0.0 and a statistic of infinity: the continuity correction of 1 is divided by 0. NumPy warns of a division by
# zero, once. Without the correction p is nan, with exact=True (the default) it is 1. One digit of difference gives p = 1.
# Where five digits differ in each direction, p is 0.75 with the correction and 1 without.
# The documentation says nothing of it; no issue was found.
# Why it matters: a table of pairs of networks marks as different just those that are the same, and "p < 0.05" of a gate
# fails the one conversion that changed nothing. Holm's correction leaves 0 at 0. Use exact=True.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  statsmodels==0.15.0 scipy==1.17.1 pandas==3.1.1 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

forms = {"exact": {}, "corrected": {"exact": False}, "not corrected": {"exact": False, "correction": False}}
tables = {"no digit": (0, 0), "one digit": (1, 0), "five and five": (5, 5)}
found = {}
for name, (first, second) in tables.items():
    for form, options in forms.items():
        table = [[9900 - first - second, first], [second, 100]]
        found[name, form] = float(mcnemar(table, **options).pvalue)
    print(f"{name} differs: {', '.join(f'{form} p = {found[name, form]:.3f}' for form in forms)}")
holm = multipletests([found["no digit", "corrected"], 0.3, 0.6], method="holm")
print(f"Holm among three comparisons: p = {holm[1][0]}, significant: {holm[0][0]}")
as_found = found["no digit", "corrected"] == 0 and holm[0][0] and found["no digit", "exact"] == 1
as_found &= bool(np.isnan(found["no digit", "not corrected"])) and found["one digit", "corrected"] == 1
as_found &= round(found["five and five", "corrected"], 2) == 0.75 and found["five and five", "not corrected"] == 1
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" 2> "$folder/stderr" || { tail -n 1 "$folder/stderr"; exit 1; }
