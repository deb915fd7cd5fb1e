from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.runtime.opencv import cv2
from digitocr.train.evaluation.nondigits import halves, letters, noise, textures
from digitocr.train.synthesis.fonts import find_fonts

BUNDLED = Path(get_data_path()) / "fonts" / "ttf"  # Matplotlib brings some fonts along


@pytest.fixture(scope="module")
def fonts():
    return find_fonts(BUNDLED)


def makers(fonts):
    return {"letters": lambda count, rng: letters(count, fonts, rng), "textures": textures, "noise": noise}


@pytest.mark.parametrize("kind", ["letters", "textures", "noise"])
def test_non_digits_come_in_the_form_of_mnist(kind, fonts):
    made = makers(fonts)[kind](60, np.random.default_rng(0))
    assert (made.shape, made.dtype) == ((60, 28, 28), np.uint8)
    for image in made:
        _, _, width, height = cv2.boundingRect((image > 127).astype(np.uint8))
        assert 15 <= max(width, height) <= 21
        moments = cv2.moments(image)
        assert abs(moments["m10"] / moments["m00"] - 14) <= 4  # the middle of a digit's box, not of its ink, is at 14
        assert abs(moments["m01"] / moments["m00"] - 14) <= 4
        assert image.max() > 200
        assert (image == 0).mean() > 0.4
    assert len(np.unique(made, axis=0)) >= 58


@pytest.mark.parametrize("kind", ["letters", "textures", "noise"])
def test_the_same_seed_gives_the_same_non_digits(kind, fonts):
    first, again, other = (makers(fonts)[kind](9, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(axis=(1, 2)).all()


def test_letters_come_from_every_font(fonts):
    def ink(font):
        return letters(30, [font], np.random.default_rng(3)).mean()

    thin, bold = (BUNDLED / name for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"))
    both = letters(30, [thin, bold], np.random.default_rng(3)).mean()
    assert ink(thin) < both < ink(bold)


def test_halves_are_what_is_left_of_a_digit_that_an_edge_cuts_in_two():
    digit = np.zeros((28, 28), np.uint8)
    digit[4:24, 8:18] = np.arange(1, 201, dtype=np.uint8).reshape(20, 10)
    expected = {name: np.zeros((28, 28), np.uint8) for name in ("right", "left", "bottom", "top")}
    expected["right"][4:24, :5] = digit[4:24, 13:18]
    expected["left"][4:24, -5:] = digit[4:24, 8:13]
    expected["bottom"][:10, 8:18] = digit[14:24, 8:18]
    expected["top"][-10:, 8:18] = digit[4:14, 8:18]
    made = halves(np.repeat(digit[None], 40, axis=0), np.full(40, 7), np.random.default_rng(0))
    found = [name for half in made for name, whole in expected.items() if (half == whole).all()]
    assert len(found) == 40
    assert set(found) == set(expected)


def test_ones_are_not_halved():
    images = np.full((4, 28, 28), 9, np.uint8)
    assert len(halves(images, np.array([1, 3, 1, 0]), np.random.default_rng(0))) == 2
