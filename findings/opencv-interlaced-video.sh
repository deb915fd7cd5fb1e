#!/usr/bin/env bash
# opencv-python 5.0.0.93 reads interlaced video as one frame that never changes, and reports success for each.
#
# Input: a valid MPEG-2 file of 50 frames, written by PyAV 15.1.0 with interlaced coding. The picture gets brighter from
# frame to frame. Guess: VideoCapture.read() gives the frames, or False where it cannot.
# Seen: read() gives True 50 times and 50 times the same pixels. The colour conversion inside fails ("Cannot convert
# interlaced to progressive frames or vice versa" on stderr) and the former buffer is handed out. The same file coded
# progressively gives 50 different frames, and PyAV decodes both.
# Why it matters: recordings of DVD and television devices and streams of older network cameras are interlaced. A reader
# of meters or scoreboards gets a stale picture, takes it for a steady one, and reports its number with confidence.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 av==15.1.0
cat > "$folder/show.py" << 'PYTHON'
import sys

import av
import cv2
import numpy as np


def write(path, options):
    with av.open(path, "w") as file:
        stream = file.add_stream("mpeg2video", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 320, 240, "yuv420p", 4_000_000
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((240, 320, 3), 40 + 4 * number, np.uint8), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def opencv(path):
    capture, means = cv2.VideoCapture(path), []
    while True:
        there, frame = capture.read()
        if not there:
            return means
        means.append(float(frame.mean()))


def pyav(path):
    with av.open(path) as file:
        return [float(frame.to_ndarray(format="gray").mean()) for frame in file.decode(video=0)]


seen = {}
for name, options in (("progressive", {}), ("interlaced", {"flags": "+ildct+ilme"})):
    path = f"{sys.argv[1]}/{name}.mpg"
    write(path, options)
    seen[name] = opencv(path)
    print(f"{name}: OpenCV {cv2.__version__} gives {len(seen[name])} frames, {len(set(seen[name]))} of them different; "
          f"PyAV {len(set(pyav(path)))}")
as_found = len(seen["progressive"]) == len(seen["interlaced"]) == 50
as_found &= len(set(seen["progressive"])) > 40 and len(set(seen["interlaced"])) == 1
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder" 2> "$folder/stderr" || { tail -n 1 "$folder/stderr"; exit 1; }
