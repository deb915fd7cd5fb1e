import copy

import numpy as np
import pytest

from digitocr.train.adapt import gate as module
from digitocr.train.adapt.gate import agrees, failures_of, go_back
from digitocr.train.adapt.own import Picture

DRAWN = {"digits": 1000, "right": 900, "invented": 20, "calibration_error": 0.03}
GOOD = {
    "own": {"pictures": 20, "mended": 4, "broken": 1},
    "mnist": {"before": 0.9961, "after": 0.9956},
    "drawn": {"before": DRAWN, "after": {**DRAWN, "right": 890, "invented": 30, "calibration_error": 0.045}},
}


def test_what_is_worse_within_the_limits_passes():
    assert failures_of(GOOD) == []


@pytest.mark.parametrize(
    ("part", "values", "why"),
    [
        ("own", {"mended": 1}, "1 of 20 are mended and 1 broken"),
        ("own", {"mended": 0, "broken": 0}, "more must be mended than broken"),
        ("mnist", {"after": 0.9955}, "MNIST: 0.06 points are lost, at most 0.05 may"),
        ("drawn", {"after": {**DRAWN, "right": 889}}, "right was 90.00 % and is 88.90 %"),
        ("drawn", {"after": {**DRAWN, "invented": 31}}, "invented was 2.00 % and is 3.10 %"),
        ("drawn", {"after": {**DRAWN, "calibration_error": 0.05}}, "calibration error was 3.00 % and is 5.00 %"),
    ],
)
def test_what_is_worse_than_that_is_refused_with_its_numbers(part, values, why):
    report = copy.deepcopy(GOOD)
    report[part] |= values
    (failure,) = failures_of(report)
    assert why in failure


def test_a_doubtful_place_is_right_only_where_nobody_can_tell():
    assert agrees("4?7", "4?7")
    assert not agrees("4?7", "47")
    assert not agrees("", "3")
    assert not agrees("407", "4071")


class Told:
    """In a Reader's place: reads what it is told, one text after the other."""

    def __init__(self, *texts):
        self._texts = iter(texts)

    def read(self, gray):
        assert gray.shape == (40, 40)
        return type("Reading", (), {"text": next(self._texts)})()


def test_pictures_are_read_before_and_after_and_counted(monkeypatch):
    blank = np.zeros((40, 40), np.uint8)
    pictures = [
        Picture(name, lines, "", blank) for name, lines in (("a", ("407",)), ("b", ("8",)), ("c", ()), ("d", ("1",)))
    ]
    before, after = Told("407", "3", "6", "1"), Told("401", "8", "", "1")
    monkeypatch.setattr(module, "Reader", lambda: before)
    monkeypatch.setattr(module, "keras_reader", lambda _: after)
    monkeypatch.setattr(module, "_pages", lambda *_: [])
    monkeypatch.setattr(module, "page_report", lambda *_: DRAWN)
    report = module.judged({}, pictures, None, [], lambda _: None)
    own = report["own"]
    assert (own["before"], own["after"], own["mended"], own["broken"]) == (2, 3, 2, 1)
    assert own["p"] == 1.0
    assert (own["digits"], own["wrong_before"], own["wrong_after"]) == (5, 2, 1)
    assert [(row["name"], row["before"], row["after"], row["right"]) for row in report["pictures"]][:2] == [
        ("a", "407", "401", [True, False]),
        ("b", "3", "8", [False, True]),
    ]
    assert report["passed"]


def test_a_picture_that_cannot_be_read_any_more_is_left_out(monkeypatch, tmp_path):
    gone = Picture("gone", ("4",), "", tmp_path / "gone.png")
    kept = Picture("kept", ("4",), "", np.zeros((40, 40), np.uint8))
    monkeypatch.setattr(module, "Reader", lambda: Told("4"))
    monkeypatch.setattr(module, "keras_reader", lambda _: Told("7"))
    monkeypatch.setattr(module, "_pages", lambda *_: [])
    monkeypatch.setattr(module, "page_report", lambda *_: DRAWN)
    report = module.judged({}, [gone, kept], None, [], lambda _: None)
    assert [row["name"] for row in report["pictures"]] == ["kept"]
    assert report["own"]["pictures"] == 1


class Network:
    """One with a single weight."""

    def __init__(self, weight):
        self.set_weights([np.float32(weight)])

    def get_weights(self):
        return self._weights

    def set_weights(self, weights):
        self._weights = weights


@pytest.mark.parametrize(("invented", "kept"), [(4, 1.0), (8, 0.5), (400, 0.0)])
def test_networks_go_back_until_drawn_scenes_are_read_nearly_as_before(invented, kept, monkeypatch):
    networks = {"detector": Network(3), "recognizer": Network(5), "classifier": Network(7)}
    monkeypatch.setattr(module, "Reader", lambda: None)
    monkeypatch.setattr(module, "keras_reader", lambda networks: networks["detector"])
    monkeypatch.setattr(module, "_pages", lambda *_: [])

    def report(reader, _):
        learned = reader.get_weights()[0] - 1 if reader else 0
        return {**DRAWN, "invented": DRAWN["invented"] + invented * learned / 2}

    monkeypatch.setattr(module, "page_report", report)
    said = []
    go_back(networks, {"detector": [np.float32(1)], "recognizer": [np.float32(1)]}, None, [], said.append)
    weights = {name: float(network.get_weights()[0]) for name, network in networks.items()}
    assert weights == {"detector": 1 + 2 * kept, "recognizer": 1 + 4 * kept, "classifier": 7}
    what = f"reading drawn scenes with {kept:.0%} of" if kept else "nothing of"
    assert said[-1].startswith(f"{what} what recognizer and detector learned")
