"""Fixtures that several rooms use. Tests draw their own pictures; MNIST is used where it is found."""

import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

if TYPE_CHECKING:
    from digitocr.train.data import Mnist


PLACED = "import os, sys; [os.dup2(int(sys.argv[n - 2]), n) for n in (3, 4)]; os.execvp(sys.argv[3], sys.argv[3:])"
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe")
CODES = {"Backspace": 8, "Tab": 9, "Enter": 13, "Escape": 27, "Delete": 46}
CODES |= {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}


@pytest.fixture(scope="session")
def mnist() -> "Mnist":
    """MNIST from DIGITOCR_DATA; without it these tests are skipped, in CI they fail."""
    from digitocr.train.data import load_mnist

    if "DIGITOCR_DATA" not in os.environ:
        if os.environ.get("CI"):
            pytest.fail("CI must set DIGITOCR_DATA to the folder of MNIST")
        pytest.skip("set DIGITOCR_DATA to a folder with MNIST to run this test")
    return load_mnist()


@pytest.fixture(scope="session")
def needs():
    """A function that skips a test for want of the programs it is given; in CI it fails it."""

    def check(*programs):
        missing = [program for program in programs if shutil.which(program) is None]
        if missing and os.environ.get("CI"):
            pytest.fail(f"CI must install {', '.join(missing)}")
        if missing:
            pytest.skip(f"install {', '.join(missing)} to run this test (.ci/run says how)")

    return check


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """A video of 320x240, 30 frames a second: the pages 407, 82 and 365, 15 frames each, 5 empty ones behind each."""
    from digitocr.train.synthesis.pages import Style, draw_page

    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 30, (320, 240))
    rng = np.random.default_rng(5)
    for number in ("407", "82", "365"):
        page = draw_page([number], rng, Style((320, 240), digit_height=80)).image[:, :, ::-1]
        for _ in range(15):
            writer.write(np.clip(page + rng.normal(0, 3, page.shape), 0, 255).astype(np.uint8))
        for _ in range(5):
            writer.write(np.full_like(page, 200))
    writer.release()
    return path


class _Server(ThreadingHTTPServer):
    daemon_threads, block_on_close = True, False

    def handle_error(self, request, client_address):
        """A reader that goes away is no error."""


@pytest.fixture
def stream():
    """A function that serves a picture as a stream on loopback, 30 frames a second, and gives its address.

    Each connection ends after `ends` frames, or stalls after `stalls`; behind `serves` connections there are none.
    """
    servers, over = [], threading.Event()

    def serve(picture, ends=None, stalls=None, serves=1000):
        jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
        left = [serves]

        class Stream(BaseHTTPRequestHandler):
            def do_GET(self):
                left[0] -= 1
                if left[0] < 0:
                    over.wait(60)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b")
                self.end_headers()
                number = 0
                while number != ends:
                    if number == stalls:
                        over.wait(60)
                        return
                    head = f"--b\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
                    time.sleep(1 / 30)
                    number += 1

            def log_message(self, *words):
                pass

        server = _Server(("127.0.0.1", 0), Stream)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/"

    yield serve
    over.set()
    for server in servers:
        server.shutdown()
        server.server_close()


class Browser:
    """Chromium, driven by its debugging pipe: JSON messages that end with a byte of 0, on descriptors 3 and 4.

    Attributes:
        events: What has happened since the page was opened.
    """

    def __init__(self, folder, *flags):
        (from_here, self._to), (self._from, to_here) = os.pipe(), os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (from_here, to_here)]  # out of the way of 3 and 4
        command = [sys.executable, "-c", PLACED, *map(str, ends), "chromium", *FLAGS, *flags]
        self._process = subprocess.Popen(
            [*command, f"--user-data-dir={folder}", "about:blank"],
            pass_fds=ends,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(folder)},
        )
        for end in (from_here, to_here, *ends):
            os.close(end)
        self._rest, self._number, self._session, self.events = b"", 0, {}, []
        pages = [one for one in self("Target.getTargets")["targetInfos"] if one["type"] == "page"]
        attached = self("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Network", "Log"):
            self(f"{domain}.enable")
        self("Emulation.setFocusEmulationEnabled", enabled=True)

    def __call__(self, method, **params):
        """Calls a method of the protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params, **self._session}
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._received()).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _received(self):
        while b"\0" not in self._rest:
            assert select.select([self._from], [], [], 120)[0], "chromium does not answer"
            content = os.read(self._from, 1 << 20)
            assert content, "chromium has ended"
            self._rest += content
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def run(self, script):
        """The value of a script in the page."""
        result = self("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def until(self, script, seconds=90):
        """The value of a script once it is true."""
        end = time.monotonic() + seconds
        while not (value := self.run(script)):
            assert time.monotonic() < end, (script, self.run("document.body.innerText"))
            time.sleep(0.05)
        return value

    def press(self, key, shift=False):
        """Presses a key, and types it if it is a character."""
        typed = {"text": {"Enter": "\r"}.get(key, key)} if len(key) == 1 or key == "Enter" else {}
        code = CODES.get(key) or ord(key.upper())
        for kind, more in (("keyDown", typed), ("keyUp", {})):
            held = {"modifiers": 8 * shift, "windowsVirtualKeyCode": code}
            self("Input.dispatchKeyEvent", type=kind, key=key, **held, **more)

    def close(self):
        os.close(self._to)
        self._process.wait(60)
        os.close(self._from)


@pytest.fixture(scope="session")
def chromium(needs):
    """A function that starts Chromium, with its files in a folder, and returns it as a Browser."""
    needs("chromium")
    return Browser
