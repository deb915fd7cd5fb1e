#!/usr/bin/env bash
# pyvips 3.2.0 with libvips 8.18.7 saves a grey NumPy array of uint16 as a white PNG of 8 bits.
#
# Input: a drawn 42 of level 8000 on paper of 50000, as an array of uint16, grey and RGB. new_from_array reads it, with
# its defaults.
# Guess: PNG and TIFF keep the 16 bits, as they do where the picture was opened from a file. Formats of 8 bits have the
# levels divided by 257 or so.
# Seen: TIFF keeps the levels, and JPEG has 30 and 195. PNG has 8 bits, and each pixel is 255: levels above 255 are cut.
# thumbnail_image gives 255 everywhere too, of grey and of RGB; the PNG of RGB is right. The format of the image is
# ushort, and its interpretation is b-w or srgb, which libvips takes for values of 8 bits in a wider type. The writer of
# PNG asks for the interpretation, and that of TIFF for the type. With interpretation="auto", or opened from the TIFF,
# all are right. Nothing warns. The documentation says that the default is that of new_from_memory, and not what it
# does. Issue 3605 of libvips/libvips has PNG after a cast, and issue 192 of kleisauke/net-vips has the interpretation.
# Why it matters: a frame of a thermal or industrial camera is saved in a format without loss, and the file is an empty
# page. A test with levels below 256 passes, and so does one with TIFF or JPEG.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pyvips==3.2.0 pyvips-binary==8.18.7 pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
import pyvips
from PIL import Image, ImageDraw, ImageFont

folder = sys.argv[1]
drawn = Image.new("1", (80, 60), 1)
ImageDraw.Draw(drawn).text((10, 5), "42", 0, ImageFont.load_default(size=45))
page = np.where(np.asarray(drawn), 50000, 8000).astype(np.uint16)
paper = (2, 2)  # a place without ink
ink = tuple(int(number) for number in np.argwhere(page == 8000)[len(np.argwhere(page == 8000)) // 2])
print("pyvips", pyvips.__version__, "libvips", *(pyvips.version(number) for number in range(3)))


def levels(picture: np.ndarray) -> tuple[str, int, int]:
    """The type, and the levels at a place of ink and at one of paper."""
    grey = picture if picture.ndim == 2 else picture[:, :, 0]
    return str(picture.dtype), int(grey[ink]), int(grey[paper])


def results(image: pyvips.Image, name: str) -> dict:
    """What comes of the image in files and operations."""
    found = {"as it is": levels(image.numpy())}
    for ending in ("tif", "png", "jpg"):
        image.write_to_file(f"{folder}/{name}.{ending}")
        found[ending] = levels(pyvips.Image.new_from_file(f"{folder}/{name}.{ending}").numpy())
    found["thumbnail"] = levels(image.thumbnail_image(80).numpy())
    return found


colour = np.repeat(page[:, :, None], 3, 2)
images = {
    "grey": pyvips.Image.new_from_array(page),
    "RGB": pyvips.Image.new_from_array(colour),
    "grey, auto": pyvips.Image.new_from_array(page, interpretation="auto"),
    "RGB, auto": pyvips.Image.new_from_array(colour, interpretation="auto"),
}
kept, white = ("uint16", 8000, 50000), ("uint8", 255, 255)
same = True
images["grey, opened from TIFF"] = None
for name, image in images.items():
    found = results(image or pyvips.Image.new_from_file(f"{folder}/grey.tif"), name)
    print(f"{name}: {image.interpretation if image else 'grey16'}")
    for what, seen in found.items():
        print(f"    {what}: {seen[0]}, ink {seen[1]}, paper {seen[2]}")
    same &= found["as it is"] == found["tif"] == kept and found["png"] == (white if name == "grey" else kept)
    scaled = [abs(seen[1] - 31) < 4 and abs(seen[2] - 195) < 4 for seen in (found["jpg"], found["thumbnail"])]
    same &= scaled == [True, name not in ("grey", "RGB")] and (scaled[1] or found["thumbnail"] == white)
with Image.open(f"{folder}/grey.png") as picture:
    print("Pillow: the PNG of grey is of mode", picture.mode, "and has levels", picture.getextrema())
    same &= picture.mode == "L" and picture.getextrema() == (255, 255)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
