"""Boxes with labels drawn on a picture, and the picture written to a file.

shown = load_rgb("page.jpg")
draw_boxes(shown, [((31, 12, 40, 66), "4 99%")])
draw_frames(shown, [((31, 12, 120, 66), "407 98%")])
save(shown, Path("read.png"))
"""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from PIL import Image

from digitocr.runtime.errors import OutputError
from digitocr.runtime.files import replacing

Colour: TypeAlias = tuple[int, int, int]  # RGB
Labelled: TypeAlias = Iterable[tuple[tuple[int, int, int, int], str]]  # left, top, width, height in pixels; label

BOX_COLOUR = (0, 140, 60)  # RGB, a green that is seen on paper and on dark pictures
DOUBT_COLOUR = (200, 100, 0)  # RGB; boxes of digits that cannot be told
FRAME_COLOUR = (20, 95, 200)  # RGB; frames of numbers
FRAME_GAP = 4  # line widths from a number's digits to the outside of its frame
LABEL_COLOUR = (255, 255, 255)  # RGB
LINES_PER_SIDE = 400  # the longer side of a picture, in line widths of a box
LABEL_WIDTH = 1.5  # font sizes that a label may have for each of its letters, so that it is about as wide as its box
MIN_FONT = 10  # pixels; smaller letters cannot be read


def draw_boxes(picture: Image.Image, labelled: Labelled, colour: Colour = BOX_COLOUR) -> None:
    """Draws boxes on a picture, each around its pixels, with its label above or, at the upper border, over it.

    Args:
        picture: Of mode RGB. It is changed.
        labelled: Pairs of a box and its label.
        colour: Of the boxes.
    """
    _draw(picture, labelled, colour, 1, is_below=False)


def draw_frames(picture: Image.Image, labelled: Labelled) -> None:
    """Draws frames around the boxes of numbers, each with its label below or, at the lower border, over it.

    Args:
        picture: Of mode RGB. It is changed.
        labelled: Pairs of the box around a number and its label.
    """
    _draw(picture, labelled, FRAME_COLOUR, FRAME_GAP, is_below=True)


def _draw(picture: Image.Image, labelled: Labelled, colour: Colour, gap: int, *, is_below: bool) -> None:
    """Draws boxes with labels. gap: line widths from the pixels of a box to the outside of its line."""
    from PIL import ImageDraw, ImageFont  # imported here since only drawing needs them

    draw = ImageDraw.Draw(picture)
    line = max(1, max(picture.size) // LINES_PER_SIDE)
    for (x, y, w, h), label in labelled:
        left, upper, lower = x - gap * line, y - gap * line, y + h + gap * line
        draw.rectangle((left, upper, x + w + gap * line, lower), None, colour, line)
        size = min(h // 3, round(LABEL_WIDTH * w / len(label)))  # a label as wide as the box
        font = ImageFont.load_default(size=max(MIN_FONT, size))
        _, top, right, bottom = draw.textbbox((0, 0), label, font)
        at = min(lower + line - top, picture.height - bottom) if is_below else max(0, upper - line - bottom)
        start = left if is_below else x
        draw.rectangle((start - line, at + top - 1, start + right + line, at + bottom + 1), colour)
        draw.text((start, at), label, LABEL_COLOUR, font)


def png(picture: Image.Image) -> bytes:
    """The picture as the content of a PNG file."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def save(picture: Image.Image, path: Path) -> None:
    """Writes the picture whole or not at all, in the format that the path's suffix names; an old file is replaced.

    Raises:
        OutputError: The file cannot be written, or Pillow knows no format of that suffix.
    """
    try:
        with replacing(path) as beside:
            picture.save(beside)
    except ValueError:
        raise OutputError(f"{path}: no format of a picture has that suffix; name it .png or .jpg") from None
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None
