import numpy as np

from digitocr.runtime.background import ink_box, is_close_up, shadeless


def test_digits_are_cut_out_of_an_even_ground_but_those_of_a_close_up():
    shaded = np.full((80, 100), 220, np.uint8)
    shaded[:, 30:] = 90
    small, large = np.array([[10, 10, 10, 20]], np.float32), np.array([[10, 10, 10, 20], [40, 10, 30, 40]], np.float32)
    assert (shadeless(shaded, small)[:, [5, 20, 40, 60]] == 128).all()
    assert (shadeless(shaded, small[:0])[:, [5, 20, 40, 60]] == 128).all()
    np.testing.assert_array_equal(shadeless(shaded, large), shaded)


def test_a_close_up_is_a_picture_that_one_digit_fills():
    gray = np.zeros((50, 100), np.uint8)
    assert is_close_up(gray, np.array([[0, 0, 5, 40]], np.float32))
    assert not is_close_up(gray, np.array([[0, 0, 5, 39]], np.float32))
    assert not is_close_up(gray, np.zeros((0, 4), np.float32))


def test_the_ink_box_is_around_what_differs_by_half_of_the_most():
    gray = np.full((40, 60), 200, np.uint8)
    assert ink_box(gray) == (0, 0, 60, 40)
    gray[10:20, 30:35] = 60
    gray[0, 0] = 150
    assert ink_box(gray) == ink_box(255 - gray) == (30, 10, 5, 10)
