import io
import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from digitocr import Reader
from digitocr.runtime import image, tensor
from digitocr.runtime.errors import InputError, ModelError, UsageError
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reader import normalised
from digitocr.runtime.reading import Box
from digitocr.train.scenes import draw_page, random_style
from digitocr.train.strokes import draw_digit, random_hand


@pytest.fixture(scope="module")
def reader():
    return Reader()


def scene(lines, seed, size=(640, 480), **changes):
    rng = np.random.default_rng(seed)
    return draw_page(lines, rng, replace(random_style(rng, size), **changes))


def lone(digit, height, margin, seed=0, light_on_dark=False):
    """A drawn digit on plain paper, margin in digit heights: (H, W) uint8."""
    rng = np.random.default_rng(seed)
    ink = draw_digit(digit, random_hand(rng), rng, height=height, stroke=0.13)
    paper = np.pad(235 - 200 * np.asarray(ink), round(margin * height), constant_values=235)
    paper = np.clip(paper + rng.normal(0, 1, paper.shape), 0, 255).astype(np.uint8)
    return 255 - paper if light_on_dark else paper


@pytest.mark.parametrize(
    ("size", "lines"),
    [((640, 480), ["407", "1295"]), ((1100, 400), ["8316250"]), ((400, 900), ["1", "24", "365", "70"])],
)
def test_drawn_pages_are_read_line_by_line(reader, size, lines):
    right = sum(reader.read(scene(lines, seed, size).image).text == "\n".join(lines) for seed in range(15))
    assert right >= 11  # some hands' digits touch, some are misread


@pytest.mark.parametrize("light_on_dark", [False, True])
@pytest.mark.parametrize(("height", "margin"), [(30, 0.3), (64, 0.1), (200, 0.05), (200, 0.5), (900, 0.2)])
def test_a_digit_alone_is_read_at_any_size_on_either_ground(reader, height, margin, light_on_dark):
    texts = [reader.read(lone(digit, height, margin, digit, light_on_dark)).text for digit in range(10)]
    assert sum(text == str(digit) for digit, text in enumerate(texts)) >= 9


def test_all_forms_of_a_picture_give_the_same_digits(reader, tmp_path):
    page = scene(["1785", "39"], 2).image
    file = io.BytesIO()
    Image.fromarray(page).save(file, "PNG")
    path = tmp_path / "page.png"
    path.write_bytes(file.getvalue())
    readings = [reader.read(p) for p in (page, file.getvalue(), path, str(path), Image.fromarray(page))]
    assert readings[0].text == "1785\n39"
    assert {reading.text for reading in readings} == {"1785\n39"}
    boxes = [[digit.box for digit in reading.digits] for reading in readings]
    assert boxes[1:4] == boxes[2:5]  # decoded by Pillow; OpenCV's grey may differ by a level
    for one, other in zip(boxes[0], boxes[1], strict=True):
        assert max(abs(one.x - other.x), abs(one.y - other.y), abs(one.w - other.w), abs(one.h - other.h)) <= 1


def test_a_reading_says_what_was_read_how_long_it_took_and_with_what(reader):
    reading = reader.read(scene(["52"], 1).image)
    assert reading.text == "52"
    for digit in reading.digits:
        assert digit.topk[0] == (digit.digit, digit.confidence)
        assert len(digit.topk) == 3
        assert [p for _, p in digit.topk] == sorted((p for _, p in digit.topk), reverse=True)
    assert list(reading.ms) == ["decode", "find", "classify"]
    assert all(spent >= 0 for spent in reading.ms.values())
    assert reading.model == {"name": "digitocr-int8", "sha256": reader.classifier.sha256}


def test_boxes_are_in_the_pixels_of_the_picture_as_shown(reader):
    page = scene(["374"], 5, (500, 300)).image
    upright = reader.read(page)
    assert upright.text == "374"
    stored = Image.fromarray(page).transpose(Image.Transpose.ROTATE_90)
    exif = stored.getexif()
    exif[0x0112] = 6  # to be turned clockwise to be seen
    file = io.BytesIO()
    stored.save(file, "JPEG", quality=95, exif=exif)
    turned = reader.read(file.getvalue())
    assert turned.text == "374"
    for one, other in zip(upright.digits, turned.digits, strict=True):
        assert max(abs(one.box.x - other.box.x), abs(one.box.y - other.box.y)) <= 2


def blanks():
    rng = np.random.default_rng(0)
    fall = np.linspace(90, 230, 600)[None] + np.zeros((400, 1))
    yield "28x28", np.full((28, 28), 200, np.uint8)
    yield "flat", np.full((300, 500), 127, np.uint8)
    yield "black", np.zeros((40, 60), np.uint8)
    yield "white", np.full((1500, 900), 255, np.uint8)
    yield "light that falls off", fall.astype(np.uint8)
    for name, noise in (("grain", 3), ("strong grain", 10)):
        yield name, np.clip(fall + rng.normal(0, noise, fall.shape), 0, 255).astype(np.uint8)
    yield "16 bit grain", rng.normal(50_000, 300, (300, 400)).astype(np.uint16)
    yield "transparent", np.zeros((200, 100, 4), np.uint8)
    yield "narrow", np.full((5, 5000), 200, np.uint8)


@pytest.mark.parametrize("picture", [pytest.param(picture, id=name) for name, picture in blanks()])
def test_blank_pictures_are_read_as_empty(reader, picture):
    reading = reader.read(picture)
    assert (reading.text, reading.lines, reading.confidence) == ("", (), 0.0)


def test_photographed_blank_paper_is_read_as_empty(reader):
    texts = []
    for seed in range(12):
        style = random_style(np.random.default_rng(seed), (500, 400))
        texts.append(reader.read(scene(["1"], seed, (500, 400), ink=style.paper, desk=None, shadow=0.0).image).text)
    assert sum(text == "" for text in texts) >= 11


def test_a_28x28_crop_is_taken_for_a_digit_of_mnist_s_form(reader):
    crop = np.zeros((28, 28), np.uint8)
    cv2.line(crop, (14, 4), (14, 23), 255, 3)
    boxes, tensors = normalised(crop)
    assert boxes == [[Box(0, 0, 28, 28)]]
    np.testing.assert_array_equal(tensors, tensor.scale(crop[None]))
    for picture in (crop, 255 - crop, crop / 255, crop > 0):
        reading = reader.read(picture)
        assert reading.text == "1"
        assert reading.digits[0].box == Box(0, 0, 28, 28)
    (probabilities,) = reader.classifier.predict(tensors)
    assert reader.read(crop).digits[0].confidence == probabilities[1]


def test_conf_leaves_out_digits_below_it_and_lines_that_are_left_empty():
    page = scene(["407", "1295"], 6).image
    everything = Reader(conf=0).read(page)
    assert len(everything.lines) == 2
    sure = sorted(digit.confidence for digit in everything.digits)
    strict = Reader(conf=sure[len(sure) // 2]).read(page)
    assert strict.digits == tuple(digit for digit in everything.digits if digit.confidence >= sure[len(sure) // 2])
    assert Reader(conf=1.0).read(image.load(lone(8, 64, 0.5))[:20]).lines == ()


@pytest.mark.parametrize(
    "settings",
    [{"threads": 0}, {"threads": -1}, {"threads": 10**9}, {"conf": -0.1}, {"conf": 1.1}, {"conf": math.nan}],
)
def test_senseless_settings_are_usage_errors(settings):
    with pytest.raises(UsageError) as caught:
        Reader(**settings)
    assert "\n" not in str(caught.value)


def test_threads_change_nothing_but_the_time(reader):
    page = scene(["1785", "39"], 2).image
    assert Reader(threads=2).read(page).lines == reader.read(page).lines


def test_a_model_may_be_named_as_text_or_as_a_path(tmp_path):
    for model in (str(tmp_path / "none.onnx"), tmp_path / "none.onnx"):
        with pytest.raises(ModelError, match=r"none\.onnx"):
            Reader(model)


def test_a_reader_goes_on_after_a_picture_that_cannot_be_read(reader, tmp_path):
    page = scene(["52"], 1).image
    before = reader.read(page)
    for bad in (b"no picture", tmp_path, tmp_path / "none.png", np.full((20, 20), np.nan), None):
        with pytest.raises(InputError):
            reader.read(bad)
    assert reader.read(page).lines == before.lines
