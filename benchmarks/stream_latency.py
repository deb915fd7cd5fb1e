"""The time from a change in an RTSP stream to its announcement, and how it grows with the number of cores.

    python benchmarks/stream_latency.py [CHANGES] [--fps FPS] [--save]

Needs Debian's gir1.2-gst-rtsp-server-1.0, python3-gi, gstreamer1.0-plugins-good and -ugly for the server, and a C
compiler. A camera of tests/runtime/live/rtsp_server.py shows one number after the other; a process reads it as
`digitocr webcam` does. FFmpeg is told by a preloaded library that the machine has 16 cores. For comparison the same
stream is read through OpenCV's VideoCapture, with a decoder thread for each core, as is its default. All four take
turns. Takes a minute for 8 changes on a quiet machine; on another one, few frames a second (--fps 5) leave time for the
rest.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import cv2
import numpy as np
from timing import argument_parser, report

from digitocr import VideoReader
from digitocr.runtime.live.frames import Pixels
from digitocr.train.synthesis.pages import Style, draw_page

SIZE = (640, 480)
NUMBERS = ("407", "82", "365", "914")  # none begins or ends as another, so that each counts after 7 of 9 frames
CORES = 16
LARGEST = 0.4  # of the latency through OpenCV on a machine of CORES cores
PRETENDING = f"""
#define _GNU_SOURCE
#include <sched.h>
int sched_getaffinity(pid_t process, size_t size, cpu_set_t *cores) {{
    CPU_ZERO(cores);
    for (int core = 0; core < {CORES}; core++) CPU_SET(core, cores);
    return 0;
}}
"""


class ByOpenCV:
    """A stream as OpenCV reads it on a machine of that many cores. It is live, as a FrameSource is by default."""

    def __init__(self, address: str, cores: int) -> None:
        self._capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, cores])

    def read(self) -> Pixels | None:
        there, pixels = self._capture.read()
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8) if there else None

    def release(self) -> None:
        self._capture.release()


def read(way: str, cores: str, address: str) -> None:
    """Prints each announced number, and when that was."""
    cv2.setNumThreads(1)
    for reading in VideoReader(ByOpenCV(address, int(cores)) if way == "OpenCV" else address):
        print(reading.text, monotonic(), flush=True)


class Camera:
    """The server, and when it showed which number."""

    def __init__(self, folder: Path, fps: int) -> None:
        script = Path(__file__).parents[1] / "tests" / "runtime" / "live" / "rtsp_server.py"
        command = ["/usr/bin/python3", str(script), "x".join(map(str, SIZE)), "--fps", str(fps)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self._line()
        self._folder = folder
        rng = np.random.default_rng(5)
        for number in NUMBERS:
            page = draw_page([number], rng, Style(SIZE, digit_height=160)).image
            (folder / number).write_bytes(page.tobytes())

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def show(self, number: str) -> float:
        """Shows the number. Returns when, in seconds of the monotonic clock; a viewer must be there."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{self._folder / number}\n")
        self._process.stdin.flush()
        return float(self._line())

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def latencies(way: str, cores: int, preload: str, changes: int, fps: int, folder: Path) -> list[float]:
    """The times in ms from the changes of a stream to their announcement."""
    camera = Camera(folder, fps)
    environment = {**os.environ, "LD_PRELOAD": preload} if preload else dict(os.environ)
    command = [sys.executable, __file__, "--read", way, str(cores), camera.address]
    reader = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert reader.stdout is not None
    too_late = threading.Timer(60 + 20 * changes, reader.kill)
    too_late.start()
    taken = []
    shown = camera.show(NUMBERS[0])
    for number, line in enumerate(reader.stdout):
        text, at = line.split()
        if number:
            assert text == NUMBERS[number % len(NUMBERS)], f"{text} was announced"
            taken.append(1000 * (float(at) - shown))
        if len(taken) == changes:
            break
        sleep(0.7 + 0.013 * number)  # at another time between two frames for each change
        shown = camera.show(NUMBERS[(number + 1) % len(NUMBERS)])
    too_late.cancel()
    reader.kill()
    reader.wait()
    camera.close()
    return taken


def main(changes: int, fps: int, save: bool) -> None:
    taken: dict[tuple[str, int], list[float]] = {}
    own = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "cores.c").write_text(PRETENDING)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "cores.so", folder / "cores.c"], check=True)
        for _ in range(2):
            for cores, preload in ((own, ""), (CORES, str(folder / "cores.so"))):
                for way in ("OpenCV", "digitocr"):
                    more = latencies(way, cores, preload, (changes + 1) // 2, fps, folder)
                    taken[way, cores] = taken.get((way, cores), []) + more
    rows: list[dict[str, Any]] = [
        {
            "what": f"{way}, {cores} cores",
            "least, ms": f"{min(times):.0f}",
            "half within": f"{statistics.median(times):.0f}",
            "most": f"{max(times):.0f}",
        }
        for (way, cores), times in taken.items()
    ]
    ratios = [
        measure(taken["digitocr", CORES]) / measure(taken["OpenCV", CORES]) for measure in (min, statistics.median)
    ]
    notes = [
        f"{SIZE[0]}x{SIZE[1]}, {fps} frames a second, H.264; {changes} changes each; the vote takes 7 frames",
        f"digitocr / OpenCV at {CORES} cores: {ratios[0]:.2f} of the least, {ratios[1]:.2f} of the median; wanted: "
        f"{LARGEST} or less",
        f"`python benchmarks/stream_latency.py {changes} --fps {fps}`",
    ]
    report("stream_latency", "From a change in a stream to its announcement", rows, notes, save)


if __name__ == "__main__":
    parser = argument_parser(__doc__)
    parser.add_argument("changes", nargs="?", type=int, default=8, help="default: 8")
    parser.add_argument("--fps", type=int, default=25, help="frames per second of the camera")
    parser.add_argument(
        "--read", nargs=3, metavar=("WAY", "CORES", "ADDRESS"), help="only read, and print what is announced"
    )
    arguments = parser.parse_args()
    if arguments.read:
        read(*arguments.read)
    else:
        main(arguments.changes, arguments.fps, arguments.save)
