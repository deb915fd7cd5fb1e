"""The candidates of a picture merged with what the recognizer reads in their lines."""

from collections.abc import Sequence

import numpy as np
import pytest

from digitocr.runtime.attempt import Attempt
from digitocr.runtime.confidence import CHARACTER_FEATURES, load_confidence
from digitocr.runtime.recognition import Recognition, combined, recognition
from digitocr.runtime.recognizer import CLASS_COUNT, CLASSES, COLUMN, DIGIT_HEIGHT, GAP, OTHER
from digitocr.runtime.strips import CONTEXT, find_lines

GRAY = np.full((200, 600), 200, np.uint8)
START = CONTEXT * DIGIT_HEIGHT / COLUMN  # the column of a strip at which its first box begins


class Written:
    """A recognizer that sees given characters at given columns, counted from the first box."""

    def __init__(self, *characters: tuple[str, float, float]) -> None:
        self.characters = characters

    def columns(self, strips: Sequence[np.ndarray]) -> list[np.ndarray]:
        lines = []
        for strip in strips:
            line = np.full((strip.shape[1] // COLUMN, CLASS_COUNT), 0.001, np.float32)
            line[:, GAP] = 1
            for character, left, right in self.characters:
                label = CLASSES.find(character) if character in CLASSES else OTHER
                spot = slice(round(START + left), round(START + right))
                line[spot] = 0.001
                line[spot, label] = 1
            lines.append(line / line.sum(1, keepdims=True))
        return lines


def crop(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Crops that the classifier takes for a 7 with a probability of a half."""
    probabilities = np.full((len(boxes), 11), 0.05, np.float32)
    probabilities[:, 7] = 0.5
    return np.zeros((len(boxes), 28, 28), np.uint8), probabilities


def attempt(count: int, digits: str, share: float = 0.9) -> Attempt:
    """A line of boxes 24 wide and 40 high, 30 pixels apart: 7.5 columns of a strip each."""
    boxes = np.array([[100 + 30 * place, 60, 24, 40] for place in range(count)], np.float32).reshape(-1, 4)
    probabilities = np.full((count, 11), (1 - share) / 10, np.float32)
    for row, digit in enumerate(digits):
        probabilities[row, int(digit)] = share
    return Attempt(
        0,
        boxes,
        np.full(count, 0.9, np.float32),
        np.zeros((count, 28, 28), np.uint8),
        probabilities,
        np.full(count, 0.9, np.float32),
    )


def read(recognizer: Written, given: Attempt) -> Recognition:
    return recognition(GRAY, given, recognizer, crop, load_confidence())  # type: ignore[arg-type]


def column(name: str) -> int:
    return CHARACTER_FEATURES.index(name)


def test_a_strip_begins_where_the_test_assumes() -> None:
    (place,) = find_lines(attempt(3, "123").boxes, np.arange(3))
    assert place.to_strip(100, 80)[0] / COLUMN == pytest.approx(START)


def test_both_networks_decide_on_the_digit() -> None:
    found = read(Written(("1", 2, 4), ("2", 9, 12), ("3", 17, 20)), attempt(3, "123"))
    assert found.digits.argmax(1).tolist() == [1, 2, 3]
    assert (found.features[:, column("agreement")] == 1).all()
    found = read(Written(("4", 2, 4), ("2", 9, 12), ("3", 17, 20)), attempt(3, "123", share=0.4))
    assert found.digits.argmax(1).tolist() == [4, 2, 3]
    assert found.features[:, column("agreement")].tolist() == [0, 1, 1]


def test_a_character_that_the_detector_misses_becomes_a_candidate() -> None:
    given = attempt(3, "123")
    rows = np.array([0, 2])
    given = Attempt(0, *(values[rows] for values in given[1:6]))
    found = read(Written(("1", 2, 4), ("2", 9, 12), ("3", 17, 20)), given)
    assert len(found.boxes) == 3
    x, y, w, h = found.boxes[2].tolist()
    assert (x + w / 2, y + h / 2, h) == pytest.approx((142, 80, 40), abs=4)
    assert found.features[:, column("found")].tolist() == [1, 1, 0]


def test_a_letter_and_a_sign_are_no_digits() -> None:
    given = attempt(4, "1587")
    found = read(Written(("1", 2, 4), ("S", 8, 13), ("/", 17, 19), ("7", 24, 27)), given)
    is_digit = found.features[:, column("line place")] > 0
    assert is_digit.tolist() == [True, False, False, True]
    assert [other.text for other in found.others] == ["*", "/"]
    assert [round(other.box[0] + other.box[2] / 2) for other in found.others] == pytest.approx([142, 172], abs=4)


def test_one_character_is_not_read_twice() -> None:
    given = attempt(3, "111")
    close = given.boxes.copy()
    close[1, 0] = 106  # a second box on the first character
    found = read(Written(("1", 2, 4), ("3", 17, 20)), given._replace(boxes=close))
    assert (found.features[:, column("line place")] > 0).sum() == 2


def test_a_box_around_two_digits_gives_way_to_one_for_each() -> None:
    given = attempt(2, "18")
    boxes = given.boxes.copy()
    boxes[1] = [125, 60, 58, 40]
    found = read(Written(("1", 2, 4), ("2", 8, 11), ("3", 15, 18)), given._replace(boxes=boxes))
    assert found.features[:, column("line place")].argmin() == 1
    added = found.boxes[2:]
    assert (added[:, 0] + added[:, 2] / 2).tolist() == pytest.approx([138, 166], abs=4)


def test_nothing_found_is_nothing_recognized() -> None:
    found = read(Written(), attempt(0, ""))
    assert found.boxes.shape == (0, 4)
    assert found.features.shape == (0, len(CHARACTER_FEATURES))
    assert found.others == ()


def test_combined_keeps_the_share_of_no_digit() -> None:
    classifier = np.array([[0.3, 0.2] + [0.0] * 8 + [0.5]], np.float32)
    line = np.zeros((1, CLASS_COUNT), np.float32)
    line[0, 1] = 1
    both = combined(classifier, line)
    assert both[0].sum() == pytest.approx(1)
    assert both[0, 10] == pytest.approx(0.5)
    assert both[0, :10].argmax() == 1


def test_a_digit_that_two_strips_show_is_one_candidate() -> None:
    given = attempt(2, "12")
    boxes = given.boxes.copy()
    boxes[1] = [150, 30, 60, 100]  # of another size, so of another line, whose strip shows the first digit as well
    given = given._replace(boxes=boxes, confidence=np.array([0.9, 0.9], np.float32))

    class Both:
        def columns(self, strips: Sequence[np.ndarray]) -> list[np.ndarray]:
            places = find_lines(boxes, np.arange(2))
            assert len(places) == len(strips) == 2
            lines = []
            for place, strip in zip(places, strips, strict=True):
                line = np.zeros((strip.shape[1] // COLUMN, CLASS_COUNT), np.float32)
                line[:, GAP] = 1
                column = round(place.to_strip(82, 80)[0] / COLUMN)
                line[column - 1 : column + 1] = np.eye(CLASS_COUNT)[5]
                lines.append(line)
            return lines

    assert len(read(Both(), given).boxes) == 3  # type: ignore[arg-type]
