"""Arrays of boxes: how much two overlap, and the best of those that overlap."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Boxes: TypeAlias = npt.NDArray[np.float32]  # (n, 4): x, y, width, height in pixels
Scores: TypeAlias = npt.NDArray[np.float32]  # (n,), 0 to 1

NARROW = 0.25  # of a box's longer side
MAX_FOUND = 4_000  # more than a page of small print has; what is more is texture, not writing


def non_maximum_suppression(boxes: Boxes, scores: Scores) -> tuple[Boxes, Scores]:
    """The best of those that are one digit, best first: a box gives way to a better one that it overlaps by much.

    A thin box counts as NARROW wide: two ones do not stand closer than that.
    """
    order = np.argsort(-scores, kind="stable")
    boxes, scores = boxes[order], scores[order]
    middle, sides = (
        boxes[:, :2] + boxes[:, 2:] / 2,
        np.maximum(boxes[:, 2:], NARROW * boxes[:, 2:].max(1, keepdims=True)),
    )
    (left, top), (right, bottom) = (middle - sides / 2).T, (middle + sides / 2).T
    area = sides.prod(1)
    alive = np.ones(len(boxes), np.bool_)
    kept = []
    for best in range(len(boxes)):
        if not alive[best]:
            continue
        kept.append(best)
        if len(kept) == MAX_FOUND:
            break
        across = np.minimum(right, right[best]) - np.maximum(left, left[best])
        down = np.minimum(bottom, bottom[best]) - np.maximum(top, top[best])
        shared = np.maximum(across, 0) * np.maximum(down, 0)
        alive &= (shared < 0.35 * (area + area[best] - shared)) & (shared < 0.6 * np.minimum(area, area[best]))
    return boxes[kept], scores[kept]
