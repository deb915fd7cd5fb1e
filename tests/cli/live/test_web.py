import json
import os
import select
import socket
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import cv2
import numpy as np
import pytest

from digitocr import FrameReading, Reading, SteadyReading
from digitocr.cli import serving
from digitocr.cli.live import overlay, web
from digitocr.runtime.errors import DeviceError, UsageError
from digitocr.runtime.live.frames import checked
from digitocr.runtime.reading import Box, Digit, Line, Number

RGB = (90, 200, 40)  # colour of the frames


def line(text):
    digits = (Digit(int(one), 0.9, Box(20 + 30 * place, 60, 20, 40), ()) for place, one in enumerate(text))
    return Line((Number(text, tuple(digits), 0.9),))


def frame(number, text, announced=False):
    """A frame of 320x240, green with some red, with a steady line."""
    image = np.full((240, 320, 3), RGB, np.uint8)
    reading = Reading((line(text),))
    steady = (SteadyReading(number, number / 30, reading),) if announced else ()
    return FrameReading(number, number / 30, checked(image, "test"), reading, reading.numbers, steady, 12.3)


@pytest.fixture
def video():
    """What a page needs of a VideoReader."""
    return SimpleNamespace(lost="", roi=None)


@pytest.fixture
def page(video):
    page = web.WebPage(video, False, "127.0.0.1", 0)
    yield page
    page.close()


def port(page):
    return int(page.address.rpartition(":")[2].strip("/"))


def video_threads():
    """How many connections are being handled."""
    return sum("process_request_thread" in thread.name for thread in threading.enumerate())


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


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
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<title>digitocr</title>" in content
    assert "http" not in content
    assert page.local


def test_the_reading_is_the_newest_one(page, video):
    none_yet = {"number": None, "number_at": None, "refused": 0}
    assert reading(page) == {"text": "", "state": "waiting for the first frame", "announced": [], **none_yet}
    assert page.show(frame(0, "407", announced=True), 30.0)
    assert page.show(frame(30, "82", announced=True), 29.7)
    now = reading(page)
    assert now["text"] == "82"
    assert now["state"] == "30 frames a second, 12 ms from frame to reading"
    assert now["announced"] == [[1.0, "82"], [0.0, "407"]]
    assert now["number"] == "82"
    assert abs(datetime.now(UTC) - datetime.fromisoformat(now["number_at"])) < timedelta(seconds=20)
    video.lost = "the picture is lost"
    assert reading(page)["state"] == "the picture is lost"
    assert page.finish()
    assert reading(page)["state"] == "the recording has ended"


def test_refused_readings_are_counted(page):
    page.show(frame(0, "407", announced=True), 30.0)
    page.show(replace(frame(9, "365"), refused=("365 is below the last number, 407",)), 30.0)
    now = reading(page)
    assert (now["number"], now["refused"]) == ("407", 1)
    assert now["state"] == "30 frames a second, 12 ms from frame to reading; 1 refused"


def health(page):
    """The status of /healthz, and what it says."""
    try:
        with urlopen(page.address + "healthz", timeout=5) as answer:
            return answer.status, json.load(answer)["state"]
    except HTTPError as error:
        return error.code, json.load(error)["state"]


def test_health_is_frames_that_are_read(page, video, monkeypatch):
    assert health(page) == (200, "waiting for the first frame")
    page.show(frame(0, "407"), 30.0)
    assert health(page)[0] == 200
    video.lost = "the picture is lost"
    assert health(page) == (503, "the picture is lost")
    video.lost = ""
    monkeypatch.setattr(web, "HEALTH_SECONDS", 0.0)  # the loop hangs
    assert health(page)[0] == 503
    monkeypatch.setattr(web, "HEALTH_SECONDS", 10.0)
    assert page.idle()  # no frame, but the loop turns
    assert health(page)[0] == 200
    page.finish()
    assert health(page) == (503, "the recording has ended")


def test_several_viewers_see_the_pictures_as_they_come(page):
    page.show(frame(0, "407"), 30)
    with urlopen(page.address + "video", timeout=5) as one, urlopen(page.address + "video", timeout=5) as other:
        first, second = pictures(one), pictures(other)
        for number in range(1, 4):
            for viewer in (first, second):
                seen = next(viewer)
                assert seen.shape == (240 + 56, 320, 3)
                assert abs(seen[200, 200].astype(int) - RGB[::-1]).max() < 12
            page.show(frame(number, "407"), 30)


def test_a_slow_viewer_delays_nobody_and_is_dropped(video):
    page = web.WebPage(video, False, "127.0.0.1", 0, patience=0.3)
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    with socket.create_connection(("127.0.0.1", port(page))) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(b"GET /video HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        until(lambda: video_threads() == 1)
        number = 0
        with urlopen(page.address + "video", timeout=20) as answer:
            viewer = pictures(answer)
            while video_threads() > 1:  # the slow one reads nothing, so it is dropped; meanwhile the other one sees all
                page.show(FrameReading(number, 0.0, checked(noise, "test"), Reading(()), (), (), 1.0), 30)
                number += 1
                if number > 1:
                    assert next(viewer).shape == (720 + 56, 1280, 3)
                assert number < 500
        assert number > 1
    page.close()


def test_a_viewer_that_leaves_is_noticed_without_a_new_frame(page, monkeypatch):
    monkeypatch.setattr(web, "CHECK_SECONDS", 0.05)
    page.show(frame(0, "407"), 30)
    with urlopen(page.address + "video", timeout=5):
        until(lambda: video_threads() == 1)
    until(lambda: video_threads() == 0)


def test_connections_are_bounded(page, monkeypatch):
    monkeypatch.setattr(web, "CHECK_SECONDS", 0.05)
    page.show(frame(0, "407"), 30)
    viewers = [urlopen(page.address + "video", timeout=5) for _ in range(web.MAX_VIEWERS)]
    with pytest.raises(HTTPError) as refused:
        urlopen(page.address + "video", timeout=5)
    assert refused.value.code == 503
    refused.value.close()
    until(lambda: video_threads() == web.MAX_VIEWERS)
    assert reading(page)["text"] == "407"  # there is room for those who only ask for the reading
    silent = [socket.create_connection(("127.0.0.1", port(page))) for _ in range(serving.MAX_CONNECTIONS)]
    until(lambda: video_threads() == serving.MAX_CONNECTIONS)
    with pytest.raises(HTTPError) as refused:
        urlopen(page.address, timeout=5)
    assert refused.value.code == 503
    refused.value.close()
    for viewer in [*viewers, *silent]:
        viewer.close()
    until(lambda: video_threads() == 0)
    assert reading(page)["text"] == "407"


def test_a_drip_of_bytes_holds_a_thread_no_longer_than_silence(video):
    page = web.WebPage(video, False, "127.0.0.1", 0, patience=0.5)
    with socket.create_connection(("127.0.0.1", port(page))) as drip:
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() < began + 20 and not select.select([drip], [], [], 0.05)[0]:
                drip.sendall(b"G")
        assert time.monotonic() - began < 10
    until(lambda: video_threads() == 0)
    page.close()


def status(page, host):
    try:
        with urlopen(Request(page.address + "reading", headers={"Host": host}), timeout=5) as answer:
            return answer.status
    except HTTPError as refused:
        refused.close()
        return refused.code


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_name_that_was_made_to_point_here_sees_nothing(video, address):
    page = web.WebPage(video, False, address, 0)
    assert page.local == (address == "127.0.0.1")
    for host in ("evil.example", "evil.example:80", "localhost.evil.example", "local", ""):
        assert (host, status(page, host)) == (host, 403)
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000", "[::1]", "192.0.2.7:80", "board.local:8000"):
        assert (host, status(page, host)) == (host, 200)
    page.close()


def test_another_path_is_not_found(page):
    with pytest.raises(HTTPError) as missing:
        urlopen(page.address + "secret", timeout=5)
    assert missing.value.code == 404
    missing.value.close()


def test_an_address_may_have_a_query_and_head_is_answered_without_content(page):
    page.show(frame(0, "407"), 30)
    with urlopen(page.address + "video?t=1", timeout=5) as answer:
        assert next(pictures(answer)).shape[:2] == (240 + overlay.BAR_HEIGHT, 320)
    for path, kind in (
        ("", "text/html; charset=utf-8"),
        ("reading", "application/json"),
        ("healthz?now", "application/json"),
        ("video", "multipart/x-mixed-replace; boundary=the-next-picture"),
    ):
        with urlopen(Request(page.address + path, method="HEAD"), timeout=5) as answer:
            assert (answer.status, answer.headers["Content-Type"], answer.read()) == (200, kind, b"")
    with pytest.raises(HTTPError) as missing:
        urlopen(Request(page.address + "secret?t=1", method="HEAD"), timeout=5)
    assert missing.value.code == 404
    missing.value.close()


def test_a_page_is_served_by_ipv6(video):
    try:
        page = web.WebPage(video, False, "::1", 0)
    except UsageError:
        pytest.skip("this machine has no IPv6")
    assert page.local
    assert page.address == f"http://[::1]:{port(page)}/"
    assert reading(page)["state"] == "waiting for the first frame"
    page.close()


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
    taken = port(page)
    for host, number, kind, why in (
        ("127.0.0.1", taken, DeviceError, f"port {taken} is taken; name another one by --port"),
        ("192.0.2.1", 0, UsageError, "is not an address of this machine"),
        ("no.such.host.invalid", 0, UsageError, "is not an address of this machine"),
        ("a..b", 0, UsageError, "is not an address of this machine"),
        ("127.0.0.1", 70000, UsageError, "a port is from 0 to 65535"),
    ):
        with pytest.raises(kind, match=why):
            web.WebPage(SimpleNamespace(lost="", roi=None), False, host, number)


def test_a_browser_shows_the_picture_and_the_reading(page, needs, tmp_path):
    needs("chromium")
    page.show(frame(0, "407", announced=True), 30)
    shot = tmp_path / "page.png"
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=800,900"]
    command += [f"--user-data-dir={tmp_path}", "--timeout=1500", f"--screenshot={shot}", page.address]
    subprocess.run(command, timeout=120, capture_output=True, env={**os.environ, "HOME": str(tmp_path)}, check=True)
    seen = cv2.imread(str(shot))
    green = (abs(seen.astype(int) - RGB[::-1]).max(2) < 12).mean()
    assert green > 0.2  # the picture
    rows = np.flatnonzero((seen < 80).all(2).any(1))
    assert rows.max() > 650  # the reading and the table under it
