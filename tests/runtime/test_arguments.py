import math

import numpy as np
import pytest

from digitocr.runtime.arguments import finite, whole
from digitocr.runtime.errors import UsageError


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers_of_any_kind_are_ints(value):
    assert whole("n", value, 1, 3) == 3
    assert type(whole("n", value)) is int


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (3.0, "n must be a whole number, not 3.0"),
        ("3", "n must be a whole number, not '3'"),
        (None, "n must be a whole number, not None"),
        (0, "n must be from 1 to 9, not 0"),
        (10, "n must be from 1 to 9, not 10"),
    ],
)
def test_other_values_are_no_whole_numbers_in_range(value, why):
    with pytest.raises(UsageError) as refused:
        whole("n", value, 1, 9)
    assert str(refused.value) == why


def test_without_an_upper_limit_only_the_lower_one_is_named():
    with pytest.raises(UsageError, match=r"^n must be 0 or more, not -1$"):
        whole("n", -1)


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1)])
def test_numbers_of_any_kind_are_floats(value):
    assert finite("n", value, 1) == 1.0
    assert type(finite("n", value)) is float


@pytest.mark.parametrize("value", ["1", b"1", None, [1], math.nan, math.inf, -0.1, 10**400])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(UsageError, match=r"^n must be a finite number, 0 or more, not "):
        finite("n", value)


def test_an_upper_limit_is_named():
    with pytest.raises(UsageError, match=r"^n must be a number from 0 to 1, not 1\.5$"):
        finite("n", 1.5, 1)
