"""What is in a labelled set, and what is wrong with it, before anything is trained with it.

    report = check(read_source(Path("digits/")))
    report["failures"]            # ["digits/: has no picture of 7"]; empty where it is fit to train with
    print(as_text(report))

Near duplicates are found by the means of 2x2 areas of the pictures as the network gets them, as vectors of length 1, so
that contrast does not matter: two pictures are near where these differ by less than NEAR. A k-d tree over the principal
components of all vectors finds the few candidates of each picture, and its search ends at that distance.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitocr.runtime.classifier import Classifier
from digitocr.runtime.errors import MissingExtraError
from digitocr.runtime.preprocessing import SIDE, scale
from digitocr.train.data import Bytes, Indices
from digitocr.train.idx import TEST, TRAIN
from digitocr.train.sources.labelled import CLASSES, NONE, Labelled
from digitocr.train.sources.load import contradictions, groups_of, imbalance_of, same_pictures, test_part

try:
    from scipy.spatial import cKDTree
except ImportError as error:
    raise MissingExtraError("train", "checking data") from error

CHECK_SCHEMA = "digitocr-data/1"
AREAS = 14  # along a side, whose means are compared
# No test picture of MNIST is as near to a training picture. Saved again as JPEG of quality 75, a picture differs by
# 0.034 in the median; moved by half a pixel, by 0.25.
NEAR = 0.08  # of the length of a vector
COMPONENTS = 16  # of all pictures' vectors; two vectors differ in them by no more than in all
SAMPLE = 10_000  # pictures, whose components are taken for those of all
NEIGHBOURS = 4  # nearest ones in these components, that are compared whole
DOUBTFUL = 10  # pictures whose labels are doubted most, are listed
LISTED = 10  # pairs of each kind are listed
SIZES = 5  # of the sizes that occur most are listed
DOUBT_BELOW = 0.5  # the probability of the label; an answer above it is another one
_BATCH = 1_000  # pictures that the network gets at once

Report = dict[str, Any]


def check(labelled: Labelled, classifier: Classifier | None = None) -> Report:
    """All findings, as JSON-ready values.

    Args:
        labelled: The set.
        classifier: The network that doubts labels; by default the shipped one.

    Returns:
        schema, source, pictures, split (how training and test are told apart) and groups (how many there are).
        classes: for each class its name and how many pictures it has in "train" and "test".
        sizes: how many pictures had the sizes that occur most; smallest and largest width and height.
        polarity: how many pictures have "light on dark" and "dark on light".
        duplicates: "same" and "near": how many pictures have the pixels of an earlier one, or nearly those of another
        one, and the names of some pairs.
        leakage: the same of test pictures and training pictures.
        contradictions: groups of pictures with the same pixels and different labels: their names and labels.
        doubts: how many pictures the network answers otherwise ("differ"), and the DOUBTFUL ones whose label it gives
        the least probability: name, label, answer, probability.
        troubles: kind, name and why of all that is not used.
        unreadable: how many files could not be read, or have a label that is no digit.
        failures: why the set is not fit to train with. warnings: what might be meant so.
    """
    same = same_pictures(labelled)
    is_test, split = test_part(labelled, groups_of(labelled))
    wrong = contradictions(labelled.labels.astype(np.int64), same)
    duplicates, leakage = _repeated(labelled, same), _leaked(labelled, same, is_test)
    report: Report = {
        "schema": CHECK_SCHEMA,
        "source": labelled.source,
        "pictures": len(labelled),
        "split": split,
        "groups": len({group for group in labelled.groups if group}),
        "classes": [
            {
                "class": name,
                TRAIN: int((labelled.labels[~is_test] == label).sum()),
                TEST: int((labelled.labels[is_test] == label).sum()),
            }
            for label, name in enumerate(CLASSES)
        ],
        "sizes": _sizes(labelled),
        "polarity": {"light on dark": labelled.bright, "dark on light": labelled.sizes.total() - labelled.bright},
        "duplicates": duplicates,
        "leakage": leakage,
        "contradictions": _contradicting(labelled, same, wrong),
        "doubts": _doubts(labelled, classifier or Classifier(threads=os.cpu_count() or 1)),
        "troubles": [{"kind": one.kind, "name": one.name, "why": one.why} for one in labelled.troubles],
        "unreadable": sum(one.kind in ("unreadable", "no digit") for one in labelled.troubles),
    }
    return {**report, "failures": _failures(labelled, report), "warnings": _warnings(labelled, report)}


def _sizes(labelled: Labelled) -> Report:
    widths, heights = zip(*labelled.sizes, strict=True)
    return {
        "most": [{"size": list(size), "pictures": count} for size, count in labelled.sizes.most_common(SIZES)],
        "kinds": len(labelled.sizes),
        "widths": [min(widths), max(widths)],
        "heights": [min(heights), max(heights)],
    }


def area_means(images: Bytes) -> NDArray[np.float32]:
    """(N, 196) float32, each row of length 1: the means of 2x2 areas of (N, 28, 28) pictures, whatever their contrast.

    A blank picture has a row of zeros.
    """
    levels = images.reshape(len(images), AREAS, SIDE // AREAS, AREAS, SIDE // AREAS).astype(np.uint16)
    areas = levels[:, :, 0, :, 0] + levels[:, :, 0, :, 1] + levels[:, :, 1, :, 0] + levels[:, :, 1, :, 1]
    means = areas.reshape(len(images), AREAS * AREAS).astype(np.float32) / 4
    return np.asarray(means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1), np.float32)


def nearest(means: NDArray[np.float32], among: NDArray[np.float32], is_itself: bool = False) -> Indices:
    """(N,) int64: which of (M, 196) area_means each of (N, 196) nearly equals, the nearest one; -1 for none.

    is_itself: whether both are the same, and another one than the picture itself is looked for.
    """
    if len(among) < 2 or not len(means):
        found = np.full(len(means), -1, np.int64)
        if len(among) and not is_itself:
            found[np.linalg.norm(means - among[0], axis=1) < NEAR] = 0
        return found
    middle = among.mean(0)
    apart = among - middle
    some = apart[:: 1 + len(apart) // SAMPLE]
    main = np.linalg.eigh(some.T @ some)[1][:, -COMPONENTS:]
    tree = cKDTree(apart @ main, balanced_tree=False)
    near = tree.query((means - middle) @ main, NEIGHBOURS, distance_upper_bound=NEAR, workers=-1)[
        1
    ]  # len(among) for none
    if is_itself:
        near[near == np.arange(len(means))[:, None]] = len(among)
    found, closest = np.full(len(means), -1, np.int64), np.full(len(means), NEAR)
    for column in near.T:
        rows = np.flatnonzero(column < len(among))
        distances = np.linalg.norm(means[rows] - among[column[rows]], axis=1)
        better = rows[distances < closest[rows]]
        closest[better] = distances[distances < closest[rows]]
        found[better] = column[better]
    return found


def _repeated(labelled: Labelled, same: Indices) -> Report:
    """Pictures that repeat another one, whichever part they are in."""
    first = np.unique(same, return_index=True)[1]
    again = np.setdiff1d(np.arange(len(same)), first)
    means = area_means(labelled.images[first])
    found = nearest(means, means, is_itself=True)
    near = np.flatnonzero(found >= 0)
    return {
        "same": len(again),
        "near": len(near),
        "pairs": [
            *_pairs(labelled, again, first[same[again]]),
            *_pairs(labelled, first[near], first[found[near]], np.flatnonzero(near < found[near])),
        ],
    }


def _leaked(labelled: Labelled, same: Indices, is_test: NDArray[np.bool_]) -> Report:
    """Test pictures that are training pictures as well, or nearly."""
    training, testing = np.flatnonzero(~is_test), np.flatnonzero(is_test)
    first = dict(zip(same[training][::-1].tolist(), training[::-1].tolist(), strict=True))
    whose = np.array([first.get(number, -1) for number in same[testing].tolist()], np.int64)
    exact = whose >= 0
    others = testing[~exact]
    found = nearest(area_means(labelled.images[others]), area_means(labelled.images[training]))
    near = found >= 0
    return {
        "same": int(exact.sum()),
        "near": int(near.sum()),
        "pairs": [
            *_pairs(labelled, testing[exact], whose[exact]),
            *_pairs(labelled, others[near], training[found[near]]),
        ],
    }


def _pairs(labelled: Labelled, some: Indices, others: Indices, chosen: Indices | None = None) -> list[list[str]]:
    """The names of the first pairs; chosen: indices of those that are worth naming."""
    some, others = (some, others) if chosen is None else (some[chosen], others[chosen])
    pairs = zip(some[:LISTED].tolist(), others[:LISTED].tolist(), strict=True)
    return [[labelled.names[one], labelled.names[other]] for one, other in pairs]


def _contradicting(labelled: Labelled, same: Indices, wrong: Indices) -> list[list[Report]]:
    grouped: dict[int, list[Report]] = {}
    for at in wrong.tolist():
        grouped.setdefault(int(same[at]), []).append(
            {"name": labelled.names[at], "label": CLASSES[labelled.labels[at]]}
        )
    return list(grouped.values())


def _doubts(labelled: Labelled, classifier: Classifier) -> Report:
    """The labels that a network doubts. One without "no digit" is not asked about such pictures."""
    asked = np.flatnonzero(labelled.labels < classifier.classes)
    if not len(asked):
        return {"asked": 0, "differ": 0, "worst": []}
    batches = (asked[start : start + _BATCH] for start in range(0, len(asked), _BATCH))
    probabilities = np.concatenate([classifier.predict(scale(labelled.images[batch])) for batch in batches])
    labels = labelled.labels[asked]
    given, answers = probabilities[np.arange(len(asked)), labels], probabilities.argmax(1)
    worst = [at for at in np.argsort(given, kind="stable")[:DOUBTFUL].tolist() if given[at] < DOUBT_BELOW]
    return {
        "asked": len(asked),
        "differ": int((answers != labels).sum()),
        "worst": [
            {
                "name": labelled.names[asked[at]],
                "label": CLASSES[labels[at]],
                "answer": CLASSES[answers[at]],
                "probability": round(float(given[at]), 4),
            }
            for at in worst
        ],
    }


def _failures(labelled: Labelled, report: Report) -> list[str]:
    lacking = [row["class"] for row in report["classes"][:NONE] if not row[TRAIN]]
    found = []
    if lacking:
        found.append(f"no picture of {', '.join(lacking)} to train with: a network trained on it cannot read them")
    if report["contradictions"]:
        count = sum(map(len, report["contradictions"]))
        found.append(f"{count} pictures have the pixels of another one and a different label: they are left out")
    if report["leakage"]["same"] and TEST in labelled.parts:
        found.append(
            f"{report['leakage']['same']} test pictures are training pictures as well: the test says too much good"
        )
    if imbalance := imbalance_of(labelled):
        found.append(imbalance)
    return found


def _warnings(labelled: Labelled, report: Report) -> list[str]:
    found = []
    if report["leakage"]["same"] and TEST not in labelled.parts:
        found.append(
            f"{report['leakage']['same']} test pictures have the pixels of training pictures of other groups, as those "
            "of a screen may; the test says too much good if they are many"
        )
    if report["leakage"]["near"]:
        found.append(
            f"{report['leakage']['near']} test pictures are nearly training pictures; a column group keeps pictures "
            "of one meter or writer together"
        )
    share = report["doubts"]["differ"] / max(report["doubts"]["asked"], 1)
    if share > DOUBT_BELOW:
        found.append(f"the shipped network answers {share:.0%} otherwise: look at the sheet, whether they are upright")
    return found


def as_text(report: Report) -> str:
    """A report of check for people."""
    sizes, polarity = report["sizes"], report["polarity"]
    doubts, groups = report["doubts"], f" in {report['groups']} groups" if report["groups"] else ""
    return "\n".join(
        [
            f"pictures      {report['pictures']:,}{groups}; training and test: {report['split']}",
            f"{'class':<12}{TRAIN:>10}{TEST:>10}",
            *(
                f"  {row['class']:<10}{row[TRAIN]:>10,}{row[TEST]:>10,}"
                for row in report["classes"]
                if row["class"] != CLASSES[NONE] or row[TRAIN] or row[TEST]
            ),
            f"sizes         {_size_text(sizes)}",
            f"polarity      {polarity['light on dark']:,} light on dark, {polarity['dark on light']:,} dark on light",
            *_pair_lines("duplicates", report["duplicates"], "as an earlier one", "nearly as another one"),
            *_pair_lines("leakage", report["leakage"], "test pictures in training", "nearly"),
            *(
                "contradiction " + ", ".join(f"{one['name']} ({one['label']})" for one in group)
                for group in report["contradictions"][:LISTED]
            ),
            f"doubts        the network answers {doubts['differ']:,} of {doubts['asked']:,} otherwise",
            *(
                f"  {one['name']}: label {one['label']}, answer {one['answer']}, {one['probability']:.4f} for the label"
                for one in doubts["worst"]
            ),
            *(f"not used      {one['name']}: {one['why']}" for one in report["troubles"]),
            *(f"warning       {line}" for line in report["warnings"]),
            *(f"FAILURE       {line}" for line in report["failures"]),
        ]
    )


def _size_text(sizes: Report) -> str:
    most = ", ".join(f"{one['size'][0]}x{one['size'][1]}: {one['pictures']:,}" for one in sizes["most"])
    if sizes["kinds"] <= SIZES:
        return most
    (left, right), (low, high) = sizes["widths"], sizes["heights"]
    return f"{most}, and {sizes['kinds'] - SIZES} more, {left} to {right} wide, {low} to {high} high"


def _pair_lines(title: str, found: Report, same: str, near: str) -> Sequence[str]:
    pairs = [f"  {one} = {other}" for one, other in found["pairs"][:LISTED]]
    return [f"{title:<13} {found['same']:,} {same}, {found['near']:,} {near}", *pairs]
