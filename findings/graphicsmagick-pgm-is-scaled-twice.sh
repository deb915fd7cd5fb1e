#!/usr/bin/env bash
# GraphicsMagick 1.3.40 (Debian 12's) reads a binary PGM of few levels as nearly white: 0 to 15 is scaled twice.
#
# Input: a grey ramp of 28x28 pixels as PGM with the largest value 3, 15, 100, 200 and 255, binary and as text, and as
# PPM. Guess: the same ramp from black to white from all of them, since the header says which value is white; Pillow
# 13.0.0 and ImageMagick 6.9.11 give it.
# Seen: with 255, as text and as PPM it is right. In a binary PGM whose largest value is below 255, all levels are as if
# they had been scaled twice, and those above white are white: with 15, the levels 1 to 15 are white and only 0 is
# black; with 100, white begins at 40, and with 200 at 157. Small pictures are right: those with fewer pixels than the
# largest value. The PNG that gm writes has it too. The exit status is 0 and nothing warns. Values above 255 are right.
# No issue that mentions it was found; later versions were not tried.
# Why it matters: programs of displays with few greys and pamdepth write such files. Thin grey strokes vanish from the
# picture, and a dark grey background becomes white. Write the largest value 255, as pamdepth 255 does, or read
# PGM with Pillow.
#
# Needs apt-get with the packages of Debian 12 (nothing is installed).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0
cd "$folder"
version=1.4+really1.3.40-4+deb12u1
apt-get download "graphicsmagick=$version" "libgraphicsmagick-q16-3=$version" libaom3 libbrotli1 libbsd0 libdav1d6 \
  libde265-0 libdeflate0 libfreetype6 libgomp1 libheif1 libhwy1 libicu72 libjbig0 libjpeg62-turbo libjxl0.7 liblcms2-2 \
  liblerc4 libmd0 libnuma1 libpng16-16 libtiff6 libwebp7 libwebpmux3 libwmflite-0.2-7 libx11-6 libx265-199 libxau6 \
  libxcb1 libxdmcp6 libxext6 libxml2 > /dev/null 2>&1
for package in ./*.deb; do dpkg-deb -x "$package" root; done
cat > show.py << 'PYTHON'
import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

libraries = os.pathsep.join(str(one.resolve()) for one in Path("root").glob("**/x86_64-linux-gnu"))
environment = dict(os.environ, LD_LIBRARY_PATH=libraries)


def gm(*options):
    return subprocess.run(["root/usr/bin/gm", *options], env=environment, capture_output=True, check=True).stdout


def picture(kind, largest, width, height):
    levels = [x * largest // (width - 1) for x in range(width)] * height
    header = f"{kind}\n{width} {height}\n{largest}\n".encode()
    if kind == "P2":
        return levels, header + " ".join(map(str, levels)).encode() + b"\n"
    return levels, header + bytes(level for level in levels for _ in range(3 if kind == "P6" else 1))


def judged(read, levels, largest):
    once = [level * 255 / largest for level in levels]
    twice = [min(255, level * 255 / largest * 255 / largest) for level in levels]
    for name, wanted in (("right", once), ("scaled twice", twice)):
        if all(abs(one - other) <= 2 for one, other in zip(read, wanted, strict=True)):
            return name
    return "wrong"


same = True
for kind, shown in (("P5", "binary PGM"), ("P2", "text PGM"), ("P6", "binary PPM")):
    for largest in (3, 15, 100, 200, 255):
        levels, data = picture(kind, largest, 28, 28)
        Path("ramp.pnm").write_bytes(data)
        gm("convert", "ramp.pnm", "ramp.png")
        found = judged(gm("convert", "ramp.pnm", "-depth", "8", "rgb:-")[::3], levels, largest)
        png = judged(list(Image.open("ramp.png").convert("L").tobytes()), levels, largest)
        pillow = judged(list(Image.open("ramp.pnm").convert("L").tobytes()), levels, largest)
        wanted = "scaled twice" if kind == "P5" and largest < 255 else "right"
        print(f"{shown}, 28x28, largest {largest}: {found}, as PNG {png}; Pillow {pillow}")
        same &= found == png == wanted and pillow == "right"
for pixels in (14, 15):
    levels, data = picture("P5", 15, pixels, 1)
    Path("ramp.pnm").write_bytes(data)
    found = judged(gm("convert", "ramp.pnm", "-depth", "8", "rgb:-")[::3], levels, 15)
    print(f"binary PGM, {pixels} pixels, largest 15: {found}")
    same &= found == ("right" if pixels < 15 else "scaled twice")
version = gm("version").decode().splitlines()[0]
print(version)
sys.exit(0 if same and "1.3.40" in version else "the behaviour has changed")
PYTHON
venv/bin/python show.py
