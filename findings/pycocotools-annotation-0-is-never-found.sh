#!/usr/bin/env bash
# pycocotools 2.0.11: an annotation whose id is 0 counts as missed however well it is found.
#
# Input: one picture with the digits 0 to 3, each box once as annotation and once, equal to the last bit, as detection;
# the ids of the annotations begin with 0, as enumerate() numbers them, or with 1. Guess: an average precision of 1 for
# both.
# Seen: 0.75 with ids from 0, for each threshold of overlap, and 1 with ids from 1: the class of the first annotation
# has a precision and a recall of 0. A match is noted by the annotation's id, and 0 stands for no match. Ids of pictures
# and of categories may be 0. No error or warning; faster-coco-eval 1.8.0 keeps the number and warns. The documentation
# of the format does not forbid 0. Issue 664 of cocodataset/cocoapi has it, open since January 2024.
# Why it matters: in a large set it is one box; in a test of one display, or where each digit stands once, a perfect
# detector loses a tenth or more, and a search for the reason finds correct boxes. Number annotations from 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pycocotools==2.0.11 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import contextlib
import io
import sys
from importlib.metadata import version

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def precision(first: int) -> float:
    """Return the average precision of perfect detections where the annotations' ids begin with `first`."""
    boxes = [[10 + 30 * digit, 20, 20, 28] for digit in range(4)]
    annotations = [
        {"id": first + digit, "image_id": 0, "category_id": digit, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
        for digit, box in enumerate(boxes)
    ]
    detections = [{"image_id": 0, "category_id": digit, "bbox": box, "score": 0.9} for digit, box in enumerate(boxes)]
    with contextlib.redirect_stdout(io.StringIO()):  # its tables
        truth = COCO()
        truth.dataset = {
            "images": [{"id": 0, "width": 200, "height": 80}],
            "categories": [{"id": digit, "name": str(digit)} for digit in range(4)],
            "annotations": annotations,
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(detections), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[0]


found = {first: float(precision(first)) for first in (0, 1, 7)}
for first, value in found.items():
    print(f"ids from {first}: average precision {value:.3f}")
print("pycocotools", version("pycocotools"))
as_found = abs(found[0] - 0.75) < 1e-6 and min(found[1], found[7]) > 0.999
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
