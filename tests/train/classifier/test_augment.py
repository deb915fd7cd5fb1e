import numpy as np

from digitocr.runtime.opencv import cv2
from digitocr.train.classifier import augment
from digitocr.train.classifier.augment import PLAIN, REWRITTEN, Augment, rewritten
from digitocr.train.classifier.crops import Crops
from digitocr.train.synthesis.strokes import draw_digit, random_hand

LABELS = (np.arange(200) % 10).astype(np.uint8)


def mnist_like(count):
    """(count, 28, 28) uint8: drawn digits in MNIST's form."""
    rng = np.random.default_rng(5)
    images = np.zeros((count, 28, 28), np.uint8)
    for index in range(count):
        ink = draw_digit(index % 10, random_hand(rng), rng, height=20, stroke=0.12)
        height, width = min(20, ink.shape[0]), min(20, ink.shape[1])
        images[index, 4 : 4 + height, 14 - width // 2 : 14 - width // 2 + width] = (ink[:height, :width] * 255).astype(
            np.uint8
        )
    return images


CROPS = Crops(np.full((3, 28, 28), 77, np.uint8), np.full(3, 10, np.uint8))


def test_the_same_seed_gives_the_same_batch():
    images, batch = mnist_like(20), Augment(CROPS)
    first, second = (batch(images, LABELS[:20], np.random.default_rng(3))[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (first != batch(images, LABELS[:20], np.random.default_rng(4))[0]).any()


def test_a_batch_is_mnist_plain_or_moved_and_rewritten_and_crops_and_the_input_is_left_alone():
    images = mnist_like(200)
    before = images.copy()
    made, named = Augment(CROPS)(images, LABELS, np.random.default_rng(0))
    np.testing.assert_array_equal(images, before)
    np.testing.assert_array_equal(LABELS, np.arange(200) % 10)
    assert made.shape == images.shape
    assert made.dtype == named.dtype == np.uint8
    crops = (made == 77).all(axis=(1, 2))
    assert abs(crops.mean() - (1 - PLAIN - REWRITTEN)) < 0.12
    np.testing.assert_array_equal(named, np.where(crops, 10, LABELS))
    plain = (made == images).all(axis=(1, 2))
    assert abs(plain.mean() - PLAIN / 2) < 0.1


def test_a_moved_digit_is_the_same_ink_up_to_four_pixels_away():
    image = mnist_like(1)[0]
    rng = np.random.default_rng(2)
    for _ in range(20):
        moved = augment._moved(image, rng)
        (x, y), (x0, y0) = (cv2.phaseCorrelate(np.float64(image), np.float64(one))[0] for one in (moved, image))
        assert max(abs(x - x0), abs(y - y0)) < augment.MAX_SHIFT + 0.5
        assert abs(float(moved.sum()) / float(image.sum()) - 1) < 0.1


def test_a_rewritten_digit_stands_in_the_middle_about_20_pixels_long():
    rng = np.random.default_rng(1)
    for image in mnist_like(40):
        made = rewritten(image, rng)
        x, y, width, height = cv2.boundingRect((made > 150).astype(np.uint8))
        assert 12 <= max(width, height) <= 28
        assert abs(x + width / 2 - 14) < 6
        assert abs(y + height / 2 - 14) < 6
        assert made.max() > 200


def test_a_digit_whose_ink_is_lost_stays_itself(monkeypatch):
    monkeypatch.setattr(augment, "_page", lambda *_: (np.full((40, 40), 7, np.uint8), (0, 0, 0, 0)))
    image = mnist_like(1)[0]
    assert rewritten(image, np.random.default_rng(0)) is image
