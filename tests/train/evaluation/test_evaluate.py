import io
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.runtime.errors import InputError, ModelError
from digitocr.runtime.models import MODELS
from digitocr.train.data import Mnist, Origin
from digitocr.train.evaluation import evaluate as module
from digitocr.train.evaluation import mnist_c
from digitocr.train.evaluation.corruptions import CORRUPTIONS
from digitocr.train.evaluation.evaluate import as_text, evaluate
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
    classifier = SimpleNamespace(name="fake", sha256="0" * 64, predict=predict, outputs="logits", card={})
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
        "data",
        "mnist",
        "corruptions",
        "mnist_c",
        "non_digits",
        "pages",
    ]
    assert report["model"]["name"] == "digitocr-int8"
    assert (report["model"]["outputs"], report["model"]["outputs_from"]) == ("logits", "card")
    assert report["mnist_c"] is None
    assert report["data"] == {"source": "MNIST", "digest": few.digest}
    assert report["fonts"] == ["sans.ttf"]
    assert (report["mnist"]["right"], report["mnist"]["accepted"]) == (200, 1.0)
    assert report["mnist"]["interval"] == pytest.approx([0.9812, 1.0], abs=1e-4)
    assert 0 < report["mnist"]["log_loss"] < 0.01
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
    assert [report["pages"][key] for key in ("pictures", "digits", "right", "invented")] == [3, 39, 39, 0]


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


@pytest.fixture
def published(few, tmp_path, monkeypatch):
    """A folder like that of the published MNIST-C, with the test images themselves in place of each corruption."""
    monkeypatch.setattr(mnist_c, "TEST_IMAGES", len(few.test_labels))
    for name in CORRUPTIONS:
        folder = tmp_path / "mnist_c" / name
        folder.mkdir(parents=True)
        np.save(folder / "test_images.npy", few.test_images[..., None])
        np.save(folder / "test_labels.npy", few.test_labels.astype(np.int64))
    return tmp_path / "mnist_c"


def test_only_the_published_files_are_called_mnist_c(few, fonts, published):
    alone, both = evaluate(None, few, fonts), evaluate(None, few, fonts, mnist_c=published)
    assert {**both, "mnist_c": None} == alone
    assert list(both["mnist_c"]) == ["mean", *CORRUPTIONS]
    for name in CORRUPTIONS:
        assert both["mnist_c"][name] == {key: both["mnist"][key] for key in both["mnist_c"][name]}
    assert both["mnist_c"]["mean"] == pytest.approx(both["mnist"]["accuracy"])
    own = f"corruptions   {both['corruptions']['mean']:.2%} on average (made after MNIST-C's fifteen kinds)"
    theirs = f"MNIST-C       {both['mnist_c']['mean']:.2%} on average (published)"
    assert own in as_text(alone).splitlines()
    assert not any(line.startswith("MNIST-C") for line in as_text(alone).splitlines())
    assert [line for line in as_text(both).splitlines() if "on average" in line] == [own, theirs]


def test_a_folder_without_the_published_files_is_an_error_before_anything_is_measured(few, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "Reader", reader_of(pytest.fail))
    with pytest.raises(InputError, match=r"mnist_c\.zip"):
        evaluate(None, few, [], mnist_c=tmp_path)


@pytest.mark.parametrize("softmax", [False, True])
def test_a_model_of_others_is_measured_alike_with_and_without_its_own_softmax(softmax, few, fonts, tmp_path):
    """The shipped float32 network without its card, and with a softmax at its end."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(MODELS / "digitocr-float32.onnx")
    del model.metadata_props[:]
    if softmax:
        output = model.graph.output[0]
        logits = output.name
        output.name = "probabilities"
        model.graph.node.append(onnx.helper.make_node("Softmax", [logits], ["probabilities"], axis=1))
    path = tmp_path / "foreign.onnx"
    onnx.save(model, path)
    report, expected = evaluate(path, few, fonts), evaluate(MODELS / "digitocr-float32.onnx", few, fonts)
    kind = "probabilities" if softmax else "logits"
    assert (report["model"]["outputs"], report["model"]["outputs_from"]) == (kind, "probe")
    for key in ("right", "accepted", "calibration_error", "log_loss"):
        assert report["mnist"][key] == pytest.approx(expected["mnist"][key], abs=1e-5)
    assert report["mnist"]["accepted"] > 0.98  # with two softmaxes no picture is accepted
    assert report["mnist"]["calibration_error"] < 0.02
    said = "no softmax applied" if softmax else "softmax applied"
    assert f"output        {kind}: by the same images; {said}" in as_text(report).splitlines()
    found = report["model"]["interface"]
    assert (found["input"], found["levels"], found["ink"]) == ("(N, 28, 28, 1)", "0 to 1", "bright")


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


def test_a_bar_is_drawn_on_a_terminal_alone(few, fonts, monkeypatch):
    monkeypatch.setattr(module, "Reader", reader_of(lambda tensors: np.full((len(tensors), 10), 0.1, np.float32)))
    plain, terminal = io.StringIO(), io.StringIO()
    terminal.isatty = lambda: True
    for stream in (plain, terminal):
        monkeypatch.setattr("sys.stderr", stream)
        evaluate(None, few, fonts)
    assert plain.getvalue() == ""
    drawn = terminal.getvalue()
    steps = ["MNIST", *(name.replace("_", " ") for name in CORRUPTIONS), "non-digits", "drawn pages"]
    places = [drawn.find(f" {step}") for step in steps]
    assert places == sorted(places)
    assert places[0] > 0
    assert "#" * module.BAR_WIDTH in drawn[places[-2] :]
    assert drawn.endswith("\n")


def test_own_data_are_named_and_their_pictures_without_a_digit_are_measured(fonts, monkeypatch):
    """Ones alone, of which no halves are made."""
    monkeypatch.setattr(module, "NON_DIGITS", 8)
    monkeypatch.setattr(module, "PAGES", 1)
    monkeypatch.setattr(module, "Reader", reader_of(lambda tensors: np.full((len(tensors), 10), 0.1, np.float32)))
    ones = np.zeros((3, 28, 28), np.uint8)
    ones[:, 4:24, 13:16] = 255
    labels = np.ones(3, np.uint8)
    own = Mnist(ones, labels, ones, labels, "own", test_others=ones[:2], origin=Origin("my.csv", "all", ()))
    report = evaluate(None, own, fonts)
    assert report["data"] == {"source": "my.csv", "digest": "own"}
    assert list(report["non_digits"]) == ["letters", "textures", "noise", "own"]
    assert report["non_digits"]["own"]["images"] == 2
    text = as_text(report)
    assert "own digits    0.00% of 3" in text
    assert "  own  " in text
