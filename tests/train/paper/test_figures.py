import base64
import io
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitocr.train.paper import figures

DIGIT = np.eye(28)
DRAWN = {
    "labels": lambda: figures.labels([5, 3, 0, 7]),
    "grid": lambda: figures.grid([DIGIT] * 3, 2),
    "titles": lambda: figures.grid([DIGIT] * 3, 2, ["a", "b", "c"]),
    "matrix": lambda: figures.matrix([[9, 1], [0, 8]]),
    "curves": lambda: figures.curves({"a": [[1, 2], [2, 3]], "b": [[1, 1]]}, "accuracy"),
    "one epoch": lambda: figures.curves({"a": [[1]]}, "accuracy"),
    "dots": lambda: figures.dots({"a": [1, 2], "b": [3]}, {"a": 1.5}, "accuracy", "the paper's run"),
    "front": lambda: figures.front([(10, 1), (20, 2), (30, 1)], [(20, 2), (10, 1)], "KB", "accuracy"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_svg_that_follows_the_colour_scheme_and_is_the_same_each_time(name: str) -> None:
    svg = DRAWN[name]()
    assert svg == DRAWN[name]()
    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme: dark" in svg
    assert not re.search(f"(stroke|fill): {figures.INK_COLOUR}", svg)
    assert "<?xml" not in svg
    assert "<dc:date>" not in svg


def test_text_stays_text() -> None:
    assert ">the paper's run<" in DRAWN["dots"]()
    assert ">5<" in DRAWN["labels"]()


def test_pictures_stand_side_by_side_and_each_has_its_title() -> None:
    svg = DRAWN["titles"]()
    (picture,) = re.findall(r"data:image/png;base64,([\w+/=\s]+)", svg)
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGBA"))
    assert (sheet[..., 3] == 0).any()  # between them
    assert (sheet[sheet[..., 3] == 255][:, :3] == 255).all(axis=1).sum() == 3 * 28
    assert all(f">{title}<" in svg for title in "abc")


@pytest.mark.parametrize("epochs", [1, 3])
def test_the_curves_of_a_run_are_a_png_of_three_parts(epochs: int, tmp_path: Path) -> None:
    row = {"epoch": 1.0, "accuracy": 1.0, "loss": 0.5, "val_accuracy": 0.4, "val_loss": 0.7}
    figures.draw_curves([row] * epochs, [[9, 1], [0, 8]], tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (1500, 450))
        ink = np.asarray(picture.convert("L")) < 200
    assert all(third.any() for third in np.split(ink, 3, axis=1))
