#!/usr/bin/env bash
# python-barcode 0.16.1 and reportlab 5.1.0 make a Code 39 barcode of `100` that reads 1001, and of `12.5` one of 12.52.
#
# Input: numbers as Code 39 with the default options, drawn by python-barcode as a picture and by reportlab as a PDF,
# and read by zxing-cpp 3.1.1, which reads the numbers from barcodes of its own. Guess: what was given. Code 39 has no
# check character of its own, and a reader takes it for one only if it was told so.
# Seen: each number gets a check character, the sum of its characters modulo 43. It is a digit in a sixth of the
# numbers of three digits and in four tenths of those of ten: 50 reads 505, 202 reads 2024, 0042 reads 00426. Others end
# in a letter or a space, such as 4831G. The text below the bars says the same. Nothing warns. barcode.generate has no
# way around it: add_checksum=False among its writer_options changes nothing. python-barcode's documentation names
# add_checksum, but not that a reader gives the character with the number. Issue 85 of WhyNotHugo/python-barcode, open
# since August 2020, has a letter that was added; issue 55, open since 2019, has the option that is ignored.
# Why it matters: a barcode beside a meter or a sample is another valid number when it is read. Give
# add_checksum=False to the class Code39 and checksum=0 to reportlab, or use Code 128, whose check is never read out.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check python-barcode==0.16.1 reportlab==5.1.0 \
    zxing-cpp==3.1.1 pypdfium2==5.15.2 pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import io
import random
import sys
from importlib.metadata import version

import barcode
import pypdfium2
import reportlab.graphics.barcode
import reportlab.pdfgen.canvas
import zxingcpp
from barcode.writer import ImageWriter
from PIL import Image

NUMBERS = ["100", "50", "202", "0042", "12.5", "4831", "-12.5"]


def read(picture):
    """The text of the one barcode of a picture."""
    (code,) = zxingcpp.read_barcodes(picture)
    return code.text


def by_class(number, kind="code39", **options):
    code = barcode.get_barcode_class(kind)(number, writer=ImageWriter(), **options)
    return read(code.render().convert("L"))


def by_generate(number, **options):
    file = io.BytesIO()
    barcode.generate("code39", number, writer=ImageWriter(), output=file, writer_options=options)
    return read(Image.open(file).convert("L"))


def by_reportlab(number, kind="Standard39", **options):
    file = io.BytesIO()
    page = reportlab.pdfgen.canvas.Canvas(file, pagesize=(400, 120))
    drawing = reportlab.graphics.barcode.createBarcodeDrawing(kind, value=number, barHeight=50, barWidth=1.5, **options)
    drawing.drawOn(page, 30, 30)
    page.save()
    return read(pypdfium2.PdfDocument(file.getvalue())[0].render(scale=4).to_pil().convert("L"))


def by_zxing(number):
    return read(zxingcpp.create_barcode(number, zxingcpp.BarcodeFormat.Code39).to_image(scale=3))


print("python-barcode", version("python-barcode"), "reportlab", version("reportlab"))
found = {
    "given": NUMBERS,
    "python-barcode": list(map(by_class, NUMBERS)),
    "barcode.generate": list(map(by_generate, NUMBERS)),
    "barcode.generate, add_checksum=False": [by_generate(number, add_checksum=False) for number in NUMBERS],
    "reportlab": list(map(by_reportlab, NUMBERS)),
    "python-barcode, add_checksum=False": [by_class(number, add_checksum=False) for number in NUMBERS],
    "reportlab, checksum=0": [by_reportlab(number, checksum=0) for number in NUMBERS],
    "zxing-cpp": list(map(by_zxing, NUMBERS)),
    "python-barcode, Code 128": [by_class(number, "code128") for number in NUMBERS],
    "reportlab, Code 128": [by_reportlab(number, "Code128") for number in NUMBERS],
}
for name, texts in found.items():
    print(f"{name}:", " ".join(map(repr, texts)))
longer = ["1001", "505", "2024", "00426", "12.52", "4831G", "-12.5 "]
wrong = ("python-barcode", "barcode.generate", "barcode.generate, add_checksum=False", "reportlab")
as_found = all(texts == (longer if name in wrong else NUMBERS) for name, texts in found.items())
below = barcode.get_barcode_class("code39")("100").get_fullcode()
print("the text below the bars of 100:", below)
shares = []
for places in (3, 10):
    numbers = random.Random(0).sample(range(10 ** (places - 1), 10**places), 900)
    codes = [barcode.get_barcode_class("code39")(str(number)).get_fullcode() for number in numbers]
    shares.append(sum(code[-1].isdigit() for code in codes) / len(codes))
    print(f"of 900 numbers of {places} digits, {shares[-1]:.0%} get a digit more")
as_found &= 0.12 < shares[0] < 0.25 < shares[1] < 0.5
sys.exit(0 if as_found and below == "1001" else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
