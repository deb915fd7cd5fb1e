#!/usr/bin/env bash
# opencv-python 5.0.0.93 goes to another time than the one it is told, in video whose frames are not evenly spaced.
#
# Input: a film of ten seconds that shows its time: five seconds at 10 frames a second, and five seconds at 2.
# Telephones make such films in the dark, and cameras that leave out frames where nothing moves. It is in MP4 and in
# Matroska, of MPEG-4 without B-frames. The same film is made with 10 frames a second throughout.
# Guess: set(CAP_PROP_POS_MSEC, t) goes to the frame at t. Read in order, get(CAP_PROP_POS_MSEC) gives the right time of
# each frame, so OpenCV knows the times.
# Seen: set gives True each time. Of the even film, all is right. Of the uneven MP4, the times 1000, 3000, 4500 and 6000
# give the frames of 600, 1900, 3200 and 4900, and for 8000 and 9000 read gives False, as at the end. Of the uneven
# Matroska, times are right up to 4500, and from 6000 on read gives False. A time is made a number of frames with the
# rate of the file, 6.25 for this MP4 and 10 for Matroska. After read, get tells the time that the frame has in truth.
# Seeking by time in PyAV 18.1.0 is right. OpenCV 4.13.0.92 is the same. Issue 15749 of opencv/opencv has the doubt that
# times make sense for such video, and issue 9053, open since 2017, has seeking by number.
# Why it matters: a reading is looked up at the time of an event, and it is one from before. Compare the time that get
# gives after read, or read in order.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  opencv-python-headless==5.0.0.93 av==18.1.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys
from fractions import Fraction

import av
import cv2
import numpy as np


def drawn(number: int) -> np.ndarray:
    """A dark picture with eight bars that show the number in binary."""
    picture = np.full((64, 128), 30, np.uint8)
    for bit in range(8):
        if number >> bit & 1:
            picture[8:56, 16 * bit + 2 : 16 * bit + 14] = 220
    return picture


def number_of(picture: np.ndarray) -> int:
    """The number that a frame shows."""
    return sum(1 << bit for bit in range(8) if picture[28:36, 16 * bit + 5 : 16 * bit + 11].mean() > 125)


def written(path: str, times: list[int]) -> None:
    """A film whose frames come at these milliseconds, and show the tenth of a second of theirs."""
    with av.open(path, "w") as file:
        stream = file.add_stream("mpeg4", rate=10, options={"bf": "0", "g": "10"})
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 128, 64, "yuv420p", 4_000_000
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for time in times:
            frame = av.VideoFrame.from_ndarray(drawn(time // 100), format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = time, stream.codec_context.time_base
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def by_opencv(path: str, asked: int):
    """The time that the frame shows after set, what set says, and what get says then."""
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    said = capture.set(cv2.CAP_PROP_POS_MSEC, asked)
    there, picture = capture.read()
    return said, number_of(picture) * 100 if there else None, round(capture.get(cv2.CAP_PROP_POS_MSEC))


def by_pyav(path: str, asked: int) -> int:
    """The time that the first frame from this time on shows."""
    with av.open(path) as file:
        stream = file.streams.video[0]
        file.seek(int(asked / 1000 / stream.time_base), stream=stream)
        for frame in file.decode(video=0):
            if frame.time * 1000 >= asked - 1:
                return number_of(frame.to_ndarray(format="gray")) * 100


films = {
    "even": [100 * number for number in range(100)],
    "uneven": [100 * number for number in range(50)] + [5000 + 500 * number for number in range(10)],
}
asked = [1000, 3000, 4500, 6000, 8000, 9000]
wanted = {
    "even.mp4": asked,
    "even.mkv": asked,
    "uneven.mp4": [600, 1900, 3200, 4900, None, None],
    "uneven.mkv": [1000, 3000, 4500, None, None, None],
}
same = True
print("OpenCV", cv2.__version__)
for name, expected in wanted.items():
    path, times = f"{sys.argv[1]}/{name}", films[name.split(".")[0]]
    written(path, times)
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    seen = []
    while True:
        there, picture = capture.read()
        if not there:
            break
        seen.append((round(capture.get(cv2.CAP_PROP_POS_MSEC)), number_of(picture) * 100))
    in_order = seen == [(time, time) for time in times]
    found = [by_opencv(path, time) for time in asked]
    print(f"{name}: in order, frames and CAP_PROP_POS_MSEC right: {in_order}; rate {capture.get(cv2.CAP_PROP_FPS)}")
    times_found, sibling = [time for _, time, _ in found], [by_pyav(path, time) for time in asked]
    print(f"    asked for {asked}: OpenCV {times_found}, PyAV {sibling}")
    same &= in_order and times_found == expected and all(said for said, _, _ in found) and sibling == asked
    same &= all(told == time for _, time, told in found if time is not None)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
