"""Cameras of this machine: which there are, and one opened by OpenCV or, on a Raspberry Pi, by picamera2.

cameras()                   # [(0, "Webcam C1"), (2, "Microscope")]
camera = open_camera(0)     # a FrameSource
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from platform import system
from stat import S_ISCHR
from typing import Any, NamedTuple

import numpy as np

from digitocr.runtime.errors import DeviceError
from digitocr.runtime.live.frames import (
    DEFAULT_FPS,
    FramePixels,
    FrameSource,
    Pixels,
    is_rate,
    of_opencv,
    silence_video_libraries,
)
from digitocr.runtime.opencv import cv2

LINUX_CAMERAS = Path("/sys/class/video4linux")  # where Linux lists its video devices
PROBED = 4  # camera numbers that are tried where the system has no list of cameras


class CameraRequest(NamedTuple):
    """What a camera is asked for. It gives what it can; 0 leaves the choice to the camera.

    Attributes:
        width: Pixels.
        height: Pixels.
        fps: Frames per second.
    """

    width: int = 0
    height: int = 0
    fps: float = 0.0


DEFAULT_REQUEST = CameraRequest()  # the camera chooses


def cameras(folder: Path = LINUX_CAMERAS) -> list[tuple[int, str]]:
    """Lists the number and the name of each camera, by number.

    Linux lists its cameras in `folder`. On other systems the first PROBED numbers are opened to see whether there is a
    camera, and the names are made from the numbers.
    """
    found = []
    if system() == "Linux":
        for device in folder.glob("video*"):
            try:
                # a camera has several devices; the one of index 0 delivers the picture
                if int((device / "index").read_text()) == 0:
                    found.append((int(device.name.removeprefix("video")), (device / "name").read_text().strip()))
            except (OSError, ValueError):
                continue
        return sorted(found)
    silence_video_libraries()
    for number in range(PROBED):
        capture = cv2.VideoCapture(number)
        if capture.isOpened():
            found.append((number, f"camera {number}"))
        capture.release()
    return found


def known_cameras() -> str:
    """The cameras of this machine as a part of an error message; "none" where there are none."""
    return ", ".join(f"{number} {name}" for number, name in cameras()) or "none"


def open_camera(number: int, request: CameraRequest = DEFAULT_REQUEST) -> FrameSource:
    """Opens a camera by OpenCV, and by picamera2 where OpenCV fails and picamera2 is installed. Raises DeviceError."""
    try:
        return Camera(number, request)
    except DeviceError:
        if find_spec("picamera2") is None:
            raise
    try:
        return PiCamera(import_module("picamera2"), number, request)
    except Exception as error:  # libcamera raises RuntimeError, IndexError and more
        raise DeviceError(f"camera {number} cannot be opened, nor by picamera2 ({error})") from error


class Camera:
    """A camera that OpenCV opens by its number. Raises DeviceError if it cannot."""

    live = True
    continuous = True

    def __init__(self, number: int, request: CameraRequest = DEFAULT_REQUEST) -> None:
        silence_video_libraries()
        self._capture = cv2.VideoCapture(number)
        _configure(self._capture, request)
        if not self._capture.isOpened():
            self._capture.release()
            raise DeviceError(_why_no_camera(number))
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if is_rate(fps) else DEFAULT_FPS

    def read(self) -> FramePixels | None:
        """Returns the next frame; None if the camera is lost."""
        read, pixels = self._capture.read()
        return of_opencv(pixels) if read else None

    def release(self) -> None:
        self._capture.release()


class PiCamera:
    """A Raspberry Pi's camera by the library picamera2, for cameras that OpenCV does not open."""

    live = True
    continuous = True

    def __init__(self, library: Any, number: int, request: CameraRequest) -> None:
        self._camera = library.Picamera2(number)
        self.fps = request.fps or DEFAULT_FPS
        main: dict[str, Any] = {"format": "BGR888"}  # named by the bits of a word; in memory its bytes are R, G, B
        if request.width:
            main["size"] = (request.width, request.height)
        self._camera.configure(self._camera.create_video_configuration(main=main, controls={"FrameRate": self.fps}))
        self._camera.start()

    def read(self) -> Pixels | None:
        """Returns the next frame, (H, W, 3) uint8 RGB."""
        return np.asarray(self._camera.capture_array("main"), np.uint8)

    def release(self) -> None:
        self._camera.stop()
        self._camera.close()


def _configure(capture: Any, request: CameraRequest) -> None:
    if any(request):
        # most cameras send large uncompressed pictures at a few frames per second only
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    settings = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
    for setting, value in zip(settings, request, strict=True):
        if value:
            capture.set(setting, value)


def _why_no_camera(number: int) -> str:
    if system() == "Linux" and not is_device(f"/dev/video{number}"):
        return (
            f"there is no camera {number} (cameras: {known_cameras()}); plug one in, or name a file or a stream by "
            "--source"
        )
    return (
        f"camera {number} cannot be opened; another program may use it, or you have no permission "
        "(on Linux: sudo usermod -aG video $USER, then log in again)"
    )


def is_device(path: str) -> bool:
    """Whether the path is a character device, as Linux's cameras are."""
    try:
        return S_ISCHR(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False
