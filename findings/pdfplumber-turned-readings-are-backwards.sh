#!/usr/bin/env bash
# pdfplumber 0.11.10 reads text that is turned by 90 degrees, or upside down, backwards: 4831.5 kWh is hWk 5.1384.
#
# Input: PDF pages with one line of text, 4831.5 kWh, at 0, 90, 180 and 270 degrees, and an upright page that is turned
# as a whole by its entry Rotate. A label at the side of a table or a chart is turned by 90 degrees.
# Guess: 4831.5 in each, as pypdf and pypdfium2 read it: the order of the characters is in the file, and so is the angle
# of each.
# Seen: at 90 and 180 degrees extract_text gives hWk and 5.1384, and so do extract_words and search. At 270 degrees it
# is right. A page with Rotate 180 or 270 is read backwards too. Each word is in one piece and looks like a number.
# Nothing warns. In the source the characters of a line are sorted by their place, upright ones from left to right and
# others from top to bottom; those that are upside down count as upright. use_text_flow gives single characters. With
# char_dir_rotated="btt" and line_dir_rotated="ltr", 90 degrees is right and 270 is backwards. The README says that
# the default of char_dir_rotated is "ltr", and in the code it is "ttb". Issues 848 and 1109 of jsvine/pdfplumber are
# open since 2023 and 2024.
# Why it matters: 5.1384 passes each check that a reading has to pass, and 0962.7 is 7.2690. Only the unit beside it is
# seen to be wrong. Take words with direction "ttb" with care, and use the matrix of their characters, or pypdf.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pdfplumber==0.11.10 reportlab==5.1.0 pypdf==7.1.1 pypdfium2==5.15.2
cat > "$folder/show.py" << 'PYTHON'
import io
import sys

import pdfplumber
import pypdf
import pypdfium2
from reportlab.pdfgen.canvas import Canvas

TEXT = "4831.5 kWh"
UPWARDS = {"char_dir_rotated": "btt", "line_dir_rotated": "ltr"}


def page_of(text_at: int, page_at: int) -> io.BytesIO:
    """A PDF file with the text at an angle, counter-clockwise, on a page that is turned clockwise."""
    data = io.BytesIO()
    canvas = Canvas(data, pagesize=(300, 300))
    canvas.translate(150, 150)
    canvas.rotate(text_at)
    canvas.setFont("Helvetica", 20)
    canvas.drawString(0, 0, TEXT)
    canvas.save()
    writer = pypdf.PdfWriter(clone_from=data)
    writer.pages[0].rotate(page_at)
    turned = io.BytesIO()
    writer.write(turned)
    return turned


print("pdfplumber", pdfplumber.__version__)
same = True
right, backwards = ["4831.5", "kWh"], ["hWk", "5.1384"]
for text_at, page_at, wanted, wanted_up in (
    (0, 0, right, right), (90, 0, backwards, right), (180, 0, backwards, backwards), (270, 0, right, backwards),
    (90, 90, right, right), (180, 180, right, right), (270, 270, right, right),
    (0, 90, right, backwards), (0, 180, backwards, backwards), (0, 270, backwards, right),
):
    data = page_of(text_at, page_at)
    with pdfplumber.open(data) as document:
        page = document.pages[0]
        text = page.extract_text().split()
        words = [word["text"] for word in page.extract_words()]
        upwards = [word["text"] for word in page.extract_words(**UPWARDS)]
        found = page.search(r"\d[\d.]+\d")[0]["text"]
    others = (
        pypdf.PdfReader(data).pages[0].extract_text().strip(),
        pypdfium2.PdfDocument(data.getvalue())[0].get_textpage().get_text_range().strip(),
    )
    print(f"text at {text_at}, page at {page_at}: {' '.join(text)}; upwards {' '.join(upwards)}; pypdf {others[0]}")
    same &= text == words == wanted and upwards == wanted_up and others == (TEXT, TEXT)
    same &= found == next(word for word in wanted if "." in word)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
