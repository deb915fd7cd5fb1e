import itertools
import re
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.errors import UsageError
from digitocr.runtime.patterns import ALPHABET, MAX_COUNTED, Pattern

PARTS = [
    *(r"\d", r"\D", ".", "[0-4]", "[^0-4]", "1", ":", "-", "a", r"\w", r"\W", r"\s", "[a-f:1]", r"[^\d]", "()"),
    *("^", "$", r"\b", r"(?=\d)", r"(?!1)", r"(\d)\1", r"(?<=\d)", r"(?>\d)", r"\d++", "(1)?(?(1)2|3)"),
]
TIMES = ["*", "+", "?", "{2}", "{1,2}", "*?"]
EXPRESSIONS = st.recursive(
    st.sampled_from(PARTS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "*?"])).map(
            lambda two: f"(?:{two[0]}){two[1]}"
        ),
    ),
    max_leaves=6,
).filter(lambda text: r"\1" not in text or text.count("(") - text.count("(?") == 1)
SHORT = ["".join(text) for count in range(4) for text in itertools.product("1:-", repeat=count)]
NUMBERS = [text for text in SHORT if re.fullmatch(r"[-+]?\d+([.,:/-]\d+)*", text)]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(EXPRESSIONS)
def test_it_matches_what_python_matches(text):
    pattern, python = Pattern(text), re.compile(text)
    for number in SHORT:
        assert pattern.fullmatch(number) == (python.fullmatch(number) is not None), (text, number)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(EXPRESSIONS)
def test_what_matches_some_number_is_never_said_to_match_none(text):
    pattern, python = Pattern(text), re.compile(text)
    for number in NUMBERS:
        if python.fullmatch(number):
            assert pattern.can_match()
            assert pattern.can_match(sum(one.isdigit() for one in number))


@pytest.mark.parametrize(
    "text", ["[a-z]+", r"\D+", "", r"(\d+)+x", r"\d\s\d", "1::2", "-", r"\d+\.", "[^0-9]", "(?i)K"]
)
def test_what_no_number_matches(text):
    assert not Pattern(text).can_match()


@pytest.mark.parametrize(
    ("text", "digits", "can"),
    [
        (r"\d{3}", 3, True),
        (r"\d{3}", 4, False),
        (r"\d{2}:\d{2}", 4, True),
        (r"\d{2}:\d{2}", 5, False),
        (r"(\d{3})+", 9, True),
        (r"(\d{3})+", 10, False),
        (r"-?\d+\.\d{2}", 2, False),
        (r"-?\d+\.\d{2}", 3, True),
        (r"(..){4294967290}", 7, False),
        (rf"\d{{{MAX_COUNTED}}}", MAX_COUNTED, True),
        (rf"\d{{{MAX_COUNTED}}}", MAX_COUNTED - 1, False),
        (r"\d{200}", 200, True),
    ],
)
def test_numbers_of_so_many_digits(text, digits, can):
    assert Pattern(text).can_match(digits) is can


@pytest.mark.parametrize("text", [r"(\d+)+x", r"(?:(\d+)+x|\d+)", r"((\d{0,99}){99}){99}", r"(\d*)*(\d*)*:"])
def test_no_expression_takes_long(text):
    began = perf_counter()
    pattern = Pattern(text)
    pattern.can_match(MAX_COUNTED)
    assert pattern.fullmatch("1" * 60) == (text in (r"(?:(\d+)+x|\d+)", r"((\d{0,99}){99}){99}"))
    assert perf_counter() - began < 5  # Python's own matcher takes years for some of them


@pytest.mark.parametrize("text", ["(", "[", "*", r"\d{2,1}", r"\d{99999999999}", "(" * 3000])
def test_what_is_no_expression_is_a_usage_error(text):
    with pytest.raises(UsageError, match="is not a regular expression") as caught:
        Pattern(text)
    assert "\n" not in str(caught.value)


def test_the_alphabet_is_what_numbers_are_written_with():
    assert all(Pattern(".").fullmatch(one) for one in ALPHABET)


def test_an_expression_with_a_lookaround_ends_in_time_for_a_long_number():
    slow = Pattern(r"(?=1)(?:\d+)+(?<!0)")
    assert slow.fullmatch("101")
    assert not slow.fullmatch("1" * 39 + "0")  # Python's matcher takes years


@pytest.mark.parametrize("text", [r"^\d{22}$", r"\A\d+\Z", r"^^(1|2)+$$", r"(?m)^\d{2}\d*$"])
def test_anchors_at_the_ends_hold_for_a_number_of_any_length(text):
    assert Pattern(text).fullmatch("12" * 11)
    assert not Pattern(text).fullmatch("12:" * 11)
