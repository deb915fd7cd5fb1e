"""A page with the live picture and the current reading, for machines without a screen, by the standard library.

/ is the page, /video the pictures (multipart JPEG, which browsers show as they come), /reading the reading as JSON.
"""

import errno
import ipaddress
import json
import threading
from collections import deque
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from digitocr.cli.live import overlay
from digitocr.runtime.errors import DeviceError, UsageError
from digitocr.runtime.live.capture import Pixels
from digitocr.runtime.live.video import FrameReading, VideoReader
from digitocr.runtime.opencv import cv2

QUALITY = 80  # of the JPEGs, 0 to 100
KEPT = 20  # announced readings that the page shows
PATIENCE = 10  # seconds that a viewer may take for one picture before it is dropped
BOUNDARY = "the-next-picture"

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>digitocr</title>
<style>
body { margin: 0 auto; max-width: 80rem; padding: 1rem; font: 1rem/1.4 system-ui, sans-serif; color: #222 }
img { width: 100%; display: block; background: #222 }
output { display: block; min-height: 1.2em; font-size: 3rem; white-space: pre-line }
output, td { font-variant-numeric: tabular-nums }
td { padding-right: 2rem }
</style>
<img src="/video" alt="the live picture with what is read in it">
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
    """Serves the newest frame and reading to any number of viewers, each in a thread of its own.

    A slow viewer misses pictures and holds nobody up. Raises DeviceError where the port is taken or may not be used,
    UsageError where the address is none of this machine's.
    """

    def __init__(self, video: VideoReader, mirror: bool, host: str, port: int) -> None:
        self._video, self._mirror = video, mirror
        self._changed = threading.Condition()
        self._frame: FrameReading | None = None
        self._fps = 0.0
        self._announced: deque[tuple[float, str]] = deque(maxlen=KEPT)
        self._closed = False
        self._drawing = threading.Lock()
        self._drawn: tuple[int, bytes] = (-1, b"")
        try:
            self._server = _Server((host, port), self)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                taken = "is taken" if error.errno == errno.EADDRINUSE else "may not be used"
                raise DeviceError(f"port {port} {taken}; name another one by --port") from None
            raise UsageError(f"{host}:{port} is no address of this machine ({error.strerror})") from None
        except OverflowError:
            raise UsageError(f"a port is from 0 to 65535, not {port}") from None
        self.local = ipaddress.ip_address(str(self._server.server_address[0])).is_loopback
        self.address = f"http://{host}:{self._server.server_address[1]}/"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="digitocr web", daemon=True
        )
        self._thread.start()

    def show(self, frame: FrameReading, fps: float) -> bool:
        """Makes the frame the newest one. The answer is always to go on."""
        with self._changed:
            self._frame, self._fps = frame, fps
            self._announced.extendleft((reading.time, reading.text) for reading in frame.announced)
            self._changed.notify_all()
        return True

    def idle(self) -> bool:
        return True

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def reading(self) -> dict[str, Any]:
        """text: the lines that hold; state: for people; announced: [seconds, text], newest first."""
        with self._changed:
            frame, fps, announced = self._frame, self._fps, list(self._announced)
        if frame is None:
            return {"text": "", "state": "waiting for the first frame", "announced": []}
        state = self._video.lost or f"{fps:.0f} frames a second, {frame.latency:.0f} ms from frame to reading"
        return {"text": "\n".join(line.text for line in frame.steady), "state": state, "announced": announced}

    def picture(self, after: int) -> tuple[int, bytes] | None:
        """The first frame's number and JPEG behind that number; None once it is all over.

        Whoever comes first draws and encodes it for all: none of it is done when nobody looks.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or (self._frame is not None and self._frame.frame > after))
            if self._closed or self._frame is None:
                return None
            frame, fps = self._frame, self._fps
        with self._drawing:
            if self._drawn[0] < frame.frame:
                self._drawn = (frame.frame, _jpeg(overlay.drawn(frame, self._video.roi, fps, self._mirror)))
            return self._drawn


def _jpeg(picture: Pixels) -> bytes:
    _, content = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    return content.tobytes()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], page: WebPage) -> None:
        self.page = page
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A viewer that went away is no error."""


class _Handler(BaseHTTPRequestHandler):
    timeout = PATIENCE
    server: _Server

    def do_GET(self) -> None:
        page = self.server.page
        if page.local and not _names_this_machine(self.headers.get("Host", "")):
            # a site whose name was made to point here could see the camera through its visitor's browser
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
        elif self.path == "/":
            self._send("text/html; charset=utf-8", PAGE.encode())
        elif self.path == "/reading":
            self._send("application/json", json.dumps(page.reading()).encode())
        elif self.path == "/video":
            self._begin(f"multipart/x-mixed-replace; boundary={BOUNDARY}")
            # a browser shows a picture when it sees the head of the next one, so that is sent at once
            number, head = -1, f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\n\r\n".encode()
            self.wfile.write(head)
            while (newest := page.picture(number)) is not None:
                number, jpeg = newest
                self.wfile.write(jpeg + b"\r\n" + head)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: standard error is for what a person must know."""

    def _begin(self, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()

    def _send(self, kind: str, content: bytes) -> None:
        self._begin(kind)
        self.wfile.write(content)


def _names_this_machine(host: str) -> bool:
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
