"""VideoReader: a camera, a video or a stream in, steady readings out.

    for reading in VideoReader("clip.avi"):
        print(reading.time, reading.text)

A number is given out once, when it has held over several frames. Digits are sought in every third frame of a video, and
followed into those between.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from types import TracebackType
from typing import Any

from digitocr.runtime.errors import UsageError
from digitocr.runtime.image import MIN_SIDE
from digitocr.runtime.live.capture import CameraRequest, Frame, Grabber, Pixels
from digitocr.runtime.live.following import Follower
from digitocr.runtime.live.tracking import Tracker
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reader import Reader
from digitocr.runtime.reading import Box, Digit, Line, Reading

TICK = 0.1  # seconds that frames() waits for a frame before it says that none came


@dataclass(frozen=True, slots=True)
class SteadyReading:
    """A line of digits that held over several frames. frame: the number, from 0, of the frame that settled it; time:
    seconds from the source's first frame to that one; reading: the line, as read in the newest frame that agrees.
    """

    frame: int
    time: float
    reading: Reading

    @property
    def text(self) -> str:
        """The digits."""
        return self.reading.text

    @property
    def confidence(self) -> float:
        """Of the least sure digit, 0 to 1."""
        return self.reading.confidence

    def to_dict(self) -> dict[str, Any]:
        """Frame, time and what Reading.to_dict has, ready for JSON."""
        return {"frame": self.frame, "time": round(self.time, 3), **self.reading.to_dict()}


@dataclass(frozen=True, slots=True)
class FrameReading:
    """What was read in one frame. image: (H, W, 3) uint8 BGR; reading: what this frame shows, found in it or followed
    into it; steady: the lines that hold at the moment; announced: those that hold from this frame on and were not
    announced before; latency: milliseconds from when the frame came until it was read.
    """

    frame: int
    time: float
    image: Pixels
    reading: Reading
    steady: tuple[Line, ...]
    announced: tuple[SteadyReading, ...]
    latency: float


class VideoReader:
    """Reads digits in the frames of a source, and announces what holds over several of them, once.

    source: the number or name of a camera, a video file, a folder or a glob of pictures, or an address that OpenCV
    opens (rtsp://, http://). reader: by default Reader(rotate=0), for trying other ways up makes a frame without
    digits take up to four times as long. every: reads only every so many-th frame of a recording. roi: x, y, width,
    height in pixels, the part to read; it may be set anew between two frames. expect: a regular expression that the
    whole of a line must match to be announced. width, height, fps: asked of a camera, which gives what it can: see
    `size` and `fps`. reconnect: seconds that a lost camera or stream is tried again for.

    A live source is read in a thread, from which only the newest frame is taken. Close it, or use it in a `with`, to
    give the camera back. Raises DeviceError for a camera or a stream, InputError for a file, UsageError for the rest.
    """

    def __init__(
        self,
        source: str | int,
        reader: Reader | None = None,
        *,
        every: int = 1,
        roi: tuple[int, int, int, int] | None = None,
        expect: str | None = None,
        width: int = 0,
        height: int = 0,
        fps: float = 0.0,
        reconnect: float = 10.0,
    ) -> None:
        if every < 1:
            raise UsageError(f"every is 1, each frame, or more, not {every}")
        try:
            self._expect = re.compile(expect or r"\d+")
        except re.error as error:
            raise UsageError(f"{expect} is no regular expression ({error}); for five digits it is \\d{{5}}") from None
        self.roi = roi
        reader = reader or Reader(rotate=0)
        self._grabber = Grabber(str(source), CameraRequest(width, height, fps), every, reconnect)
        self.live, self.fps, self.size = self._grabber.live, self._grabber.fps, self._grabber.size
        self._read_part = (Follower(reader) if self._grabber.flows else reader).read
        self._tracker = Tracker()
        try:
            self._check_roi(*self.size)
        except UsageError:
            self.close()
            raise

    @property
    def lost(self) -> str:
        """Why a live source sends no frame at the moment; empty where it does."""
        return self._grabber.lost

    def __iter__(self) -> Iterator[SteadyReading]:
        """What is announced, until a recording ends. Raises DeviceError where a live source is lost for good."""
        for frame in self.frames():
            if frame is not None:
                yield from frame.announced

    def frames(self) -> Iterator[FrameReading | None]:
        """Each frame that is read; None where for TICK seconds none came. Raises as iterating does."""
        try:
            while not self._grabber.ended:
                frame = self._grabber.next(TICK)
                yield None if frame is None else self._read(frame)
        finally:
            self.close()

    def close(self) -> None:
        """Gives the source back; a second call does nothing."""
        self._grabber.close()

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, frame: Frame) -> FrameReading:
        gray = cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY)
        if self.roi is not None:
            self._check_roi(gray.shape[1], gray.shape[0])
            x, y, w, h = self.roi
            reading = _moved(self._read_part(gray[y : y + h, x : x + w]), x, y)
        else:
            reading = self._read_part(gray)
        fresh = [line for line in self._tracker.update(reading) if self._expect.fullmatch(line.text)]
        announced = tuple(
            SteadyReading(frame.number, frame.time, Reading((line,), reading.ms, reading.model, reading.turned))
            for line in fresh
        )
        steady = tuple(line for line in self._tracker.steady if self._expect.fullmatch(line.text))
        latency = 1000 * (perf_counter() - frame.came)
        return FrameReading(frame.number, frame.time, frame.image, reading, steady, announced, latency)

    def _check_roi(self, width: int, height: int) -> None:
        if self.roi is None:
            return
        x, y, w, h = self.roi
        if x < 0 or y < 0 or w < 1 or h < 1 or x + w > width or y + h > height:
            raise UsageError(f"the part {x},{y},{w},{h} is not inside the frame of {width}x{height} pixels")
        if min(w, h) < MIN_SIDE:
            raise UsageError(f"the part {x},{y},{w},{h} is too small; {MIN_SIDE} pixels a side is the least")


def _moved(reading: Reading, x: int, y: int) -> Reading:
    """The reading of a part that begins at (x, y), in the pixels of the whole."""
    lines = tuple(
        Line(
            tuple(Digit(digit.digit, digit.confidence, _shifted(digit.box, x, y), digit.topk) for digit in line.digits)
        )
        for line in reading.lines
    )
    return Reading(lines, reading.ms, reading.model, reading.turned, reading.why)


def _shifted(box: Box, x: int, y: int) -> Box:
    return Box(box.x + x, box.y + y, box.w, box.h)
