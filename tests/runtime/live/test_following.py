import numpy as np
import pytest

from digitocr import Reader
from digitocr.runtime.background import shrunk
from digitocr.runtime.live.following import FLOW_SIDE, MAX_FOLLOWED, Follower, motion
from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.pages import Style, draw_page


class Counting(Reader):
    """A reader that counts how often it seeks."""

    sought = 0

    def read(self, picture):
        self.sought += 1
        return super().read(picture)


@pytest.fixture(scope="module")
def counting():
    return Counting(rotate=0)


@pytest.fixture
def reader(counting):
    counting.sought = 0
    return counting


@pytest.fixture(scope="module")
def page():
    """(360, 480) uint8: 407 on paper."""
    drawn = draw_page(["407"], np.random.default_rng(5), Style((480, 360), digit_height=90))
    return cv2.cvtColor(drawn.image, cv2.COLOR_RGB2GRAY)


def shifted(gray, x, y):
    return cv2.warpAffine(gray, np.float32([[1, 0, x], [0, 1, y]]), gray.shape[::-1], borderMode=cv2.BORDER_REPLICATE)


def test_digits_are_sought_in_every_third_frame_where_nothing_changes(reader, page):
    follower = Follower(reader)
    readings = [follower.read(page) for _ in range(7)]
    assert {reading.text for reading in readings} == {"407"}
    assert (reader.sought, 1 + MAX_FOLLOWED) == (3, 3)
    assert readings[1].ms.classify > 0
    assert [digit.confidence for digit in readings[1].digits] == [digit.confidence for digit in readings[0].digits]


@pytest.mark.parametrize(("x", "y"), [(0, 0), (3, -2), (12, 8)])
def test_boxes_follow_themotion(reader, page, x, y):
    follower = Follower(reader)
    before, after = follower.read(page), follower.read(shifted(page, x, y))
    assert (after.text, reader.sought) == ("407", 1)
    for old, new in zip(before.digits, after.digits, strict=True):
        assert abs(new.box.x - old.box.x - x) <= 2
        assert abs(new.box.y - old.box.y - y) <= 2
        assert (new.box.w, new.box.h) == (old.box.w, old.box.h)


def test_a_digit_that_is_gone_or_another_one_makes_all_be_sought(reader, page):
    last = Reader(rotate=0).read(page).digits[-1].box
    erased = page.copy()
    erased[last.y - 5 : last.y + last.h + 5, last.x - 5 : last.x + last.w + 5] = page[5, 5]
    follower = Follower(reader)
    follower.read(page)
    assert [(follower.read(erased).text, reader.sought) for _ in range(4)] == [("40", 2)] * 3 + [("40", 3)]


def test_frames_without_digits_and_frames_of_another_size_are_sought(reader, page):
    follower = Follower(reader)
    blank = np.full_like(page, 200)
    assert [follower.read(gray).text for gray in (blank, blank, page)] == ["", "", "407"]
    assert (follower.read(np.ascontiguousarray(page[:300])).text, reader.sought) == ("407", 4)


def test_a_turned_picture_is_not_followed(page):
    reader = Counting(rotate=90)
    follower = Follower(reader)
    turned = np.ascontiguousarray(np.rot90(page))
    assert [follower.read(turned).text for _ in range(2)] == ["407", "407"]
    assert reader.sought == 2


@pytest.mark.parametrize(("x", "y"), [(0, 0), (5, -3), (-20, 12)])
def test_motion_is_measured_in_pixels_of_the_frame(page, x, y):
    box = Reader(rotate=0).read(page).digits[0].box
    points = np.float32([[box.x + box.w / 2, box.y + box.h / 2]])
    before, after = shrunk(page, FLOW_SIDE), shrunk(shifted(page, x, y), FLOW_SIDE)
    scale = max(before.shape) / max(page.shape)
    assert np.abs(motion(before, after, points, scale) - (x, y)).max() < 1


def test_motion_that_cannot_be_measured_is_zero():
    blank = np.full((100, 100), 128, np.uint8)
    assert motion(blank, blank, np.float32([[50, 50], [-30, 20]]), 1.0).tolist() == [[0, 0], [0, 0]]
