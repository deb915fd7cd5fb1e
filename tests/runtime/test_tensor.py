import numpy as np
import pytest

from digitocr.runtime import image, regions, tensor
from digitocr.runtime.classifier import Classifier
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reading import Box
from digitocr.runtime.regions import Region
from digitocr.train.scenes import paste_page


def whole(ink):
    """The region of a picture that is one digit."""
    return Region(Box(0, 0, ink.shape[1], ink.shape[0]), (ink > 90).astype(np.uint8) * np.uint8(255))


def test_scale_is_a_division_by_255():
    pixels = np.arange(256, dtype=np.uint8).repeat(49)[: 16 * 784].reshape(16, 28, 28)
    scaled = tensor.scale(pixels)
    assert scaled.shape == (16, 28, 28, 1)
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled[..., 0], pixels.astype(np.float32) / np.float32(255))
    assert tensor.scale(pixels[:0]).shape == (0, 28, 28, 1)


@pytest.mark.parametrize("shape", [(40, 30), (30, 200), (700, 90), (9, 6), (12, 12)])
def test_a_digit_is_fitted_into_20x20_with_its_mass_at_the_centre(shape):
    height, width = shape
    ink = np.zeros(shape, np.uint8)
    cv2.line(ink, (0, height - 1), (width - 1, 0), 200, max(1, min(shape) // 6))
    cv2.rectangle(ink, (0, 0), (width // 2, height // 5), 200, -1)
    (made,) = tensor.images(ink, [whole(ink)])
    assert made.shape == (28, 28)
    _, _, across, down = cv2.boundingRect(made)
    assert max(across, down) <= 20
    assert max(across, down) >= 18
    moments = cv2.moments(made)
    assert abs(moments["m10"] / moments["m00"] - 14) <= 1.5  # at the field's border the digit stays whole
    assert abs(moments["m01"] / moments["m00"] - 14) <= 1.5
    assert made.max() > 230


def test_strokes_of_neighbours_are_left_out():
    gray = np.zeros((40, 40), np.uint8)
    gray[5:35, 8:14] = 200
    gray[5:35, 24:30] = 200
    strokes = np.zeros((40, 40), np.uint8)
    strokes[5:35, 8:14] = 255
    both, one = tensor.images(gray, [whole(gray), Region(Box(0, 0, 40, 40), strokes)])
    assert both.astype(int).sum() > 1.7 * one.astype(int).sum()


def test_thin_strokes_are_broadened_and_broad_ones_are_not():
    thin, broad = np.zeros((2, 200, 120), np.uint8)
    cv2.ellipse(thin, (60, 100), (50, 90), 0, 0, 360, 200, 2)
    cv2.ellipse(broad, (60, 100), (50, 90), 0, 0, 360, 200, 24)
    made_thin, made_broad = (tensor.images(ink, [whole(ink)])[0] for ink in (thin, broad))
    assert made_thin[14].sum(dtype=int) / 255 > 2 * 1.4  # two strokes; unbroadened they have 0.2 pixels each
    assert abs(int((made_broad[14] > 127).sum()) - 2 * 24 * 20 / 205) <= 2


def test_a_box_full_of_ink_is_a_digit_as_well():
    ink = np.full((60, 8), 220, np.uint8)
    (made,) = tensor.images(ink, [whole(ink)])
    assert made.max() == 255


@pytest.mark.parametrize("scale", [4, 6])
def test_mnist_put_on_a_page_and_read_back_is_classified_as_before(scale, mnist):
    """The whole test set through image, regions and tensor: at most 0.1 points are lost."""
    classifier = Classifier()
    before = (classifier.predict(tensor.scale(mnist.test_images)).argmax(axis=1) == mnist.test_labels).sum()
    after = 0
    for start in range(0, 10_000, 100):
        pasted = slice(start, start + 100)
        scene = paste_page(
            mnist.test_images[pasted], mnist.test_labels[pasted], 10, scale, np.random.default_rng(start)
        )
        gray = image.load(scene.image)
        found = [region for line in regions.find(gray) for region in line]
        answers = classifier.predict(tensor.scale(tensor.images(gray, found))).argmax(axis=1)
        centres = np.array([(r.box.x + r.box.w / 2, r.box.y + r.box.h / 2) for r in found])
        for (x, y, w, h), truth in zip(scene.boxes, scene.digits, strict=True):
            inside = (abs(centres - (x + w / 2, y + h / 2)) < (w / 2 + 2 * scale, h / 2 + 2 * scale)).all(axis=1)
            after += inside.sum() == 1 and answers[inside][0] == truth
    assert before - after <= 10
