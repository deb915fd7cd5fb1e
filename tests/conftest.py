"""Fixtures that several rooms use. Tests draw their own pictures; MNIST is used where it is found."""

import os
import shutil
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

if TYPE_CHECKING:
    from digitocr.train.data import Mnist


@pytest.fixture(autouse=True)
def untried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that tests make are loaded at once: a process for each would take a minute of the suite."""
    if request.path.name != "test_trial.py":
        monkeypatch.setattr("digitocr.runtime.trial.tried", lambda *_: None)


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
