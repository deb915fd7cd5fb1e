"""What is read in a frame, drawn on it, fast enough for each frame of a camera."""

import numpy as np

from digitocr.runtime.live.capture import Pixels
from digitocr.runtime.live.video import FrameReading
from digitocr.runtime.opencv import cv2
from digitocr.runtime.reading import Box

BAR = 56  # pixels of the strip under the picture
STEADY, PASSING, LIGHT, DARK = (60, 160, 0), (0, 140, 255), (245, 245, 245), (32, 32, 32)  # colours, BGR
FONT = cv2.FONT_HERSHEY_SIMPLEX


def drawn(
    frame: FrameReading,
    roi: tuple[int, int, int, int] | None,
    fps: float,
    mirror: bool,
    help_: tuple[tuple[str, str], ...] = (),
) -> Pixels:
    """(H + BAR, W, 3) uint8 BGR: a box, the digit and its confidence in percent for each digit; green in lines that
    hold, orange in others. Under it the lines that hold, frames a second, and milliseconds from frame to reading.

    mirror: the picture as a mirror shows it, its writing as it is. help_: rows of two columns of text to lay over it.
    """
    height, width = frame.image.shape[:2]
    picture = cv2.flip(frame.image, 1) if mirror else frame.image
    picture = cv2.copyMakeBorder(picture, 0, BAR, 0, 0, cv2.BORDER_CONSTANT, value=DARK)
    steady = {line.text for line in frame.steady}
    for line in frame.reading.lines:
        colour = STEADY if line.text in steady else PASSING
        for digit in line.digits:
            box = _mirrored(digit.box, width) if mirror else digit.box
            cv2.rectangle(picture, (box.x, box.y), (box.x + box.w, box.y + box.h), colour, 2)
            label, size = f"{digit.digit} {digit.confidence:.0%}", min(0.9, max(0.35, box.w / 75))  # as wide as the box
            (wide, high), _ = cv2.getTextSize(label, FONT, size, 1)
            top = max(0, box.y - high - 8)
            cv2.rectangle(picture, (box.x - 1, top), (box.x + wide + 5, top + high + 7), colour, -1)
            cv2.putText(picture, label, (box.x + 2, top + high + 3), FONT, size, LIGHT, 1, cv2.LINE_AA)
    if roi is not None:
        part = _mirrored(Box(*roi), width) if mirror else Box(*roi)
        cv2.rectangle(picture, (part.x, part.y), (part.x + part.w, part.y + part.h), LIGHT, 1)
    says = f"{fps:.0f} fps  {frame.latency:.0f} ms"
    (wide, _), _ = cv2.getTextSize(says, FONT, 0.6, 1)
    cv2.putText(picture, says, (width - wide - 12, height + 36), FONT, 0.6, LIGHT, 1, cv2.LINE_AA)
    text = "  ".join(line.text for line in frame.steady)
    cv2.putText(picture, text, (12, height + 41), FONT, 1.2, LIGHT, 2, cv2.LINE_AA)
    if help_:
        cv2.rectangle(picture, (0, 0), (min(width, 620), 32 * len(help_) + 24), DARK, -1)
    for row, columns in enumerate(help_):
        for left, words in zip((20, 120), columns, strict=True):
            cv2.putText(picture, words, (left, 40 + 32 * row), FONT, 0.7, LIGHT, 1, cv2.LINE_AA)
    return np.asarray(picture, np.uint8)


def _mirrored(box: Box, width: int) -> Box:
    return Box(width - box.x - box.w, box.y, box.w, box.h)
