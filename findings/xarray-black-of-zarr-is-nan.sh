#!/usr/bin/env bash
# xarray 2026.9.0: black pixels of a uint8 picture that zarr 3.1.6 stores in format 2 are nan, and the rest are float32.
#
# Input: digits drawn in grey and black on white, uint8, stored by zarr.create_array with its defaults, in zarr format 2
# and in format 3; opened by xarray.open_zarr. Guess: the picture, of type uint8, from both; zarr itself gives it back.
# Seen: from format 3 it is right. From format 2 it is float32, and each 0 is nan: the array's fill value, 0 by default,
# is taken for the mark of what is missing. So the mean leaves out all that is black, and a network's output is nan for
# each picture with a black pixel. Nothing warns. The documentation of open_zarr says that
# use_zarr_fill_value_as_mask=False leaves the data as they are; for format 2 it changes nothing. What xarray wrote
# itself in format 2 comes back right. Issues 4930 and 5475 of pydata/xarray have the zeros, closed. A comment in pull
# request 10161 sees the option change nothing in format 3; for format 2 none was found.
# Why it matters: sets of pictures are kept in zarr, many in format 2, and MNIST is black for the most part. Give
# mask_and_scale=False, or fill_value=None to create_array.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xarray==2026.9.0 zarr==3.1.6 numpy==2.4.6 pillow==13.0.0
cat > "$folder/show.py" << 'PYTHON'
import sys
import warnings
from importlib.metadata import version

import numpy as np
import xarray
import zarr
from PIL import Image, ImageDraw, ImageFont

print("xarray", version("xarray"), "zarr", version("zarr"))
drawn = Image.new("L", (80, 60), 255)
drawing = ImageDraw.Draw(drawn)
drawing.text((5, 5), "4", 0, ImageFont.load_default(size=45))
drawing.text((45, 5), "2", 90, ImageFont.load_default(size=45))
picture = np.asarray(drawn)
black = int((picture == 0).sum())


def store(name: str, zarr_format: int, **options: object) -> str:
    """Store the picture and return its path."""
    path = f"{sys.argv[1]}/{name}"
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format)
    if zarr_format == 3:
        array = group.create_array("picture", data=picture, dimension_names=["y", "x"], **options)
    else:
        array = group.create_array("picture", data=picture, **options)
        array.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"]
    assert (array[:] == picture).all()
    return path


two, three, unfilled = store("two", 2), store("three", 3), store("unfilled", 2, fill_value=None)
own = f"{sys.argv[1]}/own"
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    xarray.Dataset({"picture": (("y", "x"), picture)}).to_zarr(own, zarr_format=2, consolidated=False)
print(f"written: uint8, {black} black, mean {picture.mean():.1f}")
found = {}
for name, path, options in (
    ("format 2", two, {}),
    ("format 3", three, {}),
    ("format 2, use_zarr_fill_value_as_mask=False", two, {"use_zarr_fill_value_as_mask": False}),
    ("format 2, mask_and_scale=False", two, {"mask_and_scale": False}),
    ("format 2, fill_value=None", unfilled, {}),
    ("format 2, written by xarray", own, {}),
):
    read = xarray.open_zarr(path, consolidated=False, **options).picture
    missing = int(np.isnan(read.values.astype(float)).sum())
    found[name] = (str(read.dtype), missing)
    print(f"{name}: {read.dtype}, {missing} nan, mean {float(read.mean()):.1f}")
wanted = dict.fromkeys(found, ("uint8", 0)) | dict.fromkeys(list(found)[:1] + list(found)[2:3], ("float32", black))
sys.exit(0 if black > 100 and found == wanted else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
