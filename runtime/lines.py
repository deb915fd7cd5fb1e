"""Boxes -> lines in reading order."""

import numpy as np

from digitocr.runtime.boxes import Boxes, Scores

REACH = 2.6  # a digit beside another is not that many times as high


def in_lines(boxes: Boxes) -> list[list[int]]:
    """Reading order: rows of the boxes, in lines from top to bottom, each from left to right.

    A box joins the line whose rightmost box it overlaps in height by over a third, once the slope that most
    neighbours share is taken off.
    """
    if not len(boxes):
        return []
    x, y = (boxes[:, :2] + boxes[:, 2:] / 2).T
    angle = slope(boxes)
    across, down = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    top, bottom, height = down - boxes[:, 3] / 2, down + boxes[:, 3] / 2, boxes[:, 3]
    lines: list[list[int]] = []
    for box in np.argsort(across, kind="stable").tolist():
        best, most = None, 0.34
        for line in lines:
            last = line[-1]
            shared = min(bottom[box], bottom[last]) - max(top[box], top[last])
            share = float(shared / min(height[box], height[last]))
            if share > most:
                best, most = line, share
        if best is None:
            lines.append([box])
        else:
            best.append(box)
    return sorted(lines, key=lambda line: float(down[line].mean()))


def best_neighbour(boxes: Boxes, scores: Scores) -> Scores:
    """(n,) the best score of a box's neighbours, 0 where it has none.

    A neighbour shares half of its height, ends no further away than twice the higher one's height, is no part of the
    box, and neither is REACH times as high as the other.
    """
    x, y, width, height = boxes.T
    high, low = np.maximum(height[:, None], height), np.minimum(height[:, None], height)
    shared = np.minimum((y + height)[:, None], y + height) - np.maximum(y[:, None], y)
    gap = np.maximum(x[:, None], x) - np.minimum((x + width)[:, None], x + width)
    near = (shared > 0.5 * low) & (gap < 2 * high) & (gap > -0.3 * np.minimum(width[:, None], width))
    near &= high < REACH * low
    np.fill_diagonal(near, False)
    return np.asarray(np.where(near, scores, 0).max(1, initial=0.0), np.float32)


def slope(boxes: Boxes) -> float:
    """The angle, in radians, clockwise, of most boxes' way to their nearest neighbour on the right; 0 if it varies."""
    x, y = (boxes[:, :2] + boxes[:, 2:] / 2).T
    dx, dy = x[None] - x[:, None], y[None] - y[:, None]
    beside = (dx > 0) & (np.abs(dy) < 1.2 * dx) & (np.hypot(dx, dy) < 4 * boxes[:, 3:])
    links = beside.any(1)
    if links.sum() < 2:
        return 0.0
    nearest = np.where(beside, np.hypot(dx, dy), np.inf).argmin(1)
    rows = np.flatnonzero(links)
    angles = np.sort(np.arctan2(dy[rows, nearest[rows]], dx[rows, nearest[rows]]))
    middle = float(angles[len(angles) // 2])
    spread = np.sort(np.abs(angles - middle))[len(angles) // 2]
    return middle if spread < 0.2 else 0.0
