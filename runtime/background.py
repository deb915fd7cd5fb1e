"""The background of a picture: made even, so that shadows and their edges disappear; and what differs from it: ink."""

import numpy as np

from digitocr.runtime.boxes import Boxes
from digitocr.runtime.image import GrayImage
from digitocr.runtime.opencv import cv2
from digitocr.runtime.resampling import averaged, halved

MEDIAN_SIDE = 64  # pixels; the longer side at which the background is estimated
MEDIAN_WINDOW = 17  # pixels at that size; wider than a stroke, so the median leaves only the background
EVEN_LEVEL = 128  # grey levels; the background where it is made even, which leaves room for ink of either polarity
INK_SHARE = 0.5  # of the largest difference from the median; pixels that differ more are ink
FRAMED_SIDE = 1536  # pixels; a picture with a longer side is halved before it gets a border
FRAMED_SHORTER = 512  # pixels that its shorter side keeps, since digits may be half as large as that
BORDER_SHARE = 0.3  # of the shorter side; the width of the border around a picture that its digits fill
FULL_SHARE = 0.5  # of the shorter side; a digit that large, or ink of that extent, fills the picture
EDGE_SHARE = 0.03  # of a digit's longer side, or of the picture's shorter one; what is nearer to the edge touches it
QUIET_SHARE = 0.17  # of the strongest difference from the edge's median; an even edge differs less, in the median
COUNTED = 1 << 22  # pixels that are counted at once; OpenCV gives counts as float32, exact below 2**24
CLOSE_UP = 0.4  # of the picture's longer side; with a digit that large the picture is no page of digits


def shrunk(gray: GrayImage, side: int) -> GrayImage:
    """The (H, W) picture with a longer side of at most `side` pixels."""
    if max(gray.shape) <= side:
        return gray
    return averaged(gray, fitted(gray.shape, side))


def evened(gray: GrayImage, out: GrayImage | None = None) -> GrayImage:
    """The (H, W) picture with its background at EVEN_LEVEL everywhere: without shadows and their edges.

    Args:
        gray: The picture.
        out: (H, W) uint8 that the result is written to; by default a new array.
    """
    step = max(1, max(gray.shape) // (4 * MEDIAN_SIDE))  # four samples for each pixel of the small picture are enough
    size = fitted(gray.shape, MEDIAN_SIDE)
    if max(gray.shape) > MEDIAN_SIDE:
        small = averaged(gray[::step, ::step], size)
    else:
        small = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_LINEAR_EXACT), np.uint8)
    background = cv2.medianBlur(small, MEDIAN_WINDOW)
    # INTER_LINEAR has other pixels on other processors
    background = cv2.resize(background, gray.shape[::-1], dst=out, interpolation=cv2.INTER_LINEAR_EXACT)
    even: GrayImage = cv2.addWeighted(gray, 1, background, -1, EVEN_LEVEL, dst=background)  # of a large one no copy
    return even


def fitted(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    """(width, height) of an (H, W) shape fitted into a square of that side, each at least 1."""
    shrink = side / max(shape)
    return max(1, round(shape[1] * shrink)), max(1, round(shape[0] * shrink))


def shadeless(gray: GrayImage, boxes: Boxes, out: GrayImage | None = None) -> GrayImage:
    """The (H, W) picture that the digits in (n, 4) boxes are cropped from: evened, unless it is a close-up.

    The ink of a close-up is as wide as the median's window and would be taken for background. `out` is that of evened.
    """
    return gray if is_close_up(gray.shape, boxes) else evened(gray, out)


def is_close_up(shape: tuple[int, ...], boxes: Boxes) -> bool:
    """Whether one of the digits in (n, 4) boxes fills CLOSE_UP of the (H, W) picture."""
    return bool(boxes[:, 2:].max(initial=0.0) >= CLOSE_UP * max(shape))


def ink_box(gray: GrayImage) -> tuple[int, int, int, int]:
    """The (x, y, width, height) around the ink of an (H, W) picture; the whole picture where there is none."""
    level, (height, width) = int(_median(gray)), gray.shape
    limit = int(INK_SHARE * max(level - int(gray.min()), int(gray.max()) - level))
    rows = max(1, COUNTED // 16 // width)
    left, top, right, bottom = width, height, 0, 0
    for start in range(0, height, rows):  # of a large picture no copy
        band = gray[start : start + rows]
        x, y, w, h = cv2.boundingRect(((band > level + limit) | (band < level - limit)).view(np.uint8))
        if w:
            left, top, right, bottom = min(left, x), min(top, start + y), max(right, x + w), max(bottom, start + y + h)
    return (left, top, right - left, bottom - top) if right else (0, 0, width, height)


def is_full(gray: GrayImage, boxes: Boxes) -> bool:
    """Whether digits fill the (H, W) picture and touch its edge, so that too little background is seen.

    Args:
        gray: The picture.
        boxes: (n, 4) the digits found in it; where there are none, the picture's ink decides, if its edge is even. On
            paper in uneven light the border would be a mark of its own.
    """
    height, width = gray.shape
    if not len(boxes):
        edge = _edge(gray)
        level = _median(edge)
        strongest = max(level - float(gray.min()), float(gray.max()) - level)
        if np.median(np.abs(edge - level)) > QUIET_SHARE * strongest:
            return False
        boxes = np.array([ink_box(gray)], np.float32)
    longer = boxes[:, 2:].max(1)
    near = EDGE_SHARE * np.minimum(longer, min(height, width))
    room = np.stack([boxes[:, 0], boxes[:, 1], width - boxes[:, 0] - boxes[:, 2], height - boxes[:, 1] - boxes[:, 3]])
    return bool(((longer >= FULL_SHARE * min(height, width)) & (room.min(0) <= near)).any())


def bordered(gray: GrayImage) -> tuple[GrayImage, int, int]:
    """The (H, W) picture in a border of the median of its edge pixels, which is background.

    Digits that fill a large picture are large, so it is halved before, unless it is a strip.

    Returns:
        (h, w) uint8 with its border; the border's width in its pixels; and how often the picture was halved.
    """
    halvings, level = 0, int(_median(_edge(gray)))
    while max(gray.shape) >> halvings > FRAMED_SIDE and min(gray.shape) >> (halvings + 1) >= FRAMED_SHORTER:
        halvings += 1
    small = halved(gray, halvings)
    width = max(1, round(BORDER_SHARE * min(small.shape)))
    framed = cv2.copyMakeBorder(small, width, width, width, width, cv2.BORDER_CONSTANT, value=level)
    return np.asarray(framed, np.uint8), width, halvings


def _median(levels: GrayImage) -> float:
    """The median of grey levels, by how many pixels have each of them: np.median takes 15 times as long."""
    up_to = np.zeros(256, np.int64)
    for part in np.array_split(levels.reshape(len(levels), -1), -(-levels.size // COUNTED)):
        up_to += cv2.calcHist([part], [0], None, [256], [0, 256]).ravel().astype(np.int64)
    up_to = up_to.cumsum()
    low, high = np.searchsorted(up_to, [(levels.size - 1) // 2, levels.size // 2], "right").tolist()
    return float(low + high) / 2


def _edge(gray: GrayImage) -> GrayImage:
    """The outermost pixels of an (H, W) picture."""
    return np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
