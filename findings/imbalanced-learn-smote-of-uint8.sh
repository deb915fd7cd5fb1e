#!/usr/bin/env bash
# imbalanced-learn 0.14.2: pictures that SMOTE makes out of uint8 pictures are black and white noise in their strokes.
#
# Input: the 1,797 digits that scikit-learn ships as pixels of 0 to 255, with only 40 of the digit 7; SMOTE adds the
# missing ones. Guess: pictures between a seven and one of its nearest sevens, of the type that was given; the
# documentation has the formula x + a * (neighbour - x), with a between 0 and 1. fit_resample takes any array, and its
# result has the input's type.
# Seen: with float32 or int16 each new picture is such a mixture. With uint8 the difference is taken modulo 256: halfway
# from a pixel of 200 to one of 190 is 200 + 246 / 2, which is 67 as a byte. A fifth of all pixels is wrong by more than
# 2 of 255, some by 255, although the mean grey is nearly the same. No error or warning. BorderlineSMOTE and SVMSMOTE do
# it too. The documentation has no word about types, and no issue was found.
# Why it matters: MNIST and every picture file are uint8. The set looks balanced, and the rare digit is learned from
# noise. Convert to float32 first, and back afterwards.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check imbalanced-learn==0.14.2 scikit-learn==1.9.1 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from imblearn.over_sampling import SMOTE, SVMSMOTE, BorderlineSMOTE
from sklearn.datasets import load_digits

print("imbalanced-learn", version("imbalanced-learn"))
pictures, labels = load_digits(return_X_y=True)
pictures = np.round(pictures / 16 * 255).astype(np.uint8)
kept = np.concatenate([np.flatnonzero(labels != 7), np.flatnonzero(labels == 7)[:40]])
pictures, labels = pictures[kept], labels[kept]


def added(sampler: type, kind: type) -> np.ndarray:
    """Return the new sevens that are made out of pictures of this type."""
    all_pictures, all_labels = sampler(random_state=0).fit_resample(pictures.astype(kind), labels)
    assert all_pictures.dtype == kind
    return all_pictures[len(pictures) :][all_labels[len(pictures) :] == 7]


as_found = True
for sampler in (SMOTE, BorderlineSMOTE, SVMSMOTE):
    right = added(sampler, np.float32)
    for kind in (np.int16, np.uint8):
        found = added(sampler, kind)
        wrong = np.abs(found - right) if found.shape == right.shape else np.full(1, np.nan)
        share = float((wrong > 2).mean())
        print(
            f"{sampler.__name__} of {kind.__name__}: {len(found)} sevens of mean {found.mean():.1f} "
            f"({right.mean():.1f} from float32), {share:.3f} of their pixels wrong, by {wrong.max():.0f} at most"
        )
        as_found &= wrong.max() < 2 if kind is np.int16 else wrong.max() > 200 and share > 0.1
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
