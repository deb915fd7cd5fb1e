#!/usr/bin/env bash
# netCDF4 1.7.5.1.post1: white pixels of a uint8 picture count as missing, and the mean of a white page is no number.
#
# Input: digits drawn in black on white, 0 and 255, and a white page, as variables of type u1 that were filled whole,
# with no _FillValue named. Guess: the pixels as they were written. A value can only be missing where none was written,
# and the fill value of the type serves to tell those; of one byte each value is a possible one.
# Seen: the array is a masked one, and 255, the default fill value of u1, is masked. So mean, min, max and histogram
# are those of the ink alone; of a white page the mean is "masked", which float() makes nan. 65535 of u2 likewise. No
# warning. xarray with the same file gives all pixels, and so does netCDF4 after set_auto_mask(False) or with
# fill_value=False when the variable is made. The documentation of set_auto_mask says that _FillValue has a default for
# each type, and nothing of values that were written. Issue 209 of Unidata/netcdf4-python has it for u1, closed.
# Why it matters: a mean, by which blank fields and exposure are judged, is that of the digits alone, 0 for any page of
# pure black and white. Switch the masks off for pictures.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check netCDF4==1.7.5.1.post1 xarray==2026.9.0 numpy==2.4.6 pillow==13.0.0
cat > "$folder/show.py" << 'PYTHON'
import sys
import warnings
from importlib.metadata import version

import netCDF4
import numpy as np
import xarray
from PIL import Image, ImageDraw, ImageFont

warnings.simplefilter("ignore")
print("netCDF4", version("netCDF4"), "xarray", version("xarray"))
drawn = Image.new("1", (80, 60), 1)
ImageDraw.Draw(drawn).text((10, 5), "42", 0, ImageFont.load_default(size=45))
digits = np.where(np.asarray(drawn), 255, 0).astype(np.uint8)
pages = {
    "digits": digits,
    "white": np.full_like(digits, 255),
    "digits_u2": digits.astype(np.uint16) * 257,
    "unfilled": digits,
}
path = f"{sys.argv[1]}/pages.nc"
with netCDF4.Dataset(path, "w") as file:
    file.createDimension("y", digits.shape[0])
    file.createDimension("x", digits.shape[1])
    for name, page in pages.items():
        fill = {"fill_value": False} if name == "unfilled" else {}
        file.createVariable(name, page.dtype, ("y", "x"), **fill)[:] = page
found = {}
with netCDF4.Dataset(path) as file, xarray.open_dataset(path) as other:
    for name, page in pages.items():
        masked = file[name][:]
        file[name].set_auto_mask(False)
        plain = bool((file[name][:] == page).all()) and bool((other[name].values == page).all())
        found[name] = (str(masked.mean()), int(np.ma.count_masked(masked)), plain)
        print(f"{name}: mean {found[name][0]}, written {page.mean():.1f}; {found[name][1]} of {page.size} masked")
        print(f"    xarray, and netCDF4 without masks, have what was written: {plain}")
white = int((digits == 255).sum())
wanted = {
    "digits": ("0.0", white, True),
    "white": ("--", digits.size, True),
    "digits_u2": ("0.0", white, True),
    "unfilled": (str(digits.mean()), 0, True),
}
sys.exit(0 if found == wanted else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
