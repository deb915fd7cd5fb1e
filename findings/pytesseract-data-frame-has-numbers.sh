#!/usr/bin/env bash
# pytesseract 0.3.13: in a data frame of image_to_data, the reading 0042 is 42.0 and 12.50 is 12.5, if all are numbers.
#
# Input: a white page with the readings 0042, 0017, 12.50 and 007, given to image_to_data with
# output_type="data.frame", and the same page with the word "Meter" above. Guess: the column "text" has the texts that
# were read, as with output_type="dict".
# Seen: on the page of readings alone the column is float64: 42.0, 17.0, 12.5 and 7.0. With the word "Meter" on the
# page it has '0042', '0017', '12.50' and '007'. The table of tesseract is read by pandas, which guesses the type of
# the column. The texts of "dict" are right both times. With pandas_config={"dtype": {"text": str}} the data frame is
# right too. Issue 251 of madmaze/pytesseract has "2" as 2.0; it was closed with a hint at pandas_config.
# Why it matters: a crop of a display has nothing but digits, and a test page with words does not show it. Zeros in
# front of serial numbers and meter readings are gone, and how many decimals the display has is lost.
#
# Needs tesseract 5 with its data for English: on Debian the package tesseract-ocr.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pytesseract==0.3.13 pandas==3.1.1 pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import importlib.metadata
import sys

import pytesseract
from PIL import Image, ImageDraw, ImageFont

READINGS = ["0042", "0017", "12.50", "007"]
font = ImageFont.load_default(size=60)


def page(title):
    """A page with the readings in two lines, below the title if there is one."""
    picture = Image.new("L", (640, 420), 255)
    draw = ImageDraw.Draw(picture)
    for y, line in ((20, title), (140, "0042 0017"), (260, "12.50 007")):
        draw.text((30, y), line, 0, font)
    return picture


def texts(picture, kind, **options):
    """What is read, without the empty texts of blocks and lines, and without the title."""
    found = pytesseract.image_to_data(picture, config="--psm 6", output_type=kind, **options)["text"]
    found = found.dropna().tolist() if kind == "data.frame" else found
    return [text for text in found if text not in ("", "Meter")]


print("pytesseract", importlib.metadata.version("pytesseract"))
as_text = {"pandas_config": {"dtype": {"text": str}}}
found = {
    "dict": texts(page(""), "dict"),
    "data frame": texts(page(""), "data.frame"),
    "dict, with a word": texts(page("Meter"), "dict"),
    "data frame, with a word": texts(page("Meter"), "data.frame"),
    "data frame of texts": texts(page(""), "data.frame", **as_text),
}
for name, values in found.items():
    print(f"{name}: {values}")
numbers = found.pop("data frame")
same = numbers == [42.0, 17.0, 12.5, 7.0] and all(values == READINGS for values in found.values())
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
