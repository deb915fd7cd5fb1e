from typing import Any

import pytest

from digitocr.runtime.schemas import fits


@pytest.mark.parametrize(
    ("content", "schema", "good"),
    [
        (1, int, True),
        (True, int, False),  # a bool is an int for Python alone
        (True, bool, True),
        (1, bool, False),
        (1, (int, float), True),
        ("a", {"a", "b"}, True),
        ("c", {"a", "b"}, False),
        ([], {"a"}, False),
        ([1, 2], [int], True),
        ([1, "2"], [int], False),
        ({"a": 1, "other": None}, {"a": int}, True),
        ({"other": None}, {"a": int}, False),
        ({"a": "1"}, {"a": int}, False),
        ({"fog": 0.5, "shear": 1}, {...: (int, float)}, True),
        ({"fog": "0.5"}, {...: (int, float)}, False),
        ([1], {"a": int}, False),
    ],
)
def test_content_fits_a_schema_of_its_form(content: Any, schema: Any, good: bool) -> None:
    assert fits(content, schema) is good
