"""Verdicts on the paper's claims from the runs of a study.

    verdicts = judge(read_results(Path("runs/study")), load_mnist().test_labels)
    verdicts[0].claim, verdicts[0].finding        # "Experiment 4 is the best of the four.", "holds"

Networks of the same seed see the same images in the same order. Their accuracies are therefore compared in pairs, seed
by seed, and cell by cell over the table. All tests of a report are one family, corrected by Holm's method, since among
many uncorrected tests some are significant by chance. McNemar's test compares two single networks on the same images;
it does not generalise to other seeds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from digitocr.train.evaluation.metrics import confusion, wilson
from digitocr.train.paper.records import Run, accuracy, answers, class_scores, single_mcnemar
from digitocr.train.paper.statistics import SIGNIFICANCE, PairedTest, holm, paired

PAPER_ACCURACIES = {1: 99.10, 2: 98.75, 3: 99.11, 4: 99.29}  # percent of 10,000 test images, one run each
ENOUGH_STEPS = 2_000  # of training; after fewer, an epoch changes networks by as much as they differ
MIN_SEEDS = 3  # of a verdict: two pairs leave a t test one degree of freedom, and are often equal by chance


@dataclass(frozen=True)
class Verdict:
    """A finding on one claim of the paper.

    Attributes:
        claim: The claim, as a sentence.
        finding: "holds", "does not hold", "not settled", or "not tested" where too few runs are there.
        because: The reason, as a sentence.
        tests: The tests that the finding rests on.
    """

    claim: str
    finding: str
    because: str
    tests: list[PairedTest] = field(default_factory=list)


def caution(results: dict[str, Any]) -> str:
    """A word on a study whose networks were trained too briefly to be judged; empty for a longer one."""
    plan = results["plan"]
    steps = plan["epochs"] * math.ceil(results["data"]["training"] / plan["batch_size"])
    if steps >= ENOUGH_STEPS:
        return ""
    return (
        f"Each network was trained for {steps:,} steps; all of MNIST for ten epochs is 4,300. So short a training "
        "shows how fast a network learns, not how well it reads in the end: what learns slowly, as with dropout, looks "
        "worse than it is. With more images or epochs a verdict may turn round."
    )


def judge(results: dict[str, Any], labels: npt.NDArray[np.integer]) -> list[Verdict]:
    """A verdict on each claim of the paper that a study can test. labels: (N,), of the test images."""
    table = _Table(results["runs"])
    drafts = [
        _best(table),
        _exceed(table),
        _norm_hurts(table),
        _norm_and_dropout(table),
        _factor(table, "pooling", ("average", "max"), "Average and max pooling differ in accuracy."),
        _factor(table, "kernel", (5, 3), "5x5 and 3x3 kernels differ in accuracy."),
        _padding(table),
        _fours(table, labels),
        _never(table, labels),
        _no_class(table, labels),
    ]
    corrected = iter(holm([test.p for draft in drafts for test in draft.tests if test.p is not None]))
    judged = []
    for draft in drafts:
        tests = [test if test.p is None else replace(test, corrected=next(corrected)) for test in draft.tests]
        judged.append(replace(draft, tests=tests))
    return [_settled(verdict) for verdict in judged]


def _settled(verdict: Verdict) -> Verdict:
    """Applies the rule that a draft carries as its `finding` to the directions of its tests.

    The rules: "all positive" and "all negative" (every test must be significant in that direction), "different" (one
    significant test is enough). Any other text is the finding already.
    """
    directions = [test.direction for test in verdict.tests]
    if verdict.finding in ("all positive", "all negative"):
        against = -1 if verdict.finding == "all positive" else 1
        finding = "does not hold" if against in directions else "holds" if all(directions) else "not settled"
    elif verdict.finding == "different":
        finding = "holds" if any(directions) else "not settled"
    else:
        return verdict
    return replace(verdict, finding=finding)


class _Table:
    """The runs of a study, looked up by their network's settings and by seed."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = runs

    def of(self, **wanted: Any) -> dict[int, list[Run]]:
        """By seed, the runs of networks with those settings; padding is "same" unless given."""
        wanted = {"padding": "same", **wanted}
        chosen: dict[int, list[Run]] = {}
        for run in self.runs:
            if all(run["experiment"][name] == value for name, value in wanted.items()):
                chosen.setdefault(run["seed"], []).append(run)
        return chosen

    def paper(self, number: int, **changed: Any) -> dict[int, Run]:
        """By seed, the runs of the paper's experiment, or of one that differs from it in the settings given."""
        rows = {
            1: (2, 3, "max", False, False),
            2: (3, 3, "max", True, False),
            3: (2, 5, "average", False, True),
            4: (3, 3, "average", True, True),
        }
        names = ("conv_layers", "kernel", "pooling", "batch_norm", "dropout")
        settings = {**dict(zip(names, rows[number], strict=True)), **changed}
        return {seed: runs[0] for seed, runs in self.of(**settings).items()}

    def effect(self, name: str, factor: str, values: tuple[Any, Any], **fixed: Any) -> PairedTest | None:
        """Tests the accuracy with the first value of a factor minus that with the second, over the whole table.

        A pair is two networks of one seed that differ in the factor alone. Only seeds with all cells of the table
        count, so that the other factors are balanced; None where there is no such seed. Each run is in one pair. The
        test assumes that pairs of one seed are as independent as pairs of different seeds.
        """
        by_seed: dict[int, dict[tuple[Any, ...], list[float]]] = {}
        for value in values:
            for seed, runs in self.of(conv_layers=3, **fixed, **{factor: value}).items():
                for run in runs:
                    others = tuple(sorted((key, of) for key, of in run["experiment"].items() if key != factor))
                    by_seed.setdefault(seed, {}).setdefault(others, []).append(accuracy(run))
        pairs_of_a_seed = 8 >> len(fixed)  # 16 cells, halved by each fixed setting, two cells a pair
        complete = [[pair for pair in pairs.values() if len(pair) == 2] for pairs in by_seed.values()]
        pairs = [pair for pairs in complete if len(pairs) == pairs_of_a_seed for pair in pairs]
        return paired(name, [a for a, _ in pairs], [b for _, b in pairs]) if pairs else None


def _compare(name: str, a: dict[int, Run], b: dict[int, Run]) -> PairedTest:
    """Tests the accuracy of a minus that of b, over the seeds of a."""
    return paired(name, [accuracy(run) for run in a.values()], [accuracy(b[seed]) for seed in a])


def _shared(*runs_by_seed: dict[int, Run]) -> list[dict[int, Run]]:
    """The same runs, limited to the seeds that all have, in the order of seeds."""
    seeds = sorted(set.intersection(*map(set, runs_by_seed)))
    return [{seed: runs[seed] for seed in seeds} for runs in runs_by_seed]


def _not_tested(claim: str, networks: str, seeds: int) -> Verdict:
    have = "has" if seeds == 1 else "have"
    return Verdict(claim, "not tested", f"Needs at least {MIN_SEEDS} seeds of {networks}; {seeds} {have} run.")


def _best(table: _Table) -> Verdict:
    claim = "Experiment 4 is the best of the four."
    four, *others = _shared(*(table.paper(number) for number in (4, 1, 2, 3)))
    if len(four) < MIN_SEEDS:
        return _not_tested(claim, "all four experiments", len(four))
    tests, single = [], []
    for number, other in enumerate(others, start=1):
        tests.append(_compare(f"experiment 4 minus experiment {number}", four, other))
        significant = sum(single_mcnemar(four[seed], other[seed]) < SIGNIFICANCE for seed in four)
        single.append(f"{significant} of {len(four)} against experiment {number}")
    because = (
        f"Single networks of the same seed differ significantly by McNemar's test (p < {SIGNIFICANCE}, uncorrected) "
        f"in {', '.join(single)}."
    )
    return Verdict(claim, "all positive", because, tests)


def _exceed(table: _Table) -> Verdict:
    claim = "All four networks exceed 98 %."
    by_number = [list(table.paper(number).values()) for number in PAPER_ACCURACIES]
    seeds = min(map(len, by_number))
    if seeds < MIN_SEEDS:
        return _not_tested(claim, "all four experiments", seeds)
    runs = [run for of_one in by_number for run in of_one]
    lowest = min(runs, key=accuracy)
    return Verdict(
        claim,
        "holds" if accuracy(lowest) > 98 else "does not hold",
        f"The lowest of {len(runs)} runs reaches {accuracy(lowest):.2f} %.",
    )


def _norm_hurts(table: _Table) -> Verdict:
    claim = "Batch norm without dropout results in worse performance (the paper's reading of experiment 2)."
    two, without = _shared(table.paper(2), table.paper(2, batch_norm=False))
    if len(two) < MIN_SEEDS:
        return _not_tested(claim, "experiment 2 and of the same without batch norm", len(two))
    tests = [_compare("experiment 2 minus the same without batch norm", two, without)]
    over_table = table.effect("batch norm, without dropout, over the table", "batch_norm", (True, False), dropout=False)
    tests += [over_table] if over_table else []
    because = "The paper compares experiment 2 with networks that differ in more than batch norm."
    return Verdict(claim, "all negative", because, tests)


def _norm_and_dropout(table: _Table) -> Verdict:
    claim = "Dropout alongside batch norm enhances performance."
    four, without = _shared(table.paper(4), table.paper(4, dropout=False))
    if len(four) < MIN_SEEDS:
        return _not_tested(claim, "experiment 4 and of the same without dropout", len(four))
    tests = [_compare("experiment 4 minus the same without dropout", four, without)]
    over_table = table.effect("dropout, with batch norm, over the table", "dropout", (True, False), batch_norm=True)
    tests += [over_table] if over_table else []
    return Verdict(claim, "all positive", "The networks compared differ in dropout alone.", tests)


def _factor(table: _Table, factor: str, values: tuple[Any, Any], claim: str) -> Verdict:
    test = table.effect(f"{values[0]} minus {values[1]}, over the table", factor, values)
    if test is None:
        return Verdict(claim, "not tested", "Needs at least 1 seed of all sixteen cells of the table; 0 have run.")
    return Verdict(claim, "different", "The networks of each pair differ in this alone.", [test])


def _padding(table: _Table) -> Verdict:
    claim = "The padding that the paper does not give for experiments 1 to 3 changes their accuracy."
    tests = []
    for number in (1, 2, 3):
        same, valid = _shared(table.paper(number), table.paper(number, padding="valid"))
        if len(same) < MIN_SEEDS:
            return _not_tested(claim, "experiments 1 to 3 with both paddings", len(same))
        tests.append(_compare(f"experiment {number}: same minus valid", same, valid))
    because = "This study uses valid padding in the first convolution and same in the others."
    return Verdict(claim, "different", because, tests)


def _crossed(table: _Table, labels: npt.NDArray[np.integer]) -> list[tuple[int, int]]:
    """For each run of experiment 4, the fours read as nines and the nines read as fours."""
    counts = []
    for _, run in sorted(table.paper(4).items()):
        table_of = confusion(labels, answers(run, labels))
        counts.append((int(table_of[4, 9]), int(table_of[9, 4])))
    return counts


def _fours(table: _Table, labels: npt.NDArray[np.integer]) -> Verdict:
    claim = "Fours are read as nines more often than nines as fours."
    counts = _crossed(table, labels)
    if len(counts) < MIN_SEEDS:
        return _not_tested(claim, "experiment 4", len(counts))
    fours, nines = zip(*counts, strict=True)
    test = paired("fours read as nines minus nines read as fours", fours, nines, "images")
    because = (
        f"In {len(counts)} runs of experiment 4, on average {np.mean(fours):.1f} fours are read as nines and "
        f"{np.mean(nines):.1f} nines as fours."
    )
    return Verdict(claim, "all positive", because, [test])


def _never(table: _Table, labels: npt.NDArray[np.integer]) -> Verdict:
    claim = "Nines are never read as fours."
    counts = _crossed(table, labels)
    if len(counts) < MIN_SEEDS:
        return _not_tested(claim, "experiment 4", len(counts))
    without = sum(nines == 0 for _, nines in counts)
    fewest = min(nines for _, nines in counts)
    return Verdict(
        claim,
        "holds" if without == len(counts) else "does not hold",
        f"True of {without} of {len(counts)} runs of experiment 4; the fewest in any run is {fewest}.",
    )


def _no_class(table: _Table, labels: npt.NDArray[np.integer]) -> Verdict:
    claim = "No class falls below 98 % in precision, recall or F1."
    lowest = [float(class_scores(run, labels).min()) for _, run in sorted(table.paper(4).items())]
    if len(lowest) < MIN_SEEDS:
        return _not_tested(claim, "experiment 4", len(lowest))
    exact, rounded = sum(value >= 0.98 for value in lowest), sum(round(value, 2) >= 0.98 for value in lowest)
    return Verdict(
        claim,
        "holds" if exact == len(lowest) else "does not hold",
        f"True of {exact} of {len(lowest)} runs of experiment 4, and of {rounded} when rounded to two decimals, as the "
        f"paper prints them; the lowest value is {100 * min(lowest):.2f} %.",
    )


def slips() -> list[tuple[str, str]]:
    """Where the paper contradicts itself or the data: pairs of its statement and the facts."""
    low, high = (100 * value for value in wilson(9929, 10_000))
    other_low, other_high = (100 * value for value in wilson(9875, 10_000))
    return [
        ("64 misclassified images", "99.29 % of 10,000 images leaves 71 errors; 64 errors would be 99.36 %."),
        (
            "17 errors are nines classified as four",
            "The text also says that fours are over-classified as nines and nines never as fours, and its "
            "classification report agrees (recall of 4 and precision of 9 at 0.98): the 17 are fours read as nines.",
        ),
        (
            "393,952 parameters",
            "The network has 131,530 weights, 131,210 of them trainable; the other 262,422 variables are Adam's state.",
        ),
        (
            "The accuracies are compared without intervals",
            f"Each is a single run. The 95 % interval of a network with 9,929 of 10,000 images right is {low:.2f} to "
            f"{high:.2f} %, and the intervals of experiments 1 and 3 overlap it. That of experiment 2, "
            f"{other_low:.2f} to {other_high:.2f} %, does not, but it does not cover other runs of the same network.",
        ),
        ("Epochs, batch size, padding of experiments 1 to 3", "The paper does not give them."),
        (
            "The digits were written by employees of the Census Bureau",
            "Half of MNIST's digits were written by high-school students.",
        ),
    ]
