#!/usr/bin/env bash
# PyMuPDF 2.0 and pypdfium2 5.15.2 extract a scan that is stored as a stencil as a negative; pypdf 7.1.1 does not.
#
# Input: pages of one image of 16x16, its left half white as the page shows it: 1-bit grey, the same with /Decode [1 0],
# an /ImageMask, as scanners and fax software store black and white, the mask with /Decode [1 0]; JPEG with /Decode [1
# 0]. Guess: the image that is extracted looks as the page does; all three packages decode it and give a PNG.
# Seen: rendered pages agree everywhere. PyMuPDF's extract_image and Pixmap(document, xref), and pypdfium2's
# PdfImage.extract and get_bitmap, are negatives of both masks. Both extract functions ignore /Decode of the JPEG, and
# pypdfium2's also that of 1-bit grey, which the others honour. pypdf's page.images are right in all. None warns. Issues
# 1191 and 3912 of pymupdf/PyMuPDF were closed as upstream's and as no bug: a mask is no picture, they say. For
# pypdfium2 none was found.
# Why it matters: extraction is the way to a scan at its own resolution. Ink becomes paper for a part of the pages, by
# the software that wrote them; a network trained on light digits reads those better, others not at all. Render the page
# or compare with a rendering.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pymupdf==2.0 pypdfium2==5.15.2 pypdf==7.1.1 pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import io
import sys

import numpy as np
import pymupdf
import pypdf
import pypdfium2
from PIL import Image

GREY = "/ColorSpace /DeviceGray"


def page(entries, data):
    """A PDF file of one page with one image of 16x16."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 16 16] /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >> >>",
        b"<< /Length 27 >>\nstream\nq 16 0 0 16 0 0 cm /I Do Q \nendstream",
        f"<< /Type /XObject /Subtype /Image /Width 16 /Height 16 {entries} /Length {len(data)} >>\nstream\n".encode()
        + data
        + b"\nendstream",
    ]
    content, places = b"%PDF-1.7\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n".encode() + text + b"\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 6\n0000000000 65535 f \n{table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{len(content)}\n%%EOF\n"
    return content + end.encode()


def halves(image):
    """How the left and the right half look."""
    grey = np.asarray(image.convert("L"))
    return " ".join("white" if grey[8, place] > 127 else "black" for place in (3, 12))


def opened(content):
    return Image.open(io.BytesIO(content))


def extracted(pdfium):
    stream = io.BytesIO()
    next(iter(pdfium[0].get_objects())).extract(stream, fb_format="png")
    return opened(stream.getvalue())


def looks(content):
    """What each package shows of the page and of its image."""
    mupdf, pdfium = pymupdf.open(stream=content), pypdfium2.PdfDocument(content)
    image = mupdf[0].get_images()[0][0]
    return {
        "PyMuPDF page": halves(opened(mupdf[0].get_pixmap().tobytes("png"))),
        "pypdfium2 page": halves(pdfium[0].render().to_pil()),
        "pypdf": halves(pypdf.PdfReader(io.BytesIO(content)).pages[0].images[0].image),
        "PyMuPDF extract_image": halves(opened(mupdf.extract_image(image)["image"])),
        "PyMuPDF Pixmap": halves(opened(pymupdf.Pixmap(mupdf, image).tobytes("png"))),
        "pypdfium2 extract": halves(extracted(pdfium)),
        "pypdfium2 get_bitmap": halves(next(iter(pdfium[0].get_objects())).get_bitmap().to_pil()),
    }


white_black, black_white = bytes([255, 0] * 16), bytes([0, 255] * 16)
stream = io.BytesIO()
Image.fromarray(np.repeat(np.uint8([[0] * 8 + [255] * 8]), 16, axis=0)).save(stream, "JPEG", quality=100)
files = {
    "grey": page(f"{GREY} /BitsPerComponent 1", white_black),
    "grey, Decode [1 0]": page(f"{GREY} /BitsPerComponent 1 /Decode [1 0]", black_white),
    "mask": page("/ImageMask true /BitsPerComponent 1", white_black),
    "mask, Decode [1 0]": page("/ImageMask true /BitsPerComponent 1 /Decode [1 0]", black_white),
    "JPEG, Decode [1 0]": page(f"{GREY} /BitsPerComponent 8 /Decode [1 0] /Filter /DCTDecode", stream.getvalue()),
}
negative = {}
for name, content in files.items():
    seen = looks(content)
    negative[name] = {way for way, look in seen.items() if look == "black white"}
    print(f"{name}: negative are {', '.join(sorted(negative[name])) or 'none'}")
    assert set(seen.values()) <= {"white black", "black white"}
masks = {"PyMuPDF extract_image", "PyMuPDF Pixmap", "pypdfium2 extract", "pypdfium2 get_bitmap"}
wanted = [
    set(),
    {"pypdfium2 extract"},
    masks,
    masks,
    {"PyMuPDF extract_image", "pypdfium2 extract"},
]
sys.exit(0 if list(negative.values()) == wanted else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
