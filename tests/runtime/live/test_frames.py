import pickle
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from digitocr.runtime.errors import InputError
from digitocr.runtime.live.frames import FramePixels, FrameSource, checked, is_rate, of_opencv


@pytest.mark.parametrize(
    ("convert", "pixel"), [(of_opencv, (50, 100, 200)), (lambda it: checked(it, ""), (200, 100, 50))]
)
def test_a_frame_has_both_forms(convert, pixel):
    frame = convert(np.full((2, 3, 3), pixel, np.uint8))
    assert (frame.size, frame.gray.tolist()) == ((3, 2), [[124] * 3] * 2)  # 0.299 red, 0.587 green, 0.114 blue
    assert frame.rgb[0, 0].tolist() == [200, 100, 50]
    frame = convert(np.full((2, 3), 7, np.uint8))
    assert (frame.size, frame.gray.tolist()) == ((3, 2), [[7] * 3] * 2)
    assert frame.rgb[1, 2].tolist() == [7, 7, 7]


def test_a_form_is_made_when_it_is_asked_for_and_once():
    made = []
    frame = FramePixels((3, 2), lambda: made.append("gray") or np.zeros((2, 3), np.uint8), lambda: None)
    assert checked(frame, "own") is frame
    assert not made
    assert frame.gray is frame.gray
    assert made == ["gray"]


def test_what_the_forms_are_made_of_is_let_go_when_both_are_there():
    class Decoded:
        gray, rgb = np.zeros((2, 3), np.uint8), np.zeros((2, 3, 3), np.uint8)

    decoded = Decoded()
    left = weakref.ref(decoded)
    frame = FramePixels((3, 2), lambda decoded=decoded: decoded.gray, lambda decoded=decoded: decoded.rgb)
    del decoded
    assert frame.gray.shape == (2, 3)
    assert left() is not None
    assert frame.rgb.shape == (2, 3, 3)
    assert left() is None


def test_threads_that_ask_for_a_form_get_the_same_one():
    made = []

    def gray():
        time.sleep(0.01)
        made.append(np.zeros((2, 3), np.uint8))
        return made[-1]

    frame = FramePixels((3, 2), gray, lambda: None)
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: frame.gray, range(8)))
    assert len(made) == 1
    assert all(one is made[0] for one in seen)


def test_a_frame_can_be_pickled():
    frame = checked(np.full((2, 3, 3), (200, 100, 50), np.uint8), "own")
    again = pickle.loads(pickle.dumps(frame))
    assert again.size == frame.size
    np.testing.assert_array_equal(again.gray, frame.gray)
    np.testing.assert_array_equal(again.rgb, frame.rgb)


@pytest.mark.parametrize("made", [np.zeros((2, 3)), np.zeros((2, 3, 3), np.uint8), np.zeros((3, 2), np.uint8), None])
def test_a_form_that_is_no_frame_of_that_size_is_an_error(made):
    with pytest.raises(InputError, match=r"^the gray of a frame is an array of \(2, 3\) uint8; not "):
        _ = FramePixels((3, 2), lambda: made, lambda: made).gray


def test_a_frame_is_taken_as_it_is():
    given = np.zeros((2, 3, 3), np.uint8)
    assert checked(given, "own").rgb is given


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
