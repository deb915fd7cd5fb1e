from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from digitocr.train.classifier.network import EXPERIMENTS, Experiment
from digitocr.train.paper import verdicts
from digitocr.train.paper.statistics import holm
from digitocr.train.paper.study import cells
from digitocr.train.paper.verdicts import MIN_SEEDS, Verdict, caution, judge

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


def test_no_class_below_98_breaks_with_one() -> None:
    fours = np.flatnonzero(LABELS == 4)
    runs = [run(EXPERIMENTS[4], seed, [(i, 9) for i in fours[: 16 + 4 * seed]]) for seed in range(3)]
    judged = verdict(runs, "No class falls below 98")
    assert judged.finding == "does not hold"
    assert judged.because.startswith("True of 2 of 3 runs of experiment 4, and of 3 when rounded to two decimals")


@pytest.mark.parametrize(
    ("training", "epochs", "steps"), [(55_000, 10, ""), (55_000, 4, "1,720"), (1_834, 3, "45"), (256_000, 1, "")]
)
def test_a_study_of_few_steps_says_that_it_misleads(training: int, epochs: int, steps: str) -> None:
    word = caution({"plan": {"epochs": epochs, "batch_size": 128}, "data": {"training": training}})
    assert bool(word) == bool(steps)
    assert not steps or f"for {steps} steps; all of MNIST for ten epochs is 4,300" in word


def test_the_slips_carry_their_numbers() -> None:
    told = dict(verdicts.slips())
    assert "71" in told["64 misclassified images"]
    assert "131,530" in told["393,952 parameters"]
    assert "99.11 to 99.44" in told["The accuracies are compared without intervals"]
