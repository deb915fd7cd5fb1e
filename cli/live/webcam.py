"""The command webcam: frames of a source are read, what holds is printed, and all of it may be watched and recorded."""

import json
import re
import signal
import statistics
import sys
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import Protocol

from digitocr.cli.batch.output import SCHEMA, say
from digitocr.cli.batch.render import text_line
from digitocr.cli.live import overlay
from digitocr.cli.live.recording import Recording
from digitocr.runtime.errors import NothingReadError, UsageError
from digitocr.runtime.live.video import FrameReading, SteadyReading, VideoReader
from digitocr.runtime.opencv import cv2
from digitocr.runtime.orientation import Rotation
from digitocr.runtime.reader import Reader

RECENT = 30  # frames that the shown rate is taken over
COUNTED = 10_000  # frames that the reported latency is taken over


class View(Protocol):
    """Where frames are shown."""

    def show(self, frame: FrameReading, fps: float) -> bool:
        """Shows a frame; whether to go on."""

    def idle(self) -> bool:
        """Called while no frame comes; whether to go on."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Settings:
    """What the command was told; the names are those of its options, 0 and empty are for none."""

    source: str
    view: str
    host: str
    port: int
    model: Path | None
    detector: Path | None
    conf: float
    rotate: str
    every: int
    roi: str
    expect: str
    digits: int
    jsonl: bool
    all_frames: bool
    once: bool
    max_seconds: float
    record: Path | None
    force: bool
    mirror: bool
    width: int
    height: int
    fps: float
    reconnect: float
    quiet: bool


class _Counts:
    """Frames a second at the moment, and what is reported at the end."""

    def __init__(self) -> None:
        self.began = perf_counter()
        self.frames = self.announced = 0
        self.last = 0  # the newest frame's number
        self._came: deque[float] = deque(maxlen=RECENT)
        self._latencies: deque[float] = deque(maxlen=COUNTED)

    @property
    def seconds(self) -> float:
        return perf_counter() - self.began

    def add(self, frame: FrameReading) -> float:
        """Counts the frame; frames a second over the recent ones."""
        self.frames, self.last = self.frames + 1, frame.frame
        self.announced += len(frame.announced)
        self._came.append(perf_counter())
        self._latencies.append(frame.latency)
        took = self._came[-1] - self._came[0]
        return (len(self._came) - 1) / took if took else 0.0

    def __str__(self) -> str:
        if self.frames < 2:
            return f"{self.frames} frames in {self.seconds:.1f} s"
        shares = statistics.quantiles(self._latencies, n=20)
        return (
            f"{self.frames} frames in {self.seconds:.1f} s, {self.frames / self.seconds:.1f} a second, "
            f"{self.last + 1 - self.frames} passed by unread; {self.announced} readings announced; "
            f"latency from frame to reading {shares[9]:.0f} ms, 95 % within {shares[18]:.0f} ms"
        )


def run(settings: Settings) -> None:
    """Reads until the source or the time is over, or a person ends it. Raises DigitocrError."""
    roi, expect = _parsed(settings)
    if settings.view == "window":
        from digitocr.cli.live.window import check_display

        check_display()
    signal.signal(signal.SIGTERM, _interrupt)
    cv2.setNumThreads(1)
    rotate: Rotation = "auto" if settings.rotate == "auto" else int(settings.rotate)
    reader = Reader(settings.model, detector=settings.detector, conf=settings.conf, rotate=rotate)
    with ExitStack() as stack:
        video = stack.enter_context(
            VideoReader(
                settings.source,
                reader,
                every=settings.every,
                roi=roi,
                expect=expect,
                width=settings.width,
                height=settings.height,
                fps=settings.fps,
                reconnect=settings.reconnect,
            )
        )
        _tell(settings, f"{settings.source}: {video.size[0]}x{video.size[1]} at {video.fps:.4g} frames a second")
        recording = None
        if settings.record:
            recording = stack.enter_context(Recording(settings.record, video.fps, settings.force))
        view = _view(settings, video)
        if view:
            stack.callback(view.close)
        counts = _Counts()
        stack.callback(lambda: _tell(settings, str(counts)))
        over = _watch(settings, video, recording, view, counts)
    if not counts.announced and (settings.once or over):
        raise NothingReadError(
            f"{settings.source}: nothing that holds was read in {counts.seconds:.0f} s; show it larger, sharper or "
            "upright, or see with --view web what is read"
        )


def _watch(
    settings: Settings, video: VideoReader, recording: Recording | None, view: View | None, counts: _Counts
) -> bool:
    """Handles each frame, until the source, a person or a reading ends it; whether it was --max-seconds."""
    lost = ""
    for frame in video.frames():
        if 0 < settings.max_seconds <= counts.seconds:
            return True
        if video.lost and not lost:
            print(
                f"digitocr: {settings.source}: {video.lost}; trying again for {settings.reconnect:g} s",
                file=sys.stderr,
            )
        lost = video.lost
        if frame is None:
            if view and not view.idle():
                return False
            continue
        fps = counts.add(frame)
        _print(settings, frame)
        if recording:
            recording.write(overlay.drawn(frame, video.roi, fps, settings.mirror), frame.time)
        if settings.once and frame.announced:
            return False
        if view:
            if not video.live:  # a recording is watched as fast as it was taken
                sleep(max(0.0, frame.time - counts.seconds))
            if not view.show(frame, fps):
                return False
    return False


def _parsed(settings: Settings) -> tuple[tuple[int, int, int, int] | None, str | None]:
    """The part to read and the expression to match. Raises UsageError for settings that make no sense."""
    roi = None
    if settings.roi:
        numbers = re.fullmatch(r"(\d{1,6}),(\d{1,6}),(\d{1,6}),(\d{1,6})", settings.roi)
        if not numbers:
            raise UsageError(f"--roi is X,Y,WIDTH,HEIGHT in pixels, as 100,50,400,120, not {settings.roi}")
        x, y, w, h = map(int, numbers.groups())
        roi = (x, y, w, h)
    if settings.expect and settings.digits:
        raise UsageError("--digits and --expect say the same in two ways; leave one out")
    if settings.once and settings.all_frames:
        raise UsageError("--once is for one announced reading; leave out --all-frames")
    return roi, settings.expect or (rf"\d{{{settings.digits}}}" if settings.digits else None)


def _view(settings: Settings, video: VideoReader) -> View | None:
    if settings.view == "window":
        from digitocr.cli.live.window import Window

        return Window(video, settings.mirror)
    if settings.view == "web":
        from digitocr.cli.live.web import WebPage

        page = WebPage(video, settings.mirror, settings.host, settings.port)
        print(f"digitocr: open {page.address}", file=sys.stderr)
        if not page.local:
            print(
                "digitocr: everybody who reaches this machine by the network can watch, without a password, and the "
                "picture is not encrypted",
                file=sys.stderr,
            )
        return page
    return None


def _print(settings: Settings, frame: FrameReading) -> None:
    """The frame's line or those of what it announces, to standard output."""
    if settings.all_frames:
        say(_json_line(settings, frame, frame) if settings.jsonl else text_line(str(frame.frame), frame.reading))
        return
    for reading in frame.announced[:1] if settings.once else frame.announced:
        say(_json_line(settings, reading, frame) if settings.jsonl else reading.text)


def _json_line(settings: Settings, read: FrameReading | SteadyReading, frame: FrameReading) -> str:
    row = read.reading.to_dict()
    row["ms"]["latency"] = round(frame.latency, 3)
    where = {"source": settings.source, "frame": read.frame, "time": round(read.time, 3)}
    return json.dumps({"schema": SCHEMA, **where, **row, "error": None})


def _tell(settings: Settings, words: str) -> None:
    if not settings.quiet:
        print(f"digitocr: {words}", file=sys.stderr)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
