"""Own labelled pictures, divided by group, and the places of their digits.

    own = read_own(Path("meters/labels.json"))
    own.taught, own.held, own.test              # pictures to learn from, to stop by, and to judge with
    placed(own.taught[0], Reader())             # its digits with their boxes, for lessons.py

Where no boxes are stated, they are those of a reading that agrees with the text: of all digits, or of those that agree.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np

from digitocr.runtime import image
from digitocr.runtime.background import ink_box
from digitocr.runtime.boxes import Boxes
from digitocr.runtime.candidates import Candidate
from digitocr.runtime.characters import DOUBT
from digitocr.runtime.errors import InputError
from digitocr.runtime.image import GrayImage
from digitocr.runtime.orientation import turned, turned_back
from digitocr.runtime.preprocessing import SIDE
from digitocr.runtime.reader import Reader
from digitocr.runtime.reading import Digit
from digitocr.train.adapt.lessons import Placed
from digitocr.train.data import Bytes, Indices, by_group, holds_mnist
from digitocr.train.idx import TEST
from digitocr.train.quiet import progress_line
from digitocr.train.sources.labelled import NONE, Labelled
from digitocr.train.sources.load import (
    SPLIT_SEED,
    contradictions,
    read_source,
    refuse_wrong_labels,
    same_pictures,
    warnings_of,
    without_contradictions,
)

TEST_SHARE = 1 / 3  # of own pictures, where the source states no parts: fewer could not show that more are right
HELD_SHARE = 1 / 6  # of the others, by which it is seen when to stop
LEAST_TAUGHT = 8  # pictures to learn from
LEAST_TEST = 4  # pictures to judge with
SOME_SCORE = 0.1  # detector's score; a candidate with less is not taken for a lone digit, but all ink is
SOME_HEIGHT = 0.3  # of a picture of one digit; a lower candidate is a part of it
ROOM = 3.0  # heights of the tallest digit around all digits, that are kept of a picture
LEAST_RUN = 2  # digits of a line that agree one after the other; a single one may agree by chance


@dataclass(frozen=True, eq=False)
class Picture:
    """A labelled picture.

    Attributes:
        name: For messages.
        lines: The digits of each line that has any; none where no digit is shown.
        group: What it belongs to.
        file: Its path, or a (28, 28) uint8 picture of an array.
        page: Of a TIFF, from 0.
        boxes: As stated, in pixels of the picture as shown; None where they are not.
        turned: Degrees clockwise by which it has to be turned to be read, where boxes are stated.
    """

    name: str
    lines: tuple[str, ...]
    group: str
    file: str | Bytes
    page: int = 0
    boxes: tuple[tuple[float, ...], ...] | None = None
    turned: int = 0

    def load(self) -> tuple[GrayImage, float]:
        """The grey picture, and how many times larger it is as shown. Raises InputError."""
        return image.load_reduced(self.file, page=self.page)

    @property
    def text(self) -> str:
        """The digits, a line for each line."""
        return "\n".join(self.lines)


@dataclass(frozen=True, eq=False)
class Own:
    """Own pictures, divided. No group is in two parts.

    Attributes:
        source: As it was named.
        taught: To learn from.
        held: To stop by.
        test: To judge with, once, at the end.
        split: How the test pictures were told apart.
        digest: Identifies the content in records.
    """

    source: str
    taught: list[Picture]
    held: list[Picture]
    test: list[Picture]
    split: str
    digest: str

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """The rows of split.csv: file, what it shows, group, part."""
        parts = (("train", self.taught), ("held out", self.held), ("test", self.test))
        return [(one.name, one.text.replace("\n", " "), one.group, part) for part, some in parts for one in some]


def read_own(source: Path) -> Own:
    """Reads and divides own pictures. What is left out is told on stderr.

    Raises InputError: there is no such source, it is MNIST, has a label that is no digit, or too few pictures.
    """
    if source.is_dir() and holds_mnist(source):
        raise InputError(f"{source}: is MNIST, which the networks know; give own pictures with --data")
    labelled = read_source(source)
    refuse_wrong_labels(labelled)
    _, contradicted = without_contradictions(labelled)
    told = [one for one in labelled.troubles if one.kind not in ("unboxed", "zeros")]  # these are read to judge with
    for line in warnings_of(told) + ([contradicted] if contradicted else []):
        progress_line(f"digitocr: {line}")
    if zeros := [one for one in labelled.troubles if one.kind == "zeros"]:
        more = f" (and {len(zeros) - 1} more)" if len(zeros) > 1 else ""
        progress_line(f"digitocr: {zeros[0]}{more}")
    pictures, parts = _pictures(labelled)
    return _divided(str(source), pictures, parts)


def _pictures(labelled: Labelled) -> tuple[list[Picture], list[str]]:
    """The pictures of a source and their parts, without those of two labels."""
    wrong = contradictions(labelled.labels.astype(np.int64), same_pictures(labelled)).tolist()
    if labelled.pictures:
        names = {labelled.names[at] for at in wrong}
        kept = [one for one in labelled.pictures if one.name not in names]
        pictures = [Picture(one.name, one.lines, one.group, one.file, one.page, one.boxes, one.turned) for one in kept]
        return pictures, [one.part for one in kept]
    rows = [at for at in range(len(labelled)) if at not in set(wrong)]
    pictures = [
        Picture(
            labelled.names[at],
            () if labelled.labels[at] == NONE else (str(labelled.labels[at]),),
            labelled.groups[at],
            labelled.images[at],
        )
        for at in rows
    ]
    return pictures, [labelled.parts[at] for at in rows]


def _divided(source: str, pictures: list[Picture], parts: list[str]) -> Own:
    digests = [_digest(one) for one in pictures]
    names = {one.group for one in pictures if one.group}
    named = [one.group if len(names) > 1 else "" for one in pictures]  # a single group cannot be divided
    numbers: dict[str, int] = {}
    groups = np.array(
        [numbers.setdefault(name or digest, len(numbers)) for name, digest in zip(named, digests, strict=True)],
        np.int64,
    )
    labels = np.array(
        [int(one.text) if len(one.text) == 1 and one.text != DOUBT else NONE for one in pictures], np.uint8
    )
    if TEST in parts:
        test, split = np.array([part == TEST for part in parts]), "as the source says"
    else:
        test = np.zeros(len(pictures), np.bool_)
        test[by_group(groups, labels, round(len(pictures) * TEST_SHARE), SPLIT_SEED)] = True
        split = f"{len(names)} groups, seed {SPLIT_SEED}" if len(names) > 1 else f"by chance, seed {SPLIT_SEED}"
    learning = np.flatnonzero(~test)
    held = learning[by_group(groups[learning], labels[learning], round(len(learning) * HELD_SHARE), SPLIT_SEED)]
    taught = np.setdiff1d(learning, held)
    if len(taught) < LEAST_TAUGHT or test.sum() < LEAST_TEST or not len(held):
        raise InputError(
            f"{source}: has {len(taught)} pictures to learn from, {len(held)} to stop by and {int(test.sum())} to "
            f"judge with; {LEAST_TAUGHT}, 1 and {LEAST_TEST} are the least; label more, in several groups"
        )
    whole = hashlib.sha256("".join(f"{d}{one.text}" for d, one in zip(digests, pictures, strict=True)).encode())

    def some(chosen: Indices) -> list[Picture]:
        return [pictures[at] for at in chosen.tolist()]

    return Own(source, some(taught), some(held), some(np.flatnonzero(test)), split, whole.hexdigest())


def _digest(picture: Picture) -> str:
    content = Path(picture.file).read_bytes() if isinstance(picture.file, str) else picture.file.tobytes()
    return hashlib.sha256(content + bytes([picture.page % 256])).hexdigest()


def placed(picture: Picture, reader: Reader) -> Placed | None:
    """The picture with the places of its digits, upright; None where none is known. Raises InputError."""
    gray, factor = picture.load()
    wanted = "".join(picture.lines)
    if gray.shape == (SIDE, SIDE):
        if len(wanted) > 1 or wanted == DOUBT:
            return None
        label = NONE if not wanted else int(wanted)
        return Placed(gray, np.zeros((0, 4), np.float32), np.array([label], np.uint8))
    if picture.boxes is not None:
        return _as_stated(picture, gray, factor)
    reading, candidates, _ = reader.inspect(gray)
    if reading.turned:
        gray = turned(gray, reading.turned)
        reading, candidates, _ = reader.inspect(gray)
    read = [list(line.digits) for line in reading.lines]
    if not wanted:
        return _placed_at(gray, [one.box for one in candidates if one.kept or one.score > SOME_SCORE], "")
    if [len(line) for line in read] == [len(line) for line in picture.lines]:
        return _placed_at(gray, [digit.box for line in read for digit in line], wanted)
    if len(wanted) == 1:
        return None if wanted == DOUBT else _placed_at(gray, [_lone_box(gray, candidates, int(wanted))], wanted)
    agreeing = _agreeing(read, picture.lines)
    if not agreeing:
        return None
    made = _placed_at(gray, [digit.box for digit, _ in agreeing], "".join(label for _, label in agreeing))
    return made and replace(made, is_whole=False)


def _as_stated(picture: Picture, gray: GrayImage, factor: float) -> Placed | None:
    boxes = np.array(picture.boxes, np.float32).reshape(-1, 4) / np.float32(factor)
    wanted = "".join(picture.lines)
    if wanted and len(wanted) != len(boxes):
        return None
    upright = turned(gray, picture.turned)
    return _placed_at(upright, turned_back(boxes, upright.shape, -picture.turned % 360), wanted)


def _placed_at(gray: GrayImage, boxes: Sequence[object] | Boxes, wanted: str) -> Placed | None:
    """The surroundings of boxes; wanted: the digit of each, empty where none is one."""
    if not len(boxes):
        return None
    array = np.array(boxes, np.float32).reshape(-1, 4)
    labels = np.array([int(digit) for digit in wanted.replace(DOUBT, "0")] or [NONE] * len(array), np.uint8)
    known = np.array([digit != DOUBT for digit in wanted] or [True] * len(array))
    room = ROOM * float(array[:, 3].max())
    low = np.maximum(array[:, :2].min(0) - room, 0).astype(int)
    high = np.minimum((array[:, :2] + array[:, 2:]).max(0) + room, gray.shape[::-1]).astype(int)
    part = np.ascontiguousarray(gray[low[1] : high[1], low[0] : high[0]])
    moved = array - np.array([*low, 0, 0], np.float32)
    return Placed(part, moved[known], labels[known], bool(known.all())) if known.any() else None


def _lone_box(gray: GrayImage, candidates: Sequence[Candidate], digit: int) -> object:
    """The box of the only digit of a picture: of the candidate that is most likely it, or of all ink."""
    tall = [one for one in candidates if one.box.h > SOME_HEIGHT * gray.shape[0] and one.score > SOME_SCORE]
    best = max(tall, key=lambda one: one.score * one.probabilities[digit], default=None)
    return ink_box(gray) if best is None else best.box


def _agreeing(read: Sequence[Sequence[Digit]], lines: Sequence[str]) -> list[tuple[Digit, str]]:
    """The digits of a reading that agree with those of the line of the text that is most alike."""
    found = []
    for digits in read:
        text = "".join(digit.text for digit in digits)
        blocks = [
            [
                block
                for block in SequenceMatcher(None, text, line, False).get_matching_blocks()
                if block.size >= LEAST_RUN
            ]
            for line in lines
        ]
        best = max(blocks, key=lambda some: sum(block.size for block in some), default=[])
        found += [(digits[block.a + at], text[block.a + at]) for block in best for at in range(block.size)]
    return found
