"""A page with the live picture and the current reading, for machines without a screen, by the standard library.

/ is the page, /video the pictures (multipart JPEG, which browsers show as they come), /reading the reading as JSON,
/healthz whether frames are read, as status 200 or 503.
"""

import threading
from collections import deque
from concurrent.futures import CancelledError, ThreadPoolExecutor
from http import HTTPStatus
from time import monotonic
from typing import Any

from digitocr.cli.live import overlay
from digitocr.cli.live.heartbeat import wall_clock
from digitocr.cli.serving import VIEWER_SECONDS, PageServer, Request
from digitocr.runtime.live.frames import Pixels
from digitocr.runtime.live.video import FrameReading, VideoReader
from digitocr.runtime.opencv import cv2

FRAME_QUALITY = 80  # JPEG quality of the pictures, 0 to 100
ANNOUNCED_SHOWN = 20  # announced readings that the page shows
HEALTH_SECONDS = 10.0  # in which the loop over the frames must have turned; without a frame it turns every 0.1 s
MAX_VIEWERS = 16  # of the pictures at a time; each takes as much of the processor and of the network as the first
CHECK_SECONDS = 1.0  # without a new frame, after which it is checked whether a viewer has left
BOUNDARY = "the-next-picture"  # between two parts of the multipart answer
PART_HEAD = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\n\r\n".encode()

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>digitocr</title><link rel="icon" href="data:,">
<style>
body { margin: 0 auto; max-width: 80rem; padding: 1rem; font: 1rem/1.4 system-ui, sans-serif; color: #222 }
img { width: 100%; display: block; background: #222 }
output { display: block; min-height: 1.2em; font-size: 3rem; white-space: pre-line }
output, td { font-variant-numeric: tabular-nums }
td { padding-right: 2rem }
</style>
<img src="/video" alt="the live picture with its reading">
<output id="text" aria-live="polite"></output>
<p id="state">waiting for the first frame</p>
<table id="announced"></table>
<script>
const at = id => document.getElementById(id)
async function look() {
  try {
    const now = await (await fetch("/reading")).json()
    at("text").textContent = now.text
    at("state").textContent = now.state
    at("announced").replaceChildren(...now.announced.map(([time, text]) => {
      const row = document.createElement("tr")
      for (const words of [time.toFixed(1) + " s", text]) row.insertCell().textContent = words
      return row
    }))
  } catch { at("state").textContent = "digitocr has ended, or cannot be reached" }
  setTimeout(look, 200)
}
look()
</script>
</html>
"""


class WebPage:
    """Serves the newest frame and its reading to several viewers, each in a thread of its own.

    A slow viewer misses pictures and delays nobody.

    Attributes:
        local: Whether only this machine can reach the page.
        address: The page's address.
    """

    def __init__(
        self, video: VideoReader, mirror: bool, host: str, port: int, patience: float = VIEWER_SECONDS
    ) -> None:
        """Starts the server.

        Args:
            video: What the frames are read from.
            mirror: Whether to show the picture as a mirror does.
            host: The address to serve at, IPv4, IPv6 or a name of this machine.
            port: 0 for any free one.
            patience: Seconds that a viewer may take for one picture before it is dropped.

        Raises:
            DeviceError: The port is taken or may not be used.
            UsageError: The address is not one of this machine, or the port is no port.
        """
        self._video, self._mirror = video, mirror
        self._changed = threading.Condition()
        self._frame: FrameReading | None = None
        self._fps = 0.0
        self._announced: deque[tuple[float, str]] = deque(maxlen=ANNOUNCED_SHOWN)
        self._number_at = ""
        self._refused = 0
        self._turned = monotonic()
        self._ended = self._closed = False
        self._viewers = threading.BoundedSemaphore(MAX_VIEWERS)
        self._drawing = ThreadPoolExecutor(1, "digitocr drawing")
        self._drawn: tuple[int, bytes] = (-1, b"")
        self._server = PageServer(self._answer, host, port, patience)
        self.local, self.address = self._server.local, self._server.address

    def show(self, frame: FrameReading, fps: float) -> bool:
        """Makes the frame the newest one. Returns True, to go on."""
        with self._changed:
            self._frame, self._fps = frame, fps
            self._announced.extendleft((reading.time, reading.number.text) for reading in frame.announced)
            if frame.announced:
                self._number_at = wall_clock()
            self._refused += len(frame.refused)
            self._changed.notify_all()
        return self.idle()

    def idle(self) -> bool:
        """Notes that the loop over the frames turns. Returns True, to go on."""
        self._turned = monotonic()
        return True

    def finish(self) -> bool:
        """Shows that the source has ended. Returns True: the page stays until the run is interrupted."""
        with self._changed:
            self._ended = True
        return True

    def close(self) -> None:
        """Ends the server and its viewers."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._server.close()
        self._drawing.shutdown(wait=False, cancel_futures=True)

    def reading(self) -> dict[str, Any]:
        """What the page shows, and what others ask for.

        Keys: text, the steady numbers; state, for people; announced, [seconds, text] of each, newest first; number,
        the last announced one, and number_at, when that was, or None; refused, how many could not follow the last one.
        """
        with self._changed:
            frame, fps, announced, ended = self._frame, self._fps, list(self._announced), self._ended
            number_at, refused = self._number_at, self._refused
        state = "waiting for the first frame"
        if ended:
            state = "the recording has ended"
        elif self._video.lost:
            state = self._video.lost
        elif frame:
            state = f"{fps:.0f} frames a second, {frame.latency:.0f} ms from frame to reading"
        return {
            "text": "\n".join(number.text for number in frame.steady) if frame else "",
            "state": state + (f"; {refused} refused" if refused else ""),
            "announced": announced,
            "number": announced[0][1] if announced else None,
            "number_at": number_at or None,
            "refused": refused,
        }

    def healthy(self) -> bool:
        """Whether frames are read: the source is neither lost nor at its end, and the loop over its frames turns."""
        return not (self._ended or self._video.lost) and monotonic() - self._turned < HEALTH_SECONDS

    def picture(self, after: int, seconds: float) -> tuple[int, bytes] | None:
        """Returns the newest frame's index and its part of the answer, if it is later or becomes so within the time.

        Returns (after, b"") if there is none, and None once the page is closed. A frame is drawn and encoded once for
        all viewers, and not at all if nobody watches.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or (self._frame is not None and self._frame.index > after), seconds
            )
            if self._closed:
                return None
            if self._frame is None or self._frame.index <= after:
                return after, b""
            frame, fps = self._frame, self._fps
        try:
            return self._drawing.submit(self._part, frame, fps).result()
        except (RuntimeError, CancelledError):  # closed in between
            return None

    def _part(self, frame: FrameReading, fps: float) -> tuple[int, bytes]:
        """The frame's index and its part of the answer, or those of a later one.

        One thread calls it, whatever the number of viewers: each that draws would keep memory of its own for that.
        """
        if self._drawn[0] < frame.index:
            jpeg = _jpeg(overlay.drawn(frame, self._video.roi, fps, self._mirror))
            self._drawn = (frame.index, jpeg + b"\r\n" + PART_HEAD)
        return self._drawn

    def _answer(self, request: Request) -> None:
        asked = request.method, request.path.partition("?")[0]  # ?t=1 is added to keep a picture from a cache
        if asked == ("GET", "/"):
            request.send_page(PAGE)
        elif asked == ("GET", "/reading"):
            request.send_json(self.reading())
        elif asked == ("GET", "/healthz"):
            request.send_json(self.reading(), HTTPStatus.OK if self.healthy() else HTTPStatus.SERVICE_UNAVAILABLE)
        elif asked == ("GET", "/video"):
            self._send_pictures(request)
        else:
            request.send_error(HTTPStatus.NOT_FOUND)

    def _send_pictures(self, request: Request) -> None:
        if not self._viewers.acquire(blocking=False):
            request.send_error(HTTPStatus.SERVICE_UNAVAILABLE, f"{MAX_VIEWERS} others are watching already")
            return
        try:
            request.begin(f"multipart/x-mixed-replace; boundary={BOUNDARY}")
            index = -1
            request.wfile.write(PART_HEAD)  # a browser shows a picture when it sees the head of the next one
            while (newest := self.picture(index, CHECK_SECONDS)) is not None:
                index, part = newest
                if part:
                    request.wfile.write(part)
                elif request.has_left():
                    return
        finally:
            self._viewers.release()


def _jpeg(picture: Pixels) -> bytes:
    _, content = cv2.imencode(".jpg", overlay.to_bgr(picture), (cv2.IMWRITE_JPEG_QUALITY, FRAME_QUALITY))
    return content.tobytes()
