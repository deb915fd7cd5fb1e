"""A page with the live picture and the current reading, for machines without a screen, by the standard library.

/ is the page, /video the pictures (multipart JPEG, which browsers show as they come), /reading the reading as JSON.
"""

import errno
import ipaddress
import json
import os
import select
import socket
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from digitocr.cli import deadline
from digitocr.cli.live import overlay
from digitocr.runtime.errors import DeviceError, UsageError
from digitocr.runtime.live.frames import Pixels
from digitocr.runtime.live.video import FrameReading, VideoReader
from digitocr.runtime.opencv import cv2

FRAME_QUALITY = 80  # JPEG quality of the pictures, 0 to 100
ANNOUNCED_SHOWN = 20  # announced readings that the page shows
VIEWER_SECONDS = 10.0  # seconds that a viewer may take for one picture before it is dropped
MAX_CONNECTIONS = 32  # at a time; a page has one for its pictures and a short one for each reading
MAX_VIEWERS = 16  # of the pictures at a time; each takes as much of the processor and of the network as the first
CHECK_SECONDS = 1.0  # without a new frame, after which it is checked whether a viewer has left
BOUNDARY = "the-next-picture"  # between two parts of the multipart answer
PART_HEAD = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\n\r\n".encode()

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
        self._ended = self._closed = False
        self._viewers = threading.BoundedSemaphore(MAX_VIEWERS)
        self._drawing = ThreadPoolExecutor(1, "digitocr drawing")
        self._drawn: tuple[int, bytes] = (-1, b"")
        if not 0 <= port <= 65535:
            raise UsageError(f"a port is from 0 to 65535, not {port}")
        try:
            self._server = _Server(host, port, self, patience)
        except UnicodeError:
            raise UsageError(f"{host} is not an address of this machine") from None
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                taken = "is taken" if error.errno == errno.EADDRINUSE else "may not be used"
                raise DeviceError(f"port {port} {taken}; name another one by --port") from None
            raise UsageError(f"{host}:{port} is not an address of this machine ({error.strerror})") from None
        bound, port = self._server.server_address[:2]
        self.local = ipaddress.ip_address(str(bound)).is_loopback
        if ipaddress.ip_address(str(bound)).is_unspecified:  # 0.0.0.0 and :: are no addresses that a browser opens
            host = "localhost"
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="digitocr web", daemon=True
        )
        self._thread.start()

    def show(self, frame: FrameReading, fps: float) -> bool:
        """Makes the frame the newest one. Returns True, to go on."""
        with self._changed:
            self._frame, self._fps = frame, fps
            self._announced.extendleft((reading.time, reading.number.text) for reading in frame.announced)
            self._changed.notify_all()
        return True

    def idle(self) -> bool:
        """Returns True, to go on."""
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
        self._server.shutdown()
        self._server.server_close()
        self._drawing.shutdown(wait=False, cancel_futures=True)

    def reading(self) -> dict[str, Any]:
        """Returns text, the steady numbers; state, for people; announced, [seconds, text] of each, newest first."""
        with self._changed:
            frame, fps, announced, ended = self._frame, self._fps, list(self._announced), self._ended
        if frame is None:
            return {"text": "", "state": "waiting for the first frame", "announced": []}
        state = f"{fps:.0f} frames a second, {frame.latency:.0f} ms from frame to reading"
        if ended:
            state = "the recording has ended"
        elif self._video.lost:
            state = self._video.lost
        return {"text": "\n".join(number.text for number in frame.steady), "state": state, "announced": announced}

    @contextmanager
    def viewer(self) -> Iterator[bool]:
        """Counts one more viewer of the pictures for as long as the block runs; False while there are too many."""
        allowed = self._viewers.acquire(blocking=False)
        try:
            yield allowed
        finally:
            if allowed:
                self._viewers.release()

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
        """The frame's index and part, or those of a later one. Called by one thread, whatever the number of viewers:

        each thread that draws would keep memory of its own for that.
        """
        if self._drawn[0] < frame.index:
            jpeg = _jpeg(overlay.drawn(frame, self._video.roi, fps, self._mirror))
            self._drawn = (frame.index, jpeg + b"\r\n" + PART_HEAD)
        return self._drawn


def _jpeg(picture: Pixels) -> bytes:
    _, content = cv2.imencode(".jpg", overlay.to_bgr(picture), (cv2.IMWRITE_JPEG_QUALITY, FRAME_QUALITY))
    return content.tobytes()


class _Server(ThreadingHTTPServer):
    """The server, with the page and a limit on connections."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = os.name == "posix"  # on Windows it would let two servers share a port

    def __init__(self, host: str, port: int, page: WebPage, patience: float) -> None:
        self.page, self.host, self.patience = page, host, patience
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        super().__init__((host, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handles a request in a thread of its own, or refuses it while there are MAX_CONNECTIONS."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        with suppress(OSError):  # it may have left already
            request.sendall(b"HTTP/1.0 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A viewer that leaves is not an error."""


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.patience)
        self.rfile = deadline.reader(self.connection, self.server.patience)

    def do_GET(self) -> None:
        page = self.server.page
        if not is_trusted_host(self.headers.get("Host", ""), self.server.host):
            # DNS rebinding: a web site lets its name point here, to see the camera through its visitor's browser
            self.send_error(HTTPStatus.FORBIDDEN, "Use the IP address of this machine, its name, or localhost")
        elif self.path == "/":
            self._send("text/html; charset=utf-8", PAGE.encode())
        elif self.path == "/reading":
            self._send("application/json", json.dumps(page.reading()).encode())
        elif self.path == "/video":
            self._send_pictures(page)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing: stderr is for what a person must know."""

    def _send_pictures(self, page: WebPage) -> None:
        with page.viewer() as allowed:
            if not allowed:
                self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, f"{MAX_VIEWERS} others are watching already")
                return
            self._begin(f"multipart/x-mixed-replace; boundary={BOUNDARY}")
            index = -1
            self.wfile.write(PART_HEAD)  # a browser shows a picture when it sees the head of the next one
            while (newest := page.picture(index, CHECK_SECONDS)) is not None:
                index, part = newest
                if part:
                    self.wfile.write(part)
                elif self._has_left():
                    return

    def _has_left(self) -> bool:
        """Whether the viewer has closed the connection."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def _begin(self, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()

    def _send(self, kind: str, content: bytes) -> None:
        self._begin(kind)
        self.wfile.write(content)


def is_trusted_host(host: str, served: str = "") -> bool:
    """Whether a request's Host header is one that a foreign web site cannot have.

    DNS rebinding needs a name that the attacker owns. IP addresses, localhost, this machine's own name, the name that
    the page is served at, and names under .local, which are not resolved by DNS, are accepted.

    Args:
        host: The header, with or without a port.
        served: The name or address of --host.
    """
    name = host if host.endswith("]") or ":" not in host else host.rpartition(":")[0]
    try:
        ipaddress.ip_address(name[1:-1] if name.startswith("[") and name.endswith("]") else name)
    except ValueError:
        name = name.lower().removesuffix(".")
        own = ("localhost", socket.gethostname().lower(), served.lower())
        return name != "" and (name in own or name.endswith(".local"))
    return True
