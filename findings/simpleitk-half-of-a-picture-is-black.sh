#!/usr/bin/env bash
# SimpleITK 2.5.7: a picture of bytes times 0.5 is black, and one times 1.5 is unchanged.
#
# Input: the pixels 0, 10, 100, 200 and 255 as uint8, with the operators * + / and a number. Guess: a result of
# floats, as with NumPy, or one that is rounded to bytes, as with OpenCV: 0, 5, 50, 100 and 128 for a half.
# Seen: picture * 0.5 is 0 everywhere, and picture * 1.5 and picture + 0.5 are the picture: the number is cut to a
# whole one first. picture * 3.9 is three times the picture, and it wraps at 256. picture / 2 is a picture of floats
# with 127.5, but picture / 2.5 is divided by 2 too. No warning. ShiftScale(picture, 0, 1.5) gives 0, 15, 150, 255 and
# 255, and all are right with float32. Pull request 2728 of SimpleITK/SimpleITK, of September 2026, says so and
# changes some of these.
# Why it matters: a display is darkened to test a reader, and is black, or has more contrast, and is as it was, so the
# reader seems to fail, or not to depend on the light. Cast to sitkFloat32 before, or use ShiftScale.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check simpleitk==2.5.7 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
import SimpleITK as sitk

pixels = np.array([[0, 10, 100, 200, 255]])
BYTES, FLOATS = "8-bit unsigned integer", "64-bit float"
print("SimpleITK", sitk.Version.VersionString())
as_found = True
for name, work, kind, wanted in (
    ("picture * 0.5", lambda x: x * 0.5, BYTES, [0, 0, 0, 0, 0]),
    ("picture * 1.5", lambda x: x * 1.5, BYTES, [0, 10, 100, 200, 255]),
    ("picture + 0.5", lambda x: x + 0.5, BYTES, [0, 10, 100, 200, 255]),
    ("picture * 3.9", lambda x: x * 3.9, BYTES, [0, 30, 44, 88, 253]),
    ("picture / 2", lambda x: x / 2, FLOATS, [0, 5, 50, 100, 127.5]),
    ("picture / 2.5", lambda x: x / 2.5, FLOATS, [0, 5, 50, 100, 127.5]),
    ("ShiftScale 1.5", lambda x: sitk.ShiftScale(x, 0, 1.5), BYTES, [0, 15, 150, 255, 255]),
):
    picture = sitk.GetImageFromArray(pixels.astype(np.uint8))
    result = work(picture)
    found = sitk.GetArrayFromImage(result)[0].tolist()
    of_floats = sitk.GetArrayFromImage(work(sitk.Cast(picture, sitk.sitkFloat32)))[0].round(3).tolist()
    print(f"{name}: {found}, {result.GetPixelIDTypeAsString()}; of float32: {of_floats}")
    as_found &= found == wanted and result.GetPixelIDTypeAsString() == kind
    as_found &= name == "ShiftScale 1.5" or np.allclose(of_floats, eval(name, {"picture": pixels[0]}))
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
