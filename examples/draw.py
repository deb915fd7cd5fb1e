"""Draws the pictures of this folder and their labels.json again: python examples/draw.py [FOLDER].

Each picture depends on its seed and style only; the same versions of NumPy, SciPy, OpenCV and Pillow give the same
bytes.
"""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from digitocr.train.synthesis.pages import Page, Style, draw_page
from digitocr.train.synthesis.strokes import random_hand


@dataclass(frozen=True)
class Example:
    """A picture of this folder. The writer comes from the seed and the compression from the file's format.

    Attributes:
        file: Its name; JPEG for photos, PNG for a drawing on a transparent ground.
        lines: The digits to write; a space is a wider gap.
        seed: Of everything that is random.
        style: Pen, paper, light and camera.
        notes: What the picture shows, for labels.json.
        sideways: Whether the file is stored on its side, with EXIF orientation 6.
    """

    file: str
    lines: tuple[str, ...]
    seed: int
    style: Style
    notes: str
    sideways: bool = False


_ORIENTATION = 0x0112  # the EXIF tag
_ROTATE_CLOCKWISE = 6  # its value for a picture that is to be shown rotated by 90 degrees clockwise
_JPEG_QUALITY = 86

EXAMPLES = (
    Example(
        "phone-number.jpg",
        ("030 2159 4768",),
        7,
        Style((1280, 720), digit_height=96, stroke=0.058, gap=0.22, angle=-2.5, perspective=0.06, facing=80),
        "ballpoint on white paper, groups in one line",
    ),
    Example(
        "three-lines.jpg",
        ("1785", "3940", "6821"),
        1,
        Style(
            (1000, 1000),
            digit_height=150,
            medium="felt",
            ink=(28, 28, 34),
            stroke=0.09,
            angle=1.5,
            paper=(226, 222, 214),
            light=0.25,
            shadow=0.42,
        ),
        "felt pen, three lines, the shadow of the phone across them",
    ),
    Example(
        "marker.jpg",
        ("5",),
        4,
        Style(
            (720, 960),
            digit_height=640,
            medium="marker",
            ink=(24, 96, 62),
            stroke=0.12,
            paper=(222, 208, 200),
            grain=2.5,
            mottle=2.5,
            blur=1.0,
        ),
        "one big digit, marker",
    ),
    Example(
        "pencil.jpg",
        ("2756", "1984"),
        12,
        Style(
            (1200, 800),
            digit_height=130,
            medium="pencil",
            ink=(92, 92, 98),
            stroke=0.06,
            angle=-1,
            paper=(186, 186, 183),
            light=0.3,
            grain=3.5,
            noise=2.5,
        ),
        "pencil, faint, on greyish paper",
    ),
    Example(
        "blackboard.jpg",
        ("4071", "8 236"),
        5,
        Style(
            (1200, 900),
            digit_height=190,
            medium="chalk",
            ink=(232, 232, 224),
            stroke=0.085,
            angle=1,
            paper=(52, 70, 62),
            light=0.4,
            grain=3,
            mottle=4,
            blur=0.8,
        ),
        "chalk on a blackboard",
    ),
    Example(
        "sticky-note.jpg",
        ("4096", "73"),
        8,
        Style(
            (960, 960),
            digit_height=150,
            medium="felt",
            ink=(30, 42, 110),
            stroke=0.075,
            angle=-6,
            perspective=0.08,
            facing=90,
            paper=(246, 222, 104),
            desk=(128, 116, 104),
            grain=1.5,
        ),
        "felt pen on a sticky note that lies on a desk",
    ),
    Example(
        "at-an-angle.jpg",
        ("52 019", "6 4837"),
        2,
        Style(
            (1280, 960),
            digit_height=150,
            ink=(30, 34, 60),
            stroke=0.065,
            angle=-8,
            perspective=0.6,
            facing=100,
            desk=(74, 56, 46),
            light=0.35,
        ),
        "ballpoint, the page photographed at an angle",
    ),
    Example(
        "sideways.jpg",
        ("90", "17", "352"),
        10,
        Style(
            (750, 1000),
            digit_height=170,
            medium="felt",
            ink=(160, 28, 36),
            stroke=0.08,
            paper=(218, 220, 222),
            light=0.25,
        ),
        "portrait photo, stored on its side with EXIF orientation 6",
        sideways=True,
    ),
    Example(
        "transparent.png",
        ("60482", "13597"),
        20,
        Style((900, 520), digit_height=140, medium="felt", ink=(20, 24, 40), stroke=0.08),
        "strokes on a transparent background",
    ),
)


def draw(example: Example) -> Page:
    """The page of an example."""
    rng = np.random.default_rng(example.seed)
    return draw_page(example.lines, rng, replace(example.style, hand=random_hand(rng), jpeg=None))


def write(folder: Path) -> None:
    """Draw every example into `folder`, with labels.json."""
    labels = []
    for example in EXAMPLES:
        page = draw(example)
        if example.file.endswith(".png"):
            ink = np.broadcast_to(np.array(example.style.ink, np.uint8), page.image.shape)
            Image.fromarray(np.dstack([ink, page.ink])).save(folder / example.file, optimize=True)
        else:
            picture, exif = Image.fromarray(page.image), Image.Exif()
            if example.sideways:
                picture, exif[_ORIENTATION] = picture.transpose(Image.Transpose.ROTATE_90), _ROTATE_CLOCKWISE
            picture.save(folder / example.file, quality=_JPEG_QUALITY, exif=exif)
        labels.append(
            {
                "file": example.file,
                "text": "\n".join(example.lines),
                "kind": "screenshot-drawing" if example.file.endswith(".png") else "photo",
                "ink": "light-on-dark" if example.style.light_on_dark else "dark-on-light",
                "notes": example.notes,
                "source": f"python examples/draw.py, seed {example.seed}",
                "licence": "Apache-2.0",
            }
        )
    (folder / "labels.json").write_text(json.dumps(labels, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
