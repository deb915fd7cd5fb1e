"""The candidates of a picture and what the recognizer reads in their lines -> better candidates, and signs and words.

    found = recognition(gray, attempt, recognizer, crop_and_classify, confidence)   # a Recognition

Each line of candidates is cut out and read as a whole: again where only some of them are clear digits, and once more
where that leaves doubt. A character that the recognizer
finds where the detector has nothing becomes a candidate. The digit is what classifier and recognizer together find
likeliest.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digitocr.runtime.attempt import READ_CONFIDENCE, Attempt
from digitocr.runtime.background import ink_box
from digitocr.runtime.boxes import Boxes, Scores, share_of_smaller
from digitocr.runtime.characters import OTHER as OTHER_TEXT
from digitocr.runtime.characters import Character
from digitocr.runtime.classifier import Probabilities
from digitocr.runtime.confidence import ConfidenceModel, Features, character_features
from digitocr.runtime.image import GrayImage
from digitocr.runtime.preprocessing import Images
from digitocr.runtime.recognizer import (
    CLASS_COUNT,
    CLASSES,
    COLUMN,
    DIGIT,
    DIGIT_HEIGHT,
    GAP,
    OTHER,
    SIGN,
    SLASH,
    STRIP_HEIGHT,
    WORD,
    Recognizer,
    Segment,
    segments,
)
from digitocr.runtime.strips import CLOSER, Place, ReadStrip, cut, find_lines, fitted

SEED_CONFIDENCE = 0.05  # of the candidates that lines are made of
MAX_OFFSET = 0.4  # of the wider of a box and a digit, from the middle of the box to that of the character it holds
HELD = 0.42  # of a box's width, from its middle to that of each of several digits that it holds
REACH = 0.4  # digit heights beside a box in which its neighbours are looked for
SURE_OTHER = 0.5  # probability of a sign or of other writing that counts, at least
USUAL_WIDTH = 0.6  # digit heights; of a digit
BAND = 0.75  # digit heights; from the middle of a line to the upper or lower end of a candidate on it, at most
MAX_OFF = 0.35  # digit heights; from the middle of a line to that of a taller candidate on it, at most
MAX_HEIGHT = 2.6  # digit heights; of a candidate on a line
MIN_HEIGHT = 0.2  # digit heights; of a candidate on a line
CLEAR_DIGIT = 0.7  # the recognizer's probability of the likeliest digit where it sees one; with less it looks again
POSSIBLE_DIGIT = 0.3  # its probability of any digit where it sees something else; with more it looks again
SURE_PLACE = 0.85  # the recognizer's probability of any digit, from which on a digit stands there
UNSURE_DIGIT = 0.6  # the recognizer's probability of the likeliest digit, up to which it is not told by the line
UNDECIDED = 0.5  # detector's score with which the confidence of such a candidate is judged
NEW_SCORE = 0.05  # detector's score of a candidate that only the recognizer has found
SAME_SHARE = 0.5  # of the smaller of the boxes of one digit in two strips, at least
FLOOR = 0.002  # added to the probabilities of both networks, so that neither rules a digit out

Crop = Callable[[Boxes], tuple[Images, Probabilities]]


class Recognition(NamedTuple):
    """The candidates of a picture, with those that only the recognizer has found, and what both networks say.

    Attributes:
        boxes: (n, 4) float32 in pixels of the picture.
        scores: (n,) float32, the detector's.
        images: (n, 28, 28) uint8, the crops.
        digits: (n, classes) float32, probabilities of both networks together.
        features: (n, 27) float32, confidence.CHARACTER_FEATURES.
        lined: (n, 18) float32, what the recognizer sees in their places.
        others: Signs and words.
        strips: The lines, those with the largest digits and the most of them first.
    """

    boxes: Boxes
    scores: Scores
    images: Images
    digits: Probabilities
    features: Features
    lined: Probabilities
    others: tuple[Character, ...]
    strips: tuple[ReadStrip, ...]

    def attempt(self, degrees: int, model: ConfidenceModel) -> Attempt:
        """The candidates with their confidences, as an Attempt of a picture that was rotated by `degrees`."""
        confidence, place_confidence = model.of_characters(self.features)
        # what a line shows as a digit, but as none of the ten, such as a wheel between two, keeps its place
        is_half = (self.lined[:, :10].sum(1) >= SURE_PLACE) & (self.lined[:, :10].max(1) <= UNSURE_DIGIT)
        place_confidence = np.maximum(place_confidence, np.where(is_half, READ_CONFIDENCE, 0)).astype(np.float32)
        is_slash = self.lined.argmax(1) == SLASH  # and among the signs: no digit in addition
        confidence = np.where(is_slash, 0, confidence).astype(np.float32)
        place_confidence = np.where(is_slash, 0, place_confidence).astype(np.float32)
        return Attempt(
            degrees,
            self.boxes,
            self.scores,
            self.images,
            self.digits,
            confidence,
            place_confidence,
            self.lined,
            self.others,
            self.strips,
        )


def recognition(
    gray: GrayImage, attempt: Attempt, recognizer: Recognizer, crop: Crop, model: ConfidenceModel
) -> Recognition:
    """The candidates of an attempt, and what the recognizer reads in their lines.

    Args:
        gray: (H, W) uint8, the picture at the attempt's rotation.
        attempt: The candidates that the detector has found.
        recognizer: Reads the lines.
        crop: Crops boxes of the picture, and classifies the crops.
        model: The confidence of detector and classifier.
    """
    boxes, count = attempt.boxes, len(attempt.boxes)
    seen = np.zeros((count, CLASS_COUNT), np.float32)
    seen[:, GAP] = 1
    is_seen = np.zeros(count, np.bool_)
    beside = np.zeros((count, 2), np.float32)
    new_boxes: list[list[float]] = []
    new_seen: list[npt.NDArray[np.float32]] = []
    new_beside: list[tuple[float, float]] = []
    others: list[Character] = []
    strips: list[ReadStrip] = []
    seeds = np.flatnonzero(attempt.confidence >= SEED_CONFIDENCE)
    places = find_lines(boxes, seeds)
    if not places:  # all that is drawn, as one line
        places = find_lines(np.array([ink_box(gray)], np.float32), np.zeros(1, np.int64))
        places = [place._replace(rows=()) for place in places]
    # large lines first: what is a comma or a degree sign beside their digits makes no line of its own
    for found in sorted(places, key=lambda place: len(place.rows) * place.scale, reverse=True):
        if found.rows and is_seen[list(found.rows)].all():
            continue
        line, columns = read_line(gray, boxes, seeds, found, recognizer)
        strips.append(line)
        place, parts = line.place, line.segments
        rows = on_line(boxes, place)
        digits = [part for part in parts if part.kind == DIGIT]
        matches, free = _matched(boxes, rows, digits, place)
        for row in rows:
            if is_seen[row]:
                continue
            if row in matches:
                seen[row] = digits[matches[row]].probabilities
            else:
                seen[row] = _between(columns, boxes[row], place, digits)
            beside[row] = _beside(columns, boxes[row], place)
        is_seen[rows] = True
        added_here = [_box(digits, number, place) for number in free]
        new_boxes += added_here
        new_beside += [_beside(columns, np.array(box, np.float32), place) for box in added_here]
        new_seen += [digits[number].probabilities for number in free]
        others += [_other(part, place) for part in parts if part.kind != DIGIT and part.kind_share >= SURE_OTHER]
    added = np.array(new_boxes, np.float32).reshape(-1, 4)
    added_seen = np.array(new_seen, np.float32).reshape(-1, CLASS_COUNT)
    distinct = _distinct(added, added_seen)
    added, added_seen = added[distinct], added_seen[distinct]
    beside = np.concatenate([beside, np.array(new_beside, np.float32).reshape(-1, 2)[distinct]])
    scores = np.concatenate([attempt.scores, np.full(len(added), NEW_SCORE, np.float32)])
    images, probabilities = crop(added)
    read = np.concatenate([attempt.probabilities, probabilities])
    # what the detector has not found is judged by the other networks: as if it were undecided
    undecided = np.concatenate([attempt.scores, np.full(len(added), UNDECIDED, np.float32)])
    before = model.of_candidates(np.concatenate([boxes, added]), undecided, read[:, :10])[count:]
    lined = np.concatenate([seen, added_seen])
    digits_of_both = combined(read, lined)
    all_boxes = np.concatenate([boxes, added])
    features = character_features(
        np.concatenate([attempt.confidence, before]),
        np.arange(len(scores)) < count,
        read,
        lined,
        digits_of_both,
        beside,
        elsewhere(strips, lined),
        (all_boxes[:, 3] / gray.shape[0]).astype(np.float32),
    )
    return Recognition(
        all_boxes,
        scores,
        np.concatenate([attempt.images, images]),
        digits_of_both,
        features,
        lined,
        tuple(others),
        tuple(strips),
    )


def read_line(
    gray: GrayImage, boxes: Boxes, seeds: npt.NDArray[np.int64], place: Place, recognizer: Recognizer
) -> tuple[ReadStrip, npt.NDArray[np.float32]]:
    """A line as it was read, and the probabilities of its columns.

    Where the line shows clear digits in some of its candidates only, these alone say where it stands, if they say it
    otherwise. The probabilities are the mean of two looks where one leaves doubt.
    """
    strip = cut(gray, place)
    (columns,) = recognizer.columns([strip])
    parts = segments(columns)
    again = fitted(boxes, place, clear_digits(boxes, place, parts), seeds)
    if again is not place:
        place, strip = again, cut(gray, again)
        (columns,) = recognizer.columns([strip])
        parts = segments(columns)
    if any(map(is_doubtful, parts)):
        (closer,) = recognizer.columns([cut(gray, place.closer())])
        columns = mean_of_looks(columns, closer)
        parts = segments(columns)
    return ReadStrip(place, strip, parts), columns


def clear_digits(boxes: Boxes, place: Place, parts: Sequence[Segment]) -> list[int]:
    """The rows of a place in whose middle its line shows a clear digit."""
    clear = [(part.left, part.right) for part in parts if part.kind == DIGIT and not is_doubtful(part)]
    found = []
    for row in place.rows:
        x, y, w, h = boxes[row].tolist()
        column = place.to_strip(x + w / 2, y + h / 2)[0] / COLUMN
        if any(left <= column < right for left, right in clear):
            found.append(row)
    return found


def is_doubtful(part: Segment) -> bool:
    """Whether a segment leaves open which digit it is, or whether it is one."""
    digits = part.probabilities[:10]
    return bool(digits.max() < CLEAR_DIGIT if part.kind == DIGIT else digits.sum() > POSSIBLE_DIGIT)


def mean_of_looks(columns: npt.NDArray[np.float32], closer: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(n, 18) probabilities of a line's columns: the means of the (n, 18) and the (m, 18) of its closer look."""
    same = np.minimum(((np.arange(len(columns)) + 0.5) * CLOSER).astype(np.int64), len(closer) - 1)
    return (columns + closer[same]) / np.float32(2)


def elsewhere(strips: Sequence[ReadStrip], lined: Probabilities) -> npt.NDArray[np.float32]:
    """(n, 2): how many digits and how many other characters the lines show besides each of n candidates.

    A run of other writing counts as many characters as digits would fit in its place.
    """
    digits = others = 0.0
    for strip in strips:
        for part in strip.segments:
            if part.kind == DIGIT:
                digits += part.kind_share
            elif part.kind == WORD:
                others += part.kind_share * max((part.right - part.left) * COLUMN / (USUAL_WIDTH * DIGIT_HEIGHT), 1.0)
    own = np.stack([lined[:, :10].sum(1), lined[:, OTHER]], 1)
    return np.asarray(np.maximum(np.array([digits, others], np.float32) - own, 0), np.float32)


def combined(classifier: Probabilities, recognizer: npt.NDArray[np.float32]) -> Probabilities:
    """The normalised product of both networks' probabilities of the digits; what remains as the classifier has it."""
    digits = (classifier[:, :10] + FLOOR) * (recognizer[:, :10].astype(np.float64) + FLOOR)
    none = 1 - classifier[:, :10].sum(1, keepdims=True)
    digits = digits / digits.sum(1, keepdims=True) * (1 - none)
    return np.concatenate([digits, classifier[:, 10:]], 1).astype(np.float32)


def on_line(boxes: Boxes, place: Place) -> list[int]:
    """The candidates that stand on a line, from left to right.

    Smaller ones lie within its band; taller ones, such as a slash, have their middle near that of the line.
    """
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    dx, dy = centres[:, 0] - place.x, centres[:, 1] - place.y
    along = (dx * place.cos + dy * place.sin) / place.scale
    across = (dy * place.cos - dx * place.sin) / place.scale
    height = boxes[:, 3] / place.scale
    on = (np.abs(across) + height / 2 < BAND * DIGIT_HEIGHT) & (height > MIN_HEIGHT * DIGIT_HEIGHT)
    on |= (np.abs(across) < MAX_OFF * DIGIT_HEIGHT) & (height > DIGIT_HEIGHT) & (height < MAX_HEIGHT * DIGIT_HEIGHT)
    on &= (along > 0) & (along < place.width)
    on[list(place.rows)] = True
    rows = np.flatnonzero(on)
    in_order: list[int] = rows[np.argsort(along[rows], kind="stable")].tolist()
    return in_order


def _matched(
    boxes: Boxes, rows: Sequence[int], digits: Sequence[Segment], place: Place
) -> tuple[dict[int, int], list[int]]:
    """Which of the digits each candidate holds, and the digits that none holds. The nearest pairs come first."""
    pairs = []
    middles = [_middle(part) for part in digits]
    for row in rows:
        x, y, w, h = boxes[row].tolist()
        u, _ = place.to_strip(x + w / 2, y + h / 2)
        wide = max(w / place.scale, USUAL_WIDTH * DIGIT_HEIGHT)
        if sum(abs(middle - u) < HELD * w / place.scale for middle in middles) > 1:
            continue  # a box around two digits; each gets a box of its own
        pairs += [
            (abs(middle - u) / wide, row, number)
            for number, middle in enumerate(middles)
            if abs(middle - u) < MAX_OFFSET * wide
        ]
    matches: dict[int, int] = {}
    held: set[int] = set()
    for _, row, number in sorted(pairs):
        if row not in matches and number not in held:
            matches[row] = number
            held.add(number)
    return matches, [number for number in range(len(digits)) if number not in held]


def _distinct(boxes: Boxes, seen: Probabilities) -> npt.NDArray[np.int64]:
    """The rows of the boxes without those of digits that two strips show; the surer one stays."""
    order = np.argsort(-seen[:, :10].sum(1), kind="stable")
    overlap = share_of_smaller(boxes[order], boxes[order]) > SAME_SHARE
    kept: list[int] = []
    for number in range(len(order)):
        if not overlap[number, kept].any():
            kept.append(number)
    return np.sort(order[kept])


def _middle(part: Segment) -> float:
    return (part.left + part.right) / 2 * COLUMN


def _beside(columns: npt.NDArray[np.float32], box: npt.NDArray[np.float32], place: Place) -> tuple[float, float]:
    """How much of other writing and of digits stands right beside a box, left or right: two shares, 0 to 1."""
    x, y, w, h = box.tolist()
    u, _ = place.to_strip(x + w / 2, y + h / 2)
    half, reach = w / place.scale / 2 / COLUMN, round(REACH * DIGIT_HEIGHT / COLUMN)
    left, right = round(u / COLUMN - half), round(u / COLUMN + half)
    sides = [columns[max(left - reach, 0) : max(left, 0)], columns[max(right, 0) : max(right + reach, 0)]]
    other = max((float(side[:, OTHER].mean()) for side in sides if len(side)), default=0.0)
    digit = max((float(side[:, :10].sum(1).max()) for side in sides if len(side)), default=0.0)
    return other, digit


def _between(
    columns: npt.NDArray[np.float32], box: npt.NDArray[np.float32], place: Place, digits: Sequence[Segment]
) -> npt.NDArray[np.float32]:
    """What the recognizer sees in the middle of a candidate that holds no digit of its own; other candidates' digits
    count as a gap.
    """
    x, y, w, h = box.tolist()
    u, _ = place.to_strip(x + w / 2, y + h / 2)
    half = max(w / place.scale / 4, COLUMN)
    first = min(max(int((u - half) / COLUMN), 0), len(columns) - 1)
    last = min(max(int(np.ceil((u + half) / COLUMN)), first + 1), len(columns))
    mean: npt.NDArray[np.float32] = columns[first:last].mean(0)
    if any(part.left < last and part.right > first for part in digits):
        mean = mean.copy()
        mean[GAP] += mean[:10].sum()
        mean[:10] = 0
    return mean


def _box(digits: Sequence[Segment], number: int, place: Place) -> list[float]:
    """The upright box of a digit that only the recognizer has found: as wide as its neighbours leave room for."""
    u = _middle(digits[number])
    half = USUAL_WIDTH * DIGIT_HEIGHT / 2
    for neighbour in (number - 1, number + 1):
        if 0 <= neighbour < len(digits):
            half = min(half, abs(_middle(digits[neighbour]) - u) / 2)
    return _upright(place, u, max(half, COLUMN), DIGIT_HEIGHT / 2)


def _upright(place: Place, u: float, half: float, tall: float) -> list[float]:
    x, y = place.to_picture(u, STRIP_HEIGHT / 2)
    wide = 2 * half * place.scale
    high = 2 * tall * place.scale
    return [x - wide / 2, y - high / 2, wide, high]


def _other(part: Segment, place: Place) -> Character:
    """A sign or a word as a character."""
    text = CLASSES[10 + int(part.probabilities[10 : len(CLASSES)].argmax())] if part.kind == SIGN else OTHER_TEXT
    half = max((part.right - part.left) / 2 * COLUMN, COLUMN)
    x, y, w, h = _upright(place, _middle(part), half, DIGIT_HEIGHT / 2)
    return Character(text, (x, y, w, h), float(1 - part.probabilities[GAP]), -1)
