#!/usr/bin/env bash
# Pillow 13.0.0 leaves out BZERO of FITS: in a camera's picture of 16 bits, dark is light and light is dark.
#
# Input: a drawn 42 of level 8000 on paper of 50000, as uint16, written by astropy as FITS, the format in which cameras
# for long exposures save. FITS has no unsigned type of 16 bits: the file holds the level less 32768, and the header
# says so with BZERO = 32768, as the standard has it. Guess: Image.open gives the levels, since its mode is I;16, which
# is unsigned, and since the documentation says that Pillow reads FITS files.
# Seen: the paper is 17232 and the digits are 40768: bright digits on dark paper. Each level is off by 32768, up or
# down: levels below 32768 come out above it. BSCALE is left out too: pictures of 8 bits with BSCALE 2 are half as
# bright. FITS of 8 bits and of floats without these cards is right. Nothing warns. Issue 9574 of python-pillow/Pillow
# has the byte order of FITS, which is right now; for BZERO none was found.
# Why it matters: it is no plain negative, so inverting it does not help: a shadow that crosses the middle grey tears.
# Open FITS with astropy, or add 32768 modulo 65536 where the header says so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0 astropy==8.0.2 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys
from pathlib import Path

import numpy as np
import PIL
from astropy.io import fits
from PIL import Image, ImageDraw, ImageFont

print("Pillow", PIL.__version__)
folder = Path(sys.argv[1])
drawn = Image.new("1", (80, 60), 1)
ImageDraw.Draw(drawn).text((10, 5), "42", 0, ImageFont.load_default(size=45))
paper = np.asarray(drawn)
found = {}


def compared(name: str) -> None:
    """Print the levels of paper and ink in Pillow and in astropy."""
    path = folder / f"{name}.fits"
    right = fits.getdata(path)
    with Image.open(path) as picture:
        read = np.asarray(picture)[::-1]  # FITS begins with the lowest line
        mode = picture.mode
    levels = [[sorted(set(values[part].tolist())) for part in (paper, ~paper)] for values in (right, read)]
    found[name] = [values for pair in levels for one in pair for values in one]
    header = fits.getheader(path)
    print(f"{name}: BZERO {header.get('BZERO')}, BSCALE {header.get('BSCALE')}, mode {mode}")
    print(f"    astropy: paper {levels[0][0]}, ink {levels[0][1]}; Pillow: paper {levels[1][0]}, ink {levels[1][1]}")


fits.writeto(folder / "uint16.fits", np.where(paper, 50000, 8000).astype(np.uint16))
fits.writeto(folder / "uint8.fits", np.where(paper, 200, 30).astype(np.uint8))
fits.writeto(folder / "float32.fits", np.where(paper, 0.75, 0.25).astype(np.float32))
scaled = fits.PrimaryHDU(np.where(paper, 100, 20).astype(np.uint8))
scaled.header["BSCALE"] = 2
scaled.header["BZERO"] = 0
scaled.writeto(folder / "scaled.fits")
for name in ("uint16", "uint8", "float32", "scaled"):
    compared(name)
wanted = {
    "uint16": [50000, 8000, 17232, 40768],
    "uint8": [200, 30, 200, 30],
    "float32": [0.75, 0.25, 0.75, 0.25],
    "scaled": [200, 40, 100, 20],
}
sys.exit(0 if found == wanted else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
