"""Labels that stand in a file or in the names of folders -> entries: a picture each, with what it shows.

    entries_of_folder(Path("digits"), gathered)      # digits/0/..., digits/none/..., digits/test/7/...
    entries_of_csv(Path("labels.csv"), gathered)     # file,label or file,text; also group and part
    entries_of_json(Path("labels.json"), gathered)   # [{"file": "a.jpg", "text": "407"}, ...], JSON lines, readings

No picture is opened here. A line that makes no entry is noted as a trouble, with its number.
"""

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitocr.runtime.characters import DOUBT
from digitocr.runtime.errors import InputError
from digitocr.runtime.formats import is_readable
from digitocr.train.sources.labelled import CLASSES, PARTS, Gathered, label_of, part_of

FILE_KEYS = ("file", "source", "path", "image", "filename", "name")  # of the picture's file, in a table or in JSON
LABEL_KEYS = ("label", "digit", "class")  # of the digit that a picture shows
TEXT_KEY = "text"  # of what stands in a picture
GROUP_KEYS = ("group", "meter", "writer", "folder")  # of what belongs together
PART_KEYS = ("part", "split", "set", "subset")
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Entry:
    """A picture with what it shows.

    Attributes:
        file: Its path.
        name: For messages: the path, or the line of the file that names it.
        label: 0 to 9, or NONE: the picture is one digit, or none. None where `text` says what it shows.
        text: The digits in the picture in reading order, with a line for each line; DOUBT for a digit that cannot be
            told. None where `label` says it.
        boxes: x, y, width and height of each digit of the text, in pixels of the picture as shown; None if not known.
        turned: Degrees clockwise by which the picture has to be turned to be read.
        page: The page of a TIFF, from 0.
        group: What the picture belongs to; empty where nothing is stated.
        part: TRAIN, TEST, or empty where none is stated.
    """

    file: str
    name: str
    label: int | None = None
    text: str | None = None
    boxes: tuple[tuple[float, ...], ...] | None = None
    turned: int = 0
    page: int = 0
    group: str = ""
    part: str = ""


class _Unusable(Exception):
    """A line that makes no entry; the message is the rest of a sentence about it."""


def has_class_folders(folder: Path) -> bool:
    """Whether the folder holds folders for classes, itself or in folders of its own."""
    return bool(_roots(folder))


def entries_of_folder(folder: Path, gathered: Gathered) -> Iterator[Entry]:
    """The pictures in a folder for each class, by class and name.

    The class folders may lie in folders of their own: `train` and `test` are parts, others are groups. A folder inside
    a class folder is a group as well.
    """
    for root, group, part in _roots(folder):
        for path in sorted(root.iterdir()):
            if path.name not in CLASSES and not path.name.startswith("."):
                gathered.trouble("left out", str(path), f"is no folder of a class; these are {', '.join(CLASSES)}")
        for name in CLASSES:
            yield from _pictures(str(root / name), label_of(name), group, part, gathered)
    taken = {root for root, _, _ in _roots(folder)}
    if folder not in taken:
        for path in sorted(folder.iterdir()):
            if path not in taken and not path.name.startswith("."):
                gathered.trouble("left out", str(path), "holds no folders of classes")


def _roots(folder: Path) -> list[tuple[Path, str, str]]:
    """The folders that hold class folders, each with its group and its part."""
    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    if any(path.name in CLASSES for path in folders):
        return [(folder, "", "")]
    holding = [path for path in folders if any((path / name).is_dir() for name in CLASSES)]
    return [(path, "" if path.name.lower() in PARTS else path.name, part_of(path.name) or "") for path in holding]


def _pictures(folder: str, label: int | None, group: str, part: str, gathered: Gathered) -> Iterator[Entry]:
    if not os.path.isdir(folder):  # noqa: PTH112  # a Path for each file would take longer than to decode it
        return
    with os.scandir(folder) as entries:
        found = sorted(
            # a link is looked at by isdir, since is_dir raises for one that leads to itself
            (entry.name, os.path.isdir(entry) if entry.is_symlink() else entry.is_dir(), entry.is_symlink())  # noqa: PTH112
            for entry in entries
            if not entry.name.startswith(".")
        )
    for name, is_folder, is_link in found:
        path = f"{folder}{os.sep}{name}"
        if is_folder and is_link and Path(folder).resolve().is_relative_to(Path(path).resolve()):
            gathered.trouble("left out", path, "leads back to a folder that it is in")
        elif is_folder:
            yield from _pictures(path, label, group or name, part, gathered)
        elif is_readable(os.path.splitext(name)[1]):  # noqa: PTH122
            yield Entry(path, path, label, group=group, part=part)
        else:
            gathered.trouble("left out", path, "is no picture by its name")


def delimiter_of(head: str) -> str:
    """What the cells of a table are divided by, from its first line."""
    return max(_DELIMITERS, key=head.count)


def is_pixels(path: Path) -> bool:
    """Whether a table holds pixels instead of names of files: many columns, the first one of labels."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            head = next(lines, "")
        cells = next(csv.reader([head], delimiter=delimiter_of(head)), [])
    except (OSError, ValueError, csv.Error):
        return False
    return len(cells) > 25 and (cells[0].strip().lower() in LABEL_KEYS or label_of(cells[0]) is not None)


def entries_of_csv(path: Path, gathered: Gathered) -> Iterator[Entry]:
    """The pictures of a table, one in each line.

    Its first line names the columns: a file, and a label or a text; also a group and a part. Without such a line the
    first column is the file and the second the label. Files are relative to the table's folder.

    Raises:
        InputError: The table cannot be read, or has no such columns.
    """
    try:
        content = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not in UTF-8, as spreadsheets may write it; save it as CSV UTF-8") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    head = content.lstrip("\n").split("\n", 1)[0]
    if head.lower().startswith("sep="):  # Excel's line, for itself, with the delimiter of those that follow
        content = content.replace(head, "", 1)
        head = content.lstrip("\n").split("\n", 1)[0]
    delimiter = delimiter_of(head)
    rows = _rows(content, delimiter, path)
    names = next(([cell.strip().lower() for cell in cells] for _, cells in rows if cells), [])
    if not set(names) & set(FILE_KEYS):
        if len(names) < 2 or label_of(names[1]) is None:
            raise InputError(f"{path}: its first line must name the columns, as: file,label")
        names, rows = ["file", "label"], _rows(content, delimiter, path)
    if not set(names) & {*LABEL_KEYS, TEXT_KEY}:
        raise InputError(f"{path}: has the columns {', '.join(names)}, and no column label or text")
    for number, cells in rows:
        if any(cell.strip() for cell in cells):
            yield from _entry(dict(zip(names, cells, strict=False)), path, f"{path}:{number}", gathered)


def _rows(content: str, delimiter: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table, each with the number of its last line. Raises InputError."""
    lines = io.StringIO(content, newline="")  # a text in quotes may have several lines
    rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        for cells in rows:
            yield rows.line_num, cells
    except csv.Error as error:
        raise InputError(f"{path}:{rows.line_num}: is no line of a CSV ({error})") from error


def entries_of_json(path: Path, gathered: Gathered) -> Iterator[Entry]:
    """The pictures of a JSON list of objects, or of JSON lines.

    An object has a file and a label or a text, boxes where they are known, a group and a part where there are any; or
    it is a line of `digitocr predict --jsonl`. Files are relative to the folder of the list.

    Raises:
        InputError: The file cannot be read, or is neither.
    """
    place = str(path)
    rows = []
    try:
        content = path.read_text("utf-8-sig")
        if content.lstrip().startswith("["):
            rows = [(f"{path}, entry {number}", row) for number, row in enumerate(json.loads(content), 1)]
        else:
            for number, line in enumerate(content.split("\n"), 1):  # a text may hold U+2028 and other ends of lines
                place = f"{path}:{number}"
                if line.strip():
                    rows.append((place, json.loads(line)))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{place}: is no JSON list and no JSON lines ({error})") from error
    for name, row in rows:
        if isinstance(row, dict):
            yield from _entry(row, path, name, gathered)
        else:
            gathered.trouble("no digit", name, "is no JSON object with a file and a label or a text")


def _entry(row: Mapping[str, Any], path: Path, name: str, gathered: Gathered) -> Iterator[Entry]:
    """The entry of a row, or none and a trouble."""
    try:
        file = _first(row, FILE_KEYS)
        if not isinstance(file, str) or not file.strip():
            raise _Unusable("names no file")
        part = part_of(_first(row, PART_KEYS))
        if part is None:
            raise _Unusable(f"says the part {_first(row, PART_KEYS)}, which is neither train nor test")
        if row.get("error"):
            gathered.trouble("unreadable", name, f"{file}: {str(row['error']).removeprefix(f'{file}: ')}")
            return
        label, text, boxes = _shown(row)
        turned, page = int(row.get("turned") or 0), int(row.get("page") or 1) - 1
    except _Unusable as error:
        gathered.trouble("no digit", name, str(error))
        return
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        gathered.trouble("no digit", name, "has a key of another form than those of digitocr predict --jsonl")
        return
    yield Entry(
        _located(file.strip(), path.parent),
        f"{name} ({file.strip()})",
        label,
        text,
        boxes,
        turned,
        page,
        str(_first(row, GROUP_KEYS) or "").strip(),
        part,
    )


def _first(row: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    """What the first of the keys says that says anything, as an empty cell of a table does not; else None."""
    return next((row[key] for key in keys if row.get(key) not in (None, "")), None)


def _located(file: str, folder: Path) -> str:
    """The path of a file that is relative to the folder or, as in the lines of predict, to where one works.

    A list from Windows has backslashes between folders.
    """
    for named in (file, file.replace("\\", "/")):
        for path in (folder / named, Path(named)):
            if os.path.exists(path):  # noqa: PTH110  # Path.exists raises for a name that is too long
                return str(path)
    return str(folder / file)


def _shown(row: Mapping[str, Any]) -> tuple[int | None, str | None, tuple[tuple[float, ...], ...] | None]:
    """Label, text and boxes of a row. Raises _Unusable."""
    text, label = row.get(TEXT_KEY), _first(row, LABEL_KEYS)
    if text is None and label is None:
        raise _Unusable("has no label and no text")
    if text is None or (text == "" and label is not None):  # an empty text alone says that no digit is shown
        known = label_of(label)
        if known is None:
            raise _Unusable(f"its label is {str(label)[:40]!r}, which is no digit; 0 to 9, or none")
        return known, None, None
    if not isinstance(text, str):
        raise _Unusable("its text is no text; write it in quotes")
    if row.get("lines"):
        return None, *_corrected(row, text)
    boxes = row.get("boxes")
    if boxes in (None, ""):
        return None, text, None
    return None, text, tuple(tuple(map(float, box)) for box in boxes)


def _corrected(row: Mapping[str, Any], text: str) -> tuple[str, tuple[tuple[float, ...], ...]]:
    """What stands in a picture by a line of predict that may have been corrected, and the boxes of its digits.

    Each digit is named four times: in `text`, in the text of its line and of its number, and by itself. What `text` and
    the digits agree on is right; else where all agree but one, that one was corrected. Raises _Unusable where they
    differ otherwise.
    """
    lines = row["lines"]
    numbers = [number for line in lines for number in line["numbers"]]
    digits = [digit for number in numbers for digit in number["digits"]]
    versions = [
        digits_in(text),
        digits_in("".join(line["text"] for line in lines)),
        digits_in("".join(number["text"] for number in numbers)),
        "".join(DOUBT if digit["digit"] is None else str(digit["digit"]) for digit in digits),
    ]
    boxes = tuple(tuple(map(float, digit["box"])) for digit in digits)
    if versions[0] == versions[-1]:
        return versions[0], boxes
    different = sorted(set(versions), key=versions.count)
    if len(different) > 2 or (len(different) == 2 and versions.count(different[0]) > 1):
        raise _Unusable(f"says {' and '.join(different)} of one picture; correct one place, or all of them")
    return different[0], boxes


def digits_in(text: str) -> str:
    """The digits of a text, and DOUBT for each that cannot be told.

    >>> digits_in("-12.5 m³")
    '125'
    """
    return "".join(char for char in text if (char.isascii() and char.isdecimal()) or char == DOUBT)
