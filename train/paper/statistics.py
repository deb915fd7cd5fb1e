"""The statistics of a study: intervals, Student's paired t test with Cohen's d, Holm's correction.

    test = paired("experiment 4 minus experiment 1", [99.3, 99.2, 99.4], [99.1, 99.1, 99.0])
    test.difference, test.p

Sources: S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure" (1979); J. Cohen, "Statistical Power
Analysis for the Behavioral Sciences" (1988).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digitocr.runtime.errors import MissingExtraError

try:
    from scipy import stats
except ImportError as error:
    raise MissingExtraError("train", "a report") from error

SIGNIFICANCE = 0.05  # a corrected p below it is significant
NO_VARIATION = 1e-9  # standard deviation, in points, below which pairs differ by rounding alone


@dataclass(frozen=True)
class PairedTest:
    """Two conditions compared in pairs.

    Attributes:
        name: What is compared, "a minus b".
        pairs: The number of pairs.
        difference: The mean difference, in `unit`.
        low: The lower end of its 95 % interval; nan where the differences do not vary.
        high: The upper end of its 95 % interval; nan where the differences do not vary.
        effect: Cohen's d; None where the differences do not vary.
        p: Two-sided, uncorrected; None where the differences do not vary, since a t test has nothing to divide by.
        corrected: P after Holm's correction; None where there is no p.
        unit: Unit of the difference: points of accuracy, or images.
    """

    name: str
    pairs: int
    difference: float
    low: float
    high: float
    effect: float | None
    p: float | None
    corrected: float | None = None
    unit: str = "points"

    @property
    def direction(self) -> int:
        """The sign of a significant difference, 1 or -1; 0 where it is not significant."""
        if self.corrected is None or self.corrected >= SIGNIFICANCE:
            return 0
        return int(math.copysign(1, self.difference))


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean and the ends of its 95 % interval by Student's t; the ends are nan for a single value."""
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return mean, math.nan, math.nan
    half = stats.t.ppf(0.975, count - 1) * float(np.std(values, ddof=1)) / math.sqrt(count)
    return mean, mean - half, mean + half


def next_run(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % prediction interval of one further run, if runs are normally distributed; nan for a single value."""
    count = len(values)
    if count < 2:
        return math.nan, math.nan
    half = stats.t.ppf(0.975, count - 1) * float(np.std(values, ddof=1)) * math.sqrt(1 + 1 / count)
    return float(np.mean(values)) - half, float(np.mean(values)) + half


def paired(name: str, a: Sequence[float], b: Sequence[float], unit: str = "points") -> PairedTest:
    """Tests the values of a minus the values of b, pair by pair.

    Where all differences are equal there is no t test, and p, effect and interval are left out: accuracies come in
    steps of 0.01 points, so a few equal differences are likely by chance. Raises ValueError for less than two pairs.
    """
    if len(a) != len(b) or len(a) < 2:
        raise ValueError(f"{len(a)} and {len(b)} values; a paired test needs equally many of both, two at least")
    differences = np.subtract(a, b)
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    if deviation < NO_VARIATION:
        return PairedTest(name, len(a), mean, math.nan, math.nan, None, None, unit=unit)
    result = stats.ttest_rel(a, b)
    low, high = map(float, result.confidence_interval())
    return PairedTest(name, len(a), mean, low, high, mean / deviation, float(result.pvalue), unit=unit)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values of one family of tests, in their order, corrected by Holm's method."""
    corrected, largest = [math.nan] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        largest = max(largest, (len(p_values) - place) * p_values[index])
        corrected[index] = min(1.0, largest)
    return corrected
