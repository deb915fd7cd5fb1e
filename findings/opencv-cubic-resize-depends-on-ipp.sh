#!/usr/bin/env bash
# opencv-python 5.0.0.93 resizes with INTER_CUBIC to other pixels with Intel's IPP than without it, on one machine.
#
# Input: a picture of 17x17 grey levels. Guess: IPP, which the x86-64 wheels use by default, only makes it faster; so a
# PC and a Raspberry Pi, whose wheel has no IPP, get the same pixels.
# Seen: a tenth of the pixels of INTER_CUBIC differ by one grey level when IPP is switched off by cv2.ipp.setUseIPP(False).
# INTER_LINEAR, INTER_AREA and INTER_LANCZOS4 give the same pixels with and without it.
# Why it matters: preprocessing that resizes with INTER_CUBIC feeds a network other input on x86-64 than on Arm, and
# expected outputs recorded on a PC do not hold bit for bit on a board, though versions and code are the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if [ "$(uname -m)" != x86_64 ]; then echo "needs x86-64, whose wheels have IPP"; exit 1; fi
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import cv2
import numpy as np

picture = np.random.default_rng(0).integers(0, 256, (17, 17), np.uint8)
differ = {}
for name in ("INTER_LINEAR", "INTER_AREA", "INTER_LANCZOS4", "INTER_CUBIC"):
    results = []
    for use in (True, False):
        cv2.ipp.setUseIPP(use)
        results.append(cv2.resize(picture, (11, 11), interpolation=getattr(cv2, name)).astype(int))
    differ[name] = float((results[0] != results[1]).mean())
    print(f"{name}: {differ[name]:.1%} of the pixels differ, by {abs(results[0] - results[1]).max()} at most")
as_found = [name for name, share in differ.items() if share > 0] == ["INTER_CUBIC"]
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
