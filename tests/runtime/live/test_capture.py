"""Frames of files, pictures, streams on loopback and cameras that are played; no test needs a camera."""

import sys
import threading
import time
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from digitocr.runtime.errors import DeviceError, InputError, UsageError
from digitocr.runtime.live import capture
from digitocr.runtime.live.capture import CameraRequest, Grabber, PiCamera, cameras, opener


def level(number):
    """A frame of 64x48 whose grey level tells its number."""
    return np.full((48, 64, 3), 5 * number, np.uint8)


def number_of(frame):
    return round(float(frame.image.mean()) / 5)


@pytest.fixture
def film(tmp_path):
    """A video of 20 frames without loss."""
    path = str(tmp_path / "film.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"FFV1"), 10, (64, 48))
    for number in range(20):
        writer.write(level(number))
    writer.release()
    return path


class Played:
    """A camera that gives frames of rising level, a hundredth of a second each; what happens, happens once."""

    live = flows = True
    fps = 100.0

    def __init__(self, happens=None):
        self.happens = dict(happens or {})
        self.number = self.released = 0

    def read(self):
        time.sleep(0.01)
        self.number += 1
        happening = self.happens.pop(self.number, None)
        if happening:
            return happening()
        return level(self.number % 50)

    def release(self):
        self.released += 1


def play(monkeypatch, *sources):
    """Each time the source is opened the next one is there; then none."""
    left = list(sources)

    def opened():
        if not left:
            raise DeviceError("nothing is plugged in")
        return left.pop(0)

    monkeypatch.setattr(capture, "opener", lambda *_: opened)
    monkeypatch.setattr(capture, "RETRY", 0.02)


def frames(grabber, seconds=60.0):
    """The frames until the source ends."""
    end = time.monotonic() + seconds
    while not grabber.ended and time.monotonic() < end:
        frame = grabber.next(0.1)
        if frame is not None:
            yield frame


def threads():
    """The names of the threads that read sources, and do not end soon."""
    left = [thread for thread in threading.enumerate() if thread.name.startswith("digitocr ")]
    for thread in left:
        thread.join(10)
    return [thread.name for thread in left if thread.is_alive()]


def test_every_frame_of_a_file_comes_in_order(film):
    grabber = Grabber(film)
    assert (grabber.live, grabber.flows, grabber.fps, grabber.size) == (False, True, 10, (64, 48))
    got = list(frames(grabber))
    assert [(frame.number, number_of(frame)) for frame in got] == [(number, number) for number in range(20)]
    assert [frame.time for frame in got] == [number / 10 for number in range(20)]
    grabber.close()
    assert not threads()


def test_of_a_file_every_so_many_th_frame_if_asked(film):
    grabber = Grabber(film, every=7)
    assert [(frame.number, number_of(frame)) for frame in frames(grabber)] == [(0, 0), (7, 7), (14, 14)]


def test_a_file_is_given_back_before_its_end(film):
    grabber = Grabber(film)
    assert grabber.next(1).number == 0
    grabber.close()
    assert not threads()


def test_pictures_of_a_folder_and_a_glob_are_frames(tmp_path):
    for number in (2, 10, 1):
        Image.fromarray(level(number)).save(tmp_path / f"shot-{number:03}.png")
    (tmp_path / "notes.txt").write_text("none")
    for named in (tmp_path, tmp_path / "shot-0*.png"):
        assert [number_of(frame) for frame in frames(Grabber(str(named)))] == [1, 2, 10]
    assert [number_of(frame) for frame in frames(Grabber(str(tmp_path / "*-00?.png")))] == [1, 2]


def test_a_folder_whose_name_looks_like_a_pattern_is_that_folder(tmp_path):
    (tmp_path / "shots [1]").mkdir()
    Image.fromarray(level(7)).save(tmp_path / "shots [1]" / "a.gif")
    assert [number_of(frame) for frame in frames(Grabber(str(tmp_path / "shots [1]")))] == [7]


def test_what_flows_is_a_video_of_which_every_frame_is_read_and_a_camera(film, monkeypatch):
    grabber = Grabber(film, every=2)
    assert not grabber.flows
    grabber.close()
    play(monkeypatch, Played())
    grabber = Grabber("0", every=2)
    assert grabber.flows
    grabber.close()


def test_pictures_are_blue_first(tmp_path):
    Image.new("RGB", (20, 10), (200, 100, 50)).save(tmp_path / "a.png")
    assert next(frames(Grabber(str(tmp_path)))).image[0, 0].tolist() == [50, 100, 200]


def test_a_damaged_picture_among_others_is_an_error_where_it_comes(tmp_path):
    Image.fromarray(level(1)).save(tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes(b"no picture")
    grabber = Grabber(str(tmp_path))
    assert grabber.next(1) is not None
    with pytest.raises(InputError, match=r"2\.png: not a picture"):
        list(frames(grabber))


@pytest.mark.parametrize("content", [b"", b"no video\n" * 100, b"RIFF\x00\x00\x00\x00AVI LIST"])
def test_a_file_that_is_no_video_is_an_error(tmp_path, content):
    (tmp_path / "a.avi").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.avi: no(t one frame| video)"):
        Grabber(str(tmp_path / "a.avi"))
    assert not threads()


def test_a_file_whose_codec_is_missing_is_an_error(film, tmp_path):
    with open(film, "rb") as file:  # noqa: PTH123  # a str
        content = file.read().replace(b"FFV1", b"QQQQ")
    (tmp_path / "odd.avi").write_bytes(content)
    with pytest.raises(InputError, match=r"codec|decoded"):
        Grabber(str(tmp_path / "odd.avi"))


def test_what_is_not_there_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(capture, "LINUX_CAMERAS", tmp_path / "none")
    monkeypatch.setattr(capture, "system", lambda: "Linux")
    with pytest.raises(InputError, match=r"gone\.avi: there is no such file and no camera of that name"):
        Grabber(str(tmp_path / "gone.avi"))
    with pytest.raises(InputError, match="holds no pictures"):
        Grabber(str(tmp_path))
    with pytest.raises(DeviceError, match="there is no camera 9876"):
        Grabber("9876")
    with pytest.raises(DeviceError, match="no stream can be opened"):
        Grabber("http://127.0.0.1:9/video")
    assert not threads()


def test_a_recording_is_not_asked_for_a_size(film):
    with pytest.raises(UsageError, match="asked of a camera"):
        opener(film, CameraRequest(640, 480))


def test_linux_says_which_cameras_there_are(tmp_path, monkeypatch):
    monkeypatch.setattr(capture, "system", lambda: "Linux")
    for device, index, name in (("video0", 0, "Webcam C1"), ("video1", 1, "Webcam C1"), ("video10", 0, "Microscope")):
        (tmp_path / device).mkdir()
        (tmp_path / device / "index").write_text(f"{index}\n")
        (tmp_path / device / "name").write_text(f"{name}\n")
    (tmp_path / "video7").mkdir()  # one that is going away
    assert cameras(tmp_path) == [(0, "Webcam C1"), (10, "Microscope")]
    assert cameras(tmp_path / "none") == []


def test_a_camera_is_found_by_its_name(monkeypatch):
    monkeypatch.setattr(capture, "cameras", lambda: [(0, "Webcam C1"), (7654, "Microscope")])
    with pytest.raises(DeviceError, match="camera 7654"):
        opener("microsc")()


def test_of_a_camera_only_the_newest_frame_is_kept(monkeypatch):
    camera = Played()
    play(monkeypatch, camera)
    grabber = Grabber("0")
    assert grabber.live
    time.sleep(0.3)
    one = grabber.next(1)
    time.sleep(0.3)
    other = grabber.next(1)
    assert one.number > 5
    assert other.number > one.number + 5
    assert time.perf_counter() - other.came < 0.2
    grabber.close()
    assert camera.released == 1
    assert not threads()


def test_a_camera_that_was_pulled_out_comes_back(monkeypatch):
    lost, back = Played({5: lambda: None}), Played()
    play(monkeypatch, lost, back)
    grabber = Grabber("0", reconnect=5)
    numbers = []
    for frame in frames(grabber):
        numbers.append(frame.number)
        if back.number > 3:
            break
    assert lost.released == 1
    assert grabber.lost == ""
    assert numbers == sorted(set(numbers))
    grabber.close()


def test_a_camera_that_stays_away_is_an_error_that_says_why(monkeypatch):
    play(monkeypatch, Played({5: lambda: None}))
    grabber = Grabber("0", reconnect=0.2)
    with pytest.raises(DeviceError, match=r"0: nothing is plugged in, for \d seconds; plug it in again"):
        list(frames(grabber))
    grabber.close()
    assert not threads()


def test_a_driver_that_hangs_is_an_error_and_left_behind(monkeypatch):
    monkeypatch.setattr(capture, "STALL", 0.1)
    free = threading.Event()
    camera = Played({3: lambda: free.wait(20) and None})
    play(monkeypatch, camera)
    grabber = Grabber("0", reconnect=0.1)
    with pytest.raises(DeviceError, match="no frame comes"):
        list(frames(grabber))
    began = time.monotonic()
    grabber.close()
    assert time.monotonic() - began < 3
    free.set()
    grabber._thread.join(5)
    assert camera.released == 1


def test_a_camera_that_opens_and_gives_nothing_is_an_error(monkeypatch):
    camera = Played({1: lambda: None})
    play(monkeypatch, camera)
    with pytest.raises(DeviceError, match="0: opens, but no frame comes"):
        Grabber("0")
    assert camera.released == 1
    assert not threads()


def test_a_library_that_raises_is_not_hidden(monkeypatch):
    def fail():
        raise ZeroDivisionError

    camera = Played({3: fail})
    play(monkeypatch, camera)
    grabber = Grabber("0")
    with pytest.raises(ZeroDivisionError):
        list(frames(grabber))
    assert camera.released == 1


def test_a_camera_without_colour_gives_three_channels(monkeypatch):
    play(monkeypatch, Played({1: lambda: np.zeros((48, 64), np.uint8)}))
    grabber = Grabber("0")
    assert grabber.size == (64, 48)
    assert grabber.next(1).image.shape == (48, 64, 3)
    grabber.close()


def test_picamera2_serves_where_opencv_opens_no_camera(monkeypatch):
    done = []

    class Picamera2:
        def __init__(self, number):
            done.append(number)

        def create_video_configuration(self, **settings):
            return settings

        def configure(self, settings):
            done.append(settings)

        def start(self):
            done.append("start")

        def capture_array(self, name):
            assert name == "main"
            return level(3)

        def stop(self):
            done.append("stop")

        def close(self):
            done.append("close")

    library = ModuleType("picamera2")
    library.Picamera2 = Picamera2
    library.__spec__ = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "picamera2", library)
    camera = opener("9876", CameraRequest(640, 480, 25))()
    assert isinstance(camera, PiCamera)
    assert (camera.read() == level(3)).all()
    camera.release()
    settings = {"main": {"format": "RGB888", "size": (640, 480)}, "controls": {"FrameRate": 25}}
    assert done == [9876, settings, "start", "stop", "close"]


def test_a_stream_on_the_network_is_live_and_comes_back(stream):
    address = stream(level(7), ends=10)
    grabber = Grabber(address)
    assert grabber.live
    got = []
    for frame in frames(grabber):
        got.append(number_of(frame))
        if frame.number > 15:
            break
    assert set(got) == {7}
    grabber.close()
    assert not threads()


def test_a_stream_that_stalls_is_an_error(stream, monkeypatch):
    monkeypatch.setattr(capture, "READ_MS", 300)
    monkeypatch.setattr(capture, "OPEN_MS", 300)
    address = stream(level(7), stalls=5, serves=1)
    grabber = Grabber(address, reconnect=0.2)
    with pytest.raises(DeviceError, match=r"seconds; plug it in again, or start what sends it"):
        list(frames(grabber))
    grabber.close()
