"""Streams of a real RTSP server, GStreamer's, which is skipped where it is not installed."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from digitocr.runtime.errors import DeviceError
from digitocr.runtime.live.capture import Grabber
from digitocr.runtime.live.decoding import Video

SCRIPT = Path(__file__).with_name("rtsp_server.py")
PYTHON = "/usr/bin/python3"  # of the system, which has Debian's python3-gi
HAS = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
X264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10"


@pytest.fixture(scope="module")
def installed():
    """Skips the tests where the server is not installed; in CI it fails them."""
    found = shutil.which(PYTHON) and subprocess.run([PYTHON, "-c", HAS], capture_output=True, check=False)
    if not found or found.returncode:
        message = "install gir1.2-gst-rtsp-server-1.0, python3-gi, gstreamer1.0-plugins-good and -ugly (.ci/run)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)


@pytest.fixture
def camera(installed, tmp_path):
    """A function that starts the server, with a picture that is dark on the left, and gives its process and address."""
    picture = np.full((96, 128, 3), 200, np.uint8)
    picture[:, :64] = 40
    (tmp_path / "picture").write_bytes(picture.tobytes())
    started = []

    def start(*words):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        server = subprocess.Popen([PYTHON, SCRIPT, "128x96", *words], text=True, **pipes)
        started.append(server)
        address = server.stdout.readline().strip()
        server.stdin.write(f"{tmp_path / 'picture'}\n")
        server.stdin.flush()
        return server, address

    yield start
    for server in started:
        server.kill()
        server.communicate()


def test_interlaced_video_is_read(camera):
    video = Video(camera("--interlaced", "--encoder", f"{X264} interlaced=true ! rtph264pay")[1])
    for _ in range(5):
        pixels = video.read().gray.astype(int)
    assert video._filter is not None  # frames said that they are interlaced
    video.release()
    assert abs(pixels[:, 8:56].mean() - 40) < 8
    assert abs(pixels[:, 72:120].mean() - 200) < 8


def test_a_server_that_stops_is_noticed_within_three_seconds_and_its_old_frames_are_not_new(camera):
    server, address = camera("--encoder", f"{X264} ! rtph264pay")
    grabber = Grabber(lambda: Video(address), "camera", reconnect=60)
    while grabber.next(1) is None:
        pass
    os.kill(server.pid, signal.SIGSTOP)
    stopped = time.perf_counter()
    late = 0
    while not grabber.lost:
        frame = grabber.next(0.05)
        late += frame is not None and frame.arrived > stopped + 1
    assert late == 0
    assert time.perf_counter() - stopped < 5  # three, and some more for a machine that is busy
    os.kill(server.pid, signal.SIGCONT)
    while grabber.next(1) is None:
        pass
    assert not grabber.lost
    grabber.close()


def test_a_login_by_digest(camera):
    _, address = camera("--login", "user:secret")
    with pytest.raises(DeviceError, match=r"asks for a user and a password, or refuses these \(401\)"):
        Video(address)
    video = Video(address.replace("//", "//user:secret@"))
    assert video.read().size == (128, 96)
    video.release()
