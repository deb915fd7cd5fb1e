"""The Pareto front of a search: the trials that no other trial beats, and those that cannot reach it.

front(read_results(Path("runs/search"))["trials"])[0]["bytes"]        # the smallest file on the front
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MIN_BETTER_TRIALS = 3  # that make a trial hopeless; a single one may be luck
Trial = Mapping[str, Any]  # a trial of search.read_results


def front(trials: Sequence[Trial], *costs: str) -> list[Any]:
    """The Pareto front of the complete trials in accuracy and costs, the smallest file first.

    costs: keys of a trial; by default bytes and multiply_accumulates.
    """
    complete = [trial for trial in trials if trial["state"] == "complete"]
    names = costs or ("bytes", "multiply_accumulates")
    kept = pareto([(-trial["accuracy"], *(trial[name] for name in names)) for trial in complete])
    return sorted((complete[index] for index in kept), key=lambda trial: (trial["bytes"], trial["accuracy"]))


def pareto(points: Sequence[tuple[float, ...]]) -> list[int]:
    """The indices of the points that no other point dominates.

    A point dominates another if it is at most as large in every coordinate, and smaller in one.
    """
    array = np.array(points, float)
    dominated = [bool(((array <= point).all(axis=1) & (array < point).any(axis=1)).any()) for point in array]
    return [index for index, beaten in enumerate(dominated) if not beaten]


def hopeless(trials: Sequence[Trial], accuracies: Sequence[float], weights: int, multiply_accumulates: int) -> bool:
    """Whether a network in training cannot be expected to reach the front.

    True where MIN_BETTER_TRIALS complete trials that need no more weights and no more multiply-accumulates were more
    accurate on the held-out images after the same number of epochs.

    Args:
        trials: The trials of the search.
        accuracies: Held-out accuracies of the network after each epoch so far; at least one.
        weights: The number of its weights.
        multiply_accumulates: The number of its multiply-accumulates for one digit.
    """
    better = 0
    for trial in trials:
        if trial["state"] != "complete":
            continue
        cheaper = trial["weights"] <= weights and trial["multiply_accumulates"] <= multiply_accumulates
        better += cheaper and trial["history"][len(accuracies) - 1] > accuracies[-1]
    return better >= MIN_BETTER_TRIALS
