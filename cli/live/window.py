"""OpenCV's window with the frames and their readings, its keys and its mouse."""

import json
import os
import subprocess
import sys
from pathlib import Path
from time import strftime

from digitocr.cli.batch.output import ResultFolder
from digitocr.cli.live import overlay
from digitocr.runtime.errors import DeviceError, OutputError
from digitocr.runtime.live.video import FrameReading, VideoReader
from digitocr.runtime.opencv import cv2

TITLE = "digitocr"  # of the window; OpenCV knows a window by its title
KEYS = (  # as the help shows them
    ("q, Esc", "end"),
    ("space", "freeze or continue"),
    ("s", "save the frame and its reading here"),
    ("h", "show or hide these keys"),
    ("mouse", "draw the part to read; a click reads all"),
)
MIN_PART = 16  # pixels; a smaller part drawn with the mouse is a click
END_KEYS = (ord("q"), 27)  # 27: Esc
FROZEN_MS = 50  # milliseconds to wait for a key while the picture is frozen
TRIAL_SECONDS = 30.0  # that a display may take to open a window, on a busy machine as well


def check_display() -> None:
    """Raises DeviceError if no window can be opened."""
    if not cv2.currentUIFramework():
        raise DeviceError(
            "this OpenCV was built without windows; type: pip install --force-reinstall --no-deps opencv-python, or "
            "add --view web"
        )
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise DeviceError("there is no display for a window; add --view web to see it in a browser, or --view none")
    # if a named display is not there, the process that tries it ends without an exception; so another one tries it.
    # -P: a cv2.py in the current folder is not imported
    trial = [sys.executable, "-P", "-c", f"import cv2; cv2.namedWindow({TITLE!r})"]
    try:
        tried = subprocess.run(
            trial, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=TRIAL_SECONDS, check=False
        )
        why = "cannot be opened" if tried.returncode else ""
    except subprocess.TimeoutExpired:
        why = f"does not answer within {TRIAL_SECONDS:g} seconds"
    if why:
        named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        raise DeviceError(f"the display {named} {why}; add --view web to see it in a browser, or --view none")


class Window:
    """Shows the frames of a video. The part to read can be drawn with the mouse."""

    def __init__(self, video: VideoReader, mirror: bool) -> None:
        self._video, self._mirror = video, mirror
        self._help = self._was_open = False
        self._corner: tuple[int, int] | None = None
        self._pictures = ResultFolder(Path(), ".png", force=False)
        self._readings = ResultFolder(Path(), ".json", force=False)
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        cv2.resizeWindow(TITLE, video.size[0], video.size[1] + overlay.BAR_HEIGHT)
        cv2.setMouseCallback(TITLE, self._on_mouse)

    def show(self, frame: FrameReading, fps: float) -> bool:
        """Shows the frame, for as long as it is frozen. Returns False if a key or closing the window ended it."""
        frozen = False
        while True:
            picture = overlay.drawn(frame, self._video.roi, fps, self._mirror, KEYS if self._help else ())
            cv2.imshow(TITLE, overlay.to_bgr(picture))
            key = cv2.waitKey(FROZEN_MS if frozen else 1) & 0xFF
            if key in END_KEYS or self._is_closed():
                return False
            if key == ord(" "):
                frozen = not frozen
            elif key == ord("h"):
                self._help = not self._help
            elif key == ord("s"):
                self._save(frame, fps)
            if not frozen:
                return True

    def idle(self) -> bool:
        """Handles keys and mouse while no frame comes. Returns False if the window was ended."""
        return cv2.waitKey(1) & 0xFF not in END_KEYS and not self._is_closed()

    def finish(self) -> bool:
        """Returns False: the window closes when the source has ended."""
        return False

    def close(self) -> None:
        """Closes the window."""
        cv2.destroyAllWindows()
        cv2.waitKey(1)  # the window disappears only when events are handled

    def _is_closed(self) -> bool:
        """Whether the window was open, which it may not be for its first frames, and is not any more."""
        try:
            is_open = cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # raised by Qt once the last window is gone
            is_open = False
        self._was_open |= is_open
        return self._was_open and not is_open

    def _save(self, frame: FrameReading, fps: float) -> None:
        name = f"digitocr-{strftime('%Y%m%d-%H%M%S')}-{frame.index}"
        _, png = cv2.imencode(".png", overlay.to_bgr(overlay.drawn(frame, self._video.roi, fps, self._mirror)))
        reading = {"frame": frame.index, "time": round(frame.time, 3), **frame.reading.to_dict()}
        try:
            picture = self._pictures.save(png.tobytes(), name)
            text = self._readings.save((json.dumps(reading) + "\n").encode(), name)
            print(f"digitocr: saved {picture.name} and {text.name}", file=sys.stderr)
        except OutputError as error:  # reading goes on
            print(f"digitocr: {error}", file=sys.stderr)

    def _on_mouse(self, event: int, x: int, y: int, flags: int, data: object) -> None:  # noqa: ARG002  # OpenCV's signature
        if event == cv2.EVENT_LBUTTONDOWN:
            self._corner = (x, y)
        elif event == cv2.EVENT_LBUTTONUP and self._corner is not None:
            width, height = self._video.size
            xs = sorted(min(max(0, edge), width) for edge in (self._corner[0], x))
            ys = sorted(min(max(0, edge), height) for edge in (self._corner[1], y))
            self._corner = None
            if self._mirror:
                xs = [width - xs[1], width - xs[0]]
            part = (xs[0], ys[0], xs[1] - xs[0], ys[1] - ys[0])
            self._video.roi = part if min(part[2:]) >= MIN_PART else None
