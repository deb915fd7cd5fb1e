import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.attempt import Attempt
from digitocr.runtime.characters import Character
from digitocr.runtime.recognizer import CLASS_COUNT, CLASSES, GAP, OTHER

ROW = np.array([[20.0 * place, 10, 12, 20] for place in range(4)], np.float32)


def attempt(confidence, digits=(7, 7, 7, 7), boxes=ROW):
    count = len(boxes)
    confidence = np.broadcast_to(np.asarray(confidence, np.float32), count)
    probabilities = np.zeros((count, 11), np.float32)
    probabilities[np.arange(count), list(digits)[:count]] = confidence
    return Attempt(0, boxes, np.ones(count, np.float32), np.zeros((count, 28, 28), np.uint8), probabilities, confidence)


def test_the_upright_score_is_the_confidence_above_a_half_of_what_is_read_but_zeros():
    assert attempt(0.5).read.tolist() == [0, 1, 2, 3]
    assert attempt(0.5).upright_score == 0
    assert attempt(0.75).upright_score == pytest.approx(1)
    assert attempt((0.75, 0.75, 0.4, 1), (0, 7, 7, 1)).upright_score == pytest.approx(0.75)
    assert attempt((0.75, 0.85, 0.4, 0.1)).mean_confidence == pytest.approx(0.8)
    assert attempt(0.2).mean_confidence == 0


def test_the_reading_score_counts_zeros_as_well():
    assert attempt((0.75, 0.75, 0.4, 1), (0, 7, 7, 1)).reading_score == pytest.approx(1)


def test_boxes_within_a_border_are_those_of_the_picture_without_it():
    assert attempt(0.9).without_border(5, 0).boxes[:2].tolist() == [[-5, 5, 12, 20], [15, 5, 12, 20]]
    assert attempt(0.9).without_border(5, 2).boxes[:2].tolist() == [[-20, 20, 48, 80], [60, 20, 48, 80]]


def test_lines_hold_what_conf_keeps():
    some = attempt((0.9, 0.3, 0.6, 0.8))
    assert some.lines(0.5, "auto") == [[0, 2, 3]]
    assert some.lines(0.2, "auto") == [[0, 1, 2, 3]]
    assert some.lines(0.7, "line") == [[0, 3]]
    assert some.lines(0.95, "auto") == some.lines(0.95, "line") == []
    assert some.lines(0.95, "single") == [[0]]
    assert attempt((), boxes=ROW[:0]).lines(0, "single") == []


def with_places(some, places, others=()):
    """The attempt once its lines are recognized: with these confidences in places, and signs and words."""
    return some._replace(place_confidence=np.asarray(places, np.float32), others=tuple(others))


def test_a_place_that_is_sure_stays_in_its_line_where_its_digit_cannot_be_told():
    some = with_places(attempt((0.9, 0.3, 0.6, 0.1)), (0.95, 0.8, 0.6, 0.2))
    for mode in ("auto", "line"):
        assert some.lines(0.5, mode) == [[0, 1, 2]]
        assert some.lines(0.7, mode) == [[0, 1]]
        assert some.lines(0.85, mode) == [[0]]
    assert some.lines(0.1, "auto") == some.lines(0.1, "line") == [[0, 1, 2, 3]]
    assert some.lines(0.5, "single") == [[0]]


def test_a_line_of_nothing_but_doubt_is_none():
    for mode in ("auto", "line"):
        assert with_places(attempt(0.3), [0.9] * 4).lines(0.5, mode) == []
        assert with_places(attempt(0.6), [0.9] * 4).lines(0.8, mode) == []


def test_a_doubtful_place_is_kept_once():
    halves = ROW.copy()
    halves[2:, 0] = 40, 42  # the last two are the upper and the lower half of one wheel
    some = attempt((0.9, 0.9, 0.3, 0.2), boxes=halves)
    for mode in ("auto", "line"):
        assert with_places(some, (0.9, 0.9, 0.8, 0.7)).lines(0.5, mode) == [[0, 1, 2]]
        assert with_places(some, (0.9, 0.9, 0.7, 0.8)).lines(0.5, mode) == [[0, 1, 3]]
        told = attempt((0.9, 0.9, 0.6, 0.2), boxes=halves)
        assert with_places(told, (0.9, 0.9, 0.6, 0.8)).lines(0.5, mode) == [[0, 1, 2]]
        both = attempt((0.9, 0.9, 0.6, 0.7), boxes=halves)
        assert with_places(both, (0.9, 0.9, 0.6, 0.8)).lines(0.5, mode) == [[0, 1, 2, 3]]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 40), st.integers(0, 2**32 - 1), st.sampled_from(["auto", "line"]))
def test_raising_conf_takes_rows_away_and_moves_none(count, seed, mode):
    rng = np.random.default_rng(seed)
    boxes = np.concatenate([rng.uniform(0, 300, (count, 2)), rng.uniform(8, 30, (count, 2))], 1).astype(np.float32)
    some = attempt(rng.random(count), rng.integers(0, 10, count), boxes)
    if seed % 2:
        some = with_places(some, np.maximum(some.confidence, rng.random(count)))
    places = some.confidence if some.place_confidence is None else some.place_confidence
    before = some.lines(0, mode)
    assert sorted(row for line in before for row in line) == list(range(count))
    for conf in np.linspace(0.05, 1, 20).tolist():
        lines = some.lines(conf, mode)
        kept = {row for line in lines for row in line}
        assert lines == [line for line in ([row for row in line if row in kept] for line in before) if line]
        for line in lines:
            assert (some.confidence[line] >= conf).any()
            assert (places[line] >= conf).all()
        told = {row for row in range(count) if some.confidence[row] >= conf}
        assert told <= kept
        before = lines


def test_characters_are_the_digits_doubts_signs_and_words_of_a_line_from_left_to_right():
    others = [
        Character("*", (82, 12, 6, 18), 0.9, -1),  # behind the last digit
        Character(".", (33, 10, 4, 20), 0.8, -1),  # between the second and the third
        Character("-", (33, 90, 4, 20), 0.8, -1),  # on another line
        Character("/", (53, 0, 4, 60), 0.8, -1),  # of another size
        Character("*", (53, 15, 4, 8), 0.8, -1),
    ]
    some = with_places(attempt((0.9, 0.3, 0.9, 0.9), (4, 8, 1, 2)), (0.9, 0.8, 0.9, 0.9), others)
    found = some.characters([0, 1, 2, 3], 0.5)
    assert [one.text for one in found] == ["4", "?", ".", "1", "2", "*"]
    assert [one.row for one in found] == [0, 1, -1, 2, 3, -1]
    assert [one.confidence for one in found] == pytest.approx([0.9, 0.3, 0.8, 0.9, 0.9, 0.9])
    assert found[1].box == (20, 10, 12, 20)
    assert [one.text for one in some.characters([0, 1, 2, 3], 0.2)] == ["4", "8", ".", "1", "2", "*"]
    assert [one.text for one in some.characters([3], 0.5)] == [".", "2", "*"]  # level with the nearest digit


def test_signs_follow_the_nearest_digit_of_a_line_that_slopes():
    slope = ROW + np.array([[0, 12 * place, 0, 0] for place in range(4)], np.float32)
    others = [Character("-", (73, 47, 4, 18), 0.9, -1), Character("-", (73, 11, 4, 18), 0.9, -1)]
    some = with_places(attempt(0.9, boxes=slope), [0.9] * 4, others)
    (sign,) = [one for one in some.characters([0, 1, 2, 3], 0.5) if one.row < 0]
    assert sign.box[1] == 47


def test_why_a_candidate_is_left_out():
    some = attempt((0.9, 0.3, 0.6, 0.8), (10, 7, 7, 7))
    assert some.why_left_out(0, 0.95, "auto") == "looks like no digit (0.90)"
    assert some.why_left_out(1, 0.5, "auto") == "below --conf 0.5"
    assert some.why_left_out(2, 0.5, "single") == "another one is more confident, and --mode single reads one"
    assert attempt((), boxes=ROW[:0]).why_nothing(0.5) == "nothing in it looks like a digit"
    assert attempt(0.3, boxes=ROW[:1]).why_nothing(0.5) == (
        "1 region was found, the most confident reading is a 7 with 0.30, below --conf 0.5"
    )
    assert attempt(0.9996, boxes=ROW[:1]).why_nothing(1).endswith("a 7 with 0.9996, below --conf 1")


def test_a_wheel_between_two_digits_is_not_told() -> None:
    parts = attempt((0.9, 0.8), boxes=np.array([[10, 2, 45, 80], [12, 108, 45, 62]], np.float32))
    assert parts.without_cut_wheel((172, 100)).lines(0.5, "auto") == []
    assert len(parts.without_cut_wheel((260, 100)).lines(0.5, "auto")) == 2  # the lower one is whole
    one = attempt((0.9, 0.1), boxes=parts.boxes)
    assert one.without_cut_wheel((172, 100)).lines(0.5, "auto") == []  # of the other too little is seen to be read
    beside = attempt((0.9, 0.8), boxes=np.array([[2, 2, 45, 80], [52, 90, 45, 80]], np.float32))
    assert len(beside.without_cut_wheel((172, 100)).lines(0.5, "auto")) == 2


def test_a_whole_digit_that_fills_the_picture_is_told() -> None:
    whole = attempt((0.9, 0.1), boxes=np.array([[10, 2, 45, 90], [12, 60, 30, 39]], np.float32))
    assert whole.without_cut_wheel((100, 60)).lines(0.5, "auto") == [[0]]


def lined(*labels):
    """Candidates with a confidence of 0.3 in whose places their lines show these classes; None for one on no line."""
    seen = np.full((len(labels), CLASS_COUNT), 0.01, np.float32)
    for row, label in enumerate(labels):
        if label is None:
            seen[row, :GAP] = 0
        seen[row, GAP if label is None else label] = 1
    return attempt(0.3, boxes=ROW[: len(labels)])._replace(lined=seen / seen.sum(1, keepdims=True))


def test_what_a_line_shows_is_why_a_candidate_is_left_out():
    some = lined(OTHER, CLASSES.index("/"), GAP, 7)
    assert [some.why_left_out(row, 0.5, "auto")[:-7] for row in range(3)] == [
        "is a letter or another sign in its line",
        "is the sign / in its line",
        "is no character of its line",
    ]
    assert some.why_left_out(3, 0.5, "auto") == "below --conf 0.5"
    assert lined(None).why_left_out(0, 0.5, "auto") == "below --conf 0.5"
    doubtful = some._replace(place_confidence=np.full(4, 0.8, np.float32))
    assert (
        doubtful.why_left_out(3, 0.5, "auto")
        == "cannot be told, and its line has no digit that can, or one that is in its place"
    )
    assert doubtful.why_left_out(3, 0.9, "auto") == "below --conf 0.9"


def test_why_nothing_is_read_where_lines_show_no_digits():
    shown = "3 regions were found; their lines show letters or signs, no digits"
    assert lined(OTHER, CLASSES.index("-"), GAP).why_nothing(0.5) == shown
    assert lined(OTHER, None, OTHER).why_nothing(0.5) == shown
    assert lined(OTHER).why_nothing(0.5) == "1 region was found; its line shows letters or signs, no digits"
    assert lined(GAP, GAP).why_nothing(0.5) == "2 regions were found; their lines show no characters"
    for some in (lined(OTHER, 7), lined(None)):
        assert some.why_nothing(0.5).endswith("a 7 with 0.30, below --conf 0.5")
