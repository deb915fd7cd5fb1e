from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis import glyphs as module
from digitocr.train.synthesis.glyphs import AMBIGUOUS, LETTERS, SYMBOLS, Font, Glyphs, hull

BUNDLED = Path(get_data_path()) / "fonts" / "ttf"  # Matplotlib brings some fonts along
SANS = BUNDLED / "DejaVuSans.ttf"
KINDS = ("mnist", "strokes", "font", "hand-font", "segments")


def mnist_like():
    """(50, 28, 28) and (50,): of each digit five bars, 20 pixels high, the higher the digit the broader."""
    labels = np.resize(np.arange(10, dtype=np.uint8), 50)
    images = np.zeros((50, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4:24, 4 : 7 + 2 * label] = 255
    return images, labels


@pytest.fixture(scope="module")
def glyphs(tmp_path_factory):
    hand = tmp_path_factory.mktemp("fonts") / "comic.ttf"  # a hand, by its name
    hand.symlink_to(BUNDLED / "DejaVuSerif.ttf")
    return Glyphs(*mnist_like(), [SANS, hand], hands=4)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", KINDS)
def test_digits_stand_on_the_line_and_are_a_digit_high(glyphs, kind):
    numbers = rng()
    for _ in range(6):
        alphabet = glyphs.alphabet(numbers, [kind])
        assert alphabet.kind == kind
        for digit in range(10):
            glyph = alphabet.digit(digit, numbers)
            assert glyph.ink.dtype == np.uint8
            assert glyph.ink.max() > 200
            by_hand = kind in ("mnist", "strokes")  # some hands write small zeros, and short or long ones
            least = {0: 0.4, 1: 0.6}.get(digit, 0.9) if by_hand else 0.9
            most = 1.45 if by_hand and digit == 1 else 1.15
            assert -most < glyph.top < -least
            if kind != "mnist" or digit not in (1, 3, 4, 7, 9):  # whose tails may reach below the line
                assert least < glyph.height < most
                assert glyph.top + glyph.height < 0.1  # the line's base
            assert glyph.width / glyph.height == pytest.approx(glyph.ink.shape[1] / glyph.ink.shape[0], rel=0.02)
            assert glyph.advance >= glyph.width * 0.8
            across = () if kind == "segments" else (glyph.ink[0], glyph.ink[-1])  # a display's are all as high
            for edge in (*across, glyph.ink[:, 0], glyph.ink[:, -1]):
                assert edge.max() > 0  # cut out tightly
            assert bool(alphabet.letter) == (kind in ("font", "hand-font"))


def test_some_hands_write_short_or_long_ones(glyphs):
    numbers = rng()
    heights = [glyphs.alphabet(numbers, ["strokes"]).digit(1, numbers).height for _ in range(60)]
    assert min(heights) < 0.75 < 1.3 < max(heights)
    assert 20 < sum(abs(height - 1) < 0.05 for height in heights) < 55


def test_some_writers_let_threes_fours_sevens_and_nines_reach_below_the_line(glyphs):
    numbers, tailed = rng(), 0
    for _ in range(60):
        alphabet = glyphs.alphabet(numbers, ["mnist"])
        heights = [alphabet.digit(digit, numbers).height for digit in range(10)]
        assert {heights[digit] for digit in (2, 5, 6, 8)} == {1.0}
        tailed += heights[7] > 1.05
        assert len({heights[digit] > 1.05 for digit in (3, 4, 7, 9)}) == 1
    assert 4 <= tailed <= 24


@pytest.mark.parametrize("kind", ["mnist", "strokes"])
def test_some_hands_write_small_zeros_that_stand_on_the_line_in_their_own_shape(glyphs, kind):
    numbers, small = rng(), 0
    for _ in range(60):
        alphabet = glyphs.alphabet(numbers, [kind])
        zeros = [alphabet.digit(0, numbers) for _ in range(3)]
        assert len({zero.height for zero in zeros}) == 1 or kind == "strokes"  # a hand is the same all along
        for zero in zeros:
            assert zero.top + zero.height == pytest.approx(0, abs=0.1)
            assert zero.width / zero.height == pytest.approx(zero.ink.shape[1] / zero.ink.shape[0], rel=0.04)
        small += zeros[0].height < 0.9
    assert 8 <= small <= 32


def test_the_same_state_gives_the_same_glyphs(glyphs):
    def drawn(seed):
        numbers = rng(seed)
        alphabets = [glyphs.alphabet(numbers) for _ in range(12)]
        return [(alphabet.kind, alphabet.digit(place % 10, numbers)) for place, alphabet in enumerate(alphabets)]

    first, again, other = drawn(3), drawn(3), drawn(4)
    for (kind, glyph), (same_kind, same) in zip(first, again, strict=True):
        assert kind == same_kind
        np.testing.assert_array_equal(glyph.ink, same.ink)
    assert [kind for kind, _ in first] != [kind for kind, _ in other]


def test_every_source_comes_as_often_as_it_should(glyphs):
    numbers = rng()
    kinds = [glyphs.alphabet(numbers).kind for _ in range(600)]
    assert set(module.ALPHABET_ODDS) == set(KINDS)
    for kind, share in module.ALPHABET_ODDS.items():
        assert abs(kinds.count(kind) / 600 - share) < 0.06, kind


def test_a_digit_of_mnist_is_one_of_its_label_with_one_pen_for_all(glyphs):
    for seed in range(8):
        numbers = rng(seed)
        alphabet = glyphs.alphabet(numbers, ["mnist"])
        widths = [np.median([alphabet.digit(digit, numbers).width for _ in range(3)]) for digit in range(10)]
        assert (np.diff(widths[2:]) > 0).all()  # zeros have a size of their own, and so have ones
    pens = [glyphs.alphabet(rng(seed), ["mnist"]).digit(0, rng()).width for seed in range(20)]
    assert max(pens) > 1.2 * min(pens)


def test_hands_are_the_same_each_time_and_each_digit_differs_a_little():
    one, same, other = (Glyphs(*mnist_like(), [], hands=2, seed=seed) for seed in (0, 0, 1))

    def inks(some):
        numbers = rng(5)
        alphabet = some.alphabet(numbers, ["strokes"])
        return [alphabet.digit(4, numbers).ink for _ in range(12)]

    for a, b in zip(inks(one), inks(same), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(not np.array_equal(a, b) for a, b in zip(inks(one), inks(other), strict=True))
    assert 1 < len({ink.tobytes() for ink in inks(one)}) <= 3


def test_without_mnist_and_fonts_there_are_hands_and_plain_letters():
    bare = Glyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), [], hands=2)
    assert {bare.alphabet(rng(seed)).kind for seed in range(60)} == {"strokes", "segments"}
    words = bare.words(rng())
    for character in LETTERS + SYMBOLS:
        glyph = words.letter(character, rng())
        assert glyph.ink.max() > 200
        assert glyph.width > 0
    assert words.letter("m", rng()).width > 1.5 * words.letter("i", rng()).width
    assert words.letter("p", rng()).top + words.letter("p", rng()).height > 0.15  # below the line
    assert words.letter("L", rng()).top == pytest.approx(-1, abs=0.15)


@pytest.mark.parametrize(("digit", "lit"), list(enumerate(module._LIT)))
def test_displays_light_the_segments_of_each_digit(digit, lit):
    glyph = module._segments(digit, module._SegmentLook(40, 8, 1, 0.0, True))
    places = {"a": (4, 20), "b": (18, 36), "c": (46, 36), "d": (60, 20), "e": (46, 4), "f": (18, 4), "g": (32, 20)}
    left = round(glyph.left * module.GLYPH_HEIGHT) + 4
    wide = np.zeros((module.GLYPH_HEIGHT, 80), np.uint8)
    wide[:, left : left + glyph.ink.shape[1]] = glyph.ink
    assert {name for name, (y, x) in places.items() if wide[y, x + 4] > 128} == set(lit)
    assert (
        glyph.advance == module._segments(8, module._SegmentLook(40, 8, 1, 0.0, True)).advance
    )  # a one takes as much room


def test_a_six_and_a_nine_of_a_display_may_be_without_their_tails():
    for digit in (6, 9, 8):
        whole, cut = (
            module._segments(digit, module._SegmentLook(40, 8, 1, 0.0, tails)).ink.sum(dtype=int)
            for tails in (True, False)
        )
        assert (cut < whole) == (digit != 8)


def test_letters_and_symbols_of_a_font_have_their_own_sizes():
    font = Font(SANS)
    assert font.usable
    assert not font.handwritten
    assert font.glyph("x").height < 0.85 * font.glyph("X").height
    assert font.glyph("g").top + font.glyph("g").height > 0.15
    assert font.glyph(".").top > -0.3
    assert font.glyph("W").advance > 2 * font.glyph("i").advance
    assert font.glyph("7") is font.glyph("7")  # drawn once


def test_fonts_without_digits_and_files_that_are_none_are_left_out(tmp_path):
    (tmp_path / "damaged.ttf").write_bytes(b"no font")
    symbols = BUNDLED / "STIXSizOneSymReg.ttf"
    for path in (tmp_path / "damaged.ttf", tmp_path / "missing.ttf", symbols):
        assert not Font(path).usable
    some = Glyphs(*mnist_like(), [symbols, tmp_path / "damaged.ttf"], hands=1)
    assert some.alphabet(rng(), ["font"]).kind == "strokes"


def test_handwriting_is_told_by_the_name_of_its_file(tmp_path):
    for name, expected in (("Caveat-Bold.ttf", True), ("permanent-marker.woff2", True), ("Roboto.ttf", False)):
        (tmp_path / name).symlink_to(SANS)
        assert Font(tmp_path / name).handwritten is expected


def test_letters_like_digits_are_known():
    assert {"O", "l", "I", "S", "Z"} <= AMBIGUOUS
    assert not AMBIGUOUS & set("aekmrtxAEKMTXW&")


def test_a_hull_bounds_the_ink_at_every_turn():
    ink = np.zeros((60, 40), np.uint8)
    cv2.line(ink, (3, 50), (30, 4), 255, 5)
    cv2.circle(ink, (30, 40), 4, 255, -1)
    ys, xs = np.nonzero(ink > 90)
    corners = np.concatenate([np.stack([xs + dx, ys + dy], 1) for dx in (0, 1) for dy in (0, 1)])
    points = hull(ink)
    for turn in np.linspace(0, np.pi, 9):
        way = np.array([np.cos(turn), np.sin(turn)])
        assert abs((points @ way).max() - (corners @ way).max()) <= 0.75
        assert abs((points @ way).min() - (corners @ way).min()) <= 0.75
    np.testing.assert_array_equal(hull(ink * 0), [[0, 0], [40, 0], [40, 60], [0, 60]])


def test_a_sample_is_one_of_mnist_s_images_as_it_is(glyphs):
    images, labels = mnist_like()
    for digit in range(10):
        np.testing.assert_array_equal(glyphs.sample(digit, rng(digit)), images[labels == digit][0])
    assert Glyphs(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), [], hands=1).sample(3, rng()) is None
