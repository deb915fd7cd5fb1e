"""The background of a picture: made even, so that shadows and their edges are gone."""

from digitocr.runtime.boxes import Boxes
from digitocr.runtime.image import GrayImage
from digitocr.runtime.opencv import cv2

GROUND, AROUND = 64, 17  # pixels; the long side of a picture in which a median of that width leaves only the ground
EVEN = 128  # grey levels; the ground where it is made even, so that ink of either polarity has room
CLOSE_UP = 0.4  # of the picture's longer side; a digit that large leaves no room for a page of others


def shrunk(gray: GrayImage, side: int) -> GrayImage:
    """The (H, W) picture with its longer side that many pixels, where it is longer."""
    if max(gray.shape) <= side:
        return gray
    small: GrayImage = cv2.resize(gray, fitted(gray.shape, side), interpolation=cv2.INTER_AREA)
    return small


def evened(gray: GrayImage) -> GrayImage:
    """The (H, W) picture with its ground at EVEN everywhere: without shadows, and without their edges."""
    step = max(1, max(gray.shape) // (4 * GROUND))  # every fourth pixel, say: a median asks for no more
    small = cv2.resize(gray[::step, ::step], fitted(gray.shape, GROUND), interpolation=cv2.INTER_AREA)
    ground = cv2.medianBlur(small, AROUND)
    ground = cv2.resize(ground, gray.shape[::-1], interpolation=cv2.INTER_LINEAR)
    even: GrayImage = cv2.addWeighted(gray, 1, ground, -1, EVEN)
    return even


def fitted(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    """(width, height) of an (H, W) shape fitted into a square of that side, each at least 1."""
    shrink = side / max(shape)
    return max(1, round(shape[1] * shrink)), max(1, round(shape[0] * shrink))


def shadeless(gray: GrayImage, boxes: Boxes) -> GrayImage:
    """The (H, W) picture as the digits in those boxes are to be cut out of it: its ground even, but for a close-up's,
    whose wide ink would be taken for ground.
    """
    return gray if is_close_up(gray, boxes) else evened(gray)


def is_close_up(gray: GrayImage, boxes: Boxes) -> bool:
    """Whether one of the digits in those boxes fills so much of the picture that there is no page of others."""
    return bool(boxes[:, 2:].max(initial=0.0) >= CLOSE_UP * max(gray.shape))
