#!/usr/bin/env bash
# scikit-image 0.26.0: a Gabor filter of a uint8 picture has no negative answers, and an overlap can be above 1.
#
# Input: a valid grey picture of stripes, as uint8 and the same numbers as float64.
# Guess: filters.gabor gives signed answers for both, as its picture "real part" needs them, or converts to a float of 0
# to 1 first, as sobel, laplace and gaussian do.
# Seen: of uint8 both parts are uint8, and what is below 0 wraps: -1 is 255. The mean of the real part is 128.4 instead
# of 0.2, and places with a weak answer below 0 are the brightest. measure.manders_overlap_coeff of two pictures, which
# is 1 at most, is 1.323 for uint8 and 0.995 for float64; pearson_corr_coeff and manders_coloc_coeff do not differ.
# Why it matters: strokes of one direction are found by that filter, as the segments of a display. Its answer has the
# right shape and the levels of a picture, and no warning comes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-image==0.26.0 numpy==2.4.6
cat > "$folder/try.py" << 'PYTHON'
import numpy as np
from skimage import filters, measure

stripes = np.tile(np.repeat(np.array([60, 180], np.uint8), 3), (48, 10))
darker = stripes // 2 + 20
for kind in np.uint8, np.float64:
    picture = stripes.astype(kind)
    real, _ = filters.gabor(picture, 1 / 6)
    print(f"gabor of {picture.dtype}: {real.dtype}, {real.min():.0f} to {real.max():.0f}, mean {real.mean():.1f}")
    print(f"sobel of {picture.dtype}: {filters.sobel_v(picture).dtype}, {filters.sobel_v(picture).min():.2f}")
    print(f"overlap of {picture.dtype}: {measure.manders_overlap_coeff(picture, darker.astype(kind)):.3f}")
PYTHON
"$folder/venv/bin/python" -W error "$folder/try.py" | tee "$folder/out.txt"
cat > "$folder/seen.txt" << 'TEXT'
gabor of uint8: uint8, 5 to 251, mean 128.4
sobel of uint8: float64, -0.47
overlap of uint8: 1.323
gabor of float64: float64, -40 to 40, mean 0.2
sobel of float64: float64, -120.00
overlap of float64: 0.995
TEXT
diff "$folder/seen.txt" "$folder/out.txt" || { echo "the behaviour has changed"; exit 1; }
