"""Speed, memory and accuracy of live reading on one core.

    python benchmarks/live.py [SEQUENCES] [--save]
    python benchmarks/live.py [SEQUENCES] --only counters    # or sequences; nothing is saved
    python benchmarks/live.py --still docs/live.jpg     # the picture of docs/live.md

Takes about an hour for 300 sequences and 300 counters on a quiet machine with two cores: one reads, the other one
sends. The frames are those of sequences.py, 1280x720. Targets: at least 150 frames a second; at 30 frames a second 95 %
of the latencies under two frame times; the same memory after 10,000 frames as after 100; 99 % of the sequences right;
no number announced that was not on the page, or that a counter never showed.
"""

import multiprocessing
import os
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, process_time, sleep
from typing import Any

import av
import cv2
import numpy as np
import sequences
from timing import argument_parser, report

from digitocr import Reader, VideoReader
from digitocr.runtime.live.frames import Pixels

RATE = 30  # frames a second that are sent
SENT = 1200  # frames over which the latency is taken
LONG = 10_000  # frames after which memory is compared with that after SHORT frames
SHORT = 100
FIRST = 100  # the first seed of the sequences; the rules of tracking were chosen on smaller ones
STOOD = 30  # frames; a counter's number that is shown in so many of them should be announced
RISING = 10  # the largest step that is allowed where a counter is read with `rising`
KEPT = 75  # different frames, which are repeated
FILMED = 600  # frames of a video file
CODECS = {"H.264": ("libx264", "yuv420p", "clip.mp4"), "MJPEG": ("mjpeg", "yuvj420p", "clip.avi")}


class Drawn:
    """A source whose frames are drawn or decoded as they are read."""

    live = False
    fps = float(RATE)

    def __init__(self, frames: Iterator[Pixels]) -> None:
        self._frames = frames

    def read(self) -> Pixels | None:
        return next(self._frames, None)

    def release(self) -> None:
        pass


def jpegs() -> list[bytes]:
    """The frames of one sequence, as a camera sends them."""
    rng = np.random.default_rng(1)
    drawn = sequences.frames(sequences.page(rng), rng, KEPT)
    return [cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1].tobytes() for frame in drawn]


def decoded(sent: list[bytes], count: int) -> Iterator[Pixels]:
    for number in range(count):
        bgr = cv2.imdecode(np.frombuffer(sent[number % len(sent)], np.uint8), cv2.IMREAD_COLOR)
        yield cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def alone(core: int) -> None:
    os.sched_setaffinity(0, {core})
    cv2.setNumThreads(1)


def film(folder: str, codec: str) -> str:
    """Writes FILMED frames as a video file; as MJPEG the JPEGs as they are. Returns its path."""
    encoder, form, name = CODECS[codec]
    path = str(Path(folder, name))
    sent = jpegs()
    frames = list(decoded(sent, KEPT)) if encoder != "mjpeg" else []
    with av.open(path, "w") as file:
        stream = file.add_stream(encoder, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *sequences.SIZE, form
        for number in range(FILMED):
            if frames:
                file.mux(stream.encode(av.VideoFrame.from_ndarray(frames[number % KEPT], format="rgb24")))
                continue
            packet = av.Packet(sent[number % KEPT])
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, number, number, Fraction(1, RATE)
            packet.is_keyframe = True
            file.mux(packet)
        if frames:
            file.mux(stream.encode())
    return path


def rate(path: str, answer: Connection) -> None:
    """Sends the frames of a video file per second of one core's time, decoding included."""
    alone(0)
    began, number = 0.0, 0
    for number, _ in enumerate(VideoReader(path).frames(), 1):
        if number == SHORT:
            began = process_time()  # of all threads of this process, so that other programs do not count
    answer.send((number - SHORT) / (process_time() - began))


def memory(answer: Connection) -> None:
    """Sends the MB after SHORT and LONG frames."""
    alone(0)
    taken = {}
    for number, _ in enumerate(VideoReader(Drawn(decoded(jpegs(), LONG))).frames(), 1):
        if number in (SHORT, LONG):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            taken[number] = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    answer.send((taken[SHORT], taken[LONG]))


def latencies(address: str, answer: Connection) -> None:
    """Sends the latencies in ms at RATE frames a second, the share of a core, and the number of skipped frames."""
    alone(0)
    taken: list[float] = []
    began = spent = 0.0
    first = last = 0
    with VideoReader(address) as video:
        for frame in video.frames():
            if frame is None:
                continue
            if frame.index < RATE:  # the first second is start-up
                began, spent, first = perf_counter(), process_time(), frame.index
                continue
            taken.append(frame.latency)
            last = frame.index
            if last >= SENT:
                break
        share = (process_time() - spent) / (perf_counter() - began)
    answer.send((taken, share, last - first - len(taken)))


def send(answer: Connection) -> None:
    """Serves the JPEGs as a stream, RATE a second."""
    alone(1)
    sent = jpegs()

    class Stream(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b")
            self.end_headers()
            began = perf_counter()
            try:
                for number in range(10 * SENT):
                    sleep(max(0.0, began + number / RATE - perf_counter()))
                    jpeg = sent[number % len(sent)]
                    head = f"--b\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
            except OSError:  # the reader has closed the connection
                return

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Stream)
    answer.send(f"http://127.0.0.1:{server.server_address[1]}/")
    server.serve_forever()


def in_process(function: Any, *arguments: Any) -> tuple[Any, Any]:
    """Runs the function in a process. Returns the first value it sends, and the process."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=function, args=(*arguments, there), daemon=True)
    process.start()
    return here.recv(), process


def sequence(seed: int) -> tuple[list[str], list[str], int, int]:
    """Returns the page's lines, the announced ones, the number of frames without a hand, and how many were right."""
    rng = np.random.default_rng(seed)
    page = sequences.page(rng)
    announced, still, right = [], 0, 0
    for frame in VideoReader(Drawn(sequences.frames(page, rng))).frames():
        if frame is None:
            continue
        announced += [reading.text for reading in frame.announced]
        if not sequences.FRAMES / 3 <= frame.index <= sequences.FRAMES * 2 / 3:
            still += 1
            right += frame.reading.text == page.text
    return page.text.split("\n"), announced, still, right


def counter(seed: int, reader: Reader, rising: int) -> tuple[list[str], list[str], list[str]]:
    """Returns the announced numbers, those of them that were never shown, and those that stood and were not announced.

    With `rising`, the number of digits is given as well, as for a meter at home.
    """
    rng = np.random.default_rng(seed)
    turning = sequences.random_counter(rng)
    source = Drawn(turning.frames(rng))
    video = VideoReader(source, reader, rising=rising, digits=turning.wheels if rising else 0)
    announced = [reading.text for reading in video]
    times = Counter(text for text in turning.shown if text)
    strange = [text for text in announced if text not in times]
    missed = [text for text, count in times.items() if count >= STOOD and text not in announced]
    return announced, strange, missed


def counters(count: int) -> list[tuple[str, str, str]]:
    """The rows of the result on counters: without help, and as a meter is read."""
    reader, rows = Reader(rotate=0), []
    for rising, how in ((0, ""), (RISING, f", with digits and rising {RISING}")):
        said = false = left = 0
        for seed in range(FIRST, FIRST + count):
            announced, strange, missed = counter(seed, reader, rising)
            said, false, left = said + len(announced), false + len(strange), left + len(missed)
            if strange:
                print(f"counter {seed}{how}: {announced} announced, {strange} never shown", file=sys.stderr)
        rows.append((f"turning counters{how}: numbers announced that were never shown", f"{false} of {said}", "0"))
        rows.append((f"turning counters{how}: numbers shown for a second and not announced", str(left), ""))
    return rows


def read_sequences(count: int) -> list[tuple[str, str, str]]:
    """The rows of the result on sequences."""
    results = []
    for seed in range(FIRST, FIRST + count):
        results.append(sequence(seed))
        wanted, announced, _, _ = results[-1]
        if sorted(wanted) != sorted(announced):
            print(f"sequence {seed}: {wanted} announced as {announced}", file=sys.stderr)
    whole = sum(sorted(wanted) == sorted(announced) for wanted, announced, _, _ in results)
    strange = sum(text not in wanted for wanted, announced, _, _ in results for text in announced)
    still, right = (sum(result[place] for result in results) for place in (2, 3))
    return [
        ("sequences with each number announced, once", f"{whole} of {count}", "99%"),
        ("numbers announced that were not there", f"{strange} of {2 * count}", "0"),
        ("for comparison: single frames without a hand that are right", f"{right / still:.1%}", ""),
    ]


def still(path: str) -> None:
    """Writes a frame of a sequence as the window and the page show it, at half its size."""
    from digitocr.cli.live import overlay

    rng = np.random.default_rng(6)
    shown = None
    for frame in VideoReader(Drawn(sequences.frames(sequences.page(rng), rng))).frames():
        if frame is not None and frame.index == sequences.FRAMES * 2 // 5:
            shown = overlay.to_bgr(overlay.drawn(frame, None, RATE, mirror=False))
    cv2.imwrite(path, cv2.resize(shown, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def main(count: int, save: bool) -> None:
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        for codec in CODECS:
            rates[codec], _ = in_process(rate, film(folder, codec))
    (short, long), _ = in_process(memory)
    address, server = in_process(send)
    (taken, share, missed), _ = in_process(latencies, address)
    server.terminate()
    cv2.setNumThreads(1)
    shares = statistics.quantiles(taken, n=20)
    rows: list[tuple[str, str, str]] = [
        *((f"frames a second of one core's time, {codec}", f"{most:.1f}", "150") for codec, most in rates.items()),
        (f"latency at {RATE} a second, ms: half within", f"{shares[9]:.1f}", ""),
        ("95 % within", f"{shares[18]:.1f}", f"{2000 / RATE:.1f}"),
        (f"share of one core at {RATE} a second", f"{share:.0%}", ""),
        ("frames skipped", f"{missed} of {missed + len(taken)}", ""),
        (f"MB after {SHORT} frames, after {LONG:,}", f"{short:.0f}, {long:.0f}", "the same"),
        *read_sequences(count),
        *counters(count),
    ]
    notes = [
        f"1280x720, two lines of four digits; `python benchmarks/live.py {count}`",
        "frames a second are those of a video file, over the processor time of all threads, so other programs do not "
        "count; latencies include waiting for them, and are of JPEGs by HTTP",
        f"a sequence is {sequences.FRAMES} frames: the camera shakes and loses focus, the picture is noisy, a hand "
        "passes over the page",
        f"a counter is {sequences.COUNTED} frames: four to eight wheels that turn or stand still, also between two "
        "digits, under the same camera without a hand; it shows a number while its last wheel is within "
        f"{sequences.SHOWN} of a digit",
    ]
    report(
        "live",
        "Reading live",
        [{"what": what, "result": result, "wanted": wanted} for what, result, wanted in rows],
        notes,
        save,
    )


PARTS = {"sequences": read_sequences, "counters": counters}


if __name__ == "__main__":
    parser = argument_parser(__doc__)
    parser.add_argument("sequences", nargs="?", type=int, default=300, help="default: 300")
    parser.add_argument("--only", choices=PARTS, help="read these alone, and print the result")
    parser.add_argument("--still", metavar="FILE", help="draw one frame into this file, and measure nothing")
    arguments = parser.parse_args()
    if arguments.still:
        still(arguments.still)
    elif arguments.only:
        cv2.setNumThreads(1)
        for row in PARTS[arguments.only](arguments.sequences):
            print(*row[:2], sep=": ")
    else:
        main(arguments.sequences, arguments.save)
