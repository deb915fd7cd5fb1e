from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.live.rising import Rising


def taken(most, numbers):
    """Those of the numbers that are announced."""
    rising = Rising(most)
    return [digits for digits in numbers if not rising.why_not(digits) and rising.take(digits)]


def test_a_counter_rises_by_at_most_the_largest_step():
    assert taken(5, ["04812", "04813", "04818", "04824", "04823"]) == ["04812", "04813", "04818", "04823"]


@pytest.mark.parametrize(
    ("digits", "why"),
    [
        ("4838", "4838 is below the last number, 4839"),
        ("4845", "4845 is above the last number, 4839, by more than 5"),
        ("483", "483 has fewer digits than the last number, 4839"),
        ("4839", ""),
        ("4844", ""),
        ("04840", ""),
    ],
)
def test_what_cannot_follow_is_refused_with_the_reason(digits, why):
    rising = Rising(5)
    rising.take("4839")
    assert rising.why_not(digits) == why


def test_the_same_number_again_is_not_announced_again():
    assert taken(5, ["4839", "4830", "4839", "04839", "4840"]) == ["4839", "4840"]


def test_a_display_may_get_longer_and_never_shorter():
    assert taken(1, ["99", "100", "10"]) == ["99", "100"]
    assert taken(1000, ["0010", "10", "0011"]) == ["0010", "0011"]


def test_without_a_largest_step_any_number_can_follow():
    assert taken(0, ["4839", "12", "12", "4839"]) == ["4839", "12", "12", "4839"]


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(1, 50), st.lists(st.integers(0, 200), max_size=12))
def test_what_is_announced_rises_by_steps_that_are_allowed(most, values):
    announced = [int(digits) for digits in taken(most, [f"{value:03d}" for value in values])]
    assert announced[:1] == values[:1]
    assert all(0 < after - before <= most for before, after in pairwise(announced))
