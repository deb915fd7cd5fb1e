import io
import math
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

from digitocr import Reader
from digitocr.runtime import preprocessing
from digitocr.runtime import reader as module
from digitocr.runtime.background import evened
from digitocr.runtime.confidence import CHARACTER_FEATURES, ConfidenceModel, load_confidence
from digitocr.runtime.errors import InputError, ModelError, UsageError
from digitocr.runtime.models import network_id, shipped_model
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reading import Box
from digitocr.runtime.recognizer import CLASS_COUNT, COLUMN, GAP
from digitocr.train.synthesis.pages import draw_page, random_style
from digitocr.train.synthesis.strokes import draw_digit, random_hand


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


def printed(text, size=28, paper=(640, 400)):
    """Dark text of matplotlib's DejaVu Sans on light paper."""
    font = ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)
    page = Image.new("L", paper, 235)
    ImageDraw.Draw(page).multiline_text((40, 60), text, 30, font, spacing=size // 2)
    return np.asarray(page)


@pytest.mark.parametrize(
    ("size", "lines"),
    [((640, 480), ["407", "1295"]), ((1100, 400), ["8316250"]), ((400, 900), ["1", "24", "365", "70"])],
)
def test_drawn_pages_are_read_line_by_line(reader, size, lines):
    right = sum(reader.read(scene(lines, seed, size).image).text == "\n".join(lines) for seed in range(12))
    assert right >= 10  # some hands' digits touch, some are misread


@pytest.mark.parametrize("light_on_dark", [False, True])
@pytest.mark.parametrize(("height", "margin"), [(30, 0.3), (64, 0.1), (200, 0.05), (200, 0.5), (900, 0.2)])
def test_a_digit_alone_is_read_at_any_size_on_either_ground(reader, height, margin, light_on_dark):
    texts = [reader.read(lone(digit, height, margin, digit, light_on_dark)).text for digit in range(10)]
    assert sum(text == str(digit) for digit, text in enumerate(texts)) >= 9


def cut_out(text, size, light_on_dark):
    """A number in the shipped font of Pillow, cut out along its ink."""
    drawn = Image.new("L", (size * len(text), 2 * size), 230)
    ImageDraw.Draw(drawn).text((size // 4, size // 4), text, 30, ImageFont.load_default(size=size))
    ys, xs = np.nonzero(np.asarray(drawn) < 128)
    gray = np.asarray(drawn)[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    return 255 - gray if light_on_dark else gray


@pytest.mark.parametrize("light_on_dark", [False, True])
@pytest.mark.parametrize(("text", "size"), [("6", 40), ("7", 150), ("4", 25), ("3072", 60), ("58", 100), ("90412", 30)])
def test_numbers_cut_out_without_a_margin_are_read_where_they_are(reader, text, size, light_on_dark):
    gray = cut_out(text, size, light_on_dark)
    reading = reader.read(gray)
    assert reading.text == text
    assert max(abs(digit.box.y) for digit in reading.digits) <= 0.1 * gray.shape[0]
    assert abs(reading.digits[0].box.x) <= 0.1 * gray.shape[0]
    last = reading.digits[-1].box
    assert abs(last.x + last.w - gray.shape[1]) <= 0.1 * gray.shape[0]


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
        assert digit.topk[0][0] == digit.digit
        assert 0.5 <= digit.confidence <= 1
        assert len(digit.topk) == 3
        assert [p for _, p in digit.topk] == sorted((p for _, p in digit.topk), reverse=True)
    assert reading.ms._fields == ("decode", "detect", "classify")
    assert all(spent >= 0 for spent in reading.ms)
    assert reading.model == ("digitocr-int8", reader.classifier.sha256)
    assert (reading.turned, reading.why) == (0, "")


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
    assert (reading.text, reading.lines, reading.confidence, reading.turned) == ("", (), 0.0, 0)
    assert reading.why
    assert "\n" not in reading.why


def test_photographed_blank_paper_is_read_as_empty(reader):
    texts = []
    for seed in range(12):
        style = random_style(np.random.default_rng(seed), (500, 400))
        texts.append(reader.read(scene(["1"], seed, (500, 400), ink=style.paper, desk=None, shadow=0.0).image).text)
    assert sum(text == "" for text in texts) >= 11


def test_a_28x28_crop_is_taken_for_a_digit_of_mnist_s_form(reader):
    crop = np.zeros((28, 28), np.uint8)
    cv2.line(crop, (14, 4), (14, 23), 255, 3)
    for picture in (crop, 255 - crop, crop / 255, crop > 0):
        reading = reader.read(picture)
        assert reading.text == "1"
        assert reading.digits[0].box == Box(0, 0, 28, 28)
    (probabilities,) = reader.classifier.predict(preprocessing.scale(crop[None]))
    assert reader.read(crop).digits[0].topk[0] == (1, pytest.approx(float(probabilities[1])))
    assert reader.read(crop).digits[0].confidence == load_confidence().of_lone(float(probabilities[1]))


def test_conf_leaves_out_lines_in_which_no_digit_is_left():
    page = scene(["407", "1295"], 6).image
    assert len(Reader(conf=0).read(page).lines) >= 2
    assert Reader(conf=1.0).read(page).lines == ()


@pytest.mark.parametrize(
    "settings",
    [
        {"threads": 0},
        {"threads": -1},
        {"threads": 10**9},
        {"conf": -0.1},
        {"conf": 1.1},
        {"conf": math.nan},
        {"mode": "word"},
        {"rotate": 45},
        {"rotate": -90},
        {"conf": "0.5"},
        {"conf": None},
        {"threads": 1.5},
        {"threads": "2"},
        {"rotate": "90"},
        {"rotate": None},
        {"providers": ["NoSuchProvider"]},
        {"providers": []},
        {"providers": "CPUExecutionProvider"},
    ],
)
def test_senseless_settings_are_usage_errors(settings):
    with pytest.raises(UsageError) as caught:
        Reader(**settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("roi", ["1,2,30,40", 5, (1, 2, 30), (1.0, 2, 30, 40), {"x": 1}, (1, 2, 30, 4)])
def test_a_part_of_the_wrong_kind_is_a_usage_error(reader, roi):
    for read in (reader.read, reader.inspect):
        with pytest.raises(UsageError, match=r"^the part "):
            read(np.full((60, 80), 200, np.uint8), roi=roi)


def test_a_part_may_come_in_any_sequence(reader):
    page = scene(["1785", "39"], 2).image
    whole = reader.read(page, roi=(0, 0, 200, 120))
    assert reader.read(page, roi=iter([0, 0, 200, 120])) == reader.read(page, roi=np.array([0, 0, 200, 120])) == whole


def test_threads_change_nothing_but_the_time(reader):
    page = scene(["1785", "39"], 2).image
    assert Reader(threads=2).read(page).lines == reader.read(page).lines


EXAMPLES = sorted(
    path for path in (Path(__file__).parents[2] / "examples").iterdir() if path.suffix in (".jpg", ".png")
)


HARD_PAGES = {
    **{
        f"page turned by {90 * turns}": lambda turns=turns: np.ascontiguousarray(
            np.rot90(scene(["40712", "8956"], turns, (500, 400)).image, turns)
        )
        for turns in range(4)
    },
    "print": lambda: printed("The keys O l I B S\n1234567890\nQWERTZUIOP", 22),
    "no digits": lambda: printed("The quick brown fox\njumps over the lazy dog\nand never comes back", 20),
}  # in which many digits are unsure


def is_rest_of(fewer, more):
    """Whether the lines are the other ones with places left out, digits told no more, and lines left out."""
    left = {digit.box for line in fewer for digit in line.digits}
    rest = [[digit for digit in line.digits if digit.box in left] for line in more]
    rest = [line for line in rest if line]
    return [[digit.box for digit in line.digits] for line in fewer] == [
        [digit.box for digit in line] for line in rest
    ] and all(
        one.digit in (other.digit, None) and one.confidence == other.confidence
        for line, others in zip(fewer, rest, strict=True)
        for one, other in zip(line.digits, others, strict=True)
    )


@pytest.mark.parametrize("name", [*(path.name for path in EXAMPLES), *HARD_PAGES])
def test_raising_conf_only_takes_digits_away(name, reader):
    picture = HARD_PAGES[name]() if name in HARD_PAGES else EXAMPLES[0].with_name(name)
    some = copy(reader)
    readings = []
    for conf in (0, 0.1, 0.45, 0.5, 0.7, 0.85, 0.999):
        some.conf = conf
        readings.append(some.read(picture))
        assert all((digit.confidence >= conf) == (digit.digit is not None) for digit in readings[-1].digits)
        assert all(any(digit.digit is not None for digit in line.digits) for line in readings[-1].lines)
    assert len({reading.turned for reading in readings}) == 1
    for more, fewer in pairwise(readings):
        assert is_rest_of(fewer.lines, more.lines)


def test_threads_may_share_a_reader(reader):
    pages = [scene(["407", "82"], seed, (300 + 50 * seed, 240)).image for seed in range(4)]
    expected = [reader.read(page).lines for page in pages]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            assert [reading.lines for reading in pool.map(reader.read, pages)] == expected


def test_a_reader_may_be_sent_to_another_process():
    page = scene(["407", "82"], 0).image
    some = Reader(conf=0.8, mode="line", rotate=0, threads=2)
    some.conf = 0.7
    other = pickle.loads(pickle.dumps(some))
    assert (other.conf, other.mode, other.rotate, other.calibrated) == (0.7, "line", 0, some.calibrated)
    assert other.recognizer.sha256 == some.recognizer.sha256
    assert other.read(page).lines == some.read(page).lines


def confidence_of(reader, path, **changes):
    """A file of the shipped weights that names the reader's networks, with changes."""
    networks = [network_id(one.card, one.sha256) for one in (reader.classifier, reader.detector, reader.recognizer)]
    names = dict(zip(("classifier", "detector", "recognizer"), networks, strict=True))
    path.write_text(replace(load_confidence(), **{**names, **changes}).as_json(), "utf-8")
    return path


def test_the_confidence_is_calibrated_for_its_three_networks_only(reader, tmp_path):
    own, weights = tmp_path / "own.onnx", confidence_of(reader, tmp_path / "confidence.json")
    onnx = pytest.importorskip("onnx")
    for name, option in (
        ("digitocr-int8.onnx", "model"),
        ("detector-int8.onnx", "detector"),
        ("recognizer-int8.onnx", "recognizer"),
    ):
        network = onnx.load(shipped_model(name))
        del network.metadata_props[:]  # the card, which names the network
        own.write_bytes(network.SerializeToString())
        assert not Reader(confidence=weights, **{option: own}).calibrated
        own.write_bytes(shipped_model(name).read_bytes())
        assert Reader(confidence=weights, **{option: own}).calibrated
    assert Reader(shipped_model("digitocr-float32.onnx"), confidence=weights).calibrated  # the same network


def test_own_weights_of_the_confidence_are_used(reader, tmp_path):
    none, page = np.zeros(len(CHARACTER_FEATURES), np.float32), scene(["52"], 1).image
    path = confidence_of(reader, tmp_path / "own.json", right_weights=none, place_weights=none, recognizer="other")
    some = Reader(confidence=path, rotate=0)
    assert {digit.confidence for digit in some.read(page).digits} == {0.5}
    assert not some.calibrated
    with pytest.raises(ModelError, match=r"none\.json"):
        Reader(confidence=tmp_path / "none.json")


def test_a_folder_of_exported_networks_is_read_with_as_a_whole(reader, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    for name in ("digitocr-int8.onnx", "recognizer-int8.onnx"):
        (own / name).symlink_to(shipped_model(name))
    confidence_of(reader, own / "confidence.json", lone_weights=(1.0, 2.0))
    whole = Reader(own)
    assert whole.calibrated
    assert whole._confidence.lone_weights == (1.0, 2.0)
    assert not Reader(own, confidence=confidence_of(reader, tmp_path / "other.json", classifier="other")).calibrated
    (own / "digitocr-int8.onnx").unlink()
    with pytest.raises(ModelError, match=r"a model file ends in"):
        Reader("a" * 300)  # which no file system takes
    with pytest.raises(ModelError, match=r"holds no digitocr-int8\.onnx"):
        Reader(own)


DENSE = """
import resource, sys
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from digitocr import Reader
reader, page = Reader(), Image.new("L", (1000, 1000), 235)
font, rng = ImageFont.truetype(sys.argv[1], 14), np.random.default_rng(0)
for row in range(62):
    ImageDraw.Draw(page).text((5, 16 * row), "".join(rng.choice(list("0123456789"), 110)), 20, font)
reader.read(np.asarray(page)[:200, :200])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
digits = len(reader.read(np.asarray(page)).digits)
print(digits, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of the peak memory differs")
def test_a_dense_page_of_small_print_takes_little_memory():
    font = str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")
    done = subprocess.run([sys.executable, "-c", DENSE, font], capture_output=True, text=True, check=True)
    digits, megabytes = map(int, done.stdout.split())
    assert digits > 3000
    assert megabytes < 200  # beside what a small picture takes


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


# What it makes of what its three networks say


class Blobs:
    """In the detector's place: a candidate for each bright blob, the left ones first, as sure as `scores` say."""

    def __init__(self, *scores):
        self.scores = scores
        self.seen = []

    def scratch(self, shape):  # noqa: ARG002
        return None

    def detect(self, gray, thorough=True, shrink=None):  # noqa: ARG002
        self.seen.append(gray.shape)
        _, _, stats, _ = cv2.connectedComponentsWithStats((gray > 128).astype(np.uint8))
        rows = sorted(stats[1:, :4].tolist())
        scores = np.resize(np.array(self.scores or (0.9,), np.float32), len(rows))
        return np.array(rows, np.float32).reshape(-1, 4), scores


def network(predict):
    """In the classifier's place; `predict` gets at least one tensor."""
    none = np.zeros((0, 11), np.float32)
    return SimpleNamespace(
        predict=lambda tensors: predict(tensors) if len(tensors) else none, name="fake", sha256="0" * 64, classes=11
    )


def answers(*given, classes=11):
    """In the classifier's place: for each tensor the next digit (10: none) and its probability, again and again."""
    rows = np.zeros((len(given), classes), np.float32)
    for row, (digit, probability) in zip(rows, given, strict=True):
        row[:] = (1 - probability) / (classes - 1)
        row[digit] = probability
    predict = lambda tensors: rows[np.arange(len(tensors)) % len(rows)]  # noqa: E731  # shorter than a class
    return SimpleNamespace(predict=predict, name="fake", sha256="0" * 64, classes=classes)


class Unwritten:
    """In the recognizer's place: sees nothing in any line."""

    def columns(self, strips):
        nothing = np.eye(CLASS_COUNT, dtype=np.float32)[GAP]
        return [np.tile(nothing, (-(-strip.shape[1] // COLUMN), 1)) for strip in strips]


CANDIDATE, LINE_PLACE = np.eye(len(CHARACTER_FEATURES), dtype=np.float32)[[0, 3]]  # the weight of one feature
PLAIN = ConfidenceModel(
    *("", "", ""),
    weights=np.array([0.5, 1.0, *[0] * 13], np.float32),
    right_weights=CANDIDATE,
    place_weights=LINE_PLACE,
    lone_weights=(1.0, 0.0),
    number_weights=(1.0, *[0.0] * 6),
    calibration_error={},
)  # half the log-odds of the detector and those of the digit; a place is as sure as its line shows it


def fake_reader(detector, classifier, recognizer=None, confidence=PLAIN, **settings):
    """A Reader with the given networks, whose confidence does not depend on what the shipped ones are calibrated to."""
    some = Reader(**settings)
    some.detector, some.classifier, some.recognizer = detector, classifier, recognizer or Unwritten()
    some._confidence = confidence
    return some


def blobs(*boxes, shape=(100, 150)):
    gray = np.zeros(shape, np.uint8)
    for x, y, w, h in boxes:
        gray[y : y + h, x : x + w] = 255
    return gray


SURE, ROW = (0.99, 0.98), [(10, 40, 12, 24), (40, 38, 12, 24), (70, 41, 12, 24), (100, 40, 12, 24)]


def test_confidence_weighs_what_the_networks_say_and_is_not_that_of_no_digit():
    both = fake_reader(Blobs(0.9), answers((3, 0.8)), conf=0).read(blobs(ROW[0])).digits[0]
    assert both.confidence == pytest.approx(1 / (1 + np.exp(-(0.5 * np.log(9) + np.log(4)))), abs=1e-4)
    assert (both.digit, both.topk[0]) == (3, (3, pytest.approx(0.8, abs=0.02)))
    for better in (fake_reader(Blobs(0.97), answers((3, 0.8))), fake_reader(Blobs(0.9), answers((3, 0.9)))):
        assert better.read(blobs(ROW[0])).digits[0].confidence > both.confidence
    none = fake_reader(Blobs(0.9), answers((10, 0.9)), conf=0).read(blobs(ROW[0])).digits[0]
    assert none.digit < 10
    assert none.confidence < 0.5


# the columns of a strip, from the first box of ROW on, in which the blobs stand: 12.5 from one to the next


def columns_of(*texts):
    return [(text, 12.5 * place + 1, 12.5 * place + 4) for place, text in enumerate(texts) if text]


def test_a_digit_that_cannot_be_told_keeps_its_place(written):
    classifier = answers((4, 0.99), (8, 0.2), (1, 0.99), (2, 0.99))
    some = fake_reader(Blobs(0.5), classifier, written(*columns_of("4", "8", "1", "2")), rotate=0)
    (number,) = some.read(blobs(*ROW)).numbers
    assert (number.text, number.confidence) == ("4?12", 0.0)
    doubt = number.digits[1]
    assert (doubt.digit, doubt.box) == (None, Box(*ROW[1]))
    assert doubt.topk[0][0] == 8
    assert doubt.confidence < 0.5
    assert some.read(blobs(*ROW)).text == "4?12"
    some.recognizer = written(*columns_of("4", "", "1", "2"))  # no place: nothing is in doubt
    assert "?" not in some.read(blobs(*ROW)).text
    unsure = fake_reader(Blobs(0.5), answers((8, 0.2)), written(*columns_of("8", "8", "8", "8")), rotate=0)
    assert unsure.read(blobs(*ROW)).lines == ()  # a line of doubt alone is none


def test_the_line_decides_between_digits_that_the_classifier_cannot_tell_apart(written):
    classifier = answers((7, 0.5))
    some = fake_reader(Blobs(), classifier, written(*columns_of("1", "7", "1", "4")), rotate=0)
    assert some.read(blobs(*ROW)).text == "1714"


def test_a_digit_that_the_line_alone_shows_is_read(written):
    class Half(Blobs):
        def detect(self, gray, thorough=True, shrink=None):  # noqa: ARG002
            boxes, scores = super().detect(gray)
            return boxes[[0, 1, 3]], scores[[0, 1, 3]]

    sure_of_line = replace(PLAIN, right_weights=LINE_PLACE)
    some = fake_reader(Half(), answers((3, 0.9)), written(*columns_of(*"3333")), sure_of_line, rotate=0)
    reading, candidates, _ = some.inspect(blobs(*ROW))
    assert reading.text == "3333"
    x, y, w, h = reading.digits[2].box
    assert (x + w / 2, y + h / 2, h) == pytest.approx((76, 52, 24), abs=3)
    assert candidates[2].score == pytest.approx(0.05)  # of what the detector has not found


def test_signs_belong_to_numbers_and_letters_to_none(written):
    some = fake_reader(Blobs(), answers((1, 0.99), (2, 0.99), (3, 0.99), (4, 0.99)), rotate=0)
    page = blobs((10, 40, 12, 24), (24, 40, 12, 24), (44, 40, 12, 24), (58, 40, 12, 24))
    digits = [("1", 1, 4), ("2", 7, 10), ("3", 15, 18), ("4", 21, 24)]
    some.recognizer = written(*digits, (".", 12, 13))
    assert [number.text for number in some.read(page).numbers] == ["12.34"]
    assert some.read(page).text == "1234"
    some.recognizer = written(*digits, ("x", 12, 13))
    assert [number.text for number in some.read(page).numbers] == ["12", "34"]
    assert some.read(page).text == "12 34"


@pytest.mark.parametrize(("rotate", "turned"), [("auto", 0), (0, 0), (90, 90), (180, 180), (270, 270)])
def test_a_28x28_picture_is_turned_as_asked(rotate, turned):
    seen = []

    def predict(tensors):
        seen.append(tensors[0, :, :, 0])
        return np.full((len(tensors), 11), 1 / 11, np.float32)

    some = fake_reader(Blobs(), network(predict), conf=0, rotate=rotate)
    gray = np.zeros((28, 28), np.uint8)
    gray[4:24, 10:13] = gray[21:24, 10:20] = 255  # an L
    assert some.read(gray).turned == turned
    some.candidates(gray)
    for shown in seen:
        np.testing.assert_allclose(shown, np.rot90(gray, -turned // 90) / 255, atol=1e-6)
    assert len(seen) == 3  # candidates read the picture as well


def test_a_box_is_cropped_in_two_crop_scales_and_the_probabilities_are_averaged():
    seen = []

    def predict(tensors):
        seen.append(tensors)
        rows = np.zeros((len(tensors), 11), np.float32)
        rows[0, 4], rows[1, 4], rows[1, 9] = 0.9, 0.5, 0.4
        return rows

    digit = fake_reader(Blobs(), network(predict), conf=0, rotate=0).read(blobs(ROW[0])).digits[0]
    assert digit.topk[:2] == ((4, pytest.approx(0.7, abs=0.02)), (9, pytest.approx(0.2, abs=0.02)))
    tight, wide = (int((view > 0.5).sum()) for view in seen[0])
    assert tight / wide == pytest.approx((1.14 / 0.86) ** 2, rel=0.15)


def test_digits_are_cut_out_of_an_even_ground():
    seen = []

    def predict(tensors):
        seen.append(tensors)
        return np.full((len(tensors), 11), 1 / 11, np.float32)

    shaded = np.full((200, 300), 100, np.uint8)
    shaded[:, 150:] = 40
    box = np.array([[140, 90, 12, 20]], np.float32)
    fake_reader(Blobs(), network(predict)).classify(shaded, box)
    x, y, w, h = box[0]
    for view, given in zip(module.CROP_SCALES, seen[0], strict=True):
        sized = np.array([[x + (1 - view) * w / 2, y + (1 - view) * h / 2, view * w, view * h]], np.float32)
        expected = preprocessing.scale(preprocessing.images(evened(shaded), sized))[0]
        np.testing.assert_allclose(given, expected, atol=1e-6)
        assert np.abs(given - preprocessing.scale(preprocessing.images(shaded, sized))[0]).max() > 0.1


def test_a_zero_alone_is_believed_less_than_one_beside_a_digit():
    shipped = replace(PLAIN, weights=load_confidence().weights)
    alone = fake_reader(Blobs(0.7), answers((0, 0.97)), None, shipped, conf=0).read(blobs(ROW[0])).digits[0]
    two = answers((0, 0.97), (4, 0.97))
    beside = fake_reader(Blobs(0.7), two, None, shipped, conf=0).read(blobs(*ROW[:2])).digits[0]
    assert (alone.digit, beside.digit) == (0, 0)
    assert alone.confidence < beside.confidence


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_boxes_of_a_turned_picture_lie_where_they_are_shown(rotate):
    some = fake_reader(Blobs(), answers((4, 0.99)), rotate=rotate)
    page = blobs((20, 10, 8, 30), shape=(60, 200))
    reading = some.read(page)
    assert reading.turned == rotate
    assert [digit.box for digit in reading.digits] == [Box(20, 10, 8, 30)]
    assert some.detector.seen == [(60, 200) if rotate in (0, 180) else (200, 60)]


def test_turning_is_clockwise_and_decides_the_order():
    some = fake_reader(Blobs(), answers((1, 0.99), (2, 0.99), (3, 0.99)), rotate=90)
    column = blobs((10, 10, 20, 12), (10, 40, 20, 12), (10, 70, 20, 12))
    reading = some.read(column)  # what is at the bottom comes to the left
    assert reading.text == "123"
    assert [digit.box.y for digit in reading.digits] == [70, 40, 10]


def test_a_picture_is_read_the_way_up_that_reads_best_and_only_if_that_is_clear():
    def turning(*confidences):
        """What is made of four digits of such probabilities.

        First as shown; then of each crop turned by 90 and 270, unless it is sure, and by 180; then of the picture
        turned by what looks as good of 90, 270 and 180.
        """
        turns = []

        def predict(tensors):
            turns.append(len(tensors))
            return answers((7, confidences[len(turns) - 1])).predict(tensors)

        some = fake_reader(Blobs(0.9), network(predict))
        return some.read(blobs(*ROW)).turned, len(turns)

    assert turning(0.99, 0.9) == (0, 2)  # sure at once: nothing else is tried
    assert turning(0.3, 0.3, 0.3, 0.2, 0.3, 0.99) == (270, 6)
    assert turning(0.3, 0.3, 0.3, 0.4, 0.3, 0.3, 0.99) == (180, 7)
    assert turning(0.6, 0.6, 0.6, 0.5, 0.62, 0.61) == (0, 6)
    assert turning(0.6, 0.2, 0.3, 0.5) == (0, 4)  # on its sides it looks worse
    assert turning(0.6, 0.2, 0.6, 0.5, 0.99) == (270, 5)
    assert turning(0.3, 0.3, 0.3, 0.2, 0.45, 0.3)[0] == 0  # better, but not surely


@pytest.mark.parametrize(("other", "turned"), [(0, 0), (6, 90)])
def test_zeros_do_not_tell_which_way_is_up(other, turned):
    ways = iter([*[answers((6, 0.5))] * 4, *[answers((other, 0.99))] * 2])
    some = fake_reader(Blobs(0.9), network(lambda tensors: next(ways).predict(tensors)))
    assert some.read(blobs(*ROW)).turned == turned


def test_where_there_are_few_digits_a_picture_is_not_turned():
    some = fake_reader(Blobs(), answers((6, 0.55)))
    assert some.read(blobs(*ROW[:2])).turned == 0
    assert len(some.detector.seen) == 3
    close = fake_reader(Blobs(), answers((6, 0.55)))
    assert close.read(blobs((30, 15, 40, 70))).turned == 0
    assert len(close.detector.seen) == 1


def test_single_reads_the_likeliest_and_no_other_however_unsure():
    single = fake_reader(Blobs(), answers((2, 0.3), (5, 0.6), (8, 0.4)), mode="single", conf=0.999)
    reading = single.read(blobs(*ROW[:3]))
    assert reading.text == "5"
    assert reading.digits[0].box == Box(*ROW[1])


def test_single_reads_what_differs_from_the_ground_where_nothing_was_found():
    single = fake_reader(Blobs(), answers((9, 0.2)), mode="single")
    faint = np.full((60, 90), 100, np.uint8)
    faint[20:50, 30:45] = 70
    (digit,) = single.read(faint).digits
    assert (digit.digit, digit.box) == (9, Box(30, 20, 15, 30))
    assert digit.topk[0] == (9, pytest.approx(0.2 / 0.92, abs=1e-3))  # of the digits alone
    assert digit.confidence == pytest.approx(PLAIN.of_lone(0.2 / 0.92), abs=1e-3)
    assert single.read(np.full((60, 90), 100, np.uint8)).text == "9"
    assert fake_reader(Blobs(), answers((4, 0.2)), mode="single").read(np.full((28, 28), 9, np.uint8)).text == "4"


def test_line_puts_all_in_one_line_from_left_to_right():
    stairs = blobs((10, 10, 12, 20), (50, 40, 12, 20), (90, 70, 12, 20))
    digits = answers((1, 0.99), (2, 0.99), (3, 0.99))
    assert fake_reader(Blobs(), digits, mode="line", rotate=0).read(stairs).text == "123"
    column = blobs((20, 10, 12, 20), (21, 40, 12, 20), (22, 70, 12, 20))
    assert fake_reader(Blobs(), digits, rotate=0).read(column).text == "1\n2\n3"
    assert fake_reader(Blobs(), digits, mode="line", rotate=0).read(column).text == "123"
    assert fake_reader(Blobs(), digits, mode="line").read(blobs()).lines == ()


def test_candidates_are_all_that_was_found_and_what_became_of_it(written):
    found = [(10 + 30 * place, 40, 12, 24) for place in range(6)]
    classifier = answers((2, 0.99), (10, 0.95), (5, 0.2), (5, 0.99), (1, 0.2), (8, 0.99))
    lines, doubtless = written(*columns_of("2", "1", "5", "S", "", "8")), replace(PLAIN, place_weights=CANDIDATE)
    some = fake_reader(Blobs(0.5), classifier, lines, doubtless, rotate=0)
    page = blobs(*found, shape=(100, 200))
    kept = some.candidates(page)
    assert [one.box for one in kept if one.kept] == [Box(*found[place]) for place in (0, 3, 5)]
    assert [one.box for one in kept[3:]] == [Box(*found[place]) for place in (1, 2, 4)]
    assert [one.why for one in kept] == [
        *("", "", ""),
        "looks like no digit (0.95)",
        "below --conf 0.5",
        "is no character of its line (0.98)",
    ]
    assert [digit.box for digit in some.read(page).digits] == [one.box for one in kept if one.kept]
    for one in kept:
        assert (one.image.shape, one.image.dtype) == ((28, 28), np.uint8)
        assert one.score == pytest.approx(0.5)
        assert len(one.probabilities) == 11
        assert sum(one.probabilities) == pytest.approx(1, abs=1e-5)
    assert kept[0].confidence == some.read(page).digits[0].confidence
    some.conf = 0.999
    letter = next(one for one in some.candidates(page) if one.box == Box(*found[3]))
    assert letter.why == "is a letter or another sign in its line (0.98)"


def test_inspect_gives_what_read_and_candidates_give():
    lone = np.zeros((28, 28), np.uint8)
    lone[4:24, 12:16] = 250
    for some in (Reader(), Reader(mode="single"), Reader(conf=1.0)):
        for picture in (blobs(*ROW[:3]), lone, np.full((28, 28), 9, np.uint8)):
            reading, candidates, _ = some.inspect(picture)
            assert {**reading.to_dict(), "ms": 0} == {**some.read(picture).to_dict(), "ms": 0}  # to four decimals
            assert candidates == some.candidates(picture)
            assert len(reading.digits) == sum(one.kept for one in candidates)


def test_candidates_that_another_one_kept_from_being_the_single_digit():
    some = fake_reader(Blobs(), answers((2, 0.9), (5, 0.95), (8, 0.1)), mode="single")
    assert [(one.kept, one.why) for one in some.candidates(blobs(*ROW[:3]))] == [
        (True, ""),
        (False, "another one is more confident, and --mode single reads one"),
        (False, "below --conf 0.5"),
    ]


def test_the_boxes_of_a_reduced_jpeg_are_those_of_the_whole():
    file = io.BytesIO()
    Image.fromarray(blobs((400, 800, 160, 320), shape=(2000, 3200))).save(file, "JPEG", quality=95)
    some = fake_reader(Blobs(), answers((4, 0.99)), rotate=90)
    (digit,) = some.read(file.getvalue()).digits
    (candidate,) = some.candidates(file.getvalue())
    assert some.detector.seen[0] == (1600, 1000)
    assert digit.box == candidate.box
    for side, true in zip((digit.box.x, digit.box.y, digit.box.w, digit.box.h), (400, 800, 160, 320), strict=True):
        assert abs(side - true) <= 4


@pytest.mark.parametrize(
    ("classifier", "boxes", "why"),
    [
        (answers((3, 0.9)), [], "nothing in it looks like a digit"),
        (answers((3, 0.1)), ROW[:1], "1 region was found, the most confident reading is a 3"),
        (
            answers((3, 0.1), (7, 0.2), (2, 0.1)),
            ROW[:3],
            "3 regions were found, the most confident reading is a 7",
        ),
    ],
)
def test_why_nothing_was_read_is_a_line(classifier, boxes, why):
    reading = fake_reader(Blobs(), classifier, rotate=0).read(blobs(*boxes))
    assert reading.lines == ()
    assert reading.why.startswith(why)
    assert reading.why.endswith("below --conf 0.5") == bool(boxes)


def test_inspect_gives_the_lines_as_they_were_read(reader):
    _, candidates, strips = reader.inspect(printed("4071 word\n\n5293", 40))
    assert "".join(mark.text for strip in strips for mark in strip.marks if mark.text.isdigit()) == "40715293"
    for strip in strips:
        assert (strip.image.shape[0], strip.image.dtype) == (32, np.uint8)
        digits = [mark for mark in strip.marks if mark.text.isdigit()]
        kept = [span for span in strip.spans if candidates[span.candidate].kept]
        for mark, span in zip(digits, kept, strict=True):
            assert span.left < (mark.left + mark.right) / 2 < span.right
            assert 0 < mark.probability <= 1
    for one in candidates:
        assert len(one.lined) in ((CLASS_COUNT,) if one.kept else (0, CLASS_COUNT))


def test_a_candidate_says_why_a_number_begins_with_it(reader):
    reading, candidates, _ = reader.inspect(printed("407     5293", 40))
    (begins,) = [one for one in candidates if one.begins]
    assert begins.box == reading.numbers[1].digits[0].box
    assert begins.begins.startswith("the gap before it is")


def test_a_model_without_no_digit_is_read_as_well():
    reading = fake_reader(Blobs(), answers((3, 0.99), classes=10)).read(blobs(*ROW))
    assert reading.text == "3333"


# What it makes of pictures, with the networks that are shipped


def test_of_the_letters_of_words_hardly_any_is_read_as_a_digit(reader):
    words = "The quick brown fox\njumps over the lazy dog\nand never comes back"
    for size in (20, 28, 40):
        assert len(reader.read(printed(words, size)).digits) <= 6  # of 53 letters


def test_print_is_read(reader):
    texts = [reader.read(printed("407 1295\n38 66", size)).text for size in (20, 28, 40)]
    assert [text.replace(" ", "") for text in texts] == ["4071295\n3866"] * 3
    assert texts.count("407 1295\n38 66") >= 2  # the space before a 1 is hardly wider than its room


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_page_that_lies_on_its_side_is_turned(reader, turned):
    right = 0
    for seed in range(4):
        page = scene(["4071", "2953"], seed).image
        reading = reader.read(np.ascontiguousarray(np.rot90(page, turned // 90)))
        right += (reading.text, reading.turned) == ("4071\n2953", turned)
    assert right >= 3


def test_a_full_page_is_read_to_its_end(reader):
    rng = np.random.default_rng(0)
    lines = ["".join(rng.choice(list("0123456789"), 30)) for _ in range(30)]
    assert reader.read(printed("\n".join(lines), 32, (800, 1754))).text == "\n".join(lines)


@pytest.mark.parametrize("turned", [90, 270])
def test_a_printed_number_that_lies_on_its_side_is_turned(reader, turned):
    for number in ("365", "2743", "52746"):
        picture = np.ascontiguousarray(np.rot90(printed(number, 40), turned // 90))
        assert (reader.read(picture).text, reader.read(picture).turned) == (number, turned)


def tilted(gray, degrees):
    """The (H, W) picture turned clockwise on a larger square, its edge going on into the corners; and the matrix."""
    height, width = gray.shape
    side = math.ceil(math.hypot(height, width))
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1)
    matrix[:, 2] += (side - width) / 2, (side - height) / 2
    return cv2.warpAffine(gray, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE), matrix


@pytest.mark.parametrize("degrees", [-35, 25, 40])
def test_lines_that_are_steep_are_made_level(reader, degrees):
    page = printed("407 1295\n38 66 21", 36)
    upright, (picture, matrix) = reader.read(page), tilted(page, degrees)
    reading = reader.read(picture)
    assert reading.text == upright.text == "407 1295\n38 66 21"
    assert abs((reading.turned + degrees + 180) % 360 - 180) <= 3
    for one, other in zip(upright.digits, reading.digits, strict=True):
        middle = matrix[:, :2] @ (one.box.x + one.box.w / 2, one.box.y + one.box.h / 2) + matrix[:, 2]
        off = middle - (other.box.x + other.box.w / 2, other.box.y + other.box.h / 2)
        assert np.abs(off).max() < 4
        assert one.box.h < other.box.h < 1.5 * one.box.h  # the box round the turned one
    assert Reader(rotate=0).read(picture).turned == 0


STAIRS = [(20 + 40 * step, 20 + 20 * step, 20, 30) for step in range(4)]  # 27 degrees down to the right


def test_lines_made_level_must_read_better():
    def read(*confidences):
        turns = []

        def predict(tensors):
            turns.append(len(tensors))
            return answers((7, confidences[len(turns) - 1])).predict(tensors)

        some = fake_reader(Blobs(), network(predict))
        return some.read(blobs(*STAIRS, shape=(200, 240))).turned, len(turns)

    assert read(0.97, 0.5, 0.5) == (0, 3)
    assert read(0.5, 0.97, 0.5) == (333, 3)  # sure: no other way up is tried
    assert read(0.12, 0.14, 0.1, 0.97) == (270, 4)


def test_a_part_is_read_alone_and_boxes_are_in_the_whole_picture():
    some = fake_reader(Blobs(), answers((4, 0.99)), rotate=0)
    reading, candidates, _ = some.inspect(blobs(*ROW), roi=(30, 30, 60, 50))
    assert [digit.box for digit in reading.digits] == [Box(*box) for box in ROW[1:3]]
    assert [one.box for one in candidates] == [Box(*box) for box in ROW[1:3]]
    assert some.read(blobs(*ROW), roi=(30, 30, 60, 50)).lines == reading.lines
    assert some.candidates(blobs(*ROW), roi=(30, 30, 60, 50)) == candidates


def test_digits_that_stand_apart_are_numbers_of_their_own():
    some = fake_reader(Blobs(), answers((4, 0.99)), rotate=0)
    page = blobs((10, 40, 12, 24), (26, 40, 12, 24), (70, 40, 12, 24), (86, 40, 12, 24))
    reading = some.read(page)
    assert [len(number.digits) for number in reading.numbers] == [2, 2]
    assert len(reading.lines) == 1
