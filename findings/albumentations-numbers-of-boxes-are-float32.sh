#!/usr/bin/env bash
# albumentations 2.0.8: whole numbers that accompany boxes or points come back as other numbers above 16777216.
#
# Input: a picture with two boxes, and for each box a number in a field that BboxParams(label_fields=...) names: the
# reading of an eight-digit meter, 16777217, the time of the picture in seconds, 1785394017, or an id of an annotation
# like those of COCO's crowds, 900100189810. The transformation is a HorizontalFlip. Guess: the boxes are flipped, and
# the fields come back as they were, since nothing in them depends on the place.
# Seen: 16777216, 1785394048 and 900100194304. Two neighbouring ids become one. Lists become lists of floats, and an
# array of int64 comes back as int64 with the other numbers. 4831.55 is 4831.5498046875. Numbers are put beside the
# coordinates in one array of float32. Numbers as text come back right, unless the same Compose saw numbers in its first
# picture: then "0042" is 42.0. Fields of keypoints, and numbers in a fifth column of a box, change too. No error or
# warning. The documentation says only that the fields are joined with boxes. Pull request 2325 of
# albumentations-team/albumentations gave arrays their type of whole numbers back, not their values.
# Why it matters: a reading as ground truth is off by one or two, an id finds no annotation or that of another picture.
# Give the position of the box in its list as the field, 0, 1, 2 and so on, and look up everything else with it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check albumentations==2.0.8 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import os
import sys

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import albumentations
import numpy as np

print("albumentations", albumentations.__version__)
picture = np.zeros((64, 64), np.uint8)
boxes = [[1, 1, 9, 9], [20, 20, 30, 30]]


def flipped() -> albumentations.Compose:
    """A flip that takes boxes with one field."""
    parameters = albumentations.BboxParams("pascal_voc", label_fields=["field"])
    return albumentations.Compose([albumentations.HorizontalFlip(p=1)], bbox_params=parameters)


as_found = True
for values, seen in (
    ([16777217, 7], [16777216, 7]),
    ([1785394017, 1785394018], [1785394048, 1785394048]),
    ([900100189810, 900100189811], [900100194304, 900100194304]),
    ([4831.55, 12.5], [4831.5498046875, 12.5]),
    (["16777217", "0042"], ["16777217", "0042"]),
    ([0, 1], [0, 1]),
):
    given = flipped()(image=picture, bboxes=boxes, field=values)
    print(f"{values} is {given['field']}")
    as_found &= given["field"] == seen and np.allclose(given["bboxes"], [[55, 1, 63, 9], [34, 20, 44, 30]])
whole = flipped()(image=picture, bboxes=np.array(boxes, np.float32), field=np.array([16777217, 7]))["field"]
print(f"an array of int64, 16777217 and 7, is {whole}, {whole.dtype}")
as_found &= whole.tolist() == [16777216, 7] and whole.dtype == np.int64
used = flipped()
used(image=picture, bboxes=boxes, field=[4, 2])
texts = used(image=picture, bboxes=boxes, field=["0042", "7"])["field"]
print(f"['0042', '7'] after a picture with numbers is {texts}")
as_found &= texts == [42, 7]
points = albumentations.Compose(
    [albumentations.HorizontalFlip(p=1)],
    keypoint_params=albumentations.KeypointParams("xy", label_fields=["field"]),
)(image=picture, keypoints=[[1, 1], [2, 2]], field=[16777217, 7])["field"]
column = albumentations.Compose(
    [albumentations.HorizontalFlip(p=1)], bbox_params=albumentations.BboxParams("pascal_voc")
)(image=picture, bboxes=[[*boxes[0], 16777217]])["bboxes"][0][4]
print(f"of keypoints: 16777217 is {points[0]}; in a fifth column: {column}")
as_found &= points[0] == column == 16777216
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
