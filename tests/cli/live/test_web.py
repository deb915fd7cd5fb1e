import json
import os
import socket
import subprocess
import threading
import time
from types import SimpleNamespace
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import cv2
import numpy as np
import pytest

from digitocr import FrameReading, Reading, SteadyReading
from digitocr.cli.live import web
from digitocr.runtime.errors import DeviceError, UsageError
from digitocr.runtime.reading import Box, Digit, Line


def line(text):
    return Line(tuple(Digit(int(one), 0.9, Box(20 + 30 * place, 60, 20, 40), ()) for place, one in enumerate(text)))


def frame(number, text, announced=False):
    """A frame of 320x240, green, with a line that holds."""
    image = np.zeros((240, 320, 3), np.uint8)
    image[:, :] = (40, 200, 40)
    reading = Reading((line(text),))
    steady = (SteadyReading(number, number / 30, reading),) if announced else ()
    return FrameReading(number, number / 30, image, reading, reading.lines, steady, 12.3)


@pytest.fixture
def page():
    page = web.WebPage(SimpleNamespace(lost="", roi=None), False, "127.0.0.1", 0)
    yield page
    page.close()


def reading(page):
    with urlopen(page.address + "reading", timeout=5) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        return json.load(answer)


def pictures(answer):
    """The pictures of a multipart answer, as they come."""
    assert answer.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=the-next-picture"
    content = b""
    while line := answer.readline():
        if line == b"--the-next-picture\r\n":
            head = answer.readline() + answer.readline()
            assert head == b"Content-Type: image/jpeg\r\n\r\n"
            if content:
                yield cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
            content = b""
        else:
            content += line


def test_the_page_names_what_it_shows_and_loads_nothing_else(page):
    with urlopen(page.address, timeout=5) as answer:
        content = answer.read().decode()
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "<title>digitocr</title>" in content
    assert "http" not in content
    assert page.local


def test_the_reading_is_the_newest_one(page):
    assert reading(page) == {"text": "", "state": "waiting for the first frame", "announced": []}
    assert page.show(frame(0, "407", announced=True), 30.0)
    assert page.show(frame(30, "82", announced=True), 29.7)
    now = reading(page)
    assert now["text"] == "82"
    assert now["state"] == "30 frames a second, 12 ms from frame to reading"
    assert now["announced"] == [[1.0, "82"], [0.0, "407"]]
    page._video.lost = "the picture is lost"
    assert reading(page)["state"] == "the picture is lost"


def test_several_viewers_see_the_pictures_as_they_come(page):
    page.show(frame(0, "407"), 30)
    with urlopen(page.address + "video", timeout=5) as one, urlopen(page.address + "video", timeout=5) as other:
        first, second = pictures(one), pictures(other)
        for number in range(1, 4):
            for viewer in (first, second):
                seen = next(viewer)
                assert seen.shape == (240 + 56, 320, 3)
                assert abs(seen[200, 200].astype(int) - (40, 200, 40)).max() < 12
            page.show(frame(number, "407"), 30)


def test_a_slow_viewer_holds_nobody_up_and_is_dropped(page, monkeypatch):
    monkeypatch.setattr(web._Handler, "timeout", 0.3)
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    slow = socket.create_connection(("127.0.0.1", int(page.address.rsplit(":", 1)[1].strip("/"))))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.sendall(b"GET /video HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    time.sleep(0.1)
    before = threading.active_count()
    took = []
    for number in range(60):
        began = time.perf_counter()
        page.show(FrameReading(number, 0.0, noise, Reading(()), (), (), 1.0), 30)
        took.append(time.perf_counter() - began)
        time.sleep(0.01)
    assert sorted(took)[-6] < 0.02
    end = time.monotonic() + 5
    while threading.active_count() >= before and time.monotonic() < end:
        time.sleep(0.05)
    assert threading.active_count() < before
    slow.close()


def test_a_name_that_was_made_to_point_here_sees_nothing(page):
    for host, code in (("evil.example", 421), ("evil.example:80", 421), ("192.0.2.7", 421)):
        with pytest.raises(HTTPError) as refused:
            urlopen(Request(page.address + "reading", headers={"Host": host}), timeout=5)
        assert refused.value.code == code
        refused.value.close()
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000", "[::1]"):
        with urlopen(Request(page.address + "reading", headers={"Host": host}), timeout=5) as answer:
            assert answer.status == 200
    with pytest.raises(HTTPError) as missing:
        urlopen(page.address + "secret", timeout=5)
    assert missing.value.code == 404
    missing.value.close()


def test_closing_ends_the_viewers(page):
    page.show(frame(0, "407"), 30)
    with urlopen(page.address + "video", timeout=5) as answer:
        viewer = pictures(answer)
        next(viewer)
        page.close()
        assert next(viewer, None) is None
    with pytest.raises(OSError, match="refused"):
        urlopen(page.address, timeout=5)


def test_an_address_that_cannot_be_is_an_error(page):
    taken = int(page.address.rsplit(":", 1)[1].strip("/"))
    for host, port, kind, why in (
        ("127.0.0.1", taken, DeviceError, f"port {taken} is taken; name another one by --port"),
        ("192.0.2.1", 0, UsageError, "is no address of this machine"),
        ("no.such.host.invalid", 0, UsageError, "is no address of this machine"),
        ("127.0.0.1", 70000, UsageError, "a port is from 0 to 65535"),
    ):
        with pytest.raises(kind, match=why):
            web.WebPage(SimpleNamespace(lost="", roi=None), False, host, port)


def test_a_browser_shows_the_picture_and_the_reading(page, needs, tmp_path):
    needs("chromium")
    page.show(frame(0, "407", announced=True), 30)
    shot = tmp_path / "page.png"
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=800,900"]
    command += [f"--user-data-dir={tmp_path}", "--timeout=1500", f"--screenshot={shot}", page.address]
    subprocess.run(command, timeout=120, capture_output=True, env={**os.environ, "HOME": str(tmp_path)}, check=True)
    seen = cv2.imread(str(shot))
    green = (abs(seen.astype(int) - (40, 200, 40)).max(2) < 12).mean()
    assert green > 0.2  # the picture
    rows = np.flatnonzero((seen < 80).all(2).any(1))
    assert rows.max() > 650  # the reading and the table under it
