import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.live.tracking import (
    COVERED,
    DISTURBED,
    MEMORY,
    NEW,
    SURE,
    Tracker,
    is_part,
)
from digitocr.runtime.reading import Box, Digit, Line, Number, Reading


def number(text, x=100, y=50, confidence=0.95):
    """A number whose digits stand 20 pixels apart, from (x, y); a blank leaves a digit out, a point takes no place."""
    digits = tuple(
        Digit(None if char == "?" else int(char), confidence, Box(x + 20 * place, y, 16, 30), ())
        for place, char in enumerate(text.replace(".", ""))
        if char != " "
    )
    return Number(text.replace(" ", ""), digits, confidence)


def reading(numbers):
    """A reading with each number in a line of its own."""
    return Reading(tuple(Line((one,)) for one in numbers))


def announced(frames):
    """What a new tracker announces: the frame's number and the digits, for frames that are lists of numbers."""
    tracker = Tracker()
    return [
        (frame, fresh.digits_text) for frame, numbers in enumerate(frames) for fresh in tracker.update(reading(numbers))
    ]


def test_a_line_is_announced_once_when_it_has_held():
    assert announced([[number("407")]] * 500) == [(NEW.agree - 1, "407")]


def test_what_does_not_hold_is_not_announced():
    assert announced([[number("407")]] * (NEW.agree - 1) + [[]] * 50) == []
    assert announced([[number("407")], [number("401")]] * 50) == []


def test_a_line_holds_though_some_frames_read_it_wrong_or_not_at_all():
    frames = [[number("407")], [number("107")], [number("407")], [], [number("407")], [number("407")]] * 20
    assert [text for _, text in announced(frames)] == ["407"]


def test_lines_are_announced_each_in_reading_order():
    assert announced([[number("12", y=150), number("407")]] * 20) == [(NEW.agree - 1, "407"), (NEW.agree - 1, "12")]


def test_a_line_that_moves_is_the_same_line():
    assert announced([[number("407", x=100 + 3 * step, y=50 + step)] for step in range(100)]) == [
        (NEW.agree - 1, "407")
    ]
    jump = [[number("407")]] * 20 + [[number("407", x=600, y=400)]] * 20
    assert announced(jump) == [(NEW.agree - 1, "407")]


def test_another_number_in_its_place_is_announced():
    frames = [[number(text)] for text in ("407", "82", "365", "9") for _ in range(NEW.window + 1)]
    assert [text for _, text in announced(frames)] == ["407", "82", "365", "9"]


def test_the_same_number_twice_on_a_page_is_two():
    assert [text for _, text in announced([[number("12"), number("12", y=150)]] * 20)] == ["12", "12"]


def test_a_number_that_was_away_for_long_is_announced_again():
    def away(frames):
        return [text for _, text in announced([[number("12")]] * 20 + [[]] * frames + [[number("12")]] * 20)]

    assert away(MEMORY - 1) == ["12"]
    assert away(MEMORY) == ["12", "12"]


def test_what_a_hand_hides_is_no_new_number_until_it_stays_away():
    for covered in ("4 71", "  71", "407", "4"):
        hand = [[number("4071")]] * 20 + [[number(covered)]] * (COVERED.agree - 1) + [[number("4071")]] * 20
        assert announced(hand) == [(NEW.agree - 1, "4071")]
    erased = announced([[number("4071")]] * 20 + [[number("407")]] * 100)
    assert erased == [(NEW.agree - 1, "4071"), (20 + COVERED.agree - 1, "407")]


def test_a_digit_that_looks_like_another_for_a_moment_is_no_new_number():
    for other in ("4077", "401", "1071"):
        moment = [[number("4071")]] * 20 + [[number(other)]] * (DISTURBED.agree - 1) + [[number("4071")]] * 20
        assert announced(moment) == [(NEW.agree - 1, "4071")]
    counter = announced([[number(str(count))] for count in range(4071, 4075) for _ in range(30)])
    assert [text for _, text in counter] == ["4071", "4072", "4073", "4074"]


def test_a_hand_makes_no_new_number_of_what_it_leaves():
    before = [[number("3633")]] * 20
    for left in ("73", "3138", "1233"):
        assert announced(before + [[number(left)]] * (DISTURBED.agree - 1) + before) == [(NEW.agree - 1, "3633")]
    apart = [[number("36"), number("33", x=140)]] * (COVERED.agree - 1)
    assert announced(before + apart + before) == [(NEW.agree - 1, "3633")]


def test_two_lines_that_a_hand_joins_are_the_same_two_behind_it():
    page = [number("0757"), number("4411", y=100)]
    joined = Number("011", (page[0].digits[0], *page[1].digits[2:]), 0.9)
    hand = [[joined, number("7", x=120), number("4", y=100)]] * 3 + [[number("057"), number("11", x=140, y=100)]] * 5
    assert [text for _, text in announced([page] * 20 + hand + [page] * 20)] == ["0757", "4411"]


def test_a_line_that_is_read_with_more_digits_now_and_then_has_to_hold_for_longer():
    frames = [[number("7350")]] * 2 + ([[number("7350")]] + [[number("730")]] * 7) * 10
    assert announced(frames[: COVERED.agree]) == []
    assert [text for _, text in announced(frames)] == ["730"]


@pytest.mark.parametrize(
    ("confidence", "frame"), [(SURE + 0.01, NEW.agree - 1), (SURE - 0.01, 42), (0.81, 44), (0.79, None)]
)
def test_what_is_less_sure_has_to_hold_for_longer(confidence, frame):
    frames = [[number("407", confidence=confidence)]] * 200
    assert announced(frames) == ([] if frame is None else [(frame, "407")])


def test_what_is_less_sure_and_is_not_told_now_and_then_is_not_announced():
    between = [[number("407", confidence=0.84)]] * 20 + [[number("40?", confidence=0.4)]] * 5
    assert announced(between * 10) == []
    turned = [[number("40?", confidence=0.4)]] * 60 + [[number("408", confidence=0.7)]] * 3 + [[number("408")]] * 20
    assert announced(turned) == [(67, "408")]


def test_a_digit_on_the_ground_of_a_longer_number_is_the_other_half_of_a_wheel():
    half = number("7", x=160, y=70)  # a third of it lies on the last digit of the other
    between = [[number("015?", x=100), half]] * (COVERED.agree - 1) + [[number("015?", x=100)]] * 20
    assert announced(between) == []
    apart = [[number("015?", x=100), number("7", x=160, y=90)]] * 20
    assert announced(apart) == [(NEW.agree - 1, "7")]


def test_what_holds_stays_while_a_hand_passes_and_goes_when_it_is_gone():
    tracker = Tracker()
    for numbers in [[number("4071")]] * 20 + [[number("40", x=102)]] * 10:
        tracker.update(reading(numbers))
    assert [steady.text for steady in tracker.steady] == ["4071"]
    for _ in range(NEW.window):
        tracker.update(Reading(()))
    assert tracker.steady == ()


def test_a_wheel_between_two_digits_is_no_number_and_ends_none():
    turning = [[number("483?")]] * 200
    assert announced(turning) == []
    assert announced(turning + [[number("4839")]] * 10) == [(200 + NEW.agree - 1, "4839")]
    tracker = Tracker()
    for numbers in [[number("4839")]] * 20 + turning:
        tracker.update(reading(numbers))
    assert [steady.text for steady in tracker.steady] == ["4839"]
    back = announced([[number("4839")]] * 20 + turning + [[number("4839")]] * 20 + [[number("4840")]] * 20)
    assert [text for _, text in back] == ["4839", "4840"]


def test_a_wheel_that_is_missed_now_and_then_leaves_no_shorter_number():
    assert announced([[number("483?")], [number("483")], [number("483")]] * 100) == []


def test_a_shorter_number_that_begins_or_ends_as_the_steady_one_has_to_hold_for_longer():
    before = [[number("4839")]] * 20
    for left in ("484", "839", "129"):
        assert announced(before + [[number(left)]] * (COVERED.agree - 1) + before) == [(NEW.agree - 1, "4839")]


def test_signs_are_those_of_most_frames_and_make_no_number_another_one():
    tracker = Tracker()
    fresh = []
    for text in ["14.09"] * 5 + ["14.09", "14.09", "1409"] * 10:
        fresh += tracker.update(reading([number(text)]))
    assert [one.text for one in fresh] == ["14.09"]
    assert [one.text for one in tracker.steady] == ["14.09"]


def test_the_numbers_of_a_line_are_steady_from_left_to_right_though_it_slopes():
    tracker = Tracker()
    line = Line((number("12", x=100, y=60), number("34", x=300, y=52), number("56", x=500, y=44)))
    for _ in range(NEW.window):
        tracker.update(Reading((line, Line((number("78", y=120),)))))
    assert [one.text for one in tracker.steady] == ["12", "34", "56", "78"]


def test_the_newest_boxes_are_those_that_hold():
    tracker = Tracker()
    for step in range(20):
        tracker.update(reading([number("407", x=100 + step)]))
    assert tracker.steady == (number("407", x=119),)


@pytest.mark.parametrize(("x", "steady"), [(138, ["82"]), (139, ["407", "82"])])
def test_lines_that_share_half_of_the_smaller_one_are_at_one_place(x, steady):
    tracker = Tracker()
    for numbers in [[number("407", x=100)]] * 20 + [[number("82", x=x)]] * (NEW.window - 1):
        tracker.update(reading(numbers))
    assert (number("407").box, number("82", x=x).box.w) == (Box(100, 50, 56, 30), 36)
    assert [text.text for text in tracker.steady] == steady


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.text("0123", max_size=6), st.text("0123", max_size=6))
def test_a_part_is_what_is_left_when_digits_are_missing(text, more):
    assert not is_part(text, text)
    assert is_part(text, text + more) == (more != "")
    assert is_part(text, more + text) == (more != "")
    if is_part(text, more):
        assert not is_part(more, text)
        assert all(more.count(digit) >= text.count(digit) for digit in text)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(["407", "40", "12", ""]), max_size=60))
def test_no_line_is_announced_that_was_not_read_often_enough(texts):
    said = announced([[number(text)] if text else [] for text in texts])
    for frame, text in said:
        assert texts[max(0, frame - COVERED.window) : frame + 1].count(text) >= NEW.agree
    assert len(said) <= len(texts) // NEW.agree


@pytest.mark.parametrize("frames", [0, 1])
def test_nothing_gives_nothing(frames):
    assert announced([[]] * frames) == []
