#!/usr/bin/env bash
# pypdf 7.1.1 and pdfplumber 0.11.10 read a number in bold print as its digits twice: 4831 is 48314831, or 44883311.
#
# Input: PDF pages that show 4831 and 0962. 4831 is made bold by being drawn twice, 0.3 points apart, as printer drivers
# and report writers do where a font has no bold face: the word twice, or each digit twice. As controls the same bold by
# an outline, and 11 and 3355, whose digits are in truth twice.
# Guess: 4831, as a person sees it and as pypdfium2 reads it.
# Seen: with the word drawn twice, pypdf gives 48314831, and pdfplumber 44883311, as it sorts characters by their place.
# With each digit drawn twice, both give 44883311. PyMuPDF gives 4831 on two lines for the first, and 4831 for the
# second. pypdfium2 gives 4831 for both. 0962 beside it is right, and so are 11 and 3355. Nothing warns. The layout mode
# of pypdf does the same. After dedupe_chars() of pdfplumber it is right. Where each part is placed anew by the operator
# Tm, pypdf without layout mode gives lines of their own. Issue 1731 of py-pdf/pypdf was closed as out of its scope, and
# issue 71 of jsvine/pdfplumber has letters, from 2018.
# Why it matters: a total or the current reading is what is printed in bold, and 48314831 is a number as any other. A
# doubled word is seen at once, and a doubled number is not. Use pypdfium2, or dedupe_chars.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pypdf==7.1.1 pdfplumber==0.11.10 pymupdf==2.0 pypdfium2==5.15.2 reportlab==5.1.0
cat > "$folder/show.py" << 'PYTHON'
import io
import sys
from importlib.metadata import version

import pdfplumber
import pymupdf
import pypdf
import pypdfium2
from reportlab.pdfgen.canvas import Canvas

SIZE = 20


def page_of(reading: str, way: str) -> bytes:
    """A page with this reading in bold, made in this way, and 0962 in plain print on a line of its own."""
    data = io.BytesIO()
    canvas = Canvas(data, pagesize=(300, 200))
    canvas.setFont("Helvetica", SIZE)
    canvas.setLineWidth(0.4)
    text = canvas.beginText(20, 150)
    text.setTextRenderMode(2 if way == "outline" else 0)
    for part in reading if way == "digits twice" else [reading]:
        text.textOut(part)
        if way.endswith("twice"):
            text.moveCursor(0.3, 0)
            text.textOut(part)
        text.moveCursor(canvas.stringWidth(part, "Helvetica", SIZE) - 0.3, 0)
    canvas.drawText(text)
    canvas.drawString(20, 50, "0962", mode=0)
    canvas.save()
    return data.getvalue()


def texts(data: bytes) -> dict[str, list[str]]:
    """The words that each package finds."""
    page = pypdf.PdfReader(io.BytesIO(data)).pages[0]
    with pdfplumber.open(io.BytesIO(data)) as document:
        plumber, single = (page.extract_text() for page in (document.pages[0], document.pages[0].dedupe_chars()))
    found = {
        "pypdf": page.extract_text(),
        "pypdf, layout": page.extract_text(extraction_mode="layout"),
        "pdfplumber": plumber,
        "pdfplumber, dedupe_chars": single,
        "PyMuPDF": pymupdf.open(stream=data).load_page(0).get_text(),
        "pypdfium2": pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range(),
    }
    return {name: text.split() for name, text in found.items()}


print(*(f"{name} {version(name)}" for name in ("pypdf", "pdfplumber", "pymupdf", "pypdfium2")))
doubled = {
    "word twice": {"pypdf": ["48314831"], "pypdf, layout": ["48314831"], "pdfplumber": ["44883311"],
                   "PyMuPDF": ["4831", "4831"]},
    "digits twice": {"pypdf": ["44883311"], "pypdf, layout": ["44883311"], "pdfplumber": ["44883311"]},
}
same = True
for reading, way in (("4831", "plain"), ("4831", "outline"), ("11", "plain"), ("3355", "plain"),
                     ("4831", "word twice"), ("4831", "digits twice")):
    found = texts(page_of(reading, way))
    print(f"{reading}, {way}: " + ", ".join(f"{name} {' '.join(words)}" for name, words in found.items()))
    wanted = {name: [*doubled.get(way, {}).get(name, [reading]), "0962"] for name in found}
    same &= found == wanted
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
