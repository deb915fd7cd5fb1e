"""Files, pictures, streams and snapshots on loopback as sources."""

import errno
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digitocr.runtime.errors import DeviceError, InputError, SourceOffError, UsageError
from digitocr.runtime.live import cameras, capture, decoding, sources
from digitocr.runtime.live.cameras import CameraRequest
from digitocr.runtime.live.capture import Grabber
from digitocr.runtime.live.frames import checked
from digitocr.runtime.live.sources import opener


def level(number):
    """A frame of 64x48 whose grey level is 5 times its number."""
    return np.full((48, 64, 3), 5 * number, np.uint8)


def number_of(pixels):
    return round(float(pixels.mean()) / 5)


@pytest.fixture
def film(tmp_path):
    """A video of 20 frames, blue and a level, without loss."""
    path = str(tmp_path / "film.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"FFV1"), 10, (64, 48))
    for number in range(20):
        writer.write(level(number))
    writer.release()
    return path


def frames(name):
    """All frames of a source, which is released."""
    source = opener(str(name))()
    got = []
    while (pixels := source.read()) is not None:
        got.append(checked(pixels, name).rgb)
    source.release()
    return got


def test_a_video_gives_its_frames(film):
    source = opener(film)()
    assert (source.live, source.continuous, source.fps) == (False, True, 10)
    source.release()
    assert [number_of(pixels) for pixels in frames(film)] == list(range(20))


def test_pictures_of_a_folder_and_a_glob_are_frames(tmp_path):
    for number in (2, 10, 1):
        Image.fromarray(level(number)).save(tmp_path / f"shot-{number:03}.png")
    (tmp_path / "notes.txt").write_text("none")
    assert [number_of(pixels) for pixels in frames(tmp_path)] == [1, 2, 10]
    assert [number_of(pixels) for pixels in frames(tmp_path / "shot-0*.png")] == [1, 2, 10]
    assert [number_of(pixels) for pixels in frames(tmp_path / "*-00?.png")] == [1, 2]
    source = opener(str(tmp_path))()
    assert (source.live, source.continuous) == (False, False)


def test_a_folder_whose_name_looks_like_a_pattern_is_that_folder(tmp_path):
    (tmp_path / "shots [1]").mkdir()
    Image.fromarray(level(7)).save(tmp_path / "shots [1]" / "a.gif")
    assert [number_of(pixels) for pixels in frames(tmp_path / "shots [1]")] == [7]


def test_frames_are_rgb(tmp_path):
    Image.new("RGB", (64, 48), (200, 100, 50)).save(tmp_path / "a.png")
    assert frames(tmp_path)[0][0, 0].tolist() == [200, 100, 50]
    path = str(tmp_path / "a.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"FFV1"), 10, (64, 48))
    writer.write(np.full((48, 64, 3), (50, 100, 200), np.uint8))  # OpenCV writes BGR
    writer.release()
    assert np.abs(frames(path)[0][0, 0].astype(int) - (200, 100, 50)).max() <= 3


def test_a_damaged_picture_is_an_error_where_it_comes(tmp_path):
    Image.fromarray(level(1)).save(tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes(b"no picture")
    source = opener(str(tmp_path))()
    assert source.read() is not None
    with pytest.raises(InputError, match=r"2\.png: not a picture"):
        source.read()


@pytest.mark.parametrize("content", [b"", b"no video\n" * 100, b"RIFF\x00\x00\x00\x00AVI LIST"])
def test_a_file_that_is_no_video_is_an_error(tmp_path, content):
    (tmp_path / "a.avi").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.avi: not (one frame|a video)"):
        Grabber(opener(str(tmp_path / "a.avi")), str(tmp_path / "a.avi"))


def test_a_file_whose_codec_is_missing_is_an_error(film, tmp_path):
    with open(film, "rb") as file:  # noqa: PTH123  # a str
        content = file.read().replace(b"FFV1", b"QQQQ")
    (tmp_path / "odd.avi").write_bytes(content)
    with pytest.raises(InputError, match=r"codec|decoded"):
        Grabber(opener(str(tmp_path / "odd.avi")), "odd.avi")


def test_what_is_not_there_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(cameras, "cameras", list)
    with pytest.raises(InputError, match=r"gone\.avi: there is no such file and no camera of that name"):
        opener(str(tmp_path / "gone.avi"))
    with pytest.raises(InputError, match="an empty name names no source"):
        opener("")
    with pytest.raises(InputError, match="holds no pictures"):
        opener(str(tmp_path))()
    with pytest.raises(DeviceError, match=r"http://127\.0\.0\.1:9/video: nothing listens there"):
        opener("http://user:secret@127.0.0.1:9/video")()


def test_what_may_not_be_read_is_told_as_such(film, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)  # root may read whatever its permissions
    with pytest.raises(InputError, match=r"the folder cannot be read \(Permission denied\)"):
        opener(str(tmp_path))()
    monkeypatch.setattr(av, "open", lambda *_, **__: av.error.err_check(-errno.EACCES))
    with pytest.raises(InputError, match=r"film\.avi: cannot be read \(Permission denied\); check its permissions"):
        opener(film)()


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(max_size=20).filter(lambda name: "://" not in name))
def test_any_name_opens_or_is_an_error(name):
    try:
        opened = opener(name)
    except InputError:
        return
    assert callable(opened)


@pytest.mark.parametrize("request_", [CameraRequest(640, 480), CameraRequest(fps=5)])
def test_a_recording_is_not_asked_for_a_size_or_a_rate(film, stream, request_):
    with pytest.raises(UsageError, match="asked of a camera only"):
        opener(film, request_)
    with pytest.raises(UsageError, match="asked of a camera only"):
        opener(stream(level(7)), request_)()


def test_a_camera_is_found_by_its_name_and_its_device(monkeypatch):
    monkeypatch.setattr(cameras, "cameras", lambda: [(0, "Webcam C1"), (7654, "Microscope")])
    monkeypatch.setattr(sources, "open_camera", lambda number, request: (number, request))
    monkeypatch.setattr(sources, "is_device", lambda path: path == "/dev/video12")
    wanted = CameraRequest(640, 480, 5)
    assert opener("microsc", wanted)() == (7654, wanted)
    assert opener("7", wanted)() == (7, wanted)
    assert opener("/dev/video12", wanted)() == (12, wanted)
    with pytest.raises(InputError, match=r"/dev/video13: .* \(cameras: 0 Webcam C1, 7654 Microscope\)"):
        opener("/dev/video13")


def test_a_stream_on_the_network_is_live_and_comes_back(stream):
    grabber = Grabber(opener(stream(level(7), ends=10)), "stream")
    assert grabber.live
    assert grabber.continuous
    got = []
    while not got or got[-1].index <= 15:
        frame = grabber.next(1)
        if frame is not None:
            got.append(frame)
    assert {number_of(frame.pixels.rgb) for frame in got} == {7}
    grabber.close()


def test_a_stream_that_stalls_is_an_error(stream, monkeypatch):
    monkeypatch.setattr(decoding, "READ_SECONDS", 0.3)
    monkeypatch.setattr(decoding, "OPEN_SECONDS", 0.3)
    monkeypatch.setattr(capture, "RETRY_SECONDS", 0.02)
    # the first connection is used to find out what the address answers with
    grabber = Grabber(opener(stream(level(7), stalls=5, serves=2)), "stream", reconnect=0.2)
    with pytest.raises(DeviceError, match=r"seconds; plug it in again, or start what sends it"):
        list(iter(lambda: grabber.next(0.1), "no frame"))
    grabber.close()


class Camera:
    """A server that answers each request with the next of its answers, and with the last one for ever."""

    def __init__(self, *answers):
        camera = self
        self.requests = 0

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                content = answers[min(camera.requests, len(answers) - 1)]
                camera.requests += 1
                self.send_response(200 if content else 503)
                self.send_header("Content-Type", "image/jpeg")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *words):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/snap.jpg"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def camera():
    """A function that starts a Camera."""
    started = []

    def start(*answers):
        started.append(Camera(*answers))
        return started[-1]

    yield start
    for one in started:
        one.close()


def jpeg(number):
    return cv2.imencode(".jpg", level(number))[1].tobytes()


def test_a_snapshot_is_asked_for_again_and_again(camera):
    served = camera(jpeg(0), *map(jpeg, range(1, 6)))  # the first answer is to the question what it is
    grabber = Grabber(opener(served.address, CameraRequest(fps=50)), "snapshot")
    assert (grabber.live, grabber.continuous, grabber.fps, grabber.size) == (True, False, 50, (64, 48))
    got = []
    while len(got) < 3:
        frame = grabber.next(1)
        if frame is not None:
            got.append(frame)
    numbers = [number_of(frame.pixels.rgb) for frame in got]
    assert numbers == sorted(numbers)
    assert numbers[-1] > numbers[0] >= 1
    grabber.close()


def test_a_snapshot_is_asked_for_once_a_second_by_default(camera):
    source = opener(camera(jpeg(1)).address)()
    assert (source.fps, source.interval) == (1, 1)


def test_a_snapshot_that_is_missing_or_damaged_now_and_then_is_tried_again(camera, monkeypatch):
    monkeypatch.setattr(capture, "RETRY_SECONDS", 0.02)
    served = camera(jpeg(0), jpeg(1), b"no picture", jpeg(2), b"", jpeg(3))
    grabber = Grabber(opener(served.address, CameraRequest(fps=50)), "snapshot")
    numbers = []
    while 3 not in numbers:
        frame = grabber.next(1)
        if frame is not None:
            numbers.append(number_of(frame.pixels.rgb))
    grabber.close()
    assert numbers == sorted(numbers)


def test_a_camera_of_snapshots_that_is_off_at_the_start_is_tried_again(camera, monkeypatch):
    monkeypatch.setattr(capture, "RETRY_SECONDS", 0.02)
    request = CameraRequest(fps=50)
    with pytest.raises(SourceOffError, match="nothing listens there"):
        opener("http://127.0.0.1:9/snap.jpg", request)()
    grabber = Grabber(opener(camera(b"", b"", jpeg(1)).address, request), "snapshot")
    assert grabber.fps == 50
    grabber.close()


def test_a_snapshot_is_not_asked_for_a_size(camera):
    with pytest.raises(UsageError, match="asked of a camera only"):
        opener(camera(jpeg(0)).address, CameraRequest(640, 480))()


@pytest.mark.parametrize("level", ["", "WARNING"])
def test_opencv_and_ffmpeg_write_nothing_unless_the_environment_asks_for_it(tmp_path, level):
    (tmp_path / "a.avi").write_bytes(b"RIFF\x00\x00\x00\x00AVI LIST")
    script = (
        "from digitocr import DigitocrError, VideoReader\n"
        "for source in ('a.avi', 'http://127.0.0.1:9/video', 9876):\n"
        "    try:\n"
        "        VideoReader(source, reconnect=0)\n"
        "    except DigitocrError as error:\n"
        "        print(type(error).__name__)\n"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("OPENCV_")}
    env |= {"OPENCV_LOG_LEVEL": level} if level else {}
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
    )
    assert ran.stdout == "InputError\nSourceOffError\nDeviceError\n"
    assert ("refused" in ran.stderr) is bool(level)
    assert bool(ran.stderr) is bool(level)
