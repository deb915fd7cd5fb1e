#!/usr/bin/env bash
# nltk 3.10.4: weighted_kappa with max_distance is far too low: 0.46 instead of 0.99, and -80 for guesses.
#
# Input: two people who read the same 500 hands of dials as 0 to 9, as an AnnotationTask with nltk's interval_distance,
# the square of the difference, and weighted_kappa(max_distance=81), the largest that this distance can be. In one set
# they differ by 1 now and then, in the other one of them guesses. As controls no max_distance, Krippendorff's alpha,
# and scikit-learn's quadratic weights. Guess: the same kappa with and without max_distance, since the disagreement that
# was observed and the one that is expected are both divided by it, and kappa takes their ratio.
# Seen: the first set has 0.993 without max_distance, in scikit-learn and as alpha, and 0.462 with it. The guesses have
# -0.005 without it and -80.4 with it, where -1 is the least possible. In the code, only the disagreement that is
# expected is divided: weighted_kappa_pairwise calls Do_Kw_pairwise without max_distance, so that 1 less kappa is
# multiplied by it. Nothing warns. The docstring is "Cohen 1968". No issue was found.
# Why it matters: labels of two people are the truth by which a reader is judged, and good labels look bad by this
# number. The module says that a distance lies between 0 and 1, so who takes interval_distance gives max_distance too.
# Leave it out.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nltk==3.10.4 scikit-learn==1.9.1 scipy==1.17.1 \
  numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import nltk
import numpy as np
from nltk.metrics.agreement import AnnotationTask
from nltk.metrics.distance import interval_distance
from sklearn.metrics import cohen_kappa_score

random = np.random.default_rng(0)
first = random.integers(0, 10, 500)
near = np.clip(first + random.choice([-1, 0, 1], 500, p=[0.08, 0.84, 0.08]), 0, 9)
guessed = random.integers(0, 10, 500)
print("nltk", nltk.__version__)
as_found = True
for name, second in (("off by 1 now and then", near), ("guessed", guessed)):
    triples = [(coder, str(item), int(label)) for coder, labels in (("a", first), ("b", second))
               for item, label in enumerate(labels)]
    task = AnnotationTask(triples, distance=interval_distance)
    plain, given, alpha = task.weighted_kappa(), task.weighted_kappa(max_distance=81), task.alpha()
    other = cohen_kappa_score(first, second, weights="quadratic", labels=range(10))
    print(f"{name}: {plain:.3f} without max_distance, {given:.3f} with 81, {other:.3f} in scikit-learn,"
          f" alpha {alpha:.3f}")
    print(f"    observed disagreement {task.Do_Kw():.4f}, and {task.Do_Kw(81):.4f} with max_distance")
    as_found &= bool(np.isclose(plain, other)) and abs(plain - alpha) < 0.01
    as_found &= bool(np.isclose(1 - given, 81 * (1 - plain))) and bool(np.isclose(task.Do_Kw(), 81 * task.Do_Kw(81)))
    as_found &= round(given, 3) == {"guessed": -80.371}.get(name, 0.462)
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
