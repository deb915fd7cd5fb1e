import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from digitocr.train.paper.statistics import holm, interval, next_run, paired


def test_a_paired_test_is_scipy_s_with_cohen_s_d_and_an_interval() -> None:
    a, b = [99.3, 99.2, 99.4, 99.1], [99.1, 99.1, 99.1, 99.0]
    test = paired("a minus b", a, b)
    assert test.difference == pytest.approx(0.175)
    assert test.p == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert test.effect == pytest.approx(0.175 / np.std([0.2, 0.1, 0.3, 0.1], ddof=1))
    assert (test.low, test.high) == pytest.approx(tuple(stats.ttest_rel(a, b).confidence_interval()))
    with pytest.raises(ValueError, match="two"):
        paired("", [1], [2])


@pytest.mark.parametrize("shift", [0, 1, -0.03])
def test_equal_differences_have_no_t_test_and_are_never_significant(shift: float) -> None:
    test = paired("", [99.1 + shift, 99.2 + shift, 99.4 + shift], [99.1, 99.2, 99.4])
    assert test.difference == pytest.approx(shift)
    assert (test.p, test.effect, test.direction) == (None, None, 0)
    assert math.isnan(test.low)
    assert math.isnan(test.high)


@given(
    a=st.lists(st.integers(0, 400), min_size=2, max_size=9),
    shifts=st.lists(st.integers(-2, 2), min_size=9, max_size=9),
)
@settings(derandomize=True, deadline=None, max_examples=200)
def test_no_p_value_is_below_what_chance_can_do(a: list[int], shifts: list[int]) -> None:
    """Accuracies come in steps of 0.01: p is never 0, and swapping the sides turns the sign alone."""
    first = [99 + value / 100 for value in a]
    second = [value + shift / 100 for value, shift in zip(first, shifts, strict=False)]
    test, swapped = paired("", first, second), paired("", second, first)
    assert test.p is None or 0 < test.p <= 1
    assert swapped.p == (test.p and pytest.approx(test.p))
    assert swapped.difference == pytest.approx(-test.difference)


@given(st.lists(st.floats(0, 1), max_size=12))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_holm_s_correction_never_lowers_a_p_and_keeps_their_order(values: list[float]) -> None:
    corrected = holm(values)
    assert all(value <= after <= 1 for value, after in zip(values, corrected, strict=True))
    assert [corrected[i] for i in np.argsort(values, kind="stable")] == sorted(corrected)


def test_holm_s_correction_is_that_of_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_intervals_are_student_s_and_one_value_has_none() -> None:
    values = [99.1, 99.2, 99.3]
    mean, low, high = interval(values)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 2, mean, stats.sem(values)))
    assert high - low < next_run(values)[1] - next_run(values)[0]
    assert all(math.isnan(side) for side in (*interval([1.0])[1:], *next_run([1.0])))
