"""Where frames come from: a camera, a video file, pictures in turn, a stream; and the thread that reads them.

    grabber = Grabber("clip.avi")       # or "0", a camera's name, "shots/", "shots/*.png", "rtsp://..."
    frame = grabber.next(0.1)           # Frame, or None where none came in a tenth of a second
    grabber.close()

Of a live source, a camera or a stream, only the newest frame is kept, so what is read is never old. Of a recorded one
every frame comes, in order.
"""

import glob
import math
import re
import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from platform import system
from stat import S_ISCHR, S_ISDIR
from time import perf_counter
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime import image
from digitocr.runtime.errors import DeviceError, DigitocrError, InputError, UsageError
from digitocr.runtime.formats import SUFFIXES, is_readable
from digitocr.runtime.opencv import cv2

Pixels: TypeAlias = npt.NDArray[np.uint8]  # (H, W, 3) BGR, as OpenCV has it

RATE = 30.0  # frames a second of what does not say its own
OPEN_MS, READ_MS = 10_000, 5_000  # milliseconds after which a stream that is silent counts as lost
STALL = READ_MS / 1000 + 5  # seconds without a frame, and without a word from the source, after which it is lost
RETRY = 0.5  # seconds between two tries to open a lost source again
LINUX_CAMERAS = Path("/sys/class/video4linux")
PROBED = 4  # where the system has no list of cameras, as many numbers are tried


class CameraRequest(NamedTuple):
    """What a camera is asked for: width and height in pixels, frames a second; 0 leaves it to the camera."""

    width: int = 0
    height: int = 0
    fps: float = 0.0


DEFAULT_REQUEST = CameraRequest()


class Frame(NamedTuple):
    """number: from 0, as the source counts; time: seconds since its first frame, of a recording by its own rate;
    image: (H, W, 3) uint8 BGR; came: time.perf_counter() when it was there to be read.
    """

    number: int
    time: float
    image: Pixels
    came: float


class Source(Protocol):
    """What frames are read from. live: whether they pass by unless they are read; flows: whether each is a moment after
    the one before; fps: frames a second.
    """

    live: bool
    flows: bool
    fps: float

    def read(self) -> Pixels | None:
        """The next frame; None where there is none."""

    def release(self) -> None:
        """Gives the camera or the file back."""


def cameras(folder: Path = LINUX_CAMERAS) -> list[tuple[int, str]]:
    """The number and name of each camera, by number.

    Linux has a list of them, in that folder. Elsewhere the first numbers are tried, and the name is the number's.
    """
    found = []
    if system() == "Linux":
        for device in folder.glob("video*"):
            try:
                # a camera has several devices; the first, of index 0, is the one with the picture
                if int((device / "index").read_text()) == 0:
                    found.append((int(device.name.removeprefix("video")), (device / "name").read_text().strip()))
            except (OSError, ValueError):
                continue
        return sorted(found)
    for number in range(PROBED):
        capture = cv2.VideoCapture(number)
        if capture.isOpened():
            found.append((number, f"camera {number}"))
        capture.release()
    return found


class Video:
    """What OpenCV opens: a camera by number, a file or a stream by name. Raises DeviceError or InputError."""

    flows = True

    def __init__(self, named: int | str, asked: CameraRequest = DEFAULT_REQUEST) -> None:
        camera, stream = isinstance(named, int), isinstance(named, str) and "://" in named
        if camera:
            self._capture = cv2.VideoCapture(named)
            _ask(self._capture, asked)
        else:
            limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
            self._capture = cv2.VideoCapture(named, cv2.CAP_FFMPEG, limits if stream else [])
        if not self._capture.isOpened():
            self._capture.release()
            if camera:
                raise DeviceError(_why_no_camera(int(named)))
            if stream:
                raise DeviceError(f"{named}: no stream can be opened there; check the address, and that it is sent")
            raise InputError(f"{named}: no video that can be decoded; convert it to .mp4 or .avi")
        # a recording that a server holds says how many frames it has, a stream of now does not
        self.live = camera or (stream and self._capture.get(cv2.CAP_PROP_FRAME_COUNT) <= 0)
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if math.isfinite(fps) and 0 < fps <= 1000 else RATE

    def read(self) -> Pixels | None:
        """The next frame; None at the end, or where the camera or stream is lost."""
        there, pixels = self._capture.read()
        return pixels if there else None

    def release(self) -> None:
        self._capture.release()


class Pictures:
    """Picture files, by name, as frames. Raises InputError where there are none."""

    live = flows = False

    def __init__(self, named: str, fps: float = RATE) -> None:
        pattern = str(Path(glob.escape(named)) / "*") if S_ISDIR(_mode(named)) else named
        paths = [path for path in sorted(glob.glob(pattern)) if is_readable(Path(path).suffix)]
        if not paths:
            raise InputError(f"{named}: holds no pictures ({', '.join(sorted(SUFFIXES))})")
        self.fps = fps
        self._shown: Iterator[Pixels] = (
            np.asarray(cv2.cvtColor(np.asarray(image.load_rgb(Path(path))), cv2.COLOR_RGB2BGR), np.uint8)
            for path in paths
        )

    def read(self) -> Pixels | None:
        """The next picture; None behind the last. Raises InputError where one cannot be read."""
        return next(self._shown, None)

    def release(self) -> None:
        pass


class PiCamera:
    """A Raspberry Pi's camera by the library picamera2, for where OpenCV opens none."""

    live = flows = True

    def __init__(self, library: Any, number: int, asked: CameraRequest) -> None:
        self._camera = library.Picamera2(number)
        main = {"format": "RGB888"}  # which has its bytes in OpenCV's order
        size = {"size": (asked.width, asked.height)} if asked.width else {}
        self.fps = asked.fps or RATE
        settings = self._camera.create_video_configuration(main={**main, **size}, controls={"FrameRate": self.fps})
        self._camera.configure(settings)
        self._camera.start()

    def read(self) -> Pixels | None:
        """The next frame."""
        return np.asarray(self._camera.capture_array("main"), np.uint8)

    def release(self) -> None:
        self._camera.stop()
        self._camera.close()


def opener(named: str, asked: CameraRequest = DEFAULT_REQUEST) -> Callable[[], Source]:
    """What opens the source of that name, each time it is called.

    A camera's number or name, a device, an address with "://", a video file, a folder or a glob of pictures.
    Raises InputError where there is nothing of that name, UsageError where a recording is asked for a size or a rate.
    """
    if re.fullmatch(r"\d{1,4}", named):
        return lambda: _camera(int(named), asked)
    device = re.fullmatch(r"/dev/video(\d+)", named)
    if device and S_ISCHR(_mode(named)):
        return lambda: _camera(int(device[1]), asked)
    recorded = "://" in named or _mode(named) or glob.has_magic(named)
    if not recorded:
        there = cameras()
        for number, name in there:
            if named and named.lower() in name.lower():
                return lambda: _camera(number, asked)
        known = ", ".join(f"{number} {name}" for number, name in there) or "none"
        raise InputError(f"{named}: there is no such file and no camera of that name (cameras: {known})")
    if any(asked):
        raise UsageError("a size or a rate is asked of a camera; a file or a stream has its own")
    if "://" not in named and (S_ISDIR(_mode(named)) or not _mode(named)):
        return lambda: Pictures(named)
    return lambda: Video(named)


def _camera(number: int, asked: CameraRequest) -> Source:
    try:
        return Video(number, asked)
    except DeviceError:
        if find_spec("picamera2") is None:
            raise
    try:
        return PiCamera(import_module("picamera2"), number, asked)
    except Exception as error:  # libcamera raises RuntimeError, IndexError and more
        raise DeviceError(f"camera {number} cannot be opened, by picamera2 neither ({error})") from error


def _ask(capture: Any, asked: CameraRequest) -> None:
    if any(asked):
        # uncompressed, most cameras send large pictures at a few frames a second
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    settings = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
    for setting, value in zip(settings, asked, strict=True):
        if value:
            capture.set(setting, value)


def _why_no_camera(number: int) -> str:
    if system() == "Linux" and not S_ISCHR(_mode(f"/dev/video{number}")):
        known = ", ".join(f"{number} {name}" for number, name in cameras()) or "none"
        return f"there is no camera {number} (cameras: {known}); plug one in, or name a file or a stream by --source"
    return (
        f"camera {number} cannot be opened; another program may have it, or you may not use it "
        "(on Linux: sudo usermod -aG video $USER, then log in again)"
    )


def _mode(named: str) -> int:
    """The st_mode of what is named like that; 0 where there is nothing, or where there cannot be."""
    try:
        return Path(named).stat().st_mode
    except (OSError, ValueError):
        return 0


class Grabber:
    """A thread that opens a source, reads it and gives it back, so that none of that can hold up the one who asks.

    live, fps: of the source; flows: whether each frame is a moment after the one before; size: (width, height) of the
    first. lost: why no frame comes at the moment, else empty. A live source that is lost is opened anew, for
    `reconnect` seconds. Of a recording, every `every`-th frame comes. Raises what opening the source raises, InputError
    where not one frame comes out of it.
    """

    def __init__(
        self, named: str, asked: CameraRequest = DEFAULT_REQUEST, every: int = 1, reconnect: float = 10.0
    ) -> None:
        self.named = named
        self.live, self.flows, self.fps, self.lost = True, True, RATE, ""
        self._open, self._every, self._reconnect = opener(named, asked), every, reconnect
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._error: Exception | None = None
        self._ended = self._closing = False
        self._began = self._last = perf_counter()
        self._thread = threading.Thread(target=self._run, name=f"digitocr {named}", daemon=True)
        self._thread.start()
        try:
            self._await_first()
        except BaseException:
            self.close()
            raise

    @property
    def ended(self) -> bool:
        """Whether a recording is at its end: neither a frame comes any more, nor an error that next would raise."""
        with self._changed:
            return self._ended and self._newest is None and self._error is None

    def next(self, seconds: float) -> Frame | None:
        """The newest frame of a live source, the next one of a recording; None where none comes in so many seconds.

        Raises DeviceError once a live source has been lost for `reconnect` seconds, InputError for damage.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._newest or self._ended or self._error, seconds)
            frame, self._newest = self._newest, None
            self._changed.notify_all()
            now = perf_counter()
            if frame is not None:
                self._last = now
                return frame if self.live else frame._replace(came=now)
            if self._error is not None:
                raise self._error
            silent = now - self._last
            if not self._ended and self.live and silent > self._reconnect + (0 if self.lost else STALL):
                raise DeviceError(
                    f"{self.named}: {self.lost or 'no frame comes'}, for {silent:.0f} seconds; plug it in again, or "
                    "start what sends it"
                )
            return None

    def close(self) -> None:
        """Ends the thread, which gives the source back. One that hangs in a driver is left behind, and does it then."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(2)

    def _await_first(self) -> None:
        """Until there is a frame, an error or the end; in pieces, between which Ctrl-C is heard."""
        with self._changed:
            while not (self._newest or self._ended or self._error):
                self._changed.wait(0.1)
                if perf_counter() - self._began > OPEN_MS / 1000 + STALL:
                    raise DeviceError(f"{self.named}: no frame comes; start what sends it, or name another source")
            if self._newest is None and self._error is not None:
                raise self._error
            if self._newest is None and self.live:
                raise DeviceError(f"{self.named}: opens, but no frame comes; another program may have it, or it is off")
            if self._newest is None:
                raise InputError(
                    f"{self.named}: not one frame of it can be decoded; it is damaged, or its codec is missing"
                )
            height, width = self._newest.image.shape[:2]
            self.size = (width, height)
            self._last = perf_counter()

    def _run(self) -> None:
        source: Source | None = None
        number = 0
        try:
            while not self._closing:
                try:
                    source = source or self._open()
                except DigitocrError as error:
                    if not number:
                        raise
                    self._wait_for_it(str(error))
                    continue
                if not number:
                    self.live, self.fps = source.live, source.fps
                    self.flows = source.flows and (source.live or self._every == 1)
                pixels = source.read()
                if pixels is not None:
                    self._publish(number, pixels)
                    number += 1
                elif not source.live or not number:
                    break
                else:
                    source.release()
                    source = None
                    self._wait_for_it("the picture is lost")
        except Exception as error:  # of whatever library reads; the one who asks for frames raises it
            self._error = error
        finally:
            if source is not None:
                source.release()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _publish(self, number: int, pixels: Pixels) -> None:
        if pixels.ndim == 2:  # a camera without colour
            pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR), np.uint8)
        now = perf_counter()
        if not number:
            self._began = now
        time = now - self._began if self.live else number / self.fps
        with self._changed:
            if not self.live:
                if number % self._every:
                    return
                self._changed.wait_for(lambda: self._newest is None or self._closing)
            self._newest = Frame(number, time, pixels, now)
            self.lost = ""
            self._changed.notify_all()

    def _wait_for_it(self, why: str) -> None:
        with self._changed:
            self.lost = why
            self._changed.wait_for(lambda: self._closing, RETRY)
