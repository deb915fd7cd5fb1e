#!/usr/bin/env bash
# img2pdf 0.6.3 makes an empty page of a palette PNG with a transparent background, if it has at most 16 colours.
#
# Input: the digits 47 in black on a transparent background, as palette PNG of 2, 4, 16 and 17 entries, as Pillow and
# PNG optimizers write pictures of few colours, and the same pixels as RGBA. Guess: the digits on white paper for all
# five: the README promises that the image in the PDF has exactly the pixels of the file, and an alpha channel is kept.
# Seen: the pages of 2 and 4 entries are white all over, and of 16 entries 4 of the 174 dark pixels are left, in
# PDFium and MuPDF alike. 17 entries and RGBA are right. The mask of 8 bits a pixel is declared with the bits of the
# palette, which are fewer up to 16 entries. It logs that it computes a soft mask, as for RGBA. No issue was found.
# Why it matters: exported plots, drawn signs and cut-out stamps are stored like this. They become pages that hold no
# number, and a reader finds none, as it should. Flatten pictures on white or convert them to RGBA before.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  img2pdf==0.6.3 pillow==13.0.0 pypdfium2==5.15.2 pymupdf==2.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import importlib.metadata
import io
import logging
import sys

import img2pdf
import numpy as np
import pymupdf
import pypdfium2
from PIL import Image, ImageDraw, ImageFont

logging.disable()
print("img2pdf", importlib.metadata.version("img2pdf"))
canvas = Image.new("L", (32, 24))
ImageDraw.Draw(canvas).text((3, -1), "47", font=ImageFont.load_default(24), fill=255)
ink = np.asarray(canvas) > 0


def png(image: Image.Image, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def palette(entries: int) -> Image.Image:
    image = Image.fromarray(ink.astype(np.uint8)).convert("P")
    image.putpalette([255, 255, 255] + [0, 0, 0] * (entries - 1))
    return image


files = {f"palette of {entries}": png(palette(entries), transparency=0) for entries in (2, 4, 16, 17)}
files["RGBA"] = png(Image.fromarray(np.dstack([np.zeros((24, 32, 3), np.uint8), np.where(ink, 255, 0).astype(np.uint8)])))
dark = {}
for name, file in files.items():
    document = img2pdf.convert(file, layout_fun=img2pdf.get_layout_fun((32, 24)))
    pdfium = np.asarray(pypdfium2.PdfDocument(document)[0].render().to_pil().convert("L"))
    pixmap = pymupdf.open(stream=document)[0].get_pixmap(colorspace="gray")
    mupdf = np.frombuffer(pixmap.samples, np.uint8).reshape(24, 32)
    dark[name] = [int((page < 128).sum()) for page in (pdfium, mupdf)]
    print(f"{name}: {file[24]} bits, {ink.sum()} dark pixels, on the page {dark[name][0]} (PDFium), {dark[name][1]} (MuPDF)")
empty = all(count == 0 for name in ("palette of 2", "palette of 4") for count in dark[name])
lost = max(dark["palette of 16"]) < ink.sum() / 10
right = all(count == ink.sum() for name in ("palette of 17", "RGBA") for count in dark[name])
sys.exit(0 if empty and lost and right else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
