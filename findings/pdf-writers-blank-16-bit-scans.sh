#!/usr/bin/env bash
# fpdf2 2.8.9 and reportlab 5.1.0 put a grey scan of 16 bits into a PDF as a white page.
#
# Input: dark digits on light paper as grey PNG and TIFF of 16 bits, as scanners and cameras for measuring write them,
# placed by fpdf2's image() and by reportlab's drawImage(). Guess: the page looks as the picture, in 8 bits.
# Seen: the page is white all over, from fpdf2 and from reportlab, for PNG and TIFF; no error or warning. Both convert
# through Pillow, whose conversion of 16 to 8 bits cuts at 255 instead of dividing, and any grey but the blackest is
# above it. img2pdf 0.6.3 and PyMuPDF 2.0 are right for the PNG. The documentation of both has no word of 16 bits; no
# issue was found for either.
# Why it matters: the readings are filed as a PDF, and the pages are empty when someone looks at them or reads them
# anew; the scans may be gone by then. Divide by 257 first, and render a page to check.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  fpdf2==2.8.9 reportlab==5.1.0 img2pdf==0.6.3 pymupdf==2.0 pillow==13.0.0 pypdfium2==5.15.2 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import importlib.metadata
import io
import pathlib
import sys

import fpdf
import img2pdf
import numpy as np
import pymupdf
import pypdfium2
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen import canvas

folder = pathlib.Path(sys.argv[1])
print(*(f"{name} {importlib.metadata.version(name)}" for name in ("fpdf2", "reportlab", "pillow")))
size = (48, 32)
scan = Image.new("L", size, 230)
ImageDraw.Draw(scan).text((6, 0), "47", font=ImageFont.load_default(28), fill=20)
grey = np.asarray(scan).astype(np.uint16)


def with_fpdf2(path: pathlib.Path) -> bytes:
    document = fpdf.FPDF(unit="pt", format=size)
    document.set_auto_page_break(False)
    document.add_page()
    document.image(path, 0, 0, *size)
    return bytes(document.output())


def with_reportlab(path: pathlib.Path) -> bytes:
    file = io.BytesIO()
    document = canvas.Canvas(file, pagesize=size)
    document.drawImage(str(path), 0, 0, *size)
    document.save()
    return file.getvalue()


def with_img2pdf(path: pathlib.Path) -> bytes:
    return img2pdf.convert(str(path), layout_fun=img2pdf.get_layout_fun(size))


def with_pymupdf(path: pathlib.Path) -> bytes:
    document = pymupdf.open()
    page = document.new_page(width=size[0], height=size[1])
    page.insert_image(page.rect, filename=str(path))
    return document.tobytes()


Image.fromarray(grey.astype(np.uint8)).save(folder / "scan8.png")
Image.fromarray(grey * 257).save(folder / "scan16.png")
Image.fromarray(grey * 257).save(folder / "scan16.tif")
ways = {"fpdf2": with_fpdf2, "reportlab": with_reportlab, "img2pdf": with_img2pdf, "PyMuPDF": with_pymupdf}
found = {}
for way, write in ways.items():
    for name in ("scan8.png", "scan16.png") + (("scan16.tif",) if way in ("fpdf2", "reportlab") else ()):
        page = np.asarray(pypdfium2.PdfDocument(write(folder / name))[0].render().to_pil().convert("L"))
        found[way, name] = "right" if np.abs(page.astype(int) - grey).max() <= 8 else "white" if page.min() == 255 else "other"
        print(f"{way}, {name}: grey of {page.min()} to {page.max()} on the page, {grey.min()} to {grey.max()} wanted")
white = {(way, name) for way in ("fpdf2", "reportlab") for name in ("scan16.png", "scan16.tif")}
as_found = all(result == ("white" if case in white else "right") for case, result in found.items())
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
