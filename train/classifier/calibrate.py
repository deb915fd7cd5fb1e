"""Fits the weights of the confidence, so that of the readings with a confidence of 0.8, eight in ten are right.

    python -m digitocr.train.classifier.calibrate --data mnist/ --fonts fonts/ --out confidence.json

Logistic regressions on the features of runtime/confidence.py (J. Platt, 1999), on synthetic scenes for pictures in
which digits are detected, and on MNIST's held-out training images and non-digits for pictures of one digit. The file
has the expected calibration errors on scenes and images that the weights were not fitted on; they are printed beside
those of the shipped weights. Reader(confidence=FILE) uses it. Takes a quarter of an hour on one core.
"""

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from digitocr.runtime import numbers, preprocessing
from digitocr.runtime.attempt import READ_CONFIDENCE
from digitocr.runtime.boxes import Boxes, iou
from digitocr.runtime.characters import DOUBT
from digitocr.runtime.classifier import Classifier
from digitocr.runtime.confidence import (
    FEATURES,
    ConfidenceModel,
    confidence_features,
    load_confidence,
    lone_log_odds,
)
from digitocr.runtime.files import replacing
from digitocr.runtime.image import GrayImage
from digitocr.runtime.models import network_id
from digitocr.runtime.numbers import grouped
from digitocr.runtime.opencv import cv2
from digitocr.runtime.preprocessing import Images
from digitocr.runtime.reader import Reader
from digitocr.runtime.recognition import USUAL_WIDTH
from digitocr.runtime.recognizer import DIGIT_HEIGHT, STRIP_HEIGHT
from digitocr.train.data import Mnist, split
from digitocr.train.evaluation.metrics import calibration_error
from digitocr.train.evaluation.nondigits import halves, letters, noise, textures
from digitocr.train.sources.load import load_data
from digitocr.train.synthesis.digitless import digitless
from digitocr.train.synthesis.fonts import find_fonts, held_out
from digitocr.train.synthesis.glyphs import Glyphs
from digitocr.train.synthesis.layouts import Layout, mixed, one_line
from digitocr.train.synthesis.scenes import draw_scene
from digitocr.train.synthesis.scripts import script_fonts
from digitocr.train.synthesis.sheet import Sheet
from digitocr.train.synthesis.strip_hands import row
from digitocr.train.synthesis.strip_layouts import draw_strip
from digitocr.train.synthesis.strips import DOUBTFUL, WIDTH, Mark, Strip

Reals = NDArray[np.float64]
Bools = NDArray[np.bool_]
Labels = NDArray[np.int64]

EXAMPLES_SEED = 2**31 + 2  # of scenes and non-digits; no training may have it, since seeds of trainings are smaller
FIT_SCENES = 4_000  # scenes to fit on; half as many more are measured on
NON_DIGIT_SHARE = 0.02  # of the pictures of one digit that the confidence is fitted on; nearly all of these show digits
IS_DIGIT_IOU = 0.5  # of a candidate with a digit, at least
IS_PLACE_IOU = 0.4  # as IS_DIGIT_IOU, of a character: the recognizer gives no heights, and widths only roughly
SCENES: dict[int, Layout | None] = {0: None, 1: mixed, 5: digitless}  # of six pictures; None for any layout
LONE_OTHER_SHARE = 0.1  # of the pictures of one character, which people take of digits; they show a letter or a sign
LEAST_FACTOR = 0.7  # times a strip's size, of the picture of a line
LARGEST_FACTOR = 5.0  # times a strip's size, of the picture of a line
NO_LABEL = -1  # of a digit that cannot be told
IS_CLEAR_IOU = 0.25  # of a candidate with something that is ignored; with more it is neither right nor wrong
NEWTON_STEPS = 30  # of the fit; it converges in fewer
_NUMBER = re.compile(
    r"(?:(?<![0-9])-|(?<![0-9])(?<![0-9] )\+)?"  # a sign with no digit close before; a plus with none at all
    r"(?:(?<![0-9-])(?![0-9](?:-[0-9]){2}(?![0-9]))[0-9]{1,4}(?:-[0-9]{1,4}){2}(?![0-9-])|[0-9]+(?:[.,:/][0-9]+)*)"
)
RIDGE = 1e-6  # added to the curvature, so that a feature that never occurs keeps the weight 0


def scene_examples(reader: Reader, glyphs: Glyphs, scenes: range) -> tuple[Reals, Bools]:
    """All candidates in the scenes of those numbers: (n, 15) confidence_features, (n,) whether they are read right.

    A letter that would look like a digit by itself counts as none, since it stands among others. Candidates on glyphs
    that are cut off or too faint are left out.
    """
    features, rights = [], []
    for number in scenes:
        scene = draw_scene(np.random.default_rng((EXAMPLES_SEED, number)), glyphs)
        boxes, scores = reader.detector.detect(scene.image)
        digits = reader.classify(scene.image, boxes)
        shared = iou(boxes, scene.boxes)
        best = shared.max(1, initial=0.0)
        right = best >= IS_DIGIT_IOU
        if len(scene.boxes):
            right &= scene.labels[shared.argmax(1)] == digits.argmax(1)
        clear = (best >= IS_DIGIT_IOU) | (iou(boxes, scene.ignored).max(1, initial=0.0) < IS_CLEAR_IOU)
        features.append(confidence_features(boxes, scores, digits)[clear])
        rights.append(right[clear])
    return np.concatenate(features).astype(np.float64), np.concatenate(rights)


def character_examples(reader: Reader, glyphs: Glyphs, pictures: range) -> tuple[Reals, Bools, Bools]:
    """All characters that are found in pictures: in turn a scene, a mixed one, a line, one character, a row by hand,
    and a scene without a digit.

    A digit that is found twice is right once. The digits of a row by hand are MNIST's; many touch.

    Returns:
        (n, 27) confidence.CHARACTER_FEATURES, (n,) whether a digit is read right, (n,) whether there is a digit.
    """
    features, rights, places = [], [], []
    for number in pictures:
        rng = np.random.default_rng((EXAMPLES_SEED, 1, number))
        kind = number % 6
        if kind in SCENES:
            gray, boxes, labels, ignored = _scene(rng, glyphs, SCENES[kind])
        else:
            strip = draw_strip(rng, glyphs, row if kind == 4 else None)
            gray, boxes, labels, ignored = _line_picture(rng, strip, is_lone=kind == 3)
        found = reader.recognition(gray)
        shared = iou(_broad(found.boxes), _broad(boxes))
        is_digit = _surest(shared, found.lined[:, :10].sum(1))
        right = is_digit.copy()
        if len(boxes):
            right &= labels[shared.argmax(1)] == found.digits[:, :10].argmax(1)
        clear = is_digit | (iou(found.boxes, ignored).max(1, initial=0.0) < IS_CLEAR_IOU)
        features.append(found.features[clear])
        rights.append(right[clear])
        places.append(is_digit[clear])
    return np.concatenate(features).astype(np.float64), np.concatenate(rights), np.concatenate(places)


def _surest(shared: NDArray[np.floating], sureness: NDArray[np.floating]) -> Bools:
    """(n,) whether a candidate is where a digit is, and the surest of those that are, the first one of equal ones.

    Args:
        shared: (n, m) intersection over union of candidates and digits.
        sureness: (n,) of the candidates.
    """
    is_there = shared.max(1, initial=0.0) >= IS_PLACE_IOU
    digit = shared.argmax(1) if shared.shape[1] else np.zeros(len(shared), np.int64)
    surest = np.zeros(len(shared), np.bool_)
    for one in np.unique(digit[is_there]):
        rows = np.flatnonzero(is_there & (digit == one))
        surest[rows[sureness[rows].argmax()]] = True
    return surest


def _broad(boxes: Boxes) -> Boxes:
    """(n, 4) boxes, those that are narrower than usual for a digit made as wide: a 1 is thin, and its place is not."""
    broad = boxes.copy()
    broad[:, 2] = np.maximum(boxes[:, 2], np.float32(USUAL_WIDTH) * boxes[:, 3])
    broad[:, 0] -= (broad[:, 2] - boxes[:, 2]) / 2
    return broad


def _scene(rng: Generator, glyphs: Glyphs, layout: Layout | None) -> tuple[GrayImage, Boxes, Labels, Boxes]:
    """A scene: its picture, the boxes and labels of its digits, and the boxes of what is neither right nor wrong."""
    scene = draw_scene(rng, glyphs, layout)
    return scene.image, scene.boxes, scene.labels.astype(np.int64), scene.ignored


def _line_picture(rng: Generator, strip: Strip, is_lone: bool) -> tuple[GrayImage, Boxes, Labels, Boxes]:
    """A picture of a single line or of one character of it, cut out more or less tightly; as `_scene`.

    A wheel that stands between two digits has the label NO_LABEL: whatever is read there is wrong.
    """
    shown = [mark for mark in strip.marks if mark.left >= 0 and mark.right <= WIDTH]
    if is_lone:
        is_other = rng.random() < LONE_OTHER_SHARE
        pool = [mark for mark in shown if (mark.label >= 10) == is_other]
        shown = [pool[int(rng.integers(len(pool)))]] if pool else shown
    above, below, before, behind = (int(rng.integers(0, 6)) for _ in range(4))
    left = max(int(min(mark.left for mark in shown)) - 2 - before, 0) if shown else 0
    right = min(int(max(mark.right for mark in shown)) + 2 + behind, WIDTH) if shown else WIDTH
    factor = float(np.exp(rng.uniform(np.log(LEAST_FACTOR), np.log(LARGEST_FACTOR))))
    cut = strip.image[above : STRIP_HEIGHT - below, left:right]
    size = max(1, round(cut.shape[1] * factor)), max(1, round(cut.shape[0] * factor))
    gray = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    top = (STRIP_HEIGHT - DIGIT_HEIGHT) / 2 - above
    inside = [mark for mark in strip.marks if mark.label < 10 and mark.left >= left - 1 and mark.right <= right + 1]
    cut_off = [mark for mark in strip.marks if mark.label < 10 and mark not in inside]

    def boxes_of(marks: Sequence[Mark]) -> Boxes:
        sides = [(mark.left - left, top, max(mark.right - mark.left, 2.0), DIGIT_HEIGHT) for mark in marks]
        return np.array(sides, np.float32).reshape(-1, 4) * np.float32(factor)

    labels = [
        NO_LABEL if DOUBTFUL < mark.share < 1 - DOUBTFUL else mark.label if mark.share < 0.5 else mark.second
        for mark in inside
    ]
    return gray, boxes_of(inside), np.array(labels, np.int64), boxes_of(cut_off)


def number_examples(reader: Reader, glyphs: Glyphs, scenes: range, model: ConfidenceModel) -> tuple[Reals, Bools]:
    """The numbers that are read in scenes of one line: (n, 7) numbers.FEATURES, (n,) whether all of each is right.

    Numbers with a digit that cannot be told are left out, as are scenes in which a digit is cut off or too faint.

    Args:
        reader: The Reader whose networks are calibrated.
        glyphs: What is drawn.
        scenes: The numbers of the scenes.
        model: The confidence of characters.
    """
    features: list[tuple[float, ...]] = []
    rights: list[bool] = []
    for number in scenes:
        written: list[str] = []

        def layout(sheet: Sheet, rng: np.random.Generator, glyphs: Glyphs, to: list[str] = written) -> None:
            to.append(one_line(sheet, rng, glyphs))

        scene = draw_scene(np.random.default_rng((EXAMPLES_SEED, 2, number)), glyphs, layout)
        if len(scene.boxes) != sum(map(str.isdecimal, written[0])):
            continue
        attempt = reader.recognition(scene.image).attempt(0, model)
        groups = [
            group
            for line in attempt.lines(READ_CONFIDENCE, "auto")
            for group in grouped(attempt.characters(line, READ_CONFIDENCE))
        ]
        found = [group.text for group in groups]
        right = np.zeros(len(groups), np.bool_)
        for first, _, count in SequenceMatcher(None, found, numbers_in(written[0]), False).get_matching_blocks():
            right[first : first + count] = True
        told = [place for place, text in enumerate(found) if DOUBT not in text]
        features += [groups[place].features for place in told]
        rights += right[told].tolist()
    return np.array(features, np.float64).reshape(-1, len(numbers.FEATURES)), np.array(rights, np.bool_)


def numbers_in(text: str) -> list[str]:
    """The numbers of a text as it is written, as numbers.grouped joins characters."""
    return [match[0] for match in _NUMBER.finditer(text)]


def lone_examples(
    classifier: Classifier, images: Images, labels: NDArray[np.integer], fonts: Sequence[Path], seed: int
) -> tuple[Reals, Bools]:
    """Pictures of one digit, and some of none: (n, 2) LONE_FEATURES, (n,) whether they are read right.

    Letters, textures, noise and halves of digits are added in equal numbers, NON_DIGIT_SHARE of all; none of them can
    be read right.

    Args:
        classifier: The network.
        images: (n, 28, 28) uint8, of MNIST.
        labels: (n,), the digits of the images.
        fonts: The result of find_fonts.
        seed: Seed of the pictures without a digit.
    """
    rng = np.random.default_rng((EXAMPLES_SEED, seed))
    count = round(len(images) * NON_DIGIT_SHARE / (1 - NON_DIGIT_SHARE) / 4)
    cut = halves(images, labels, rng)[:count]
    others = np.concatenate([letters(count, fonts, rng), textures(count, rng), noise(count, rng), cut])
    pictures = np.concatenate([preprocessing.lone(picture) for picture in np.concatenate([images, others])])
    digits = classifier.predict(preprocessing.scale(pictures))[:, :10]
    log_odds = np.array([lone_log_odds(best) for best in digits.max(1).tolist()])
    right = np.zeros(len(pictures), np.bool_)
    right[: len(images)] = digits[: len(images)].argmax(1) == labels
    return np.stack([log_odds, np.ones(len(log_odds))], 1), right


def fitted(features: Reals, right: Bools) -> Reals:
    """The weights of the logistic regression of (n,) right on (n, k) features: (k,), by Newton's method."""
    weights = np.zeros(features.shape[1])
    for _ in range(NEWTON_STEPS):
        share = _share(features, weights)
        curvature = (features * (share * (1 - share))[:, None]).T @ features + RIDGE * np.eye(len(weights))
        weights = weights + np.linalg.solve(curvature, features.T @ (right - share))
    return weights


def _share(features: Reals, weights: NDArray[np.floating]) -> Reals:
    return np.asarray(1 / (1 + np.exp(-features @ weights)), np.float64)


def calibrated(
    reader: Reader, data: Mnist, fonts: Sequence[Path], scenes: int = FIT_SCENES, scripts: Sequence[Path] = ()
) -> tuple[ConfidenceModel, dict[str, float]]:
    """The confidence fitted to a Reader's networks, and the calibration errors of the shipped one on the same examples.

    Args:
        reader: The Reader whose networks are calibrated.
        data: MNIST; the training images that split holds out are used.
        fonts: The result of find_fonts.
        scenes: The number of scenes to fit on; half as many more are measured on.
        scripts: Font files with letters of other scripts and icons.
    """
    _, held = split(data)
    images, labels = data.train_images[held], data.train_labels[held]
    glyphs = Glyphs(images, labels, fonts, seed=1)
    before = load_confidence()
    features, right = scene_examples(reader, glyphs, range(scenes))
    weights = fitted(features, right)
    features, right = scene_examples(reader, glyphs, range(scenes, scenes * 3 // 2))
    # fonts that the recognizer has not seen
    unknown = Glyphs(images, labels, held_out(list(fonts)), seed=1, scripts=scripts)
    characters, told, placed = character_examples(reader, unknown, range(scenes))
    right_weights, place_weights = fitted(characters, told), fitted(characters, placed)
    characters, told, placed = character_examples(reader, unknown, range(scenes, scenes * 3 // 2))
    first, second = slice(0, None, 2), slice(1, None, 2)
    lone, lone_right = lone_examples(reader.classifier, images[first], labels[first], fonts, seed=0)
    lone_weights = fitted(lone, lone_right)
    lone, lone_right = lone_examples(reader.classifier, images[second], labels[second], fonts, seed=1)
    model = ConfidenceModel(
        network_id(reader.classifier.card, reader.classifier.sha256),
        network_id(reader.detector.card, reader.detector.sha256),
        network_id(reader.recognizer.card, reader.recognizer.sha256),
        weights.astype(np.float32),
        right_weights.astype(np.float32),
        place_weights.astype(np.float32),
        (float(lone_weights[0]), float(lone_weights[1])),
        before.number_weights,
        {
            "scenes": calibration_error(_share(features, weights), right),
            "characters": calibration_error(_share(characters, right_weights), told),
            "places": calibration_error(_share(characters, place_weights), placed),
            "lone": calibration_error(_share(lone, lone_weights), lone_right),
        },
    )
    groups, whole = number_examples(reader, glyphs, range(scenes), model)
    number_weights = fitted(groups, whole)
    groups, whole = number_examples(reader, glyphs, range(scenes, scenes * 3 // 2), model)
    model = replace(
        model,
        number_weights=tuple(number_weights.tolist()),
        calibration_error={
            **model.calibration_error,
            "numbers": calibration_error(_share(groups, number_weights), whole),
        },
    )
    errors = {
        "numbers": calibration_error(_share(groups, np.array(before.number_weights)), whole),
        "scenes": calibration_error(_share(features, before.weights), right),
        "characters": calibration_error(_share(characters, before.right_weights), told),
        "places": calibration_error(_share(characters, before.place_weights), placed),
        "lone": calibration_error(_share(lone, np.array(before.lone_weights)), lone_right),
    }
    return model, errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, help="MNIST's folder, or own labelled pictures")
    parser.add_argument("--fonts", type=Path, help="a folder of fonts")
    parser.add_argument(
        "--scenes", type=int, default=FIT_SCENES, help="synthetic scenes to fit on (default %(default)s)"
    )
    parser.add_argument("--model", type=Path, help="a .onnx or .tflite file; by default the shipped one")
    parser.add_argument("--detector", type=Path, help="a detector's .onnx file; by default the shipped one")
    parser.add_argument("--recognizer", type=Path, help="a recognizer's .onnx file; by default the shipped one")
    parser.add_argument("--out", type=Path, required=True, help="the file to write, for Reader(confidence=FILE)")
    arguments = parser.parse_args()
    reader = Reader(arguments.model, detector=arguments.detector, recognizer=arguments.recognizer)
    data, fonts = load_data(arguments.data, complete=True), find_fonts(arguments.fonts)
    scripts = script_fonts(str(arguments.fonts or ""))
    model, before = calibrated(reader, data, fonts, arguments.scenes, scripts)
    with replacing(arguments.out) as beside:
        beside.write_text(model.as_json(), "utf-8")
    for name, weight in zip(FEATURES, model.weights.tolist(), strict=True):
        print(f"{name}: {weight:.3f}")
    for name, weight in zip(numbers.FEATURES, model.number_weights, strict=True):
        print(f"number, {name}: {weight:.3f}")
    print(f"one digit: {model.lone_weights[0]:.3f} times the log-odds, {model.lone_weights[1]:+.3f}")
    for name, error in model.calibration_error.items():
        print(f"expected calibration error, {name}: {error:.4f}, with the shipped weights {before[name]:.4f}")
    print(f"wrote {arguments.out}")


if __name__ == "__main__":
    main()
