"""What a source of frames is, and a frame in its two forms: grey to be read, RGB to be shown.

An own source needs two methods:

    class Synthetic:
        def read(self):                 # the next frame; None at the end
            return np.zeros((480, 640, 3), np.uint8)

        def release(self):
            pass

    for reading in VideoReader(Synthetic()): ...
"""

import math
import os
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import InputError
from digitocr.runtime.levels import GrayImage
from digitocr.runtime.opencv import cv2

Pixels: TypeAlias = npt.NDArray[np.uint8]  # (H, W, 3) RGB

DEFAULT_FPS = 30.0  # frames per second of a source that does not state its rate
MAX_FPS = 1000.0  # a higher rate is a damaged header, not a camera
OPENCV_SILENT = 0  # OpenCV's LOG_LEVEL_SILENT
FFMPEG_QUIET = "-8"  # FFmpeg's AV_LOG_QUIET


class FramePixels:
    """A frame, in each of its forms from the first time that this one is asked for.

    Most frames are read and never shown, and a decoder has the grey levels at hand.

    Attributes:
        size: (width, height) in pixels.
        gray: (H, W) uint8, what is read.
        rgb: (H, W, 3) uint8 RGB, what is shown.
    """

    def __init__(self, size: tuple[int, int], gray: Callable[[], GrayImage], rgb: Callable[[], Pixels]) -> None:
        """Takes what makes the two forms; each is called once, and let go with what it holds.

        What it gives is checked then: InputError if it is no frame of that size.
        """
        self.size = size
        self._makers: dict[str, Callable[[], Any]] = {"gray": gray, "rgb": rgb}
        self._forms: dict[str, npt.NDArray[np.uint8]] = {}
        self._making = threading.Lock()  # a frame is read and shown by two threads

    @property
    def gray(self) -> GrayImage:
        return self._form("gray", self.size[::-1])

    @property
    def rgb(self) -> Pixels:
        return self._form("rgb", (*self.size[::-1], 3))

    def _form(self, form: str, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
        with self._making:
            if form not in self._forms:
                made = self._makers[form]()
                if not isinstance(made, np.ndarray) or made.dtype != np.uint8 or made.shape != shape:
                    raise InputError(f"the {form} of a frame is an array of {shape} uint8; not {_described(made)}")
                self._forms[form] = made
                del self._makers[form]
            return self._forms[form]

    def __reduce__(self) -> tuple[Any, ...]:
        """Both forms, as what makes them cannot be pickled."""
        return _of_forms, (self.gray, self.rgb)


@runtime_checkable
class FrameSource(Protocol):
    """Where frames come from. VideoReader reads a source in a thread of its own, and releases it at the end.

    A source may have three attributes, which are read once, after the first frame was requested:

    Attributes:
        live (bool): Whether frames are lost if they are not read at once, as those of a camera. Only the newest frame
            of a live source is kept; of any other source every frame is read, in order. Default: True.
        fps (float): Frames per second. It gives the frames of a source that is not live their times. Default: 30, also
            for what is no rate, as the 0 of a driver that does not know it.
        continuous (bool): Whether a frame shows almost the same as the one before, so that digits can be followed
            from one to the next. Default: True.

    Three more are read after each call of read():

    Attributes:
        time (float | None): Of a source that is not live, seconds from its first frame to this one. Default: None,
            which stands for the frame's number divided by fps.
        flaw (str): Why this frame must not be read, as one that is damaged. Default: empty.
        note (str): After the end, what is to be said of the source, as that it was cut short. Default: empty.
    """

    def read(self) -> Pixels | GrayImage | FramePixels | None:
        """Returns the next frame, (H, W, 3) uint8 RGB, (H, W) uint8 grey, or FramePixels; None at the end.

        It may block until there is a frame. The array must not be changed afterwards.
        """

    def release(self) -> None:
        """Gives the device or the file back. Called once, in the thread that calls read()."""


def is_rate(fps: float) -> bool:
    """Whether a header's or a driver's value can be frames per second."""
    return math.isfinite(fps) and 0 < fps <= MAX_FPS


def of_opencv(pixels: Any) -> FramePixels:
    """A frame of OpenCV, (H, W, 3) uint8 BGR or, of a camera without colour, (H, W) uint8 grey."""
    return _converted(pixels, cv2.COLOR_BGR2GRAY, lambda: cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))


def checked(frame: Any, source: str) -> FramePixels:
    """Returns what a source delivered in both forms. Raises InputError if it is not a frame."""
    if isinstance(frame, FramePixels):
        return frame
    is_array = isinstance(frame, np.ndarray) and frame.dtype == np.uint8 and frame.size
    if is_array and (frame.ndim == 2 or frame.shape[2:] == (3,)):
        return _converted(frame, cv2.COLOR_RGB2GRAY, lambda: frame)
    raise InputError(
        f"{source}: a frame is an array of (height, width, 3) uint8, RGB, or (height, width); not {_described(frame)}"
    )


def _described(given: Any) -> str:
    return f"an array of {given.shape} {given.dtype}" if isinstance(given, np.ndarray) else type(given).__name__


def _of_forms(gray: GrayImage, rgb: Pixels) -> FramePixels:
    return FramePixels((gray.shape[1], gray.shape[0]), lambda: gray, lambda: rgb)


def _converted(pixels: Any, to_gray: int, rgb: Callable[[], Pixels]) -> FramePixels:
    """A frame whose RGB form is `rgb` if its pixels have colours, and whose grey form is the pixels if not."""
    size = (pixels.shape[1], pixels.shape[0])
    if pixels.ndim == 2:
        return FramePixels(size, lambda: pixels, lambda: cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB))
    return FramePixels(size, lambda: cv2.cvtColor(pixels, to_gray), rgb)


def silence_video_libraries() -> None:
    """Stops OpenCV and its FFmpeg from writing to stderr, since every failure is raised as an error.

    This holds for the whole process. It is left out if the environment sets OPENCV_LOG_LEVEL. FFmpeg keeps the level
    that it had when the process first opened a video.
    """
    if "OPENCV_LOG_LEVEL" in os.environ:
        return
    set_level = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel  # OpenCV 4, OpenCV 5
    set_level(OPENCV_SILENT)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", FFMPEG_QUIET)  # any louder level is written to stdout
