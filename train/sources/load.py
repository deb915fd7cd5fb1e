"""A source of labelled pictures, in any form -> the data that the networks are trained and measured with.

    labelled = read_source(Path("digits/"))      # as it is, with what was wrong
    data = load_data(Path("digits/"))            # as MNIST is: training and test images; MNIST itself stays as it is

A source is a folder for each class, a CSV (file,label), an .npz (x, y), IDX files, or pictures with what stands in them
(labels.json, JSON lines). Pictures that cannot be read, or that have two labels, are left out, and told on stderr.
Labels that are no digit are an error.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.errors import InputError
from digitocr.runtime.files import is_folder, shown_files
from digitocr.train import data as mnist
from digitocr.train.data import Indices, Mnist, Origin, by_group, holds_mnist, known_mnist
from digitocr.train.idx import TEST, TRAIN, find_idx, is_idx, set_of
from digitocr.train.quiet import progress_line
from digitocr.train.sources.arrays import read_idx_set, read_npz, read_pixels
from digitocr.train.sources.labelled import CLASSES, NONE, Gathered, Labelled, Trouble
from digitocr.train.sources.pictures import add_entries
from digitocr.train.sources.tables import (
    entries_of_csv,
    entries_of_folder,
    entries_of_json,
    has_class_folders,
    is_pixels,
)

SPLIT_SEED = 0  # of the division into training and test images; the same for every run
TEST_SHARE = 1 / 6  # of own pictures are to test with, where the source does not say which
LEAST_TRAINING = 12  # digits; with fewer none can be held out
LEAST_OF_SOURCE = 2  # pictures; fewer cannot be divided
IMBALANCE = 1000  # times; a class with so many more pictures than another one is told
TOLD = 5  # of the files that are left out for the same reason, are named
LISTS = ("labels.json", "labels.jsonl", "labels.csv")  # in a folder of pictures
EMNIST_DIGITS = "emnist-digits-"  # the set of EMNIST's folder that is digits alone
FORMS = (
    "a folder for each class (0 to 9, none), labels.csv (file,label), labels.json or .jsonl (file, text), "
    "an .npz (x, y), or IDX files"
)


def load_data(source: Path | None, quiet: bool = False, complete: bool = False) -> Mnist:
    """Loads MNIST, or own data in its form.

    Args:
        source: A file or folder of own data, or MNIST's folder; None for MNIST as load_mnist finds it.
        quiet: Whether to draw no progress bar of a download.
        complete: Whether every digit has to occur in the training images, as for a training from scratch.

    Raises:
        InputError: There is no such source, it is damaged, has a label that is no digit, too few pictures, or no
            picture of a digit that has to occur.
        MissingExtraError: MNIST has to be downloaded and Keras is not installed.
    """
    if source is None or (is_folder(source) and holds_mnist(source)):
        return mnist.load_mnist(source, quiet)
    labelled = read_source(source)
    refuse_wrong_labels(labelled)
    usable, contradicted = without_contradictions(labelled)
    for line in warnings_of(labelled.troubles) + ([contradicted] if contradicted else []):
        progress_line(f"digitocr: {line}")
    data = divided(usable)
    lacking = [str(digit) for digit in range(10) if digit not in data.train_labels]
    if complete and lacking:
        raise InputError(
            f"{source}: has no picture of {', '.join(lacking)} to train with; add some, or the network cannot read them"
        )
    if complete and len(data.train_labels) < LEAST_TRAINING:
        raise InputError(f"{source}: has {len(data.train_labels)} digits to train with; {LEAST_TRAINING} are the least")
    if imbalance := imbalance_of(usable):
        progress_line(f"digitocr: {source}: {imbalance}")
    return data


def read_source(source: Path) -> Labelled:
    """Reads a source as it is, whatever its labels.

    Raises:
        InputError: There is no such source, it has none of the forms or is damaged, or no picture of it can be read.
    """
    gathered = Gathered(str(source))
    try:
        if not source.exists():
            raise InputError(f"{source}: does not exist; give {FORMS}")
        if source.is_dir():
            _read_folder(source, gathered)
        elif source.is_file():
            _read_file(source, gathered)
        else:  # nobody may ever write to a pipe
            raise InputError(f"{source}: is a pipe or a device; give {FORMS}")
    except OSError as error:  # of a folder; what files raise is told where they are read
        raise InputError(f"{error.filename or source}: cannot be read ({error.strerror})") from error
    if not gathered.names:
        raise InputError(f"{source}: no labelled picture in it can be used{_first(gathered.troubles)}")
    return gathered.labelled()


def _read_folder(folder: Path, gathered: Gathered) -> None:
    sets = find_idx(folder)
    lists = [folder / name for name in LISTS if (folder / name).is_file()]
    arrays = shown_files(folder, "*.npz")
    tables = [path for path in shown_files(folder, "*.csv") if is_pixels(path)]
    if sets:
        prefix = next(iter(sets)) if len(sets) == 1 else "" if "" in sets else EMNIST_DIGITS
        if prefix not in sets:
            raise InputError(f"{folder}: holds the sets {', '.join(sorted(sets))}; name the file of the images of one")
        read_idx_set(sets[prefix], gathered)
    elif has_class_folders(folder):
        add_entries(entries_of_folder(folder, gathered), gathered)
    elif lists:
        _read_file(lists[0], gathered)
    elif len(arrays) == 1:
        read_npz(arrays[0], gathered)
    elif tables:
        for path in tables:
            part = TEST if "test" in path.name.lower() else TRAIN
            read_pixels(path, gathered, part if len(tables) > 1 else "")
    else:
        raise InputError(f"{folder}: no labelled pictures in it; give {FORMS}")


def _read_file(path: Path, gathered: Gathered) -> None:
    suffix = path.suffix.lower()
    if is_idx(path):
        read_idx_set(find_idx(path.parent)[set_of(path)], gathered)
    elif suffix == ".npz":
        read_npz(path, gathered)
    elif suffix in (".json", ".jsonl", ".ndjson"):
        add_entries(entries_of_json(path, gathered), gathered)
    elif suffix in (".csv", ".tsv", ".txt") and is_pixels(path):
        read_pixels(path, gathered)
    elif suffix in (".csv", ".tsv", ".txt"):
        add_entries(entries_of_csv(path, gathered), gathered)
    else:
        raise InputError(f"{path}: is no source of labelled pictures; give {FORMS}")


def _first(troubles: Sequence[Trouble]) -> str:
    """Why the first of a source's pictures cannot be used, and how many there are beside it."""
    if not troubles:
        return ""
    more = len(troubles) - 1
    return f"; {troubles[0]}" + (f" (and {more} more)" if more else "")


def refuse_wrong_labels(labelled: Labelled) -> None:
    """Raises InputError if a label is no digit: the source is not understood, or has a mistake to be corrected."""
    wrong = [trouble for trouble in labelled.troubles if trouble.kind == "no digit"]
    if wrong:
        more = f"; {len(wrong) - 1} more are wrong: digitocr data check lists them" if len(wrong) > 1 else ""
        raise InputError(f"{wrong[0]}{more}")


def warnings_of(troubles: list[Trouble]) -> list[str]:
    """A line for each trouble; of many of one kind the first ones, and how many more there are."""
    lines = []
    for kind in dict.fromkeys(trouble.kind for trouble in troubles):
        same = [trouble for trouble in troubles if trouble.kind == kind]
        lines += [f"left out: {trouble}" for trouble in same[:TOLD]]
        if len(same) > TOLD:
            lines.append(f"left out: {len(same) - TOLD} more ({kind}); digitocr data check lists them")
    return lines


def same_pictures(labelled: Labelled) -> Indices:
    """(N,) int64: a number for each picture, the same for pictures with the same pixels."""
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(image.tobytes(), len(numbers)) for image in labelled.images], np.int64)


def contradictions(labels: Indices, same: Indices) -> Indices:
    """Indices of the pictures that have the pixels of another one and another label. same: of same_pictures."""
    count = int(same.max(initial=-1)) + 1
    low, high = np.full(count, NONE + 1), np.full(count, -1)
    np.minimum.at(low, same, labels)
    np.maximum.at(high, same, labels)
    return np.flatnonzero(low[same] != high[same]).astype(np.int64)


def without_contradictions(labelled: Labelled) -> tuple[Labelled, str]:
    """The set without pictures that have two labels, and a line that names them; empty where there are none."""
    wrong = contradictions(labelled.labels.astype(np.int64), same_pictures(labelled))
    if not len(wrong):
        return labelled, ""
    named = ", ".join(f"{labelled.names[at]} ({CLASSES[labelled.labels[at]]})" for at in wrong[:TOLD].tolist())
    more = f" and {len(wrong) - TOLD} more" if len(wrong) > TOLD else ""
    line = f"left out: pictures with the same pixels and different labels: {named}{more}; correct the labels"
    return labelled.only(np.setdiff1d(np.arange(len(labelled)), wrong)), line


def imbalance_of(labelled: Labelled) -> str:
    """What is wrong with the counts of digits, as the rest of a sentence; empty where nothing is."""
    counts = np.bincount(labelled.labels, minlength=NONE + 1)[:NONE]
    occurring = counts[counts > 0]
    if len(occurring) < 2 or occurring.max() < IMBALANCE * occurring.min():
        return ""
    most, least = int(counts.argmax()), int(np.where(counts > 0, counts, counts.max()).argmin())
    return (
        f"has {counts[most]:,} pictures of {most} and {counts[least]:,} of {least}; "
        f"a network trained on them will hardly ever answer {least}"
    )


def divided(labelled: Labelled) -> Mnist:
    """The set as MNIST is: training and test images, pictures without a digit apart.

    Where the source says which pictures are to test with, these are; all others are to train with. Else whole groups
    are drawn, of about TEST_SHARE of the pictures, or without groups a share of each class. Pictures with the same
    pixels stay together.

    Raises:
        InputError: There are too few pictures.
    """
    groups = groups_of(labelled)
    test, split = test_part(labelled, groups)
    digits = labelled.labels != NONE
    chosen = [np.flatnonzero(part) for part in (digits & ~test, digits & test, ~digits & ~test, ~digits & test)]
    training, testing, train_others, test_others = chosen
    if not len(testing):
        raise InputError(f"{labelled.source}: has no digit to test with; add pictures, or mark some as test")
    arrays = [array[at] for at in (training, testing) for array in (labelled.images, labelled.labels)]
    together = groups[training]
    if len(np.unique(together)) < 2:
        together = np.arange(len(training), dtype=np.int64)  # a single group cannot be held out in part
    if not len(train_others) and not len(test_others) and (known := known_mnist(arrays)):
        return known
    images = labelled.images
    digest = hashlib.sha256()
    for array in (*arrays, images[train_others], images[test_others]):
        digest.update(f"{array.shape}".encode() + array.tobytes())
    digest.update(together.tobytes())
    rows = tuple(
        (labelled.names[at], CLASSES[labelled.labels[at]], labelled.groups[at], part)
        for indices, part in zip(chosen, (TRAIN, TEST, TRAIN, TEST), strict=True)
        for at in indices.tolist()
    )
    return Mnist(
        arrays[0],
        arrays[1],
        arrays[2],
        arrays[3],
        digest.hexdigest(),
        together,
        images[train_others],
        images[test_others],
        Origin(labelled.source, split, rows),
    )


def groups_of(labelled: Labelled) -> Indices:
    """(N,) int64: the groups of the pictures; one without a group is in one with those of the same pixels.

    Groups of the same pictures, as of a photo that was copied, are one. A single group cannot be divided, and counts as
    none.
    """
    same = same_pictures(labelled)
    names = dict.fromkeys(name for name in labelled.groups if name)
    if len(names) == 1 and all(labelled.groups):
        return same
    shown: dict[str, set[int]] = {name: set() for name in names}
    for name, number in zip(labelled.groups, same.tolist(), strict=True):
        if name:
            shown[name].add(number)
    first: dict[frozenset[int], int] = {}
    start = int(same.max(initial=-1)) + 1
    numbers = {name: first.setdefault(frozenset(shown[name]), start + at) for at, name in enumerate(names)}
    return np.array([numbers.get(name, at) for name, at in zip(labelled.groups, same.tolist(), strict=True)], np.int64)


def test_part(labelled: Labelled, groups: Indices) -> tuple[NDArray[np.bool_], str]:
    """(N,) whether each picture is to test with, and how that was decided. groups: of groups_of."""
    if TEST in labelled.parts:
        return np.array([part == TEST for part in labelled.parts]), "as the source says"
    if len(labelled) < LEAST_OF_SOURCE:
        few = f"fewer than {LEAST_OF_SOURCE} labelled pictures can be used"
        raise InputError(f"{labelled.source}: {few}{_first(labelled.troubles)}")
    named = len({name for name in labelled.groups if name})
    how = f"{named} groups" if named > 1 or (named and not all(labelled.groups)) else "a share of each class"
    test = np.zeros(len(labelled), np.bool_)
    test[by_group(groups, labelled.labels, max(1, round(len(labelled) * TEST_SHARE)), SPLIT_SEED)] = True
    return test, f"{how}, seed {SPLIT_SEED}"
