"""Names of sources -> what opens them: a camera, a video file, pictures in turn, a stream, a snapshot's address.

open_source = opener("clip.avi")    # or "0", a camera's name, "shots/", "shots/*.png", "rtsp://..."
source = open_source()              # a FrameSource
"""

import glob
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_ISDIR

import numpy as np

from digitocr.runtime import image
from digitocr.runtime.errors import InputError, UsageError
from digitocr.runtime.formats import SUFFIXES, is_readable
from digitocr.runtime.live import addresses, cameras
from digitocr.runtime.live.cameras import DEFAULT_REQUEST, CameraRequest, is_device, known_cameras, open_camera
from digitocr.runtime.live.decoding import Video
from digitocr.runtime.live.frames import DEFAULT_FPS, FrameSource, Pixels

SNAPSHOT_FPS = 1.0  # requests per second to an address that answers with one picture
SNAPSHOT_SECONDS = 5.0  # after which a request for a snapshot fails
SNAPSHOT_BYTES = 64_000_000  # of a snapshot's file; a larger one is refused


def opener(name: str, request: CameraRequest = DEFAULT_REQUEST) -> Callable[[], FrameSource]:
    """Returns a function that opens the source of that name, each time it is called.

    Args:
        name: A camera's number, device or name, an address with "://", a video file, a folder or a glob of pictures.
        request: The size and rate asked of a camera. The rate is also that of requests to a snapshot's address.

    Raises:
        InputError: There is nothing of that name.
        UsageError: A size or a rate is asked of something that has its own. For an address, the function returned
            raises it.
    """
    if not name:  # as a variable of a shell that is not set; a path without a name is the folder one works in
        raise InputError("an empty name names no source; name a camera, a file, a folder or an address")
    device = re.fullmatch(r"/dev/video([0-9]+)", name)
    if device and not is_device(name):
        device = None
    number = device[1] if device else name
    if re.fullmatch(r"[0-9]{1,4}", number):
        return lambda: open_camera(int(number), request)
    if "://" in name:
        return lambda: _open_address(name, request)
    if not _mode(name) and not glob.has_magic(name):
        return _named_camera(name, request)
    if any(request):
        raise UsageError("a size or a rate can be asked of a camera only; a file has its own")
    if S_ISDIR(_mode(name)) or not _mode(name):
        return lambda: Pictures(name)
    return lambda: Video(name)


class Pictures:
    """The picture files of a folder or a glob, by name, as frames. Raises InputError if there are none."""

    live = False
    continuous = False
    fps = DEFAULT_FPS

    def __init__(self, name: str) -> None:
        pattern = name
        if S_ISDIR(_mode(name)):
            pattern = str(Path(glob.escape(name)) / "*")
            try:
                next(Path(name).iterdir(), None)  # glob passes over a folder that cannot be read
            except OSError as error:
                raise InputError(f"{name}: the folder cannot be read ({error.strerror})") from error
        paths = [path for path in sorted(glob.glob(pattern)) if is_readable(Path(path).suffix)]
        if not paths:
            raise InputError(f"{name}: holds no pictures ({', '.join(sorted(SUFFIXES))})")
        self._pictures: Iterator[Pixels] = (_rgb(Path(path)) for path in paths)

    def read(self) -> Pixels | None:
        """Returns the next picture, (H, W, 3) uint8 RGB; None after the last. Raises InputError for a damaged one."""
        return next(self._pictures, None)

    def release(self) -> None:
        pass


class Snapshots:
    """An address that answers each request with one picture, as many network cameras offer it.

    Attributes:
        fps: Requests per second.
        interval: Seconds between two requests; the thread that reads waits for so long.
    """

    live = True
    continuous = False

    def __init__(self, address: str, fps: float = 0.0) -> None:
        self.fps = fps or SNAPSHOT_FPS
        self.interval = 1 / self.fps
        self._address = address

    def read(self) -> Pixels | None:
        """Requests a picture, (H, W, 3) uint8 RGB; None if none comes, or if it is damaged."""
        try:
            with addresses.answer(self._address, SNAPSHOT_SECONDS) as response:
                return _rgb(response.read(SNAPSHOT_BYTES))
        except (OSError, ValueError, InputError):
            return None

    def release(self) -> None:
        pass


def _named_camera(name: str, request: CameraRequest) -> Callable[[], FrameSource]:
    for number, known in cameras.cameras():
        if name and name.lower() in known.lower():
            return lambda: open_camera(number, request)
    raise InputError(f"{name}: there is no such file and no camera of that name (cameras: {known_cameras()})")


def _open_address(address: str, request: CameraRequest) -> FrameSource:
    may_be_picture = re.match("https?://", address, re.IGNORECASE)
    has_own = UsageError("a size or a rate can be asked of a camera only; a stream has its own")
    if request.width or request.height or (request.fps and not may_be_picture):
        raise has_own
    if may_be_picture and addresses.is_snapshot(address):
        return Snapshots(address, request.fps)
    video = Video(address)  # where nothing answers, it says why: a camera of snapshots may be off at the moment
    if request.fps:
        video.release()
        raise has_own
    return video


def _rgb(picture: Path | bytes) -> Pixels:
    """Returns the picture as shown, (H, W, 3) uint8 RGB. Raises InputError."""
    return np.array(image.load_rgb(picture), np.uint8)


def _mode(name: str) -> int:
    """The st_mode of the file of that name; 0 if there is none, or cannot be."""
    try:
        return Path(name).stat().st_mode
    except (OSError, ValueError):
        return 0
