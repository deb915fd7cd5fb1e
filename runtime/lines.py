"""Boxes -> lines in reading order; the slope of lines; the neighbours of a box.

    lines = reading_order(boxes)      # [[0, 3, 1], [2]]: rows of boxes, lines top to bottom, left to right

Memory and, but for a sort, time grow linearly with the number of boxes.
"""

from bisect import bisect
from itertools import chain

import numpy as np

from digitocr.runtime.boxes import Boxes, Scores, near_pairs

MIN_LINE_OVERLAP = 0.34  # of the lower box's height; boxes of one line share more than that in y
MIN_BAND = 1e-3  # pixels; of the bands of y in which lines are looked up, which are as high as most boxes
MAX_HEIGHT_RATIO = 2.6  # of two neighbours
MIN_NEIGHBOUR_OVERLAP = 0.5  # of the lower box's height, shared in y by two neighbours
MAX_NEIGHBOUR_GAP = 2.0  # heights of the higher box, between two neighbours
MAX_NEIGHBOUR_INTRUSION = 0.3  # of the narrower box's width, shared in x by two neighbours; a part shares more
MAX_LINK = 4.0  # heights of a box, from its centre to that of the next one on its line
MAX_LINK_SLOPE = 1.2  # dy / dx from a box to the next one on its line
MAX_SLOPE_SPREAD = 0.2  # radians; median difference from the median slope of links that have a common slope


def reading_order(boxes: Boxes) -> list[list[int]]:
    """Rows of the (n, 4) boxes as lines from top to bottom, each from left to right.

    A box joins the line whose rightmost box it overlaps most in height, by MIN_LINE_OVERLAP at least, once the slope
    that most neighbours share is taken off; else it begins a line.
    """
    if not len(boxes):
        return []
    across, down = _levelled(boxes, slope(boxes))
    height = boxes[:, 3].tolist()
    top, bottom = (down - boxes[:, 3] / 2).tolist(), (down + boxes[:, 3] / 2).tolist()
    band = max(sorted(height)[len(height) // 2], MIN_BAND)  # np.median would load numpy.ma, 15 ms of a cold start
    lines: list[list[int]] = []
    lines_at: dict[int, set[int]] = {}  # the lines whose rightmost box reaches into a band of y
    for row in np.argsort(across, kind="stable").tolist():
        bands = range(int(top[row] // band), int(bottom[row] // band) + 1)
        best, most = None, MIN_LINE_OVERLAP
        for number in sorted(set(chain.from_iterable(lines_at.get(place, ()) for place in bands))):
            last = lines[number][-1]
            shared = min(bottom[row], bottom[last]) - max(top[row], top[last])
            share = shared / min(height[row], height[last])
            if share > most:
                best, most = number, share
        if best is None:
            best = len(lines)
            lines.append([row])
        else:
            last = lines[best][-1]
            for place in range(int(top[last] // band), int(bottom[last] // band) + 1):
                lines_at[place].discard(best)
            lines[best].append(row)
        for place in bands:
            lines_at.setdefault(place, set()).add(best)
    return sorted(lines, key=lambda line: float(down[line].mean()))


def joined(lines: list[list[int]], boxes: Boxes, rows: list[int]) -> list[list[int]]:
    """The lines with more rows of the (n, 4) boxes put into them, one after the other.

    The rows that are in the lines keep their order and their lines. A row joins the line with which it overlaps most
    in height, by MIN_LINE_OVERLAP at least, left and right of its place in it; else it is a line of its own.
    """
    if not rows:
        return lines
    across, down = _levelled(boxes, slope(boxes[[row for line in lines for row in line]]))
    x, height = across.tolist(), boxes[:, 3].tolist()
    top, bottom = (down - boxes[:, 3] / 2).tolist(), (down + boxes[:, 3] / 2).tolist()
    lines, heights = [list(line) for line in lines], [float(down[line].mean()) for line in lines]
    band = max(sorted(height)[len(height) // 2], MIN_BAND)  # np.median would load numpy.ma, 15 ms of a cold start
    lines_at: dict[int, set[int]] = {}  # the lines with a box that reaches into a band of y

    def bands(row: int) -> range:
        return range(int(top[row] // band), int(bottom[row] // band) + 1)

    def overlap(row: int, other: int) -> float:
        shared = min(bottom[row], bottom[other]) - max(top[row], top[other])
        return float(shared / min(height[row], height[other]))

    for number, line in enumerate(lines):
        for place in chain.from_iterable(map(bands, line)):
            lines_at.setdefault(place, set()).add(number)
    for row in rows:
        best, most, position = None, MIN_LINE_OVERLAP, 0
        for number in sorted(set(chain.from_iterable(lines_at.get(place, ()) for place in bands(row)))):
            line = lines[number]
            after = bisect(line, x[row], key=x.__getitem__)
            share = max(overlap(row, other) for other in line[max(after - 1, 0) : after + 1])
            if share > most:
                best, most, position = number, share, after
        if best is None:
            best = len(lines)
            lines.append([])
            heights.append(float(down[row]))
        lines[best].insert(position, row)
        for place in bands(row):
            lines_at.setdefault(place, set()).add(best)
    return [lines[number] for number in sorted(range(len(lines)), key=heights.__getitem__)]


def _levelled(boxes: Boxes, angle: float) -> tuple[Scores, Scores]:
    """The centres of boxes along and across lines of that slope, in radians."""
    x, y = (boxes[:, :2] + boxes[:, 2:] / 2).T
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def best_neighbour(boxes: Boxes, scores: Scores) -> Scores:
    """(n,) the best score of the neighbours of each of (n, 4) boxes, 0 where it has none.

    Neighbours stand beside each other on a line: they share MIN_NEIGHBOUR_OVERLAP in height, MAX_NEIGHBOUR_GAP of the
    higher one lies between them at most, neither is a part of the other, and their heights differ by MAX_HEIGHT_RATIO
    at most.
    """
    x, y, width, height = boxes.T
    best = np.zeros(len(boxes), np.float32)
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    # of two neighbours at least one lies within the other's reach
    reach = np.asarray(MAX_NEIGHBOUR_GAP * MAX_HEIGHT_RATIO * height + width, np.float32)
    for one, other in near_pairs(centres, reach, centres):
        high, low = np.maximum(height[one], height[other]), np.minimum(height[one], height[other])
        shared = np.minimum(y[one] + height[one], y[other] + height[other]) - np.maximum(y[one], y[other])
        gap = np.maximum(x[one], x[other]) - np.minimum(x[one] + width[one], x[other] + width[other])
        near = (shared > MIN_NEIGHBOUR_OVERLAP * low) & (gap < MAX_NEIGHBOUR_GAP * high)
        near &= gap > -MAX_NEIGHBOUR_INTRUSION * np.minimum(width[one], width[other])
        near &= (high < MAX_HEIGHT_RATIO * low) & (one != other)
        one, other = one[near], other[near]
        np.maximum.at(best, one, scores[other])
        np.maximum.at(best, other, scores[one])
    return best


def slope(boxes: Boxes) -> float:
    """The slope of the lines that (n, 4) boxes stand in: radians, clockwise; 0 where there is no common one.

    The median angle from a box to the nearest box on its right.
    """
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    x, y = centres.T
    reach = MAX_LINK * boxes[:, 3]
    found = []
    for one, other in near_pairs(centres, reach, centres):
        dx, dy = x[other] - x[one], y[other] - y[one]
        distance = np.hypot(dx, dy)
        beside = np.flatnonzero((dx > 0) & (np.abs(dy) < MAX_LINK_SLOPE * dx) & (distance < reach[one]))
        nearest_first = beside[np.lexsort((other[beside], distance[beside], one[beside]))]
        _, firsts = np.unique(one[nearest_first], return_index=True)
        nearest = nearest_first[firsts]
        found.append(np.arctan2(dy[nearest], dx[nearest], dtype=np.float64))  # in float32 machines differ
    angles = np.sort(np.concatenate(found)) if found else np.zeros(0, np.float32)
    if len(angles) < 2:
        return 0.0
    middle = float(angles[len(angles) // 2])
    spread = np.sort(np.abs(angles - middle))[len(angles) // 2]
    return middle if spread < MAX_SLOPE_SPREAD else 0.0
