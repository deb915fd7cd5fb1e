"""Entries -> pictures in MNIST's form: lone digits as they are, those of whole pictures cut out at their boxes.

    add_entries(entries_of_csv(path, gathered), gathered)

A digit of a whole picture is cut out and normalised as the Reader does it; a picture of 28x28 pixels stays whole. Where
no boxes are stated, they are those of a reading that has as many digits in each line as the text: the text then says
which digits they are. Of a picture of one digit that is not found, all ink is taken for it.
"""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np

from digitocr.runtime import preprocessing
from digitocr.runtime.background import shadeless
from digitocr.runtime.boxes import Boxes
from digitocr.runtime.characters import DOUBT
from digitocr.runtime.errors import InputError, MissingExtraError
from digitocr.runtime.image import GrayImage, load, load_reduced
from digitocr.runtime.reader import Reader
from digitocr.runtime.reading import Reading
from digitocr.train.sources.labelled import CLASSES, NONE, Gathered, Shown, is_bright
from digitocr.train.sources.tables import Entry, digits_in

LARGEST_BOX = 2  # times the side of the picture; a box may reach over its edges, but is cut out as a whole


def add_entries(entries: Iterable[Entry], gathered: Gathered) -> None:
    """Adds the pictures of all entries; one that cannot be read or used is noted as a trouble."""
    for entry in entries:
        try:
            if entry.label is not None:
                gathered.add(load(entry.file, page=entry.page), entry.label, entry.name, entry.group, entry.part)
            else:
                _add_digits(entry, gathered)
            gathered.pictures.append(_shown(entry))
        except (InputError, MissingExtraError) as error:
            gathered.trouble("unreadable", entry.name, _why(error, entry.file))


def _shown(entry: Entry) -> Shown:
    """The picture of an entry."""
    text = (entry.text or "") if entry.label is None else CLASSES[entry.label] if entry.label != NONE else ""
    lines = tuple(line for line in map(digits_in, text.splitlines()) if line)
    return Shown(entry.file, entry.page, entry.name, lines, entry.boxes, entry.turned, entry.group, entry.part)


def _why(error: Exception, file: str) -> str:
    return str(error).removeprefix(f"{file}: ")


def _add_digits(entry: Entry, gathered: Gathered) -> None:
    """Adds the digits of a whole picture. Raises InputError or MissingExtraError where it cannot be read."""
    gray, factor = load_reduced(entry.file, page=entry.page)
    lines = [digits_in(line) for line in (entry.text or "").splitlines()]
    text = "".join(lines)
    if gray.shape == (preprocessing.SIDE, preprocessing.SIDE) and len(text) <= 1 and text != DOUBT:
        # The Reader takes all of it for the digit, and so its box, with room around which the digit would be too small.
        gathered.add(gray, int(text) if text else NONE, entry.name, entry.group, entry.part)
        return
    boxes, turned = entry.boxes, entry.turned
    if boxes is None:
        reading = _reader().read(gray)
        placed = _placed(reading, [line for line in lines if line])
        read = reading.text.replace("\n", ", ") or "nothing"
        if placed is None and _lacks_zeros(lines, reading):
            why = f"says {text} and {read} was read; spreadsheets drop zeros in front: write them, or state boxes"
            gathered.trouble("zeros", entry.name, why)
            return
        if placed is None and len(text) == 1 and text != DOUBT:
            gathered.add(gray, int(text), entry.name, entry.group, entry.part)  # its ink is taken for the digit
            return
        if placed is None:
            shown = text or "no digit"
            why = f"shows {shown} and {read} was read, so the places of the digits are not known; state their boxes"
            gathered.trouble("unboxed", entry.name, why)
            return
        boxes, turned, factor = placed, reading.turned, 1.0
    if not text:
        text = "n" * len(boxes)  # nothing stands in any of them
    if len(text) != len(boxes):
        gathered.trouble("unboxed", entry.name, f"has {len(boxes)} boxes for the {len(text)} digits {text}")
        return
    if not _is_inside(boxes, gray.shape, factor):
        gathered.trouble("unboxed", entry.name, "has a box that is not inside the picture")
        return
    scaled = np.array(boxes, np.float32).reshape(-1, 4) / np.float32(factor)
    for digit, box, image in zip(text, boxes, _cut(gray, scaled, turned), strict=True):
        if digit == DOUBT:
            continue
        x, y, w, h = map(round, box)
        label = NONE if digit == "n" else int(digit)
        bright = is_bright(preprocessing.crops(gray, np.array([box], np.float32) / np.float32(factor))[0])
        name = f"{entry.name}, box {x},{y},{w},{h}"
        gathered.add_image(image, bright, (w, h), label, name, entry.group or entry.file, entry.part)


def _is_inside(boxes: Sequence[Sequence[float]], shape: tuple[int, ...], factor: float) -> bool:
    """Whether each box is one, meets the picture, whose (H, W) is `factor` times as large as shown, and is no giant."""
    height, width = shape[0] * factor, shape[1] * factor
    return all(
        len(box) == 4
        and 0 < box[2] <= LARGEST_BOX * width
        and 0 < box[3] <= LARGEST_BOX * height
        and -box[2] < box[0] < width
        and -box[3] < box[1] < height
        for box in boxes
    )


def _cut(gray: GrayImage, boxes: Boxes, turned: int) -> preprocessing.Images:
    """(n, 28, 28): the digits in (n, 4) boxes of an (H, W) picture that is turned clockwise by `turned` to be read."""
    cut = preprocessing.images(shadeless(gray, boxes), boxes)
    quarters = round(turned / 90)  # what a line is oblique by beyond that stays
    return np.ascontiguousarray(np.rot90(cut, -quarters, axes=(1, 2)))


def _placed(reading: Reading, lines: list[str]) -> tuple[tuple[float, ...], ...] | None:
    """The boxes of the digits of a text by a reading, or None if it has other digits."""
    read = [line.digits for line in reading.lines]
    same = "".join(lines) == "".join(digit.text for line in read for digit in line)
    if not same and [len(line) for line in read] != [len(line) for line in lines]:
        return None
    return tuple(tuple(digit.box) for line in read for digit in line)


def _lacks_zeros(lines: list[str], reading: Reading) -> bool:
    """Whether the lines of a text would be those that were read, if these had no zeros in front."""
    read = [digits_in(line.text).lstrip("0") for line in reading.lines]
    return [line.lstrip("0") for line in lines if line] == read and bool(read)


@cache
def _reader() -> Reader:
    return Reader()
