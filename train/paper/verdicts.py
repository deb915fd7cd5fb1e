"""What the runs of a study say of each claim of the paper: paired tests over seeds, effect sizes, Holm's correction.

    verdicts = judge(read_results(Path("runs/study")))
    verdicts[0].claim, verdicts[0].finding        # "Experiment 4 is the best of the four.", "holds"

Networks of the same seed saw the same images in the same order, so their accuracies are compared in pairs, seed by
seed, with Student's paired t test; over the table, cell by cell as well. The effect size is Cohen's d of paired
differences: their mean over their standard deviation. All tests of a report are one family, corrected after S. Holm,
"A Simple Sequentially Rejective Multiple Test Procedure" (1979): with ten tests, one in twenty would not do. McNemar's
test compares two single networks on the same images instead, and says nothing of other seeds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from digitocr.runtime.errors import MissingExtraError
from digitocr.train.evaluation.label_errors import LABEL_ERRORS
from digitocr.train.evaluation.metrics import confusion, mcnemar, wilson

try:
    from scipy import stats
except ImportError as error:
    raise MissingExtraError("train", "a report") from error

PAPER = {1: 99.10, 2: 98.75, 3: 99.11, 4: 99.29}  # percent of 10,000 test images, one run each
LEVEL = 0.05
Run = dict[str, Any]


@dataclass(frozen=True)
class Test:
    """Two things compared in pairs. difference, low, high: their mean difference with its 95 % interval, in points
    unless `unit` says otherwise; effect: Cohen's d, None where the pairs do not vary; p: uncorrected; holm: corrected.
    """

    __test__ = False  # pytest takes it for one of its own

    name: str
    pairs: int
    difference: float
    low: float
    high: float
    effect: float | None
    p: float
    holm: float = math.nan
    unit: str = "points"

    @property
    def direction(self) -> int:
        """1 or -1 where the difference is not chance, else 0."""
        return 0 if not self.holm < LEVEL else int(math.copysign(1, self.difference))


@dataclass(frozen=True)
class Verdict:
    """A claim of the paper. finding: holds, does not hold, not settled, or not run; because: why, in a sentence."""

    claim: str
    finding: str
    because: str
    tests: list[Test] = field(default_factory=list)


def errors(run: Run) -> int:
    return len(run["test"]["errors"])


def accuracy(run: Run) -> float:
    """Percent of the test images."""
    return 100 * (1 - errors(run) / int(run["test"]["images"]))


def answers(run: Run, labels: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """(N,): what a run's network answered of the (N,) test labels."""
    given = labels.astype(np.int64)
    for index, answer in run["test"]["errors"]:
        given[index] = answer
    return given


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean and its 95 % interval by Student's t; the interval of one value is unknown: nan."""
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return mean, math.nan, math.nan
    half = stats.t.ppf(0.975, count - 1) * float(np.std(values, ddof=1)) / math.sqrt(count)
    return mean, mean - half, mean + half


def next_run(values: Sequence[float]) -> tuple[float, float]:
    """Where one further run falls with 95 % probability, if runs vary as a normal distribution; nan of one value."""
    count = len(values)
    if count < 2:
        return math.nan, math.nan
    half = stats.t.ppf(0.975, count - 1) * float(np.std(values, ddof=1)) * math.sqrt(1 + 1 / count)
    return float(np.mean(values)) - half, float(np.mean(values)) + half


def paired(name: str, a: Sequence[float], b: Sequence[float], unit: str = "points") -> Test:
    """Values of a minus values of b, pair by pair. Raises ValueError for less than two pairs."""
    if len(a) != len(b) or len(a) < 2:
        raise ValueError(f"{len(a)} and {len(b)} values; paired tests need as many of each, and two")
    differences = np.subtract(a, b)
    mean, low, high = interval(differences.tolist())
    deviation = float(np.std(differences, ddof=1))
    if deviation < 1e-9:  # the same difference in every pair: nothing for a t test to divide by
        return Test(name, len(a), mean, mean, mean, None, 1.0 if abs(mean) < 1e-9 else 0.0, unit=unit)
    return Test(name, len(a), mean, low, high, mean / deviation, float(stats.ttest_rel(a, b).pvalue), unit=unit)


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p, corrected for there being several of them."""
    corrected, largest = [math.nan] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        largest = max(largest, (len(p_values) - place) * p_values[index])
        corrected[index] = min(1.0, largest)
    return corrected


def judge(results: dict[str, Any], labels: npt.NDArray[np.integer]) -> list[Verdict]:
    """A verdict for each claim of the paper that a study can settle. labels: (N,), of the test images."""
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
    corrected = iter(holm([test.p for draft in drafts for test in draft.tests]))
    judged = []
    for draft in drafts:
        tests = [replace(test, holm=next(corrected)) for test in draft.tests]
        judged.append(replace(draft, tests=tests))
    return [_settled(verdict) for verdict in judged]


def _settled(verdict: Verdict) -> Verdict:
    """The finding of a draft, whose `finding` names the rule: of its tests' directions, or already the finding."""
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
    """Accuracies of cells by seed."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = runs

    def of(self, **wanted: Any) -> dict[int, list[Run]]:
        """Runs, by seed, of the cells that have those values; padding is `same` unless asked for."""
        wanted = {"padding": "same", **wanted}
        found: dict[int, list[Run]] = {}
        for run in self.runs:
            if all(run["experiment"][name] == value for name, value in wanted.items()):
                found.setdefault(run["seed"], []).append(run)
        return found

    def paper(self, number: int, **changed: Any) -> dict[int, Run]:
        """Runs, by seed, of the paper's experiment, or of one that differs from it in the values given."""
        rows = {
            1: (2, 3, "max", False, False),
            2: (3, 3, "max", True, False),
            3: (2, 5, "average", False, True),
            4: (3, 3, "average", True, True),
        }
        names = ("conv_layers", "kernel", "pooling", "batch_norm", "dropout")
        spec = {**dict(zip(names, rows[number], strict=True)), **changed}
        return {seed: runs[0] for seed, runs in self.of(**spec).items()}

    def compare(self, name: str, a: dict[int, Run], b: dict[int, Run]) -> Test | None:
        """Over the seeds that both have; None where those are less than two."""
        seeds = sorted(set(a) & set(b))
        if len(seeds) < 2:
            return None
        return paired(name, [accuracy(a[seed]) for seed in seeds], [accuracy(b[seed]) for seed in seeds])

    def effect(self, name: str, factor: str, values: tuple[Any, Any], **fixed: Any) -> Test | None:
        """Accuracy with the first value of a factor minus accuracy with the second, over the table's runs that differ
        in it alone: same seed, same other values. None where there is no seed with all of these cells; only such seeds
        count, so that the rest is balanced. Each run is in one pair; that pairs of a seed share the order of images
        is taken to tie them together no more than other seeds' pairs.
        """
        found: dict[int, dict[tuple[Any, ...], list[float]]] = {}
        for value in values:
            for seed, runs in self.of(conv_layers=3, **fixed, **{factor: value}).items():
                for run in runs:
                    rest = tuple(sorted((key, of) for key, of in run["experiment"].items() if key != factor))
                    found.setdefault(seed, {}).setdefault(rest, []).append(accuracy(run))
        count = 8 >> len(fixed)  # pairs of a whole seed
        whole = [[pair for pair in pairs.values() if len(pair) == 2] for pairs in found.values()]
        pairs = [pair for pairs in whole if len(pairs) == count for pair in pairs]
        return paired(name, [a for a, _ in pairs], [b for _, b in pairs]) if pairs else None


def _missing(claim: str, what: str) -> Verdict:
    return Verdict(claim, "not run", f"It takes two seeds or more of {what}.")


def _best(table: _Table) -> Verdict:
    claim = "Experiment 4 is the best of the four."
    four = table.paper(4)
    tests, single = [], []
    for number in (1, 2, 3):
        other = table.paper(number)
        test = table.compare(f"experiment 4 minus experiment {number}", four, other)
        if test is None:
            return _missing(claim, "all four experiments")
        tests.append(test)
        seeds = sorted(set(four) & set(other))
        surer = sum(single_mcnemar(four[seed], other[seed]) < LEVEL for seed in seeds)
        single.append(f"{surer} of {len(seeds)} against experiment {number}")
    because = (
        f"Single networks of the same seed differ by McNemar's test (p < {LEVEL}, uncorrected) in {', '.join(single)}."
    )
    return Verdict(claim, "all positive", because, tests)


def single_mcnemar(a: Run, b: Run) -> float:
    """McNemar's p of two single networks on the same test images."""
    wrong = [np.zeros(run["test"]["images"], bool) for run in (a, b)]
    for mask, run in zip(wrong, (a, b), strict=True):
        mask[[index for index, _ in run["test"]["errors"]]] = True
    return mcnemar(~wrong[0], ~wrong[1])


def _exceed(table: _Table) -> Verdict:
    claim = "All four networks exceed 98 %."
    by_number = [list(table.paper(number).values()) for number in PAPER]
    if min(map(len, by_number)) < 2:
        return _missing(claim, "all four experiments")
    runs = [run for some in by_number for run in some]
    least = min(runs, key=accuracy)
    return Verdict(
        claim,
        "holds" if accuracy(least) > 98 else "does not hold",
        f"The lowest of {len(runs)} runs reaches {accuracy(least):.2f} %.",
    )


def _norm_hurts(table: _Table) -> Verdict:
    claim = "Batch norm without dropout results in worse performance (the paper's reading of experiment 2)."
    exact = table.compare(
        "experiment 2 minus the same without batch norm", table.paper(2), table.paper(2, batch_norm=False)
    )
    if exact is None:
        return _missing(claim, "experiment 2 and of the same without batch norm")
    tests = [exact]
    wide = table.effect("batch norm, without dropout, over the table", "batch_norm", (True, False), dropout=False)
    tests += [wide] if wide else []
    return Verdict(claim, "all negative", "The paper compares experiment 2 with networks that differ in more.", tests)


def _norm_and_dropout(table: _Table) -> Verdict:
    claim = "Dropout alongside batch norm enhances performance."
    exact = table.compare("experiment 4 minus the same without dropout", table.paper(4), table.paper(4, dropout=False))
    if exact is None:
        return _missing(claim, "experiment 4 and of the same without dropout")
    tests = [exact]
    wide = table.effect("dropout, with batch norm, over the table", "dropout", (True, False), batch_norm=True)
    tests += [wide] if wide else []
    return Verdict(claim, "all positive", "Networks are compared that differ in dropout alone.", tests)


def _factor(table: _Table, factor: str, values: tuple[Any, Any], claim: str) -> Verdict:
    test = table.effect(f"{values[0]} minus {values[1]}, over the table", factor, values)
    if test is None:
        return Verdict(claim, "not run", "It takes a seed of all sixteen cells of the table.")
    return Verdict(claim, "different", "Over pairs of the table's networks that differ in this alone.", [test])


def _padding(table: _Table) -> Verdict:
    claim = "The padding that the paper does not give for experiments 1 to 3 changes their accuracy."
    tests = []
    for number in (1, 2, 3):
        test = table.compare(
            f"experiment {number}: same minus valid", table.paper(number), table.paper(number, padding="valid")
        )
        if test is None:
            return _missing(claim, "experiments 1 to 3 with both paddings")
        tests.append(test)
    return Verdict(claim, "different", "Taken here: valid in the first convolution, same in the others.", tests)


def _crossed(table: _Table, labels: npt.NDArray[np.integer]) -> list[tuple[int, int]]:
    """Of each run of experiment 4: fours answered nine, nines answered four."""
    counts = []
    for _, run in sorted(table.paper(4).items()):
        table_of = confusion(labels, answers(run, labels))
        counts.append((int(table_of[4, 9]), int(table_of[9, 4])))
    return counts


def _fours(table: _Table, labels: npt.NDArray[np.integer]) -> Verdict:
    claim = "Fours are read as nines more often than nines as fours."
    counts = _crossed(table, labels)
    if len(counts) < 2:
        return _missing(claim, "experiment 4")
    fours, nines = zip(*counts, strict=True)
    test = paired("fours read as nines minus nines read as fours", fours, nines, "images")
    because = f"In {len(counts)} runs of experiment 4, {np.mean(fours):.1f} against {np.mean(nines):.1f} images a run."
    return Verdict(claim, "all positive", because, [test])


def _never(table: _Table, labels: npt.NDArray[np.integer]) -> Verdict:
    claim = "Nines are never read as fours."
    counts = _crossed(table, labels)
    if len(counts) < 2:
        return _missing(claim, "experiment 4")
    clean = sum(nines == 0 for _, nines in counts)
    least = min(nines for _, nines in counts)
    return Verdict(
        claim,
        "holds" if clean == len(counts) else "does not hold",
        f"So it is in {clean} of {len(counts)} runs of experiment 4; the least is {least}.",
    )


def class_scores(run: Run, labels: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """(10, 3): precision, recall and F1 of each class."""
    table = confusion(labels, answers(run, labels))
    hits, occurring, answered = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    with np.errstate(invalid="ignore"):
        scores = np.stack([hits / answered, hits / occurring, 2 * hits / (occurring + answered)], axis=1)
    return np.asarray(np.nan_to_num(scores), np.float64)


def _no_class(table: _Table, labels: npt.NDArray[np.integer]) -> Verdict:
    claim = "No class falls below 98 % in precision, recall or F1."
    least = [float(class_scores(run, labels).min()) for _, run in sorted(table.paper(4).items())]
    if len(least) < 2:
        return _missing(claim, "experiment 4")
    kept, rounded = sum(value >= 0.98 for value in least), sum(round(value, 2) >= 0.98 for value in least)
    return Verdict(
        claim,
        "holds" if kept == len(least) else "does not hold",
        f"So it is in {kept} of {len(least)} runs of experiment 4, and in {rounded} at two decimals, as the paper has "
        f"it; the lowest value is {100 * min(least):.2f} %.",
    )


def without_label_errors(run: Run) -> dict[str, float]:
    """Percent right: `all` as published, `without` the images of LABEL_ERRORS, `corrected` with the labels that were
    agreed on and without the rest of them.
    """
    wrong, total = dict(map(tuple, run["test"]["errors"])), run["test"]["images"]
    known = {index: pair for index, pair in LABEL_ERRORS.items() if index < total}
    left = sum(index not in known for index in wrong)
    agreed = {index: (label, seen) for index, (label, seen) in known.items() if seen is not None}
    still = sum(wrong.get(index, label) != seen for index, (label, seen) in agreed.items())
    rest = total - len(known)
    return {
        "all": 100 * (1 - len(wrong) / total),
        "without": 100 * (1 - left / rest),
        "corrected": 100 * (1 - (left + still) / (rest + len(agreed))),
    }


def slips() -> list[tuple[str, str]]:
    """Where the paper disagrees with itself or with the data: what it says, and what is the case."""
    low, high = (100 * value for value in wilson(9929, 10_000))
    other_low, other_high = (100 * value for value in wilson(9875, 10_000))
    return [
        ("64 misclassified images", "99.29 % of 10,000 leaves 71; 64 would be 99.36 %."),
        (
            "17 errors are nines classified as four",
            "The text says as well that fours are over-classified as nines and nines never as fours, and its "
            "classification report (recall of 4 and precision of 9 at 0.98) agrees with that: the 17 are fours read as "
            "nines.",
        ),
        (
            "393,952 parameters",
            "The network has 131,530 weights, of which 131,210 are trained; 262,422 variables are Adam's.",
        ),
        (
            "The accuracies are compared as they are",
            f"Each is one run. Of one network that answers 9,929 of 10,000 images, the 95 % interval is {low:.2f} to "
            f"{high:.2f} %, and those of experiments 1 and 3 overlap with it. That of experiment 2, "
            f"{other_low:.2f} to {other_high:.2f} %, lies apart, but says nothing of another run of the same network.",
        ),
        ("Epochs, batch size, padding of experiments 1 to 3", "The paper does not give them."),
        (
            "The digits were written by employees of the Census Bureau",
            "Half of MNIST's digits were written by high-school students.",
        ),
    ]
