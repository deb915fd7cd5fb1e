"""Drawn lines of digits, signs and words: whether their digits and numbers are read right, in unknown fonts.

    python benchmarks/lines.py --fonts fonts --save

FORMS are 56 kinds of lines. Each is drawn again and again with other digits, in fonts that no recognizer is trained
with (`held_out`), with digits 14 to 60 pixels high, partly light on dark, slightly blurred and noisy, as a JPEG file.
Half of the lines stand alone in a picture, the others with four more. The drawing is this script's own, not that of the
scenes that the networks are trained with. `make fonts` downloads the fonts. Half a minute.
"""

import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from timing import ROOT, argument_parser, report

from digitocr import Reader, Reading
from digitocr.train.synthesis.fonts import find_fonts, held_out, is_handwritten

# A number stands in braces: what is to be read. Each # in it is a random digit.
FORMS = (
    "{##/##/####}", "${#.##}", "({##})", "{##}%", "{##}°", "{##} kg", "{##:##}", "{##:##:##}", "{####-##-##}",
    "{##.##.####}", "€ {##,##}", "{###} €", "£{#,###.##}", "{-##.#} °C", "{-#}", "{+#.#} %", "Total {###.##}",
    "Total: {##.##} EUR", "No. {####}", "#{###}", "[{##}]", "Room {###}", "Page {##} of {##}", "{###} x {###}",
    "{##} + {##} = {##}", "{##} - {#} = {##}", "{###} km/h", "{#.#} kg", "{##} cm", "{##} mm x {##} mm",
    "{###}-{####}", "Serial {#######}", "SN: {####} {####} {####}", "{##}h {##}m", "{##}kg", "{###}ml", "B{#}B",
    "Z{##}", "H{#}O", "EXP {##/####}", "Qty: {##}", "{#}. Bread", "{##}) Sugar", "Invoice {####/##}", "{#/#} l",
    "Bus {##}, stop {#}", "{##,#} l", "{###} kWh", "{##}", "{######}", "ISBN {###}-{#}-{##}-{######}-{#}", "*{####}*",
    "§ {###}", "Oslo {####}", "Bill of {##} items", "{##.##} {##.##} {##.##}",
)  # fmt: skip
WORDS = (
    "Bill Gibson", "Oslo", "SOS", "Zoologist", "glass of oil", "Total:", "kg / m", "(O)", "Illinois", "Boss", "solo",
    "Lloyd", "% of all", "Zug & Bus", "SIZE", "BILL TO:", "oil, gas", "goal!", "Address", "Serial No.", "Q & A",
    "Los Angeles", "IBAN:", "lb / oz", "Subtotal", "Salt and oil", "Glossary", "[l] [O] [S]", "Telegraph", "good-bye",
    "Ziggy", "Sold out", "B & B", "Isle of Skye", "Obst, Salz", "Gasse", "$ / EUR", "Zero", "Sales Tax", "SOLO AGE",
)  # fmt: skip
ALONE = 300  # lines with a picture of their own
PAGES = 60  # pictures of several lines
PAGE_LINES = 5
WORD_LINES = 120  # lines without a digit, each with a picture of its own
LOW, HIGH = 14, 60  # pixels; heights of digits
SMALL = 24  # pixels; digits below are in a row of their own
LIGHT_ON_DARK = 0.25  # share of the pictures


class Line(NamedTuple):
    """What a line shows: its text, and the numbers in it as they are to be read."""

    text: str
    numbers: tuple[str, ...]


class Style(NamedTuple):
    """How a picture is drawn: the font, the height of its digits in pixels, and whether ink is light on dark."""

    font: Path
    height: float
    light_on_dark: bool


class Result(NamedTuple):
    """What was read of a line: whether its digits and its numbers are right, and how many digits were read."""

    style: Style
    alone: bool
    digits: bool
    numbers: bool
    read: int


def filled(form: str, rng: Generator) -> Line:
    """A form with random digits; the first digit of a number that has several before its first sign is no zero."""
    shown = re.sub(r"#(?=[^{]*\})", lambda _: str(rng.integers(10)), form)
    shown = re.sub(r"(?<=\{)([+-]?)0(?=\d)", lambda sign: f"{sign[1]}{rng.integers(1, 10)}", shown)
    return Line(re.sub("[{}]", "", shown), tuple(re.findall(r"\{(.*?)\}", shown)))


def random_style(fonts: list[Path], rng: Generator) -> Style:
    font = fonts[int(rng.integers(len(fonts)))]
    return Style(font, LOW * (HIGH / LOW) ** rng.random(), bool(rng.random() < LIGHT_ON_DARK))


def loaded(style: Style) -> ImageFont.FreeTypeFont:
    """The font in the size in which a zero has the height of the style."""
    trial = 100.0  # pixels
    box = ImageFont.truetype(style.font, trial, layout_engine=ImageFont.Layout.BASIC).getbbox("0")
    size = trial * style.height / (box[3] - box[1])
    return ImageFont.truetype(style.font, size, layout_engine=ImageFont.Layout.BASIC)


def drawable(text: str, font: Path) -> bool:
    """Whether the font has a shape for each character."""
    drawn = ImageFont.truetype(font, SMALL)
    missing = bytes(drawn.getmask("\uffff"))  # no font has a shape for this code
    return all(bytes(drawn.getmask(character)) not in (missing, b"") for character in text if character != " ")


def draw(texts: Iterable[str], style: Style, rng: Generator) -> tuple[bytes, list[float]]:
    """A picture of lines, as a JPEG file, and the y of the middle of each line's digits in pixels."""
    font, height = loaded(style), style.height
    texts = list(texts)
    pitch = height * rng.uniform(1.9, 2.4)
    left, top, right, below = height * rng.uniform(0.7, 1.5, 4)
    widths = [font.getlength(text) for text in texts]
    size = (int(left + max(widths) + right), int(top + height + pitch * (len(texts) - 1) + below))
    ink = Image.new("L", size)
    canvas = ImageDraw.Draw(ink)
    zero = font.getbbox("0")
    for row, text in enumerate(texts):
        canvas.text((left, top + row * pitch - zero[1]), text, 255, font)
    middles = [top + row * pitch + height / 2 for row in range(len(texts))]
    light, dark = rng.uniform(190, 250) + rng.uniform(-12, 12, 3), rng.uniform(15, 100) + rng.uniform(-12, 12, 3)
    ground, colour = (dark, light) if style.light_on_dark else (light, dark)
    ink = ink.filter(ImageFilter.GaussianBlur(height * rng.uniform(0, 0.03)))
    share = np.asarray(ink, np.float64)[:, :, None] / 255
    pixels = ground + share * (colour - ground)
    pixels += rng.normal(0, rng.uniform(0, 8), pixels.shape)  # grey levels
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=int(rng.integers(50, 96)))
    return file.getvalue(), middles


def numbers_by_line(reading: Reading, middles: list[float]) -> list[list[str]]:
    """The numbers of a reading, from left to right, for each line; a number is of the line whose middle is nearest."""
    found: list[list[tuple[float, str]]] = [[] for _ in middles]
    for line in reading.lines:
        for number in line.numbers:
            middle = number.box.y + number.box.h / 2
            nearest = min(range(len(middles)), key=lambda row: abs(middles[row] - middle))
            found[nearest].append((number.box.x, number.text))
    return [[text for _, text in sorted(line)] for line in found]


def digits(numbers: Iterable[str]) -> str:
    """The digits of numbers, and a ? for each place that is in doubt."""
    return re.sub(r"[^0-9?]", "", "".join(numbers))


def read(reader: Reader, lines: list[Line], style: Style, rng: Generator) -> list[Result]:
    """Draws lines in one picture and reads it."""
    file, middles = draw([line.text for line in lines], style, rng)
    results = []
    for line, found in zip(lines, numbers_by_line(reader.read(file), middles), strict=True):
        right = digits(found) == digits(line.numbers)
        numbers = tuple(found) == line.numbers
        results.append(Result(style, len(lines) == 1, right, numbers, len(digits(found))))
    return results


def mixed_lines(reader: Reader, fonts: list[Path]) -> list[Result]:
    """Lines with numbers, one and several to a picture."""
    results, form = [], 0
    for picture in range(ALONE + PAGES):
        rng = np.random.default_rng([0, picture])
        style = random_style(fonts, rng)
        lines: list[Line] = []
        while len(lines) < (1 if picture < ALONE else PAGE_LINES):
            line = filled(FORMS[form % len(FORMS)], rng)
            form += 1
            if drawable(line.text, style.font):
                lines.append(line)
        results += read(reader, lines, style, rng)
    return results


def word_lines(reader: Reader, fonts: list[Path]) -> list[Result]:
    """Lines without a digit."""
    results = []
    for picture in range(WORD_LINES):
        rng = np.random.default_rng([1, picture])
        style = random_style([font for font in fonts if drawable(WORDS[picture % len(WORDS)], font)], rng)
        results += read(reader, [Line(WORDS[picture % len(WORDS)], ())], style, rng)
    return results


def row(what: str, results: list[Result]) -> dict[str, Any]:
    """A row of the table."""
    shares = [sum(getattr(result, of) for result in results) / len(results) for of in ("digits", "numbers")]
    return {
        "what": what,
        "lines": len(results),
        "digits right": f"{shares[0]:.1%}",
        "numbers right": f"{shares[1]:.1%}",
    }


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--fonts", type=Path, default=ROOT / "fonts", help="the folder of the fonts; default: fonts/")
    arguments = parser.parse_args()
    fonts, reader = held_out(find_fonts(arguments.fonts)), Reader()
    results, words = mixed_lines(reader, fonts), word_lines(reader, fonts)
    parts = {
        "fonts in print": [one for one in results if not is_handwritten(one.style.font)],
        "fonts that look written by hand": [one for one in results if is_handwritten(one.style.font)],
        "one line a picture": [one for one in results if one.alone],
        f"{PAGE_LINES} lines a picture": [one for one in results if not one.alone],
        f"digits {LOW} to {SMALL} pixels high": [one for one in results if one.style.height < SMALL],
        "light on dark": [one for one in results if one.style.light_on_dark],
    }
    rows = [row("lines with numbers", results), *(row(f"of these: {what}", part) for what, part in parts.items())]
    rows.append(row("words without a digit, read as empty", words))
    notes = [
        "digits right: all digits of the line in order and no other; numbers right: with their signs too, and apart",
        f"{len(FORMS)} kinds of lines in {len(fonts)} font files that the recognizer was not trained with",
        f"{sum(one.read for one in words)} digits invented in the words",
    ]
    report("lines", "Lines of digits, signs and words", rows, notes, arguments.save)


if __name__ == "__main__":
    main()
