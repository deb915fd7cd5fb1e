"""runtime/c/image.c held against the Python functions that it is written from: the same pixels, to the last bit."""

import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime import background, levels, orientation, preprocessing, resampling, strips
from digitocr.runtime.recognizer import COLUMN, Recognizer
from digitocr.runtime.strips import Place

MEMORY = 3  # DIGITOCR_ERROR_MEMORY
LAW = settings(derandomize=True, deadline=None, max_examples=40)
SEEDS = st.integers(0, 2**32 - 1)
SHAPES = st.one_of(
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.tuples(st.integers(1, 9), st.integers(200, 1500)),
    st.tuples(st.integers(200, 1500), st.integers(1, 9)),
    st.tuples(st.integers(1, 400), st.integers(1, 400)),
)
KINDS = st.sampled_from(["noise", "flat", "two levels", "light"])


class CPlace(ctypes.Structure):
    """struct dg_place."""

    _fields_ = [(name, ctypes.c_double) for name in ("x", "y", "cosine", "sine", "scale")] + [
        (name, ctypes.c_int32) for name in ("width", "first", "count")
    ]


@pytest.fixture(scope="module")
def make(c_library, c_types):
    """A function: name, gray, ... -> the picture made of that one in an arena of `size` bytes, or the error."""
    picture, arena = c_types

    def call(name, gray, *arguments, size):
        made, memory = picture(), arena(size)
        function = getattr(c_library, f"dg_{name}")
        error = function(ctypes.byref(picture.of(gray)), *arguments, ctypes.byref(memory), ctypes.byref(made))
        assert memory.is_kept()
        return made.array() if error == 0 else error

    return call


def drawn(kind, shape, seed):
    """A picture, on every other seed a part of a larger one."""
    rng = np.random.default_rng(seed)
    height, width = shape
    margin = seed % 2 * 3
    shape = height, width + 2 * margin
    if kind == "noise":
        gray = rng.integers(0, 256, shape)
    elif kind == "flat":
        gray = np.full(shape, rng.integers(256))
    elif kind == "two levels":
        gray = rng.integers(0, 2, shape) * rng.integers(1, 30) + rng.integers(200)
    else:
        light = np.add.outer(*(np.linspace(0, rng.integers(256), side) for side in shape)) / 2
        gray = np.clip(light + rng.normal(0, 8, shape), 0, 255)
    return gray.astype(np.uint8)[:, margin : margin + width]


BORDERS = st.sampled_from(
    [(0, 0), (0, 0), (1, 0), (40, 0), (7, 1), (1, 2), (40, 3)]
)  # pixels, and how often it is halved


def framed_in(gray, border):
    """The arguments of a view of the picture in a border, or as much of it as can be halved, and its pixels."""
    width, halvings = border
    while min(gray.shape) >> halvings < 1:
        halvings -= 1
    return (width, 99, halvings), np.pad(resampling.halved(gray, halvings), width, constant_values=99)


@LAW
@given(KINDS, SHAPES, SEEDS, BORDERS, st.data())
def test_sizes(c_library, c_types, c_view, kind, shape, seed, border, data):
    gray = drawn(kind, shape, seed)
    border, framed = framed_in(gray, border)
    side = data.draw(st.integers(1, max(framed.shape) + 2))
    size = c_library.dg_shrunk_bytes(framed.shape[1], framed.shape[0], side)
    for enough in (size, data.draw(st.integers(0, size))):
        memory, made = c_types[1](enough), c_view()
        view = c_view.of(gray, *border)
        error = c_library.dg_shrunk(ctypes.byref(view), side, ctypes.byref(memory), ctypes.byref(made))
        assert memory.is_kept()
        assert error == 0 or (error == MEMORY and enough < size)
        if not error and size:
            np.testing.assert_array_equal(made.picture.array(), background.shrunk(framed, side))


@LAW
@given(KINDS, SHAPES, SEEDS)
def test_an_even_background(c_library, c_types, kind, shape, seed):
    gray = drawn(kind, shape, seed)
    size = c_library.dg_even_in_place_bytes(gray.shape[1])
    for enough, error in ((size, 0), (48, MEMORY)):
        made, memory = gray.copy(), c_types[1](enough)
        picture, pixels = c_types[0].of(made), ctypes.c_void_p(made.ctypes.data)
        assert c_library.dg_even_in_place(ctypes.byref(picture), pixels, ctypes.byref(memory)) == error
        assert memory.is_kept()
        np.testing.assert_array_equal(made, gray if error else background.evened(gray))


@LAW
@given(KINDS, SHAPES, SEEDS, st.integers(0, 359) | st.sampled_from([0, 90, 180, 270]))
def test_turning(c_library, make, kind, shape, seed, degrees):
    gray = drawn(kind, shape, seed)
    size = c_library.dg_turn_bytes(gray.shape[1], gray.shape[0], degrees)
    np.testing.assert_array_equal(make("turn", gray, degrees, size=size), orientation.turned(gray, degrees))
    assert not degrees or make("turn", gray, degrees, size=size - 16) == MEMORY


def test_cosines_and_sines_of_all_degrees(c_library):
    cosine, sine = ctypes.c_double(), ctypes.c_double()
    for degrees in range(360):
        c_library.dg_cos_sin(degrees, ctypes.byref(cosine), ctypes.byref(sine))
        assert (cosine.value, sine.value) == orientation.cos_sin(degrees)


@LAW
@given(KINDS, SHAPES, SEEDS)
def test_two_levels_that_cannot_be_told_apart(make, kind, shape, seed):
    gray = drawn(kind, shape, seed)
    np.testing.assert_array_equal(make("unmasked", gray, size=gray.size + 16), levels.unmasked(gray))


@LAW
@given(KINDS, SHAPES, SEEDS, BORDERS, st.booleans())
def test_digits_in_boxes(c_library, c_types, c_view, kind, shape, seed, border, is_evened):
    gray, rng = drawn(kind, shape, seed), np.random.default_rng(seed)
    border, framed = framed_in(gray, border)
    around = rng.choice([2, 20, 60, 2 * min(max(shape), 200)], (12, 1))  # also boxes beyond the picture
    places = rng.uniform(-around, np.array(shape[::-1]) + around, (12, 2))
    boxes = np.concatenate([places, rng.uniform(0.1, 1, (12, 2)) * around], 1).astype(np.float32)
    boxes[::3] = np.rint(2 * boxes[::3]) / 2
    view = c_view.of(gray, *border)
    memory, crop = c_types[1](c_library.dg_crop_bytes(framed.shape[1])), np.empty((28, 28), np.uint8)
    behind = c_types[1](c_library.dg_background_bytes(framed.shape[1]))
    if is_evened:
        assert c_library.dg_find_background(ctypes.byref(view), ctypes.byref(behind), ctypes.byref(view)) == 0
        framed = background.evened(framed)
    for box, expected in zip(boxes, preprocessing.images(framed, boxes), strict=True):
        error = c_library.dg_crop(
            ctypes.byref(view),
            ctypes.c_void_p(box.ctypes.data),
            ctypes.byref(memory),
            ctypes.c_void_p(crop.ctypes.data),
        )
        assert error == 0
        np.testing.assert_array_equal(crop, expected)
    assert memory.is_kept()
    assert behind.is_kept()


@LAW
@given(KINDS, SEEDS)
def test_a_picture_of_one_digit(c_library, c_types, kind, seed):
    gray, crop = drawn(kind, (28, 28), seed), np.empty((28, 28), np.uint8)
    gray = gray * (gray > 150)
    picture = c_types[0].of(gray)
    c_library.dg_lone(ctypes.byref(picture), ctypes.c_void_p(crop.ctypes.data))
    np.testing.assert_array_equal(crop, preprocessing.lone(gray)[0])
    assert c_library.dg_is_blank(ctypes.byref(picture)) == preprocessing.is_blank(gray)


def placed(shape, seed):
    """A place of a line, which may lie beyond the picture, in Python and in C."""
    rng = np.random.default_rng(seed)
    angle, scale = rng.uniform(-0.6, 0.6), float(np.exp(rng.uniform(-2, 3)))
    x, y = rng.uniform(-50, shape[1]), rng.uniform(-10, shape[0])
    place = Place(
        float(x), float(y), float(np.cos(angle)), float(np.sin(angle)), scale, 8 * int(rng.integers(1, 30)), ()
    )
    return place, CPlace(*place[:6], 0, 0)


CUT_BYTES = 256  # more than struct dg_cut has


class COutput(ctypes.Structure):
    """struct dg_output."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        *((name, ctypes.c_int32) for name in ("rows", "columns", "channels", "stride")),
        ("scale", ctypes.c_float),
        ("zero_point", ctypes.c_int32),
    ]


@LAW
@given(KINDS, SHAPES, SEEDS, st.sampled_from([1, 2]))
def test_the_strip_of_a_line(c_library, c_types, kind, shape, seed, step):
    gray, (place, c_place) = drawn(kind, shape, seed), placed(shape, seed)
    picture, cut = c_types[0].of(gray), (ctypes.c_char * CUT_BYTES)()
    columns = np.full((place.width, 32), 7, np.uint8)
    c_library.dg_begin_cut(cut, ctypes.byref(picture), ctypes.byref(c_place))
    for number, column in enumerate(columns):
        c_library.dg_cut_column(cut, number, step, ctypes.c_void_p(column.ctypes.data))
    np.testing.assert_array_equal(columns.T[::step], strips.cut(gray, place)[::step])
    assert step == 1 or (columns.T[1::step] == 7).all()


@settings(LAW, max_examples=10)
@given(KINDS, SEEDS)
def test_the_columns_of_a_line(c_library, c_types, kind, seed):
    gray, (place, c_place) = drawn(kind, (200, 300), seed), placed((200, 300), seed)
    size, output = c_library.dg_look_bytes(place.width), COutput()
    for enough, expected in ((1000, MEMORY), (size // 2, MEMORY), (size, 0)):
        memory = c_types[1](enough)
        error = c_library.dg_look(
            ctypes.byref(c_types[0].of(gray)), ctypes.byref(c_place), ctypes.byref(memory), ctypes.byref(output)
        )
        assert error == expected
        assert memory.is_kept()
    columns = np.empty((place.width // COLUMN, 18), np.float32)
    for number, column in enumerate(columns):
        c_library.dg_column_of(ctypes.byref(output), number, ctypes.c_void_p(column.ctypes.data))
    (expected,) = Recognizer().columns([strips.cut(gray, place)])
    np.testing.assert_allclose(columns, expected, atol=1e-6)
