import io
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.runtime.errors import ModelError
from digitocr.runtime.reader import Reader
from digitocr.runtime.reading import Box, Candidate
from digitocr.train.evaluation import evaluate as module
from digitocr.train.evaluation.corruptions import CORRUPTIONS
from digitocr.train.evaluation.evaluate import Page, as_text, evaluate, matched, page_report, pages
from digitocr.train.synthesis.fonts import find_fonts


@pytest.fixture(scope="module")
def fonts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fonts")
    (folder / "sans.ttf").symlink_to(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    return find_fonts(folder)


@pytest.fixture
def few(mnist, monkeypatch):
    """200 test images, and few of everything that is drawn."""
    monkeypatch.setattr(module, "NON_DIGITS", 60)
    monkeypatch.setattr(module, "PAGES", 3)
    return replace(mnist, test_images=mnist.test_images[:200], test_labels=mnist.test_labels[:200])


def reader_of(predict):
    """In place of Reader: one with that network, which finds nothing on a page."""
    classifier = SimpleNamespace(name="fake", sha256="0" * 64, predict=predict)
    return lambda *_, **__: SimpleNamespace(classifier=classifier, candidates=lambda _: [])


def test_the_report_of_the_shipped_network(few, fonts):
    report = evaluate(None, few, fonts)
    assert json.loads(json.dumps(report)) == report
    assert list(report) == [
        "schema",
        "model",
        "seed",
        "conf",
        "fonts",
        "mnist",
        "corruptions",
        "non_digits",
        "pages",
    ]
    assert report["model"]["name"] == "digitocr-int8"
    assert report["fonts"] == ["sans.ttf"]
    low, high = report["mnist"]["interval"]
    assert 0.95 < low < report["mnist"]["accuracy"] <= high
    assert 0.98 < report["mnist"]["accepted"] <= 1
    assert 0 < report["mnist"]["log_loss"] < 0.1
    mean, each = report["corruptions"].pop("mean"), report["corruptions"]
    assert list(each) == list(CORRUPTIONS)
    assert mean == np.mean([result["accuracy"] for result in each.values()])
    assert each["shear"]["accuracy"] > each["canny_edges"]["accuracy"]
    assert {kind: result["images"] for kind, result in report["non_digits"].items()} == {
        "letters": 60,
        "textures": 60,
        "noise": 60,
        "halves": 60 - int((few.test_labels[:60] == 1).sum()),
    }
    assert report["pages"]["pictures"] == 3
    assert report["pages"]["right"] > 0.7 * report["pages"]["digits"]


def test_the_seed_decides_what_is_drawn(few, fonts, monkeypatch):
    seen = []

    def predict(tensors):
        seen.append(tensors.sum())
        return np.full((len(tensors), 10), 0.1, np.float32)

    monkeypatch.setattr(module, "Reader", reader_of(predict))
    runs = []
    for seed in (0, 0, 1):
        seen.clear()
        evaluate(None, few, fonts, seed=seed)
        runs.append(np.array(seen))
    np.testing.assert_array_equal(runs[0], runs[1])
    changed = dict(
        zip(["mnist", *CORRUPTIONS, "letters", "textures", "noise", "halves"], runs[0] != runs[2], strict=True)
    )
    assert {name for name, different in changed.items() if not different} == {
        "mnist",
        "scale",
        "brightness",
        "stripe",
        "canny_edges",
    }


def test_an_eleventh_output_takes_from_the_confidence_and_is_never_the_answer(few, fonts, monkeypatch):
    sure = np.array([0, 0, 0, 0.4, 0, 0, 0, 0, 0, 0, 0.6], np.float32)  # a three, or rather no digit
    monkeypatch.setattr(module, "Reader", reader_of(lambda tensors: np.tile(sure, (len(tensors), 1))))
    threes = float((few.test_labels == 3).mean())
    for conf, accepted in ((0.5, 0.0), (0.4, 1.0)):
        report = evaluate(None, few, fonts, conf=np.float32(conf).item())
        mnist = report["mnist"]
        assert (mnist["accuracy"], mnist["accepted"]) == (threes, accepted)
        np.testing.assert_allclose(mnist["calibration_error"], 0.4 - threes, rtol=1e-6)
        np.testing.assert_allclose(mnist["log_loss"], -threes * np.log(0.4) - (1 - threes) * np.log(1e-12), rtol=1e-6)
        assert report["corruptions"]["mean"] == pytest.approx(threes)
        for result in report["non_digits"].values():
            assert (result["accepted"], result["auroc"], result["fpr95"]) == (accepted, 0.5, 1.0)


def test_a_network_that_knows_what_is_no_digit_is_told_from_one_that_does_not(few, fonts, monkeypatch):
    def predict(tensors):
        """Sure of what MNIST holds, which is all that comes two hundred at a time."""
        confidence = 0.9 if len(tensors) == 200 else 0.2
        return np.tile(np.array([confidence, *[0] * 9, 1 - confidence], np.float32), (len(tensors), 1))

    monkeypatch.setattr(module, "Reader", reader_of(predict))
    for result in evaluate(None, few, fonts)["non_digits"].values():
        assert (result["accepted"], result["auroc"], result["fpr95"]) == (0.0, 1.0, 0.0)


def test_a_model_that_cannot_be_used_is_an_error_before_anything_is_drawn(few, tmp_path):
    with pytest.raises(ModelError):
        evaluate(tmp_path / "missing.onnx", few, [])


def test_pages_read_by_the_shipped_network():
    report = page_report(Reader(), pages(seed=0, count=6))
    assert report["pictures"] == 6
    assert report["found"] + report["missed"] == report["digits"] > 20
    assert 0.8 * report["digits"] < report["right"] <= report["found"]


def test_pages_depend_on_the_seed_alone():
    first, again, other = (list(pages(seed, 3)) for seed in (0, 0, 1))
    for page, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(page.image, same.image)
        assert len(page.boxes) == len(page.labels)
    assert [page.labels.tolist() for page in first] != [page.labels.tolist() for page in other]


SCENE = Page(np.zeros((50, 50), np.uint8), np.array([[0, 0, 10, 10], [20, 0, 10, 10]]), np.array([3, 4], np.uint8))


def candidate(box, digit, confidence, kept=True):
    probabilities = [0.05] * 11  # the last is of no digit
    probabilities[digit], probabilities[10] = 0.1, 0.4
    return Candidate(Box(*box), 1.0, np.zeros((28, 28), np.uint8), tuple(probabilities), confidence, kept, "")


@pytest.mark.parametrize(
    ("candidates", "found", "right", "invented", "error", "error_all"),
    [
        ([], 0, 0, 0, 0, 0),
        ([candidate((0, 0, 10, 10), 3, 0.75)], 1, 1, 0, 0.25, 0.25),
        ([candidate((0, 0, 10, 10), 7, 0.75)], 1, 0, 0, 0.75, 0.75),  # found, and read wrong
        ([candidate((0, 0, 2, 2), 3, 0.75)], 0, 0, 1, 0.75, 0.75),  # something in a digit
        ([candidate((0, 0, 10, 10), 3, 0.25, kept=False)], 0, 0, 0, 0, 0.75),
        # the same digit twice: a candidate that was left out takes it from none that was read
        ([candidate((1, 0, 10, 10), 3, 0.9), candidate((0, 0, 10, 10), 3, 0.3, kept=False)], 1, 1, 0, 0.1, 0.4),
        # and twice read, it is there but once
        ([candidate((1, 0, 10, 10), 3, 0.9), candidate((0, 0, 10, 10), 3, 0.7)], 1, 1, 1, 0.6, 0.6),
    ],
)
def test_what_is_read_is_held_against_what_was_drawn(candidates, found, right, invented, error, error_all):
    reader = SimpleNamespace(candidates=lambda _: candidates)
    report = page_report(reader, [SCENE, SCENE])
    assert (report["pictures"], report["digits"], report["missed"]) == (2, 4, 4 - 2 * found)
    assert (report["found"], report["right"], report["invented"]) == (2 * found, 2 * right, 2 * invented)
    np.testing.assert_allclose([report["calibration_error"], report["calibration_error_all"]], [error, error_all])


def test_boxes_are_matched_best_first_and_once():
    truth = np.array([[0, 0, 10, 10], [20, 0, 10, 10], [40, 0, 10, 10]])
    boxes = np.array(
        [
            [1, 0, 10, 10],  # of the first, but another one fits better
            [0, 0, 10, 10],
            [20, 0, 10, 21],  # under half
            [40, 0, 20, 10],  # just half
            [99, 99, 5, 5],
        ]
    )
    assert matched(boxes, truth).tolist() == [-1, 0, -1, 2, -1]
    assert matched(boxes[:0], truth).tolist() == []
    assert matched(boxes, truth[:0]).tolist() == [-1] * 5


def test_the_text_has_the_numbers_in_80_columns(few, fonts):
    report = evaluate(None, few, fonts, conf=0.25)
    text = as_text(report)
    assert max(map(len, text.splitlines())) <= 80
    for line in (
        f"MNIST         {report['mnist']['accuracy']:.2%} of 200 (",
        f"  canny edges   {report['corruptions']['canny_edges']['accuracy']:8.2%}\n",
        "accepted at 0.25  AUROC  FPR at 95% TPR\n",
        f"{report['non_digits']['noise']['fpr95']:14.2%}\n",
        f"{report['pages']['digits']} digits: {report['pages']['found']} found",
    ):
        assert line in text


def test_a_bar_is_drawn_on_a_terminal_alone_and_wiped_off(few, fonts, monkeypatch):
    monkeypatch.setattr(module, "Reader", reader_of(lambda tensors: np.full((len(tensors), 10), 0.1, np.float32)))
    plain, terminal = io.StringIO(), io.StringIO()
    terminal.isatty = lambda: True
    for stream in (plain, terminal):
        monkeypatch.setattr("sys.stderr", stream)
        evaluate(None, few, fonts)
    assert plain.getvalue() == ""
    drawn = terminal.getvalue().split("\r")
    assert drawn[1] == "-------------------- MNIST         "
    assert drawn[-3].startswith("##################-- drawn pages")
    assert drawn[-2:] == [" " * len(drawn[1]), ""]
