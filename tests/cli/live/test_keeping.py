import os

import cv2
import numpy as np
import pytest

from digitocr import FrameReading, Reading
from digitocr.cli.live.keeping import DoubtfulFrames
from digitocr.runtime.errors import OutputError
from digitocr.runtime.live.frames import checked
from digitocr.runtime.reading import Box, Digit, Line, Number


def frame(index, confidence, level=200, seconds=None, at=None):
    """A frame of 320x240, one a second, with a number of that confidence; at: where a stroke of 4x20 pixels stands."""
    image = np.full((240, 320, 3), level, np.uint8)
    if at:
        image[at[1] : at[1] + 20, at[0] : at[0] + 4] = level // 10
    digit = Digit(7, 0.9, Box(100, 100, 12, 20), ())
    reading = Reading(() if confidence is None else (Line((Number("7", (digit,), confidence),)),))
    return FrameReading(index, index if seconds is None else seconds, checked(image, "test"), reading, (), (), 1.0)


@pytest.fixture
def kept(tmp_path):
    return DoubtfulFrames(tmp_path / "kept", 0.8, 3)


def files(kept):
    return sorted(path.name for path in kept.folder.iterdir())


def test_doubtful_frames_are_kept(kept):
    assert not kept.take(frame(0, 0.9), None)
    assert not kept.take(frame(1, 0.8), None)
    assert kept.take(frame(2, 0.79), None)
    (name,) = files(kept)
    assert name.endswith("-000002.jpg")
    assert cv2.imread(str(kept.folder / name)).shape == (240, 320, 3)
    assert kept.count == 1


def test_a_frame_without_a_number_is_not_doubtful(kept):
    assert not kept.take(frame(0, None), None)
    assert files(kept) == []


def test_what_shows_the_same_as_the_last_kept_one_is_left_out(kept):
    rng = np.random.default_rng(1)
    assert kept.take(frame(0, 0.1, at=(100, 100)), None)
    for index, level in ((1, 200), (2, 170), (3, 230)):  # noise, and light that fades and grows
        noisy = frame(index, 0.1, level, at=(100, 100))
        noisy.image[:] = np.clip(noisy.image + rng.normal(0, 6, noisy.image.shape), 0, 255)
        assert not kept.take(noisy, None), index
    assert kept.take(frame(4, 0.1, at=(106, 100)), None)  # a digit that has changed


def test_frames_are_a_second_apart_also_after_a_source_began_again(kept):
    assert kept.take(frame(0, 0.1, seconds=50.0), None)
    assert not kept.take(frame(1, 0.1, seconds=50.9, at=(50, 50)), None)
    assert kept.take(frame(2, 0.1, seconds=51.0, at=(50, 50)), None)
    assert kept.take(frame(3, 0.1, seconds=0.0, at=(90, 50)), None)


def test_no_more_are_kept_than_the_folder_may_hold(kept):
    for index in range(6):
        kept.take(frame(index, 0.1, at=(20 * index, 50)), None)
    assert kept.is_full
    assert len(files(kept)) == kept.count == 3
    again = DoubtfulFrames(kept.folder, 0.8, 4)
    assert not again.is_full
    assert again.take(frame(9, 0.1), None)
    assert again.is_full
    assert len(files(kept)) == 4


def test_the_part_that_is_read_is_kept(kept):
    assert kept.take(frame(0, 0.1), (10, 20, 100, 50))
    (name,) = files(kept)
    assert cv2.imread(str(kept.folder / name)).shape == (50, 100, 3)


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for wrong in (tmp_path / "file", tmp_path / "file" / "kept"):
        with pytest.raises(OutputError, match="cannot be written"):
            DoubtfulFrames(wrong, 0.8, 3)
    kept = DoubtfulFrames(tmp_path / "kept", 0.8, 3)
    kept.folder.rmdir()
    with pytest.raises(OutputError, match="kept: cannot be written"):
        kept.take(frame(0, 0.1), None)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="Permission denied"):
        DoubtfulFrames(tmp_path / "kept", 0.8, 3)
