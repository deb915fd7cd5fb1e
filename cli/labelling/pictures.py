"""The pictures to label: what is read in each, which one comes next, and what was said of them.

    pictures = Pictures(listed(["photos/"]), labels, "settings")
    pictures.take(row)                       # a line of `predict --jsonl`, as a reader in the background makes them
    index = pictures.next(set())             # the picture whose reading is doubted most
    pictures.label(index, "407", [[31, 12, 40, 66], ...], 0, (640, 480))
    pictures.undo()

The doubt is that of whole numbers: the least confidence of a number in a picture, 0 where nothing is read.
"""

import io
import os
import threading
from collections.abc import Iterable, Iterator, Sequence, Set
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from PIL import Image

from digitocr.cli.batch.sources import STDIN, Source, expanded
from digitocr.cli.labelling.labels import Key, Labels, Row
from digitocr.runtime.characters import DOUBT
from digitocr.runtime.errors import DigitocrError, InputError, UsageError
from digitocr.runtime.formats import TIFF_SUFFIXES
from digitocr.runtime.image import load_rgb, page_count
from digitocr.runtime.orientation import turned_back
from digitocr.runtime.preprocessing import SIDE

SHOWN_SIDE = 2000  # pixels of the longer side of a picture as it is sent to the page
SHARP_PIXELS = 65_536  # a smaller picture is sent without loss
SHOWN_QUALITY = 88  # JPEG quality of a larger one, 0 to 100
NONE = "none"  # the label of a lone picture that shows no digit

Box: TypeAlias = list[int]  # x, y, width, height in pixels
Size: TypeAlias = tuple[int, int]  # width and height in pixels


class Picture(NamedTuple):
    """A picture, or a page of a document.

    Attributes:
        name: As it was named or found, for people.
        path: The absolute path of its file.
        page: From 0.
        source: What it is read from.
    """

    name: str
    path: str
    page: int
    source: Source

    @property
    def key(self) -> Key:
        """By which its label is found."""
        return self.path, self.page


class Guess(NamedTuple):
    """What a picture is thought to show.

    Attributes:
        text: Its numbers with their signs, apart by a space; a line for each line.
        boxes: Of the digits of the text, in the picture as shown.
        sure: The confidence of each digit, 0 to 1.
        confidence: The least confidence of a number, 0 to 1; 0 where nothing is read.
        turned: Degrees clockwise by which the picture has to be turned to be read.
        error: Why the picture cannot be read; else empty.
    """

    text: str
    boxes: list[Box]
    sure: list[float]
    confidence: float
    turned: int
    error: str = ""


def listed(named: Iterable[str], recursive: bool = False) -> tuple[list[Picture], list[str]]:
    """The pictures of files, folders and globs, each once, and a line for each thing that is left out.

    Raises:
        InputError: There is no picture.
        UsageError: Standard input is named, which cannot be read again.
    """
    if STDIN in (named := list(named)):
        raise UsageError("label shows files, and standard input is none; name files or folders")
    left_out: list[str] = []
    found: dict[Key, Picture] = {}
    first = None
    for source in expanded(named, recursive, note=left_out.append):
        if isinstance(source.picture, str):
            path = os.path.abspath(source.picture)  # noqa: PTH100  # a link is not followed
            pages = _pages(path)
            for page in range(pages):
                name = f"{source.name}#{page + 1}" if pages > 1 else source.name
                found.setdefault((path, page), Picture(name, path, page, source))
        elif isinstance(source.picture, DigitocrError):
            first = first or source.picture
            left_out.append(str(source.picture))
    if not found:
        raise first or InputError("no picture is named; name files, folders or globs")
    if not any(os.path.exists(path) for path, _ in found):  # noqa: PTH110
        raise InputError(f"{next(iter(found.values())).name}: does not exist; name pictures, folders or globs")
    return list(found.values()), left_out


def _pages(path: str) -> int:
    if os.path.splitext(path)[1].lower() not in TIFF_SUFFIXES:  # noqa: PTH122
        return 1
    try:
        return page_count(path)
    except InputError:  # is told when it is read
        return 1


def guess_of(row: Row) -> Guess:
    """The guess of a line of `predict --jsonl`."""
    numbers = [line["numbers"] for line in row["lines"]]
    every = [number for line in numbers for number in line]
    digits = [digit for number in every for digit in number["digits"]]
    return Guess(
        "\n".join(" ".join(number["text"] for number in line) for line in numbers),
        [digit["box"] for digit in digits],
        [digit["confidence"] for digit in digits],
        min((number["confidence"] for number in every), default=0.0),
        round(row["turned"] / 90) * 90 % 360,  # lines that are a little oblique are left so
        row["error"] or "",
    )


class Pictures:
    """What is known of each picture, by its index. Several threads may ask and tell."""

    def __init__(self, pictures: Sequence[Picture], labels: Labels, settings: str) -> None:
        """Takes over what the file of labels and its notes say.

        Args:
            pictures: All that are to be labelled.
            labels: Where labels are written.
            settings: Names the networks and how they read; noted readings of others do not count.
        """
        self.pictures = pictures
        self._labels, self._settings = labels, settings
        self._lock = threading.RLock()
        self._index = {picture.key: index for index, picture in enumerate(pictures)}
        self._guesses: dict[int, Guess] = {}
        self._skipped: dict[int, None] = {}  # in order
        self._gone: dict[int, str] = {}  # that cannot be shown, and why
        self._again: list[int] = []  # that come next, the last one first
        by_file = {labels.file_of(picture.key): index for index, picture in enumerate(pictures) if not picture.page}
        for note in labels.notes():
            index = by_file.get(note.get("file", ""))
            if index is not None and note.get("page"):
                index = self._index.get((pictures[index].path, note["page"]))
            if index is not None:
                self._recall(index, note)
        done = [self._index[key] for key in labels.rows if key in self._index]
        for index in done:
            self._skipped.pop(index, None)
        self._labelled = set(done)
        self._history = [*self._skipped, *done]  # what was said, in order

    def _recall(self, index: int, note: Row) -> None:
        """Takes over a note; one of another form is passed over."""
        if note.get("skipped") is True:
            self._skipped[index] = None
        elif note.get("skipped") is False:
            self._skipped.pop(index, None)
        elif [note.get("settings"), note.get("stamp")] == [self._settings, self._stamp(index)]:
            self._guesses[index] = Guess(*note["guess"])

    def unread(self) -> Iterator[Source]:
        """What is still to be read, by name."""
        before = None
        for index, picture in enumerate(self.pictures):
            if index not in self._guesses and index not in self._labelled and picture.source != before:
                before = picture.source
                yield picture.source

    def take(self, row: Row) -> None:
        """Takes a line of `predict --jsonl` for what is thought to be in a picture."""
        path = os.path.abspath(row["source"])  # noqa: PTH100
        index = self._index.get((path, (row["page"] or 1) - 1))
        if index is None:
            return
        guess = guess_of(row)
        with self._lock:
            self._guesses.setdefault(index, guess)
            if guess.error:
                self._gone[index] = guess.error
            else:
                note = {"settings": self._settings, "stamp": self._stamp(index), "guess": guess}
                self._note(index, note)

    def next(self, others: Set[int]) -> int | None:
        """The picture to show: the one that was undone last, else the one whose reading is doubted most.

        None while no further one is read. others: indices that are not wanted, since they are shown already.
        """
        with self._lock:
            for index in reversed(self._again):
                if index not in others:
                    return index
            left = self._guesses.keys() - self._labelled - self._skipped.keys() - self._gone.keys() - others
            return min(left, key=lambda index: (self._guesses[index].confidence, index), default=None)

    def guess(self, index: int) -> Guess:
        """What a picture is thought to show, or was said to show before it was undone."""
        return self._guesses[index]

    def label(self, index: int, text: str, boxes: list[Box] | None, turned: int, size: Size) -> None:
        """Writes what a picture shows.

        Args:
            index: The picture's.
            text: Its numbers; empty if it shows no digit.
            boxes: Of the digits of the text, in the picture as shown; of a text without digits those of what looks
                like some. None where they are not known.
            turned: Degrees clockwise by which the picture has to be turned to be read.
            size: Of the picture.

        Raises:
            OutputError: It cannot be written.
            UsageError: The text is none of the picture, or has another number of digits than boxes.
        """
        digits = [char for char in text if char.isdecimal() or char == DOUBT]
        if boxes is not None and digits and len(digits) != len(boxes):
            raise UsageError(f"{len(digits)} digits have {len(boxes)} boxes")
        if size == (SIDE, SIDE):
            if len(digits) > 1 or digits == [DOUBT]:
                raise UsageError("a picture of 28x28 pixels shows one digit, or none; skip it if it cannot be told")
            row: Row = {"label": int(digits[0]) if digits else NONE}
        else:
            row = {"text": text if digits else ""}
            if boxes is not None or not digits:
                row["boxes"] = boxes or []
            if turned:
                row["turned"] = turned
        with self._lock:
            self._labels.put(self.pictures[index].key, row)
            self._labelled.add(index)
            self._end(index)

    def sync(self) -> None:
        """Waits until all labels are on the disk."""
        self._labels.sync()

    def skip(self, index: int) -> None:
        """Leaves a picture out, now and at the next start."""
        with self._lock:
            self._note(index, {"skipped": True})
            self._skipped[index] = None
            self._end(index)

    def _end(self, index: int) -> None:
        """Notes that something was said of a picture."""
        for order in (self._again, self._history):  # in both, if two windows show the same picture
            if index in order:
                order.remove(index)
        self._history.append(index)

    def undo(self) -> int | None:
        """Takes back what was said last, and returns the picture, which comes next; None where nothing was said.

        Raises:
            OutputError: The label cannot be removed.
        """
        with self._lock:
            if not self._history:
                return None
            index = self._history[-1]
            if index in self._labelled:
                self._guesses[index] = self._said(index, self._labels.remove(self.pictures[index].key))
                self._labelled.remove(index)
            else:
                self._note(index, {"skipped": False})
                self._skipped.pop(index, None)
                self._guesses.setdefault(index, Guess("", [], [], 0.0, 0))
            self._history.pop()
            self._again.append(index)
            return index

    def show_skipped(self) -> None:
        """Lets the pictures come again that were skipped."""
        with self._lock:
            for index in self._skipped:
                self._note(index, {"skipped": False})
                self._guesses.setdefault(index, Guess("", [], [], 0.0, 0))
            self._history = [index for index in self._history if index not in self._skipped]
            self._skipped.clear()

    def lose(self, index: int, why: str) -> None:
        """Notes that a picture cannot be shown any more."""
        with self._lock:
            self._gone[index] = why
            if index in self._again:
                self._again.remove(index)

    def counts(self) -> dict[str, int]:
        """How many pictures there are, are read, labelled, skipped, and cannot be read."""
        with self._lock:
            return {
                "pictures": len(self.pictures),
                "read": len(self._guesses.keys() | self._labelled),
                "labelled": len(self._labelled),
                "skipped": len(self._skipped),
                "unreadable": len(self._gone),
            }

    def errors(self) -> list[str]:
        """Why pictures cannot be shown, a line for each."""
        with self._lock:
            return list(self._gone.values())

    def _said(self, index: int, row: Row) -> Guess:
        """A label that was taken back, as a guess."""
        before = self._guesses.get(index, Guess("", [], [], 0.0, 0))
        stated = {name: value for name, value in row.items() if value is not None}  # tables write null for nothing
        text = stated.get("text", stated.get("label", NONE))
        boxes = stated.get("boxes", before.boxes)
        turned = stated.get("turned", before.turned)
        return Guess("" if text == NONE else str(text), boxes, [1.0] * len(boxes), before.confidence, turned)

    def _note(self, index: int, what: Row) -> None:
        picture = self.pictures[index]
        page = {"page": picture.page} if picture.page else {}
        self._labels.note({"file": self._labels.file_of((picture.path, 0)), **page, **what})

    def _stamp(self, index: int) -> list[int] | None:
        """Size and time of a picture's file, by which a change of it is noticed."""
        try:
            status = Path(self.pictures[index].path).stat()
        except OSError:
            return None
        return [status.st_size, status.st_mtime_ns]


class Shown(NamedTuple):
    """A picture as it is sent to the page.

    Attributes:
        content: A file of a size that a browser shows at once.
        kind: The content type.
        size: Of the picture itself, upright by EXIF and not turned.
    """

    content: bytes
    kind: Literal["image/png", "image/jpeg"]
    size: Size


def shown(picture: Picture, turned: int) -> Shown:
    """A picture turned clockwise by 0, 90, 180 or 270 degrees. Raises InputError or MissingExtraError."""
    image = load_rgb(picture.path, page=picture.page)
    size = image.size
    image.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.BOX)
    if turned:
        image = image.rotate(-turned, expand=True)
    file = io.BytesIO()
    if image.width * image.height < SHARP_PIXELS:
        image.save(file, "PNG")
        return Shown(file.getvalue(), "image/png", size)
    image.save(file, "JPEG", quality=SHOWN_QUALITY)
    return Shown(file.getvalue(), "image/jpeg", size)


def boxes_turned(boxes: Sequence[Box], size: Size, turned: int, back: bool = False) -> list[Box]:
    """The boxes of a picture of that size in the turned one, or back."""
    if not boxes:
        return []
    width, height = size
    sideways = turned % 180 != 0
    shape = (width, height) if sideways and not back else (height, width)
    degrees = turned if back else -turned % 360
    made: list[list[Any]] = turned_back(np.array(boxes, np.float32), shape, degrees).round().astype(int).tolist()
    return made
