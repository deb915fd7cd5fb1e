"""Boxes with labels drawn on a picture, and the picture written to a file.

shown = load_rgb("page.jpg")
draw_boxes(shown, [((31, 12, 40, 66), "4 99%")])
save(shown, Path("read.png"))
"""

import io
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from digitocr.runtime.errors import OutputError
from digitocr.runtime.files import replacing

BOX_COLOUR = (0, 140, 60)  # RGB, a green that is seen on paper and on dark pictures
LABEL_COLOUR = (255, 255, 255)  # RGB
LINES_PER_SIDE = 400  # the longer side of a picture, in line widths of a box
MIN_FONT = 10  # pixels; smaller letters cannot be read


def draw_boxes(picture: Image.Image, labelled: Iterable[tuple[tuple[int, int, int, int], str]]) -> None:
    """Draws boxes on a picture, each around its pixels, with its label above or, at the upper border, over it.

    Args:
        picture: Of mode RGB. It is changed.
        labelled: Pairs of a box, as left, top, width, height in pixels, and its label.
    """
    from PIL import ImageDraw, ImageFont  # imported here since only drawing needs them

    draw = ImageDraw.Draw(picture)
    line = max(1, max(picture.size) // LINES_PER_SIDE)
    for (x, y, w, h), label in labelled:
        draw.rectangle((x - line, y - line, x + w + line, y + h + line), None, BOX_COLOUR, line)
        font = ImageFont.load_default(size=max(MIN_FONT, min(h // 3, round(w / 3.4))))  # a label as wide as the box
        _, top, right, bottom = draw.textbbox((0, 0), label, font)
        left, above = x, max(0, y - 2 * line - int(bottom))
        draw.rectangle((left - line, above + top - 1, left + right + line, above + bottom + 1), BOX_COLOUR)
        draw.text((left, above), label, LABEL_COLOUR, font)


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
