#!/usr/bin/env bash
# imageio 2.38.1 with PyAV 18.1.0 gives the first frame of a transport stream for nearly every index.
#
# Input: 100 frames at 25 a second that show their number, in H.264, in a transport stream (.ts). Digital television and
# cameras that stream in segments use it. FFmpeg writes it with its defaults, and its time begins at 1.4 seconds. The
# same coded frames are in MP4, in Matroska, and in Matroska whose time begins at 10 seconds.
# Guess: imread(path, index=k) gives frame number k of imiter. The documentation says that index is the index of the
# frame, and a maintainer says in issue 1050 of imageio/imageio that imageio seeks exactly.
# Seen: imiter gives the frames 0 to 99 of each file, and imread of MP4 and Matroska gives number k for k. Of the
# transport stream, the indices 0, 1, 2, 5, 10, 25, 50 and 75 give the frames 0, 1, 0, 0, 0, 0, 16 and 48. Where the
# time begins at 10 seconds, all but index 1 give frame 0. No error, no warning. The plugin makes a time of the index,
# and does not add the time at which the stream begins. It is the plugin that imageio chooses for .ts with both plugins
# installed; for Matroska it chooses the other, which is right. No issue that mentions it was found.
# Why it matters: one frame for each minute of a recording is read. All show the first reading, and the meter seems to
# stand still. Use imiter, or imread with constant_framerate=False, which counts the frames and is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  imageio==2.38.1 av==18.1.0 imageio-ffmpeg==0.8.1 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import subprocess
import sys

import av
import imageio
import imageio.v3 as iio
import imageio_ffmpeg
import numpy as np

FRAMES, HEIGHT, WIDTH = 100, 64, 128
WANTED = [0, 1, 2, 5, 10, 25, 50, 75]


def drawn(number: int) -> np.ndarray:
    """A dark picture with eight bars that show the number in binary."""
    picture = np.full((HEIGHT, WIDTH), 30, np.uint8)
    for bit in range(8):
        if number >> bit & 1:
            picture[8:56, 16 * bit + 2 : 16 * bit + 14] = 220
    return picture


def number_of(picture: np.ndarray) -> int:
    """The number that a frame shows."""
    return sum(1 << bit for bit in range(8) if picture[28:36, 16 * bit + 5 : 16 * bit + 11].mean() > 125)


def ffmpeg(*options: str, data: bytes = b"") -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *options]
    subprocess.run(command, input=data, check=True)


folder = sys.argv[1]
raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", "25", "-i", "-")
coded = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "25", "-bf", "0")
ffmpeg(*raw, *coded, f"{folder}/film.mp4", data=b"".join(drawn(number).tobytes() for number in range(FRAMES)))
for name, options in (("film.ts", ()), ("film.mkv", ()), ("later.mkv", ("-output_ts_offset", "10"))):
    ffmpeg("-i", f"{folder}/film.mp4", "-c", "copy", *options, f"{folder}/{name}")
print("imageio", imageio.__version__, "PyAV", av.__version__)
found = {}
for name in ("film.mp4", "film.mkv", "film.ts", "later.mkv"):
    path = f"{folder}/{name}"
    with av.open(path) as container:
        stream = container.streams.video[0]
        start = float((stream.start_time or 0) * stream.time_base)
    all_of_them = [number_of(frame) for frame in iio.imiter(path, plugin="pyav")]
    read = [number_of(iio.imread(path, index=index, plugin="pyav")) for index in WANTED]
    slow = [number_of(iio.imread(path, index=index, plugin="pyav", constant_framerate=False)) for index in WANTED]
    whole = all_of_them == list(range(FRAMES)) and slow == WANTED
    found[name] = read if whole else None
    with iio.imopen(path, "r") as file:
        plugin = type(file).__name__
    print(f"{name}: begins at {start:.1f} s, imread of {WANTED} gives {read}")
    print(f"    imiter and constant_framerate=False right: {whole}; plugin without being asked for: {plugin}")
wanted = {
    "film.mp4": WANTED,
    "film.mkv": WANTED,
    "film.ts": [0, 1, 0, 0, 0, 0, 16, 48],
    "later.mkv": [0, 1, 0, 0, 0, 0, 0, 0],
}
sys.exit(0 if found == wanted else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/show.py" "$folder"
