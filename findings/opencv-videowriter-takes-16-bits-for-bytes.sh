#!/usr/bin/env bash
# opencv-python 5.0.0.93: VideoWriter takes frames of uint16, and writes the bytes of their left half as pixels.
#
# Input: a drawn 4831, level 10000 on paper of 50000, as uint16, as thermal and industrial cameras give it; a writer
# with its default depth of 8 bits, in grey and in colour, of FFV1, HuffYUV, MJPEG and MPEG-4.
# Guess: write refuses the frame, as it refuses floats with an exception, and another size or number of colours with
# False; or it scales to 8 bits.
# Seen: write gives True for each frame and codec. In grey, each pixel of uint16 becomes two, its low and its high byte.
# The right half of the frame is missing, and the left half is stretched over the whole width. Paper of 50000 is stripes
# of 80 and 195, and ink of 10000 is stripes of 16 and 39. The size and the number of frames are right, and frames of
# uint8 too. Nothing is logged, while False comes with a line. The assertion allows both depths, whatever the writer was
# opened for. With VIDEOWRITER_PROP_DEPTH of CV_16U, FFV1 keeps the levels. OpenCV 4.13.0.92 has the same pixels.
# Why it matters: the recording looks like a fault of the camera, and half of the digits are lost for good. Scale frames
# first, (frame >> 8).astype(numpy.uint8), or open the writer for 16 bits and read with CAP_PROP_CONVERT_RGB of 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIZE = (128, 48)
drawn = Image.new("1", SIZE, 1)
ImageDraw.Draw(drawn).text((4, 0), "4831", 0, ImageFont.load_default(size=40))
page = np.where(np.asarray(drawn), 50000, 10000).astype(np.uint16)
as_bytes = np.ascontiguousarray(page).view(np.uint8)[:, : SIZE[0]]
print("OpenCV", cv2.__version__)


def kept(frame: np.ndarray, code: str, ending: str, colour: bool):
    """What write gives, and the frames that come back, in grey."""
    path = f"{sys.argv[1]}/film.{ending}"
    if colour:
        frame = np.repeat(frame[:, :, None], 3, 2)
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*code), 10, SIZE, colour)
    said = [writer.write(frame) for _ in range(5)]
    writer.release()
    capture, frames = cv2.VideoCapture(path), []
    while True:
        there, picture = capture.read()
        if not there:
            return said, frames
        frames.append(picture[:, :, 1])


same = True
for code, ending, colours in (("FFV1", "mkv", 2), ("HFYU", "avi", 2), ("MJPG", "avi", 1), ("mp4v", "mp4", 1)):
    for colour in (False, True)[:colours]:
        eight = (page >> 8).astype(np.uint8)
        wrong = as_bytes
        if colour:
            wrong = np.ascontiguousarray(np.repeat(page[:, :, None], 3, 2)).view(np.uint8).reshape(48, -1)[:, :384]
            wrong = wrong.reshape(48, 128, 3)[:, :, 1]
        rows = []
        for name, frame, wanted in (("uint8", eight, eight), ("uint16", page, wrong)):
            said, frames = kept(frame, code, ending, colour)
            off = max(float(np.abs(picture - wanted.astype(float)).mean()) for picture in frames)
            rows.append(f"{name} write {set(said)}, {len(frames)} frames, mean difference {off:.1f}")
            same &= set(said) == {True} and len(frames) == 5
            same &= off < 3 #(1.5 if code in ("FFV1", "HFYU") or name == "uint8" else 25)
        print(f"{code}, {'colour' if colour else 'grey'}: from {rows[0]} from the frame; from {rows[1]} from its bytes")
_, frames = kept(page, "FFV1", "mkv", False)
levels = [sorted(set(frames[0][-1, start::2].tolist())) for start in (0, 1)]
print("pixels of the last line, all paper of 50000:", levels)
same &= levels == [[80], [195]]
try:
    kept(page.astype(np.float32), "FFV1", "mkv", False)
    same = False
except cv2.error as error:
    print("float32:", str(error).strip().splitlines()[-1][-110:])
writer = cv2.VideoWriter(f"{sys.argv[1]}/small.mkv", cv2.VideoWriter_fourcc(*"FFV1"), 10, SIZE, False)
smaller = writer.write(np.zeros((40, 128), np.uint8))
print("another size: write", smaller)
same &= smaller is False
path = f"{sys.argv[1]}/deep.mkv"
deep = [cv2.VIDEOWRITER_PROP_DEPTH, cv2.CV_16U, cv2.VIDEOWRITER_PROP_IS_COLOR, 0]
writer = cv2.VideoWriter(path, cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"FFV1"), 10, SIZE, deep)
writer.write(page)
writer.release()
there, picture = cv2.VideoCapture(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_CONVERT_RGB, 0]).read()
print("with a depth of 16 bits:", picture.dtype, "and equal:", np.array_equal(picture, page))
same &= np.array_equal(picture, page)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
OPENCV_LOG_LEVEL=WARNING "$folder/venv/bin/python" "$folder/show.py" "$folder"
