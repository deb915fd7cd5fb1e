"""The steps of docs/preprocessing.md in plain NumPy, written from that page alone, and held against the golden files.

It is slow, and is not what digitocr runs: it shows that the page suffices for a port. A picture is (H, W) float64, and
a box is x, y, w, h.
"""

from collections.abc import Callable, Sequence
from math import ceil, exp, floor, log, trunc

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Box = Sequence[float]


def area(old: int, new: int) -> Array:
    """(new, old) weights of INTER_AREA along one side."""
    step, weights = old / new, np.zeros((new, old))
    for i in range(new):
        for j in range(floor(i * step), min(old, ceil((i + 1) * step))):
            weights[i, j] = max(0.0, min((i + 1) * step, j + 1) - max(i * step, j)) / step
    return weights


def kernel(weight: Callable[[float], float], reach: int) -> Callable[[int, int], Array]:
    """A function of (old, new) that gives the (new, old) weights of an interpolation along one side."""

    def weights(old: int, new: int) -> Array:
        made = np.zeros((new, old))
        for i in range(new):
            centre = (i + 0.5) * old / new - 0.5
            for j in range(floor(centre) - reach + 1, floor(centre) + reach + 1):
                made[i, min(max(j, 0), old - 1)] += weight(abs(centre - j))
        return made

    return weights


def cubic_weight(t: float, a: float = -0.75) -> float:
    """The weight of a pixel at that distance in INTER_CUBIC."""
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0


linear = kernel(lambda t: max(0.0, 1 - t), 1)
cubic = kernel(cubic_weight, 2)


def resized(g: Array, height: int, width: int, weights: Callable[[int, int], Array]) -> Array:
    """OpenCV's resize."""
    return np.clip(np.round(weights(g.shape[0], height) @ g @ weights(g.shape[1], width).T), 0, 255)


def fit(height: int, width: int, side: int) -> tuple[int, int]:
    """Step 2."""
    scale = side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def shrunk(g: Array, side: int) -> Array:
    """Step 2."""
    return g if max(g.shape) <= side else resized(g, *fit(*g.shape, side), area)


def evened(g: Array) -> Array:
    """Step 3."""
    step = max(1, trunc(max(g.shape) / 256))
    small = resized(g[::step, ::step], *fit(*g.shape, 64), area)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(small, 8, "edge"), (17, 17))
    background = resized(np.median(windows, (2, 3)), *g.shape, linear)
    return np.clip(g - background + 128, 0, 255)


def planes(v: Array) -> Array:
    """Steps 4.2 to 4.5: (3, H, W)."""

    def mean(values: Array, window: int) -> Array:
        padded = np.pad(values, window // 2, "symmetric")
        return np.lib.stride_tricks.sliding_window_view(padded, (window, window)).mean((2, 3))

    difference, spread = {}, {}
    for window in (31, 121):
        m, s = mean(v, window), mean(v * v, window)
        difference[window] = v - m
        spread[window] = np.sqrt(np.maximum(s - m * m, 0)) + 4
    some = np.sort(np.abs(difference[31][::4, ::4]).ravel())
    ink = some[trunc(0.998 * (len(some) - 1))]
    made = [difference[31] / spread[31], difference[121] / spread[121], difference[121] / (ink + 4)]
    return np.clip(np.stack(made), -4, 4)


def decoded(output: Array) -> tuple[list[list[float]], list[float]]:
    """Steps 5.1 to 5.3, without the limit: boxes and scores."""
    boxes, scores = [], []
    for row, column in zip(*np.nonzero(output[0] > log(0.2 / 0.8)), strict=True):
        t, dx, dy, lw, lh = output[:, row, column].tolist()
        w, h = 4 * exp(min(max(lw, -3), 5)), 4 * exp(min(max(lh, -3), 5))
        x, y = 4 * (column + 0.5) + dx * max(w, h), 4 * (row + 0.5) + dy * max(w, h)
        boxes.append([x - w / 2, y - h / 2, w, h])
        scores.append(1 / (1 + exp(-t)))
    return boxes, scores


def suppressed(boxes: Sequence[Box], scores: Sequence[float]) -> list[int]:
    """Step 6: the indices of the boxes that are kept, best first."""

    def edges(box: Box) -> tuple[float, float, float, float, float]:
        x, y, w, h = box
        wide, high = max(w, max(w, h) / 4), max(h, max(w, h) / 4)
        left, top = x + w / 2 - wide / 2, y + h / 2 - high / 2
        return left, top, left + wide, top + high, wide * high

    def conflict(one: Box, other: Box) -> bool:
        a, b = edges(one), edges(other)
        shared = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
        return shared >= 0.35 * (a[4] + b[4] - shared) or shared >= 0.6 * min(a[4], b[4])

    kept: list[int] = []
    for index in sorted(range(len(boxes)), key=lambda index: -scores[index]):
        if not any(conflict(boxes[index], boxes[other]) for other in kept):
            kept.append(index)
    return kept[:4000]


def lone(g: Array) -> Array:
    """Step 7, without the question whether it is blank."""
    bright = 255 - g if g.mean() < g[0].mean() else g
    return bright if np.count_nonzero(bright) <= 0.75 * 784 else normalised(bright)


def crop(g: Array, box: Box) -> Array:
    """Step 8: 28x28."""
    x, y, w, h = box
    side = max(2, round(max(w, h) * 28 / 20))
    left, top = round(x + (w - side) / 2), round(y + (h - side) / 2)
    rows = np.clip(np.arange(top, top + side), 0, g.shape[0] - 1)
    columns = np.clip(np.arange(left, left + side), 0, g.shape[1] - 1)
    return resized(g[np.ix_(rows, columns)], 28, 28, area if side > 28 else cubic)


def normalised(v: Array) -> Array:
    """Step 9."""
    d = v - np.sort(v.ravel())[392]
    inside = d[3:-3, 3:-3]
    polarity = -1 if (inside**3).sum() < 0 else 1
    full = max(8.0, np.sort((polarity * inside).ravel())[trunc(0.97 * 483)])
    return np.trunc(np.clip(d * polarity * 255 / full, 0, 255))


def best_neighbour(boxes: Sequence[Box], scores: Sequence[float], index: int) -> float:
    """Step 11: the highest score of a neighbour of that box, 0 without one."""
    x, y, w, h = boxes[index]
    best = 0.0
    for other, (ox, oy, ow, oh) in enumerate(boxes):
        high, low = max(h, oh), min(h, oh)
        shared, gap = min(y + h, oy + oh) - max(y, oy), max(x, ox) - min(x + w, ox + ow)
        if other != index and shared > 0.5 * low and -0.3 * min(w, ow) < gap < 2 * high and high < 2.6 * low:
            best = max(best, scores[other])
    return best


def features(
    boxes: Sequence[Box], scores: Sequence[float], probabilities: Sequence[Sequence[float]]
) -> list[list[float]]:
    """Step 11: 15 features of each box."""

    def logit(p: float) -> float:
        p = min(max(p, 0.01), 0.99)
        return log(p / (1 - p))

    q = [max(row) for row in probabilities]
    made = []
    for index, row in enumerate(probabilities):
        digit = row.index(q[index])
        n = best_neighbour(boxes, [s * p for s, p in zip(scores, q, strict=True)], index)
        found, read = logit(scores[index]), logit(q[index])
        made.append([found, read, found * read, n, n * (digit == 0), *(float(digit == one) for one in range(10))])
    return made


def slope(boxes: Sequence[Box]) -> float:
    """Step 12.1."""
    centres = [(x + w / 2, y + h / 2) for x, y, w, h in boxes]
    angles = []
    for (x, y), box in zip(centres, boxes, strict=True):
        offsets = [(ox - x, oy - y) for ox, oy in centres]
        links = [(np.hypot(dx, dy), np.arctan2(dy, dx)) for dx, dy in offsets if dx > 0 and abs(dy) < 1.2 * dx]
        near = [link for link in links if link[0] < 4 * box[3]]
        if near:
            angles.append(float(min(near)[1]))
    if len(angles) < 2:
        return 0.0
    middle = sorted(angles)[len(angles) // 2]
    spread = sorted(abs(angle - middle) for angle in angles)[len(angles) // 2]
    return middle if spread < 0.2 else 0.0


def reading_order(boxes: Sequence[Box]) -> list[list[int]]:
    """Step 12: the indices of the boxes, in lines."""
    angle = slope(boxes)
    cos, sin = np.cos(angle), np.sin(angle)
    centres = [(x + w / 2, y + h / 2) for x, y, w, h in boxes]
    along = [x * cos + y * sin for x, y in centres]
    across = [y * cos - x * sin for x, y in centres]

    def share(one: int, other: int) -> float:
        a, b = boxes[one][3], boxes[other][3]
        shared = min(across[one] + a / 2, across[other] + b / 2) - max(across[one] - a / 2, across[other] - b / 2)
        return float(shared / min(a, b))

    lines: list[list[int]] = []
    for index in sorted(range(len(boxes)), key=along.__getitem__):
        line = max(lines, key=lambda line: share(index, line[-1]), default=None)
        if line is not None and share(index, line[-1]) > 0.34:
            line.append(index)
        else:
            lines.append([index])
    return sorted(lines, key=lambda line: float(np.mean([across[index] for index in line])))
