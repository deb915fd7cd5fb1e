#!/usr/bin/env bash
# imageio 2.38.1 reads a TIFF of which 0 is white as a negative, and one of a palette as nearly black; PNG are right.
#
# Input: a drawn 42, dark on white paper, as TIFF: a fax page of 1 bit and a grey of 8 bits where 0 is white, as fax
# software and scanners write them, a palette of which white is the first colour, a grey of 4 bits, and a grey of 8 bits
# that is stored upside down with a tag that says so. As a control a grey of 8 bits where 0 is black, and PNG of a
# palette and of 4 bits. Guess: imageio.v3.imread gives paper lighter than ink, and the same values for TIFF and PNG.
# Seen: the pages where 0 is white are negatives, the palette is its indices, the 4 bits are 0 to 15, and the last page
# is upside down. All PNG are right, and all TIFF with plugin="pillow". Nothing warns. For TIFF imageio asks tifffile
# first, then an old copy of it that it brings along, then Pillow. tifffile gives samples as they are stored, and leaves
# their meaning to its callers. The newer tifffile raises for 4 bits. skimage.io.imread is the same. Issue 355 of
# imageio/imageio has a page of 1 bit and was closed; issue 1940 of scikit-image has one too, open since February 2016.
# Why it matters: the same scan is read from PNG and is a negative from TIFF, and a page of a palette looks black. A
# program that knows Pillow or OpenCV does not expect it. Give plugin="pillow" to imread, or open scans with Pillow.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for name in alone more; do
  python3 -m venv "$folder/$name"
  "$folder/$name/bin/pip" install --quiet --disable-pip-version-check imageio==2.38.1 pillow==13.0.0 numpy==2.4.6 \
    pypng==0.20220715.0
done
"$folder/more/bin/pip" install --quiet --disable-pip-version-check tifffile==2026.3.3 scikit-image==0.26.0
cat > "$folder/show.py" << 'PYTHON'
import importlib.util
import struct
import sys
from pathlib import Path

import imageio
import imageio.v3 as iio
import numpy as np
import png
from PIL import Image, ImageDraw, ImageFont

folder = Path(sys.argv[1])
drawn = Image.new("1", (80, 60), 1)
ImageDraw.Draw(drawn).text((10, 5), "42", 0, ImageFont.load_default(size=45))
paper = np.asarray(drawn)


def tiff(name, levels, bits, meaning, extra=()):
    """Write a TIFF of one strip; all its tags are shorts."""
    data = levels.astype(np.uint8).tobytes()
    if bits < 8:
        cut = np.unpackbits(levels.astype(np.uint8)[..., None], axis=2)[..., 8 - bits:]
        data = np.packbits(cut.reshape(60, -1), axis=1).tobytes()
    tags = [(256, [80]), (257, [60]), (258, [bits]), (259, [1]), (262, [meaning]), (273, [8]), (277, [1]), (278, [60]),
            (279, [len(data)]), *extra]
    entries = b""
    for tag, values in sorted(tags):
        packed = struct.pack(f"<{len(values)}H", *values)
        if len(packed) > 4:
            packed, data = struct.pack("<I", 8 + len(data)), data + packed
        entries += struct.pack("<HHI", tag, 3, len(values)) + packed.ljust(4, b"\0")
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    (folder / f"{name}.tif").write_bytes(b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory)


tiff("1 bit, 0 is white", np.where(paper, 0, 1), 1, 0)
tiff("grey, 0 is white", np.where(paper, 0, 170), 8, 0)
tiff("palette", np.where(paper, 0, 1), 8, 3, [(320, ([65535, 21845] + [0] * 254) * 3)])
tiff("grey of 4 bits", np.where(paper, 15, 5), 4, 1)
tiff("upside down", np.where(paper, 255, 85)[::-1], 8, 1, [(274, [4])])
tiff("grey, 0 is black", np.where(paper, 255, 85), 8, 1)
with open(folder / "palette.png", "wb") as file:
    png.Writer(80, 60, palette=[(255,) * 3, (85,) * 3], bitdepth=8).write(file, np.where(paper, 0, 1).tolist())
with open(folder / "grey of 4 bits.png", "wb") as file:
    png.Writer(80, 60, greyscale=True, bitdepth=4).write(file, np.where(paper, 15, 5).tolist())

more = importlib.util.find_spec("tifffile") is not None
print("imageio", imageio.__version__, "with tifffile and scikit-image:" if more else "and Pillow alone:")
found = {}
for path in sorted(folder.glob("*.tif")) + sorted(folder.glob("*.png")):
    found[path.name] = []
    for options in ({}, {"plugin": "pillow"}):
        try:
            page = iio.imread(path, **options)
        except NotImplementedError:  # the newer tifffile needs imagecodecs for 4 bits
            page = np.zeros_like(paper, np.int8) - 1
        page = page if page.ndim == 2 else page[..., 0]
        found[path.name].append([sorted({int(level) for level in page[part]}) for part in (paper, ~paper)])
    print(f"    {path.name}: paper {found[path.name][0][0]}, ink {found[path.name][0][1]}; of plugin='pillow' paper",
          f"{found[path.name][1][0]}, ink {found[path.name][1][1]}")
    if more:
        import skimage.io

        if "4 bits" not in path.name and not np.array_equal(skimage.io.imread(path), iio.imread(path)):
            sys.exit("scikit-image differs from imageio: the behaviour has changed")
bits, grey = [[1], [0]], [[255], [85]]
wanted = {
    "1 bit, 0 is white.tif": [[[0], [1]], bits],
    "grey, 0 is white.tif": [[[0], [170]], grey],
    "palette.tif": [[[0], [1]], grey],
    "grey of 4 bits.tif": [[[-1], [-1]] if more else [[15], [5]], grey],
    "upside down.tif": [[[85, 255], [85, 255]], grey],
    "grey, 0 is black.tif": [grey, grey],
    "palette.png": [grey, grey],
    "grey of 4 bits.png": [grey, grey],
}
sys.exit(0 if found == wanted else "the behaviour has changed")
PYTHON
for name in alone more; do
  "$folder/$name/bin/python" "$folder/show.py" "$folder"
done
