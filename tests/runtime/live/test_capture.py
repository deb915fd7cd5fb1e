"""The thread that reads a source, with sources that are played; no test needs a camera."""

import threading
import time

import numpy as np
import pytest

from digitocr.runtime.errors import DeviceError, InputError, SourceOffError
from digitocr.runtime.live import capture
from digitocr.runtime.live.capture import Grabber


def level(number):
    """A frame of 64x48 whose grey level is 5 times its number."""
    return np.full((48, 64, 3), 5 * number, np.uint8)


def number_of(frame):
    return round(float(frame.pixels.gray.mean()) / 5)


class Played:
    """A camera that gives frames of rising level, a hundredth of a second each; what happens, happens once."""

    fps = 100.0

    def __init__(self, happens=None, live=True, release=None):
        self.happens = dict(happens or {})
        self.live = live
        self.release_raises = release
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
        if self.release_raises:
            raise self.release_raises


def opening(*sources):
    """A function that opens one source after the other; then there is none."""
    left = list(sources)

    def opened():
        if not left:
            raise DeviceError("nothing is plugged in")
        return left.pop(0)

    return opened


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr(capture, "RETRY_SECONDS", 0.02)


def frames(grabber, seconds=60.0):
    """The frames until the source ends."""
    end = time.monotonic() + seconds
    while not grabber.ended and time.monotonic() < end:
        frame = grabber.next(0.1)
        if frame is not None:
            yield frame
    assert grabber.ended


def threads():
    """The names of the threads that read sources, and do not end soon."""
    left = [thread for thread in threading.enumerate() if thread.name.startswith("digitocr ")]
    for thread in left:
        thread.join(10)
    return [thread.name for thread in left if thread.is_alive()]


def recorded(count):
    """A source of that many frames, each of which is to be read."""
    return Played({count + 1: lambda: None}, live=False)


def test_every_frame_of_a_recording_comes_in_order():
    source = recorded(20)
    grabber = Grabber(opening(source), "film")
    assert (grabber.live, grabber.continuous, grabber.fps, grabber.size) == (False, True, 100, (64, 48))
    got = list(frames(grabber))
    assert [(frame.index, number_of(frame)) for frame in got] == [(number, number + 1) for number in range(20)]
    assert [frame.time for frame in got] == [number / 100 for number in range(20)]
    assert source.released == 1
    assert not threads()


def test_every_nth_frame_of_a_recording_is_not_continuous():
    grabber = Grabber(opening(recorded(20)), "film", every=7)
    assert not grabber.continuous
    assert [frame.index for frame in frames(grabber)] == [0, 7, 14]


def test_every_is_ignored_for_a_live_source():
    grabber = Grabber(opening(Played()), "0", every=2)
    assert grabber.continuous
    grabber.close()


def test_a_recording_is_released_before_its_end():
    source = recorded(100)
    grabber = Grabber(opening(source), "film")
    assert grabber.next(60).index == 0
    grabber.close()
    assert source.released == 1
    assert not threads()


def test_of_a_camera_only_the_newest_frame_is_kept():
    camera = Played()
    grabber = Grabber(opening(camera), "0")
    assert grabber.live
    while camera.number < 10:
        time.sleep(0.01)
    first = grabber.next(60)
    before = camera.number
    while camera.number < before + 10:
        time.sleep(0.01)
    second = grabber.next(60)
    assert first.index >= 8
    assert second.index >= before + 8
    assert second.arrived > first.arrived
    grabber.close()
    assert camera.released == 1
    assert not threads()


def test_a_camera_that_was_pulled_out_comes_back():
    lost, back = Played({5: lambda: None}), Played()
    grabber = Grabber(opening(lost, back), "0", reconnect=5)
    indexes = []
    for frame in frames(grabber):
        indexes.append(frame.index)
        if back.number > 3:
            break
    assert lost.released == 1
    assert grabber.lost == ""
    assert indexes == sorted(set(indexes))
    grabber.close()


def test_a_camera_whose_release_fails_when_it_was_pulled_out_comes_back():
    lost, back = Played({5: lambda: None}, release=OSError("no such device")), Played()
    grabber = Grabber(opening(lost, back), "0", reconnect=5)
    for _ in frames(grabber):
        if back.number > 3:
            break
    assert (lost.released, grabber.lost) == (1, "")
    grabber.close()


def test_a_source_that_does_not_reopen_is_at_its_end():
    source = Played({5: lambda: None})
    grabber = Grabber(opening(source, Played()), "own", reopens=False)
    assert max(frame.index for frame in frames(grabber)) == 3
    assert source.released == 1


def test_a_camera_that_stays_away_is_an_error_that_says_why():
    grabber = Grabber(opening(Played({5: lambda: None})), "0", reconnect=0.2)
    with pytest.raises(DeviceError, match=r"0: nothing is plugged in, for \d seconds; plug it in again"):
        list(frames(grabber))
    grabber.close()
    assert not threads()


def test_a_driver_that_hangs_is_an_error_and_left_behind(monkeypatch):
    monkeypatch.setattr(capture, "STALL_SECONDS", 0.1)
    monkeypatch.setattr(capture, "CLOSE_SECONDS", 0.2)
    free = threading.Event()
    camera = Played({3: lambda: free.wait(20) and None})
    grabber = Grabber(opening(camera), "0", reconnect=0.1)
    with pytest.raises(DeviceError, match="no frame comes"):
        list(frames(grabber))
    began = time.monotonic()
    grabber.close()
    assert time.monotonic() - began < 3
    assert camera.released == 0
    free.set()
    assert not threads()
    assert camera.released == 1


def test_a_camera_that_opens_and_gives_nothing_is_an_error():
    camera = Played({1: lambda: None})
    with pytest.raises(DeviceError, match="0: opens, but no frame comes"):
        Grabber(opening(camera), "0")
    assert camera.released == 1
    assert not threads()


def test_a_recording_without_a_frame_is_an_error():
    with pytest.raises(InputError, match="film: not one frame of it can be decoded"):
        Grabber(opening(recorded(0)), "film")


def test_an_exception_of_a_source_is_raised():
    def fail():
        raise ZeroDivisionError

    camera = Played({3: fail})
    grabber = Grabber(opening(camera), "0")
    with pytest.raises(ZeroDivisionError):
        list(frames(grabber))
    assert camera.released == 1


def test_a_recording_whose_release_fails_ends_with_that_error():
    grabber = Grabber(opening(Played({4: lambda: None}, live=False, release=OSError("gone"))), "film")
    with pytest.raises(OSError, match="gone"):
        list(frames(grabber, 10))
    assert not threads()


def test_grey_frames_become_three_channels():
    grabber = Grabber(opening(Played({1: lambda: np.full((48, 64), 9, np.uint8)})), "0")
    assert grabber.size == (64, 48)
    frame = grabber.next(60)
    assert frame.pixels.size == (64, 48)
    grabber.close()


def test_what_is_no_frame_is_an_error():
    with pytest.raises(InputError, match=r"own: a frame is an array of .* not an array of \(48, 64, 4\) uint8"):
        Grabber(opening(Played({1: lambda: np.zeros((48, 64, 4), np.uint8)})), "own")


def test_a_source_is_live_and_continuous_unless_it_says_otherwise():
    class Plain:
        def read(self):
            return level(1)

        def release(self):
            pass

    grabber = Grabber(opening(Plain()), "own")
    assert (grabber.live, grabber.continuous, grabber.fps) == (True, True, 30)
    grabber.close()


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf"), None])
def test_what_is_no_rate_counts_as_none(fps):
    source = recorded(3)
    source.fps = fps
    grabber = Grabber(opening(source), "own")
    assert grabber.fps == 30
    assert [frame.time for frame in frames(grabber)] == [number / 30 for number in range(3)]


def test_a_source_with_an_interval_is_not_read_more_often_and_closes_at_once():
    source = Played()
    source.interval = 60.0
    grabber = Grabber(opening(source), "http://cam/snap.jpg")
    assert grabber.next(60).index == 0
    assert grabber.next(0.2) is None
    began = time.monotonic()
    grabber.close()
    assert time.monotonic() - began < 1
    assert source.number == 1
    assert source.released == 1


def test_a_source_that_hangs_is_lost_by_the_reader_s_own_clock(monkeypatch):
    monkeypatch.setattr(capture, "STALL_SECONDS", 0.2)
    over = threading.Event()
    grabber = Grabber(opening(Played({5: lambda: over.wait(60) and None})), "own", reconnect=60)
    while not grabber.lost:
        grabber.next(0.05)
    assert grabber.lost == "no frame comes"
    over.set()
    grabber.close()


def test_a_source_all_of_whose_frames_have_a_flaw_is_lost_for_that(monkeypatch):
    monkeypatch.setattr(capture, "STALL_SECONDS", 0.2)
    camera = Played()
    grabber = Grabber(opening(camera), "0", reconnect=0.1)
    assert grabber.next(60).flaw == ""
    camera.flaw = "damaged"
    while not grabber.lost:
        grabber.next(0.05)
    assert grabber.lost == "damaged"
    while grabber.next(60).flaw:
        camera.flaw = ""
    assert not grabber.lost
    grabber.close()


def test_a_recording_has_times_of_its_own_and_a_last_word():
    source = recorded(3)
    source.time, source.note = 7.5, "cut short"
    grabber = Grabber(opening(source), "film")
    assert [frame.time for frame in frames(grabber)] == [7.5] * 3
    assert grabber.note == "cut short"


def test_only_a_source_that_is_off_is_tried_again_at_the_start():
    tried = []

    def off():
        tried.append(1)
        raise SourceOffError("off") if len(tried) < 3 else DeviceError("never")

    told = []
    with pytest.raises(DeviceError, match="never"):
        Grabber(off, "camera", reconnect=60, waiting=told.append)
    assert len(tried) == 3
    assert set(told) <= {"", "off"}


def test_what_is_raised_while_the_first_frame_is_waited_for_ends_it():
    def waiting(why):
        raise InputError("no time left")

    over = threading.Event()
    with pytest.raises(InputError, match="no time left"):
        Grabber(lambda: over.wait(60) and None, "camera", waiting=waiting)
    over.set()
