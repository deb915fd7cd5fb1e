import csv
import json

import keras
import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.runtime.confidence import load_confidence
from digitocr.runtime.errors import GateError, OutputError, UsageError
from digitocr.train import fit as public_fit
from digitocr.train import resume
from digitocr.train.adapt import fit as module
from digitocr.train.adapt import gate
from digitocr.train.adapt.fit import AdaptSettings
from digitocr.train.paper.report import pages

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


@pytest.fixture
def settings(tmp_path):
    """Own digits as an .npz, and a font."""
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "sans.ttf").symlink_to(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    labels = np.resize(np.arange(10, dtype=np.uint8), 60)
    images = np.zeros((60, 28, 28), np.uint8)
    for number, image in enumerate(images):
        image[22 - 2 * (number % 10) :][:2, 6 + number // 10 : 22 - number // 10] = 255
    np.savez(tmp_path / "own.npz", x=images, y=labels)
    return AdaptSettings(str(tmp_path / "own.npz"), seed=3, fonts=str(tmp_path / "fonts"))


@pytest.fixture
def judge(small, few, monkeypatch):
    """A function that has the gate pass or refuse; nothing is drawn."""
    drawn = {"digits": 100, "right": 90, "invented": 1, "calibration_error": 0.02}
    rows = [
        {"name": "a", "file": "", "page": 0, "group": "", "text": "407", "before": "401", "after": "407"},
        {"name": "b", "file": "", "page": 0, "group": "", "text": "8", "before": "8", "after": ""},
        {"name": "c", "file": "", "page": 0, "group": "", "text": "", "before": "6\n6", "after": "6"},
    ]
    rights = ([False, True], [True, False], [False, False])
    report = {
        "schema": "digitocr-adapt/1",
        "limits": {"mnist_drop": 0.05},
        "own": {
            "pictures": 3,
            "before": 1,
            "after": 1,
            "mended": 1,
            "broken": 1,
            "p": 1.0,
            "digits": 4,
            "wrong_before": 3,
            "wrong_after": 2,
        },
        "mnist": {"before": 0.9961, "after": 0.996},
        "drawn": {"before": drawn, "after": drawn},
        "pictures": [{**row, "right": right, "wrong": [0, 0]} for row, right in zip(rows, rights, strict=True)],
    }
    monkeypatch.setattr(module, "draw", lambda *_: few)

    def to(*failures):
        monkeypatch.setattr(gate, "judged", lambda *_: {**report, "failures": list(failures), "passed": not failures})

    return to


def test_a_run_has_the_networks_that_passed_and_their_confidence(judge, settings, mnist_like, tmp_path, capsys):
    judge()
    report = public_fit(mnist_like, settings, tmp_path / "run")
    assert report["own"]["mended"] == 1
    names = {"run.json", "split.csv", "history.csv", "adapt.json", "model.keras", "confidence.json"}
    assert {path.name for path in (tmp_path / "run").iterdir()} == names  # 28x28: no lines and no scenes to learn from
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["kind"], record["settings"]["recipe"]) == ("adapt", "adapt")
    assert record["command"].startswith("digitocr train --recipe adapt --data ")
    assert record["own"] | {"digest": ""} == {
        "source": settings.data,
        "digest": "",
        "split": "by chance, seed 0",
        "taught": 33,
        "held": 7,
        "test": 20,
    }
    with (tmp_path / "run" / "split.csv").open(newline="") as file:
        parts = [row["part"] for row in csv.DictReader(file)]
    assert [parts.count(part) for part in ("train", "held out", "test")] == [33, 7, 20]
    saved = keras.saving.load_model(tmp_path / "run" / "model.keras")
    assert not saved.compiled
    confidence, shipped = load_confidence(tmp_path / "run" / "confidence.json"), load_confidence()
    assert confidence.networks[1:] == shipped.networks[1:]
    assert confidence.networks[0] != shipped.networks[0]
    assert "classifier: step 0 of 20 at most, loss taught" in capsys.readouterr().err


def test_what_the_gate_refuses_is_not_written_but_its_report_is(judge, settings, mnist_like, tmp_path):
    judge("MNIST: 0.09 points are lost, at most 0.05 may")
    with pytest.raises(
        GateError, match=r"refused and not written: MNIST: 0\.09 points.*; see each picture by: digitocr report"
    ):
        module.fit(mnist_like, settings, tmp_path / "run", quiet=True)
    assert not list((tmp_path / "run").glob("*.keras"))
    report = pages(tmp_path / "run", mnist_like)
    assert "were refused: MNIST: 0.09 points are lost" in report.html
    with pytest.raises(OutputError, match=r"exists already; name another folder$"):  # --resume would be refused
        module.fit(mnist_like, settings, tmp_path / "run", quiet=True)
    (tmp_path / "run" / "adapt.json").unlink()
    with pytest.raises(UsageError, match="is not finished, and an adaptation is not resumed; adapt again"):
        pages(tmp_path / "run", mnist_like)
    with pytest.raises(UsageError, match="begin it again"):
        resume(tmp_path / "run", mnist_like)


def test_the_report_shows_each_picture_that_is_read_otherwise(judge, settings, mnist_like, tmp_path):
    judge()
    module.fit(mnist_like, settings, tmp_path / "run", quiet=True)
    report = pages(tmp_path / "run", mnist_like)
    assert "passed the gate" in report.markdown
    assert "| a | 407 | 401 | 407 |" in report.markdown
    assert "| b | 8 | 8 | nothing |" in report.markdown
    assert "| c | nothing | 6 / 6 | 6 |" in report.markdown
    assert "1 pictures are mended and 1 broken" in report.html


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_outside_its_range_is_refused(seed):
    with pytest.raises(UsageError, match="it must be 0 to 2147483647"):
        AdaptSettings("own", seed)
