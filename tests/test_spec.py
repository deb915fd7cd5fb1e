"""The code does what docs/preprocessing.md specifies: golden files follow from each other. Nothing here writes them."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

SPEC = Path(__file__).parents[1] / "docs" / "spec"
GOLDEN = json.loads((SPEC / "golden.json").read_text("utf-8"))
LEVELS = {"turned": 2}  # grey levels by which versions of OpenCV interpolate differently; 1 for the other pictures


def loaded(name):
    """A script of docs/spec/ as a module."""
    spec = spec_from_file_location(f"spec_{name}", SPEC / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made():
    """docs/spec/make.py, which does each step on the golden inputs."""
    return loaded("make")


def test_the_specification_is_of_this_version():
    page = (SPEC.parent / "preprocessing.md").read_text("utf-8")
    assert f"version {GOLDEN['preprocessing']}" in page


def test_pictures_follow_from_each_other(made):
    pictures = made.pictures()
    assert {path.stem for path in SPEC.glob("*.png")} == {"page", "lone", *pictures}
    for name, picture in pictures.items():
        expected = made.picture(name)
        assert picture.shape == expected.shape
        assert np.abs(picture.astype(int) - expected).max() <= LEVELS.get(name, 1), name


def test_numbers_follow_from_their_inputs(made):
    compare(GOLDEN, made.golden(), "")


def compare(expected, actual, where):
    """Numbers are equal to 0.001, boxes of a reading to a pixel and its confidences to 0.01; all else is the same."""
    if isinstance(expected, dict):
        assert expected.keys() == actual.keys(), where
        for key, value in expected.items():
            compare(value, actual[key], f"{where} {key}")
    elif isinstance(expected, list):
        assert len(expected) == len(actual), where
        for place, pair in enumerate(zip(expected, actual, strict=True)):
            compare(*pair, f"{where} {place}")
    elif isinstance(expected, str):
        assert expected == actual, where
    else:
        kind = " ".join(where.split()[:2])
        tolerance = {"reading boxes": 1, "reading confidence": 0.01}.get(kind, 0.001)
        assert abs(expected - actual) <= tolerance, where


def test_a_port_written_from_the_page_gives_the_same(made):
    port = loaded("port")

    def pictures(name):
        return made.picture(name).astype(float).reshape(-1, 28, 28)

    page = made.picture("page").astype(float)
    ported = {
        "coarse": port.shrunk(port.shrunk(page, 512), 128),
        "even": port.evened(page),
        "crops": np.concatenate([port.crop(page, np.float32(box).tolist()) for box in GOLDEN["crops"]["boxes"]]),
        "normalised": np.concatenate([port.normalised(one) for one in pictures("crops")]),
        "lone-normalised": np.concatenate([port.lone(one) for one in pictures("lone")]),
    }
    for name, picture in ported.items():
        assert np.abs(picture - made.picture(name)).max() <= 1, name
    rows, columns = GOLDEN["planes"]["rows"], GOLDEN["planes"]["columns"]
    planes = port.planes(page[slice(*rows), slice(*columns)])
    for plane, row, column, value in GOLDEN["planes"]["values"]:
        assert planes[plane, row, column] == pytest.approx(value, abs=0.001)
    boxes, scores = port.decoded(np.array(GOLDEN["decoded"]["output"]))
    compare(GOLDEN["decoded"]["boxes"], boxes, "decoded boxes")
    compare(GOLDEN["decoded"]["scores"], scores, "decoded scores")
    suppression = GOLDEN["suppression"]
    kept = port.suppressed(suppression["boxes"], suppression["scores"])
    assert [suppression["boxes"][index] for index in kept] == suppression["kept"]
    lines, confidence = GOLDEN["lines"], GOLDEN["confidence"]
    compare(lines["slope"], port.slope(lines["boxes"]), "slope")
    assert port.reading_order(lines["boxes"]) == lines["order"]
    features = port.features(lines["boxes"], lines["scores"], confidence["probabilities"])
    compare(confidence["features"], features, "features")
