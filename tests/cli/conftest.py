"""What the tests of several commands use."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def digitocr():
    """A function that runs `digitocr` with those words as a process of its own."""

    def run(*words, cwd=None, stdin=None):
        command = [sys.executable, "-m", "digitocr.cli.main", *map(str, words)]
        return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True)

    return run


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Two drawn pages, a blank one, a file that is no picture, and one that is nothing of all that."""
    from digitocr.train.synthesis.pages import draw_page, random_style

    folder = tmp_path_factory.mktemp("pictures")
    for name, lines in (("a.png", ["407", "12"]), ("b.jpg", ["38"])):
        rng = np.random.default_rng(2)
        style = random_style(rng, (480, 360), light_on_dark=False)
        Image.fromarray(draw_page(lines, rng, style).image).save(folder / name)
    Image.new("L", (200, 100), 180).save(folder / "c.png")
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("nothing")
    return folder
