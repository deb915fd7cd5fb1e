#!/usr/bin/env bash
# PyAV 17.0.1 and 18.1.0 spoil pixels of frames that they convert from RGB to 10 bits.
#
# Input: valid RGB frames of 854x480, 1366x768 and 1280x720 pixels, encoded without loss (FFV1, yuv420p10le). All
# frames of a size are the same picture, so all decoded frames should be the same too.
# Guess: they are, as the conversion to the format of the encoder is arithmetic.
# Seen: at 854 and 1366 pixels' width the decoded frames are of two or more kinds. They differ in the first eight
# pixels of two rows, by up to 376 of 1023. These seem to be the rows where another thread begins, and what is written
# there to be the end of the row above, as if a thread wrote whole blocks of 16 pixels. At 1280 pixels, a multiple of
# 16, all frames are the same, and so they are with threads=1 in VideoFrame.reformat. PyAV 16.1.0 gave the same frame
# 100 times.
# Why it matters: 10 bits are how HEVC and AV1 are recorded now. Pictures that a test or an archive writes by PyAV have
# wrong pixels, now and then, in a codec that loses nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/kinds.py" << 'PYTHON'
import os
import sys

import av
import numpy as np

FRAMES = 200
os.chdir(sys.argv[1])
for width, height in ((854, 480), (1366, 768), (1280, 720)):
    levels = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8 + 1, 1), np.uint8)
    picture = np.ascontiguousarray(np.kron(levels, np.ones((8, 8, 3), np.uint8))[:, :width])
    for threads in (None, 1):
        with av.open("clip.mkv", "w") as file:
            stream = file.add_stream("ffv1", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p10le"
            for _ in range(FRAMES):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                if threads:
                    frame = frame.reformat(format="yuv420p10le", threads=threads)
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
        lumas = []
        with av.open("clip.mkv") as file:
            for frame in file.decode(video=0):
                rows = np.frombuffer(memoryview(frame.planes[0]), np.uint16).reshape(-1, frame.planes[0].line_size // 2)
                lumas.append(rows[:height, :width].astype(int))
        spread = np.max(lumas, axis=0) - np.min(lumas, axis=0)
        places = [f"rows {sorted({*map(int, y)})}, columns {x.min()} to {x.max()}, by up to {spread.max()} of 1023"
                  for y, x in [np.nonzero(spread)] if len(y)]
        kinds = len({luma.tobytes() for luma in lumas})
        print(f"{av.__version__} {width}x{height} threads={threads}: kinds={kinds}", *places)
PYTHON
for version in 17.0.1 18.1.0; do
  python3 -m venv "$folder/venv-$version"
  "$folder/venv-$version/bin/pip" install --quiet --disable-pip-version-check "av==$version" numpy==2.4.6
  "$folder/venv-$version/bin/python" "$folder/kinds.py" "$folder" | tee "$folder/$version.txt"
  for size in 854x480 1366x768; do
    grep -Eq "$size threads=None: kinds=[2-9]" "$folder/$version.txt" && grep -q "$size threads=1: kinds=1" "$folder/$version.txt" \
      || { echo "the behaviour has changed (or there is one core only)"; exit 1; }
  done
  grep -q "1280x720 threads=None: kinds=1" "$folder/$version.txt" || { echo "the behaviour has changed"; exit 1; }
done
