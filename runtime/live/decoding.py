"""Video files and streams, decoded by FFmpeg through the library PyAV.

source = Video("clip.avi")    # or "rtsp://camera/", a FrameSource
source.read()                 # FramePixels: grey and RGB
source.time, source.flaw      # of that frame

OpenCV has FFmpeg as well, but hands out stale frames of interlaced video, holds one frame back for each core, stretches
frames of another size, and does not tell which frames are damaged.
"""

import logging
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from math import ceil
from time import perf_counter
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from digitocr.runtime.errors import DeviceError, DigitocrError, InputError, MissingLibraryError, SourceOffError
from digitocr.runtime.levels import GrayImage
from digitocr.runtime.live.addresses import without_credentials
from digitocr.runtime.live.frames import DEFAULT_FPS, FramePixels, Pixels, is_rate
from digitocr.runtime.opencv import cv2

if TYPE_CHECKING:
    from av import VideoFrame
    from av.filter import Graph

OPEN_SECONDS = 10.0  # after which opening a stream fails
READ_SECONDS = 2.5  # without a packet, after which a stream is lost
SILENT = "no frame comes"
SLICE_THREADS = 4  # that decode parts of a frame of a stream; cameras send few parts, if more than one
CUT_SECONDS = 0.5  # of a recording that may be missing at its end; edit lists and rounding take less
PREFER_TCP = {"rtsp_flags": "prefer_tcp"}  # nothing is lost by it; a server without it sends by UDP
LUMA_FORMATS = re.compile("yuvj?4[0-9]{2}p|nv[0-9]{2}")  # FFmpeg's names of formats whose first plane is luma of 8 bits
FULL_RANGE = 2  # FFmpeg's AVCOL_RANGE_JPEG: luma is 0 to 255, not BLACK to WHITE
BLACK, WHITE = 16, 235  # luma of video
MISSED = "missed"  # in FFmpeg's warning "RTP: missed 3 packets", the only sign of a frame that was lost as a whole


class Video:
    """A video file, or a stream.

    Attributes:
        live: Whether the frames are those of this moment. A recording on a server, which states how long it is, is not
            live.
        fps: Frames per second, as the file or the stream states it.
        time: Seconds from the first frame to the last one that was read, by the video's own clock; None where it has no
            clock.
        flaw: Why the last frame must not be read: it is damaged, is predicted from a damaged one, or is of another size
            than the first. Empty if it is right.
        note: After the end of a recording: why it is not the whole one; else empty.
    """

    continuous = True

    def __init__(self, name: str) -> None:
        """Opens the file or the address `name`.

        Raises:
            InputError: The file is no video that can be decoded.
            SourceOffError: The address does not answer, or has nothing to send at the moment.
            DeviceError: The address can never be opened: its login, protocol or codec is wrong.
        """
        self._av = _pyav()
        self._is_stream = "://" in name
        self._name = without_credentials(name)
        self._address = name
        self._container: Any = None
        began = perf_counter()
        try:
            with _listening(self._av) as logs:
                self._container = self._av.open(
                    name,
                    timeout=(OPEN_SECONDS, READ_SECONDS) if self._is_stream else None,
                    options=PREFER_TCP if _prefers_tcp(name) else {},
                    metadata_errors="replace",
                )
            self._stream = self._container.streams.video[0]
        except (self._av.FFmpegError, IndexError) as error:
            self.release()
            raise self._refusal(error, perf_counter() - began) from None
        context = self._stream.codec_context
        if context is None:
            self.release()
            raise self._unusable("its codec has no decoder here; let it be sent or saved as H.264")
        length = self._stream.duration or self._container.duration
        self.live = self._is_stream and not (length or self._stream.frames)
        # A thread for each frame holds as many frames back as there are cores; threads for parts of a frame hold none.
        context.thread_type = "SLICE" if self.live else "AUTO"
        context.thread_count = SLICE_THREADS if self.live else 0
        fps = float(self._stream.guessed_rate or 0)
        self.fps = fps if is_rate(fps) else DEFAULT_FPS
        self.time: float | None = None
        self.flaw = self.note = ""
        self._seconds = self._stated_seconds()
        self._first: float | None = None
        self._size = (0, 0)
        self._count = 0
        self._is_lossy = False  # whether data are missing that may be of the frame that comes next
        self._is_broken = self.live and _is_missed(logs)  # whether frames are predicted from a damaged one
        # The first frames came while the stream was opened; if data were missing then, any of them may be damaged.
        self._suspect = ceil((perf_counter() - began) * self.fps) if self._is_broken else 0
        self._filter: Graph | None = None
        self._frames = self._decoded()

    def read(self) -> FramePixels | None:
        """Returns the next frame; None at the end of a recording, or if the stream has ended.

        Raises SourceOffError if a live stream is lost.
        """
        try:
            frame = next(self._frames, None)
        except self._av.FFmpegError as error:
            if not self.live:
                self.note = f"{self._name}: cannot be read to its end ({_words(error)})"
                return None
            raise SourceOffError(_why_lost(self._av, error)) from None
        if frame is None:
            self.note = self._cut()
            return None
        self._count += 1
        self.time = None
        if frame.pts is not None:
            self._first = frame.time if self._first is None else self._first
            self.time = frame.time - self._first
        self._size = self._size if any(self._size) else (frame.width, frame.height)
        self.flaw = self._flaw(frame)
        turns = round(frame.rotation / 90)
        size = (frame.height, frame.width) if turns % 2 else (frame.width, frame.height)
        return FramePixels(size, lambda: _turned(_gray(frame), turns), lambda: _turned(_rgb(frame), turns))

    def release(self) -> None:
        if self._container is not None:
            self._container.close()

    def _decoded(self) -> "Iterator[VideoFrame]":
        """The frames; those that are interlaced are made progressive."""
        packets = self._container.demux(self._stream)
        is_missed = False
        while True:
            before, began = is_missed, perf_counter()
            with _listening(self._av) as logs:
                packet = next(packets, None)
            if self.live and perf_counter() - began >= READ_SECONDS:
                # Given up, FFmpeg hands out the last frame that it had, which was held back until the next one began.
                raise SourceOffError(SILENT)
            # Frames of a file come some packets later, as the decoder has threads; it marks them itself.
            is_missed = self.live and (_is_missed(logs) or (packet is not None and packet.is_corrupt))
            self._is_broken |= is_missed
            self._is_lossy = is_missed or (before and self._filter is not None)  # the filter is a frame behind
            if packet is None:
                break
            if packet.dts is not None and not packet.size:
                continue  # Theora repeats a picture so, and decoders refuse it; what ends a file has no time
            try:
                decoded = packet.decode()
            except self._av.error.InvalidDataError:
                self._is_broken = True
                continue
            for frame in decoded:
                yield from self._progressive(frame)
        if self._filter is not None:
            yield from self._filtered(None)

    def _progressive(self, frame: "VideoFrame") -> "Iterator[VideoFrame]":
        if frame.interlaced_frame and self._filter is None:
            self._filter = _deinterlacer(self._av, frame, self._stream.time_base)
        if self._filter is None or (any(self._size) and (frame.width, frame.height) != self._size):
            yield frame
        else:
            yield from self._filtered(frame)

    def _filtered(self, frame: "VideoFrame | None") -> "Iterator[VideoFrame]":
        assert self._filter is not None
        self._filter.vpush(frame)
        try:
            while True:
                yield self._filter.vpull()
        except (self._av.error.BlockingIOError, self._av.error.EOFError):
            return

    def _flaw(self, frame: "VideoFrame") -> str:
        if frame.is_corrupt:
            self._is_broken = True
        elif frame.key_frame and not self._is_lossy and self._count > self._suspect:
            self._is_broken = False
        if (frame.width, frame.height) != self._size:
            (w, h), (first_w, first_h) = (frame.width, frame.height), self._size
            return f"the picture has {w}x{h} pixels now, not {first_w}x{first_h} as at the start; start again"
        if self._is_broken:
            return "the picture is damaged, since data are missing"
        return ""

    def _stated_seconds(self) -> float:
        """How long a recording is by what it states; 0 where it states nothing."""
        stream = self._stream
        by_frames = float(stream.frames / stream.average_rate) if stream.frames and stream.average_rate else 0.0
        if stream.duration and stream.time_base:
            return max(by_frames, float(stream.duration * stream.time_base))
        is_alone = len(self._container.streams) == 1  # sound may last longer
        return max(by_frames, (self._container.duration or 0) / 1e6 if is_alone else 0.0)

    def _cut(self) -> str:
        """Why a recording that has ended is not the whole one; else empty."""
        read = self._count / self.fps if self.time is None else self.time + 1 / self.fps
        if self.live or self._seconds - read <= CUT_SECONDS:
            return ""
        return f"{self._name}: is cut short or damaged: {read:.1f} of {self._seconds:.1f} seconds could be read"

    def _unusable(self, why: str) -> DigitocrError:
        return (DeviceError if self._is_stream else InputError)(f"{self._name}: {why}")

    def _refusal(self, error: Exception, seconds: float) -> DigitocrError:
        """Why the name cannot be opened, as was found after that time."""
        errors = self._av.error
        if not self._is_stream and isinstance(error, PermissionError):
            return InputError(f"{self._name}: cannot be read ({_words(error)}); check its permissions")
        if not self._is_stream:
            return InputError(
                f"{self._name}: not a video that can be decoded; convert it to .mp4 or .avi (a recording that was cut "
                "short may lack the index that stands at its end)"
            )
        if isinstance(error, errors.HTTPUnauthorizedError | errors.HTTPForbiddenError):
            return DeviceError(
                f"{self._name}: asks for a user and a password, or refuses these (401); write them in front of the "
                "host, as in rtsp://USER:PASSWORD@camera/, with %40 for an @"
            )
        if isinstance(error, errors.ProtocolNotFoundError):
            scheme = self._name.partition("://")[0]
            return DeviceError(
                f"{self._name}: {scheme}:// is not supported; let it be sent as rtsp://, rtmp://, http:// or udp://"
            )
        if isinstance(error, IndexError):
            return DeviceError(f"{self._name}: has no pictures, only sound or data; check the path behind the host")
        return SourceOffError(f"{self._name}: {self._why_off(error, seconds)}")

    def _why_off(self, error: Exception, seconds: float) -> str:
        errors = self._av.error
        host = urlsplit(self._address.replace("[", "").replace("]", "")).hostname
        if isinstance(error, errors.HTTPNotFoundError):
            return "the server has no such stream (404); check the path behind the host, and that it is being sent"
        if isinstance(error, errors.HTTPError):
            return f"the server refuses to send ({_words(error)}); check the address, and the server"
        if isinstance(error, ConnectionRefusedError):
            return "nothing listens there (connection refused); check the port, and that it is switched on"
        if seconds >= OPEN_SECONDS or isinstance(error, errors.TimeoutError):
            return f"no answer in {OPEN_SECONDS:g} seconds; check that it is on, and that no firewall is between"
        if host and not _resolves(host):
            return f"there is no host of the name {host}; check its spelling, or name its IP address"
        if isinstance(error, errors.InvalidDataError):
            return "answers, but sends no video that can be decoded; check the path behind the host"
        return f"no stream can be opened ({_words(error)}); check the address, and that it is being sent"


def _pyav() -> ModuleType:
    """PyAV, which takes a moment to import, and is needed for videos and streams only."""
    try:
        import av
        import av.filter
        import av.logging
    except ImportError as error:
        raise MissingLibraryError(f"PyAV cannot be loaded ({error}); type: pip install --force-reinstall av") from error
    if av.logging.get_level() is None:  # else the process has chosen what it wants to see
        av.logging.set_level(av.logging.WARNING)
        if "OPENCV_LOG_LEVEL" not in os.environ:
            logging.getLogger("libav").addHandler(logging.NullHandler())
            logging.getLogger("libav").propagate = False
    return av


def _deinterlacer(av: ModuleType, frame: "VideoFrame", time_base: Fraction) -> "Graph":
    """A filter that makes interlaced frames progressive and leaves others as they are, one frame later."""
    graph: Graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=time_base)
    graph.link_nodes(source, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink"))
    graph.configure()
    return graph


def _gray(frame: "VideoFrame") -> GrayImage:
    """(H, W) uint8, 0 to 255: the frame's luma where it has such a plane, which is what grey is made of."""
    name, plane = frame.format.name, frame.planes[0]
    if not LUMA_FORMATS.fullmatch(name) or plane.line_size < frame.width:
        return np.asarray(frame.to_ndarray(format="gray"), np.uint8)
    luma = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    is_full = name.startswith("yuvj") or frame.color_range == FULL_RANGE
    if is_full:
        return np.ascontiguousarray(luma)
    return np.asarray(cv2.convertScaleAbs(cv2.subtract(luma, BLACK), alpha=255 / (WHITE - BLACK)), np.uint8)


def _rgb(frame: "VideoFrame") -> Pixels:
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def _turned(pixels: GrayImage | Pixels, turns: int) -> Any:
    """Turned by quarters, as the video says that it is shown."""
    return np.ascontiguousarray(np.rot90(pixels, turns))


def _why_lost(av: ModuleType, error: Exception) -> str:
    is_silent = isinstance(error, av.error.ExitError | av.error.TimeoutError)
    return SILENT if is_silent else "the picture is lost"


def _words(error: Exception) -> str:
    """What FFmpeg says of an error."""
    return getattr(error, "strerror", None) or str(error)


def _prefers_tcp(name: str) -> bool:
    return name.lower().startswith("rtsp") and not re.search(r"[?&](udp|multicast)\b", name)


@contextmanager
def _listening(av: ModuleType) -> Iterator[list[tuple[int, str, str]]]:
    """Collects FFmpeg's warnings of this thread as (level, name, message), and passes them on to Python's logging."""
    with av.logging.Capture() as logs:
        try:
            yield logs
        finally:
            for _, name, message in logs:
                logging.getLogger(f"libav.{name}").warning(message.strip())


def _is_missed(logs: list[tuple[int, str, str]]) -> bool:
    return any(MISSED in message for _, _, message in logs)


def _resolves(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True
