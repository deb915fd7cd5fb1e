#!/usr/bin/env bash
# FFmpeg 9.0.2, of imageio-ffmpeg 0.8.1, and PyAV 18.1.0 read every TIFF in tiles as a page of one colour, mostly black.
#
# Input: a white page of 96x64 pixels with a black bar, as TIFF in tiles of 32x32, as GDAL, libvips, ImageMagick and the
# software of slide scanners and microscopes write it on demand; of 8 and 16 bits, RGB, with a palette, with white at 0,
# and compressed. And each of them in strips. Guess: the page; or an error, which FFmpeg raises for other kinds of TIFF.
# Seen: all files in strips are right. The size of those in tiles is right, and each byte of the picture is 0: they are
# black where 0 is black, and white where 0 is white. No line at log level warning, the exit status is 0, and PyAV
# raises nothing. Pillow 12.3.0 reads the same files. FFmpeg knows tiles of DNG alone. FFmpeg 5.1.9 of Debian 12 is the
# same. No issue that mentions it was found.
# Why it matters: FFmpeg makes a film of a camera's pictures, or the frames that a reader is fed with. A black page has
# no digits, so the reading is nothing at all, and nobody learns that the file was not read. Save pictures in strips, as
# most software does on its own, or open TIFF with Pillow, OpenCV or tifffile.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  imageio-ffmpeg==0.8.1 av==18.1.0 pillow==12.3.0 tifffile==2026.3.3 numpy==2.4.6
cd "$folder"
cat > show.py << 'PYTHON'
import subprocess
import sys

import av
import imageio_ffmpeg
import numpy as np
import tifffile
from PIL import Image

page = np.full((64, 96), 255, np.uint8)
page[10:50, 40:50] = 0
grey = np.repeat((np.arange(256) * 257).astype(np.uint16)[None], 3, 0)
kinds = {
    "grey": (page, {}),
    "grey, deflate": (page, {"compression": "deflate"}),
    "grey, white at 0": (255 - page, {"photometric": "miniswhite"}),
    "grey of 16 bits": (page.astype(np.uint16) * 257, {}),
    "palette": (page, {"photometric": "palette", "colormap": grey}),
    "RGB": (np.repeat(page[:, :, None], 3, 2), {"photometric": "rgb"}),
}


def by_ffmpeg(name):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "warning", "-i", name]
    done = subprocess.run([*command, "-pix_fmt", "gray", "-f", "rawvideo", "-"], capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(page.shape), done.stderr


def by_pyav(name):
    with av.open(name) as container:
        return next(container.decode(video=0)).to_ndarray(format="gray")


def by_pillow(name):
    picture = np.asarray(Image.open(name).convert("RGB" if "palette" in name else None), float)
    picture = picture if picture.ndim == 2 else picture[:, :, 0]
    return picture / picture.max() * 255


def judged(picture):
    if np.abs(picture - page.astype(float)).max() < 2:
        return "right"
    return f"all {picture[0, 0]}" if (picture == picture[0, 0]).all() else "wrong"


same = True
for kind, (data, options) in kinds.items():
    for tiles in (False, True):
        name = f"{kind}, {'tiles' if tiles else 'strips'}.tif"
        tifffile.imwrite(name, data, **options, **({"tile": (32, 32)} if tiles else {}))
        picture, said = by_ffmpeg(name)
        found = [judged(picture), judged(by_pyav(name)), judged(by_pillow(name))]
        print(f"{name}: FFmpeg {found[0]}, PyAV {found[1]}, Pillow {found[2]}; {said}")
        wrong = "all 255" if "white at 0" in kind else "all 0"
        same &= found == ([wrong, wrong, "right"] if tiles else ["right"] * 3) and not said
print("FFmpeg", imageio_ffmpeg.get_ffmpeg_version())
sys.exit(0 if same else "the behaviour has changed")
PYTHON
venv/bin/python show.py
