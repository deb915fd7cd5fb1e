"""The steps of docs/preprocessing.md in plain NumPy, written from that page alone, and held against the golden files.

It is slow, and is not what digitocr runs: it shows that the page suffices for a port. A picture is (H, W) float64, and
a box is x, y, w, h.
"""

from collections.abc import Callable, Sequence
from math import ceil, exp, floor, log, trunc
from typing import Any, Literal

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


def mean(values: Array, window: int, beyond: Literal["symmetric", "edge"]) -> Array:
    """Of the window around each pixel."""
    padded = np.pad(values, window // 2, beyond)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, (window, window)).mean((2, 3)))


def planes(v: Array) -> Array:
    """Steps 4.2 to 4.5: (3, H, W)."""
    difference, spread = {}, {}
    for window in (31, 121):
        m, s = mean(v, window, "symmetric"), mean(v * v, window, "symmetric")
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


def logit(p: float) -> float:
    """Step 11."""
    p = min(max(p, 0.01), 0.99)
    return log(p / (1 - p))


def features(
    boxes: Sequence[Box], scores: Sequence[float], probabilities: Sequence[Sequence[float]]
) -> list[list[float]]:
    """Step 11: 15 features of each box."""
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


def upper_median(values: Sequence[float]) -> float:
    """Step 14."""
    return sorted(values)[len(values) // 2]


def places(boxes: Sequence[Box]) -> list[dict[str, Any]]:
    """Step 14: the places of the lines."""
    common = slope(boxes)
    found = []
    for line in reading_order(boxes):
        parts: list[list[int]] = []
        for index in line:
            for part in reversed(parts):
                h, k = upper_median([boxes[one][3] for one in part]), boxes[index][3]
                x, _, w, _ = boxes[part[-1]]
                if boxes[index][0] < x + w + 3.5 * max(h, k) and max(h, k) < 1.7 * min(h, k):
                    part.append(index)
                    break
            else:
                parts.append([index])
        found += [place(boxes, part, part, common) for part in parts]
    return found


def place(boxes: Sequence[Box], part: list[int], fit: list[int], common: float) -> dict[str, Any]:
    """Steps 14.1 to 14.4; fit: the boxes that height, angle and mean are of."""
    some = np.array([boxes[index] for index in part])
    height, angle = upper_median([boxes[index][3] for index in fit]), common
    centres = some[:, :2] + some[:, 2:] / 2
    mean_of = centres[[part.index(index) for index in fit]].mean(0)
    dx, dy = (centres[[part.index(index) for index in fit]] - mean_of).T
    if len(fit) >= 3 and np.ptp(dx) > 2 * height:
        angle = float(np.arctan((dx * dy).sum() / (dx * dx).sum()))
    cos, sin = np.cos(angle), np.sin(angle)
    scale = height / 20
    along = (centres - mean_of) @ np.array([cos, sin])
    left, right = min(along - some[:, 2] / 2) - 2.2 * height, max(along + some[:, 2] / 2) + 2.2 * height
    x, y = mean_of + left * np.array([cos, sin])
    width = min(8 * ceil((right - left) / scale / 8), 6000)
    return {"x": x, "y": y, "cos": cos, "sin": sin, "scale": scale, "width": width, "rows": part}


def to_picture(at: dict[str, Any], u: Any, v: Any) -> tuple[Any, Any]:
    """Step 14.5."""
    p, q = u * at["scale"], (v - 16) * at["scale"]
    return at["x"] + p * at["cos"] - q * at["sin"], at["y"] + p * at["sin"] + q * at["cos"]


def to_strip(at: dict[str, Any], x: float, y: float) -> tuple[float, float]:
    """Step 14.5, inverted."""
    dx, dy = (x - at["x"]) / at["scale"], (y - at["y"]) / at["scale"]
    return dx * at["cos"] + dy * at["sin"], dy * at["cos"] - dx * at["sin"] + 16


def level(g: Array, at: dict[str, Any]) -> float:
    """Step 14: beyond the picture."""
    corners = np.array([to_picture(at, u, v) for u in (0, at["width"]) for v in (0, 32)])
    (left, top), (right, bottom) = np.trunc(corners.min(0)).astype(int), np.trunc(corners.max(0)).astype(int)
    around = g[max(top, 0) : max(bottom, 1), max(left, 0) : max(right, 1)]
    k = max(1, trunc(np.sqrt(around.size / 1000)))
    return upper_median(around[::k, ::k].ravel().tolist())


def strip(g: Array, at: dict[str, Any]) -> Array:
    """Step 14: the strip of a place."""
    beyond = level(g, at)
    while at["scale"] > 4 and min(g.shape) > 1:
        g = g[: g.shape[0] // 2 * 2, : g.shape[1] // 2 * 2]
        g = (g[::2, ::2] + g[1::2, ::2] + g[::2, 1::2] + g[1::2, 1::2] + 2) // 4
        at = at | {key: at[key] / 2 for key in ("scale", "x", "y")}
    factor = 2 if at["scale"] > 2 else 1
    u, v = np.meshgrid(np.arange(at["width"] * factor), np.arange(32 * factor))
    x, y = to_picture(at, (u + 0.5) / factor, (v + 0.5) / factor)
    framed = np.pad(g, 1, constant_values=beyond)
    x, y = np.clip(x + 0.5, 0, g.shape[1] + 1), np.clip(y + 0.5, 0, g.shape[0] + 1)
    column, row = np.minimum(x.astype(int), g.shape[1]), np.minimum(y.astype(int), g.shape[0])
    right, down = x - column, y - row
    above = framed[row, column] * (1 - right) + framed[row, column + 1] * right
    below = framed[row + 1, column] * (1 - right) + framed[row + 1, column + 1] * right
    made = np.round(above * (1 - down) + below * down)
    return made if factor == 1 else resized(made, 32, at["width"], area)


def recognizer_planes(g: Array) -> Array:
    """Step 15: (2, 32, W)."""
    some = np.sort(g[::2, ::2].ravel())
    low, high = some[trunc(0.02 * (len(some) - 1))], some[trunc(0.98 * (len(some) - 1))]
    s = max(high - low, 12)
    middle = mean(g, 41, "edge")
    sigma = np.sqrt(np.maximum(mean(g * g, 41, "edge") - middle * middle, 0))
    made = [(g - ((low + high) / 2 - s / 2)) / s, (g - middle) / (5 * (sigma + 4)) + 0.5]
    return np.clip(np.stack(made), 0, 1)


def kinds(probabilities: Array) -> list[float]:
    """Step 16.1: of a digit, a sign, other, gap."""
    p = probabilities.tolist()
    return [sum(p[:10]), sum(p[10:16]), p[16], p[17]]


def segments(columns: Array) -> list[tuple[int, int, Array]]:
    """Step 16: first column, the one behind the last, probabilities."""
    found = []
    of = [int(np.argmax(kinds(column))) for column in columns]
    start, sure = 0, None
    for j in range(1, len(columns) + 1):
        if columns[j - 1].max() >= 0.6:
            sure = int(columns[j - 1].argmax())
        best = [int(column.argmax()) for column in columns[j - 1 : j + 1]]
        ends = j == len(columns) or (of[j] != of[j - 1] and not set(best) <= {1, 15})
        if not ends and of[j] < 2 and sure is not None and columns[j].max() >= 0.6:
            ends = best[1] != sure and not {best[1], sure} <= {1, 15}
        if ends:
            if of[start] != 3:
                found.append((start, j, columns[start:j].mean(0)))
            start, sure = j, None
    return found


def clear(at: dict[str, Any], boxes: Sequence[Box], columns: Array) -> list[int]:
    """Step 16: the boxes of a place in whose middle its line shows a digit without doubt."""
    parts = [
        (left, right) for left, right, p in segments(columns) if np.argmax(kinds(p)[:3]) == 0 and p[:10].max() >= 0.7
    ]

    def is_clear(index: int) -> bool:
        x, y, w, h = boxes[index]
        column = to_strip(at, x + w / 2, y + h / 2)[0] / 2
        return any(left <= column < right for left, right in parts)

    return [index for index in at["rows"] if is_clear(index)]


def fitted(at: dict[str, Any], boxes: Sequence[Box], fit: list[int]) -> dict[str, Any]:
    """Step 16: the place of a line by its clear boxes, where that is another one."""
    if not 0 < len(fit) < len(at["rows"]):
        return at
    others = set(at["rows"]) - set(fit)
    made = place(boxes, at["rows"], fit, slope([box for index, box in enumerate(boxes) if index not in others]))
    off = [abs(to_strip(made, *to_picture(at, u, 16))[1] - 16) for u in (0, at["width"])]
    scales = sorted([at["scale"], made["scale"]])
    return made if scales[1] / scales[0] > 1.15 or max(off) > 3 else at


def closer(at: dict[str, Any]) -> dict[str, Any]:
    """The place of step 16's closer look."""
    return {**at, "scale": at["scale"] / 1.15, "width": ceil(at["width"] * 1.15 / 8) * 8}


def is_doubtful(columns: Array) -> bool:
    """Step 16: whether a line with these columns is looked at again."""
    is_digit = [int(np.argmax(kinds(p)[:3])) == 0 for _, _, p in segments(columns)]
    parts = [p[:10] for _, _, p in segments(columns)]
    return any(p.max() < 0.7 if digit else p.sum() > 0.3 for digit, p in zip(is_digit, parts, strict=True))


def looked_twice(columns: Array, larger: Array) -> Array:
    """Step 16: a line's columns with those of its closer look."""
    same = [min(trunc(1.15 * (n + 0.5)), len(larger) - 1) for n in range(len(columns))]
    return (columns + larger[same]) / 2


def sides(at: dict[str, Any], columns: Array, box: Box) -> list[float]:
    """Step 18: other beside and digit beside."""
    x, y, w, h = box
    u, half = to_strip(at, x + w / 2, y + h / 2)[0] / 2, w / at["scale"] / 4
    left, right = round(u - half), round(u + half)
    both = [columns[max(left - 4, 0) : max(left, 0)], columns[max(right, 0) : max(right + 4, 0)]]
    some = [side for side in both if len(side)]
    other = max((float(side[:, 16].mean()) for side in some), default=0.0)
    return [other, max((float(side[:, :10].sum(1).max()) for side in some), default=0.0)]


def characters(
    at: dict[str, Any], boxes: Sequence[Box], columns: Array
) -> tuple[list[Array], list[tuple[list[float], Array]], list[tuple[str, list[float], float]], list[list[float]]]:
    """Steps 17.1 to 17.5 for one line: what each box is seen as, new ones, signs and words; what is beside them."""
    gap = np.eye(18)[17]
    scale = at["scale"]
    parts = segments(columns)
    digits = [part for part in parts if np.argmax(kinds(part[2])[:3]) == 0]
    middles = [left + right for left, right, _ in digits]

    def upright(u: float, wide: float) -> list[float]:
        x, y = to_picture(at, u, 16)
        return [x - wide * scale / 2, y - 10 * scale, wide * scale, 20 * scale]

    on, pairs = {}, []
    for index, (x, y, w, h) in enumerate(boxes):
        u, v = to_strip(at, x + w / 2, y + h / 2)
        high = h / scale
        is_level = (abs(v - 16) + high / 2 < 15 and high > 4) or (abs(v - 16) < 7 and 20 < high < 52)
        near = 0 < u < at["width"] and is_level
        if not near and index not in at["rows"]:
            continue
        on[index] = (u, w / scale)
        off, wide = [abs(c - u) for c in middles], max(w / scale, 12)
        if sum(one < 0.42 * w / scale for one in off) < 2:
            pairs += [(one / wide, index, number) for number, one in enumerate(off) if one < 0.4 * wide]
    held: dict[int, int] = {}
    for _, index, number in sorted(pairs):
        if index not in held and number not in held.values():
            held[index] = number
    seen = []
    for index in range(len(boxes)):
        if index in held:
            seen.append(digits[held[index]][2])
        elif index in on:
            u, w = on[index]
            k = max(w / 4, 2)
            first = min(max(trunc((u - k) / 2), 0), len(columns) - 1)
            last = min(max(ceil((u + k) / 2), first + 1), len(columns))
            mean_of = columns[first:last].mean(0)
            if any(left < last and right > first for left, right, _ in digits):
                mean_of[17] += mean_of[:10].sum()
                mean_of[:10] = 0
            seen.append(mean_of)
        else:
            seen.append(gap)
    new = []
    for number, c in enumerate(middles):
        if number not in held.values():
            beside = [abs(middles[one] - c) for one in (number - 1, number + 1) if 0 <= one < len(middles)]
            new.append((upright(c, 2 * max(min([6, *(one / 2 for one in beside)]), 2)), digits[number][2]))
    others = []
    for left, right, p in parts:
        if np.argmax(kinds(p)[:3]) > 0 and max(kinds(p)[:3]) >= 0.5:
            text = "*" if np.argmax(kinds(p)[:3]) == 2 else ".,-+:/"[int(p[10:16].argmax())]
            others.append((text, upright(left + right, max(2 * (right - left), 4)), 1 - float(p[17])))
    beside = [sides(at, columns, box) if index in on else [0.0, 0.0] for index, box in enumerate(boxes)]
    return seen, new, others, beside + [sides(at, columns, box) for box, _ in new]


def combined(c: Array, r: Array) -> Array:
    """The end of step 17: ten probabilities, and the classifier's eleventh."""
    both = (c[:10] + 0.002) * (r[:10] + 0.002)
    return np.concatenate([both / both.sum() * c[:10].sum(), c[10:]])


def shown(columns: Array) -> tuple[float, float]:
    """Step 18: how many digits and how many other characters a line shows."""
    digits = others = 0.0
    for left, right, p in segments(columns):
        share = kinds(p)[:3]
        if np.argmax(share) == 0:
            digits += max(share)
        elif np.argmax(share) == 2:
            others += max(share) * max((right - left) / 6, 1)
    return digits, others


def character_features(
    q: float, found: bool, c: Array, r: Array, beside: list[float], total: tuple[float, float], height: float
) -> list[float]:
    """Step 18: 27 features of a character; total: of `shown`, of all lines; height: as a share of the picture's."""
    d = int(combined(c, r)[:10].argmax())
    line_place = logit(r[:10].sum())
    agreement = float(c[:10].argmax() == r[:10].argmax())
    first = [logit(q), logit(c[d]), logit(r[d]), line_place, logit(1 - c[:10].sum())]
    line = [min(first[0], first[2], line_place), logit(r[16]), logit(r[10:16].sum()), *beside]
    digits, others = max(total[0] - r[:10].sum(), 0), max(total[1] - r[16], 0)
    alone = exp(-(digits + others))
    picture = [alone, alone * min(height, 1), log(digits + 0.5), log(others + 0.5)]
    is_digit = (float(d == one) for one in range(10))
    return [*first, float(found), found * line_place, *line, agreement, *picture, *is_digit]
