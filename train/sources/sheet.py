"""A sheet with some pictures of each class of a labelled set, as the network gets them, to look at."""

import numpy as np
from numpy.random import default_rng
from PIL import Image, ImageDraw

from digitocr.train.sources.labelled import CLASSES, Labelled

SHOWN = 10  # pictures of each class
CELL = 62  # pixels; a picture at twice its size, and a gap
PICTURE = 56  # pixels
MARGIN = 48  # pixels; for the name of the class
SEED = 0  # of which pictures are shown
BACKGROUND, INK = 90, 255  # grey levels


def sheet(labelled: Labelled) -> Image.Image:
    """A row for each class that occurs, of up to SHOWN pictures drawn from a seed: a grey PIL image."""
    rng = default_rng(SEED)
    occurring = [label for label in range(len(CLASSES)) if (labelled.labels == label).any()]
    page = Image.new("L", (MARGIN + SHOWN * CELL, CELL * len(occurring)), BACKGROUND)
    draw = ImageDraw.Draw(page)
    for row, label in enumerate(occurring):
        draw.text((8, row * CELL + CELL // 2 - 6), CLASSES[label], fill=INK)
        of_class = np.flatnonzero(labelled.labels == label)
        chosen = np.sort(rng.permutation(of_class)[:SHOWN]).tolist()
        for column, at in enumerate(chosen):
            picture = Image.fromarray(labelled.images[at]).resize((PICTURE, PICTURE), Image.Resampling.NEAREST)
            page.paste(picture, (MARGIN + column * CELL, row * CELL + (CELL - PICTURE) // 2))
    return page
