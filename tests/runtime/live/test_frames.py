import numpy as np
import pytest

from digitocr.runtime.errors import InputError
from digitocr.runtime.live.frames import FrameSource, checked, is_rate, to_rgb


def test_opencv_s_frames_become_rgb():
    bgr = np.full((2, 3, 3), (50, 100, 200), np.uint8)
    assert to_rgb(bgr)[0, 0].tolist() == [200, 100, 50]
    assert to_rgb(np.full((2, 3), 7, np.uint8))[1, 2].tolist() == [7, 7, 7]


def test_a_frame_is_taken_as_it_is_and_a_grey_one_gets_channels():
    frame = np.zeros((2, 3, 3), np.uint8)
    assert checked(frame, "own") is frame
    assert checked(np.full((2, 3), 7, np.uint8), "own")[0, 0].tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (np.zeros((2, 3, 3), np.float32), r"an array of \(2, 3, 3\) float32"),
        (np.zeros((2, 3, 4), np.uint8), r"an array of \(2, 3, 4\) uint8"),
        (np.zeros((0, 3, 3), np.uint8), r"an array of \(0, 3, 3\) uint8"),
        ("a.png", "str"),
    ],
)
def test_what_is_no_frame_is_an_error(given, named):
    with pytest.raises(InputError, match=f"^own: a frame is an array of .* not {named}$"):
        checked(given, "own")


@pytest.mark.parametrize(
    ("fps", "is_one"), [(30, True), (0.5, True), (0, False), (-1, False), (90_000, False), (float("nan"), False)]
)
def test_a_rate_is_positive_and_no_timebase(fps, is_one):
    assert is_rate(fps) is is_one


def test_two_methods_make_a_source():
    class Own:
        def read(self):
            return None

        def release(self):
            pass

    assert isinstance(Own(), FrameSource)
    assert not isinstance([], FrameSource)
