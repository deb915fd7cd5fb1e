"""VideoReader: a camera, a video or a stream in, steady readings out.

    for reading in VideoReader("clip.avi"):
        print(reading.time, reading.text)

A number is announced once, when it was read over several frames. Of a video, what has not changed since the frame that
was read last is not read again.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from time import perf_counter
from types import TracebackType
from typing import Any

from digitocr.runtime.arguments import finite, whole
from digitocr.runtime.attempt import Mode
from digitocr.runtime.errors import DigitocrError, InputError, UsageError
from digitocr.runtime.image import checked_roi
from digitocr.runtime.live.addresses import without_credentials
from digitocr.runtime.live.cameras import CameraRequest
from digitocr.runtime.live.capture import Frame, Grabber
from digitocr.runtime.live.following import Follower
from digitocr.runtime.live.frames import FramePixels, FrameSource, Pixels
from digitocr.runtime.live.rising import Rising
from digitocr.runtime.live.sources import opener
from digitocr.runtime.live.tracking import Tracker
from digitocr.runtime.matching import Wanted
from digitocr.runtime.reader import Reader
from digitocr.runtime.reading import Box, Line, Number, Reading

TICK_SECONDS = 0.1  # seconds that frames() waits for a frame before it yields None


@dataclass(frozen=True, slots=True)
class SteadyReading:
    """A number that was read over several frames.

    Attributes:
        index: The number, from 0, of the frame by which it became steady; "frame" in JSON.
        time: Seconds from the source's first frame to that frame.
        reading: The number, as read in the newest frame that agrees.
    """

    index: int
    time: float
    reading: Reading

    @property
    def number(self) -> Number:
        """The number, with its signs."""
        return self.reading.numbers[0]

    @property
    def text(self) -> str:
        """The digits, without signs."""
        return self.reading.text

    @property
    def confidence(self) -> float:
        """The confidence of the least confident digit, 0 to 1."""
        return self.reading.confidence

    def to_dict(self) -> dict[str, Any]:
        """Returns frame, time and the items of Reading.to_dict, ready for JSON."""
        return {"frame": self.index, "time": round(self.time, 3), **self.reading.to_dict()}


@dataclass(frozen=True, slots=True, eq=False)
class FrameReading:
    """The reading of one frame, and the state of its numbers.

    Attributes:
        index: The frame's number in its source, from 0.
        time: Seconds since the source's first frame.
        pixels: The frame: its `gray`, (H, W) uint8, is what is read, its `rgb` what is shown. It is left out of `repr`.
        reading: What this frame shows, detected in it or followed into it.
        steady: The numbers that are steady at the moment.
        announced: The numbers that are steady from this frame on, and were not announced before.
        latency: Milliseconds from the arrival of the frame to its reading.
        refused: Why a number that is steady from this frame on cannot follow the last one that was announced, in one
            line for each such number.
        flaw: Why this frame was not read: it is damaged, or of another size than the first. Else empty.
    """

    index: int
    time: float
    pixels: FramePixels = field(repr=False)
    reading: Reading
    steady: tuple[Number, ...]
    announced: tuple[SteadyReading, ...]
    latency: float
    refused: tuple[str, ...] = ()
    flaw: str = ""

    @property
    def image(self) -> Pixels:
        """The frame, (H, W, 3) uint8 RGB. Reader.read takes it as it is; OpenCV's functions expect BGR."""
        return self.pixels.rgb


class VideoReader:
    """Reads digits in the frames of a source, and announces each number once, when it is steady over several frames.

    A live source is read in a thread, and only its newest frame is used. Close the reader, or use it in a `with`
    statement, to release the source. OpenCV and FFmpeg are kept from writing to stderr (see
    frames.silence_video_libraries).

    Attributes:
        roi: x, y, width, height in pixels, the part of the frames to read; None for all of it. It may be changed
            between two frames.
        live: Whether the source is live.
        fps: Frames per second of the source.
        size: (width, height) of the first frame in pixels.
    """

    def __init__(
        self,
        source: str | int | FrameSource,
        reader: Reader | None = None,
        *,
        mode: Mode | None = None,
        every: int = 1,
        roi: tuple[int, int, int, int] | None = None,
        expect: str | None = None,
        digits: int = 0,
        rising: int = 0,
        width: int = 0,
        height: int = 0,
        fps: float = 0.0,
        reconnect: float = 10.0,
        waiting: Callable[[str], None] | None = None,
    ) -> None:
        """Opens the source and waits for its first frame.

        Args:
            source: The number or name of a camera, a video file, a folder or a glob of pictures, an address that
                FFmpeg opens (rtsp://, http://), the http address of a snapshot, or any FrameSource.
            reader: By default Reader(rotate=0); other values of rotate take up to four times as long where a frame
                shows no digits.
            mode: That of the default reader, as Reader has it; "auto" by default.
            every: Of a source that is not live, read only every `every`-th frame.
            roi: See the attribute.
            expect: A regular expression; only numbers that match it as a whole are announced, as they are written, with
                their signs, or their digits alone.
            digits: Only numbers of that many digits are announced; 0 for any number of them.
            rising: For a counter or a meter: after the first number, only one that is above the last announced one by
                at most that much is announced, in units of the last digit. A number with fewer digits than the last one
                is not. What is refused so is in FrameReading.refused. A new VideoReader starts again. 0 for numbers
                that need not rise.
            width: Pixels, asked of a camera, which gives what it can: see `size`.
            height: Pixels, asked of a camera.
            fps: Frames per second asked of a camera, or requests per second to a snapshot's address.
            reconnect: Seconds for which a lost camera or stream is tried again, and a stream that does not answer at
                the start.
            waiting: Called every tenth of a second until the first frame is there, with why it is not, or an empty
                text. What it raises ends the waiting.

        Raises:
            DeviceError: A camera or a stream cannot be opened, or delivers nothing.
            SourceOffError: It does not answer, for `reconnect` seconds; a DeviceError.
            InputError: A file is missing or damaged, a source delivers something else than frames, or the part is not
                inside them.
            UsageError: An argument makes no sense.
        """
        every, rising, digits = whole("every", every, 1), whole("rising", rising), whole("digits", digits)
        width, height = whole("width", width), whole("height", height)
        fps, reconnect = finite("fps", fps), finite("reconnect", reconnect)
        if reader is not None and mode is not None:
            raise UsageError("mode is that of the reader; give it to Reader(mode=...) instead")
        if digits > 0 and rising >= 10**digits:
            raise UsageError(f"a number of {digits} digits never rises by {rising}; lower rising")
        self._wanted = Wanted(expect or "", digits)
        self._rising = Rising(rising)
        self.roi = roi
        reader = reader or Reader(rotate=0, mode=mode or "auto")
        request = CameraRequest(width, height, fps)
        if isinstance(source, (str, int)):
            open_source, name = opener(str(source), request), without_credentials(str(source))
            self._grabber = Grabber(open_source, name, every, reconnect, waiting=waiting)
        else:
            open_source, name = _opener_of(source, request), type(source).__name__
            self._grabber = Grabber(open_source, name, every, reconnect, reopens=False, waiting=waiting)
        self.live, self.fps, self.size = self._grabber.live, self._grabber.fps, self._grabber.size
        self._read_part = (Follower(reader) if self._grabber.continuous else reader).read
        self._tracker = Tracker()
        try:
            self._check_roi(*self.size)
        except DigitocrError:
            self.close()
            raise

    @property
    def lost(self) -> str:
        """Why no frame of a live source can be read at the moment; empty while they are."""
        return self._grabber.lost

    @property
    def note(self) -> str:
        """After the end, what is to be said of the source, as that a recording was cut short; else empty."""
        return self._grabber.note

    def __iter__(self) -> Iterator[SteadyReading]:
        """Yields the announced numbers, until the source ends. Raises DeviceError if a live source is lost for good."""
        for frame in self.frames():
            if frame is not None:
                yield from frame.announced

    def frames(self) -> Iterator[FrameReading | None]:
        """Yields each frame that is read, and None whenever no frame came for TICK_SECONDS seconds.

        Raises what iterating raises.
        """
        try:
            while not self._grabber.ended:
                frame = self._grabber.next(TICK_SECONDS)
                yield None if frame is None else self._read(frame)
        finally:
            self.close()

    def close(self) -> None:
        """Releases the source. A second call does nothing."""
        self._grabber.close()

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, frame: Frame) -> FrameReading:
        if frame.flaw:
            return self._result(frame, Reading((), why=frame.flaw))
        gray = frame.pixels.gray
        if self.roi is not None:
            self._check_roi(gray.shape[1], gray.shape[0])
            x, y, w, h = self.roi
            reading = _inside(self._read_part(gray[y : y + h, x : x + w]), w, h).shifted(x, y)
        else:
            reading = _inside(self._read_part(gray), gray.shape[1], gray.shape[0])
        announced, refused = [], []
        for number in filter(self._is_wanted, self._tracker.update(reading)):
            if why := self._rising.why_not(number.digits_text):
                refused.append(why)
            elif self._rising.take(number.digits_text):
                alone = replace(reading, lines=(Line((number,)),))
                announced.append(SteadyReading(frame.index, frame.time, alone))
        return self._result(frame, reading, announced, refused)

    def _result(
        self,
        frame: Frame,
        reading: Reading,
        announced: Iterable[SteadyReading] = (),
        refused: Iterable[str] = (),
    ) -> FrameReading:
        steady = (
            number
            for number in self._tracker.steady
            if self._is_wanted(number) and not self._rising.why_not(number.digits_text)
        )
        latency = 1000 * (perf_counter() - frame.arrived)
        return FrameReading(
            frame.index,
            frame.time,
            frame.pixels,
            reading,
            tuple(steady),
            tuple(announced),
            latency,
            tuple(refused),
            frame.flaw,
        )

    def _is_wanted(self, number: Number) -> bool:
        return self._wanted.admits(number.text, number.digits_text)

    def _check_roi(self, width: int, height: int) -> None:
        if self.roi is None:
            return
        self.roi = x, y, w, h = checked_roi(self.roi)
        if x + w > width or y + h > height:
            raise InputError(f"the part {x},{y},{w},{h} is not inside the frame of {width}x{height} pixels")


def _inside(reading: Reading, width: int, height: int) -> Reading:
    """The reading with its boxes cut off at the edges of the picture, which those of cut digits reach beyond."""
    boxes = []
    for digit in reading.digits:
        left, top = (max(0, min(at, side - 1)) for at, side in zip(digit.box[:2], (width, height), strict=True))
        right, bottom = (min(at, side) for at, side in zip(digit.box.xyxy[2:], (width, height), strict=True))
        boxes.append(Box(left, top, max(1, right - left), max(1, bottom - top)))
    return reading.with_boxes(boxes)


def _opener_of(source: FrameSource, request: CameraRequest) -> Callable[[], FrameSource]:
    if not isinstance(source, FrameSource):
        raise UsageError(f"a source is a name, a number, or has read() and release(); {type(source).__name__} has not")
    if any(request):
        raise UsageError("a size or a rate can be asked of a camera only; a FrameSource has its own")
    return lambda: source
