"""runtime/c/detection.c held against the Python detector: the same boxes and scores, to the last bit."""

import ctypes

import numpy as np
import pytest

from digitocr.runtime.boxes import MAX_DETECTIONS
from digitocr.runtime.detector import Detector
from digitocr.train.synthesis.pages import Style, draw_page

MEMORY = 3  # DIGITOCR_ERROR_MEMORY


@pytest.fixture(scope="module")
def detector():
    return Detector()


@pytest.fixture
def detect(c_library, c_types, c_view):
    """A function: gray -> boxes and scores, or the error."""
    arena = c_types[1]

    def call(gray, thorough=True, capacity=MAX_DETECTIONS, size=None, border=0, level=0):
        view = c_view.of(gray, border, level)
        size = c_library.dg_detect_bytes(view.width, view.height, capacity) if size is None else size
        boxes, scores = np.empty((capacity, 4), np.float32), np.empty(capacity, np.float32)
        count, memory = ctypes.c_int32(), arena(size)
        error = c_library.dg_detect(
            ctypes.byref(view),
            int(thorough),
            capacity,
            ctypes.c_void_p(boxes.ctypes.data),
            ctypes.c_void_p(scores.ctypes.data),
            ctypes.byref(count),
            ctypes.byref(memory),
        )
        assert memory.is_kept()
        return error or (boxes[: count.value], scores[: count.value])

    return call


def page(numbers, shape, digit_height, seed=0):
    drawn = draw_page(numbers, np.random.default_rng(seed), Style(shape[::-1], digit_height=digit_height)).image
    return np.ascontiguousarray(drawn[:, :, 1])


PICTURES = {
    "close-up": lambda: page(["7"], (300, 260), 190),
    "below the coarse size": lambda: page(["407"], (90, 120), 30),
    "one pixel": lambda: np.full((1, 1), 7, np.uint8),
    "narrow": lambda: page(["365"], (60, 200), 40)[:, :40],
    "middle": lambda: page(["407", "82"], (300, 400), 40),
    "long": lambda: page(["40782365"], (120, 900), 30),
    "high": lambda: np.ascontiguousarray(page(["40782365"], (120, 900), 30).T),
    "fine": lambda: page(["1234567890", "407", "82"], (700, 800), 14),
    "pieces": lambda: page(["1234567890"], (420, 1700), 9),
    "empty and large": lambda: np.full((1560, 1500), 200, np.uint8),
    "texture": lambda: np.random.default_rng(3).integers(0, 256, (300, 500), np.uint8),
    "part of a picture": lambda: page(["407", "82"], (300, 400), 40)[5:, 3:-9],
}


@pytest.mark.parametrize("name", PICTURES)
def test_boxes_are_the_same(detector, detect, name):
    gray = PICTURES[name]()
    boxes, scores = detector.detect(gray)
    found, found_scores = detect(gray)
    np.testing.assert_array_equal(found, boxes)
    np.testing.assert_array_equal(found_scores, scores)


@pytest.mark.parametrize("name", ["close-up", "narrow", "middle", "texture"])
def test_boxes_in_a_border_are_those_of_a_picture_that_has_one(detector, detect, name):
    gray = PICTURES[name]()
    boxes, scores = detector.detect(np.pad(gray, 77, constant_values=180))
    found, found_scores = detect(gray, border=77, level=180)
    np.testing.assert_array_equal(found, boxes)
    np.testing.assert_array_equal(found_scores, scores)


def test_of_more_than_the_capacity_the_best_are_given(detector, detect):
    gray = PICTURES["middle"]()
    boxes, _ = detector.detect(gray)
    np.testing.assert_array_equal(detect(gray, capacity=2)[0], boxes[:2])


def test_an_empty_picture_in_a_border_is_not_seen_at_twice_the_size(detector, detect):
    gray = np.full((1060, 2100), 200, np.uint8)
    gray[5:9, 5:9] = 0
    np.testing.assert_array_equal(detect(gray, thorough=False)[0], detector.detect(gray, thorough=False)[0])


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.6, 0.9])
def test_too_little_memory_is_an_error(c_library, detect, share):
    gray = PICTURES["middle"]()
    assert detect(gray, size=int(share * c_library.dg_detect_bytes(400, 300, MAX_DETECTIONS) * 0.9)) == MEMORY
