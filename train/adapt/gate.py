"""The gate of an adaptation: own pictures are read better, and neither MNIST nor drawn pictures worse than allowed.

    go_back(networks, first, data, fonts, say)          # the weights, until drawn pictures are read nearly as before
    report = judged(networks, own.test, data, fonts, say)
    report["passed"], report["failures"]    # False, ["MNIST: 0.09 points are lost, at most 0.05 may"]

Own pictures that no network has seen are read before and after, as `digitocr predict` reads them. Of the pictures on
which only one of the two is right, McNemar's test says how likely so uneven numbers are by chance.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digitocr.runtime.characters import DOUBT
from digitocr.runtime.errors import InputError
from digitocr.runtime.models import shipped_model
from digitocr.runtime.reader import Reader
from digitocr.train.adapt.own import Picture
from digitocr.train.adapt.reading import keras_reader, predicted
from digitocr.train.data import Mnist, split
from digitocr.train.evaluation.metrics import mcnemar
from digitocr.train.evaluation.page_report import page_report
from digitocr.train.keras_backend import keras_needed
from digitocr.train.recognizer.score import distance
from digitocr.train.sources.tables import digits_in
from digitocr.train.synthesis.fonts import held_out, seen
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.layouts import mixed
from digitocr.train.synthesis.pages import Page
from digitocr.train.synthesis.scenes import draw_scene

with keras_needed("train", "training"):
    import keras

GATE_SCHEMA = "digitocr-adapt/1"
GATE_SEED = 2**31 + 7  # of the drawn scenes; no training has this seed
GATE_SCENES = 120  # of which every second one shows letters as well
MAX_MNIST_DROP = 0.05  # points of MNIST's test images that may be lost
MAX_DRAWN_DROP = 1.0  # points of the digits in drawn scenes that may be lost
MAX_INVENTED = 1.0  # digits of 100 drawn ones that may be invented in addition
MAX_CALIBRATION = 1.5  # points by which the confidence of what is read in drawn scenes may become less true
TRIED_SEED = 2**31 + 8  # as GATE_SEED, of the scenes by which the networks go back
SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)  # of what recognizer and detector learned, that may be kept
STRICTER = 0.5  # of the gate's limits; other scenes than its own say when to go back

Say = Callable[[str], None]


def judged(
    networks: Mapping[str, Any], pictures: Sequence[Picture], data: Mnist, fonts: Sequence[Path], say: Say
) -> dict[str, Any]:
    """The report of the gate, ready for JSON.

    Args:
        networks: What was taught, by name.
        pictures: Own ones to judge with.
        data: MNIST.
        fonts: Fonts to draw with.
        say: Is told what is being measured.

    Returns:
        schema, limits; own: pictures, before and after (how many are right), mended, broken, p, digits, and the digits
        that are wrong before and after; mnist: accuracies before and after; drawn: page_report of drawn scenes before
        and after; pictures: name, text, before, after and is_right before and after of each; failures, passed.
    """
    pages = _pages(data, held_out(list(fonts)) or fonts, GATE_SEED)
    say(f"reading {len(pictures)} own pictures that were kept back, and drawn scenes, as before")
    before, drawn_before = _read(Reader(), pictures, pages)  # one reader after the other, so that one holds memory
    say("reading the same with what was learned")
    after, drawn_after = _read(keras_reader(networks), pictures, pages)
    rows = [
        _row(picture, one, other)
        for picture, one, other in zip(pictures, before, after, strict=True)
        if one is not None and other is not None  # it can still be read
    ]
    right = np.array([row["right"] for row in rows], np.bool_).reshape(-1, 2)
    mended, broken = int((~right[:, 0] & right[:, 1]).sum()), int((right[:, 0] & ~right[:, 1]).sum())
    wrong = np.array([row["wrong"] for row in rows], np.int64).reshape(-1, 2).sum(0)
    mnist = {"before": 0.0, "after": 0.0}
    if "classifier" in networks:
        say("reading MNIST's test images")
        shipped = keras.saving.load_model(shipped_model("digitocr.keras"), compile=False)
        mnist = {"before": _accuracy(shipped, data), "after": _accuracy(networks["classifier"], data)}
    report: dict[str, Any] = {
        "schema": GATE_SCHEMA,
        "limits": {
            "mnist_drop": MAX_MNIST_DROP,
            "drawn_drop": MAX_DRAWN_DROP,
            "invented": MAX_INVENTED,
            "calibration": MAX_CALIBRATION,
        },
        "own": {
            "pictures": len(rows),
            "before": int(right[:, 0].sum()),
            "after": int(right[:, 1].sum()),
            "mended": mended,
            "broken": broken,
            "p": mcnemar(right[:, 0], right[:, 1]),
            "digits": sum(len("".join(picture.lines)) for picture in pictures),
            "wrong_before": int(wrong[0]),
            "wrong_after": int(wrong[1]),
        },
        "mnist": mnist,
        "drawn": {"before": drawn_before, "after": drawn_after},
        "pictures": rows,
    }
    failures = failures_of(report)
    return {**report, "failures": failures, "passed": not failures}


def go_back(
    networks: Mapping[str, Any], first: Mapping[str, Any], data: Mnist, fonts: Sequence[Path], say: Say
) -> None:
    """Takes recognizer and detector back towards their first weights until drawn scenes are read nearly as before.

    Args:
        networks: What was taught, by name; the weights are changed in place.
        first: The lists of weights that each began with, by name.
        data: MNIST.
        fonts: Fonts to draw with; those that are held out stay for the gate.
        say: Is told how much is kept.
    """
    learned = {name: networks[name].get_weights() for name in first}
    pages = _pages(data, seen(list(fonts)), TRIED_SEED)
    before, reader = page_report(Reader(), pages), keras_reader(networks)
    for share in SHARES:
        for name, weights in learned.items():
            networks[name].set_weights(
                [old + share * (new - old) for old, new in zip(first[name], weights, strict=True)]
            )
        if share == 0:
            say("nothing of what recognizer and detector learned is kept")
            return
        say(f"reading drawn scenes with {share:.0%} of what recognizer and detector learned")
        failures = _drawn_failures({"before": before, "after": page_report(reader, pages)}, STRICTER)
        if not failures:
            return
        say("; ".join(failures))


def failures_of(report: Mapping[str, Any]) -> list[str]:
    """What the gate refuses in a report, a line each."""
    own, mnist, drawn = report["own"], report["mnist"], report["drawn"]
    failures = []
    if own["mended"] <= own["broken"]:
        failures.append(
            f"own pictures: {own['mended']} of {own['pictures']} are mended and {own['broken']} broken; "
            "more must be mended than broken"
        )
    lost = 100 * (mnist["before"] - mnist["after"])
    if lost > MAX_MNIST_DROP + 1e-9:
        failures.append(f"MNIST: {lost:.2f} points are lost, at most {MAX_MNIST_DROP:.2f} may")
    return failures + _drawn_failures(drawn, 1.0)


def _drawn_failures(drawn: Mapping[str, Any], strictness: float) -> list[str]:
    """What is worse in drawn scenes than that share of the limits allows, a line each."""
    failures = []
    for name, better, limit in (
        ("right", 1, MAX_DRAWN_DROP),
        ("invented", -1, MAX_INVENTED),
        ("calibration_error", -1, MAX_CALIBRATION),
    ):
        values = [
            100 * drawn[when][name] / (1 if name == "calibration_error" else max(drawn[when]["digits"], 1))
            for when in ("before", "after")
        ]
        worse = better * (values[0] - values[1])
        if worse > strictness * limit:
            failures.append(
                f"drawn scenes: {name.replace('_', ' ')} was {values[0]:.2f} % and is {values[1]:.2f} %, "
                f"at most {strictness * limit:.2f} points worse it may be"
            )
    return failures


def _read(
    reader: Reader, pictures: Sequence[Picture], pages: Sequence[Page]
) -> tuple[list[str | None], dict[str, Any]]:
    """What is read in each picture, None where it cannot be read any more, and the page_report of the pages."""
    texts: list[str | None] = []
    for picture in pictures:
        try:
            gray, _ = picture.load()
        except InputError:
            texts.append(None)
        else:
            texts.append(reader.read(gray).text)
    return texts, page_report(reader, pages)


def _row(picture: Picture, before: str, after: str) -> dict[str, Any]:
    """A picture with what was read in it before and after."""
    wanted = "".join(picture.lines)
    digits = [digits_in(text) for text in (before, after)]
    return {
        "name": picture.name,
        "file": picture.file if isinstance(picture.file, str) else "",
        "page": picture.page,
        "group": picture.group,
        "text": picture.text,
        "before": before,
        "after": after,
        "right": [agrees(wanted, one) for one in digits],
        "wrong": [distance(wanted, one) for one in digits],
    }


def agrees(wanted: str, read: str) -> bool:
    """Whether the digits read are those wanted. "?" agrees with a digit that nobody can tell, and with none.

    >>> agrees("407", "407"), agrees("4?7", "417"), agrees("", "?"), agrees("407", "4?7")
    (True, True, True, False)
    """
    if not wanted:
        return not read.strip(DOUBT)
    return len(wanted) == len(read) and all(a in (b, DOUBT) for a, b in zip(wanted, read, strict=True))


def _accuracy(network: Any, data: Mnist) -> float:
    return float((predicted(network, data.test_images)[:, :10].argmax(1) == data.test_labels).mean())


def _pages(data: Mnist, fonts: Sequence[Path], seed: int) -> list[Page]:
    """Drawn scenes with digits that no training has seen."""
    _, unseen = split(data)
    glyphs = Glyphs(data.train_images[unseen], data.train_labels[unseen], list(fonts), seed=1)
    pages = []
    for number in range(GATE_SCENES):
        scene = draw_scene(np.random.default_rng((seed, number)), glyphs, mixed if number % 2 else None)
        text = "".join(map(str, scene.labels.tolist()))
        pages.append(Page(scene.image, text, np.rint(scene.boxes).astype(np.int32), scene.image))
    return pages
