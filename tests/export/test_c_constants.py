"""The header with the numbers that C and Python share."""

import re
from dataclasses import replace

import numpy as np

from digitocr.export.c_constants import SHARED, constants
from digitocr.runtime import lines
from digitocr.runtime.confidence import CHARACTER_FEATURES, load_confidence

MODEL = load_confidence()


def defined(text: str) -> dict[str, str]:
    return dict(re.findall(r"^#define (DG_\w+) (.+)$", text, re.MULTILINE))


def test_a_threshold_is_the_one_of_its_file() -> None:
    made = defined(constants(MODEL))
    assert float(made["DG_LINES_MAX_LINK_SLOPE"]) == lines.MAX_LINK_SLOPE
    for module, names in SHARED:
        prefix = module.__name__.rsplit(".", 1)[-1].upper()
        assert all(f"DG_{prefix}_{name}" in made for name in names)


def test_weights_are_those_of_the_confidence_in_the_order_of_its_features() -> None:
    weights = np.arange(len(CHARACTER_FEATURES), dtype=np.float32) / 3
    made = defined(constants(replace(MODEL, right_weights=weights)))
    written = np.array(made["DG_CONFIDENCE_RIGHT_WEIGHTS"].strip("{}").split(","), np.float64)
    np.testing.assert_array_equal(written, weights.astype(np.float64))
    assert int(made["DG_CHARACTER_AGREEMENT"]) == CHARACTER_FEATURES.index("agreement")
    assert int(made["DG_CHARACTER_DIGIT_0"]) == CHARACTER_FEATURES.index("digit 0")
    assert int(made["DG_CHARACTER_FEATURES"]) == len(CHARACTER_FEATURES)
