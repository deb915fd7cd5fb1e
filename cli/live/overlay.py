"""The picture that is shown and recorded: a frame with its reading drawn on it."""

import numpy as np

from digitocr.runtime.live.frames import Pixels
from digitocr.runtime.live.video import FrameReading
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reading import Box

BAR_HEIGHT = 56  # pixels of the strip below the picture
FRAME_GAP = 4  # pixels from the boxes of a number's digits to its frame
HELP_WIDTH = 620  # pixels of the box with the keys
HELP_ROW = 32  # pixels from one row of that box to the next
HELP_COLUMNS = (20, 120)  # pixels from the left to its two columns

STEADY_COLOUR = (0, 160, 60)  # RGB; boxes of numbers that are steady
UNSTEADY_COLOUR = (255, 140, 0)  # RGB; boxes of other numbers
LIGHT = (245, 245, 245)  # RGB; writing
DARK = (32, 32, 32)  # RGB; behind writing

FONT = cv2.FONT_HERSHEY_SIMPLEX  # of all writing


def drawn(
    frame: FrameReading,
    roi: tuple[int, int, int, int] | None,
    fps: float,
    mirror: bool,
    help_: tuple[tuple[str, str], ...] = (),
) -> Pixels:
    """Draws a box, the digit and its confidence in percent for each digit, and a strip with the steady numbers.

    The digits of a number are framed together. A digit that cannot be told is a question mark.

    Args:
        frame: The frame and its reading.
        roi: x, y, width, height of the part that is read; it is framed.
        fps: Frames per second, shown in the strip beside the milliseconds from frame to reading.
        mirror: Whether to show the picture as a mirror does. Labels stay readable.
        help_: Rows of two columns of text to lay over the picture.

    Returns:
        (H + BAR_HEIGHT, W, 3) uint8 RGB; the frame itself is not changed.
    """
    height, width = frame.image.shape[:2]
    picture = cv2.flip(frame.image, 1) if mirror else frame.image
    picture = cv2.copyMakeBorder(picture, 0, BAR_HEIGHT, 0, 0, cv2.BORDER_CONSTANT, value=DARK)
    steady = {number.digits_text for number in frame.steady}
    for number in frame.reading.numbers:
        colour = STEADY_COLOUR if number.digits_text in steady else UNSTEADY_COLOUR
        _draw_frame(picture, _mirrored(number.box, width) if mirror else number.box, colour)
        for digit in number.digits:
            box = _mirrored(digit.box, width) if mirror else digit.box
            _draw_digit(picture, box, f"{digit.text} {digit.confidence:.0%}", colour)
    if roi is not None:
        part = _mirrored(Box(*roi), width) if mirror else Box(*roi)
        cv2.rectangle(picture, (part.x, part.y), (part.x + part.w, part.y + part.h), LIGHT, 1)
    speed = f"{fps:.0f} fps  {frame.latency:.0f} ms"
    (wide, _), _ = cv2.getTextSize(speed, FONT, 0.6, 1)
    cv2.putText(picture, speed, (width - wide - 12, height + 36), FONT, 0.6, LIGHT, 1, cv2.LINE_AA)
    text = "  ".join(number.text for number in frame.steady)
    cv2.putText(picture, text, (12, height + 41), FONT, 1.2, LIGHT, 2, cv2.LINE_AA)
    _draw_help(picture, help_)
    return np.asarray(picture, np.uint8)


def to_bgr(picture: Pixels) -> Pixels:
    """Converts a picture to the colour order in which OpenCV shows, encodes and writes."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), np.uint8)


def _draw_frame(picture: Pixels, box: Box, colour: tuple[int, int, int]) -> None:
    x, y, right, bottom = box.xyxy
    corners = (x - FRAME_GAP, y - FRAME_GAP), (right + FRAME_GAP, bottom + FRAME_GAP)
    cv2.rectangle(picture, *corners, colour, 1)


def _draw_digit(picture: Pixels, box: Box, label: str, colour: tuple[int, int, int]) -> None:
    cv2.rectangle(picture, (box.x, box.y), (box.x + box.w, box.y + box.h), colour, 2)
    size = min(0.9, max(0.35, box.w / 75))  # about as wide as the box
    (wide, high), _ = cv2.getTextSize(label, FONT, size, 1)
    top = max(0, box.y - high - 8)
    cv2.rectangle(picture, (box.x - 1, top), (box.x + wide + 5, top + high + 7), colour, -1)
    cv2.putText(picture, label, (box.x + 2, top + high + 3), FONT, size, LIGHT, 1, cv2.LINE_AA)


def _draw_help(picture: Pixels, rows: tuple[tuple[str, str], ...]) -> None:
    if rows:
        cv2.rectangle(picture, (0, 0), (min(picture.shape[1], HELP_WIDTH), HELP_ROW * len(rows) + 24), DARK, -1)
    for row, columns in enumerate(rows):
        for left, words in zip(HELP_COLUMNS, columns, strict=True):
            cv2.putText(picture, words, (left, 40 + HELP_ROW * row), FONT, 0.7, LIGHT, 1, cv2.LINE_AA)


def _mirrored(box: Box, width: int) -> Box:
    return Box(width - box.x - box.w, box.y, box.w, box.h)
