import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.pages import MEDIA, Style, draw_page, paste_page, random_style
from digitocr.train.synthesis.strokes import Hand, draw_digit, random_hand

EXAMPLES = Path(__file__).parents[3] / "examples"
PLAIN = Style(digit_height=60, light=0, grain=0, mottle=0, blur=0, noise=0, jpeg=None, medium="felt", ink=(10, 10, 10))


def example_drawer():
    spec = importlib.util.spec_from_file_location("examples_draw", EXAMPLES / "draw.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rng(seed=0):
    return np.random.default_rng(seed)


def outside(boxes, shape, border=0):
    """(H, W) bool: the pixels further than `border` from every box."""
    free = np.ones(shape, bool)
    for x, y, w, h in boxes:
        free[max(0, y - border) : y + h + border, max(0, x - border) : x + w + border] = False
    return free


def test_the_same_seed_draws_the_same_page():
    def page(seed):
        numbers = rng(seed)
        return draw_page(["31", "4159"], numbers, random_style(numbers, (160, 120)))

    one, again, other = page(3), page(3), page(4)
    np.testing.assert_array_equal(one.image, again.image)
    np.testing.assert_array_equal(one.boxes, again.boxes)
    assert (one.image != other.image).any()


def test_text_digits_and_boxes_go_together():
    page = draw_page(["40 7", "12"], rng(), PLAIN)
    assert page.text == "407\n12"
    assert page.digits.tolist() == [4, 0, 7, 1, 2]
    assert page.boxes.shape == (5, 4)
    assert page.image.shape == (512, 512, 3)
    assert page.image.dtype == np.uint8
    x, y, _, h = page.boxes.T
    assert (np.diff(x[:3]) > 0).all()
    assert x[4] > x[3]
    assert (y[3:] > (y + h)[:3].max()).all()  # the second line is below the first
    assert x[2] - x[1] > 1.3 * (x[1] - x[0])  # the space


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(0, 2**32), st.lists(st.from_regex(r"[0-9]( ?[0-9]){0,6}", fullmatch=True), min_size=1, max_size=3))
def test_any_lines_of_digits_stand_within_any_page(seed, lines):
    numbers = rng(seed)
    page = draw_page(lines, numbers, random_style(numbers, (160, 120)))
    assert page.text == "\n".join(line.replace(" ", "") for line in lines)
    assert page.digits.tolist() == [int(digit) for digit in page.text.replace("\n", "")]
    assert page.boxes.shape == (len(page.digits), 4)
    assert (page.boxes[:, 2:] > 0).all()
    assert (page.boxes[:, :2] >= 0).all()
    assert (page.boxes[:, :2] + page.boxes[:, 2:] <= (160, 120)).all()
    assert page.ink[outside(page.boxes, page.ink.shape)].max(initial=0) == 0


def test_the_page_of_a_seed_stays_the_same():
    numbers = rng(2)
    page = draw_page(["40", "7"], numbers, random_style(numbers, (200, 150)))
    np.testing.assert_allclose(page.boxes, [[93, 33, 19, 40], [121, 29, 25, 41], [106, 93, 21, 42]], atol=1)
    assert page.image.mean() == pytest.approx(201.1, abs=0.5)  # libraries round and blur a little differently


@pytest.mark.parametrize("lines", [[], [""], ["12", " "], ["1a"], ["٣"], ["1.5"]])
def test_lines_without_digits_or_with_anything_else_are_refused(lines):
    with pytest.raises(ValueError, match="digits 0 to 9"):
        draw_page(lines, rng(), PLAIN)


@pytest.mark.parametrize("seed", range(6))
def test_boxes_fit_the_ink_through_perspective(seed):
    numbers = rng(seed)
    hand = random_hand(numbers)
    style = replace(PLAIN, hand=hand, angle=12 * (seed - 3), perspective=0.12 * seed, facing=60 * seed, size=(480, 360))
    page = draw_page(["8062", "4571", "39"], numbers, style)
    x, y, w, h = page.boxes.T
    assert x.min() >= 0
    assert y.min() >= 0
    assert (x + w).max() <= 480
    assert (y + h).max() <= 360
    # nothing is drawn outside of the boxes ...
    assert page.ink[outside(page.boxes, page.ink.shape)].max() == 0
    paper = np.array(style.paper)
    ground = page.image[outside(page.boxes, page.ink.shape, border=2)].astype(int)
    # (paper comes with a tint of its own)
    assert np.abs(ground / ground.mean(axis=0) - 1).max() < 0.03
    assert np.abs(ground.mean(axis=0) - paper).max() < 20
    # ... and each box is filled to its four sides
    for left, top, width, height in page.boxes:
        spot = page.ink[top : top + height, left : left + width] > 40
        assert spot[0].any()
        assert spot[-1].any()
        assert spot[:, 0].any()
        assert spot[:, -1].any()


def test_digits_do_not_touch():
    for seed in range(20):
        numbers = rng(seed)
        style = replace(random_style(numbers, (640, 480)), medium="felt", gap=0.25, stroke=0.08)
        page = draw_page(["0123456789"], numbers, style)
        count, _, parts, _ = cv2.connectedComponentsWithStats((page.ink > 40).astype(np.uint8))
        assert count > 10
        for x, y, w, h, _ in parts[1:]:  # two digits that touch are one part, which fits no box
            left, top, width, height = page.boxes.T
            assert ((left <= x) & (top <= y) & (left + width >= x + w) & (top + height >= y + h)).any()


def test_writing_is_made_smaller_where_it_would_not_fit():
    page = draw_page(["0123456789" * 2] * 3, rng(), replace(PLAIN, size=(300, 200), digit_height=150))
    x, y, w, h = page.boxes.T
    assert len(page.boxes) == 60
    assert x.min() >= 0
    assert (x + w).max() <= 300
    assert h.max() < 40
    assert y.min() >= 0


@pytest.mark.parametrize("light_on_dark", [False, True])
def test_polarity_is_what_was_asked_for(light_on_dark):
    for seed in range(12):
        numbers = rng(seed)
        style = replace(random_style(numbers, (200, 150), light_on_dark=light_on_dark), shadow=0, desk=None)
        assert style.light_on_dark == light_on_dark
        page = draw_page(["508"], numbers, style)
        grey = cv2.cvtColor(page.image, cv2.COLOR_RGB2GRAY)
        ink, paper = np.median(grey[page.ink > 200]), np.median(grey[page.ink == 0])
        assert (ink > paper) == light_on_dark
        assert abs(ink - paper) > 15


@pytest.mark.parametrize("medium", MEDIA)
def test_every_medium_leaves_ink(medium):
    paper = (40, 50, 45) if medium == "chalk" else (230, 230, 225)
    style = replace(PLAIN, medium=medium, ink=MEDIA[medium].inks[0], paper=paper, digit_height=120)
    page = draw_page(["25"], rng(), style)
    grey = cv2.cvtColor(page.image, cv2.COLOR_RGB2GRAY).astype(int)
    assert abs(np.mean(grey[page.ink > 200]) - np.mean(grey[page.ink == 0])) > 50


def test_light_falls_off_shadow_darkens_and_the_desk_shows():
    plain = draw_page(["7"], rng(), PLAIN)
    uneven = draw_page(["7"], rng(), replace(PLAIN, light=0.5))
    shaded = draw_page(["7"], rng(), replace(PLAIN, shadow=0.5))
    desk = draw_page(["7"], rng(), replace(PLAIN, desk=(90, 60, 40)))
    spread = [float(np.ptp(page.image[page.ink == 0].mean(axis=1))) for page in (plain, uneven, shaded)]
    assert spread[0] < 10
    assert spread[1] > 60
    assert spread[2] > 60
    assert np.abs(desk.image[3, 3].astype(int) - (90, 60, 40)).max() < 25
    x, y, _, h = desk.boxes[0]
    assert np.abs(desk.image[y + h + 4, x].astype(int) - PLAIN.paper).max() < 25


def test_paste_page_keeps_the_digits():
    digits = [cv2.resize(draw_digit(d % 10, Hand(), rng(d)), (20, 20), interpolation=cv2.INTER_AREA) for d in range(7)]
    images = np.zeros((7, 28, 28), np.uint8)
    images[:, 4:24, 4:24] = np.rint(np.array(digits) * 255)
    page = paste_page(images, np.arange(7, dtype=np.uint8), columns=3, scale=4, rng=rng())
    assert page.text == "012\n345\n6"
    assert len(page.boxes) == 7
    assert page.ink[outside(page.boxes, page.ink.shape, border=2)].max() <= 48
    # three to a line, and apart
    assert (np.diff(page.boxes[:3, 0]) >= 20 * 4).all()
    assert page.boxes[3, 1] - (page.boxes[0, 1] + page.boxes[0, 3]) > 40
    # dark on light, and what was pasted can be had back
    grey = cv2.cvtColor(page.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    paper, dark = np.median(grey[page.ink == 0]), np.median(grey[page.ink == 255])
    assert dark < paper - 150
    x, y, w, h = page.boxes[4]
    back = np.clip((paper - grey[y : y + h, x : x + w]) / (paper - dark), 0, 1)
    back = cv2.resize(back, (round(w / 4), round(h / 4)), interpolation=cv2.INTER_AREA)
    rows, columns = np.nonzero(images[4] > 48)
    first = images[4, rows.min() : rows.min() + back.shape[0], columns.min() : columns.min() + back.shape[1]] / 255
    assert np.abs(back - first).mean() < 0.06


def test_labels_fit_the_examples():
    labels = json.loads((EXAMPLES / "labels.json").read_text(encoding="utf-8"))
    pictures = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".jpg", ".png")}
    assert {label["file"] for label in labels} == pictures
    assert len(pictures) >= 6
    for label in labels:
        assert set(label) == {"file", "text", "kind", "ink", "notes", "source", "licence"}
        assert "".join(label["text"].split()).isdecimal()
        assert label["ink"] in ("dark-on-light", "light-on-dark")
        assert (EXAMPLES / label["file"]).stat().st_size < 250_000
    assert any(label["ink"] == "light-on-dark" for label in labels)


def test_the_examples_are_what_the_script_draws(tmp_path):
    example_drawer().write(tmp_path)
    assert (tmp_path / "labels.json").read_text() == (EXAMPLES / "labels.json").read_text()
    for path in sorted(tmp_path.glob("*.[jp][pn]g")):
        drawn, kept = Image.open(path), Image.open(EXAMPLES / path.name)
        assert drawn.mode == kept.mode
        assert drawn.getexif().get(0x0112) == kept.getexif().get(0x0112)
        difference = np.abs(np.asarray(drawn, np.int16) - np.asarray(kept, np.int16))
        assert difference.mean() < 1.5, (
            path.name
        )  # other versions of the libraries round and compress a little differently


def test_an_example_lies_on_its_side_and_one_is_transparent():
    sideways = Image.open(EXAMPLES / "sideways.jpg")
    assert sideways.getexif()[0x0112] == 6
    assert sideways.width > sideways.height
    upright = ImageOps.exif_transpose(sideways)
    assert upright.height > upright.width
    transparent = Image.open(EXAMPLES / "transparent.png")
    assert transparent.mode == "RGBA"
    assert transparent.getchannel("A").getextrema() == (0, 255)
