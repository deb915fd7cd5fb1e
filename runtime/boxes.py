"""Arrays of boxes: overlap, scaling, non-maximum suppression, and which boxes are near each other.

Nothing here makes an array of (n, n) for n boxes of one picture: memory grows linearly with n.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Boxes: TypeAlias = npt.NDArray[np.float32]  # (n, 4): x, y, width, height in pixels
Scores: TypeAlias = npt.NDArray[np.float32]  # (n,), 0 to 1
Rows: TypeAlias = npt.NDArray[np.int64]  # (n,): rows of an array of boxes

MAX_DETECTIONS = 4_000  # a page of small print has fewer; more than that is texture
MIN_ASPECT = 0.25  # of a box's longer side; thin boxes count as that wide, since two ones do not stand closer
MAX_IOU = 0.35  # of two digits that stand beside each other
MAX_SHARE_OF_SMALLER = 0.6  # of the smaller box; more of it inside another box means that it is a part
FIRST_BLOCK = 32  # boxes that suppression compares with each other in its first round; doubled from round to round
LARGEST_BLOCK = 256  # boxes that suppression compares with each other at once, at most
MAX_PAIRS = 250_000  # pairs of boxes that are held in memory at once
FEW_PAIRS = 3_000  # up to this number all pairs are taken, which is faster than looking up the near ones
FEW_OVERLAPS = 64_000  # up to this number all overlaps are computed, for the same reason


def iou(boxes: npt.NDArray[Any], others: npt.NDArray[Any]) -> npt.NDArray[np.floating[Any]]:
    """Intersection over union of each of (n, 4) boxes with each of (m, 4): (n, m), 0 to 1."""
    shared, areas, other_areas = _intersections(boxes, others)
    return np.asarray(shared / np.maximum(areas[:, None] + other_areas - shared, 1e-6))


def share_of_smaller(boxes: npt.NDArray[Any], others: npt.NDArray[Any]) -> npt.NDArray[np.floating[Any]]:
    """Intersection over the area of the smaller box, of each of (n, 4) boxes with each of (m, 4): (n, m), 0 to 1."""
    shared, areas, other_areas = _intersections(boxes, others)
    return np.asarray(shared / np.maximum(np.minimum(areas[:, None], other_areas), 1e-6))


def _intersections(
    boxes: npt.NDArray[Any], others: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.floating[Any]], npt.NDArray[np.floating[Any]], npt.NDArray[np.floating[Any]]]:
    """(n, m) areas that two boxes share, and the (n,) and (m,) areas of the boxes."""
    kind = np.result_type(boxes, others, np.float32)
    boxes, others = boxes.astype(kind, copy=False), others.astype(kind, copy=False)
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, :2] + boxes[:, None, 2:], others[None, :, :2] + others[None, :, 2:])
    return np.clip(high - low, 0, None).prod(2), boxes[:, 2:].prod(1), others[:, 2:].prod(1)


def scaled(boxes: Boxes, factor: float) -> Boxes:
    """The (n, 4) boxes, each `factor` times as wide and as high about its centre."""
    centres, sides = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]
    return np.concatenate([centres - factor * sides / 2, factor * sides], 1)


def non_maximum_suppression(boxes: Boxes, scores: Scores) -> tuple[Boxes, Scores]:
    """The best of the boxes that lie on one digit, best first, at most MAX_DETECTIONS.

    Greedy: a box is dropped if it overlaps a kept box of a higher score by MAX_IOU or more, or if one of the two lies
    by MAX_SHARE_OF_SMALLER or more inside the other. Boxes count as MIN_ASPECT wide or high at least.

    Args:
        boxes: (n, 4) float32, x, y, width, height in pixels.
        scores: (n,) float32.

    Returns:
        The (m, 4) boxes that are kept, and their (m,) scores.
    """
    order = np.argsort(-scores, kind="stable")
    boxes, scores = boxes[order], scores[order]
    longer = boxes[:, 2:].max(1, initial=0.0)
    centres, sides = boxes[:, :2] + boxes[:, 2:] / 2, np.maximum(boxes[:, 2:], MIN_ASPECT * longer[:, None])
    corners = np.concatenate([centres - sides / 2, centres + sides / 2, sides.prod(1, keepdims=True)], 1)
    kept: list[int] = []
    left = np.arange(len(boxes))  # rows that no kept box has suppressed, best first
    size = FIRST_BLOCK
    while len(left) and len(kept) < MAX_DETECTIONS:
        block, left = left[:size], left[size:]
        size = min(2 * size, LARGEST_BLOCK)
        conflict = _in_conflict(corners[block][:, None], corners[block][None])
        alive = np.ones(len(block), np.bool_)
        for place in range(len(block)):
            if alive[place]:
                alive[place + 1 :] &= ~conflict[place, place + 1 :]
        best = block[alive]
        kept += best.tolist()
        left = left[~_suppressed(corners[best], corners[left], longer[best], longer[left])]
    return boxes[kept[:MAX_DETECTIONS]], scores[kept[:MAX_DETECTIONS]]


def _suppressed(
    best: npt.NDArray[np.float32], others: npt.NDArray[np.float32], longer: Scores, others_longer: Scores
) -> npt.NDArray[np.bool_]:
    """(m,) whether one of the best (n, 5) corners suppresses each of (m, 5) others; longer: their longer sides."""
    if len(best) * len(others) <= FEW_OVERLAPS:
        return np.asarray(_in_conflict(best[:, None], others[None]).any(0))
    suppressed = np.zeros(len(others), np.bool_)
    centres, others_centres = (best[:, :2] + best[:, 2:4]) / 2, (others[:, :2] + others[:, 2:4]) / 2
    # the centre of the smaller one of two boxes that overlap is within the longer side of the larger one
    for one, other in near_pairs(centres, longer, others_centres):
        suppressed[other[_in_conflict(best[one], others[other])]] = True
    for other, one in near_pairs(others_centres, others_longer, centres):
        suppressed[other[_in_conflict(best[one], others[other])]] = True
    return suppressed


def _in_conflict(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Whether two boxes (..., 5: left, top, right, bottom, area) are too close to be two digits."""
    across = np.minimum(one[..., 2], other[..., 2]) - np.maximum(one[..., 0], other[..., 0])
    down = np.minimum(one[..., 3], other[..., 3]) - np.maximum(one[..., 1], other[..., 1])
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    areas, smaller = one[..., 4] + other[..., 4], np.minimum(one[..., 4], other[..., 4])
    far = (shared < MAX_IOU * (areas - shared)) & (shared < MAX_SHARE_OF_SMALLER * smaller)
    return np.asarray(~far, np.bool_)


def near_pairs(
    points: npt.NDArray[np.floating[Any]], reach: npt.NDArray[np.floating[Any]], others: npt.NDArray[np.floating[Any]]
) -> Iterator[tuple[Rows, Rows]]:
    """Pairs (row of points, row of others) that may lie within `reach` of each other, in x and in y, and all of those.

    The points are looked up in grids of the others, one for each power of two of the reach, so the time is that of
    sorting and of the pairs found.

    Args:
        points: (n, 2) x, y in pixels.
        reach: (n,) pixels.
        others: (m, 2) x, y in pixels.

    Yields:
        Blocks of about MAX_PAIRS pairs at most. All pairs of a point are in one block.
    """
    if not len(points) or not len(others):
        return
    if len(points) * len(others) <= FEW_PAIRS:
        rows, other_rows = np.indices((len(points), len(others))).reshape(2, -1)
        yield rows, other_rows
        return
    exponents = np.frexp(np.maximum(reach, np.float32(1)))[1]
    corner = np.minimum(points.min(0), others.min(0))
    for exponent in np.unique(exponents).tolist():
        queries = np.flatnonzero(exponents == exponent)
        cell = np.ldexp(1.0, exponent)  # at least the reach, at most twice as much
        query_cells = ((points[queries] - corner) // cell).astype(np.int64) + 1
        other_cells = ((others - corner) // cell).astype(np.int64) + 1
        stride = int(max(query_cells[:, 0].max(), other_cells[:, 0].max())) + 2
        keys = other_cells[:, 1] * stride + other_cells[:, 0]
        by_key = np.argsort(keys, kind="stable")
        keys = keys[by_key]
        # the 3x3 cells around a query are three runs of consecutive keys
        middles = (query_cells[:, 1, None] + np.array([-1, 0, 1])) * stride + query_cells[:, :1]
        starts = np.searchsorted(keys, middles - 1, "left")  # (queries, 3)
        counts = np.searchsorted(keys, middles + 1, "right") - starts
        ends = counts.sum(1).cumsum()
        first = 0
        while first < len(queries):
            before = int(ends[first - 1]) if first else 0
            last = max(first + 1, int(np.searchsorted(ends, before + MAX_PAIRS, "right")))
            lengths = counts[first:last].ravel()
            total = int(lengths.sum())
            offsets = np.repeat(starts[first:last].ravel() - (lengths.cumsum() - lengths), lengths)
            yield np.repeat(queries[first:last], counts[first:last].sum(1)), by_key[offsets + np.arange(total)]
            first = last
