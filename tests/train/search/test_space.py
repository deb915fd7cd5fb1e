from typing import Any

import pytest

from digitocr.runtime.errors import UsageError
from digitocr.train.search.space import SPACES, SearchPlan, grid


@pytest.mark.parametrize("wrong", [{"space": "x"}, {"sampler": "x"}, {"epochs": 0}])
def test_plans_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} is .*; it must be"):
        SearchPlan(**wrong)


def test_a_grid_is_every_point_once_in_a_random_order_that_is_always_the_same() -> None:
    points = grid("paper")
    assert len(points) == len({tuple(point.values()) for point in points}) == 3 * 2**5 * 6 * 4
    assert all(point[name] in values for point in points for name, values in SPACES["paper"].items())
    assert points == grid("paper")
    assert [point["conv_layers"] for point in points] != sorted(point["conv_layers"] for point in points)
