"""Resizing and turning in whole numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime import resampling
from digitocr.runtime.opencv import cv2
from digitocr.runtime.resampling import averaged, resized, warped

LAW = settings(derandomize=True, deadline=None, max_examples=40)
SEEDS = st.integers(0, 2**32 - 1)


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def coverage(old: int, new: int) -> np.ndarray:
    """(new, old): how far each old pixel lies in each new one, in parts of 1 / new."""
    return np.array(
        [[max(0, min((i + 1) * old, (j + 1) * new) - max(i * old, j * new)) for j in range(old)] for i in range(new)]
    )


@LAW
@given(st.tuples(st.integers(1, 60), st.integers(1, 60)), st.data(), SEEDS)
def test_an_average_is_that_over_the_area_of_a_pixel(shape, data, seed):
    height, width = (data.draw(st.integers(1, side)) for side in shape)
    gray = noise(seed, *shape)
    sums = coverage(shape[0], height) @ gray.astype(np.int64) @ coverage(shape[1], width).T
    area = shape[0] * shape[1]
    np.testing.assert_array_equal(averaged(gray, (width, height)), (2 * sums + area) // (2 * area))


@pytest.mark.parametrize("limit", ["BAND", "LINES"])
def test_a_large_picture_is_averaged_in_bands(limit, monkeypatch):
    gray = noise(1, 200, 70)
    whole = averaged(gray, (31, 83))
    monkeypatch.setattr(resampling, limit, 1000)
    np.testing.assert_array_equal(averaged(gray, (31, 83)), whole)


@pytest.mark.parametrize("side", [4096, 4100, 4200], ids=["in 32 bits", "in 64 bits", "a sum of more than 32 bits"])
def test_sums_over_many_pixels_are_right(side):
    gray = np.full((side, side), 255, np.uint8)
    gray[: side // 4] = 254
    levels = averaged(gray, (1, 4))[:, 0].tolist()
    assert levels == [254, 255, 255, 255]
    assert averaged(gray, (1, 1)) == 255  # 254.75


@LAW
@given(st.integers(1, 39), st.integers(40, 100), SEEDS)
def test_an_average_differs_little_from_that_of_opencv(small, large, seed):
    gray = noise(seed, large, large + 3)
    expected = cv2.resize(gray, (small, small + 1), interpolation=cv2.INTER_AREA)
    assert np.abs(averaged(gray, (small, small + 1)).astype(int) - expected).max() <= 1


@LAW
@given(st.integers(1, 28), SEEDS)
def test_enlarging_differs_little_from_that_of_opencv(side, seed):
    squares = noise(seed, 3, side, side)
    made = resized(squares, 28)
    for one, square in zip(made, squares, strict=True):
        expected = cv2.resize(square, (28, 28), interpolation=cv2.INTER_CUBIC)
        assert np.abs(one.astype(int) - expected).max() <= 1


@LAW
@given(st.integers(29, 80), SEEDS)
def test_a_square_is_reduced_as_any_picture(side, seed):
    squares = noise(seed, 2, side, side)
    np.testing.assert_array_equal(resized(squares, 28), [averaged(square, (28, 28)) for square in squares])


def test_squares_of_any_sides_are_resized_as_each_alone(monkeypatch):
    squares = [noise(side, side, side) for side in (30, 20, 40, 90, 28, 60, 20, 64)]
    expected = [resized(square[None], 28)[0] for square in squares]
    np.testing.assert_array_equal(resized(squares, 28), expected)
    monkeypatch.setattr(resampling, "BLOCK", 5000)
    monkeypatch.setattr(resampling, "LARGE", 60)
    np.testing.assert_array_equal(resized(squares, 28), expected)
    assert resized([], 28).shape == (0, 28, 28)


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_one_level_stays_as_it_is(level):
    gray = np.full((41, 33), level, np.uint8)
    turn = np.array([[0.8, -0.6, 7.3], [0.6, 0.8, -9.1]])
    for made in (averaged(gray, (9, 11)), resized(gray[None, :20, :20], 28), warped(gray, turn, (50, 60))):
        assert (made == level).all()


def interpolated(gray, matrix, size, beyond, halvings):
    """What warped does, pixel by pixel."""
    for _ in range(halvings):
        height, width = (side // 2 for side in gray.shape)
        gray = gray[: 2 * height, : 2 * width].reshape(height, 2, width, 2).astype(int).sum((1, 3)) + 2 >> 2
    (height, width), made = gray.shape, np.empty(size[::-1], np.uint8)

    def level(x, y):
        if beyond is not None and not (0 <= x < width and 0 <= y < height):
            return beyond
        return int(gray[min(max(y, 0), height - 1), min(max(x, 0), width - 1)])

    for v in range(size[1]):
        for u in range(size[0]):
            (x, a), (y, b) = (
                divmod((round(p * u * 1024) + round((q * v + r) * 1024) + 16) >> 5, 32) for p, q, r in matrix.tolist()
            )
            upper = level(x, y) * (32 - a) + level(x + 1, y) * a
            lower = level(x, y + 1) * (32 - a) + level(x + 1, y + 1) * a
            made[v, u] = (upper * (32 - b) + lower * b + 512) >> 10
    return made


@LAW
@given(
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
    st.tuples(st.integers(1, 16), st.integers(1, 16)),
    st.lists(st.floats(-2, 2), min_size=4, max_size=4),
    st.tuples(*[st.integers(-30, 30) | st.floats(-30, 30) | st.sampled_from([-1e6, 1e8])] * 2),
    st.none() | st.integers(0, 255),
    st.integers(0, 3),
    SEEDS,
)
def test_a_picture_is_halved_and_warped_in_fractions_of_a_pixel(shape, size, turn, shift, beyond, halvings, seed):
    gray = noise(seed, *shape)
    halvings = min(halvings, min(shape).bit_length() - 1)
    asked = np.array([[*turn[:2], shift[0]], [*turn[2:], shift[1]]]), size, beyond, halvings
    np.testing.assert_array_equal(warped(gray, *asked), interpolated(gray, *asked))


def test_a_large_picture_is_warped_in_tiles(monkeypatch):
    gray, turn = noise(2, 90, 130), np.array([[0.8, -0.6, 7.3], [0.6, 0.8, -9.1]])
    whole = warped(gray, turn, (140, 120))
    monkeypatch.setattr(resampling, "TILE_WIDTH", 32)
    monkeypatch.setattr(resampling, "TILE_HEIGHT", 24)
    np.testing.assert_array_equal(warped(gray, turn, (140, 120)), whole)


def test_a_picture_longer_than_16_bits_is_warped():
    gray = noise(3, 3, 70_000)
    np.testing.assert_array_equal(
        warped(gray, np.array([[1.0, 0, 69_000], [0, 1.0, 0]]), (900, 3)), gray[:, 69_000:69_900]
    )
