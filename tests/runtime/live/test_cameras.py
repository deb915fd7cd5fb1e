import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from digitocr.runtime.errors import DeviceError
from digitocr.runtime.live import cameras
from digitocr.runtime.live.cameras import CameraRequest, PiCamera, open_camera


def test_linux_lists_its_cameras(tmp_path, monkeypatch):
    monkeypatch.setattr(cameras, "system", lambda: "Linux")
    for device, index, name in (("video0", 0, "Webcam C1"), ("video1", 1, "Webcam C1"), ("video10", 0, "Microscope")):
        (tmp_path / device).mkdir()
        (tmp_path / device / "index").write_text(f"{index}\n")
        (tmp_path / device / "name").write_text(f"{name}\n")
    (tmp_path / "video7").mkdir()  # one that is being unplugged
    assert cameras.cameras(tmp_path) == [(0, "Webcam C1"), (10, "Microscope")]
    assert cameras.cameras(tmp_path / "none") == []


def test_a_camera_that_is_not_there_is_an_error_that_lists_the_others(monkeypatch):
    monkeypatch.setattr(cameras, "system", lambda: "Linux")
    monkeypatch.setattr(cameras, "cameras", lambda: [(3, "Microscope")])
    with pytest.raises(DeviceError, match=r"there is no camera 9876 \(cameras: 3 Microscope\)"):
        open_camera(9876)


def test_a_camera_that_cannot_be_opened_is_an_error_that_says_why(monkeypatch):
    monkeypatch.setattr(cameras, "system", lambda: "Darwin")
    with pytest.raises(DeviceError, match="camera 9876 cannot be opened; another program may use it"):
        open_camera(9876)


@pytest.fixture
def picamera2(monkeypatch):
    """What is done with a camera of the library picamera2, which is played."""
    done = []

    class Picamera2:
        def __init__(self, number):
            if number == 1234:
                raise IndexError("list index out of range")
            done.append(number)

        def create_video_configuration(self, **settings):
            return settings

        def configure(self, settings):
            done.append(settings)

        def start(self):
            done.append("start")

        def capture_array(self, name):
            assert name == "main"
            return np.full((48, 64, 3), (200, 100, 50), np.uint8)

        def stop(self):
            done.append("stop")

        def close(self):
            done.append("close")

    library = ModuleType("picamera2")
    library.Picamera2 = Picamera2
    library.__spec__ = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "picamera2", library)
    return done


def test_picamera2_serves_where_opencv_opens_no_camera(picamera2):
    camera = open_camera(9876, CameraRequest(640, 480, 25))
    assert isinstance(camera, PiCamera)
    assert camera.read()[0, 0].tolist() == [200, 100, 50]
    camera.release()
    # picamera2's BGR888 has its bytes in the order R, G, B
    settings = {"main": {"format": "BGR888", "size": (640, 480)}, "controls": {"FrameRate": 25}}
    assert picamera2 == [9876, settings, "start", "stop", "close"]


@pytest.mark.usefixtures("picamera2")
def test_an_exception_of_picamera2_is_a_device_error():
    with pytest.raises(
        DeviceError, match=r"camera 1234 cannot be opened, nor by picamera2 \(list index out of range\)"
    ):
        open_camera(1234)
