#!/usr/bin/env bash
# Pillow 13.0.0 saves digits on a transparent background as a BMP or PPM that is black all over.
#
# Input: a black 42 on a transparent background, as RGBA, as logos, rendered text and cut-out digits are. It is saved in
# each format that takes it.
# Guess: the background stays transparent, or saving is refused, as JPEG and PCX do: "cannot write mode RGBA".
# Seen: Pillow opens its own BMP as RGB, with all values 0: the 42 is gone. The file has 32 bits for each pixel, with
# alpha in the fourth byte, and its header is the one that says that this byte is not used. The PPM has three bytes for
# each pixel, all 0. PNG, TIFF, TGA, WebP, JPEG 2000 and SGI keep the alpha. Of LA, BMP and PPM are refused. OpenCV
# writes a BMP of the same pixels whose header names the alpha, and Pillow opens that as RGBA with the 42. Nothing
# warns. Pull request 8602 of python-pillow/Pillow has a switch, USE_RAW_ALPHA, for reading such files of others; no
# issue about saving them was found.
# Why it matters: many programs for reading text take BMP or PPM, since these are simple. They get a black page, and it
# looks as if they could not read. Put the picture on white before: Image.alpha_composite.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pillow==13.0.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import io
import sys

import cv2
import numpy as np
import PIL
from PIL import Image, ImageDraw, ImageFont

drawn = Image.new("RGBA", (80, 50))
ImageDraw.Draw(drawn).text((10, 5), "42", (0, 0, 0, 255), ImageFont.load_default(size=36))
white = Image.new("RGBA", drawn.size, "white")
seen = Image.alpha_composite(white, drawn).convert("RGB")
print("Pillow", PIL.__version__)


def what(data: bytes) -> str:
    """What Pillow shows on white paper of a file: the 42, or one colour."""
    with Image.open(io.BytesIO(data)) as picture:
        mode = picture.mode
        shown = Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
    if shown.tobytes() == seen.tobytes():
        return f"{mode}, the 42"
    colours = shown.getcolors()
    return f"{mode}, all {colours[0][1]}" if len(colours) == 1 else f"{mode}, something else"


def saved(picture: Image.Image, kind: str) -> str:
    data = io.BytesIO()
    options = {"WEBP": {"lossless": True}}.get(kind, {})
    try:
        picture.save(data, kind, **options)
    except (OSError, ValueError) as error:
        return f"refused, {str(error).lower()}"
    return what(data.getvalue())


same = True
black = "RGB, all (0, 0, 0)"
for kind, wanted in (
    ("PNG", "RGBA, the 42"), ("TIFF", "RGBA, the 42"), ("TGA", "RGBA, the 42"), ("WEBP", "RGBA, the 42"),
    ("JPEG2000", "RGBA, the 42"), ("SGI", "RGBA, the 42"), ("BMP", black), ("DIB", black), ("PPM", black),
    ("JPEG", "refused, cannot write mode rgba as jpeg"), ("PCX", "refused, cannot save rgba images as pcx"),
):
    found = saved(drawn, kind)
    print(f"{kind}: {found}")
    same &= found == wanted
flat = {kind: saved(seen, kind) for kind in ("BMP", "PPM")}
grey = {kind: saved(drawn.convert("LA"), kind) for kind in ("BMP", "PPM")}
other = what(cv2.imencode(".bmp", np.asarray(drawn)[:, :, [2, 1, 0, 3]])[1].tobytes())
print(f"pasted on white: {flat}; LA: {grey}; BMP by OpenCV: {other}")
same &= set(flat.values()) == {"RGB, the 42"} and other == "RGBA, the 42"
same &= all(text.startswith("refused") for text in grey.values())
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
