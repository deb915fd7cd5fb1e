#!/usr/bin/env bash
# opencv-python 5.0.0.93 goes to frame 25 of a transport stream (.ts) when it is told to go to frame 0.
#
# Input: 100 frames at 25 a second that show their number, in H.264 with B-frames and a key frame each second, in a
# transport stream. Digital television and streaming in segments use it. As controls the same in MP4 and Matroska, and
# a transport stream without B-frames.
# Guess: set(CAP_PROP_POS_FRAMES, 0) goes back to the first frame, as it does with the controls, or gives False.
# Seen: read in order, all 100 frames come. After set with 0, the next frame is 25, and with each number from 1 to 25
# it is 26. Numbers from 26 on are right. set gives True, and get(CAP_PROP_POS_FRAMES) gives 0.0 then, and 25.0 for the
# numbers from 2 on. Told to go to the time 0, it is 25 too. The source seeks further back until it is before the frame
# that is asked for, and at the start it takes what comes. There FFmpeg goes to the packet that is decoded at the time
# at which the first frame is shown. It is behind the first key frame, so nothing can be decoded up to the second one.
# OpenCV 4.13.0.92 is the same. Issue 20227 of opencv/opencv has such an .mpg, and 9053 is open since 2017.
# Why it matters: a film is played once to find its size or its brightness, and from the start again to read it. The
# second time its first second is missing, or more with fewer key frames, and labels are 25 frames off. Open it anew.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  opencv-python-headless==5.0.0.93 av==18.1.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import av
import cv2
import numpy as np

folder = sys.argv[1]


def written(name: str, between: int) -> str:
    """A film of 100 frames that show their number in binary, with so many B-frames in a row."""
    path = f"{folder}/{name}"
    with av.open(path, "w") as file:
        options = {"bf": str(between), "g": "25", "threads": "1", "sc_threshold": "0", "preset": "fast"}
        stream = file.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 256, 64, "yuv420p"
        for number in range(100):
            picture = np.full((64, 256), 30, np.uint8)
            for bit in range(8):
                if number >> bit & 1:
                    picture[8:56, 32 * bit + 4 : 32 * bit + 28] = 220
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")))
        file.mux(stream.encode())
    return path


def number_of(picture: np.ndarray) -> int:
    return sum(1 << bit for bit in range(8) if picture[24:40, 32 * bit + 10 : 32 * bit + 22].mean() > 125)


def after(path: str, what: int, value: int) -> tuple[bool, float, int | None]:
    """What set says, what get gives then, and the number of the next frame."""
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    capture.read()
    said = capture.set(what, value)
    position = capture.get(cv2.CAP_PROP_POS_FRAMES)
    there, picture = capture.read()
    return said, position, number_of(picture) if there else None


def in_order(path: str) -> list[int]:
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    numbers = []
    while (read := capture.read())[0]:
        numbers.append(number_of(read[1]))
    return numbers


print("OpenCV", cv2.__version__)
same = True
asked = (0, 1, 2, 10, 20, 25, 26, 27, 30, 60, 99)
for name, between in (("film.ts", 3), ("film.mp4", 3), ("film.mkv", 3), ("plain.ts", 0)):
    path = written(name, between)
    whole = in_order(path) == list(range(100))
    found = {number: after(path, cv2.CAP_PROP_POS_FRAMES, number) for number in asked}
    start = after(path, cv2.CAP_PROP_POS_MSEC, 0)
    print(f"{name}, {between} B-frames: in order {'right' if whole else 'wrong'}, time 0 {start}")
    print("    " + ", ".join(f"{number}: {seen}" for number, seen in found.items()))
    numbers = {number: seen[2] for number, seen in found.items()}
    wrong = {0: 25, 1: 26, 2: 26, 10: 26, 20: 26, 25: 26} if name == "film.ts" else {}
    same &= whole and numbers == {number: wrong.get(number, number) for number in asked}
    same &= found[0][:2] == (True, 0) and start[2] == wrong.get(0, 0)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
