"""digitocr_read of the C library held against Reader, on the examples and on drawn pictures."""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitocr.runtime import image
from digitocr.runtime.attempt import Mode
from digitocr.runtime.background import FRAMED_SIDE, bordered
from digitocr.runtime.orientation import ROTATIONS, Rotation
from digitocr.runtime.reader import Reader
from digitocr.runtime.reading import Reading

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.suffix in (".jpg", ".png"))
MODES: tuple[Mode, ...] = ("auto", "line", "single")  # enum digitocr_mode
AUTO = -1  # DIGITOCR_ROTATE_AUTO
ARGUMENT, SIZE, MEMORY, OPTIONS = 1, 2, 3, 4  # enum digitocr_error
NOTHING_FOUND, UNSURE = 1, 4  # enum digitocr_why


class Options(ctypes.Structure):
    _fields_ = [("conf", ctypes.c_float), ("rotate", ctypes.c_int32), ("mode", ctypes.c_int32)]


class Digit(ctypes.Structure):
    _fields_ = [
        ("digit", ctypes.c_int32),
        ("confidence", ctypes.c_float),
        ("box", ctypes.c_int32 * 4),
        ("likely", ctypes.c_int32 * 3),
        ("probability", ctypes.c_float * 3),
    ]


class Number(ctypes.Structure):
    _fields_ = [
        ("text", ctypes.c_char_p),
        ("confidence", ctypes.c_float),
        *((name, ctypes.c_int32) for name in ("line", "first", "count")),
    ]


class ReadingC(ctypes.Structure):
    _fields_ = [
        ("numbers", ctypes.POINTER(Number)),
        ("number_count", ctypes.c_int32),
        ("digits", ctypes.POINTER(Digit)),
        *((name, ctypes.c_int32) for name in ("digit_count", "line_count", "rotated", "why", "regions", "likeliest")),
        ("confidence", ctypes.c_float),
    ]


class Program:
    """digitocr_read with memory as large as it says it needs."""

    def __init__(self, library: ctypes.CDLL, picture: Any) -> None:
        self.library, self.picture = library, picture
        library.digitocr_read_bytes.restype = library.digitocr_classify_box_bytes.restype = ctypes.c_size_t
        self.memory = np.zeros(0, np.uint8)

    def bytes(self, gray: np.ndarray, options: Options) -> int:
        height, width = gray.shape
        return int(self.library.digitocr_read_bytes(width, height, ctypes.byref(options)))

    def read(self, gray: np.ndarray, options: Options, size: int | None = None) -> tuple[int, ReadingC]:
        """The error, and the reading, which holds until the next one."""
        needed = self.bytes(gray, options) if size is None else size
        self.memory = np.full(needed + 1, 0xA5, np.uint8)
        made, given = ReadingC(), self.picture.of(gray)
        memory = ctypes.c_void_p(self.memory.ctypes.data)
        error = self.library.digitocr_read(
            ctypes.byref(given), ctypes.byref(options), memory, ctypes.c_size_t(needed), ctypes.byref(made)
        )
        assert self.memory[needed] == 0xA5
        return error, made


@pytest.fixture(scope="module")
def program(c_library: ctypes.CDLL, c_types: tuple[Any, Any]) -> Program:
    return Program(c_library, c_types[0])


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


Read = Callable[[np.ndarray], None]


def lines_of(made: ReadingC) -> list[list[tuple[str, list[tuple[int | None, tuple[int, ...]]]]]]:
    """Text of each number, and digit and box of each digit, in lines."""
    lines: list[Any] = [[] for _ in range(made.line_count)]
    for number in made.numbers[: made.number_count]:
        digits = made.digits[number.first : number.first + number.count]
        found = [(None if one.digit < 0 else one.digit, tuple(one.box)) for one in digits]
        lines[number.line].append((number.text.decode(), found))
    return lines


def confidences_of(made: ReadingC) -> list[float]:
    """Of all numbers, then of all digits, then the probabilities of the likeliest ones."""
    digits = made.digits[: made.digit_count]
    confidences = [one.confidence for one in (*made.numbers[: made.number_count], *digits)]
    return confidences + [probability for one in digits for probability in one.probability]


def expected_of(reading: Reading) -> tuple[Any, list[float]]:
    lines = [
        [(number.text, [(one.digit, tuple(one.box)) for one in number.digits]) for number in line.numbers]
        for line in reading.lines
    ]
    confidences = [one.confidence for one in (*reading.numbers, *reading.digits)]
    return lines, confidences + [probability for one in reading.digits for _, probability in one.topk]


def compare(
    program: Program, reader: Reader, gray: np.ndarray, conf: float, rotate: Rotation, mode: Mode
) -> tuple[ReadingC, Reading]:
    reader.conf, reader.rotate, reader.mode = conf, rotate, mode
    reading = reader.read(gray)
    error, made = program.read(gray, Options(conf, AUTO if rotate == "auto" else rotate, MODES.index(mode)))
    assert error == 0
    lines, confidences = expected_of(reading)
    assert lines_of(made) == lines
    assert made.rotated == reading.turned
    assert confidences_of(made) == pytest.approx(confidences, abs=1e-6)
    assert (made.why == 0) == (reading.why == "")
    return made, reading


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_read_as_in_python(program: Program, reader: Reader, path: Path) -> None:
    gray = np.ascontiguousarray(image.load(path))
    step = max(1, max(gray.shape) // 640)
    small = np.ascontiguousarray(gray[::step, ::step])
    made, _ = compare(program, reader, small, 0.5, "auto", "auto")
    assert made.digit_count


def drawn(text: str, width: int, height: int, size: int = 40) -> np.ndarray:
    picture = Image.new("L", (width, height), 235)
    font = ImageFont.load_default(size)
    for number, line in enumerate(text.splitlines()):
        ImageDraw.Draw(picture).text((20, 12 + 1.6 * size * number), line, 40, font)
    return np.array(picture)


@pytest.mark.parametrize(
    ("text", "conf", "rotate", "mode"),
    [
        ("12.5 -40\n15/08/2026", 0.5, "auto", "auto"),
        ("No. 4071 A", 0.9, 0, "auto"),
        ("20:16 x 33", 0.2, 0, "auto"),
        ("8 1 3 9", 0.5, 0, "line"),
        ("6", 0.5, 180, "single"),
        ("4071", 0.5, 90, "auto"),
    ],
)
def test_drawn_lines_read_as_in_python(
    program: Program, reader: Reader, text: str, conf: float, rotate: Rotation, mode: Mode
) -> None:
    compare(program, reader, drawn(text, 320, 150), conf, rotate, mode)


@pytest.mark.parametrize(
    ("text", "size", "quarters"),
    [
        ("Page 57", 20, 1),  # on its side it reads better, but not its lines
        ("57 pg", 20, 1),  # turned, and then cut out by its digits
        ("4071 gyq", 20, 2),  # the same upside down
        ("4071", 16, 3),  # on its side it is one candidate, a digit
        ("4071", 40, 3),
        ("Bog\nSog\nGig", 28, 1),  # looked at again where it was cut out again
    ],
)
def test_lines_that_are_cut_out_again_and_turned_pictures_read_as_in_python(
    program: Program, reader: Reader, text: str, size: int, quarters: int
) -> None:
    gray = np.ascontiguousarray(np.rot90(drawn(text, 320, 150, size), quarters))
    compare(program, reader, gray, 0.5, "auto", "auto")


@pytest.mark.parametrize(
    ("text", "size", "rotate", "halvings"),
    [("42", 1700, 0, 1), ("42", 1700, 180, 1), ("42", 1700, "auto", 1), ("40718259", 400, 0, 0)],  # the last: a strip
)
def test_a_large_picture_that_its_digits_fill_is_halved_in_its_border(
    program: Program, reader: Reader, text: str, size: int, rotate: Rotation, halvings: int
) -> None:
    page = drawn(text, 2400, 1800, size)
    ink = np.argwhere(page < 100)
    (top, left), (bottom, right) = ink.min(0) - 3, ink.max(0) + 4
    gray = page[top:bottom, left:right]
    assert max(gray.shape) > FRAMED_SIDE
    assert bordered(gray)[2] == halvings
    _, reading = compare(program, reader, np.ascontiguousarray(gray), 0.5, rotate, "auto")
    assert rotate == 180 or reading.text == text


@pytest.mark.parametrize("rotate", [*ROTATIONS])
def test_a_picture_of_two_levels_full_of_ink_fits_into_its_memory(program: Program, rotate: Rotation) -> None:
    picture = Image.new("L", (512, 384), 4)
    ImageDraw.Draw(picture).text((0, -72), "4071825936", 3, ImageFont.load_default(360))
    for gray in (np.array(picture), np.array(picture.resize((128, 96), Image.Resampling.NEAREST))):
        error, _ = program.read(gray, Options(0.5, AUTO if rotate == "auto" else rotate, 0))
        assert error == 0


def test_a_part_of_a_larger_picture_is_read_in_place(program: Program, reader: Reader) -> None:
    whole = drawn("4071 55", 400, 120)
    part = whole[10:90, 5:300]
    error, made = program.read(part, Options(0.5, 0, 0))
    assert error == 0
    copied = np.ascontiguousarray(part)
    reader.conf, reader.rotate, reader.mode = 0.5, 0, "auto"
    assert lines_of(made) == expected_of(reader.read(copied))[0]


def test_a_digit_of_28_pixels(program: Program, reader: Reader) -> None:
    stacked = np.array(Image.open(ROOT / "docs" / "spec" / "lone.png").convert("L"))
    for lone in stacked.reshape(-1, 28, 28):
        compare(program, reader, np.ascontiguousarray(lone), 0.5, "auto", "auto")
    made, _ = compare(program, reader, np.full((28, 28), 9, np.uint8), 0.5, "auto", "auto")
    assert made.why == NOTHING_FOUND


def test_why_nothing_was_read(program: Program, reader: Reader) -> None:
    made, _ = compare(program, reader, np.full((60, 80), 200, np.uint8), 0.5, "auto", "auto")
    assert made.why in (NOTHING_FOUND, UNSURE)
    made, reading = compare(program, reader, drawn("7", 90, 90), 1.0, 0, "auto")
    assert made.why == UNSURE
    assert f"a {made.likeliest} with {made.confidence:.3f}"[:10] in reading.why


def test_too_little_memory_is_an_error(program: Program) -> None:
    gray, options = drawn("12 34", 160, 70), Options(0.5, 0, 0)
    needed = program.bytes(gray, options)
    errors = [program.read(gray, options, size)[0] for size in range(0, needed, max(1, needed // 60))]
    assert set(errors) <= {0, MEMORY}
    assert errors[0] == MEMORY
    assert errors == sorted(errors, reverse=True)  # with more memory there is no new error
    assert program.read(gray, options)[0] == 0


@pytest.mark.parametrize(("width", "height", "most"), [(128, 96, 120 << 10), (512, 384, 1_500_000)])
def test_a_picture_takes_little_memory(program: Program, width: int, height: int, most: int) -> None:
    assert program.bytes(np.zeros((height, width), np.uint8), Options(0.5, 0, 0)) <= most


def test_wrong_arguments_are_errors(program: Program) -> None:
    gray = drawn("12", 100, 60)
    right = Options(0.5, 0, 0)
    for wrong in (Options(-0.1, 0, 0), Options(1.5, 0, 0), Options(float("nan"), 0, 0)):
        assert program.read(gray, wrong, 1 << 20)[0] == OPTIONS
        assert program.bytes(gray, wrong) == 0
    for wrong in (Options(0.5, 45, 0), Options(0.5, 360, 0), Options(0.5, -2, 0), Options(0.5, 0, 3)):
        assert program.read(gray, wrong, 1 << 20)[0] == OPTIONS
    made, memory = ReadingC(), np.zeros(1 << 20, np.uint8)
    call = program.library.digitocr_read
    given = program.picture.of(gray)
    here = [ctypes.byref(given), ctypes.byref(right), ctypes.c_void_p(memory.ctypes.data), ctypes.c_size_t(1 << 20)]
    assert call(None, *here[1:], ctypes.byref(made)) == ARGUMENT
    assert call(here[0], None, *here[2:], ctypes.byref(made)) == ARGUMENT
    assert call(*here, None) == ARGUMENT
    assert call(*here[:2], None, ctypes.c_size_t(1 << 20), ctypes.byref(made)) == MEMORY
    for name, value in (("width", 0), ("height", -1), ("width", 70_000), ("stride", 99)):
        wrong_picture = program.picture.of(gray)
        setattr(wrong_picture, name, value)
        assert call(ctypes.byref(wrong_picture), *here[1:], ctypes.byref(made)) == SIZE


def test_a_box_is_classified_as_in_python(program: Program, reader: Reader) -> None:
    gray = drawn("4071", 200, 80)
    reader.conf, reader.rotate, reader.mode = 0.5, 0, "auto"
    box = np.array(reader.read(gray).digits[0].box, np.float32)
    made = np.zeros(11, np.float32)
    given = program.picture.of(gray)
    size = program.library.digitocr_classify_box_bytes(200, 80)
    memory = np.zeros(size, np.uint8)
    rest = (ctypes.c_void_p(made.ctypes.data), ctypes.c_void_p(memory.ctypes.data), ctypes.c_size_t(size))
    call = program.library.digitocr_classify_box
    assert call(ctypes.byref(given), ctypes.c_void_p(box.ctypes.data), *rest) == 0
    np.testing.assert_allclose(made[:10], reader.classify(gray, box[None])[0], atol=1e-6)
    for wrong in ([0, 0, 0, 9], [0, 0, 9, -1], [0, float("nan"), 9, 9], [1e9, 0, 9, 9]):
        box = np.array(wrong, np.float32)
        assert call(ctypes.byref(given), ctypes.c_void_p(box.ctypes.data), *rest) == ARGUMENT
