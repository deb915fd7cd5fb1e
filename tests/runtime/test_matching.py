import pytest

from digitocr.runtime.errors import UsageError
from digitocr.runtime.matching import Wanted
from digitocr.runtime.reading import Box, Digit, Line, Number, Reading


def number(text, height=20, confidence=0.9, x=0, y=0):
    digits = tuple(
        Digit(int(one) if one != "?" else None, confidence, Box(x + height * place, y, height // 2, height), ())
        for place, one in enumerate(one for one in text if one.isdigit() or one == "?")
    )
    return Number(text, digits, confidence)


READING = Reading((Line((number("20:16"), number("4831"))), Line((number("-12.5"), number("48?1")))))


@pytest.mark.parametrize(
    ("expect", "digits", "left"),
    [
        ("", 0, ["20:16", "4831", "-12.5", "48?1"]),
        ("", 4, ["20:16", "4831"]),
        ("", 3, ["-12.5"]),
        (r"\d+", 0, ["20:16", "4831", "-12.5"]),  # the digits alone count as well
        (r"\d{2}:\d{2}", 0, ["20:16"]),
        (r"2.*", 4, ["20:16"]),
        (r"-.*", 0, ["-12.5"]),
        (r".*", 0, ["20:16", "4831", "-12.5"]),
    ],
)
def test_numbers_of_a_form_are_left_and_none_with_a_doubtful_digit(expect, digits, left):
    only = READING.only(Wanted(expect, digits))
    assert [one.text for one in only.numbers] == left
    assert only.why == ""


def test_lines_without_a_wanted_number_are_left_out():
    assert [line.text for line in READING.only(Wanted(digits=3)).lines] == ["125"]


def test_where_none_is_left_the_reading_says_why():
    none = READING.only(Wanted(digits=9))
    assert (none.lines, none.why) == ((), "4 numbers were read, but none has 9 digits")
    one = Reading((Line((number("4"),)),)).only(Wanted(r"7\d", 2))
    assert one.why == r"1 number was read, but none has 2 digits and matches 7\d"
    empty = Reading((), why="nothing in it looks like a digit")
    assert empty.only(Wanted(digits=9)) == empty


@pytest.mark.parametrize(
    ("expect", "digits", "why"),
    [
        ("", -1, "digits must be 0 or more, not -1"),
        ("", "4", "digits must be a whole number, not '4'"),
        ("", 2.5, "digits must be a whole number, not 2.5"),
        (7, 0, "expect must be a regular expression as text, not 7"),
        ("[a-z]+", 0, "matches no number"),
        (r"\d{3}", 4, "matches no number of 4 digits"),
        ("(", 0, "is not a regular expression"),
    ],
)
def test_what_no_number_can_be_is_a_usage_error(expect, digits, why):
    with pytest.raises(UsageError, match=why) as caught:
        Wanted(expect, digits)
    assert "\n" not in str(caught.value)


def main_number(numbers):
    return Reading((Line(tuple(numbers)),)).main if numbers else Reading(()).main


def test_the_main_number_is_the_row_of_large_digits():
    counter, serial, stray = number("00439160", 60), number("4108375", 20), number("7", 90)
    assert main_number([serial, stray, counter]) is counter
    assert main_number([number("12", 40), number("34", 60)]).text == "34"
    assert main_number([number("12"), number("345")]).text == "345"
    assert main_number([number("12", confidence=0.5), number("34", confidence=0.9)]).text == "34"
    assert main_number([number("12"), number("34")]).text == "12"
    assert main_number([]) is None


def test_a_reading_of_the_main_number_alone():
    assert [one.text for one in READING.only_main().numbers] == ["20:16"]
    twice = Reading((Line((number("7"), number("7"))),))
    assert len(twice.only_main().numbers) == 1
    empty = Reading((), why="nothing in it looks like a digit")
    assert empty.only_main() == empty
