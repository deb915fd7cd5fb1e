"""The shipped models answer what they answered when they were shipped: tests/golden/make.py wrote the answers once."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

GOLDEN = Path(__file__).parent / "golden"
TOLERANCE = {"float32": 0.002, "int8": 0.05}  # of a probability; integer kernels differ between processors
MAKE = runpy.run_path(str(GOLDEN / "make.py"))


@pytest.fixture(scope="module")
def pictures():
    return np.load(GOLDEN / "digits.npz")["digits"]


def test_every_shipped_classifier_has_its_golden_file():
    assert {path.name for path in GOLDEN.glob("*.json")} == {
        "readings.json",
        *(f"{n}.json" for n in MAKE["CLASSIFIERS"]),
    }


@pytest.mark.parametrize("name", MAKE["CLASSIFIERS"])
def test_a_shipped_model_gives_its_golden_probabilities(name, pictures):
    if name.endswith(".tflite"):
        pytest.importorskip("ai_edge_litert")
    golden, answer = json.loads((GOLDEN / f"{name}.json").read_text("utf-8")), MAKE["classified"](name, pictures)
    assert answer["sha256"] == golden["sha256"], "another model: python tests/golden/make.py"
    probabilities, expected = np.array(answer["probabilities"]), np.array(golden["probabilities"])
    (tolerance,) = (limit for kind, limit in TOLERANCE.items() if kind in name)
    np.testing.assert_allclose(probabilities, expected, atol=tolerance)
    assert (expected.max(1) < 0.99).sum() >= 8  # pictures that are not certain, which would hide a change


@pytest.mark.parametrize("number", range(MAKE["PAGES"]))
def test_a_drawn_page_gives_its_golden_reading(number):
    golden = json.loads((GOLDEN / "readings.json").read_text("utf-8"))[number]
    reading = MAKE["read"](number)
    assert (reading["text"], reading["turned"]) == (golden["text"], golden["turned"])
    read, expected = np.array(reading["digits"]), np.array(golden["digits"])
    np.testing.assert_allclose(read[:, 0], expected[:, 0], atol=0.05)
    np.testing.assert_allclose(read[:, 1:], expected[:, 1:], atol=3)
