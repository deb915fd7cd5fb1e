import resource
import shutil
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from digitocr.cli.live.recording import MAX_GAP, Recording
from digitocr.runtime.errors import OutputError, UsageError


def levels(path):
    """The grey level of each frame."""
    capture = cv2.VideoCapture(str(path))
    found = []
    while True:
        there, frame = capture.read()
        if not there:
            return found
        found.append(round(float(frame.mean()) / 10))


def picture(level, size=(64, 48)):
    return np.full((size[1], size[0], 3), 10 * level, np.uint8)


@pytest.mark.parametrize("name", ["a.avi", "a.mp4", "A.AVI"])
def test_a_recording_is_played_as_it_was_taken(tmp_path, name):
    with Recording(tmp_path / name, 10, False) as recording:
        for number in range(10):
            recording.write(picture(number), number / 10)
        assert not (tmp_path / name).exists()
    assert levels(tmp_path / name) == list(range(10))
    assert cv2.VideoCapture(str(tmp_path / name)).get(cv2.CAP_PROP_FPS) == 10
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_gap_is_filled_and_what_comes_too_soon_is_left_out(tmp_path):
    with Recording(tmp_path / "a.avi", 10, False) as recording:
        for level, time in ((1, 0.0), (2, 0.04), (3, 0.1), (4, 0.5)):
            recording.write(picture(level), time)
    assert levels(tmp_path / "a.avi") == [1, 3, 4, 4, 4, 4]


def test_a_long_gap_is_shortened(tmp_path):
    with Recording(tmp_path / "a.avi", 10, False) as recording:
        recording.write(picture(1), 0.0)
        recording.write(picture(2), 3600.0)
        recording.write(picture(3), 3600.1)
        recording.write(picture(4), 7200.0)
    gap = round(MAX_GAP * 10)
    assert levels(tmp_path / "a.avi") == [1] + [2] * (gap + 1) + [3] + [4] * (gap + 1)


def test_a_recording_has_the_colours_of_its_rgb_pictures(tmp_path):
    with Recording(tmp_path / "a.avi", 10, False) as recording:
        recording.write(np.full((48, 64, 3), (200, 100, 50), np.uint8), 0.0)
    bgr = cv2.VideoCapture(str(tmp_path / "a.avi")).read()[1]
    assert np.abs(bgr[20, 20].astype(int) - (50, 100, 200)).max() < 12


def test_frames_of_another_size_are_taken_as_well(tmp_path):
    with Recording(tmp_path / "a.avi", 10, False) as recording:
        recording.write(picture(1), 0)
        recording.write(picture(2, (100, 90)), 0.1)
    assert levels(tmp_path / "a.avi") == [1, 2]


def test_what_was_recorded_before_an_error_can_be_played(tmp_path):
    def interrupted():
        with Recording(tmp_path / "a.avi", 10, False) as recording:
            recording.write(picture(1), 0.3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert levels(tmp_path / "a.avi") == [1] * 4


def test_a_full_disk_is_an_error_and_what_was_recorded_is_kept(tmp_path, monkeypatch):
    with Recording(tmp_path / "a.avi", 10, False) as recording:
        recording.write(picture(1), 0.5)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
        with pytest.raises(OutputError, match="the disk is full; what was recorded so far is kept"):
            recording.write(picture(2), 10)
    assert levels(tmp_path / "a.avi") == [1] * 6 + [2] * 4


def test_a_disk_that_is_full_at_the_start_gets_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with Recording(tmp_path / "a.avi", 10, False) as recording, pytest.raises(OutputError, match="the disk is full"):
        recording.write(picture(1), 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.avi", "a.mp4"])
def test_a_recording_whose_end_could_not_be_written_does_not_get_its_name(tmp_path, name):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Recording(tmp_path / name, 10, False) as recording:
        recording.write(picture(1), 1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))  # as a file system may limit a file to 4 GB
        try:
            with pytest.raises(OutputError, match=r"a\.\w+: could not be written to its end; .*a\.damaged\.\w+"):
                recording.close()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in tmp_path.iterdir()] == [name.replace("a.", "a.damaged.")]


def test_nothing_is_overwritten_unless_forced(tmp_path):
    (tmp_path / "a.avi").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"exists already; .*--force"):
        Recording(tmp_path / "a.avi", 10, False)
    with Recording(tmp_path / "a.avi", 10, True):
        pass
    assert (tmp_path / "a.avi").read_bytes() == b"mine"  # not one frame was recorded
    with Recording(tmp_path / "a.avi", 10, True) as recording:
        recording.write(picture(1), 0)
    assert levels(tmp_path / "a.avi") == [1]


def test_a_name_that_cannot_be_is_an_error(tmp_path):
    with pytest.raises(UsageError, match=r"a\.gif: a recording ends in \.avi or \.mp4"):
        Recording(tmp_path / "a.gif", 10, False)
    with pytest.raises(OutputError, match="there is no folder"):
        Recording(tmp_path / "none" / "a.avi", 10, False)
    (tmp_path / "b.avi").mkdir()
    with pytest.raises(OutputError, match="cannot be written"), Recording(tmp_path / "b.avi", 10, True) as recording:
        recording.write(picture(1), 0)
    assert [path.name for path in tmp_path.iterdir()] == ["b.avi"]
