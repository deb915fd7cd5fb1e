from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.train.search.front import MIN_BETTER_TRIALS, front, hopeless, pareto

POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=20)


def trial(number: int, accuracy: float, size: int, products: int) -> dict[str, Any]:
    measured = {"accuracy": accuracy, "bytes": size, "multiply_accumulates": products, "weights": size}
    return {"number": number, "state": "complete", "history": [0.5, accuracy], **measured}


def test_the_front_is_what_nothing_beats() -> None:
    assert pareto([(1, 5), (2, 4), (2, 5), (3, 3), (3, 3), (4, 9)]) == [0, 1, 3, 4]


@given(POINTS)
@settings(derandomize=True, deadline=None, max_examples=100)
def test_each_point_is_on_the_front_or_dominated_by_one_that_is(points: list[tuple[int, ...]]) -> None:
    def dominates(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
        return all(x <= y for x, y in zip(a, b, strict=True)) and a != b

    kept = pareto(points)
    for index, point in enumerate(points):
        assert (index in kept) != any(dominates(points[other], point) for other in kept)
    assert pareto([points[index] for index in kept]) == list(range(len(kept)))  # the front of a front is itself


def test_the_front_of_trials_goes_by_accuracy_and_the_costs_that_are_named() -> None:
    trials = [
        trial(0, 0.99, 30, 300),
        trial(1, 0.98, 20, 900),
        trial(2, 0.98, 25, 100),
        trial(3, 0.97, 25, 400),
        {"number": 4, "state": "pruned", "history": [0.1]},
    ]
    assert [one["number"] for one in front(trials)] == [1, 2, 0]
    assert [one["number"] for one in front(trials, "bytes")] == [1, 0]
    assert front([]) == []


def test_a_network_is_hopeless_where_enough_cheaper_ones_were_better_as_early() -> None:
    better = [trial(number, 0.99, 30, 300) for number in range(MIN_BETTER_TRIALS)]
    assert hopeless(better, [0.4], 30, 300)
    assert not hopeless(better[1:], [0.4], 30, 300)
    assert not hopeless(better, [0.5], 30, 300)  # no worse after one epoch
    assert hopeless(better, [0.6, 0.9], 30, 300)  # worse after two
    assert not hopeless(better, [0.4], 29, 300)
    assert not hopeless(better, [0.4], 30, 299)
    assert not hopeless([{**one, "state": "pruned"} for one in better], [0.4], 30, 300)
