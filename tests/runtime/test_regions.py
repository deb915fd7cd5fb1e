import numpy as np
import pytest

from digitocr.runtime import image, regions
from digitocr.runtime.opencv import cv2
from digitocr.train.scenes import Style, draw_page, random_style
from digitocr.train.strokes import random_hand


def overlap(one, other):
    """Intersection over union of two boxes (x, y, w, h)."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    both = max(0, across) * max(0, down)
    return both / (one[2] * one[3] + other[2] * other[3] - both)


def found(picture):
    lines = regions.find(image.load(picture))
    return [[(r.box.x, r.box.y, r.box.w, r.box.h) for r in line] for line in lines]


@pytest.mark.parametrize("light_on_dark", [False, True])
def test_drawn_digits_are_found_in_lines_in_reading_order(light_on_dark):
    right = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        scene = draw_page(["407", "1293"], rng, random_style(rng, (640, 480), light_on_dark=light_on_dark))
        lines = found(scene.image)
        if [len(line) for line in lines] == [3, 4]:
            boxes = [box for line in lines for box in line]
            right += all(overlap(box, truth) > 0.5 for box, truth in zip(boxes, scene.boxes.tolist(), strict=True))
    assert right >= 17  # what is missing touches, or lies in a shadow's edge


@pytest.mark.parametrize("size", [(200, 300), (1200, 1600)])
def test_a_digit_alone_is_found_at_any_size(size):
    height, width = size
    paper = np.full(size, 230, np.uint8)
    cv2.ellipse(paper, (width // 2, height // 2), (height // 5, height // 3), 0, 0, 360, 40, height // 20)
    ((box,),) = found(paper)
    middle = (width / 2 - height / 5, height / 2 - height / 3, height / 2.5, height / 1.5)
    assert overlap(box, middle) > 0.7


def test_boxes_are_whole_pixels_within_the_picture():
    rng = np.random.default_rng(3)
    scene = draw_page(["52"], rng, random_style(rng, (2000, 700), light_on_dark=False))
    height, width = scene.image.shape[:2]
    for x, y, w, h in (box for line in found(scene.image) for box in line):
        assert all(isinstance(side, int) for side in (x, y, w, h))
        assert x >= 0
        assert y >= 0
        assert w > 0
        assert h > 0
        assert x + w <= width
        assert y + h <= height


def test_the_flag_of_a_five_written_apart_belongs_to_it():
    paper = np.full((200, 300), 235, np.uint8)
    cv2.ellipse(paper, (140, 110), (25, 30), 0, -100, 140, 30, 7)
    cv2.line(paper, (122, 55), (122, 85), 30, 7)
    cv2.line(paper, (132, 50), (170, 50), 30, 7)
    assert sum(map(len, found(paper))) == 1


def test_nothing_is_found_on_blank_paper_and_in_texture():
    dots = np.where((np.indices((900, 1200)) // 8 % 2).all(axis=0), 255, 0).astype(np.uint8)
    plain = np.full((300, 400), 200, np.uint8)
    ramp = np.linspace(60, 220, 400).astype(np.uint8)[None].repeat(300, 0)
    for picture in (dots, plain, ramp):
        assert found(picture) == []


def test_a_long_line_is_no_digit():
    style = Style(
        digit_height=60,
        light=0,
        grain=0,
        mottle=0,
        blur=0,
        noise=0,
        jpeg=None,
        hand=random_hand(np.random.default_rng(1)),
    )
    picture = draw_page(["83"], np.random.default_rng(1), style).image.copy()
    picture[480:484, 20:500] = 40
    assert [len(line) for line in found(picture)] == [2]


@pytest.mark.parametrize("size", [(60, 40), (200, 300), (1000, 1400)])
@pytest.mark.parametrize("strength", [2, 5, 15, 40])
def test_grain_alone_is_no_ink(strength, size):
    rng = np.random.default_rng(strength)
    for level in (60, 128, 200):
        assert found(np.clip(rng.normal(level, strength, size), 0, 255).astype(np.uint8)) == []


@pytest.mark.parametrize("shape", [(5, 5000), (5000, 5), (5, 5), (2000, 7)])
def test_the_narrowest_pictures_hold_nothing(shape):
    assert regions.find(np.random.default_rng(0).integers(0, 256, shape, np.uint8)) == []


def test_faint_ink_is_found_and_fainter_ink_is_not():
    for rise, count in ((60, 3), (25, 3), (10, 0)):
        paper = np.full((120, 240), 220, np.uint8)
        for x in (40, 110, 180):
            cv2.ellipse(paper, (x, 60), (14, 26), 0, 0, 360, 220 - rise, 6)
        assert sum(map(len, found(paper))) == count


def test_the_usual_height_is_the_upper_quartile():
    rng = np.random.default_rng(0)
    for count in (1, 2, 3, 4, 5, 8, 29):
        heights = rng.integers(1, 90, count).tolist()
        parts = [regions._Part([0], 0, 0, 5, height) for height in heights]
        assert regions._usual_height(parts) == pytest.approx(np.quantile(heights, 0.75))
