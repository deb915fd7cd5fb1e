#!/usr/bin/env bash
# opencv-python 5.0.0.93 writes FFmpeg's log to standard output once OPENCV_FFMPEG_LOGLEVEL is set.
#
# Input: a valid interlaced MPEG-2 file, written by PyAV 15.1.0, of which FFmpeg logs an error for each frame.
# Guess: the log goes to standard error; the variable only chooses how much of it.
# Seen: without the variable the error is on standard error and standard output is empty. With
# OPENCV_FFMPEG_LOGLEVEL=16 (errors only), the same messages are on standard output as "[OPENCV:FFMPEG:16] ...", and
# standard error is empty.
# Why it matters: people set the variable to make a program quieter. A program that prints its readings as lines of text
# or JSON then has FFmpeg's lines among them, and what reads its output breaks.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 av==15.1.0
cat > "$folder/write.py" << 'PYTHON'
import sys

import av
import numpy as np

with av.open(sys.argv[1], "w") as file:
    stream = file.add_stream("mpeg2video", rate=25, options={"flags": "+ildct+ilme"})
    stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 320, 240, "yuv420p", 4_000_000
    for number in range(5):
        frame = av.VideoFrame.from_ndarray(np.full((240, 320, 3), 40 + 4 * number, np.uint8), format="rgb24")
        file.mux(stream.encode(frame))
    file.mux(stream.encode())
PYTHON
cat > "$folder/read.py" << 'PYTHON'
import sys

import cv2

capture = cv2.VideoCapture(sys.argv[1])
while capture.read()[0]:
    pass
PYTHON
python=$folder/venv/bin/python
"$python" "$folder/write.py" "$folder/clip.mpg" 2> /dev/null
env -u OPENCV_FFMPEG_LOGLEVEL "$python" "$folder/read.py" "$folder/clip.mpg" > "$folder/unset.out" 2> "$folder/unset.err"
OPENCV_FFMPEG_LOGLEVEL=16 "$python" "$folder/read.py" "$folder/clip.mpg" > "$folder/set.out" 2> "$folder/set.err"
for name in unset set; do
  echo "$name: $(wc -l < "$folder/$name.out") lines on standard output, $(wc -l < "$folder/$name.err") on standard error"
done
[ ! -s "$folder/unset.out" ] && [ -s "$folder/unset.err" ] && grep -q '^\[OPENCV:FFMPEG:16\]' "$folder/set.out" \
  && [ ! -s "$folder/set.err" ] || { echo "the behaviour has changed"; exit 1; }
