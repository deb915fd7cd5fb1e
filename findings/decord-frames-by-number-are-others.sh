#!/usr/bin/env bash
# decord2 3.4.0 gives other frames than those asked for of .ts, .avi, .mpg and of an MP4 that was cut.
#
# Input: 60 frames that show their number, written by FFmpeg with B-frames: H.264 in MP4, the same copied into a
# transport stream (.ts), and the same MP4 cut by -ss 0.5 -c copy; MPEG-4 in AVI, and MPEG-2 in .mpg.
# Guess: get_batch and reader[k] give frame number k of those that the file shows. A maintainer says in issue 130 of
# dmlc/decord that an index is always sought accurately, and that this guarantees the position.
# Seen: the whole MP4 is right. For the numbers 0, 10, 20, 30 and 40, the transport stream gives 16, 26, 36, 46 and 56:
# the first 16 frames never come, and at the end the last one is repeated 16 times, which is logged. AVI gives 0, 10, 1,
# 11 and 42, and .mpg gives 0, 10, 2, 32 and 42, though both are right when all frames are read in order. The cut MP4
# shows 47 frames from number 13 on, in PyAV and OpenCV. Here it has a length of 60, and gives 13, 23, 20, 30 and 40: it
# counts the frames that were cut off. The last frame is repeated 13 times without a word. decord 0.6.0, from which this
# package descends, gives the same. Issues 195 and 252 of dmlc/decord, open since 2021 and 2023, have AVI.
# Why it matters: training sets for video are read by number. The label of frame 30 then belongs to a picture with
# another reading, and a test of get_batch against reader[k] finds nothing, since both are wrong alike. Read such files
# in order by PyAV, or code them anew as MP4 first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  decord2==3.4.0 av==18.1.0 imageio-ffmpeg==0.8.1 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import subprocess
import sys
from importlib.metadata import version

import av
import decord
import imageio_ffmpeg
import numpy as np

FRAMES, HEIGHT, WIDTH = 60, 64, 128
WANTED = [0, 10, 20, 30, 40]


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
data = b"".join(drawn(number).tobytes() for number in range(FRAMES))
raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", "25", "-i", "-")
coded = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "20", "-bf", "3")
ffmpeg(*raw, *coded, f"{folder}/whole.mp4", data=data)
ffmpeg("-i", f"{folder}/whole.mp4", "-c", "copy", f"{folder}/film.ts")
ffmpeg("-ss", "0.5", "-i", f"{folder}/whole.mp4", "-c", "copy", f"{folder}/cut.mp4")
older = ("-pix_fmt", "yuv420p", "-bf", "2", "-q:v", "3")
ffmpeg(*raw, "-c:v", "mpeg4", "-g", "20", *older, f"{folder}/film.avi", data=data)
ffmpeg(*raw, "-c:v", "mpeg2video", "-g", "15", *older, f"{folder}/film.mpg", data=data)
found = {}
print("decord2", version("decord2"))
for name in ("whole.mp4", "cut.mp4", "film.ts", "film.avi", "film.mpg"):
    path = f"{folder}/{name}"
    with av.open(path) as container:
        shown = [number_of(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    reader = decord.VideoReader(path)
    batch = [number_of(picture) for picture in decord.VideoReader(path).get_batch(WANTED).asnumpy()]
    order = [number_of(reader[index].asnumpy()) for index in range(len(reader))]
    right = [shown[index] for index in WANTED]
    found[name] = (right, batch, order == shown)
    print(f"{name}: PyAV has {len(shown)} frames, {shown[0]} to {shown[-1]}; "
          f"decord {len(reader)}, {order[0]} to {order[-1]}")
    print(f"    number {WANTED}: PyAV {right}, decord {batch}; one after the other the same: {order == shown}")
same = found["whole.mp4"] == (WANTED, WANTED, True)
same &= found["cut.mp4"] == ([13, 23, 33, 43, 53], [13, 23, 20, 30, 40], False)
same &= found["film.ts"] == (WANTED, [16, 26, 36, 46, 56], False)
for name in ("film.avi", "film.mpg"):  # the threads of the decoder move the last frames by one or two
    right, batch, ordered = found[name]
    same &= right == WANTED and ordered and batch[:2] == [0, 10] and batch[2] < 10 and batch[4] != 40
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/show.py" "$folder"
