#!/usr/bin/env bash
# scikit-learn 1.9.1: the largest error of digits in uint8 is 255, and so is the weight of an edge from 5 to 6.
#
# Input: valid labels and answers from 0 to 9, and a valid grey picture, as uint8, the type in which MNIST is delivered.
# Guess: max_error gives 5.0, as it does for int64, since all other regression metrics give the same for both types.
# Seen: 255.0. It is the only one that subtracts before it converts: 0 - 1 is 255. mean_absolute_error,
# mean_squared_error, median_absolute_error and r2_score are right. feature_extraction.image.img_to_graph subtracts
# neighbouring pixels in the same way: levels that rise from 5 to 6 have the weight 255, and those that fall have 1.
# Why it matters: how far a network's reading or a digit is off at worst is judged by max_error, and digits are kept as
# uint8. Pictures are cut into segments by the weights of that graph, and there a faint rise is the strongest edge.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6
cat > "$folder/try.py" << 'PYTHON'
import numpy as np
from sklearn import metrics
from sklearn.feature_extraction.image import img_to_graph

labels, answers = [3, 8, 1, 9, 4, 7, 0, 2], [5, 8, 1, 9, 9, 7, 1, 2]
for name in "max_error", "mean_absolute_error", "mean_squared_error", "median_absolute_error", "r2_score":
    judge = getattr(metrics, name)
    seen = [float(judge(np.array(labels, kind), np.array(answers, kind))) for kind in (np.uint8, np.int64)]
    print(f"{name}: {seen[0]:.4g} of uint8, {seen[1]:.4g} of int64")
for row in [5, 6], [6, 5]:
    weights = [int(img_to_graph(np.array([row], kind)).toarray()[0, 1]) for kind in (np.uint8, np.int64)]
    print(f"edge of {row}: {weights[0]} of uint8, {weights[1]} of int64")
PYTHON
"$folder/venv/bin/python" -W error "$folder/try.py" | tee "$folder/out.txt"
cat > "$folder/seen.txt" << 'TEXT'
max_error: 255 of uint8, 5 of int64
mean_absolute_error: 1 of uint8, 1 of int64
mean_squared_error: 3.75 of uint8, 3.75 of int64
median_absolute_error: 0 of uint8, 0 of int64
r2_score: 0.6226 of uint8, 0.6226 of int64
edge of [5, 6]: 255 of uint8, 1 of int64
edge of [6, 5]: 1 of uint8, 1 of int64
TEXT
diff "$folder/seen.txt" "$folder/out.txt" || { echo "the behaviour has changed"; exit 1; }
