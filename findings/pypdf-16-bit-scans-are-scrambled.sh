#!/usr/bin/env bash
# pypdf 7.1.1 gives a scan of 16 bits as its upper half, cut and full of noise, and of the right size.
#
# Input: PDF pages of one image with FlateDecode, a drawn 42, dark on paper that grows lighter to the right: grey of 16
# bits, colour of 16 bits, calibrated grey of 4 bits, a palette of 1 bit with /Decode [1 0]. As controls grey of 1, 2, 4
# and 8 bits, calibrated grey of 8 bits, and the palette without /Decode.
# Guess: page.images gives the image as the page shows it, as it does for the controls.
# Seen: of 16 bits it takes the first half of the bytes as samples of 8 bits: each line is half a line of the scan,
# every second pixel is a low byte, which is noise, and the lower half of the scan is lost. Size and mode are right.
# Calibrated grey of 4 bits is black all over, and the palette with /Decode is a negative, as the code leaves /Decode
# out for palettes. Nothing is raised or logged. PyMuPDF and pypdfium2 give all of them as the page shows them. No
# issue was found; issue 3924 of py-pdf/pypdf, about colours of 4 bits, was closed.
# Why it matters: scanners of film and of measurements write 16 bits. Noise in the shape of a picture goes on to the
# reader, which finds digits in it or none. Look at /BitsPerComponent first, or render the page.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pypdf==7.1.1 pymupdf==2.0 pypdfium2==5.15.2 pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import io
import logging
import sys
import zlib

import numpy as np
import pymupdf
import pypdf
import pypdfium2
from PIL import Image, ImageDraw, ImageFont

SIDE = 64
logging.basicConfig(level=logging.WARNING)  # pypdf reports what it does not know here
drawn = Image.new("1", (SIDE, SIDE), 1)
ImageDraw.Draw(drawn).text((4, 4), "42", 0, ImageFont.load_default(size=45))
ink = ~np.asarray(drawn)
scan = np.where(ink, 0.2, np.linspace(0.6, 1, SIDE)[None, :])  # 0 is black, 1 is white


def packed(levels, bits):
    """The samples as PDF stores them: big-endian, each line padded to bytes."""
    single = levels.reshape(SIDE, -1, 1).astype(">u2").view(np.uint8)
    return np.packbits(np.unpackbits(single, axis=2)[..., 16 - bits:].reshape(SIDE, -1), axis=1).tobytes()


def page(data, colours, bits, more=""):
    """A PDF file of one page that shows the image."""
    data, more = zlib.compress(data), more + " /Filter /FlateDecode"
    image = f"<< /Subtype /Image /Width {SIDE} /Height {SIDE} /ColorSpace {colours} /BitsPerComponent {bits}"
    drawing = f"q {SIDE} 0 0 {SIDE} 0 0 cm /I Do Q".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {SIDE} {SIDE}] /Contents 4 0 R "
        "/Resources << /XObject << /I 5 0 R >> >> >>".encode(),
        f"<< /Length {len(drawing)} >>\nstream\n".encode() + drawing + b"\nendstream",
        f"{image} {more} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream",
    ]
    file, places = b"%PDF-1.7\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(file))
        file += f"{number} 0 obj\n".encode() + text + b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    return file + (f"xref\n0 6\n0000000000 65535 f \n{table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n"
                   f"{len(file)}\n%%EOF\n").encode()


def grey(image):
    return np.asarray(image.convert("L")).astype(int)


calibrated = "[/CalGray << /WhitePoint [0.9505 1 1.089] /Gamma 2.2 >>]"
palette = "[/Indexed /DeviceRGB 1 <FFFFFF333333>]"
cases = {f"grey of {bits} bits": (packed(np.round(scan * (2**bits - 1)), bits), "/DeviceGray", bits)
         for bits in (1, 2, 4, 8, 16)}
fine = np.round(scan * 65535)
cases["colour of 16 bits"] = (packed(np.repeat(fine, 3, axis=1), 16), "/DeviceRGB", 16)
cases["calibrated grey of 8 bits"] = (packed(np.round(scan * 255), 8), calibrated, 8)
cases["calibrated grey of 4 bits"] = (packed(np.round(scan * 15), 4), calibrated, 4)
cases["palette"] = (packed(ink, 1), palette, 1)
cases["palette with /Decode"] = (packed(~ink, 1), palette, 1, "/Decode [1 0]")
wrong = set()
for name, case in cases.items():
    file = page(*case)
    shown = grey(pypdfium2.PdfDocument(file)[0].render().to_pil())
    document = pymupdf.open(stream=file)
    image = pypdf.PdfReader(io.BytesIO(file)).pages[0].images[0].image
    extracted = document.extract_image(document[0].get_images()[0][0])["image"]
    images = [grey(image), grey(Image.open(io.BytesIO(extracted))),
              grey(next(pypdfium2.PdfDocument(file)[0].get_objects()).get_bitmap().to_pil())]
    alike = [float(np.corrcoef(shown.ravel(), values.ravel())[0, 1]) if values.std() else 0.0 for values in images]
    ahead = [round(float(np.median(values[~ink]) - np.median(values[ink]))) for values in (shown, images[0])]
    print(f"{name}: likeness to the page of pypdf {alike[0]:.2f}, PyMuPDF {alike[1]:.2f}, pypdfium2 {alike[2]:.2f};",
          f"paper is lighter than ink by {ahead[1]} in pypdf, by {ahead[0]} on the page")
    if min(alike[1:]) < 0.9:
        sys.exit("PyMuPDF or pypdfium2 differs from the page: the behaviour has changed")
    if alike[0] < 0.9:
        wrong.add(name)
    if name == "grey of 16 bits":
        first = np.frombuffer(case[0], np.uint8)[:SIDE * SIDE].reshape(SIDE, SIDE)
        same = np.array_equal(first, images[0])
        print(f"    it is the first half of the bytes as samples of 8 bits: {same};", image.mode, image.size)
        if not same:
            sys.exit("the behaviour has changed")
print("pypdf", pypdf.__version__)
expected = {"grey of 16 bits", "colour of 16 bits", "calibrated grey of 4 bits", "palette with /Decode"}
sys.exit(0 if wrong == expected else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
