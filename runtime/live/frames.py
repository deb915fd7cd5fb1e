"""What a source of frames is, and the form of a frame: (H, W, 3) uint8 RGB.

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
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import InputError
from digitocr.runtime.opencv import cv2

Pixels: TypeAlias = npt.NDArray[np.uint8]  # (H, W, 3) RGB

DEFAULT_FPS = 30.0  # frames per second of a source that does not state its rate
MAX_FPS = 1000.0  # a higher rate is a damaged header, not a camera
OPENCV_SILENT = 0  # OpenCV's LOG_LEVEL_SILENT
FFMPEG_QUIET = "-8"  # FFmpeg's AV_LOG_QUIET


@runtime_checkable
class FrameSource(Protocol):
    """Where frames come from. VideoReader reads a source in a thread of its own, and releases it at the end.

    A source may have three attributes, which are read once, after the first frame was requested:

    Attributes:
        live (bool): Whether frames are lost if they are not read at once, as those of a camera. Only the newest frame
            of a live source is kept; of any other source every frame is read, in order. Default: True.
        fps (float): Frames per second. It gives the frames of a source that is not live their times. Default: 30.
        continuous (bool): Whether a frame shows almost the same as the one before, so that digits can be followed
            from one to the next. Default: True.

    Three more are read after each call of read():

    Attributes:
        time (float | None): Of a source that is not live, seconds from its first frame to this one. Default: None,
            which stands for the frame's number divided by fps.
        flaw (str): Why this frame must not be read, as one that is damaged. Default: empty.
        note (str): After the end, what is to be said of the source, as that it was cut short. Default: empty.
    """

    def read(self) -> Pixels | None:
        """Returns the next frame, (H, W, 3) uint8 RGB or (H, W) uint8 grey, or None at the end.

        It may block until there is a frame. The array must not be changed afterwards.
        """

    def release(self) -> None:
        """Gives the device or the file back. Called once, in the thread that calls read()."""


def is_rate(fps: float) -> bool:
    """Whether a header's or a driver's value can be frames per second."""
    return math.isfinite(fps) and 0 < fps <= MAX_FPS


def to_rgb(pixels: Any) -> Pixels:
    """Converts a frame of OpenCV, (H, W, 3) BGR or (H, W) grey."""
    if pixels.ndim == 2:  # a camera without colour
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def checked(pixels: Any, source: str) -> Pixels:
    """Returns what a source delivered as (H, W, 3) uint8 RGB. Raises InputError if it is not a frame."""
    if isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.size:
        if pixels.ndim == 3 and pixels.shape[2] == 3:
            return pixels
        if pixels.ndim == 2:
            return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    is_array = isinstance(pixels, np.ndarray)
    given = f"an array of {pixels.shape} {pixels.dtype}" if is_array else type(pixels).__name__
    raise InputError(f"{source}: a frame is an array of (height, width, 3) uint8, RGB, or (height, width); not {given}")


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
