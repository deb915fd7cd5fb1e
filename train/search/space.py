"""The space of a search: the settings of a network and of its training, and the values of each.

plan = SearchPlan(space="paper", sampler="grid", epochs=6)
grid("paper")[0]        # {"conv_layers": 3, "kernel": 5, "stride": 1, ...}
"""

import itertools
import random
from dataclasses import dataclass
from typing import Any

from digitocr.runtime.errors import UsageError

SPACES: dict[str, dict[str, tuple[Any, ...]]] = {
    # the settings that the paper varies, and the sizes that it keeps fixed
    "paper": {
        "conv_layers": (1, 2, 3),
        "kernel": (3, 5),
        "stride": (1, 2),
        "pooling": ("max", "average"),
        "batch_norm": (False, True),
        "dropout": (False, True),
        "filters": (4, 8, 12, 16, 24, 32),
        "dense": (16, 32, 64, 128),
    },
    # how a network is trained
    "recipe": {
        "learning_rate": (0.0005, 0.001, 0.002, 0.004),
        "schedule": ("constant", "cosine"),
        "batch_size": (64, 128, 256),
        "weight_decay": (0.0, 0.0001, 0.001, 0.01),
        "label_smoothing": (0.0, 0.05, 0.1),
        "averaging": (False, True),
        "augmentation": ("none", "affine", "elastic"),
        "cutout": (0, 6, 10),
    },
}
SPACES["all"] = SPACES["paper"] | SPACES["recipe"]


@dataclass(frozen=True)
class SearchPlan:
    """The settings that all trials of a search share. Raises UsageError for a value that is not allowed.

    Attributes:
        space: A key of SPACES; settings outside it have the values of the paper's experiment 4.
        sampler: "tpe" (Bayesian) or "grid" (every point of the space).
        epochs: Epochs of each trial that is not pruned.
    """

    space: str = "all"
    sampler: str = "tpe"
    epochs: int = 6

    def __post_init__(self) -> None:
        for name, good, rule in (
            ("space", self.space in SPACES, f"one of {', '.join(SPACES)}"),
            ("sampler", self.sampler in ("tpe", "grid"), "tpe or grid"),
            ("epochs", self.epochs >= 1, "1 or more"),
        ):
            if not good:
                raise UsageError(f"{name} is {getattr(self, name)}; it must be {rule}")


def grid(name: str) -> list[dict[str, Any]]:
    """Every point of a space, in a random order that is always the same, so that any first part is a fair sample."""
    space = SPACES[name]
    points = [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]
    random.Random(0).shuffle(points)
    return points
