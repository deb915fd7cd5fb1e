"""The candidates of a picture merged with what the recognizer reads in their lines."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.attempt import Attempt
from digitocr.runtime.confidence import CHARACTER_FEATURES, load_confidence
from digitocr.runtime.recognition import Recognition, clear_digits, combined, recognition
from digitocr.runtime.recognizer import CLASS_COUNT, COLUMN, DIGIT, DIGIT_HEIGHT, GAP, OTHER, WORD, Segment
from digitocr.runtime.strips import CLOSER, CONTEXT, cut, find_lines

GRAY = np.full((200, 600), 200, np.uint8)
START = CONTEXT * DIGIT_HEIGHT / COLUMN  # the column of a strip at which its first box begins


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


def read(recognizer: Any, some: Attempt) -> Recognition:
    return recognition(GRAY, some, recognizer, crop, load_confidence())


def column(name: str) -> int:
    return CHARACTER_FEATURES.index(name)


def test_a_strip_begins_where_the_test_assumes() -> None:
    (place,) = find_lines(attempt(3, "123").boxes, np.arange(3))
    assert place.to_strip(100, 80)[0] / COLUMN == pytest.approx(START)


def test_both_networks_decide_on_the_digit(written: Callable[..., Any]) -> None:
    found = read(written(("1", 2, 4), ("2", 9, 12), ("3", 17, 20)), attempt(3, "123"))
    assert found.digits.argmax(1).tolist() == [1, 2, 3]
    assert (found.features[:, column("agreement")] == 1).all()
    found = read(written(("4", 2, 4), ("2", 9, 12), ("3", 17, 20)), attempt(3, "123", share=0.4))
    assert found.digits.argmax(1).tolist() == [4, 2, 3]
    assert found.features[:, column("agreement")].tolist() == [0, 1, 1]


def test_a_character_that_the_detector_misses_becomes_a_candidate(written: Callable[..., Any]) -> None:
    some = attempt(3, "123")
    rows = np.array([0, 2])
    some = Attempt(0, *(values[rows] for values in some[1:6]))
    found = read(written(("1", 2, 4), ("2", 9, 12), ("3", 17, 20)), some)
    assert len(found.boxes) == 3
    x, y, w, h = found.boxes[2].tolist()
    assert (x + w / 2, y + h / 2, h) == pytest.approx((142, 80, 40), abs=4)
    assert found.features[:, column("found")].tolist() == [1, 1, 0]


def test_a_letter_and_a_sign_are_no_digits(written: Callable[..., Any]) -> None:
    some = attempt(4, "1587")
    found = read(written(("1", 2, 4), ("S", 8, 13), ("/", 17, 19), ("7", 24, 27)), some)
    is_digit = found.features[:, column("line place")] > 0
    assert is_digit.tolist() == [True, False, False, True]
    assert [other.text for other in found.others] == ["*", "/"]
    assert [round(other.box[0] + other.box[2] / 2) for other in found.others] == pytest.approx([142, 172], abs=4)


def test_one_character_is_not_read_twice(written: Callable[..., Any]) -> None:
    some = attempt(3, "111")
    close = some.boxes.copy()
    close[1, 0] = 106  # a second box on the first character
    found = read(written(("1", 2, 4), ("3", 17, 20)), some._replace(boxes=close))
    assert (found.features[:, column("line place")] > 0).sum() == 2


def test_a_box_around_two_digits_gives_way_to_one_for_each(written: Callable[..., Any]) -> None:
    some = attempt(2, "18")
    boxes = some.boxes.copy()
    boxes[1] = [125, 60, 58, 40]
    found = read(written(("1", 2, 4), ("2", 8, 11), ("3", 15, 18)), some._replace(boxes=boxes))
    assert found.features[:, column("line place")].argmin() == 1
    added = found.boxes[2:]
    assert (added[:, 0] + added[:, 2] / 2).tolist() == pytest.approx([138, 166], abs=4)


def with_a_unit() -> Attempt:
    """Two digits, and two letters that hang lower, as in 13 kg."""
    some = attempt(4, "1399")
    boxes = some.boxes.copy()
    boxes[2:, 1] += 16
    return some._replace(boxes=boxes)


def test_letters_do_not_say_where_a_line_stands(written: Callable[..., Any]) -> None:
    some = with_a_unit()
    seen = written(("1", 2, 4), ("3", 9, 12), ("k", 17, 20), ("g", 24, 27))
    strip = read(seen, some).strips[0]
    assert (strip.place.sin, strip.place.y) == (0, 80)
    assert strip.place.rows == (0, 1, 2, 3)
    strip = read(written(("1", 2, 4), ("3", 9, 12), ("9", 17, 20), ("9", 24, 27)), some).strips[0]
    assert strip.place.sin > 0.1  # four digits that run downwards


def test_a_line_is_read_where_it_was_cut_out_again(written: Callable[..., Any]) -> None:
    gray = np.random.default_rng(0).integers(0, 256, GRAY.shape).astype(np.uint8)
    looks = [(("1", 2, 4), ("3", 9, 12), ("k", 17, 20)), (("1", 2, 4), ("8", 9, 12), ("k", 17, 20))]
    seen: list[np.ndarray] = []

    class Twice:
        """Sees a 3 at the first look and an 8 at the second one."""

        def columns(self, strips: Sequence[np.ndarray]) -> Any:
            seen.append(strips[0])
            return written(*looks[len(seen) - 1]).columns(strips)

    some, twice = with_a_unit(), cast(Any, Twice())
    found = recognition(gray, some, twice, crop, load_confidence())
    (first,), (strip,) = find_lines(some.boxes, np.arange(4)), found.strips
    assert len(seen) == 2
    np.testing.assert_array_equal(seen[0], cut(gray, first))
    np.testing.assert_array_equal(seen[1], cut(gray, strip.place))
    np.testing.assert_array_equal(strip.image, seen[1])
    assert found.lined[:2].argmax(1).tolist() == [1, 8]


def test_only_candidates_that_lines_are_made_of_say_how_a_page_slopes(written: Callable[..., Any]) -> None:
    some = with_a_unit()
    unsure = np.array([[100 + 30 * place, 120 + 12 * place, 24, 40] for place in range(6)], np.float32)
    every = Attempt(0, *(np.concatenate([one, one[[0] * 6]]) for one in some[1:6]))
    every = every._replace(boxes=np.concatenate([some.boxes, unsure]))
    seen = written(("1", 2, 4), ("3", 9, 12), ("k", 17, 20), ("g", 24, 27))
    for confidence, slopes in ((0.01, False), (0.9, True)):
        every.confidence[4:] = confidence
        places = [strip.place for strip in read(seen, every).strips if strip.place.rows == (0, 1, 2, 3)]
        assert [place.sin > 0.1 for place in places] == [slopes]


def test_clear_digits_are_those_without_doubt_at_the_middle_of_a_candidate() -> None:
    some = attempt(4, "1234")
    (place,) = find_lines(some.boxes, np.arange(4))
    starts = [round(START + 7.5 * number) for number in range(4)]

    def part(left: int, right: int, kind: int, share: float) -> Segment:
        probabilities = np.zeros(CLASS_COUNT, np.float32)
        probabilities[3 if kind == DIGIT else OTHER] = share
        return Segment(left, right, probabilities, kind, share)

    parts = [
        part(starts[0] + 2, starts[0] + 4, DIGIT, 0.75),
        part(starts[1] + 2, starts[1] + 4, DIGIT, 0.65),  # in doubt
        part(starts[2] + 2, starts[2] + 4, WORD, 0.9),
        part(starts[3] + 4, starts[3] + 6, DIGIT, 0.9),  # beside the middle
    ]
    assert clear_digits(some.boxes, place, parts) == [0]


def test_nothing_found_is_nothing_recognized(written: Callable[..., Any]) -> None:
    found = read(written(), attempt(0, ""))
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
    some = attempt(2, "12")
    boxes = some.boxes.copy()
    boxes[1] = [304, 55, 30, 50]  # so far that it begins another line, but both strips show what stands between them
    shown = 0

    class Both:
        def columns(self, strips: Sequence[np.ndarray]) -> list[np.ndarray]:
            nonlocal shown
            place = find_lines(boxes, np.arange(2))[1 - shown]  # the larger one first
            shown += 1
            line = np.zeros((strips[0].shape[1] // COLUMN, CLASS_COUNT), np.float32)
            line[:, GAP] = 1
            column = round(place.to_strip(203, 80)[0] / COLUMN)
            line[column - 1 : column + 1] = np.eye(CLASS_COUNT)[5]
            return [line]

    found = read(Both(), some._replace(boxes=boxes))
    assert shown == 2
    assert len(found.boxes) == 3


def test_a_small_mark_beside_larger_digits_makes_no_line_of_its_own(written: Callable[..., Any]) -> None:
    some = attempt(3, "120")
    boxes = some.boxes.copy()
    boxes[2] = [160, 58, 10, 10]  # a degree sign
    found = read(written(("1", 2, 4), ("2", 9, 12), ("°", 15, 18)), some._replace(boxes=boxes))
    assert (found.features[:, column("line place")] > 0).tolist() == [True, True, False]


def test_a_candidate_of_one_line_is_not_found_again_in_another(written: Callable[..., Any]) -> None:
    some = attempt(4, "1234")
    boxes = some.boxes.copy()
    boxes[3] = [192, 100, 10, 14]  # a comma, too low to be on the line, so that it makes a line of its own
    sizes = []

    class Same(written):
        def columns(self, strips: Sequence[np.ndarray]) -> list[np.ndarray]:
            sizes.append(strips[0].shape)
            return super().columns(strips)

    found = read(Same(("1", 2, 4), ("2", 9, 12), ("3", 17, 20)), some._replace(boxes=boxes))
    assert len(sizes) == 2
    assert (found.features[:, column("line place")] > 0).tolist()[:3] == [True, True, True]


def test_where_the_detector_finds_nothing_all_ink_is_one_line(written: Callable[..., Any]) -> None:
    gray = GRAY.copy()
    gray[60:100, 100:184] = 20
    found = recognition(gray, attempt(0, ""), written(("4", 2, 4), ("2", 9, 12)), crop, load_confidence())
    assert found.digits.argmax(1).tolist() == [4, 2]
    assert (found.boxes[:, 0] + found.boxes[:, 2] / 2).tolist() == pytest.approx([112, 142], abs=4)
    assert (found.boxes[:, 1] + found.boxes[:, 3] / 2).tolist() == pytest.approx([80, 80], abs=1)
    assert found.features[:, column("found")].tolist() == [0, 0]


def test_what_stands_right_beside_a_digit_is_a_feature(written: Callable[..., Any]) -> None:
    found = read(written(("1", 2, 4), ("2", 9, 12), ("S", 13, 17)), attempt(2, "12"))
    other, digit = (found.features[:, column(name)].tolist() for name in ("other beside", "digit beside"))
    assert other[0] < 0.1 < 0.5 < other[1]
    assert digit[0] > 0.9
    assert digit[1] < 0.1


def test_a_candidate_on_no_line_is_seen_as_nothing(written: Callable[..., Any]) -> None:
    some = attempt(3, "123")
    far = some.boxes.copy()
    far[2, 1] = 150
    unsure = some._replace(boxes=far, confidence=np.array([0.9, 0.9, 0.01], np.float32))
    found = read(written(("1", 2, 4), ("2", 9, 12)), unsure)
    assert found.lined[2].tolist() == np.eye(CLASS_COUNT)[GAP].tolist()
    assert found.digits[2].argmax() == 3


def test_an_unsure_candidate_on_a_line_is_seen_as_what_stands_there(written: Callable[..., Any]) -> None:
    some = attempt(3, "123")._replace(confidence=np.array([0.9, 0.01, 0.9], np.float32))
    found = read(written(("1", 2, 4), ("2", 9, 12), ("3", 17, 20)), some)
    assert found.lined[:, :10].argmax(1).tolist() == [1, 2, 3]
    assert len(found.boxes) == 3


def test_recognized_candidates_are_an_attempt(written: Callable[..., Any]) -> None:
    found = read(written(("1", 2, 4), ("S", 8, 13), ("3", 17, 20)), attempt(3, "123"))
    made = found.attempt(90, load_confidence())
    assert made.degrees == 90
    assert made.place_confidence is not None
    assert (made.place_confidence >= made.confidence).all()
    assert [one.text for one in made.others] == ["*"]
    assert made.why_left_out(1, 0.5, "auto").startswith("is a letter or another sign in its line")


CHARACTERS = st.lists(st.tuples(st.sampled_from("0123456789.,-/S*"), st.integers(1, 6), st.integers(1, 4)), max_size=8)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(1, 6), CHARACTERS, st.integers(0, 2**32 - 1))
def test_nothing_that_the_detector_finds_is_lost_and_no_character_counts_twice(
    written: Callable[..., Any], count: int, characters: list[tuple[str, int, int]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    some = attempt(count, "".join(rng.choice(list("0123456789"), count)), rng.uniform(0.2, 0.95))
    boxes = some.boxes + rng.uniform(-6, 6, some.boxes.shape).astype(np.float32)
    some = some._replace(boxes=boxes, confidence=rng.uniform(0.06, 1, count).astype(np.float32))
    placed, at = [], 0
    for text, gap, width in characters:
        placed.append((text, at + gap, at + gap + width))
        at += gap + width
    found = read(written(*placed), some)
    np.testing.assert_array_equal(found.boxes[:count], some.boxes)
    np.testing.assert_array_equal(found.scores[:count], some.scores)
    sums = found.digits.sum(1)
    np.testing.assert_allclose(sums, 1, atol=1e-4)
    np.testing.assert_allclose(found.digits[:count, 10], some.probabilities[:, 10], atol=1e-6)
    lines = len(find_lines(some.boxes, np.arange(count)))
    assert (found.lined[:, :10].sum(1) > 0.5).sum() <= lines * sum(text.isdigit() for text, *_ in placed)
    assert all(0 <= other.confidence <= 1 and other.row == -1 for other in found.others)
    assert (found.boxes[:, 2:] > 0).all()


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.sampled_from([10, 11]))
def test_what_both_networks_find_likeliest_stays_likeliest(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    classifier = rng.dirichlet(np.full(classes, 0.3), 5).astype(np.float32)
    line = rng.dirichlet(np.full(CLASS_COUNT, 0.3), 5).astype(np.float32)
    both = combined(classifier, line)
    assert both.shape == classifier.shape
    np.testing.assert_allclose(both.sum(1), 1, atol=1e-4)
    np.testing.assert_allclose(both[:, :10].sum(1), classifier[:, :10].sum(1), atol=1e-4)
    same = classifier[:, :10].argmax(1) == line[:, :10].argmax(1)
    assert (both[same, :10].argmax(1) == classifier[same, :10].argmax(1)).all()
    nothing = np.zeros((5, CLASS_COUNT), np.float32)  # a line that shows no digit leaves the order as it is
    best = combined(classifier, nothing)[:, :10].argmax(1)
    assert (best == classifier[:, :10].argmax(1)).all()


def test_a_digit_that_the_line_cannot_tell_keeps_its_place(written: Callable[..., Any]) -> None:
    class Half(written):  # type: ignore[misc]
        def columns(self, strips: Sequence[np.ndarray]) -> list[np.ndarray]:
            (line,) = super().columns(strips)
            if len(self.widths) > 1:  # the closer look
                line = line[(np.arange(len(line)) / CLOSER).astype(int)]
            wheel = line[:, 5] > 0.5
            line[wheel] = 0.001
            line[np.ix_(wheel, [4, 5])] = 0.5
            return [line / line.sum(1, keepdims=True)]

    found = read(Half(("1", 2, 4), ("2", 9, 12), ("5", 17, 20)), attempt(2, "12"))
    some = found.attempt(0, load_confidence())
    assert some.place_confidence is not None
    assert some.place_confidence[2] >= 0.5
    assert some.confidence[2] < 0.5
    assert found.lined[2, [4, 5]].min() > 0.4


def test_the_rest_of_the_picture_tells_how_likely_a_digit_is(written: Callable[..., Any]) -> None:
    alone = read(written(("1", 2, 4)), attempt(1, "1"))
    among = read(written(("1", 2, 4), ("2", 9, 12), ("*", 17, 29)), attempt(3, "124"))
    digits, others = column("digits elsewhere"), column("others elsewhere")
    assert alone.features[0, column("alone")] > 0.9
    assert among.features[0, column("alone")] < 0.1
    assert alone.features[0, column("alone x height")] == pytest.approx(alone.features[0, column("alone")] * 40 / 200)
    assert among.features[0, digits] == pytest.approx(np.log(1.5), abs=0.1)  # the 2
    assert among.features[1, others] == pytest.approx(np.log(2.5), abs=0.1)  # a run as wide as two characters
    assert among.features[2, digits] == pytest.approx(np.log(2.5), abs=0.1)


def test_a_slash_that_looks_like_a_1_is_no_digit(written: Callable[..., Any]) -> None:
    found = read(written(("1", 2, 4), ("/", 9, 12), ("5", 17, 20)), attempt(3, "115"))
    some = found.attempt(0, load_confidence())
    assert some.place_confidence is not None
    assert some.confidence[1] == some.place_confidence[1] == 0
    assert some.confidence[[0, 2]].min() > 0.5
    assert [one.text for one in some.others] == ["/"]


@pytest.mark.parametrize(("share", "looks"), [(0.95, 1), (0.6, 2)])
def test_a_line_in_doubt_is_looked_at_again_a_little_larger(share: float, looks: int) -> None:
    widths = []

    class Unsure:
        def columns(self, strips: Sequence[np.ndarray]) -> list[np.ndarray]:
            widths.append(strips[0].shape[1])
            line = np.zeros((widths[-1] // COLUMN, CLASS_COUNT), np.float32)
            line[:, GAP] = 1
            larger = CLOSER ** (len(widths) - 1)
            line[round(larger * (START + 2)) : round(larger * (START + 5))] = np.where(
                np.arange(CLASS_COUNT) == (4 if len(widths) == 1 else 9), share, (1 - share) / (CLASS_COUNT - 1)
            )
            return [line]

    found = read(Unsure(), attempt(1, "4"))
    assert len(widths) == looks
    assert found.lined[0, 9] == pytest.approx(0 if looks == 1 else share / 2, abs=0.05)
