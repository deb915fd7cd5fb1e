import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from digitocr.train.classifier.network import EXPERIMENTS, Experiment
from digitocr.train.evaluation.label_errors import LABEL_ERRORS
from digitocr.train.paper import verdicts
from digitocr.train.paper.study import cells
from digitocr.train.paper.verdicts import MIN_SEEDS, Verdict, holm, interval, judge, next_run, paired

LABELS = np.resize(np.arange(10, dtype=np.uint8), 10_000)


def run(cell: Experiment, seed: int, wrong: list[tuple[int, int]]) -> dict[str, Any]:
    """A run whose network answers those (index, answer) wrong, of 10,000."""
    errors = [list(pair) for pair in wrong]
    return {"cell": "", "experiment": asdict(cell), "seed": seed, "test": {"images": 10_000, "errors": errors}}


def with_errors(cell: Experiment, seed: int, count: int) -> dict[str, Any]:
    """A run with so many errors, spread over the classes: each taken for the next one."""
    return run(cell, seed, [(index, (LABELS[index] + 1) % 10) for index in range(count)])


def verdict(runs: list[dict[str, Any]], begins: str) -> Verdict:
    """The verdict on the claim that begins so."""
    (only,) = [one for one in judge({"runs": runs}, LABELS) if one.claim.startswith(begins)]
    return only


def finding(runs: list[dict[str, Any]], begins: str) -> str:
    return verdict(runs, begins).finding


def four(of_four: list[int], of_others: list[int]) -> list[dict[str, Any]]:
    """Runs of the paper's networks: errors of experiment 4 and of each other one, seed by seed."""
    return [
        with_errors(cell, seed, (of_four if number == 4 else of_others)[seed])
        for number, cell in EXPERIMENTS.items()
        for seed in range(len(of_four))
    ]


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


def test_equal_differences_settle_no_claim_and_are_no_part_of_holm_s_family() -> None:
    claim = "Experiment 4 is the best"
    assert finding(four([70, 72, 69, 71, 70], [90, 92, 89, 91, 90]), claim) == "not settled"
    of_others = {1: [95, 96, 94, 97, 93], 2: [90, 92, 89, 91, 90], 3: [95, 99, 94, 97, 95]}  # 2: always 20 more
    runs = [
        with_errors(cell, seed, of_others.get(number, [70, 72, 69, 71, 70])[seed])
        for number, cell in EXPERIMENTS.items()
        for seed in range(5)
    ]
    tests = verdict(runs, claim).tests
    assert [test.corrected is None for test in tests] == [False, True, False]
    family = [test for one in judge({"runs": runs}, LABELS) for test in one.tests if test.p is not None]
    assert [test.corrected for test in family] == holm([test.p for test in family if test.p is not None])
    assert finding(runs, claim) == "not settled"


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


def test_the_best_is_the_best_only_where_every_test_says_so() -> None:
    claim = "Experiment 4 is the best"
    assert finding(four([70, 72, 69, 71, 70], [95, 96, 94, 97, 93]), claim) == "holds"
    assert finding(four([95, 96, 94, 97, 93], [70, 72, 69, 71, 70]), claim) == "does not hold"
    assert finding(four([70, 95, 80, 90, 75], [88, 71, 86, 74, 92]), claim) == "not settled"
    assert finding(four([70, 70, 70], [201, 90, 90]), "All four networks exceed 98") == "does not hold"


@pytest.mark.parametrize("seeds", [0, 1, 2])
def test_a_claim_that_has_too_few_seeds_says_what_it_needs(seeds: int) -> None:
    judged = judge({"runs": [with_errors(cell, seed, 70) for cell in cells("all") for seed in range(seeds)]}, LABELS)
    assert len(judged) == 10
    for one in judged:
        if "kernels" in one.claim or "pooling" in one.claim:  # pairs of a single seed are enough
            assert (one.finding == "not tested") == (seeds == 0)
            continue
        assert one.finding == "not tested"
        assert one.because.startswith(f"Needs at least {MIN_SEEDS} seeds of ")
        assert one.because.endswith(f"; {seeds} {'has' if seeds == 1 else 'have'} run.")


def test_only_seeds_that_all_networks_have_are_counted() -> None:
    runs = [one for one in four([70, 72, 69, 71], [95, 96, 94, 97]) if one["seed"] or one["experiment"]["kernel"] == 3]
    assert {test.pairs for test in verdict(runs, "Experiment 4 is the best").tests} == {3}
    assert verdict(runs[1:], "No class").finding == "holds"


def wide(cell: Experiment) -> int:
    """Errors by which cells differ that do not differ in batch norm: they must not blur what is judged."""
    return 90 + 40 * (cell.kernel == 5) + 25 * (cell.pooling == "max")


def test_batch_norm_is_judged_by_networks_that_differ_in_it_alone() -> None:
    hurt = [
        with_errors(cell, seed, wide(cell) + seed + (30 + seed % 2 if cell.batch_norm and not cell.dropout else 0))
        for cell in cells("table")
        for seed in range(4)
    ]
    claim = "Batch norm without dropout"
    assert finding(hurt, claim) == "holds"
    assert finding([one for one in hurt if one["experiment"]["kernel"] == 3], claim) == "holds"  # experiment 2's row
    helped = [
        with_errors(cell, seed, wide(cell) + seed - (30 + seed % 2 if cell.batch_norm else 0))
        for cell in cells("table")
        for seed in range(4)
    ]
    assert finding(helped, claim) == "does not hold"
    assert finding(four([70, 71, 72], [80, 81, 82]), claim) == "not tested"
    pooled = [
        with_errors(cell, seed, 90 + seed + (25 + seed % 2 if cell.pooling == "max" else 0))
        for cell in cells("table")
        for seed in range(4)
    ]
    assert finding(pooled, "Average and max pooling differ") == "holds"
    (test,) = verdict(helped, "Batch").tests[1:]
    assert test.pairs == 16  # of four seeds
    assert (test.difference, test.effect) == pytest.approx((0.305, 0.305 / np.std([0.30, 0.31] * 8, ddof=1)))


def test_a_seed_counts_over_the_table_once_all_its_cells_are_there() -> None:
    whole = [with_errors(cell, seed, wide(cell) + seed) for cell in cells("table") for seed in range(2)]
    claim = "5x5 and 3x3 kernels differ"
    for runs, pairs in ((whole, 16), (whole[:-1], 8)):
        (test,) = verdict(runs, claim).tests
        assert (test.pairs, test.difference) == (pairs, pytest.approx(-0.4))
    assert finding(whole[2:], claim) == "not tested"
    assert verdict(whole[2:], claim).because == "Needs at least 1 seed of all sixteen cells of the table; 0 have run."


def test_padding_is_compared_seed_by_seed() -> None:
    runs = [
        with_errors(cell, seed, 90 + seed + (20 + seed % 2 if cell.padding == "valid" else 0))
        for cell in [*cells("paper"), *cells("padding")]
        for seed in range(4)
    ]
    assert finding(runs, "The padding") == "holds"


def test_fours_and_nines_are_counted_both_ways() -> None:
    fours, nines = np.flatnonzero(LABELS == 4), np.flatnonzero(LABELS == 9)
    runs = [
        run(EXPERIMENTS[4], seed, [(i, 9) for i in fours[: 12 + seed]] + [(i, 4) for i in nines[: 2 + seed % 2]])
        for seed in range(4)
    ]
    assert finding(runs, "Fours are read as nines") == "holds"
    assert finding(runs, "Nines are never") == "does not hold"
    assert finding(runs, "No class falls below 98") == "holds"
    assert verdicts.class_scores(runs[0], LABELS)[4].tolist() == pytest.approx([988 / 990, 988 / 1000, 2 * 988 / 1990])


def test_no_class_below_98_breaks_with_one() -> None:
    fours = np.flatnonzero(LABELS == 4)
    runs = [run(EXPERIMENTS[4], seed, [(i, 9) for i in fours[: 16 + 4 * seed]]) for seed in range(3)]
    judged = verdict(runs, "No class falls below 98")
    assert judged.finding == "does not hold"
    assert judged.because.startswith("True of 2 of 3 runs of experiment 4, and of 3 when rounded to two decimals")


def test_mcnemar_looks_at_the_same_images() -> None:
    a = run(EXPERIMENTS[4], 0, [(index, 0) for index in range(1, 9)])
    b = run(EXPERIMENTS[1], 0, [(index, 0) for index in range(11, 19)])
    assert verdicts.single_mcnemar(a, a) == 1.0
    assert verdicts.single_mcnemar(a, b) == 1.0
    assert verdicts.single_mcnemar(a, run(EXPERIMENTS[1], 0, [])) == pytest.approx(2 / 2**8)


def test_wrong_labels_are_left_out_or_corrected() -> None:
    known = dict(LABEL_ERRORS)
    right = run(EXPERIMENTS[4], 0, [])  # answers all labels, the wrong ones too
    assert verdicts.without_label_errors(right) == pytest.approx(
        {"all": 100, "without": 100, "corrected": 100 * (1 - 10 / 9_995)}
    )
    seen = run(EXPERIMENTS[4], 0, [(i, seen) for i, (_, seen) in known.items() if seen is not None])
    told = verdicts.without_label_errors(seen)
    assert told == pytest.approx({"all": 99.9, "without": 100, "corrected": 100})


def test_the_slips_carry_their_numbers() -> None:
    told = dict(verdicts.slips())
    assert "71" in told["64 misclassified images"]
    assert "131,530" in told["393,952 parameters"]
    assert "99.11 to 99.44" in told["The accuracies are compared without intervals"]
