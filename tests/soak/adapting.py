"""Small networks in the place of the shipped ones, which learn for a few steps, and a gate that passes all."""

from pathlib import Path
from typing import Any

import numpy as np
from drawn import bars


def make_small() -> None:
    """Makes an adaptation in this process one of seconds."""
    import keras

    from digitocr.train.adapt import fit, gate, teach
    from digitocr.train.adapt.drawing import Drawn
    from digitocr.train.classifier.crops import Crops
    from digitocr.train.sources import load

    def classifier() -> Any:
        image = keras.Input((28, 28, 1))
        x = keras.layers.Flatten()(keras.layers.AveragePooling2D(4)(image))
        return keras.Model(image, keras.layers.Dense(11, activation="softmax")(x))

    def mnist(source: Path | None, *_: Any, **ways: Any) -> Any:
        from digitocr.train.data import Mnist

        return Mnist(*bars(240), *bars(50), digest="drawn") if source is None else real(source, **ways)

    def drawn(*_: Any) -> Drawn:
        nothing = np.zeros(0, np.float16)
        return Drawn(Crops(*bars(60)), np.zeros((0, 256, 256), np.uint8), nothing, nothing.astype(np.uint8), nothing)

    def passed(*_: Any) -> dict[str, Any]:
        own = {"before": 0, "after": 1, "pictures": 1, "mended": 1, "broken": 0, "p": 0.5}
        report = {"schema": gate.GATE_SCHEMA, "own": own, "failures": [], "passed": True}
        return report | {"mnist": {"before": 1.0, "after": 1.0}}

    real = load.load_data
    load.load_data = mnist
    fit.draw, gate.judged = drawn, passed
    teach.LOAD["classifier"] = classifier
    teach.COURSES["classifier"] = teach.Course(rate=0.02, steps=20, own=16, drawn=16)
    teach.CHECK, teach.HELD_DRAWN = 4, 2
