"""A labelled set: pictures in MNIST's form with labels, names and groups, and what was wrong with the source.

    gathered = Gathered("digits/")
    gathered.add(gray, label=7, name="digits/7/a.png", group="meter 3")
    labelled = gathered.labelled()
    labelled.images, labelled.labels         # (N, 28, 28) uint8, ink bright; (N,) uint8, 10 is "no digit"

What was wrong with the source is kept as well, so that nothing is left out silently.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from digitocr.runtime import preprocessing
from digitocr.runtime.background import ink_box, shadeless
from digitocr.runtime.image import GrayImage
from digitocr.runtime.opencv import cv2
from digitocr.train.data import Bytes
from digitocr.train.idx import TEST, TRAIN

NONE = 10  # the label of a picture that shows no digit
NONE_NAMES = ("none", "no digit", "10")  # of that label; 10 is its number among the classes of the networks
CLASSES = (*map(str, range(10)), "none")
PARTS = {"train": TRAIN, "training": TRAIN, "val": TRAIN, "valid": TRAIN, "validation": TRAIN}
PARTS |= {"test": TEST, "testing": TEST, "t10k": TEST}  # what a source may call its parts

Kind: TypeAlias = Literal["unreadable", "no digit", "unboxed", "zeros", "left out"]


@dataclass(frozen=True)
class Trouble:
    """Something in a source that is not used.

    Attributes:
        kind: "unreadable": a file. "no digit": a label that is none of CLASSES. "unboxed": a picture in which the
            places of its digits are not known. "zeros": one in which more zeros are read in front.
            "left out": a file or folder that belongs to no form of a source.
        name: The file, with its line where it has lines.
        why: The rest of the sentence.
    """

    kind: Kind
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


@dataclass(frozen=True)
class Shown:
    """A picture of a source that is a file, with what stands in it.

    Attributes:
        file: Its path.
        page: The page of a TIFF, from 0.
        name: For messages.
        lines: The digits of each line that has any, "?" for one that cannot be told; none where no digit is shown.
        boxes: As stated: x, y, width and height of each digit of the lines, in pixels of the picture as shown; of what
            looks like a digit and is none, where there are no lines. None if not stated.
        turned: Degrees clockwise by which it has to be turned to be read.
        group: What it belongs to; empty where nothing is stated.
        part: TRAIN, TEST, or empty where none is stated.
    """

    file: str
    page: int
    name: str
    lines: tuple[str, ...]
    boxes: tuple[tuple[float, ...], ...] | None
    turned: int = 0
    group: str = ""
    part: str = ""


@dataclass(frozen=True, eq=False)
class Labelled:
    """A labelled set as it was read, before it is divided.

    Attributes:
        source: The file or folder as it was named.
        images: (N, 28, 28) uint8 in MNIST's form, ink bright.
        labels: (N,) uint8, 0 to 9, or NONE.
        names: N names for messages: the file, with a line, a place or a number where it holds several pictures.
        groups: N names of groups, empty where none is stated.
        parts: N of TRAIN, TEST, or empty where none is stated.
        sizes: How many pictures had which (width, height).
        bright: How many pictures had bright ink on dark.
        troubles: What is not used.
        pictures: The files of the set, where it has any, also those that no image could be cut out of.
    """

    source: str
    images: Bytes
    labels: Bytes
    names: list[str]
    groups: list[str]
    parts: list[str]
    sizes: Counter[tuple[int, int]]
    bright: int
    troubles: list[Trouble]
    pictures: list[Shown] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.names)

    def only(self, kept: npt.NDArray[np.intp]) -> "Labelled":
        """The set of the images at these indices; sizes, polarity, troubles and files stay those of the source."""
        return Labelled(
            self.source,
            self.images[kept],
            self.labels[kept],
            [self.names[at] for at in kept.tolist()],
            [self.groups[at] for at in kept.tolist()],
            [self.parts[at] for at in kept.tolist()],
            self.sizes,
            self.bright,
            self.troubles,
            self.pictures,
        )


@dataclass(eq=False)
class Gathered:
    """A labelled set that is being read. The attributes are those of Labelled."""

    source: str
    images: list[Bytes] = field(default_factory=list)  # (n, 28, 28) each
    labels: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    bright: int = 0
    troubles: list[Trouble] = field(default_factory=list)
    pictures: list[Shown] = field(default_factory=list)

    def add(self, gray: GrayImage, label: int, name: str, group: str = "", part: str = "") -> None:
        """Adds an (H, W) picture of one digit, or of none, of any size and polarity."""
        self.add_image(digit_image(gray), is_bright(gray), (gray.shape[1], gray.shape[0]), label, name, group, part)

    def add_image(
        self, image: Bytes, bright: bool, size: tuple[int, int], label: int, name: str, group: str, part: str
    ) -> None:
        """Adds a (28, 28) picture that is in MNIST's form; size: width and height of what it was made from."""
        self.images.append(image[None])
        self.labels.append(label)
        self.names.append(name)
        self.groups.append(group)
        self.parts.append(part)
        self.sizes[size] += 1
        self.bright += bright

    def trouble(self, kind: Kind, name: str, why: str) -> None:
        """Notes something that is not used."""
        self.troubles.append(Trouble(kind, name, why))

    def labelled(self) -> Labelled:
        """All that was added."""
        images = np.concatenate(self.images) if self.images else np.zeros((0, 28, 28), np.uint8)
        labels = np.array(self.labels, np.uint8)
        return Labelled(
            self.source,
            images,
            labels,
            self.names,
            self.groups,
            self.parts,
            self.sizes,
            self.bright,
            self.troubles,
            self.pictures,
        )


def digit_image(gray: GrayImage) -> Bytes:
    """A picture of one digit as the network gets it: (28, 28) uint8, ink bright.

    A 28x28 picture goes through preprocessing.lone, as it does when it is read. Of any other size the box around the
    ink is cut out, as the Reader does for one digit that its detector does not find.
    """
    if gray.shape == (preprocessing.SIDE, preprocessing.SIDE):
        made: Bytes = preprocessing.lone(gray)[0]
        return made
    boxes = np.array([ink_box(gray)], np.float32)
    cut: Bytes = preprocessing.images(shadeless(gray, boxes), boxes)[0]
    return cut


def is_bright(gray: GrayImage) -> bool:
    """Whether ink is brighter than the background of an (H, W) picture; the top row is taken for background."""
    return bool(cv2.mean(gray)[0] >= cv2.mean(gray[0])[0])


def label_of(value: Any) -> int | None:
    """The label in a cell of a table or in JSON: 0 to 9, or NONE; None for anything else.

    >>> label_of("7"), label_of(7), label_of("none"), label_of("seven"), label_of("7.0")
    (7, 7, 10, None, 7)

    The last is how pandas writes a column of which some cells are empty.
    """
    text = "" if value is None else str(value).strip().lower().removesuffix(".0")
    if text in NONE_NAMES:
        return NONE
    return int(text) if len(text) == 1 and text.isdecimal() and text.isascii() else None


def part_of(value: Any) -> str | None:
    """TRAIN or TEST from what a source calls a part; empty where it says nothing, None for another word."""
    text = str(value or "").strip().lower()
    return PARTS.get(text) if text else ""
