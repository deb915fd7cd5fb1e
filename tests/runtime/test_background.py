import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitocr.runtime import background
from digitocr.runtime.background import bordered, evened, ink_box, is_close_up, is_full, shadeless, shrunk


def test_digits_are_cut_out_of_an_even_ground_but_those_of_a_close_up():
    shaded = np.full((80, 100), 220, np.uint8)
    shaded[:, 30:] = 90
    small, large = np.array([[10, 10, 10, 20]], np.float32), np.array([[10, 10, 10, 20], [40, 10, 30, 40]], np.float32)
    assert (shadeless(shaded, small)[:, [5, 20, 40, 60]] == 128).all()
    assert (shadeless(shaded, small[:0])[:, [5, 20, 40, 60]] == 128).all()
    np.testing.assert_array_equal(shadeless(shaded, large), shaded)


def test_a_close_up_is_a_picture_that_one_digit_fills():
    gray = np.zeros((50, 100), np.uint8)
    assert is_close_up(gray.shape, np.array([[0, 0, 5, 40]], np.float32))
    assert not is_close_up(gray.shape, np.array([[0, 0, 5, 39]], np.float32))
    assert not is_close_up(gray.shape, np.zeros((0, 4), np.float32))


def test_the_ink_box_is_around_what_differs_by_half_of_the_most():
    gray = np.full((40, 60), 200, np.uint8)
    assert ink_box(gray) == (0, 0, 60, 40)
    gray[10:20, 30:35] = 60
    gray[0, 0] = 150
    assert ink_box(gray) == ink_box(255 - gray) == (30, 10, 5, 10)


def test_shrinking_keeps_the_aspect_and_at_least_a_pixel():
    assert shrunk(np.zeros((300, 600), np.uint8), 200).shape == (100, 200)
    assert shrunk(np.zeros((5, 50_000), np.uint8), 100).shape == (1, 100)
    small = np.zeros((60, 90), np.uint8)
    assert shrunk(small, 90) is small


def test_evened_takes_light_off_and_leaves_ink():
    gray = np.full((360, 640), 200, np.uint8)
    gray[:, 300:] = 80  # a shadow
    gray[100:200, 150:160] = 120
    gray[100:200, 450:460] = 48
    even = evened(gray)
    assert even.shape == gray.shape
    assert (even[20, [50, 250, 350, 600]] == 128).all()
    assert (even[150, 155], even[150, 455]) == (48, 96)
    np.testing.assert_allclose(evened(255 - gray), 256 - even.astype(int), atol=1)


@pytest.mark.parametrize("shape", [(5, 5), (28, 28), (5, 2000), (720, 1280)])
def test_evened_of_any_shape(shape):
    assert (evened(np.full(shape, 77, np.uint8)) == 128).all()


def test_evened_writes_where_it_is_told():
    gray = np.random.default_rng(3).integers(0, 256, (150, 220), np.uint8)
    out = np.zeros_like(gray)
    assert evened(gray, out) is out
    assert np.array_equal(out, evened(gray))


def test_a_picture_is_full_where_a_large_digit_touches_its_edge():
    gray = np.full((40, 200), 200, np.uint8)
    assert is_full(gray, np.array([[60, 0, 20, 38]], np.float32))
    assert is_full(gray, np.array([[60, 5, 10, 10], [180, 5, 20, 30]], np.float32))
    assert not is_full(gray, np.array([[60, 3, 20, 34]], np.float32))  # there is room around it
    assert not is_full(gray, np.array([[60, 0, 10, 19]], np.float32))  # it is small


def test_where_no_digit_is_found_the_ink_decides_whether_a_picture_is_full():
    gray = np.full((40, 30), 200, np.uint8)
    nothing = np.zeros((0, 4), np.float32)
    gray[10:30, 10:15] = 50
    assert not is_full(gray, nothing)
    gray[0:30, 10:15] = 50
    assert is_full(gray, nothing)
    assert is_full(255 - gray, nothing)
    assert not is_full(np.linspace(90, 230, 30).astype(np.uint8)[None].repeat(40, 0), nothing)  # uneven light


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_the_ink_box_is_the_same_in_parts(height, width, seed):
    rng = np.random.default_rng(seed)
    gray = rng.choice(np.array([100, 120, 180, 240], np.uint8), (height, width), p=[0.9, 0.04, 0.03, 0.03])
    differs = np.abs(gray.astype(int) - int(np.median(gray)))
    rows, columns = np.nonzero(differs > 0.5 * differs.max())
    box = (0, 0, width, height)
    if len(rows):
        box = (columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(background, "COUNTED", 16 * 40)
        assert ink_box(gray) == box


def test_the_border_is_as_bright_as_most_of_the_edge():
    gray = np.full((40, 30), 200, np.uint8)
    gray[:, 10:15] = 50
    framed, width, halvings = bordered(gray)
    assert (width, halvings) == (9, 0)
    assert framed.shape == (58, 48)
    np.testing.assert_array_equal(framed[9:-9, 9:-9], gray)
    assert (framed[:9] == 200).all()
    assert (framed[:, :9] == 200).all()


@pytest.mark.parametrize(
    ("shape", "halvings", "inner"),
    [
        ((1536, 100), 0, (1536, 100)),
        ((1025, 1537), 1, (512, 768)),
        ((1023, 4000), 0, (1023, 4000)),  # a strip
        ((3200, 3074), 2, (800, 768)),
        ((1024, 9000), 1, (512, 4500)),
    ],
)
def test_a_large_picture_is_halved_within_its_border(shape, halvings, inner):
    gray = np.full(shape, 200, np.uint8)
    gray[1::2] = 100
    framed, width, times = bordered(gray)
    assert (times, width) == (halvings, max(1, round(0.3 * min(inner))))
    assert framed.shape == (inner[0] + 2 * width, inner[1] + 2 * width)
    assert not halvings or (framed[width:-width, width:-width] == 150).all()


@pytest.mark.parametrize("shape", [(1,), (2,), (7, 9), (8, 9)])
@pytest.mark.parametrize("levels", [2, 256])
def test_the_median_is_that_of_numpy(shape, levels, monkeypatch):
    monkeypatch.setattr(background, "COUNTED", 20)
    for seed in range(5):
        gray = np.random.default_rng(seed).integers(0, levels, shape, np.uint8)
        assert background._median(gray) == np.median(gray)
