import numpy as np
import pytest

from digitocr import Reader
from digitocr.runtime.live.changes import scene
from digitocr.runtime.live.following import LATE, MOVING, SOON, STAYS, Follower, motion
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reading import Box, Digit, Line, Number, Reading
from digitocr.train.synthesis.pages import Style, draw_page


class Counting(Reader):
    """A reader that counts how often it seeks."""

    sought = 0

    def read(self, picture):
        self.sought += 1
        return super().read(picture)


class Placed:
    """A reader that finds the digits of a text in given boxes, and remembers in which frames it was asked.

    Attributes:
        text: What it reads.
        same: The probability that its classifier gives to the digits of the text.
        other: The probability that it gives to a 9, which is not in the text.
        asked: The numbers of the frames in which digits were sought.
    """

    def __init__(self, text, boxes):
        self.text, self.same, self.other, self.asked, self.frame, self.classified = text, 1.0, 0.0, [], 0, 0
        self.boxes = [Box(*map(int, box)) for box in boxes]

    def read(self, _):
        self.asked.append(self.frame)
        digits = tuple(Digit(int(one), 0.9, box, ()) for one, box in zip(self.text, self.boxes, strict=False))
        return Reading((Line((Number(self.text, digits, 0.9),)),)) if self.text else Reading(())

    def classify(self, _, boxes):
        self.classified += 1
        probabilities = np.full((len(boxes), 10), self.same)
        probabilities[:, 9] = max(self.same, self.other)
        return probabilities


def watched(reader, frames):
    """The texts that a new follower reads in the frames."""
    follower, texts = Follower(reader), []
    for reader.frame, gray in enumerate(frames):
        texts.append(follower.read(gray).text)
    return texts


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


def test_digits_are_sought_ever_more_seldom_where_nothing_changes(display, noisy):
    gray, boxes = display("4071")
    reader = Placed("4071", boxes)
    assert set(watched(reader, (noisy(gray, seed) for seed in range(75)))) == {"4071"}
    assert reader.asked == [0, 3, 9, 21, 21 + LATE, 21 + 2 * LATE]
    assert reader.classified == 0


def test_digits_are_sought_soon_while_the_readings_differ(display):
    gray, boxes = display("4071")

    class Unsure(Placed):
        def read(self, picture):
            self.text = "4071" if len(self.asked) % 2 else "4077"
            return super().read(picture)

    reader = Unsure("4071", boxes)
    watched(reader, [gray] * 12)
    assert reader.asked == [0, 3, 6, 9]


@pytest.mark.parametrize(("before", "after"), [("8", "6"), ("8", "0"), ("1", "7")])
def test_a_small_digit_that_changes_by_one_segment_is_sought_in_that_frame(display, noisy, before, after):
    first, boxes = display("4" + before)
    second, _ = display("4" + after)
    reader = Placed("4" + before, boxes)
    reader.same = 0.0
    watched(reader, [noisy(first if seed < 30 else second, seed) for seed in range(40)])
    assert reader.asked[:5] == [0, 3, 9, 21, 30]
    assert len(reader.asked) <= 6  # once more where it has come to rest


@pytest.mark.parametrize("how", ["turns", "fades"])
def test_a_slow_change_is_noticed_also_if_the_classifier_sees_none(display, noisy, how):
    (was, boxes), (now, _) = display("48", height=40), display("43" if how == "turns" else "4", height=40)
    for frames, within in ((20, 12), (120, LATE)):
        reader = Placed("48", boxes)
        parts = [min(1.0, max(0, step - 21) / frames) for step in range(70)]
        watched(reader, [noisy(was + (now.astype(float) - was) * part, step, 4) for step, part in enumerate(parts)])
        assert reader.asked[:4] == [0, 3, 9, 21]
        assert reader.asked[4] <= 21 + within
        assert reader.asked[5] <= reader.asked[4] + LATE


def test_the_whole_picture_in_another_light_is_followed(display, noisy):
    gray, boxes = display("4071")
    reader = Placed("4071", boxes)
    watched(reader, [noisy(np.uint8(gray * (1 - 0.003 * step)), step, 3) for step in range(30)])
    assert reader.asked == [0, 3, 9, 21]


def test_a_number_that_comes_beside_others_is_noticed_at_once(display, noisy):
    gray, boxes = display("4071", height=40)
    reader = Placed("4071", boxes)
    both = gray.copy()
    both[180:, :] = display("714")[0][:180]
    watched(reader, [noisy(gray if step < 30 else both, step, 3) for step in range(36)])
    assert reader.asked[:5] == [0, 3, 9, 21, 30]
    assert len(reader.asked) <= 6  # once more where it has come to rest


@pytest.mark.parametrize(("digit", "ink"), [("1", 40), ("7", 40), ("1", 90)])
def test_a_small_digit_that_comes_alone_beside_others_is_noticed_when_it_has_stayed(display, noisy, digit, ink):
    gray, boxes = display("4071", height=40)
    reader = Placed("4071", boxes)
    both = gray.copy()
    both[180:] = display(digit, ink=ink)[0][:180]
    watched(reader, [noisy(gray if step < 22 else both, step, 3) for step in range(40)])
    assert reader.asked[:4] == [0, 3, 9, 21]
    assert reader.asked[4] <= 21 + STAYS
    assert len(reader.asked) == 5


def passing(gray, step, level=150):
    """The frame with something as broad as two digits, which comes from below and moves up over it."""
    covered = gray.copy()
    covered[max(0, 360 - 12 * step) : max(0, 360 - 12 * step + 300), 100:180] = level
    return covered


def test_what_something_moves_over_cannot_be_told_and_is_there_again_behind_it(display, noisy):
    gray, boxes = display("4071", height=60, at=(40, 120))
    reader = Placed("4071", boxes)
    reader.same = 0.0
    texts = watched(reader, [noisy(gray, seed, 3) for seed in range(24)] + [passing(gray, step) for step in range(60)])
    assert texts[:24] == ["4071"] * 24
    hidden = [text for text in texts[24:] if text != "4071"]
    assert hidden
    assert set(hidden) <= {"4?71", "40?1", "4??1"}
    assert texts[-1] == "4071"
    assert max(after - before for before, after in zip(reader.asked[3:], reader.asked[4:], strict=False)) <= MOVING
    assert len([frame for frame in reader.asked if frame >= 24]) <= 60 / SOON


def test_a_digit_that_is_surely_another_one_is_sought_also_if_something_moves_over_it(display, noisy):
    gray, boxes = display("4071", height=60, at=(40, 120))
    frames = [noisy(gray, seed, 3) for seed in range(24)] + [passing(gray, step) for step in range(30)]
    asked = []
    for other in (0.0, 1.0):
        reader = Placed("4071", boxes)
        reader.same, reader.other = 0.0, other
        watched(reader, frames)
        asked.append(len(reader.asked))
    assert asked[0] < asked[1]


def test_what_moved_in_frames_of_another_size_covers_no_digit(display):
    gray, boxes = display("4071", height=60, at=(40, 120))
    reader = Placed("4071", boxes)
    reader.same = 0.0
    larger = np.pad(gray, ((0, 1), (0, 1)), "edge")  # which is reduced to the same size
    texts = watched(reader, [gray, passing(gray, 18), passing(gray, 19), larger, passing(larger, 20)])
    assert "?" in texts[2]
    assert texts[3:] == ["4071", "4071"]
    assert reader.asked[-2:] == [3, 4]


@pytest.mark.parametrize(("x", "y"), [(0, 0), (3, -2), (12, 8)])
def test_boxes_follow_the_motion(reader, page, x, y):
    follower = Follower(reader)
    before, after = follower.read(page), follower.read(shifted(page, x, y))
    assert (after.text, reader.sought) == ("407", 1)
    assert [digit.confidence for digit in after.digits] == [digit.confidence for digit in before.digits]
    for old, new in zip(before.digits, after.digits, strict=True):
        assert abs(new.box.x - old.box.x - x) <= 2
        assert abs(new.box.y - old.box.y - y) <= 2
        assert (new.box.w, new.box.h) == (old.box.w, old.box.h)


def test_a_digit_that_is_gone_is_sought_at_once(reader, page):
    last = Reader(rotate=0).read(page).digits[-1].box
    erased = page.copy()
    erased[last.y - 5 : last.y + last.h + 5, last.x - 5 : last.x + last.w + 5] = page[5, 5]
    follower = Follower(reader)
    follower.read(page)
    assert [(follower.read(erased).text, reader.sought) for _ in range(4)] == [("40", 2)] + [("40", 3)] * 3


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
def test_motion_is_measured_in_pixels_of_the_reduced_frame(page, x, y):
    points = np.float32([[240, 180]])
    before, after = scene(page).small, scene(shifted(page, x, y)).small
    none = np.zeros_like(points)
    assert np.abs(motion(before, after, points, none) - (x, y)).max() < 1


def test_motion_that_cannot_be_measured_is_the_guess():
    blank, guess = np.full((100, 100), 128, np.uint8), np.float32([[1, 2], [3, 4]])
    assert motion(blank, blank, np.float32([[50, 50], [-300, 200]]), guess).tolist() == guess.tolist()
