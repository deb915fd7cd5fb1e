"""The command webcam: reads the frames of a source, prints steady lines, shows and records the pictures."""

import json
import shlex
import signal
import statistics
import sys
from collections import deque
from contextlib import ExitStack, suppress
from enum import Enum, auto
from time import perf_counter, sleep
from typing import NoReturn, Protocol

from digitocr.cli.batch.output import OUTPUT_SCHEMA, say
from digitocr.cli.batch.render import text_line
from digitocr.cli.live import overlay
from digitocr.cli.live.heartbeat import HEARTBEAT_SCHEMA, Heartbeat, notify, wall_clock
from digitocr.cli.live.keeping import DoubtfulFrames
from digitocr.cli.live.recording import Recording
from digitocr.cli.live.settings import WebcamSettings
from digitocr.cli.options import parsed_roi
from digitocr.runtime.arguments import finite
from digitocr.runtime.errors import NothingReadError, UsageError
from digitocr.runtime.live.tracking import NEW
from digitocr.runtime.live.video import FrameReading, SteadyReading, VideoReader
from digitocr.runtime.opencv import cv2
from digitocr.runtime.orientation import Rotation
from digitocr.runtime.reader import Reader

RATE_FRAMES = 30  # frames over which the rate shown on the picture is averaged
LATENCY_FRAMES = 10_000  # frames, the newest ones, of which the latency is reported at the end
TERMINATED = 128 + signal.SIGTERM  # the exit code of a run ended by SIGTERM, as shells report it
WAIT_SECONDS = 0.2  # between two checks of the time, between frames and after the end of a recording that is shown


class End(Enum):
    """Why reading frames ended."""

    SOURCE = auto()  # a recording is at its end
    TIME = auto()  # --max-seconds
    READING = auto()  # --once
    PERSON = auto()  # a key, or the window was closed


class View(Protocol):
    """Where frames are shown."""

    def show(self, frame: FrameReading, fps: float) -> bool:
        """Shows a frame. Returns whether to go on."""

    def idle(self) -> bool:
        """Called while no frame comes. Returns whether to go on."""

    def finish(self) -> bool:
        """Called when a recording is at its end. Returns whether the view stays open until it is interrupted."""

    def close(self) -> None:
        """Closes the view."""


class _Counts:
    """Counts frames, for the rate on the picture and the report at the end."""

    def __init__(self) -> None:
        self.began = perf_counter()
        self.frames = self.announced = self.refused = self.flawed = 0
        self.last = 0  # the newest frame's index
        self.number = self.number_at = ""  # the last announced number with its signs, and when
        self._shown: deque[float] = deque(maxlen=RATE_FRAMES)  # perf_counter() of each
        self._latencies: deque[float] = deque(maxlen=LATENCY_FRAMES)  # ms

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return perf_counter() - self.began

    def add(self, frame: FrameReading) -> float:
        """Counts the frame. Returns the frames per second over the recent ones."""
        self.frames, self.last = self.frames + 1, frame.index
        self.announced += len(frame.announced)
        self.refused += len(frame.refused)
        self.flawed += bool(frame.flaw)
        for reading in frame.announced:
            self.number, self.number_at = reading.number.text, wall_clock()
        self._shown.append(perf_counter())
        self._latencies.append(frame.latency)
        took = self._shown[-1] - self._shown[0]
        return (len(self._shown) - 1) / took if took else 0.0

    @property
    def readings(self) -> str:
        """How many readings were announced, with the word."""
        return f"{self.announced} reading{'s' * (self.announced != 1)}"

    def __str__(self) -> str:
        if self.frames < 2:
            return f"{self.frames} frame{'s' * (self.frames != 1)} in {self.seconds:.1f} s"
        shares = statistics.quantiles(self._latencies, n=20)
        refused = f", {self.refused} refused" if self.refused else ""
        flawed = f", {self.flawed} not read" if self.flawed else ""
        return (
            f"{self.frames} frames in {self.seconds:.1f} s, {self.frames / self.seconds:.1f} a second, "
            f"{self.last + 1 - self.frames} skipped{flawed}; {self.readings} announced{refused}; "
            f"latency from frame to reading {shares[9]:.0f} ms, 95 % within {shares[18]:.0f} ms"
        )


class _Waiting:
    """Says why no frame comes, once for each time that it begins, and ends the waiting at --max-seconds.

    The time counts from the start of the command, opening the source included.
    """

    def __init__(self, settings: WebcamSettings) -> None:
        self._settings = settings
        self._began = perf_counter()
        self._lost = ""

    @property
    def is_over(self) -> bool:
        """Whether --max-seconds are over."""
        return 0 < self._settings.max_seconds <= perf_counter() - self._began

    def note(self, lost: str) -> None:
        """Notes why no frame comes; an empty text while they do."""
        if lost and not self._lost:
            named = lost if self._settings.name in lost else f"{self._settings.name}: {lost}"
            print(f"digitocr: {named}; trying again for {self._settings.reconnect:g} s", file=sys.stderr)
        self._lost = lost

    def tell(self, lost: str) -> None:
        """Notes why the first frame does not come. Raises NothingReadError when the time is over."""
        if self._settings.reconnect:
            self.note(lost)
        if self.is_over:
            raise _nothing_read(self._settings, self._settings.max_seconds, lost or "no frame came; is it switched on?")


def run(settings: WebcamSettings) -> None:
    """Reads until the source or the time is over, or a person ends it. Raises DigitocrError."""
    waiting = _Waiting(settings)
    roi = parsed_roi(settings.roi)
    finite("--max-seconds", settings.max_seconds)
    finite("--reconnect", settings.reconnect)
    finite("--fps", settings.fps)
    finite("--heartbeat", settings.heartbeat)
    if settings.once and settings.all_frames:
        raise UsageError("--once prints one announced reading; leave out --all-frames")
    if settings.rising:
        _check_rising(settings)
    if settings.view == "window":
        from digitocr.cli.live.window import check_display

        check_display()
    cv2.setNumThreads(1)
    rotate: Rotation = "auto" if settings.rotate == "auto" else int(settings.rotate)
    reader = Reader(
        settings.model,
        detector=settings.detector,
        recognizer=settings.recognizer,
        conf=settings.conf,
        mode=settings.mode,
        rotate=rotate,
    )
    # not before: while a library loads, its exception would become an ImportError
    signal.signal(signal.SIGTERM, _terminate)
    doubtful = None
    if settings.keep_doubtful:
        doubtful = DoubtfulFrames(settings.keep_doubtful, settings.keep_below, settings.keep_most)
        if doubtful.is_full:
            _inform(settings, f"{doubtful.folder}: holds {settings.keep_most} pictures or more; no further one is kept")
    with ExitStack() as stack:
        video = stack.enter_context(
            VideoReader(
                settings.source,
                reader,
                every=settings.every,
                roi=roi,
                expect=settings.expect or None,
                digits=settings.digits,
                rising=settings.rising,
                width=settings.width,
                height=settings.height,
                fps=settings.fps,
                reconnect=settings.reconnect,
                waiting=waiting.tell,
            )
        )
        _inform(settings, f"{settings.name}: {video.size[0]}x{video.size[1]} at {video.fps:.4g} frames a second")
        recording = None
        if settings.record:
            recording = stack.enter_context(Recording(settings.record, video.fps, settings.force))
        view = _view(settings, video)
        if view:
            stack.callback(view.close)
        counts = _Counts()
        heartbeat = Heartbeat(settings.heartbeat, lambda: _tell(settings, video, counts))
        notify("READY=1")
        try:
            end = _watch(settings, video, recording, doubtful, view, counts, heartbeat, waiting)
        finally:
            seconds = counts.seconds
            _inform(settings, str(counts))
            if doubtful:
                label = shlex.join(["digitocr", "label", str(doubtful.folder)])
                kept = f"{doubtful.count} frame{'s' * (doubtful.count != 1)} kept"
                _inform(settings, f"{kept}; correct them by: {label}")
        if view and end is End.SOURCE and not settings.once and view.finish():
            if recording:
                recording.close()
            end = _wait(settings, waiting)
    if video.note:
        print(f"digitocr: {video.note}", file=sys.stderr)
    if counts.announced:
        return
    why = ""
    if end is End.SOURCE:
        were = "was" if counts.frames == 1 else "were"
        why = f"{NEW.agree} of {NEW.window} frames must read the same one, and {counts.frames} {were} read"
    if settings.once or end is End.TIME:
        raise _nothing_read(settings, seconds, why)
    if why and not settings.all_frames:
        _inform(settings, f"{settings.name}: no number was announced; {why}")


def _watch(
    settings: WebcamSettings,
    video: VideoReader,
    recording: Recording | None,
    doubtful: DoubtfulFrames | None,
    view: View | None,
    counts: _Counts,
    heartbeat: Heartbeat,
    waiting: "_Waiting",
) -> End:
    """Handles each frame, until the source, a person, the time or a reading ends it."""
    flaw = ""
    for frame in video.frames():
        if waiting.is_over:
            return End.TIME
        waiting.note("" if video.lost == flaw else video.lost)
        heartbeat.beat()
        if frame is None:
            if view and not view.idle():
                return End.PERSON
            continue
        fps = counts.add(frame)
        if frame.flaw and frame.flaw != flaw:  # said once, however often it changes
            flaw = frame.flaw
            _inform(settings, f"{settings.name}: not read: {flaw}")
        _print(settings, frame)
        for why in frame.refused:
            _inform(settings, f"not announced: {why}; start again if the meter was replaced or that one is wrong")
        if recording:
            recording.write(overlay.drawn(frame, video.roi, fps, settings.mirror), frame.time)
        if doubtful:
            doubtful.take(frame, video.roi)
        if settings.once and frame.announced:
            return End.READING
        if view:
            if not video.live and (end := _paced(frame.time, counts, view, heartbeat, waiting)):
                return end
            if not view.show(frame, fps):
                return End.PERSON
    return End.SOURCE


def _paced(time: float, counts: _Counts, view: View, heartbeat: Heartbeat, waiting: _Waiting) -> End | None:
    """Waits until a recording, shown at its own speed, is at that time. Returns what ended it before, if anything did.

    Between two frames of a recording may lie hours, as of a camera that records what moves.
    """
    while (left := time - counts.seconds) > 0:
        sleep(min(left, WAIT_SECONDS))
        if left > WAIT_SECONDS:
            heartbeat.beat()
            if waiting.is_over:
                return End.TIME
            if not view.idle():
                return End.PERSON
    return None


def _wait(settings: WebcamSettings, waiting: _Waiting) -> End:
    """Keeps a page open until Ctrl-C or --max-seconds."""
    _inform(settings, f"{settings.name} has ended; its page stays open until Ctrl-C")
    with suppress(KeyboardInterrupt):
        while not waiting.is_over:
            sleep(WAIT_SECONDS)
        return End.TIME
    return End.PERSON


def _nothing_read(settings: WebcamSettings, seconds: float, why: str = "") -> NothingReadError:
    what_to_do = why or "show it larger, sharper or upright, or watch it with --view web"
    return NothingReadError(f"{settings.name}: no steady number was read in {seconds:.0f} s; {what_to_do}")


def _check_rising(settings: WebcamSettings) -> None:
    """Raises UsageError if another option leaves --rising without effect."""
    for is_given, why in (
        (settings.once, "--once ends at the first number, which no other one follows"),
        (settings.all_frames, "--all-frames prints every reading, whatever the one before"),
        (settings.mode == "single", "--mode single reads one digit, and a counter has more"),
    ):
        if is_given:
            raise UsageError(f"{why}; leave out --rising")


def _view(settings: WebcamSettings, video: VideoReader) -> View | None:
    if settings.view == "window":
        from digitocr.cli.live.window import Window

        return Window(video, settings.mirror)
    if settings.view == "web":
        from digitocr.cli.live.web import WebPage

        page = WebPage(video, settings.mirror, settings.host, settings.port)
        print(f"digitocr: open {page.address}", file=sys.stderr)
        if not page.local:
            print(
                "digitocr: everybody who can reach this machine over the network can watch, by its name or address in "
                "place of localhost, without a password; the picture is not encrypted",
                file=sys.stderr,
            )
        return page
    return None


def _print(settings: WebcamSettings, frame: FrameReading) -> None:
    """Prints the frame's reading, or what it announces, to standard output."""
    if settings.all_frames:
        say(_json_line(settings, frame, frame) if settings.jsonl else text_line(str(frame.index), frame.reading))
        return
    for reading in frame.announced[:1] if settings.once else frame.announced:
        say(_json_line(settings, reading, frame) if settings.jsonl else reading.number.text)


def _json_line(settings: WebcamSettings, read: FrameReading | SteadyReading, frame: FrameReading) -> str:
    row = read.reading.to_dict()
    row["ms"]["latency"] = round(frame.latency, 3)
    where = {"source": settings.name, "frame": read.index, "time": round(read.time, 3), "at": wall_clock()}
    return json.dumps({"schema": OUTPUT_SCHEMA, **where, **row, "error": None})


def _tell(settings: WebcamSettings, video: VideoReader, counts: _Counts) -> None:
    """Says that the run lives: with --jsonl as an object among the others, else on standard error."""
    state = video.lost or "reading"
    if settings.jsonl:
        life = {
            "schema": HEARTBEAT_SCHEMA,
            "source": settings.name,
            "at": wall_clock(),
            "state": state,
            "seconds": round(counts.seconds),
            "frames": counts.frames,
            "announced": counts.announced,
            "refused": counts.refused,
            "number": counts.number or None,
            "number_at": counts.number_at or None,
        }
        say(json.dumps(life))
        return
    last = f", the last one {counts.number} at {counts.number_at}" if counts.number else ""
    print(
        f"digitocr: {wall_clock()} {settings.name}: {state}; {counts.frames} frames, {counts.readings} "
        f"announced{last}, {counts.refused} refused",
        file=sys.stderr,
        flush=True,
    )


def _inform(settings: WebcamSettings, words: str) -> None:
    if not settings.quiet:
        print(f"digitocr: {words}", file=sys.stderr)


def _terminate(*_: object) -> NoReturn:
    """Ends the run as an error would, so that a recording is finished."""
    raise SystemExit(TERMINATED)
