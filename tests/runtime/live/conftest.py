"""An RTSP server in pure Python, which sends H.264 over the connection that it is asked by, or by UDP."""

import base64
import functools
import itertools
import re
import socket
import socketserver
import struct
import threading
import time
from contextlib import suppress

import av
import numpy as np
import pytest

FPS = 100  # frames per second
GROUP = 25  # frames from one key frame to the next
LARGEST = 1200  # bytes of an RTP packet's content
SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
    "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track\r\n"
)


def encoded(frames, codec="libx264", **options):
    """Encodes (H, W, 3) uint8 RGB frames: the bytes of one frame after the other, each GROUP-th one a key frame."""
    options = {"preset": "ultrafast", "tune": "zerolatency"} | options if codec == "libx264" else options
    encoder = av.CodecContext.create(codec, "w")
    encoder.height, encoder.width = frames[0].shape[:2]
    encoder.pix_fmt, encoder.framerate, encoder.gop_size, encoder.options = "yuv420p", FPS, GROUP, options
    encoder.time_base = 1 / encoder.framerate
    pictures = [av.VideoFrame.from_ndarray(frame) for frame in frames]
    for number, picture in enumerate(pictures):
        picture.pts = number
    return [bytes(packet) for picture in (*pictures, None) for packet in encoder.encode(picture)]


def rtp(coded, number, counter):
    """The RTP packets of a coded frame; large units are sent in fragments."""
    units = [unit for unit in re.split(rb"\x00\x00\x00?\x01", coded) if unit]
    parts = []
    for unit in units:
        if len(unit) <= LARGEST:
            parts.append(unit)
            continue
        content = range(1, len(unit), LARGEST)
        for start in content:
            flags = (0x80 if start == 1 else 0) | (0x40 if start == content[-1] else 0) | unit[0] & 0x1F
            parts.append(bytes([unit[0] & 0x60 | 28, flags]) + unit[start : start + LARGEST])
    for part in parts:
        last = 0x80 if part is parts[-1] else 0
        head = struct.pack(">BBHII", 0x80, last | 96, next(counter) & 0xFFFF, number * 90000 // FPS, 1)
        yield head + part


class RtspServer(socketserver.ThreadingTCPServer):
    """Sends coded frames again and again.

    Attributes:
        address: Its address.
        fps: Frames per second.
        status: What DESCRIBE is answered with.
        login: USER:PASSWORD that must be given; empty for none.
        lost: The numbers, from 0, of frames that are lost on the way.
        frozen: Whether nothing is sent and answered, while the connections stay.
        frames: The coded frames of `encoded`; they may be replaced.
    """

    fps = FPS
    daemon_threads, block_on_close, allow_reuse_address = True, False, True

    def __init__(self, frames=(), *, port=0, status="200 OK", login="", lost=()):
        super().__init__(("127.0.0.1", port), _Connection)
        self.frames, self.status, self.login, self.lost = frames, status, login, lost
        self.frozen = self.closed = False
        self.address = f"rtsp://127.0.0.1:{self.server_address[1]}/camera"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.closed = True
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        """A viewer that leaves is no error."""


class _Connection(socketserver.StreamRequestHandler):
    def handle(self):
        self.port = 0  # of the viewer, where it wants UDP
        while request := self.rfile.readline().decode():
            header = dict(
                line.decode().strip().lower().split(": ", 1) for line in iter(self.rfile.readline, b"\r\n") if line
            )
            while self.server.frozen:
                time.sleep(0.05)
            method = request.split()[0]
            answer, more, content = "200 OK", "", ""
            wanted = base64.b64encode(self.server.login.encode()).decode().lower()
            if self.server.login and header.get("authorization") != f"basic {wanted}":
                answer, more = "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"\r\n'
            elif method == "DESCRIBE":
                answer, content = self.server.status, SDP
                more = f"Content-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n"
            elif method == "SETUP":
                ports = re.search(r"client_port=(\d+)", header["transport"])
                self.port = int(ports[1]) if ports else 0
                way = f"UDP;unicast;client_port={self.port}-{self.port + 1};server_port=9-10" if ports else ""
                way = way or "TCP;unicast;interleaved=0-1"
                more = f"Transport: RTP/AVP/{way}\r\nSession: 1\r\n"
            self.wfile.write(f"RTSP/1.0 {answer}\r\nCSeq: {header['cseq']}\r\n{more}\r\n{content}".encode())
            if method == "PLAY":
                threading.Thread(target=self._send, daemon=True).start()

    def _send(self):
        counter, began = itertools.count(), time.monotonic()
        with suppress(OSError, ValueError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            for number in itertools.count():
                for packet in rtp(self.server.frames[number % len(self.server.frames)], number, counter):
                    if number in self.server.lost:
                        continue
                    if self.port:
                        datagrams.sendto(packet, ("127.0.0.1", self.port))
                    else:
                        self.wfile.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
                time.sleep(max(0.0, began + (number + 1) / FPS - time.monotonic()))
                while self.server.frozen:
                    time.sleep(0.05)
                if self.server.closed:
                    self.connection.shutdown(2)
                    return


def levels(count, size=(48, 64)):
    """Frames of rising grey level."""
    return [np.full((*size, 3), 20 + 4 * number, np.uint8) for number in range(count)]


@pytest.fixture(scope="session")
def coded():
    """50 frames of rising grey level, as RtspServer sends them."""
    return encoded(levels(50))


@pytest.fixture
def server(coded):
    """A function that starts an RtspServer."""
    started = []

    def start(**more):
        started.append(RtspServer(coded, **more))
        return started[-1]

    yield start
    for one in started:
        one.close()


# of each digit, the segments that are lit: upper, upper left, upper right, middle, lower left, lower right, lower
LIT = ("1110111", "0010010", "1011101", "1011011", "0111010", "1101011", "1101111", "1010010", "1111111", "1111011")
INK, PAPER = 70, 190


def drawn_display(digits, height=14, at=(40, 60), size=(640, 360), ink=INK):
    """(H, W) uint8: digits of seven segments on paper, and their boxes. `height`: 14 or more pixels, strokes of 2."""
    gray = np.full(size[::-1], PAPER, np.uint8)
    wide, thick = round(height * 0.57), max(2, round(height / 8))
    boxes = []
    for place, digit in enumerate(digits):
        x, y = at[0] + place * round(1.6 * wide), at[1]
        half = (height - thick) // 2
        bars = [
            (0, 0, wide, thick),
            (0, 0, thick, half + thick),
            (wide - thick, 0, thick, half + thick),
            (0, half, wide, thick),
            (0, half, thick, height - half),
            (wide - thick, half, thick, height - half),
            (0, height - thick, wide, thick),
        ]
        for lit, (left, top, w, h) in zip(LIT[int(digit)], bars, strict=True):
            if lit == "1":
                gray[y + top : y + top + h, x + left : x + left + w] = ink
        boxes.append((x, y, wide, height))
    return gray, np.array(boxes, np.float32)


@functools.cache
def normal(shape):
    """Noise of the spread 1 for a frame of twice that height and width, from which parts are cut."""
    return np.random.default_rng(1).normal(0, 1, (2 * shape[0], 2 * shape[1])).astype(np.float32)


def with_noise(gray, seed, spread=8.0):
    """The frame with noise of that many grey levels, another one for each seed."""
    height, width = gray.shape
    top, left = np.random.default_rng(seed).integers(0, (height, width))
    noise = normal(gray.shape)[top : top + height, left : left + width]
    return np.clip(gray + np.float32(spread) * noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def display():
    """The function drawn_display."""
    return drawn_display


@pytest.fixture(scope="session")
def noisy():
    """The function with_noise."""
    return with_noise
