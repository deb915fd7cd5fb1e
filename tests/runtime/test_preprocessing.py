import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime import image, preprocessing
from digitocr.runtime.classifier import Classifier
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reader import Reader
from digitocr.train.synthesis.pages import paste_page


def boxes_of(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def seven(height=300, width=400, at=(150, 80), scale=1.0, ink=40, ground=220, stroke=9):
    """A seven on plain paper and its box: 60 pixels wide and 100 high, times scale, from `at` on."""
    paper = np.full((height, width), ground, np.uint8)
    (x, y), w, h, reach = at, 60 * scale, 100 * scale, stroke * scale / 2
    points = [(x + reach, y + reach), (x + w - reach, y + reach), (x + w / 3, y + h - reach)]
    fixed = np.rint(np.array(points) * 16 - 8).astype(np.int32)
    cv2.polylines(paper, [fixed], False, ink, max(1, round(2 * reach)), cv2.LINE_AA, 4)
    return paper, (x, y, w, h)


def test_scale_is_a_division_by_255():
    pixels = np.arange(256, dtype=np.uint8).repeat(49)[: 16 * 784].reshape(16, 28, 28)
    scaled = preprocessing.scale(pixels)
    assert scaled.shape == (16, 28, 28, 1)
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled[..., 0], pixels.astype(np.float32) / np.float32(255))
    assert preprocessing.scale(pixels[:0]).shape == (0, 28, 28, 1)


def test_a_picture_of_mnist_s_form_is_taken_as_it_is_with_its_ink_made_bright():
    bright = np.zeros((28, 28), np.uint8)
    bright[4:24, 12:16] = 200
    for picture in (bright, 255 - bright):
        np.testing.assert_array_equal(preprocessing.lone(picture), bright[None])


def test_a_picture_with_hardly_any_contrast_is_blank():
    gray = np.full((28, 28), 100, np.uint8)
    assert preprocessing.is_blank(gray)
    gray[5, 5] = 100 + preprocessing.BLANK_BELOW - 1
    assert preprocessing.is_blank(gray)
    gray[5, 5] += 1
    assert not preprocessing.is_blank(gray)


@pytest.mark.parametrize("ground", [12, 120])
def test_a_picture_of_mnist_s_form_whose_ground_is_grey_is_normalised(ground):
    dark = np.full((28, 28), ground, np.uint8)
    dark[4:24, 12:16] = ground + 90
    for picture in (dark, 255 - dark):
        np.testing.assert_array_equal(preprocessing.lone(picture), 255 * (dark > ground)[None])


@pytest.mark.parametrize("light_on_dark", [False, True])
@pytest.mark.parametrize(("scale", "stroke"), [(0.2, 12), (0.5, 9), (1, 9), (2, 5), (6, 16)])
def test_a_digit_is_20_pixels_long_in_the_middle_of_the_field_ink_bright(scale, stroke, light_on_dark):
    size = max(150, round(180 * scale))
    ink, ground = (200, 60) if light_on_dark else (60, 200)
    paper, box = seven(size, size, (0.4 * size, 0.2 * size), scale, ink, ground, stroke)
    (made,) = preprocessing.images(paper, boxes_of(box))
    assert (made.shape, made.dtype) == ((28, 28), np.uint8)
    x, y, w, h = cv2.boundingRect((made > 60).astype(np.uint8))
    assert abs(h - 20) <= 2
    assert abs(w - 12) <= 2
    assert abs(x + w / 2 - 14) <= 1
    assert abs(y + h / 2 - 14) <= 1
    assert made.max() == 255
    assert (made == 0).mean() > 0.6
    assert made[3:8, 10:16].max(0).min() > 100  # the bar of the seven is on top


def test_either_polarity_gives_the_same_field():
    paper, box = seven()
    np.testing.assert_array_equal(
        preprocessing.images(255 - paper, boxes_of(box)), preprocessing.images(paper, boxes_of(box))
    )


@pytest.mark.parametrize(("ink", "ground"), [(40, 220), (150, 180), (120, 100), (10, 40)])
def test_contrast_and_ground_are_taken_off(ink, ground):
    paper, box = seven(ink=ink, ground=ground)
    plain, other = preprocessing.images(*_of(*seven())), preprocessing.images(paper, boxes_of(box))
    assert np.abs(plain.astype(int) - other).max() <= 30
    assert np.abs(plain.astype(int) - other).mean() <= 1


def _of(paper, box):
    return paper, boxes_of(box)


def test_what_hardly_stands_out_is_not_made_loud():
    faint = np.full((28, 28), 128, np.uint8)
    faint[4:24, 12:15] = 130
    (made,) = preprocessing.normalised(faint[None])
    assert 0 < made.max() < 255 * 3 / preprocessing.MIN_CONTRAST
    assert (preprocessing.normalised(np.full((1, 28, 28), 77, np.uint8)) == 0).all()


def test_a_thin_one_is_told_from_its_ground_on_either():
    one = np.full((28, 28), 210, np.uint8)
    one[4:24, 14] = 60
    for field in (one, 255 - one):
        (made,) = preprocessing.normalised(field[None])
        assert made[4:24, 14].min() > 150
        assert made[:, :13].max() == 0


def test_each_field_is_normalised_by_itself():
    fields = np.stack([np.full((28, 28), level, np.uint8) for level in (30, 200, 120)])
    for field, ink in zip(fields, (90, 20, 240), strict=True):
        field[5:23, 12:16] = ink
    together = preprocessing.normalised(fields)
    alone = np.concatenate([preprocessing.normalised(field[None]) for field in fields])
    np.testing.assert_array_equal(together, alone)
    assert (together[:, 5:23, 12:16] == 255).all()
    assert preprocessing.normalised(fields[:0]).shape == (0, 28, 28)


def test_neighbours_stay_in_the_field():
    paper, box = seven()
    with_neighbour = paper.copy()
    with_neighbour[80:180, 214:220] = 40
    alone, beside = (preprocessing.images(given, boxes_of(box))[0] for given in (paper, with_neighbour))
    np.testing.assert_array_equal(alone[:, :20], beside[:, :20])
    assert beside[6:22, 20:].max() > 200
    assert alone[:, 21:].max() == 0


def test_beyond_the_picture_its_edges_go_on():
    gray = np.random.default_rng(1).integers(0, 256, (60, 90), np.uint8)
    wide = np.pad(gray, 200, "edge")
    rng = np.random.default_rng(2)
    boxes = np.concatenate([rng.uniform(-60, 90, (150, 2)), rng.uniform(1, 80, (150, 2))], 1).astype(np.float32)
    boxes[:4] = [(0, 0, 90, 60), (-20, -20, 5, 5), (95, 10, 10, 10), (30, 70, 8, 8)]  # whole, and three outside
    made, expected = preprocessing.crops(gray, boxes), preprocessing.crops(wide, boxes + np.float32([200, 200, 0, 0]))
    for box, one, other in zip(boxes, made, expected, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1, box
    assert (made.min((1, 2)) < made.max((1, 2))).mean() > 0.9


@settings(derandomize=True, deadline=None, max_examples=80)
@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.lists(
        st.tuples(st.floats(-200, 200), st.floats(-200, 200), st.floats(0, 120), st.floats(0, 120)),
        min_size=1,
        max_size=4,
    ),
)
def test_crops_may_lie_anywhere_and_repeat_the_edge(shape, rows):
    gray = np.random.default_rng(shape).integers(0, 256, shape, np.uint8)
    boxes = boxes_of(*rows)
    made = preprocessing.crops(gray, boxes)
    assert (made.shape, made.dtype) == ((len(boxes), 28, 28), np.uint8)
    wide = np.pad(gray, 500, "edge")
    expected = preprocessing.crops(wide, boxes + np.float32([500, 500, 0, 0]))
    # squares are rounded to whole pixels, and float32 rounds halves of shifted boxes differently
    exact = (np.round(boxes * 8) == boxes * 8).all(1)
    assert np.abs(made[exact].astype(int) - expected[exact]).max(initial=0) <= 1
    normalised = preprocessing.images(gray, boxes)
    assert (normalised.shape, normalised.dtype) == (made.shape, np.uint8)


def test_images_are_normalised_by_blocks_as_at_once(monkeypatch):
    fields = np.random.default_rng(0).integers(0, 256, (23, 28, 28), np.uint8)
    whole = preprocessing.normalised(fields)
    monkeypatch.setattr(preprocessing, "BLOCK", 5)
    np.testing.assert_array_equal(preprocessing.normalised(fields), whole)


@pytest.mark.parametrize("shape", [(5, 5), (5, 400), (400, 5)])
def test_boxes_of_any_size_and_place_give_fields(shape):
    gray = np.full(shape, 200, np.uint8)
    boxes = boxes_of((0, 0, 0.1, 0.1), (2, 2, 1, 1), (-3, -3, 500, 500), (399, 399, 3, 3), (-90, -90, 4, 4))
    assert (preprocessing.crops(gray, boxes) == 200).all()
    assert preprocessing.images(gray, boxes[:0]).shape == (0, 28, 28)


@pytest.fixture(scope="module")
def classifier():
    return Classifier()


def right(classifier, images, labels):
    return classifier.predict(preprocessing.scale(images))[:, :10].argmax(axis=1) == labels


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_mnist_put_on_a_page_and_cut_out_again_is_classified_as_before(scale, mnist, classifier):
    """Every tenth test image, by boxes that fit their ink: at most 0.3 points are lost."""
    images, labels = mnist.test_images[::10], mnist.test_labels[::10]
    before, after = right(classifier, images, labels).sum(), 0
    for start in range(0, len(images), 100):
        part = slice(start, start + 100)
        scene = paste_page(images[part], labels[part], 10, scale, np.random.default_rng(start))
        fields = preprocessing.images(image.load(scene.image), scene.boxes.astype(np.float32))
        after += right(classifier, fields, labels[part]).sum()
    assert before - after <= 3


def test_mnist_put_on_a_page_is_found_and_classified_as_before(mnist, classifier):
    """Every tenth test image, read from pages of fifty: at most 0.9 points are lost, mostly as letters."""
    images, labels, reader = mnist.test_images[::10], mnist.test_labels[::10], Reader()
    before, after = right(classifier, images, labels).sum(), 0
    for start in range(0, len(images), 50):
        part = slice(start, start + 50)
        scene = paste_page(images[part], labels[part], 10, 3, np.random.default_rng(start))
        digits = reader.read(scene.image).digits
        answers = np.array([digit.digit for digit in digits])
        centres = np.array([(digit.box.x + digit.box.w / 2, digit.box.y + digit.box.h / 2) for digit in digits])
        for (x, y, w, h), truth in zip(scene.boxes, scene.digits, strict=True):
            inside = (np.abs(centres - (x + w / 2, y + h / 2)) < (w / 2 + 6, h / 2 + 6)).all(axis=1)
            after += inside.sum() == 1 and answers[inside][0] == truth
    assert before - after <= 9
