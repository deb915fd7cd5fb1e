"""The code does what docs/preprocessing.md specifies: golden files follow from each other. Nothing here writes them."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

SPEC = Path(__file__).parents[1] / "docs" / "spec"
GOLDEN = json.loads((SPEC / "golden.json").read_text("utf-8"))
LEVELS = {"turned": 2, "strip": 3}  # grey levels by which versions of OpenCV interpolate differently; else 1
EDGE_LEVELS = 8  # grey levels; OpenCV takes a strip's pixels at places rounded to 1/32 pixel, the port does not


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
        assert np.abs(picture.astype(int) - expected).max() <= LEVELS.get(name.split("-")[0], 1), name


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


def test_a_port_written_from_the_page_makes_the_same_of_lines(made):
    port = loaded("port")
    page = made.picture("page").astype(float)
    lines = [{key: value for key, value in line.items() if key != "corners"} for line in GOLDEN["strips"]]
    places = port.places(np.array(made.LINED, np.float64).tolist())
    compare(lines, places, "places")
    for number, (line, place) in enumerate(zip(GOLDEN["strips"], places, strict=True), 1):
        corners = [port.to_picture(place, u, v) for u in (0, place["width"]) for v in (0, 32)]
        compare(line["corners"], [list(corner) for corner in corners], "corners")
        off = np.abs(port.strip(page, place) - made.picture(f"strip-{number}"))
        assert off.max() <= EDGE_LEVELS
        assert off.mean() < 0.5
    rows = [list(map(float, box)) for box in made.UNIT]
    above, below = port.places(rows)
    found = [port.fitted(below if fit[0] > 3 else above, rows, list(fit)) for fit in made.FITS]
    compare(GOLDEN["fitted"]["places"], found, "places of clear digits")
    assert [place is above for place in found] == [False, False, False, True, False, False]
    assert found[5]["scale"] == 1.5
    assert found[4] is below
    planes = port.recognizer_planes(made.picture("strip-2").astype(float))
    for plane, row, column, value in GOLDEN["recognizer planes"]["values"]:
        assert planes[plane, row, column] == pytest.approx(value, abs=0.001)


def test_a_port_written_from_the_page_finds_the_same_characters(made):
    port = loaded("port")
    columns = made._columns().astype(float)
    found = port.segments(columns)
    expected = GOLDEN["segments"]["found"]
    assert [part[:2] for part in found] == [(part["left"], part["right"]) for part in expected]
    compare([part["probabilities"] for part in expected], [part[2].tolist() for part in found], "segments")
    boxes = [list(map(float, row[:4])) for row in made.CANDIDATES if row[4] >= 0.05]
    (place,) = port.places(boxes)
    assert port.clear(place, boxes, columns[: place["width"] // 2]) == GOLDEN["fitted"]["clear"]
    assert 0 < len(GOLDEN["fitted"]["clear"]) < len(boxes)
    looks = GOLDEN["closer"]
    for place, larger in zip(GOLDEN["strips"], looks["places"], strict=True):
        assert port.closer(place)["width"] == larger["width"]
        assert port.closer(place)["scale"] == pytest.approx(larger["scale"])
    assert not port.is_doubtful(columns.round(6))
    assert any(looks["doubtful"])
    assert port.is_doubtful(made._dimmed().astype(float))
    compare(looks["columns"], port.looked_twice(columns[:20], columns[:24]).tolist(), "columns of two looks")
    golden = GOLDEN["characters"]
    rows = golden["candidates"]
    boxes, sure = [row[:4] for row in rows], [index for index, row in enumerate(rows) if row[4] >= 0.05]
    (place,) = port.places([boxes[index] for index in sure])
    seen, new, others, beside = port.characters(place, boxes, columns[: place["width"] // 2])
    compare(golden["boxes"], [*boxes, *(box for box, _ in new)], "boxes")
    lined = np.array([*seen, *(r for _, r in new)])
    total = port.shown(columns[: place["width"] // 2])
    compare(golden["lined"], lined.tolist(), "lined")
    compare(golden["others"], [list(other) for other in others], "others")
    for index, r in enumerate(lined):
        c, q = np.full(11, 1 / 11), 0.3
        if is_found := index < len(rows):
            *_, q, digit, share = rows[index]
            c[:] = (1 - share) / 10
            c[digit] = share
        compare(golden["digits"][index], port.combined(c, r).tolist(), "digits")
        of = port.character_features(q, is_found, c, r, beside[index], total, golden["boxes"][index][3] / 200)
        compare(golden["features"][index], of, "features")
