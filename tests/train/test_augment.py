import numpy as np

from digitocr.runtime.opencv import cv2
from digitocr.train.augment import DRAWN, PLAIN, _normalised, augmented
from digitocr.train.strokes import draw_digit, random_hand

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


def test_the_same_seed_gives_the_same_digits():
    images = mnist_like(20)
    first, second = (augmented(images, LABELS[:20], np.random.default_rng(3))[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (first != augmented(images, LABELS[:20], np.random.default_rng(4))[0]).any()


def test_digits_come_in_the_form_of_mnist_and_the_input_is_left_alone():
    images = mnist_like(200)
    before = images.copy()
    made, named = augmented(images, LABELS, np.random.default_rng(0))
    np.testing.assert_array_equal(images, before)
    assert made.shape == images.shape
    assert made.dtype == named.dtype == np.uint8
    assert DRAWN / 2 < (named != LABELS).mean() < 1.5 * DRAWN
    np.testing.assert_array_equal(LABELS, np.arange(200) % 10)
    changed = made[(made != images).any(axis=(1, 2))]
    assert abs(len(changed) / len(images) - (1 - PLAIN)) < 0.1
    for digit in changed:
        _, _, width, height = cv2.boundingRect(digit)
        assert max(width, height) <= 20
        moments = cv2.moments(digit)
        assert abs(moments["m10"] / moments["m00"] - 14) < 1
        assert abs(moments["m01"] / moments["m00"] - 14) < 1
        assert digit.max() > 200


def test_a_digit_whose_ink_is_lost_stays_itself():
    image = mnist_like(1)[0]
    assert _normalised(np.full((40, 40), 7, np.uint8), image) is image
