"""runtime/c/reading.c held against the Python functions that it is written from, on drawn boxes and answers."""

import ctypes
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime import attempt as attempts
from digitocr.runtime import lines
from digitocr.runtime.attempt import Attempt
from digitocr.runtime.characters import Character
from digitocr.runtime.confidence import load_confidence
from digitocr.runtime.numbers import grouped
from digitocr.runtime.orientation import _turned_shape, turned_back
from digitocr.runtime.recognition import clear_digits, is_doubtful, mean_of_looks, read_line, recognition
from digitocr.runtime.recognizer import CLASS_COUNT, COLUMN, segments, softmax
from digitocr.runtime.strips import Place, find_lines, fitted

GRAY = np.full((600, 800), 200, np.uint8)
MODEL = load_confidence()
ARENA = 1 << 22  # bytes


class PlaceC(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in ("x", "y", "cosine", "sine", "scale")] + [
        (name, ctypes.c_int32) for name in ("width", "first", "count")
    ]


class SegmentC(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int16) for name in ("left", "right")),
        ("kind", ctypes.c_int32),
        ("share", ctypes.c_float),
    ]


class CharacterC(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_double) for name in ("x", "y", "width", "height", "confidence")),
        ("row", ctypes.c_int32),
        ("text", ctypes.c_char),
    ]


class Lines(ctypes.Structure):
    _fields_ = [
        ("count", ctypes.c_int32),
        ("starts", ctypes.POINTER(ctypes.c_int32)),
        ("rows", ctypes.POINTER(ctypes.c_int32)),
    ]


class Places(ctypes.Structure):
    _fields_ = [
        ("count", ctypes.c_int32),
        ("places", ctypes.POINTER(PlaceC)),
        ("rows", ctypes.POINTER(ctypes.c_int32)),
    ]


class RecognitionC(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int32) for name in ("found", "count", "capacity")),
        ("boxes", ctypes.POINTER(ctypes.c_float)),
        ("lined", ctypes.POINTER(ctypes.c_float)),
        ("beside", ctypes.POINTER(ctypes.c_float)),
        ("is_seen", ctypes.POINTER(ctypes.c_ubyte)),
        ("others", ctypes.POINTER(CharacterC)),
        ("other_count", ctypes.c_int32),
        ("other_capacity", ctypes.c_int32),
        ("digits_shown", ctypes.c_double),
        ("others_shown", ctypes.c_double),
    ]


class GroupC(ctypes.Structure):
    _fields_ = [
        ("text", ctypes.c_char_p),
        ("first", ctypes.c_int32),
        ("count", ctypes.c_int32),
        ("confidence", ctypes.c_double),
    ]


class Groups(ctypes.Structure):
    _fields_ = [
        ("count", ctypes.c_int32),
        ("groups", ctypes.POINTER(GroupC)),
        ("places", ctypes.POINTER(ctypes.c_int32)),
        ("texts", ctypes.c_char_p),
    ]


class Scores(ctypes.Structure):
    _fields_ = [("read", ctypes.c_int32)] + [(name, ctypes.c_double) for name in ("reading", "upright", "mean")]


class Arena(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("end", ctypes.c_void_p)]


def pointer(array: np.ndarray | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if array is None else array.ctypes.data)


class Library:
    """The functions, with an arena of their own."""

    def __init__(self, c: ctypes.CDLL) -> None:
        self.c = c
        self.c.dg_lone_confidence.restype = ctypes.c_double
        self.c.dg_lone_confidence.argtypes = [ctypes.c_double]
        self.memory = np.zeros(ARENA, np.uint8)
        self.arena = Arena()

    def fresh(self) -> Any:
        start = self.memory.ctypes.data + -self.memory.ctypes.data % 16
        self.arena = Arena(start, self.memory.ctypes.data + ARENA)
        return ctypes.byref(self.arena)

    def lines(self, made: Lines) -> list[list[int]]:
        return [made.rows[made.starts[n] : made.starts[n + 1]] for n in range(made.count)]


@pytest.fixture(scope="module")
def library(c_library: ctypes.CDLL) -> Library:
    return Library(c_library)


def written_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    """(count, 4) boxes in lines, some of them aslant, and marks beside; on whole pixels, half the time."""
    boxes: list[list[float]] = []
    tilt = rng.choice([0.0, 0.0, 0.1, -0.3])
    while len(boxes) < count:
        if rng.random() < 0.15:
            boxes.append([*rng.uniform(0, 700, 2), *rng.uniform(1, 60, 2)])
            continue
        height, x, y = rng.uniform(8, 60), rng.uniform(0, 300), rng.uniform(0, 500)
        for _ in range(rng.integers(1, 12)):
            wide, tall = height * rng.uniform(0.2, 0.8), height * rng.uniform(0.8, 1.2)
            boxes.append([x, y + tilt * x + rng.normal(0, height / 20), wide, tall])
            x += wide + height * rng.choice([0.1, 0.2, 0.9, 3])
    made = np.array(boxes[:count], np.float32).reshape(-1, 4)
    return np.maximum(np.rint(made), 1) if rng.random() < 0.5 else made


def probabilities(rng: np.random.Generator, count: int, classes: int) -> np.ndarray:
    return rng.dirichlet(np.full(classes, 0.15), count).astype(np.float32).reshape(-1, classes)


SEEDS = st.integers(0, 2**32 - 1)
COUNTS = st.one_of(st.integers(0, 12), st.integers(40, 90))
some_boxes = given(SEEDS, COUNTS)
few = settings(derandomize=True, deadline=None, max_examples=60)


def int32(values: Any) -> np.ndarray:
    return np.ascontiguousarray(values, np.int32)


@few
@given(SEEDS)
def test_softmax(library: Library, seed: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 6, CLASS_COUNT).astype(np.float32)
    made = np.zeros(CLASS_COUNT, np.float32)
    library.c.dg_softmax(pointer(logits), CLASS_COUNT, pointer(made))
    np.testing.assert_allclose(made, softmax(logits), rtol=2e-7)


@few
@some_boxes
def test_confidences_of_candidates(library: Library, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    boxes, scores = written_boxes(rng, count), rng.uniform(0.2, 1, count).astype(np.float32)
    classes = int(rng.choice([10, 11]))
    digits = probabilities(rng, count, classes)
    best, made = np.zeros(count, np.float32), np.zeros(count, np.float32)
    assert not library.c.dg_best_neighbours(pointer(boxes), pointer(scores), count, library.fresh(), pointer(best))
    np.testing.assert_array_equal(best, lines.best_neighbour(boxes, scores))
    assert not library.c.dg_candidate_confidences(
        pointer(boxes), pointer(scores), pointer(digits), classes, count, library.fresh(), pointer(made)
    )
    np.testing.assert_allclose(made, MODEL.of_candidates(boxes, scores, digits[:, :10]), atol=1e-7)


def test_confidence_of_a_lone_digit(library: Library) -> None:
    for probability in (0.0, 0.3, 0.99, 0.9999, 1.0):
        assert library.c.dg_lone_confidence(probability) == pytest.approx(MODEL.of_lone(probability), abs=1e-12)


@few
@some_boxes
def test_slope_and_reading_order(library: Library, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    boxes = written_boxes(rng, count)
    rows = int32(np.flatnonzero(rng.random(count) < 0.8))
    angle = ctypes.c_double()
    arena = library.fresh()
    assert not library.c.dg_slope(pointer(boxes), pointer(rows), len(rows), arena, ctypes.byref(angle))
    assert angle.value == pytest.approx(lines.slope(boxes[rows]), abs=1e-14)
    made = Lines()
    assert not library.c.dg_take_lines(ctypes.byref(made), count, arena)
    assert not library.c.dg_reading_order(pointer(boxes), pointer(rows), len(rows), arena, ctypes.byref(made))
    assert library.lines(made) == [rows[line].tolist() for line in lines.reading_order(boxes[rows])]
    left = int32(np.setdiff1d(np.arange(count), rows)[::-1])
    expected = lines.joined(library.lines(made), boxes, left.tolist())
    assert not library.c.dg_join(ctypes.byref(made), pointer(boxes), count, pointer(left), len(left), arena)
    assert library.lines(made) == expected


@few
@some_boxes
def test_places_of_lines(library: Library, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    boxes = written_boxes(rng, count)
    rows = int32(np.flatnonzero(rng.random(count) < 0.8))
    made = Places()
    assert not library.c.dg_find_places(pointer(boxes), pointer(rows), len(rows), library.fresh(), ctypes.byref(made))
    expected = find_lines(boxes, rows.astype(np.int64))
    assert made.count == len(expected)
    for place, one in zip(made.places[: made.count], expected, strict=True):
        assert tuple(made.rows[place.first : place.first + place.count]) == one.rows
        assert place.width == one.width
        assert (place.x, place.y, place.cosine, place.sine) == pytest.approx(one[:4], abs=1e-9)
        assert place.scale == one.scale


def written_columns(rng: np.random.Generator, count: int) -> np.ndarray:
    """(count, 18) float32 probabilities of a line's columns: runs of characters and gaps, some of them unsure."""
    logits = rng.normal(0, 1, (count, CLASS_COUNT))
    at = 0
    while at < count:
        length = int(rng.integers(1, 6))
        kind = rng.choice([int(rng.integers(0, 10)), int(rng.integers(10, 16)), 16, 17, 17])
        logits[at : at + length, kind] += rng.choice([3, 6, 9])
        at += length
    made: np.ndarray = softmax(logits.astype(np.float32))
    return made


@few
@given(SEEDS, st.integers(1, 200))
def test_segments(library: Library, seed: int, count: int) -> None:
    columns = written_columns(np.random.default_rng(seed), count)
    expected = segments(columns)
    found = library.c.dg_find_segments(pointer(columns), count, None)
    assert found == len(expected)
    made = (SegmentC * max(found, 1))()
    assert library.c.dg_find_segments(pointer(columns), count, made) == found
    for part, one in zip(made[:found], expected, strict=True):
        assert (part.left, part.right, part.kind) == (one.left, one.right, one.kind)
        assert part.share == one.kind_share


class Random:
    """In the recognizer's place: random columns, the same for the same width."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.widths: list[int] = []

    def columns(self, strips: list[np.ndarray]) -> list[np.ndarray]:
        (strip,) = strips
        width = -(-strip.shape[1] // COLUMN)
        return [written_columns(np.random.default_rng([self.seed, width]), width)]


def crop(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = [probabilities(np.random.default_rng(int(abs(box[0]))), 1, 11) for box in boxes]
    return np.zeros((len(boxes), 28, 28), np.uint8), np.array(found, np.float32).reshape(-1, 11)


def place_of(place: Place, first: int) -> PlaceC:
    return PlaceC(place.x, place.y, place.cos, place.sin, place.scale, place.width, first, len(place.rows))


def an_attempt(rng: np.random.Generator, count: int) -> Attempt:
    return Attempt(
        0,
        written_boxes(rng, count),
        rng.uniform(0.2, 1, count).astype(np.float32),
        np.zeros((count, 28, 28), np.uint8),
        probabilities(rng, count, 11),
        rng.uniform(0, 1, count).astype(np.float32),
    )


@settings(derandomize=True, deadline=None, max_examples=30)
@given(SEEDS, st.integers(1, 300))
def test_a_closer_look(library: Library, seed: int, count: int) -> None:
    columns, arena = written_columns(np.random.default_rng(seed), count), library.fresh()
    is_open = ctypes.c_int32()
    assert not library.c.dg_is_doubtful(pointer(columns), count, arena, ctypes.byref(is_open))
    assert is_open.value == any(map(is_doubtful, segments(columns)))
    place = Place(3.0, 4.0, 1.0, 0.0, 1.7, count * COLUMN, ())
    library.c.dg_closer.restype = PlaceC
    closer = library.c.dg_closer(ctypes.byref(place_of(place, 0)), 6000)
    assert (closer.scale, closer.width) == (place.closer().scale, place.closer().width)
    larger = written_columns(np.random.default_rng([seed, 1]), closer.width // COLUMN)
    expected = mean_of_looks(columns, larger)
    for n in range(count):
        same = library.c.dg_closer_column(n, len(larger))
        library.c.dg_take_means(pointer(columns[n]), pointer(larger[same]))
    np.testing.assert_array_equal(columns, expected)


@few
@given(SEEDS, st.integers(1, 12), st.integers(0, 6))
def test_a_line_by_its_clear_digits(library: Library, seed: int, count: int, above: int) -> None:
    rng = np.random.default_rng(seed)
    line = np.column_stack(
        [60.0 * np.arange(count), rng.normal(100, 6, count), rng.uniform(10, 50, count), rng.uniform(35, 55, count)]
    )
    boxes = np.concatenate([line, written_boxes(rng, above)]).astype(np.float32)
    seeds = np.arange(len(boxes))
    for place in find_lines(boxes, seeds):
        columns = written_columns(rng, place.width // COLUMN)
        clear = clear_digits(boxes, place, segments(columns))
        expected = fitted(boxes, place, clear, seeds)
        made, is_off, rows = PlaceC(), ctypes.c_int32(), int32(place.rows)
        assert not library.c.dg_fit_place(
            pointer(boxes),
            pointer(int32(seeds)),
            len(seeds),
            ctypes.byref(place_of(place, 0)),
            pointer(rows),
            pointer(columns),
            len(columns),
            library.fresh(),
            ctypes.byref(made),
            ctypes.byref(is_off),
        )
        assert is_off.value == (expected is not place)
        if is_off.value:
            assert (made.width, made.scale, made.count) == (expected.width, expected.scale, len(rows))
            assert (made.x, made.y, made.cosine, made.sine) == pytest.approx(expected[:4], abs=1e-9)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(SEEDS, st.integers(0, 30))
def test_recognition(library: Library, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    some = an_attempt(rng, count)
    reader: Any = Random(seed)
    expected = recognition(GRAY, some, reader, crop, MODEL)
    found = RecognitionC()
    arena, here = library.fresh(), ctypes.byref(found)
    assert not library.c.dg_take_recognition(here, count + 500, 500, arena)
    library.c.dg_begin_recognition(here, pointer(some.boxes), count)
    for read in expected.strips:
        rows = int32(read.place.rows)
        plain = read.place._replace(rows=())  # it is not fitted once more
        _, columns = read_line(GRAY, some.boxes, np.arange(0), plain, reader)
        place = place_of(read.place, 0)
        assert not library.c.dg_is_read_already(here, ctypes.byref(place), pointer(rows))
        assert not library.c.dg_read_strip(
            here, ctypes.byref(place), pointer(rows), pointer(columns), len(columns), arena
        )
    assert not library.c.dg_keep_distinct(here, arena)
    assert found.count == len(expected.boxes)
    boxes = np.ctypeslib.as_array(found.boxes, (found.count, 4))
    lined = np.ctypeslib.as_array(found.lined, (found.count, CLASS_COUNT))
    beside = np.ctypeslib.as_array(found.beside, (found.count, 2))
    np.testing.assert_array_equal(boxes, expected.boxes)
    np.testing.assert_array_equal(lined, expected.lined)
    np.testing.assert_array_equal(beside, expected.features[:, 10:12])
    others = [
        (one.text.decode(), (one.x, one.y, one.width, one.height), one.confidence, one.row)
        for one in found.others[: found.other_count]
    ]
    assert others == [tuple(one) for one in expected.others]
    read = np.concatenate([some.probabilities, crop(boxes[count:])[1]])
    made = expected.attempt(0, MODEL)
    digits = np.zeros(10, np.float32)
    right, place_confidence = ctypes.c_float(), ctypes.c_float()
    elsewhere = (ctypes.c_float * 2)()
    undecided = np.concatenate([some.scores, np.full(found.count - count, 0.5, np.float32)])
    before = np.concatenate([some.confidence, MODEL.of_candidates(boxes, undecided, read[:, :10])[count:]])
    for row in range(found.count):
        library.c.dg_combined(pointer(read[row]), pointer(lined[row]), pointer(digits))
        np.testing.assert_allclose(digits, expected.digits[row, :10], rtol=3e-7)
        library.c.dg_elsewhere(here, row, elsewhere)
        library.c.dg_character_confidences(
            ctypes.c_float(before[row]),
            row < count,
            pointer(read[row]),
            pointer(lined[row]),
            pointer(digits),
            pointer(beside[row]),
            elsewhere,
            ctypes.c_float(boxes[row, 3] / np.float32(GRAY.shape[0])),
            ctypes.byref(right),
            ctypes.byref(place_confidence),
        )
        assert right.value == pytest.approx(float(made.confidence[row]), abs=1e-7)
        assert made.place_confidence is not None
        assert place_confidence.value == pytest.approx(float(made.place_confidence[row]), abs=1e-7)


def characters_c(characters: list[Character]) -> Any:
    return (CharacterC * max(len(characters), 1))(
        *(CharacterC(*one.box, one.confidence, one.row, one.text.encode()) for one in characters)
    )


TEXTS = st.text("0123456789011223?.,-+:/-/**", max_size=14)


def written_line(rng: np.random.Generator, text: str) -> list[Character]:
    """The text in print: with spaces, in cells, or by hand; the end of it may be smaller."""
    height, pitch, x, made = 30.0, rng.choice([0.0, 0.0, 1.3]), 0.0, []
    uneven, usual = rng.choice([0.0, 0.02, 0.3]), rng.choice([0.1, 0.5])
    smaller, size = int(rng.integers(1, 15)), float(rng.choice([0.2, 0.5, 1.0]))
    for place, one in enumerate(text):
        height *= size if place == smaller else 1.0
        wide = height * (0.15 if one in "1.,-:" else 0.55 if one != "*" else rng.choice([0.1, 0.5]))
        tall = height * (1 + rng.normal(0, uneven / 3))
        made.append(Character(one, (x, 0.0, wide, max(tall, 1.0)), float(rng.uniform(0.05, 1)), place))
        gap = usual + rng.normal(0, uneven) + (rng.choice([0.3, 1.0]) if rng.random() < 0.2 else 0)
        x += height * pitch if pitch else wide + height * gap
    return made


@settings(derandomize=True, deadline=None, max_examples=400)
@given(SEEDS, TEXTS)
def test_numbers(library: Library, seed: int, text: str) -> None:
    characters = written_line(np.random.default_rng(seed), text)
    expected = grouped(characters)
    count = len(characters)
    groups = (GroupC * max(count, 1))()
    places = (ctypes.c_int32 * max(count, 1))()
    texts = ctypes.create_string_buffer(2 * count + 1)
    made = Groups(0, groups, places, ctypes.cast(texts, ctypes.c_char_p))
    assert not library.c.dg_group(characters_c(characters), count, library.fresh(), ctypes.byref(made))
    found = [(one.text.decode(), tuple(places[one.first : one.first + one.count])) for one in groups[: made.count]]
    assert found == [(one.text, one.places) for one in expected]
    confidences = [one.confidence for one in groups[: made.count]]
    assert confidences == pytest.approx([MODEL.of_number(one) for one in expected], abs=1e-12)


@few
@given(
    SEEDS, st.integers(0, 40), st.sampled_from([0.0, 0.3, 0.5, 0.8, 1.0]), st.sampled_from(["auto", "line", "single"])
)
def test_lines_and_characters_that_are_kept(
    library: Library, seed: int, count: int, conf: float, mode: attempts.Mode
) -> None:
    rng = np.random.default_rng(seed)
    some = an_attempt(rng, count)
    for row in np.flatnonzero(rng.random(count) < 0.3):  # two candidates of one place
        some.boxes[row] = some.boxes[rng.integers(count)] + np.float32(rng.uniform(0, 8))
    places = np.maximum(some.confidence, rng.uniform(0, 1, count)).astype(np.float32)
    others = tuple(
        Character(str(rng.choice(list(".,-*"))), tuple((box + rng.normal(0, 5, 4)).tolist()), 0.9, -1)
        for box in some.boxes[rng.random(count) < 0.5]
    )
    some = some._replace(place_confidence=places, others=others)
    arena, lined = library.fresh(), Lines()
    assert not library.c.dg_take_lines(ctypes.byref(lined), count, arena)
    assert not library.c.dg_find_kept(
        pointer(some.boxes),
        pointer(some.confidence),
        pointer(places),
        count,
        ctypes.c_float(conf),
        ["auto", "line", "single"].index(mode),
        arena,
        ctypes.byref(lined),
    )
    kept = library.lines(lined)
    assert kept == some.lines(conf, mode)
    found = RecognitionC(count, count, count, boxes=some.boxes.ctypes.data_as(ctypes.POINTER(ctypes.c_float)))
    found.others, found.other_count = characters_c(list(others)), len(others)
    for line in kept:
        made, size, rows = ctypes.POINTER(CharacterC)(), ctypes.c_int32(), int32(line)
        assert not library.c.dg_line_characters(
            ctypes.byref(found),
            pointer(some.probabilities),
            11,
            pointer(some.confidence),
            pointer(rows),
            len(line),
            ctypes.c_float(conf),
            arena,
            ctypes.byref(made),
            ctypes.byref(size),
        )
        characters = [
            Character(one.text.decode(), (one.x, one.y, one.width, one.height), one.confidence, one.row)
            for one in made[: size.value]
        ]
        assert characters == some.characters(line, conf)


@few
@given(SEEDS, st.integers(0, 6))
def test_a_wheel_between_two_digits(library: Library, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    some = an_attempt(rng, count)
    boxes = some.boxes
    boxes[:, 1] = rng.choice([-1, 2, 50, 55], count)
    boxes[:, 3] = rng.choice([40, 46, 60], count)
    boxes[:, 0] = rng.uniform(0, 30, count)
    confidence = rng.choice([0.2, 0.9], count, p=[0.7, 0.3]).astype(np.float32)
    expected = some._replace(confidence=confidence).without_cut_wheel((100, 60)).confidence
    library.c.dg_without_cut_wheel(pointer(boxes), pointer(confidence), count, 100)
    assert confidence.tolist() == expected.tolist()


@few
@some_boxes
def test_how_well_a_rotation_reads(library: Library, seed: int, count: int) -> None:
    some = an_attempt(np.random.default_rng(seed), count)
    made = Scores()
    assert not library.c.dg_reading_scores(
        pointer(some.probabilities), 11, pointer(some.confidence), count, library.fresh(), ctypes.byref(made)
    )
    assert (made.read, made.reading) == (len(some.read), some.reading_score)
    assert (made.upright, made.mean) == (some.upright_score, some.mean_confidence)


@few
@given(SEEDS, st.sampled_from([0, 90, 180, 270, 13, 348]))
def test_boxes_are_turned_back(library: Library, seed: int, degrees: int) -> None:
    boxes = written_boxes(np.random.default_rng(seed), 8)
    made = np.zeros_like(boxes)
    height, width = _turned_shape((480, 640), degrees)
    library.c.dg_turned_back(pointer(boxes), 8, 640, 480, width, height, degrees, pointer(made))
    np.testing.assert_array_equal(made, turned_back(boxes, (480, 640), degrees))


def test_a_small_arena_is_an_error_and_nothing_is_written_beyond_it(library: Library) -> None:
    rng = np.random.default_rng(0)
    boxes, rows = written_boxes(rng, 50), np.arange(50, dtype=np.int32)
    for size in range(0, 16000, 320):
        library.memory[:] = 0
        library.fresh()
        library.arena.end = library.arena.at + size
        made = Places()
        error = library.c.dg_find_places(
            pointer(boxes), pointer(rows), 50, ctypes.byref(library.arena), ctypes.byref(made)
        )
        assert error in (0, 3)
        assert not library.memory[size + 16 :].any()
    assert not error
