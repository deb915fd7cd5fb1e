"""How a classifier is trained: the recipes that `digitocr train --recipe` offers."""

from dataclasses import dataclass
from typing import Literal

from digitocr.train.classifier.distort import Distort


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. The loss is always categorical cross-entropy, pixels are scaled to 0 to 1.

    Attributes:
        good_for: The pictures that its networks read.
        epochs: Default number of epochs.
        learning_rate: Rate of the optimizer, for cosine the highest one.
        schedule: "constant", or "cosine" for a rate that falls to 0 over all steps.
        weight_decay: 0 for Adam (D. Kingma, J. Ba, 2015), above 0 for AdamW (I. Loshchilov, F. Hutter, 2019).
        batch_size: Default number of images per step.
        classes: 10, the digits, or 11 with "no digit".
        scenes: Number of synthetic scenes whose crops replace a part of each batch, which is then augmented as well
            (augment.py); 0 for none.
        distort: Makes other pictures of MNIST's digits in every epoch; None leaves them as they are.
        dropout: Rate of the dropout layers; 0.5 in the paper.
        label_smoothing: Share of a label that is spread evenly over all classes (C. Szegedy et al., 2016).
    """

    good_for: str
    epochs: int
    learning_rate: float
    schedule: Literal["constant", "cosine"] = "constant"
    weight_decay: float = 0.0
    batch_size: int = 128
    classes: int = 10
    scenes: int = 0
    distort: Distort | None = None
    dropout: float = 0.5
    label_smoothing: float = 0.0


RECIPES = {
    # The paper gives neither epochs nor batch size; with these, 99.16 to 99.34 % of the test images are right.
    "paper": Recipe(
        good_for="28x28 digits as in MNIST; in photographs use a network of --recipe robust",
        epochs=10,
        learning_rate=0.001,  # Keras's default for Adam
    ),
    # For MNIST itself: every epoch shows other pictures of the same digits (docs/decisions/recipe.md).
    "best": Recipe(
        good_for="28x28 digits as in MNIST; in photographs use a network of --recipe robust",
        epochs=30,
        learning_rate=0.004,
        schedule="cosine",
        weight_decay=0.01,
        batch_size=64,
        distort=Distort(affine=True, elastic=True),
        dropout=0.0,
        label_smoothing=0.1,
    ),
    # For real pictures: other hands and pens, printed digits, forms and boards, and shapes that are no digit.
    "robust": Recipe(
        good_for="digits that the detector finds in photographs, scans and video",
        epochs=30,
        learning_rate=0.002,
        schedule="cosine",
        weight_decay=0.0001,
        classes=11,
        scenes=24_000,
    ),
}
